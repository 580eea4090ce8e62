package quarantine

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/hookd/hookd/internal/event"
)

// stored is an Entry as JSON. What a stranger chose is bytes: encoding/json
// would change text that is not UTF-8, and with it what was signed.
type stored struct {
	Hook      string              `json:"hook"`
	Received  time.Time           `json:"received"`
	Status    int                 `json:"status"`
	Reason    string              `json:"reason"`
	Method    string              `json:"method"`
	Remote    netip.Addr          `json:"remote"`
	Size      int                 `json:"size"`
	Body      BodyState           `json:"body"`
	Request   string              `json:"request"`
	Namespace string              `json:"namespace,omitempty"`
	Asked     string              `json:"asked"`
	Path      []byte              `json:"path"`
	RawPath   []byte              `json:"raw_path,omitempty"`
	Query     []byte              `json:"query,omitempty"`
	Host      []byte              `json:"host"`
	Peer      netip.Addr          `json:"peer"`
	Header    map[string][][]byte `json:"header"`
	TLS       *Connection         `json:"tls,omitempty"`
	Headers   []string            `json:"headers,omitempty"`
	Params    []string            `json:"params,omitempty"`
}

// encode writes the length of the JSON, the JSON, and the body as it is.
func (e *Entry) encode() ([]byte, error) {
	s := stored{
		Hook: e.Hook, Received: e.Received, Status: e.Status, Reason: e.Reason, Method: e.Method, Remote: e.Remote,
		Size: e.Size, Body: e.Body, Request: e.Request, Namespace: e.Namespace, Asked: e.Asked,
		Path: []byte(e.Path), RawPath: []byte(e.RawPath), Query: []byte(e.Query), Host: []byte(e.Host), Peer: e.Peer,
		Header: make(map[string][][]byte, len(e.Header)), TLS: e.TLS, Headers: e.Headers, Params: e.Params,
	}
	for name, vs := range e.Header {
		for _, v := range vs {
			s.Header[name] = append(s.Header[name], []byte(v))
		}
	}
	head, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, 4+len(head)+len(e.Content))
	out = binary.BigEndian.AppendUint32(out, uint32(len(head)))
	return append(append(out, head...), e.Content...), nil
}

var errEntry = errors.New("not a request")

func decode(text []byte, id event.ID) (*Entry, error) {
	if len(text) < 4 {
		return nil, errEntry
	}
	n := int64(binary.BigEndian.Uint32(text))
	if n > int64(len(text)-4) {
		return nil, errEntry
	}
	var s stored
	if err := json.Unmarshal(text[4:4+n], &s); err != nil {
		return nil, fmt.Errorf("%w: %w", errEntry, err)
	}
	e := &Entry{
		Facts: Facts{
			ID: id, Hook: s.Hook, Received: s.Received, Status: s.Status, Reason: s.Reason, Method: s.Method,
			Path: string(s.Path), Remote: s.Remote, Size: s.Size, Body: s.Body,
		},
		Request: s.Request, Namespace: s.Namespace, Asked: s.Asked, RawPath: string(s.RawPath), Query: string(s.Query),
		Host: string(s.Host), Peer: s.Peer, Header: make(http.Header, len(s.Header)), TLS: s.TLS,
		Headers: s.Headers, Params: s.Params, Content: text[4+n:],
	}
	for name, vs := range s.Header {
		for _, v := range vs {
			e.Header[name] = append(e.Header[name], string(v))
		}
	}
	if e.Hook == "" || e.Body == BodyKept && e.Size != len(e.Content) {
		return nil, errEntry
	}
	return e, nil
}
