package authtest

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

var methodName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Describe checks the declaration of a method.
func Describe(t *testing.T, m auth.Method) {
	t.Helper()
	if !methodName.MatchString(m.Name()) {
		t.Errorf("%q is not a fit name", m.Name())
	}
	if m.Title() == "" || m.Doc() == "" {
		t.Errorf("%s: no title or no doc", m.Name())
	}
	if s := m.Summary(); !strings.HasSuffix(s, ".") || strings.Contains(s, "\n") {
		t.Errorf("%s: the summary is not one sentence: %q", m.Name(), s)
	}
	if err := spec.Verify(m.Options()); err != nil {
		t.Errorf("%s: %v", m.Name(), err)
	}
	if !json.Valid(spec.JSONSchema(m.Options())) {
		t.Errorf("%s: the schema is not JSON", m.Name())
	}
	if _, err := m.New(auth.Env{}, m.Options()); err == nil {
		t.Errorf("%s: made without any options", m.Name())
	}
}

// Decode makes a proof from what a hook says under the method's key, as the
// loader does. The error holds all problems.
func Decode(m auth.Method, text string) (auth.Verifier, error) {
	return DecodeIn(m, auth.Env{}, text)
}

// DecodeIn is Decode for a proof that reaches for something.
func DecodeIn(m auth.Method, env auth.Env, text string) (auth.Verifier, error) {
	n, problems := spec.ParseJSON("hook.json", []byte(text))
	o := m.Options()
	if !problems.HasErrors() {
		problems = append(problems, spec.Decode(n, o, m.Name())...)
	}
	var errs []error
	for _, p := range problems {
		if p.Severity == diag.Error {
			errs = append(errs, errors.New(p.Path+": "+p.Message))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return m.New(env, o)
}

// Object is the JSON of an object with the secrets under a key, and more of its
// members: `"case_sensitive":true`.
func Object(key string, secrets []string, more string) string {
	b, err := json.Marshal(map[string][]string{key: secrets})
	if err != nil {
		panic(err)
	}
	if more == "" {
		return string(b)
	}
	return string(b[:len(b)-1]) + "," + more + "}"
}
