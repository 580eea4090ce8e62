package s3

import (
	"errors"
	"mime"
	"net"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/hookd/hookd/internal/spec"
)

// sum is how the far end can tell that it has the bytes that were sent.
type sum string

const (
	sumMD5    sum = "md5"
	sumCRC32  sum = "crc32"
	sumCRC32C sum = "crc32c"
	sumSHA256 sum = "sha256"
)

// existing is what to do with an object that is there already.
type existing string

const (
	overwrite existing = "overwrite"
	keep      existing = "keep"
)

// Limits of a batch: what hookd claims at once, and what a request may well hold
// in memory.
const (
	maxEvents  = 1000
	maxBytes   = 64 << 20
	leastBytes = 4 << 10
)

// Options describe one destination.
type Options struct {
	Bucket      string
	Prefix      string
	Partition   string
	Filename    string
	ContentType string
	Headers     bool
	Gzip        bool
	NDJSON      bool
	Events      int
	Bytes       int64
	Class       string
	SSE         types.ServerSideEncryption
	Key         string
	Owner       string
	ACL         types.ObjectCannedACL
	Checksum    sum
	IfExists    existing
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Bucket, "bucket").Required().Example("acme-webhooks").Check(checkBucket).
			Doc("Bucket, or the ARN or alias of an access point."),
		spec.String(&o.Prefix, "prefix").Default("webhooks").Example("webhooks/{hook}").Check(checkPattern).
			Doc("What keys begin with; it may be empty. Slashes at its ends make no difference. Placeholders are those of `filename_pattern`."),
		spec.String(&o.Partition, "partition").Default("{year}/{month}/{day}/{hour}").Example("dt={date}/hour={hour}").Check(checkPattern).
			Doc("Folders between prefix and name, of the time (UTC) at which the event was received. Empty is none."),
		spec.String(&o.Filename, "filename_pattern").Example("{type}_{uuid}.json").Check(checkFilename).
			Doc("Name of an object. " + placeholderDoc + " When absent it is `" + defaultName + "`, with `ndjson` `" + defaultBatchName + "`."),
		spec.String(&o.ContentType, "content_type").Example("application/json").Check(checkType).
			Doc("Content type of the objects. When absent it is the delivery's own; with `ndjson` it is `" + batchType + "`."),
		spec.Bool(&o.Headers, "include_headers").Default(false).
			Doc("Keep the sender's headers, all but credentials, in the object's metadata, as many as fit into its 2 KB; with `ndjson` in each line, all."),
		spec.Bool(&o.Gzip, "gzip").Default(false).
			Doc("Compress objects; `.gz` is added to the name and `Content-Encoding` says so."),
		spec.Bool(&o.NDJSON, "ndjson").Default(false).
			Doc("Put the events that wait into one object, a line of JSON for each, instead of an object for each event."),
		spec.Int(&o.Events, "batch_events").Default(500).Range(1, maxEvents).
			Doc("Most events of an object, with `ndjson`."),
		spec.Size(&o.Bytes, "batch_bytes").Default(8<<20).Range(leastBytes, maxBytes).
			Doc("Most bytes of the bodies in an object, with `ndjson`. A larger event has an object of its own."),
		spec.String(&o.Class, "storage_class").Example("STANDARD_IA").Check(checkClass).
			Doc("Storage class of the objects. When absent it is the bucket's."),
		spec.Enum(&o.SSE, "server_side_encryption", types.ServerSideEncryptionAes256, types.ServerSideEncryptionAwsKms, types.ServerSideEncryptionAwsKmsDsse).Alias("sse").
			Doc("Encryption at rest that the far end must confirm. When absent it is the bucket's."),
		spec.String(&o.Key, "kms_key_id").Alias("sse_kms_key_id", "ssekms_key_id").
			Doc("Id, ARN or alias of the key for `aws:kms`. When absent it is the account's own for S3."),
		spec.Enum(&o.IfExists, "if_exists", overwrite, keep).Default(overwrite).Advanced().
			Doc("What a repeat of a delivery does: `overwrite` its object with the same, or `keep` what is there, so that nobody is notified twice. `keep` needs a server that knows `If-None-Match`; another one overwrites."),
		spec.Enum(&o.Checksum, "checksum", sumMD5, sumCRC32, sumCRC32C, sumSHA256).Advanced().
			Doc("Sum by which the far end checks the object. When absent it is `md5`, which every server knows; for directory buckets, which do not, `crc32`."),
		spec.String(&o.Owner, "expected_bucket_owner").Example("123456789012").Check(checkOwner).Advanced().
			Doc("Account that must own the bucket: another's bucket of that name gets nothing."),
		spec.Enum(&o.ACL, "acl", types.ObjectCannedACLPrivate, types.ObjectCannedACLBucketOwnerRead, types.ObjectCannedACLBucketOwnerFullControl).Advanced().
			Doc("Rights of others to the object, for buckets that use access control lists."),
	}
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(field, message, hint string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint})
	}
	if o.Key != "" && o.SSE != types.ServerSideEncryptionAwsKms && o.SSE != types.ServerSideEncryptionAwsKmsDsse {
		add("kms_key_id", "needs aws:kms", `add "server_side_encryption": "aws:kms"`)
	}
	if o.directory() && o.Checksum == sumMD5 {
		add("checksum", "cannot be md5 in a directory bucket", "remove it")
	}
	n := o.naming()
	if o.NDJSON {
		for _, name := range []string{"{timestamp}", "{event}"} {
			if strings.Contains(n.pattern, name) {
				add("ndjson", name+" would give each event an object of its own", "leave "+name+" out of the name")
			}
		}
	}
	if longest := n.longest(); longest > maxKey {
		add("filename_pattern", "and prefix make keys that are too long: S3 takes 1024 bytes", "make one of them shorter")
	}
	if o.Filename != "" && n.added {
		issues = append(issues, spec.Issue{
			Field: "filename_pattern", Warning: true,
			Message: "has no {uuid}, so two deliveries could share a key; -{uuid} is added",
		})
	}
	return issues
}

// directory reports a directory bucket: of one zone, and without MD5.
func (o *Options) directory() bool { return strings.HasSuffix(o.Bucket, "--x-s3") }

func (o *Options) checksum() sum {
	switch {
	case o.Checksum != "":
		return o.Checksum
	case o.directory():
		return sumCRC32
	}
	return sumMD5
}

// Old buckets, and those of other servers, have names that new ones of AWS cannot
// have.
var (
	bucketPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)
	arnPattern    = regexp.MustCompile(`^arn:aws[a-z-]*:s3[a-z-]*:[a-z0-9-]*:[0-9]{12}:[A-Za-z0-9/:._-]+$`)
)

func checkBucket(s string) error {
	if arnPattern.MatchString(s) {
		return nil
	}
	if !bucketPattern.MatchString(s) || strings.Contains(s, "..") || net.ParseIP(s) != nil {
		return errors.New(`is no name of a bucket: 3 to 63 lower-case letters, digits, "-" and "."`)
	}
	return nil
}

func checkType(s string) error {
	if s == "" {
		return nil
	}
	if _, _, err := mime.ParseMediaType(s); err != nil || !printable(s) {
		return errors.New("is not a content type such as application/json")
	}
	return nil
}

func checkClass(s string) error {
	if s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return errors.New("is not a storage class such as STANDARD_IA: they have capital letters")
	}
	return nil
}

func checkOwner(s string) error {
	if s != "" && (len(s) != 12 || strings.Trim(s, "0123456789") != "") {
		return errors.New("is not 12 digits")
	}
	return nil
}
