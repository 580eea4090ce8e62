package savetodisk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
	savetodisk "github.com/hookd/hookd/modules/save_to_disk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

func TestSuite(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: savetodisk.Module(),
		Start:  far,
		Bad: []moduletest.Bad{
			{Options: `{"path": "../x"}`, Want: `".."`, Path: "path"},
			{Options: `{"path": "a/../../x"}`, Want: `".."`, Path: "path"},
			{Options: `{"path": "a\\..\\..\\x"}`, Want: `".."`, Path: "path"},
			{Options: `{"path": "%2e%2e%2fx"}`, Want: `".."`, Path: "path"},
			{Options: `{"path": "%252e%252e%252fx"}`, Want: `".."`, Path: "path"},
			{Options: `{"path": "a\u0000b"}`, Want: "NUL", Path: "path"},
			{Options: `{"path": "a%00b"}`, Want: "NUL", Path: "path"},
			{Options: `{"path": "/absolute/outside"}`, Want: "outside of base_dir", Path: "path"},
			{Options: `{"path": ""}`, Want: "is empty", Path: "path"},
			{Options: `{"base_dir": "/etc"}`, Want: "system folder /etc", Path: "base_dir"},
			{Options: `{"base_dir": "/etc/"}`, Want: "system folder /etc", Path: "base_dir"},
			{Options: `{"base_dir": "/usr/local/x"}`, Want: "system folder /usr", Path: "base_dir"},
			{Options: `{"base_dir": "/root"}`, Want: "system folder /root", Path: "base_dir"},
			{Options: `{"base_dir": "/"}`, Want: "system folder /", Path: "base_dir"},
			{Options: `{"base_dir": "/var/lib"}`, Want: "system folder /var/lib", Path: "base_dir"},
			{Options: `{"base_dir": "/tmp/../etc"}`, Want: `".."`, Path: "base_dir"},
			{Options: `{"base_dir": {}}`, Path: "base_dir"},
			{Options: `{"filename_pattern": "../{uuid}"}`, Want: "may hold letters", Path: "filename_pattern"},
			{Options: `{"filename_pattern": "{uuid}/x"}`, Want: "may hold letters", Path: "filename_pattern"},
			{Options: `{"filename_pattern": ".{uuid}"}`, Want: "not begin", Path: "filename_pattern"},
			{Options: `{"filename_pattern": "{nonsense}"}`, Want: "placeholder", Path: "filename_pattern"},
			{Options: `{"file_extension": "a/b"}`, Want: "extension", Path: "file_extension"},
		},
	})
}

