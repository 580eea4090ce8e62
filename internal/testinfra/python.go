package testinfra

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// interpreter is Debian's, which has Debian's packages; another one may come
// first on the PATH.
const interpreter = "/usr/bin/python3"

// pythonPackages bring the modules that tests import.
var pythonPackages = map[string]string{
	"pika": "python3-pika", "psycopg2": "python3-psycopg2", "redis": "python3-redis", "rq": "python3-rq", "zmq": "python3-zmq",
	"stomp": "python3-stomp", "paho.mqtt": "python3-paho-mqtt", "confluent_kafka": "python3-confluent-kafka",
	"boto3": "python3-boto3", "pymysql": "python3-pymysql",
}

// pipPackages bring modules that Debian has not, into a folder of the user's cache.
var pipPackages = map[string]string{"google.cloud.pubsub_v1": "google-cloud-pubsub==2.44.0"}

// pythonFor is the interpreter that has a module.
func pythonFor(module string) (string, error) {
	pkg := pipPackages[module]
	if pkg == "" {
		return interpreter, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "hookd-test", pkg, "bin", "python3"), nil
}

// venv installs a package with pip.
func venv(python, pkg string) error {
	if err := have([]string{interpreter, "/usr/lib/python3*/ensurepip"}, []string{"python3", "python3-venv"}); err != nil {
		return err
	}
	installing.Lock()
	defer installing.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), aptPatience)
	defer cancel()
	for _, args := range [][]string{
		{interpreter, "-m", "venv", filepath.Dir(filepath.Dir(python))},
		{python, "-m", "pip", "install", "-q", "--disable-pip-version-check", pkg},
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out[max(0, len(out)-2000):])
		}
	}
	return nil
}

// importable are the modules that were found, or why they were not.
var importable sync.Map

// need finds a Python module, "" for none.
func need(module string) error {
	if err := have([]string{interpreter}, []string{"python3"}); err != nil || module == "" {
		return err
	}
	found, _ := importable.LoadOrStore(module, sync.OnceValue(func() error {
		python, err := pythonFor(module)
		if err != nil {
			return err
		}
		if err = imports(python, module); err == nil || os.Getenv("HOOKD_TEST_INSTALL") != "1" {
			return err
		}
		switch debian, pip := pythonPackages[module], pipPackages[module]; {
		case pip != "":
			err = venv(python, pip)
		case debian != "":
			err = install([]string{debian})
		default:
			return err
		}
		if err != nil {
			return err
		}
		return imports(python, module)
	}))
	return found.(func() error)()
}

func imports(python, module string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, python, "-c", "import "+module).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: Python module %s: %s", errMissing, module, strings.TrimSpace(string(out)))
	}
	return nil
}

// Python runs a script to its end and returns what it printed. module is what it
// imports ("pika"), "" for the standard library only.
func Python(t testing.TB, module, script string, args ...string) []byte {
	t.Helper()
	if err := need(module); err != nil {
		absent(t, interpreter, err)
	}
	python, err := pythonFor(module)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var errs strings.Builder
	cmd := exec.CommandContext(ctx, python, append([]string{script}, args...)...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, errs.String())
	}
	return out
}

// Peer is a script that runs beside the test and does what it is told: it reads
// one line of its standard input at a time and answers with any number of lines
// and an empty one. Its first answer comes unasked, when it is ready. It is safe
// for concurrent use.
type Peer struct {
	t      testing.TB
	script string
	cmd    *exec.Cmd
	in     io.WriteCloser
	errs   *os.File

	mu  sync.Mutex
	out *bufio.Scanner
}

// maxLine bounds one line of an answer: a body of some MiB in base64.
const maxLine = 64 << 20

// NewPeer starts a script, as Python does, and ends it with the test.
func NewPeer(t testing.TB, module, script string, args ...string) *Peer {
	t.Helper()
	if err := need(module); err != nil {
		absent(t, interpreter, err)
	}
	python, err := pythonFor(module)
	if err != nil {
		t.Fatal(err)
	}
	p := &Peer{t: t, script: script, cmd: exec.Command(python, append([]string{"-u", script}, args...)...)}
	if p.cmd.SysProcAttr, err = attributes(""); err != nil {
		t.Fatal(err)
	}
	if p.errs, err = os.CreateTemp(t.TempDir(), "stderr-"); err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.errs
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	p.out.Buffer(nil, maxLine)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.in.Close()
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		_ = p.errs.Close()
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer("its start")
	return p
}

// Ask sends a line and returns the lines of the answer.
func (p *Peer) Ask(line string) []string {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.fail(line, err)
	}
	return p.answer(line)
}

func (p *Peer) answer(line string) []string {
	p.t.Helper()
	// A script that hangs is ended, which ends the reading.
	timer := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	var lines []string
	for p.out.Scan() {
		if p.out.Text() == "" {
			return lines
		}
		lines = append(lines, p.out.Text())
	}
	p.fail(line, p.out.Err())
	return nil
}

func (p *Peer) fail(line string, err error) {
	p.t.Helper()
	b, _ := os.ReadFile(p.errs.Name())
	p.t.Fatalf("%s ended at %q: %v\n%s", p.script, line, err, b)
}

// Kill ends the script as a crash does. It is not asked any more.
func (p *Peer) Kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}
