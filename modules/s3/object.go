package s3

import (
	"bytes"
	"cmp"
	"crypto/md5" // #nosec G501 -- the sum that every server of the protocol checks
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/klauspost/compress/gzip"

	"github.com/hookd/hookd/internal/event"
)

const (
	contentType = "Content-Type"
	batchType   = "application/x-ndjson"
)

// object is what is stored.
type object struct {
	key      string
	body     []byte
	kind     string // content type
	metadata map[string]string
}

// single is the object of one delivery.
func (o *Options) single(n naming, d *event.Delivery) object {
	return object{
		key: n.key(d, d.ID.String()), body: d.Body,
		kind:     cmp.Or(o.ContentType, typeOf(d.Header)),
		metadata: metadata(d, o.Headers),
	}
}

// many is the object of deliveries that share a key.
func (o *Options) many(n naming, ds []*event.Delivery) object {
	var b bytes.Buffer
	for _, d := range ds {
		appendLine(&b, d, o.Headers)
	}
	return object{
		key: n.key(ds[0], batchID(ds)), body: b.Bytes(),
		kind:     cmp.Or(o.ContentType, batchType),
		metadata: map[string]string{"hookd-events": strconv.Itoa(len(ds))},
	}
}

// request stores an object.
func (o *Options) request(x object) *s3.PutObjectInput {
	in := o.empty(x.key)
	in.ContentType, in.Metadata = aws.String(x.kind), x.metadata
	body := x.body
	if o.Gzip {
		body = compressed(body)
		in.ContentEncoding = aws.String("gzip")
	}
	if o.IfExists == keep {
		in.IfNoneMatch = aws.String("*")
	}
	o.fill(in, body, o.sumOf(body))
	return in
}

// empty is a request that has what all requests have.
func (o *Options) empty(key string) *s3.PutObjectInput {
	return &s3.PutObjectInput{
		Bucket: aws.String(o.Bucket), Key: aws.String(key),
		StorageClass: types.StorageClass(o.Class), ACL: o.ACL,
		ServerSideEncryption: o.SSE, SSEKMSKeyId: optional(o.Key), ExpectedBucketOwner: optional(o.Owner),
	}
}

// fill gives a request its body and what is said to be its sum.
func (o *Options) fill(in *s3.PutObjectInput, body []byte, sum string) {
	in.Body, in.ContentLength = bytes.NewReader(body), aws.Int64(int64(len(body)))
	switch o.checksum() {
	case sumCRC32:
		in.ChecksumCRC32 = aws.String(sum)
	case sumCRC32C:
		in.ChecksumCRC32C = aws.String(sum)
	case sumSHA256:
		in.ChecksumSHA256 = aws.String(sum)
	default:
		in.ContentMD5 = aws.String(sum)
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (o *Options) sumOf(body []byte) string {
	var b []byte
	switch o.checksum() {
	case sumCRC32:
		b = binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body))
	case sumCRC32C:
		b = binary.BigEndian.AppendUint32(nil, crc32.Checksum(body, castagnoli))
	case sumSHA256:
		s := sha256.Sum256(body)
		b = s[:]
	default:
		s := md5.Sum(body) // #nosec G401 -- against accidents; the signature is against people
		b = s[:]
	}
	return base64.StdEncoding.EncodeToString(b)
}

// compressed has no time and no name in it: the same body gives the same object.
func compressed(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // into memory
	_ = w.Close()
	return b.Bytes()
}

func optional(s string) *string {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	return &s
}
