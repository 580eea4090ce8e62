package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/server/admin"
)

// Every route is described, and nothing else is.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *admin.Options) {
		o.Reload = func(context.Context, admin.ReloadRequest) (admin.ReloadResult, error) {
			return admin.ReloadResult{}, nil
		}
	})
	var doc struct {
		Info  struct{ Version string }
		Paths map[string]map[string]struct{ OperationID string }
	}
	w := b.do("GET", "/api/v1/openapi.json", "")
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc.Info.Version != "1.2.3" {
		t.Fatalf("%d %.100s: %v", w.Code, w.Body, err)
	}
	described, ids := 0, map[string]bool{}
	for _, methods := range doc.Paths {
		for _, o := range methods {
			described++
			ids[o.OperationID] = true
		}
	}
	parameter := regexp.MustCompile(`:(\w+)`)
	routes := 0
	for _, r := range b.handler.(*gin.Engine).Routes() {
		if r.Method == "HEAD" {
			continue
		}
		routes++
		path := parameter.ReplaceAllString(r.Path, "{$1}")
		if _, ok := doc.Paths[path][strings.ToLower(r.Method)]; !ok {
			t.Errorf("%s %s is not described", r.Method, path)
		}
	}
	if described != routes || len(ids) != described {
		t.Errorf("%d operations with %d ids describe %d routes", described, len(ids), routes)
	}
}

// As in server/openapi: the judge is not ours.
func TestOpenAPIIndependentValidator(t *testing.T) {
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
	doc, err := admin.OpenAPI("")
	if err != nil {
		t.Fatal(err)
	}
	for valid, b := range map[bool][]byte{true: doc, false: bytes.Replace(doc, []byte(`"responses"`), []byte(`"respond"`), 1)} {
		path := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), program, path).CombinedOutput(); (err == nil) != valid {
			t.Errorf("valid=%v, want %v: %.500s", err == nil, valid, out)
		}
	}
}
