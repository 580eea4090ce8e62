package kafka

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/jq"
	"github.com/hookd/hookd/internal/spec"
)

// Compression is how a batch is compressed.
type Compression string

// The codecs.
const (
	None   Compression = "none"
	Gzip   Compression = "gzip"
	Snappy Compression = "snappy"
	LZ4    Compression = "lz4"
	Zstd   Compression = "zstd"
)

// Options describe one destination.
type Options struct {
	Topic        string
	Key          string
	KeyExpr      string
	Partition    int
	HasPartition bool
	Forward      bool // the sender's headers
	Headers      map[string]string
	Compression  Compression
	MaxBytes     int
	Create       bool
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Topic, "topic").Required().Example("webhooks").Check(checkTopic).Doc("Topic to write to."),
		spec.String(&o.Key, "key").Example("github").
			Doc("Key of every message, as it stands: not the name of a field. Messages with equal keys go to the same partition."),
		spec.String(&o.KeyExpr, "key_expr").Example(".customer.id").Check(checkExpr).
			Doc("The key as a jq program over the body that is delivered, with `$event`. A text is taken as it is, any other value as its JSON; null or nothing is no key. A program that fails is a dead letter, `transform_error`."),
		spec.Int(&o.Partition, "partition").Set(&o.HasPartition).Range(0, 1<<31-1).
			Doc("Partition to write to, instead of the one that the key gives."),
		spec.Bool(&o.Forward, "forward_headers").Default(false).Doc("Send the sender's headers along: all but credentials."),
		spec.Headers(&o.Headers, "headers").Doc("Headers to add to each message; they win over the sender's."),
		spec.Enum(&o.Compression, "compression", None, Gzip, Snappy, LZ4, Zstd).Default(None).
			Doc("How to compress what is sent together."),
		spec.Int(&o.MaxBytes, "max_message_bytes").Default(1<<20).Range(1<<10, 64<<20).Advanced().
			Doc("Size in bytes, before compression, above which a message is not sent, with its key, headers and some 36 bytes more. Also how much goes to one partition together. Keep it at the topic's `max.message.bytes`, or below."),
		spec.Bool(&o.Create, "create").Default(false).
			Doc("Create the topic where it is missing, with the cluster's defaults for partitions and replicas."),
		spec.Ignored("acks", "every message waits for all in-sync replicas"),
	}
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(field, message, hint string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint})
	}
	if o.Key != "" && o.KeyExpr != "" {
		add("key_expr", "key and key_expr exclude each other", "")
	}
	for name := range o.Headers {
		switch key := strings.ToLower(name); {
		case strings.HasPrefix(key, "hookd-"), key == "traceparent":
			add("headers", fmt.Sprintf("%q is set by hookd", name), "")
		case name == "" || !utf8.ValidString(name):
			add("headers", fmt.Sprintf("%q is no name for a header: UTF-8, and not empty", name), "")
		}
	}
	slices.SortStableFunc(issues, func(a, b spec.Issue) int { return strings.Compare(a.Field+a.Message, b.Field+b.Message) })
	return issues
}

// checkTopic is Kafka's own rule.
func checkTopic(name string) error {
	legal := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)
	}
	switch {
	case name == "" || len(name) > 249:
		return errors.New("is not 1 to 249 characters long")
	case name == "." || name == "..":
		return errors.New(`is "." or ".."`)
	case strings.ContainsFunc(name, func(r rune) bool { return !legal(r) }):
		return errors.New("has other characters than letters, digits, '.', '_' and '-'")
	}
	return nil
}

func checkExpr(source string) error {
	_, err := jq.Compile(source)
	return err
}
