// Package siteverifytest is a captcha service for tests.
package siteverifytest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// Server is a captcha service. It is safe for concurrent use.
type Server struct {
	// Answer makes the answer to a form; it is called by many requests at once.
	Answer func(form url.Values) (status int, body string)

	srv *httptest.Server
	t   *testing.T

	mu    sync.Mutex
	asked []Asked
}

// Asked is a request that the service got.
type Asked struct {
	URL    string // as the verifier has it
	Header http.Header
	Form   url.Values
}

// New starts a service that ends with the test.
func New(t *testing.T, answer func(form url.Values) (status int, body string)) *Server {
	t.Helper()
	s := &Server{Answer: answer, t: t}
	s.srv = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.srv.Close)
	return s
}

// Always starts a service that answers every request with 200 and body.
func Always(t *testing.T, body string) *Server {
	t.Helper()
	return New(t, func(url.Values) (int, string) { return http.StatusOK, body })
}

// RoundTrip makes the server an http.RoundTripper that takes the requests to
// every host.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	here, err := url.Parse(s.srv.URL)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("X-Asked", r.URL.String())
	r.URL.Scheme, r.URL.Host = here.Scheme, here.Host
	return s.srv.Client().Transport.RoundTrip(r)
}

// Asked returns the requests so far.
func (s *Server) Asked() []Asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Asked(nil), s.asked...)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil || r.URL.RawQuery != "" {
		s.t.Errorf("the service was asked with %s %s", r.Method, r.URL)
	}
	s.mu.Lock()
	s.asked = append(s.asked, Asked{r.Header.Get("X-Asked"), r.Header, r.PostForm})
	s.mu.Unlock()
	status, body := s.Answer(r.PostForm)
	if status/100 == 3 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}