// far reads the folder back. A message is a file that is not being written;
// its id is in the name.
func far(t *testing.T) *moduletest.Far {
	outer := t.TempDir()
	base := filepath.Join(outer, "base")
	return &moduletest.Far{
		Options: fmt.Sprintf(`{"base_dir": %q, "path": "in/here", "filename_pattern": "{hook}_{type}_{uuid}"}`, base),
		Received: func() []moduletest.Message {
			var all []moduletest.Message
			for name, body := range tree(t, base) {
				all = append(all, moduletest.Message{ID: uuid.FindString(name), Body: body})
			}
			return all
		},
		Harmless: func(t *testing.T) {
			for name := range tree(t, outer) {
				if !strings.HasPrefix(name, "base/in/here/") || len(filepath.Base(name)) > 200 {
					t.Errorf("a file at %q", name)
				}
			}
			if _, err := os.Stat("/tmp/hookd-escaped"); err == nil {
				t.Error("a file escaped to /tmp")
			}
		},
		Refuse: func() { // a link planted where the folder should be
			dir := filepath.Join(base, "in")
			if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(base, 0o700), os.Symlink(outer, dir)); err != nil {
				t.Fatal(err)
			}
		},
		Cut: func() { // something else where the base was
			if err := errors.Join(os.RemoveAll(base), os.WriteFile(base, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		},
		Restore: func() {
			if err := os.Remove(base); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// tree is every regular file below dir.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
			return nil
		case err != nil || !e.Type().IsRegular():
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(name)
		all[filepath.ToSlash(rel)] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(all, ".") // dir itself is a file
	return all
}

func open(t *testing.T, o *savetodisk.Options) (modules.Destination, error) {
	t.Helper()
	m := savetodisk.Module()
	k, err := m.Open(t.Context(), modules.Env{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close(context.Background()) })
	return m.New(modules.Env{}, k, o)
}

func must(t *testing.T, o *savetodisk.Options) modules.Destination {
	t.Helper()
	d, err := open(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func delivery(kind, contentType string, body []byte) *event.Delivery {
	ev := &event.Event{Hook: "github", Type: kind, Received: time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC), Header: http.Header{"X-Sender": {"s"}}, Body: body}
	ev.ID[15] = 7
	return &event.Delivery{ID: event.DeliveryID(ev.ID, "github/x"), Event: ev, Lane: "github/x", Attempt: 1, Body: body, Header: http.Header{"Content-Type": {contentType}, "Hookd-Hook": {"github"}}}
}

func TestNames(t *testing.T) {
	t.Parallel()
	json, text, bin := []byte(`{"a":1}`), []byte("hello"), []byte{0xff, 0xfe}
	id := delivery("", "", nil).ID.String()
	for _, c := range []struct {
		pattern, ext, kind, contentType string
		body                            []byte
		want                            string
	}{
		{"", "", "push", "application/json", json, "ID.json"},
		{"", "", "push", "application/cloudevents+json; charset=utf-8", json, "ID.json"},
		{"", "", "push", "", json, "ID.json"},
		{"", "", "push", "text/plain", text, "ID.txt"},
		{"", "", "push", "", bin, "ID.bin"},
		{"", "", "push", "", nil, "ID.txt"},
		{"", ".xml", "push", "application/json", json, "ID.xml"},
		{"", "xml", "push", "", bin, "ID.xml"},
		{"webhook_{uuid}.log", "", "push", "application/json", json, "webhook_ID.log"},
		{"webhook_{uuid}.log", "dat", "push", "application/json", json, "webhook_ID.dat"},
		{"webhook.json", "", "push", "application/json", json, "webhook-ID.json"},
		{"{timestamp}", "", "push", "application/json", json, "20260304T050607.008Z-ID.json"},
		{"{hook}.{type}_{uuid}", "", "invoice.paid", "application/json", json, "github.invoice.paid_ID.json"},
		{"{type}_{uuid}", "", "../../etc/passwd", "application/json", json, "_._.._etc_passwd_ID.json"},
		{"{type}_{uuid}", "", "", "application/json", json, "none_ID.json"},
		{"{type}_{uuid}", "", "{uuid}", "application/json", json, "_uuid__ID.json"},
		{"{type}_{uuid}", "", strings.Repeat("é", 300), "application/json", json, strings.Repeat("_", 40) + "_ID.json"},
	} {
		base := t.TempDir()
		dest := must(t, &savetodisk.Options{BaseDir: base, Path: "out", Pattern: c.pattern, Extension: c.ext})
		receipt, err := dest.Send(t.Context(), delivery(c.kind, c.contentType, c.body))
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		want := "out/" + strings.ReplaceAll(c.want, "ID", id)
		got := tree(t, base)
		body, ok := got[want]
		if len(got) != 1 || !ok || !bytes.Equal(body, c.body) {
			t.Errorf("%+v: files %q", c, got)
		}
		if receipt.Status != filepath.Join(base, want) {
			t.Errorf("receipt %q", receipt.Status)
		}
	}
}

// Modes are tight whatever the umask says, and a repeat changes nothing.
func TestModesAndRepeats(t *testing.T) {
	t.Parallel()
	base := filepath.Join(t.TempDir(), "new")
	dest := must(t, &savetodisk.Options{BaseDir: base, Path: "a/b", Headers: true})
	d := delivery("push", "application/json", []byte(`{"a":1}`))
	for range 3 {
		if _, err := dest.Send(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	got := tree(t, base)
	name := "a/b/" + d.ID.String()
	if len(got) != 2 || string(got[name+".json"]) != `{"a":1}` {
		t.Fatalf("%q", got)
	}
	var side struct{ Headers, Delivery http.Header }
	if err := json.Unmarshal(got[name+".headers.json"], &side); err != nil || side.Headers.Get("X-Sender") != "s" || side.Delivery.Get("Hookd-Hook") != "github" {
		t.Errorf("%v, %+v", err, side)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for path, mode := range map[string]fs.FileMode{"": 0o700, "a": 0o700, "a/b": 0o700, name + ".json": 0o600, name + ".headers.json": 0o600} {
		info, err := os.Stat(filepath.Join(base, path))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestManyInANewFolder(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	dest := must(t, &savetodisk.Options{BaseDir: base, Path: "x/y/z"})
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			d := delivery("push", "application/json", fmt.Appendf(nil, `{"n":%d}`, i))
			d.ID[0] = byte(i)
			if _, err := dest.Send(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(tree(t, base)); n != 50 {
		t.Errorf("%d files", n)
	}
}

// Links that lead out are refused when the destination is made, and when they
// are planted later. The texts of package os are relied on here.
func TestSymlinkOut(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	for _, absolute := range []bool{true, false} {
		base := t.TempDir()
		target := outside
		if !absolute {
			var err error
			if target, err = filepath.Rel(base, outside); err != nil {
				t.Fatal(err)
			}
		}
		link := filepath.Join(base, "link")
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"link", "link/below"} {
			if _, err := open(t, &savetodisk.Options{BaseDir: base, Path: path}); err == nil || !strings.Contains(err.Error(), "outside of base_dir") {
				t.Errorf("%s: %v", path, err)
			}
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"link", "link/below"} {
			dest := must(t, &savetodisk.Options{BaseDir: base, Path: path})
			if err := os.Symlink(target, link); err != nil {
				t.Fatal(err)
			}
			_, err := dest.Send(t.Context(), delivery("push", "", []byte("x")))
			if f := modules.FailureOf(err); err == nil || f.Kind != modules.Rejected || f.Code != modules.CodeUnsafePath {
				t.Errorf("%s: %s %s %v", path, f.Kind, f.Code, err)
			}
			if err := os.Remove(link); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := tree(t, outside); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

// A link of the file's own name is replaced, not followed.
func TestSymlinkAsFile(t *testing.T) {
	t.Parallel()
	base, outside := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(outside, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := delivery("push", "application/json", []byte(`{}`))
	if err := os.Symlink(outside, filepath.Join(base, d.ID.String()+".json")); err != nil {
		t.Fatal(err)
	}
	if _, err := must(t, &savetodisk.Options{BaseDir: base}).Send(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(outside); err != nil || string(b) != "mine" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	inside := filepath.Join(base, "real")
	if err := errors.Join(os.Mkdir(inside, 0o700), os.Symlink("real", filepath.Join(base, "alias")), os.Symlink("/etc", filepath.Join(base, "etc"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ base, path, want string }{
		{base, "", ""},
		{base, ".", ""},
		{base, "a/./b//c/", ""},
		{base, "alias/x", ""}, // a link that stays inside
		{base, filepath.Join(base, "abs"), ""},
		{base, "50%", ""},
		{base, "with space", ""},
		{base, base, ""},
		{base, base + "x", "outside of base_dir"},
		{base, filepath.Dir(base), "outside of base_dir"},
		{filepath.Join(base, "etc"), ".", "system folder /etc"},
		{filepath.Join(base, "etc"), "cron.d", "system folder /etc"},
		{"/etc/cron.d", "x", "system folder /etc"},
		{"/", "etc", "system folder /etc"},
		{"/var/lib/hookd-test", "x", ""},
		{"", "sub", ""},
	} {
		_, err := open(t, &savetodisk.Options{BaseDir: c.base, Path: c.path})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s + %s: %v, want %q", c.base, c.path, err, c.want)
		}
	}
}

// What a crash left half-written goes; what is being written stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	old, young, other := filepath.Join(base, ".a.json.X.hookd-tmp"), filepath.Join(base, ".b.json.X.hookd-tmp"), filepath.Join(base, "c.hookd-tmp")
	for _, name := range []string{old, young, other} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-2 * time.Hour)
	if err := errors.Join(os.Chtimes(old, past, past), os.Chtimes(other, past, past)); err != nil {
		t.Fatal(err)
	}
	must(t, &savetodisk.Options{BaseDir: base})
	got := tree(t, base)
	if _, ok := got[filepath.Base(old)]; ok || len(got) != 2 {
		t.Errorf("%q", got)
	}
}

func TestIgnoredKeysAreKnown(t *testing.T) {
	t.Parallel()
	var names []string
	for _, f := range savetodisk.Module().Options().Fields() {
		names = append(names, f.Info().Name)
		names = append(names, f.Info().Aliases...)
	}
	for _, key := range []string{"path", "base_dir", "filename_pattern", "filename_template", "include_headers", "file_extension", "format", "append", "create_dirs"} {
		if !slices.Contains(names, key) {
			t.Errorf("%s of the original service is not known", key)
		}
	}
}
