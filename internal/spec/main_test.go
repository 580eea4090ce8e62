package spec_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type level string

// everything has a field of each kind.
type everything struct {
	Text    string
	Level   level
	Count   int
	Ratio   float64
	On      bool
	WasSet  bool
	Wait    time.Duration
	Max     int64
	Home    url.URL
	Key     secret.String
	Keys    []secret.String
	Headers map[string]secret.String
	Names   []string
	Labels  map[string]string
	Free    any
	TLS     inner
	HasTLS  bool
	Rules   []inner
	Zones   map[string]inner
}

type inner struct {
	Name string
	Port int
}

func (i *inner) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&i.Name, "name").Required().Doc("Name."),
		spec.Int(&i.Port, "port").Default(80).Range(1, 65535).Doc("Port."),
	}
}

func (i *inner) Inline() spec.Field { return spec.String(&i.Name, "name") }

func (i *inner) Validate() []spec.Issue {
	if i.Name == "root" && i.Port == 22 {
		return []spec.Issue{{Field: "port", Message: "root may not use 22", Hint: "another port"}}
	}
	return nil
}

func (e *everything) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&e.Text, "text").Alias("txt").Default("d").Check(func(s string) error {
			if strings.ContainsRune(s, '!') {
				return errors.New("must not shout")
			}
			return nil
		}).Doc("A text | with a bar.").Example("hello"),
		spec.Enum(&e.Level, "level", "sha256", "sha1", "sha512").Default("sha256").Doc("Level."),
		spec.Int(&e.Count, "count").Default(3).Range(0, 10).Doc("Count."),
		spec.Float(&e.Ratio, "ratio").Range(0, 1).Doc("Ratio."),
		spec.Bool(&e.On, "on").Set(&e.WasSet).Doc("On."),
		spec.Duration(&e.Wait, "wait").Default(5*time.Minute).Range(1, 3600).Doc("Wait."),
		spec.Size(&e.Max, "max").Default(10 << 20).Doc("Size."),
		spec.URL(&e.Home, "home").Doc("Home."),
		spec.Secret(&e.Key, "key").Doc("Key."),
		spec.Secrets(&e.Keys, "keys").Doc("Keys."),
		spec.SecretHeaders(&e.Headers, "headers").Doc("Headers."),
		spec.Strings(&e.Names, "names").Deprecated("labels").Doc("Names."),
		spec.StringMap(&e.Labels, "labels").Advanced().Doc("Labels."),
		spec.Any(&e.Free, "free").Doc("Free."),
		spec.Object(&e.TLS, "tls").Set(&e.HasTLS).Doc("TLS."),
		spec.List(&e.Rules, "rules").Doc("Rules."),
		spec.Map(&e.Zones, "zones").Doc("Zones."),
		spec.Ignored("legacy", "it never did."),
	}
}

// load parses and decodes in, which is JSON.
func load(t *testing.T, in string) (*everything, *spec.Node, diag.List) {
	t.Helper()
	n, problems := spec.ParseJSON("f.json", []byte(in))
	if n == nil {
		t.Fatalf("%s: %v", in, problems)
	}
	problems = append(problems, spec.Resolve(n, func(name string) (string, bool) {
		v, ok := map[string]string{"PORT": "8080", "YES": "true", "PW": "s3cr3t-value", "EMPTY": ""}[name]
		return v, ok
	}, spec.ResolveOptions{Path: "root"})...)
	e := &everything{}
	problems = append(problems, spec.Decode(n, e, "root")...)
	problems.Sort()
	return e, n, problems
}

// lines are the problems as line:col path: message.
func lines(l diag.List) string {
	var b strings.Builder
	for _, p := range l {
		b.WriteString(strings.TrimPrefix(p.Pos.String(), "f.json:") + " ")
		if p.Severity != diag.Error {
			b.WriteString(p.Severity.String() + " ")
		}
		b.WriteString(strings.TrimPrefix(p.Path, "root.") + ": " + p.Message)
		if p.Hint != "" {
			b.WriteString(" [" + p.Hint + "]")
		}
		b.WriteString("\n")
	}
	return b.String()
}
