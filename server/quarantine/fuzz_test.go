package quarantine

import (
	"bytes"
	"net/http"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
)

// FuzzDecode: no text takes the reader down, and what it takes can be written
// and read again.
func FuzzDecode(f *testing.F) {
	e := &Entry{
		Facts: Facts{
			Hook: "in", Received: time.Unix(1772366400, 0).UTC(), Status: 401, Reason: "hmac:signature_mismatch", Method: "POST",
			Path: "/webhook/in", Remote: netip.MustParseAddr("2001:db8::1"), Size: 2, Body: BodyKept,
		},
		Header: http.Header{"X-A": {"b", "\xff"}}, TLS: &Connection{Version: 0x304, Certs: [][]byte{{1, 2}}}, Content: []byte("{}"),
	}
	text, err := e.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, '{'})
	f.Add([]byte("\x00\x00\x00\x02{}"))
	f.Add(append([]byte("\x00\x00\x00\x0c"), `{"hook":"a"}x`...))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := decode(text, event.ID{1})
		if err != nil {
			return
		}
		got.Proof()
		got.Ingest()
		got.Shown()
		got.ShownQuery()
		again, err := got.encode()
		if err != nil {
			return // a time beyond the year 9999, say
		}
		twice, err := decode(again, event.ID{1})
		if err != nil {
			t.Fatalf("%q: %v", again, err)
		}
		if !bytes.Equal(twice.Content, got.Content) || !reflect.DeepEqual(twice.Header, got.Header) || twice.Path != got.Path {
			t.Errorf("%+v became %+v", got, twice)
		}
	})
}

// FuzzOpen: no file takes the reader down, and none but our own is opened.
func FuzzOpen(f *testing.F) {
	s := &sealer{}
	var err error
	if s.aead, err = newAEAD(bytes.Repeat([]byte{7}, keySize)); err != nil {
		f.Fatal(err)
	}
	name := []byte("0123456789abcdef")
	sealed, err := s.seal([]byte("text"), name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte(magic))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, file []byte) {
		if text, err := s.open(file, name); err == nil && string(text) != "text" {
			t.Errorf("opened %q", text)
		}
	})
}
