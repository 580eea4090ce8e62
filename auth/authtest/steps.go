package authtest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
)

func (s *suite) make(t *testing.T, secrets ...string) auth.Verifier {
	t.Helper()
	v, err := s.New(secrets...)
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	return v
}

func (s *suite) sign(t *testing.T, v auth.Verifier) *auth.Request {
	t.Helper()
	return s.signRequest(t, v, Request())
}

func (s *suite) signRequest(t *testing.T, v auth.Verifier, r *auth.Request) *auth.Request {
	t.Helper()
	signer, ok := v.(auth.Signer)
	if !ok {
		t.Fatalf("%T cannot sign", v)
	}
	if p, ok := v.(auth.Preparer); ok {
		p.Prepare(r, "thing.made", "delivery-1")
	}
	if err := signer.Sign(context.Background(), r); err != nil {
		t.Fatalf("sign: %v", err)
	}
	return r
}

func (s *suite) accept(t *testing.T, v auth.Verifier, r *auth.Request) auth.Identity {
	t.Helper()
	id, err := v.Verify(context.Background(), r)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	s.silent(t, id.Method+" "+id.Subject)
	return id
}

// refuse wants a Denial with a known code and no secret in its text.
func (s *suite) refuse(t *testing.T, v auth.Verifier, r *auth.Request, what string) (code string) {
	t.Helper()
	_, err := v.Verify(context.Background(), r)
	if err == nil {
		t.Fatalf("accepted: %s", what)
	}
	s.silent(t, err.Error())
	var d *auth.Denial
	if !errors.As(err, &d) {
		t.Fatalf("%s: the refusal is a %T", what, err)
	}
	if d.Method == "" || !slices.Contains(auth.Codes(), d.Code) || d.Code == auth.CodeInternal {
		t.Errorf("%s: denial %q by %q", what, d.Code, d.Method)
	}
	return d.Code
}

// silent fails where text holds a secret, in any form in which it travels.
func (s *suite) silent(t *testing.T, text string) {
	t.Helper()
	text = strings.ToLower(text)
	for _, sec := range s.Secrets {
		for _, form := range []string{
			sec, hex.EncodeToString([]byte(sec)), url.QueryEscape(sec),
			base64.StdEncoding.EncodeToString([]byte(sec)), base64.RawURLEncoding.EncodeToString([]byte(sec)),
		} {
			if strings.Contains(text, strings.ToLower(form)) {
				t.Errorf("a secret is told: %s", text)
			}
		}
	}
}

// credential is what the proof put into the request.
func (s *suite) credential(r *auth.Request) string {
	if s.Param != "" {
		return r.URL.Query().Get(s.Param)
	}
	return r.Header.Get(s.Header)
}

func (s *suite) set(r *auth.Request, value string) {
	if s.Param != "" {
		r.URL.RawQuery = "a=1&" + s.Param + "=" + url.QueryEscape(value) + "&b"
		return
	}
	r.Header[s.Header] = []string{value}
}

func (s *suite) double(r *auth.Request, value string, first bool) {
	if s.Param != "" {
		pair := s.Param + "=" + url.QueryEscape(value)
		if first {
			r.URL.RawQuery = pair + "&" + r.URL.RawQuery
		} else {
			r.URL.RawQuery += "&" + pair
		}
		return
	}
	if first {
		r.Header[s.Header] = append([]string{value}, r.Header[s.Header]...)
	} else {
		r.Header.Add(s.Header, value)
	}
}

func flip(s string, bit int) string {
	b := []byte(s)
	b[bit/8] ^= 1 << (bit % 8)
	return string(b)
}

// Header is a request with one header set to the values given.
func Header(name string, values ...string) *auth.Request {
	r := Request()
	r.Header[http.CanonicalHeaderKey(name)] = values
	return r
}
