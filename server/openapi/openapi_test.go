package openapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"gopkg.in/yaml.v3"

	"github.com/hookd/hookd/auth/all"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
	modules "github.com/hookd/hookd/modules/all"
	"github.com/hookd/hookd/server/openapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the golden files")

func load(t *testing.T, file string) *config.Config {
	t.Helper()
	var c config.Catalog
	for _, m := range modules.Modules(io.Discard) {
		c.Modules = append(c.Modules, config.ModuleSpec{Name: m.Name(), Aliases: m.Aliases(), ConnectionTypes: m.ConnectionTypes(), Options: m.Options, Connection: m.Connection})
	}
	for _, m := range all.Methods() {
		c.Auth = append(c.Auth, config.AuthSpec{Name: m.Name(), Options: m.Options})
	}
	for _, p := range presets.All() {
		c.Providers = append(c.Providers, p.Name)
		if p.Unsigned {
			c.Unsigned = append(c.Unsigned, p.Name)
		}
	}
	cfg, problems, _ := config.Load(t.Context(), config.Options{Webhooks: file, Catalog: c})
	if cfg == nil {
		t.Fatalf("%s: %+v", file, problems)
	}
	return cfg
}

func generate(t *testing.T, file string) openapi.Document {
	t.Helper()
	reg, err := all.Registry()
	if err != nil {
		t.Fatal(err)
	}
	return openapi.Generate(load(t, file), openapi.Options{BaseURL: "https://hooks.example.com", Version: "1.2.3", Auth: reg, MaxBody: 10 << 20})
}

func bytesOf(t *testing.T, d openapi.Document) (j, y []byte) {
	t.Helper()
	j, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if y, err = d.YAML(); err != nil {
		t.Fatal(err)
	}
	return j, y
}

// Each testdata/NAME.json is a configuration, testdata/NAME.golden.yaml its
// description.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/*.json")
	if len(files) == 0 {
		t.Fatal("no configurations in testdata")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			j, y := bytesOf(t, generate(t, file))
			for range 5 {
				if again, _ := bytesOf(t, generate(t, file)); !bytes.Equal(j, again) {
					t.Fatal("the same configuration gave another document")
				}
			}
			var fromJSON, fromYAML any
			if err := json.Unmarshal(j, &fromJSON); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal(y, &fromYAML); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(fromJSON, floats(fromYAML)) {
				t.Error("the YAML says something else than the JSON")
			}
			golden := strings.TrimSuffix(file, ".json") + ".golden.yaml"
			if *update {
				if err := os.WriteFile(golden, y, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || !bytes.Equal(want, y) {
				t.Errorf("%s is not what is generated (%v); run the test with -update and look at the difference", golden, err)
			}
		})
	}
}

// floats makes of YAML's integers what JSON's numbers become.
func floats(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = floats(v[k])
		}
	}
	return v
}

