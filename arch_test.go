package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hookd/hookd"

// tags are those that every build uses; see the Makefile.
const tags = "grpcnotrace,nomsgpack"

// packages maps every package of the module to what it imports directly.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-tags", tags, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := make(map[string][]string)
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		all[strings.TrimPrefix(strings.TrimPrefix(f[0], module), "/")] = f[1:]
	}
	return all
}

// floor is the height of a package in the house: imports go down only.
func floor(pkg string) int {
	switch top, _, _ := strings.Cut(pkg, "/"); top {
	case "":
		return 5
	case "cmd":
		return 4
	case "server", "configlint":
		return 3
	case "modules", "auth":
		return 2
	case "internal", "testdata":
		return 1
	default:
		return 0
	}
}

// suites are test support: they may use what they test.
var suites = []string{"auth/authtest", "modules/moduletest", "internal/queue/queuetest"}

// siblings says which packages of one floor may use each other: the wiring
// above the parts, and the parts that the flow hands over to.
func siblingAllowed(from, to string) bool {
	if slices.Contains(suites, from) {
		return true
	}
	switch top, _, _ := strings.Cut(from, "/"); top {
	case "internal":
		return internalAllowed(from, to)
	case "auth", "modules":
		// The definition is at the root; a method or module uses that and the
		// engines below internal, and the list uses them all. Never one another.
		return to == top || from == top+"/all" || strings.HasPrefix(to, top+"/internal/") || sameFamily(from, to)
	case "server":
		switch from {
		case "server", "server/plan":
			return true // where the parts meet
		case "server/edge":
			return strings.HasPrefix(to, "server/ingest")
		case "server/ingest/payload", "server/ingest/limit":
			return to == "server/ingest" // the form of a refusal
		case "server/deliver":
			return to == "server/conn"
		case "server/quarantine":
			return to == "server/ingest" // what it keeps, and the credentials that it hides
		case "server/admin":
			return to == "server/explain" // the report that it passes on
		}
		return false
	}
	return sameFamily(from, to)
}

func sameFamily(from, to string) bool { return strings.HasPrefix(to, from+"/") }

// internalAllowed: vocabulary below, then descriptions, then the files and the
// work list.
func internalAllowed(from, to string) bool {
	vocabulary := []string{"internal/event", "internal/secret", "internal/diag"}
	if slices.Contains(vocabulary, to) {
		return !slices.Contains(vocabulary, from)
	}
	switch {
	case from == "internal/config":
		return to == "internal/spec"
	case strings.HasPrefix(from, "internal/queue/"):
		return to == "internal/queue"
	case from == "internal/testinfra/services":
		return to == "internal/testinfra" // the same for people
	}
	return false
}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	for from, imports := range packages(t) {
		for _, imp := range imports {
			to, ours := strings.CutPrefix(imp, module+"/")
			if !ours {
				continue
			}
			switch a, b := floor(from), floor(to); {
			case b == 0:
				t.Errorf("%s imports %s, which is on no floor of the house", from, to)
			case a < b:
				t.Errorf("%s imports %s: imports point down", from, to)
			case a == b && !siblingAllowed(from, to):
				t.Errorf("%s imports %s: no import goes sideways", from, to)
			}
		}
	}
}

func TestThirdPartiesStayInTheirRoom(t *testing.T) {
	t.Parallel()
	rooms := map[string][]string{
		"github.com/gin-gonic/gin":          {"server/edge", "server/admin"},
		"github.com/spf13/cobra":            {"cmd"},
		"github.com/spf13/viper":            {"cmd"},
		"github.com/spf13/pflag":            {"cmd"},
		"github.com/charmbracelet/lipgloss": {"cmd"},
		"github.com/cockroachdb/pebble":     {"internal/queue/pebble"},
		"github.com/itchyny/gojq":           {"internal/jq"},
		"github.com/go-stomp/stomp":         {"modules/activemq"},
		"github.com/go-zeromq/":             {"modules/zeromq"},
		"gopkg.in/yaml.v3":                  {"internal/spec", "server/openapi", "cmd"},
		"github.com/santhosh-tekuri/":       {"server/ingest/payload"},
		"github.com/bytedance/sonic":        {"server/ingest/payload"},
		"github.com/redis/go-redis/":        {"modules/internal/redisconn", "modules/redis_publish", "modules/redis_rq", "modules/redis_stream"},
		"code.dny.dev/ssrf":                 {"internal/netguard"},
		"github.com/IBM/sarama":             {"modules/kafka"},
		"github.com/rcrowley/go-metrics":    {"modules/kafka"},
		"github.com/xdg-go/scram":           {"modules/kafka"},
		"github.com/twmb/":                  {}, // in tests only
		"github.com/eclipse/paho.mqtt":      {"modules/mqtt"},
		"github.com/rabbitmq/amqp091-go":    {"modules/rabbitmq"},
		"github.com/go-sql-driver/":         {"modules/mysql"},
		"github.com/aws/":                   {"modules/aws_sqs"},
		"cloud.google.com/go/":              {"modules/gcp_pubsub"},
		"google.golang.org/grpc":            {"modules/gcp_pubsub"},
		"github.com/jackc/pgx/":             {"modules/postgresql"},
		"text/template":                     {},
		"html/template":                     {},
	}
	for from, imports := range packages(t) {
		for _, imp := range imports {
			for prefix, allowed := range rooms {
				if strings.HasPrefix(imp, prefix) && !slices.Contains(allowed, from) {
					t.Errorf("%s imports %s, which stays in %v", from, imp, allowed)
				}
			}
		}
	}
}

// TestIngestKnowsNothingOfDelivery looks at everything that is reached, not
// only at what is imported directly.
func TestIngestKnowsNothingOfDelivery(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, "./server/ingest")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, dep := range strings.Fields(string(out)) {
		for _, right := range []string{"/server/deliver", "/server/conn", "/server/plan", "/modules", "/internal/config", "/internal/netguard"} {
			if strings.HasPrefix(dep, module+right) {
				t.Errorf("server/ingest reaches %s: nothing left of the queue knows anything right of it", dep)
			}
		}
	}
}

func TestFilesAreSmall(t *testing.T) {
	t.Parallel()
	var sizes []int
	err := filepath.WalkDir(".", func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".go" {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		lines := bytes.Count(b, []byte("\n"))
		limit := 500
		if strings.HasSuffix(name, "_test.go") {
			limit = 900
		} else {
			sizes = append(sizes, lines)
		}
		if lines > limit {
			t.Errorf("%s has %d lines, more than %d: is there one idea in it?", name, lines, limit)
		}
		if bytes.Contains(b, []byte("\nfunc init() {")) {
			t.Errorf("%s has an init function: nothing happens by being imported", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(sizes)
	if median := sizes[len(sizes)/2]; median > 120 {
		t.Errorf("the median file has %d lines, more than 120", median)
	}
}
