package spec_test

import (
	"testing"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

type optional struct{ key secret.String }

func (o *optional) Fields() spec.Fields {
	return spec.Fields{spec.OptionalSecret(&o.key, "key").Doc("A key, or none.")}
}

func TestOptionalSecret(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, want string
		ok       bool
	}{
		{`{}`, "", true},
		{`{"key":""}`, "", true},
		{`{"key":"s3cret"}`, "s3cret", true},
		{`{"key":"{$SET}"}`, "s3cret", true},
		{`{"key":"{$EMPTY}"}`, "", false},
		{`{"key":"{$EMPTY:}"}`, "", true},
		{`{"key":"{$UNSET:}"}`, "", true},
		{`{"key":"{$SET:}"}`, "s3cret", true},
		{`{"key":"{$EMPTY:x}"}`, "", false},
		{`{"key":"{$EMPTY:}{$EMPTY:}"}`, "", false},
		{`{"key":" "}`, "", false},
		{`{"key":12}`, "", false},
	} {
		n, problems := spec.ParseJSON("f.json", []byte(c.in))
		problems = append(problems, spec.Resolve(n, func(name string) (string, bool) {
			v, set := map[string]string{"SET": "s3cret", "EMPTY": ""}[name]
			return v, set
		}, spec.ResolveOptions{})...)
		var o optional
		problems = append(problems, spec.Decode(n, &o, "")...)
		if problems.HasErrors() == c.ok || o.key.Reveal() != c.want {
			t.Errorf("%s: %q, problems %v", c.in, o.key.Reveal(), problems)
		}
	}
	if err := spec.Verify(&optional{}); err != nil {
		t.Error(err)
	}
}