func decode(t *testing.T, file string) map[string]any {
	t.Helper()
	j, _ := bytesOf(t, generate(t, file))
	var doc map[string]any
	if err := json.Unmarshal(j, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// at walks a document by keys.
func at(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func TestAllProofsMustHold(t *testing.T) {
	t.Parallel()
	doc := decode(t, "testdata/every_proof.json")
	for hook, want := range map[string][]string{
		"github":       {"provider.github.X-Hub-Signature-256"},
		"stripe":       {"provider.stripe.Stripe-Signature"},
		"open":         nil,
		"ip-only":      nil,
		"bearer":       {"authorization.bearer"},
		"raw":          {"authorization.Authorization"},
		"basic":        {"basic_auth"},
		"hmac-default": {"hmac.X-Hmac-Signature"},
		"hmac-hub":     {"hmac.X-Hub-Signature-256"},
		"hmac-timed":   {"hmac.X-Sig"},
		"all-of-them":  {"header_auth.X-Key", "hmac.X-Hmac-Signature", "query_auth.api_key"},
	} {
		list, _ := at(doc, "paths", "/webhook/"+hook, "post", "security").([]any)
		var got []string
		for _, alternative := range list { // a list of alternatives: there must be one
			for name, scopes := range alternative.(map[string]any) {
				if at(doc, "components", "securitySchemes", name) == nil || len(scopes.([]any)) != 0 {
					t.Errorf("%s: scheme %s is not declared, or has scopes", hook, name)
				}
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) || len(list) > 1 {
			t.Errorf("%s: %v in %d alternatives, want all of %v in one", hook, got, len(list), want)
		}
	}
}

func TestResponses(t *testing.T) {
	t.Parallel()
	doc := decode(t, "testdata/every_proof.json")
	for hook, want := range map[string]string{
		"all-of-them": "[200 400 401 403 404 405 413 415 429 431 503]",
		"open":        "[200 400 404 405 413 415 429 431 503]",
		"blob":        "[202 400 404 405 413 415 429 431 503]",
	} {
		responses, _ := at(doc, "paths", "/webhook/"+hook, "post", "responses").(map[string]any)
		var got []string
		for status, r := range responses {
			got = append(got, status)
			if ref, ok := at(r, "$ref").(string); ok && at(doc, "components", "responses", ref[strings.LastIndex(ref, "/")+1:]) == nil {
				t.Errorf("%s: %s is not there", hook, ref)
			}
		}
		slices.Sort(got)
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %s", hook, got, want)
		}
	}
	if at(decode(t, "testdata/schemas.json"), "paths", "/webhook/tree", "post", "responses", "422") == nil {
		t.Error("a hook with a schema has no 422")
	}
	for _, name := range []string{"TooManyRequests", "ServiceUnavailable"} {
		if at(doc, "components", "responses", name, "headers", "Retry-After") == nil {
			t.Errorf("%s has no Retry-After", name)
		}
	}
}

func TestNothingIsGivenAway(t *testing.T) {
	t.Parallel()
	j, y := bytesOf(t, generate(t, "testdata/every_proof.json"))
	for _, text := range []string{string(j), string(y)} {
		for _, secret := range []string{"hush", "203.0.113.99", "/webhook/off", "log"} {
			if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(text, "in the log of the server", ""), "login", ""), secret) {
				t.Errorf("the document holds %q", secret)
			}
		}
	}
}

// Every reference of an adapted schema leads somewhere, and the configuration
// is as it was.
func TestSchemas(t *testing.T) {
	t.Parallel()
	cfg := load(t, "testdata/schemas.json")
	before := fmt.Sprint(cfg.Hooks)
	openapi.Generate(cfg, openapi.Options{})
	if fmt.Sprint(cfg.Hooks) != before {
		t.Error("the configuration was changed")
	}
	doc := decode(t, "testdata/schemas.json")
	var refs int
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, c := range v {
				walk(c)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				refs++
				if !leads(doc, ref) {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, c := range v {
				walk(c)
			}
		}
	}
	walk(doc)
	if refs < 10 {
		t.Errorf("only %d references were looked at", refs)
	}
}

func leads(doc any, ref string) bool {
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch v := doc.(type) {
		case map[string]any:
			doc, ok = v[part]
			if !ok {
				return false
			}
		case []any:
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(v) {
				return false
			}
			doc = v[i]
		default:
			return false
		}
	}
	return true
}

// The judge is not ours: openapi-spec-validator of PyPI. HOOKD_OPENAPI_VALIDATOR
// names the program where it is not on the PATH; HOOKD_TEST_REQUIRE=all makes
// its absence a failure.
func TestIndependentValidator(t *testing.T) {
	t.Parallel()
	name := os.Getenv("HOOKD_OPENAPI_VALIDATOR")
	if name == "" {
		name = "openapi-spec-validator"
	}
	program, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("HOOKD_TEST_REQUIRE") == "all" {
			t.Fatalf("openapi-spec-validator is required: %v", err)
		}
		t.Skip("openapi-spec-validator is not installed (pip install openapi-spec-validator), or HOOKD_OPENAPI_VALIDATOR does not name it")
	}
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		if strings.Contains(file, "looks_like") {
			continue // the validator takes data for references
		}
		j, y := bytesOf(t, generate(t, file))
		check(t, program, file+" as JSON", "x.json", j, true)
		check(t, program, file+" as YAML", "x.yaml", y, true)
		// It can say no, too.
		broken := bytes.ReplaceAll(j, []byte(`"responses"`), []byte(`"respond"`))
		check(t, program, file+" broken", "x.json", broken, false)
	}
}

func check(t *testing.T, program, what, name string, doc []byte, valid bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, path).CombinedOutput()
	if (err == nil) != valid {
		t.Errorf("%s: valid=%v, want %v: %s", what, err == nil, valid, out)
	}
}
