package s3_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/s3"
)

// TestObjects is the form that the original service had: an object for each
// event.
func TestObjects(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: s3.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newStore(t)
			return b.far(t, `"include_headers": true`)
		},
		Bad: []moduletest.Bad{
			{Options: `{}`, Want: "required", Path: "bucket"},
			{Options: `{"bucket": "a"}`, Want: "no name of a bucket", Path: "bucket"},
			{Options: `{"bucket": "10.0.0.1"}`, Want: "no name of a bucket", Path: "bucket"},
			{Options: `{"bucket": "abc/def"}`, Want: "no name of a bucket", Path: "bucket"},
			{Options: `{"bucket": "abc", "prefix": "a/../b"}`, Want: `segment ".."`, Path: "prefix"},
			{Options: `{"bucket": "abc", "prefix": "a\u0000"}`, Want: "control character", Path: "prefix"},
			{Options: `{"bucket": "abc", "partition": "{week}"}`, Want: "not known", Path: "partition"},
			{Options: `{"bucket": "abc", "filename_pattern": "a?.json"}`, Want: "should not have", Path: "filename_pattern"},
			{Options: `{"bucket": "abc", "filename_pattern": "{uuid"}`, Want: `without a "}"`, Path: "filename_pattern"},
			{Options: `{"bucket": "abc", "filename_pattern": "a/"}`, Want: "ends in a slash", Path: "filename_pattern"},
			{Options: `{"bucket": "abc", "filename_pattern": "{type}{type}{type}{type}{type}{type}{type}{type}{type}{type}"}`, Want: "too long", Path: "filename_pattern"},
			{Options: `{"bucket": "abc", "content_type": "a/b\r\nX: y"}`, Want: "content type", Path: "content_type"},
			{Options: `{"bucket": "abc", "storage_class": "glacier"}`, Want: "capital", Path: "storage_class"},
			{Options: `{"bucket": "abc", "server_side_encryption": "rot13"}`, Path: "server_side_encryption"},
			{Options: `{"bucket": "abc", "kms_key_id": "k"}`, Want: "aws:kms", Path: "kms_key_id"},
			{Options: `{"bucket": "abc", "acl": "public-read"}`, Path: "acl"},
			{Options: `{"bucket": "abc", "expected_bucket_owner": "me"}`, Want: "12 digits", Path: "expected_bucket_owner"},
			{Options: `{"bucket": "abc--use1-az4--x-s3", "checksum": "md5"}`, Want: "directory", Path: "checksum"},
			{Options: `{"bucket": "abc", "ndjson": true, "filename_pattern": "{timestamp}.ndjson"}`, Want: "of its own", Path: "ndjson"},
			{Options: `{"bucket": "abc", "ndjson": true, "batch_events": 0}`, Path: "batch_events"},
			{Options: `{"bucket": "abc", "ndjson": true, "batch_bytes": "1GiB"}`, Path: "batch_bytes"},
			{Connection: `{"aws_access_key_id": "x"}`, Want: "go together", Path: "aws_access_key_id"},
			{Connection: `{"endpoint_url": "http://h", "tls": true}`, Want: "https", Path: "tls"},
			{Connection: `{"endpoint_url": "ftp://h"}`, Want: "http", Path: "endpoint_url"},
			{Connection: `{"addressing_style": "host"}`, Path: "addressing_style"},
		},
	})
}

// TestCompressed has sender's texts in keys, another sum and no overwriting.
func TestCompressed(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: s3.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newStore(t)
			return b.far(t, `"gzip": true, "checksum": "sha256", "if_exists": "keep", "prefix": "/in/{hook}//", "partition": "dt={date}",
				"filename_pattern": "{type}/{header:X-Hostile}.json", "include_headers": true`)
		},
	})
}

// TestLines is many events in one object.
func TestLines(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: s3.Module(),
		// Line feeds between the values of JSON are left out.
		Carries: func(body []byte) bool { return !json.Valid(body) || !bytes.ContainsAny(body, "\r\n") },
		Start: func(t *testing.T) *moduletest.Far {
			b := newStore(t)
			return b.far(t, `"ndjson": true, "checksum": "crc32c", "include_headers": true`)
		},
	})
}
