package quarantine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/quarantine"
)

// canary is in every place where a credential may be.
const canary = "canary-3f9a7c1e-do-not-tell"

var remote = netip.MustParseAddr("192.0.2.9")

// bench is a store in a folder of its own.
type bench struct {
	t    *testing.T
	dir  string
	opts quarantine.Options
	log  bytes.Buffer
	*quarantine.Store
}

func open(t *testing.T, dir string, change ...func(*quarantine.Options)) *bench {
	t.Helper()
	b := &bench{t: t, dir: dir}
	b.opts = quarantine.Options{
		Dir: filepath.Join(dir, "quarantine"), KeyFile: filepath.Join(dir, "quarantine.key"),
		MaxEntries: 100, MaxBytes: 1 << 20, MaxBody: 64 << 10, PerMinute: 1000, MaxAge: time.Hour,
		Log: slog.New(slog.NewTextHandler(&b.log, nil)),
	}
	for _, f := range change {
		f(&b.opts)
	}
	s, err := quarantine.Open(b.opts)
	if err != nil {
		t.Fatal(err)
	}
	b.Store = s
	return b
}

// flush writes what waits.
func (b *bench) flush() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Run(ctx); err != nil {
		b.t.Fatal(err)
	}
}

// keep hands one request of a hook to the store.
func (b *bench) keep(hook, body string, change ...func(*ingest.Unproved)) event.ID {
	b.t.Helper()
	u := &ingest.Unproved{
		Request: &ingest.Request{
			ID: "req-1", Method: "POST", Hook: hook, URL: &url.URL{Path: "/webhook/" + hook, RawQuery: "a=1&token=" + canary},
			Host: "hooks.example.com", Peer: remote, Received: time.Now(), Length: int64(len(body)),
			Header: http.Header{
				"Content-Type": {"application/json"}, "X-Signature": {canary}, "Authorization": {"Bearer " + canary},
				"X-Misplaced": {"0a1b2c3d4e5f60718293a4b5c6d7e8f9"},
			},
		},
		Hook: &ingest.Hook{ID: hook, Auth: auth.NewChain()}, Remote: remote, Body: []byte(body), Read: true,
		Status: 401, Reason: "hmac:signature_mismatch",
	}
	for _, f := range change {
		f(u)
	}
	return b.Keep(u)
}

func (b *bench) list(f quarantine.Filter) []event.ID {
	facts, _ := b.List(f, event.ID{}, 1000)
	var ids []event.ID
	for _, x := range facts {
		ids = append(ids, x.ID)
	}
	return ids
}

// files are the names in the folder.
func (b *bench) files() []string {
	b.t.Helper()
	all, err := os.ReadDir(b.opts.Dir)
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, f := range all {
		names = append(names, f.Name())
	}
	return names
}

// TestKeptAsReceived: every byte comes back, also after a restart.
func TestKeptAsReceived(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	odd := func(u *ingest.Unproved) {
		u.Request.URL = &url.URL{Path: "/webhook/in/\xff", RawPath: "/webhook/in%2F%ff", RawQuery: "a=\xfe"}
		u.Request.Header["X-Latin"] = []string{"caf\xe9", ""}
		u.Request.Namespace, u.Request.Host = "ns", "h\xf6st"
	}
	id := b.keep("in", "\x00\xff{", odd)
	if id.IsZero() || len(b.list(quarantine.Filter{})) != 0 {
		t.Fatal("not kept, or listed before it is written")
	}
	if _, err := b.Get(id); !errors.Is(err, quarantine.ErrNotFound) {
		t.Errorf("before it is written: %v", err)
	}
	b.flush()
	before, err := b.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	b = open(t, dir)
	e, err := b.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Received.Equal(before.Received) || !reflect.DeepEqual(e.Header, before.Header) {
		t.Error("differs after a restart")
	}
	if got := b.list(quarantine.Filter{Hook: "in", Reason: "signature_mismatch"}); len(got) != 1 || got[0] != id {
		t.Errorf("listed: %v", got)
	}
	r := e.Proof()
	if string(r.Body) != "\x00\xff{" || r.URL.RawPath != "/webhook/in%2F%ff" || r.URL.Path != "/webhook/in/\xff" || r.URL.RawQuery != "a=\xfe" ||
		r.Host != "h\xf6st" || !reflect.DeepEqual(r.Header["X-Latin"], []string{"caf\xe9", ""}) || r.Remote != remote || !r.Now.Equal(e.Received) {
		t.Errorf("request %+v", r)
	}
	q := e.Ingest()
	if q.Hook != "in" || q.Namespace != "ns" || q.Length != 3 || q.ID != "req-1" {
		t.Errorf("request %+v", q)
	}
}

// TestSealed: nothing that was sent is on the disk in clear, and without the
// key nothing is to be had.
func TestSealed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	if _, err := os.Stat(b.opts.KeyFile); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a key before anything is kept: %v", err)
	}
	id := b.keep("in", `{"note":"`+canary+`"}`)
	b.flush()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		if st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, st.Mode())
		}
		text, err := os.ReadFile(name)
		if bytes.Contains(text, []byte("canary")) || bytes.Contains(text, []byte("X-Signature")) {
			t.Errorf("%s is not encrypted", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(b.opts.KeyFile)
	if err != nil || len(key) != 32 {
		t.Fatalf("key of %d bytes: %v", len(key), err)
	}
	other := bytes.Clone(key)
	other[0] ^= 1
	for name, now := range map[string][]byte{"other key": other, "no key": nil} {
		if err := os.Remove(b.opts.KeyFile); err != nil {
			t.Fatal(err)
		}
		if now != nil {
			if err := os.WriteFile(b.opts.KeyFile, now, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c := open(t, dir)
		if _, err := c.Get(id); !errors.Is(err, quarantine.ErrNotFound) || len(c.list(quarantine.Filter{})) != 0 {
			t.Errorf("%s: %v", name, err)
		}
		if st := c.Stats(); st.Entries != 1 || st.Bytes == 0 {
			t.Errorf("%s: unreadable files do not count: %+v", name, st)
		}
		if !strings.Contains(c.log.String(), "cannot be read") {
			t.Errorf("%s: log %q", name, &c.log)
		}
		if err := os.WriteFile(b.opts.KeyFile, key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c := open(t, dir); len(c.list(quarantine.Filter{})) != 1 {
		t.Error("not back with its key")
	}
}

// TestBadKeys: a key file that cannot be right is an error, not a new key.
func TestBadKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key  string
		mode fs.FileMode
	}{
		"short": {"0123", 0o600}, "empty": {"", 0o600}, "open to others": {strings.Repeat("k", 32), 0o644},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "k"), []byte(c.key), c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := quarantine.Open(quarantine.Options{Dir: filepath.Join(dir, "q"), KeyFile: filepath.Join(dir, "k")}); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// TestDamaged: a damaged file, one under another's name and one that is not
// ours harm nothing.
func TestDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	good, cut, flipped, swapped := b.keep("in", "1"), b.keep("in", "2"), b.keep("in", "3"), b.keep("in", "4")
	b.flush()
	path := func(id event.ID) string { return filepath.Join(b.opts.Dir, id.String()+".sealed") }
	edit := func(id event.ID, f func([]byte) []byte) {
		t.Helper()
		text, err := os.ReadFile(path(id))
		if err == nil {
			err = os.WriteFile(path(id), f(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	edit(cut, func(b []byte) []byte { return b[:10] })
	edit(flipped, func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
	first, err := os.ReadFile(path(good))
	if err != nil {
		t.Fatal(err)
	}
	edit(swapped, func([]byte) []byte { return first })
	for _, name := range []string{"README", "x.sealed", good.String() + ".sealed.part"} {
		if err := os.WriteFile(filepath.Join(b.opts.Dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Damage of a file that is listed already is noticed when it is read.
	if _, err := b.Get(flipped); err == nil || errors.Is(err, quarantine.ErrNotFound) {
		t.Errorf("damaged: %v", err)
	}
	b = open(t, dir)
	if got := b.list(quarantine.Filter{}); len(got) != 1 || got[0] != good {
		t.Errorf("listed %v", got)
	}
	if n := b.Purge(quarantine.Filter{}); n != 4 {
		t.Errorf("purged %d", n)
	}
	if got := b.files(); !reflect.DeepEqual(got, []string{"README", "x.sealed"}) {
		t.Errorf("left: %v", got)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir(), func(o *quarantine.Options) { o.MaxBody = 10 })
	at := b.keep("in", "0123456789")
	over := b.keep("in", "0123456789a")
	unread := b.keep("in", "", func(u *ingest.Unproved) { u.Read, u.Request.Length = false, 77 })
	b.flush()
	for id, want := range map[event.ID]struct {
		state quarantine.BodyState
		size  int
	}{at: {quarantine.BodyKept, 10}, over: {quarantine.BodyTooLarge, 11}, unread: {quarantine.BodyUnread, 77}} {
		e, err := b.Get(id)
		if err != nil || e.Body != want.state || e.Size != want.size || (len(e.Content) > 0) != (want.state == quarantine.BodyKept) {
			t.Errorf("want %+v, got %+v: %v", want, e, err)
		}
	}
}

// TestBounds: no more entries, bytes and age than allowed, and a flood at one
// hook pushes out its own.
func TestBounds(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir(), func(o *quarantine.Options) { o.MaxEntries, o.PerMinute = 10, 10000 })
	quiet := []event.ID{b.keep("quiet", "1"), b.keep("quiet", "2")}
	var loud []event.ID
	for i := range 50 {
		loud = append(loud, b.keep("loud", fmt.Sprint(i)))
	}
	b.flush()
	if got := b.list(quarantine.Filter{Hook: "quiet"}); len(got) != 2 || got[1] != quiet[0] {
		t.Errorf("of the quiet hook: %v", got)
	}
	if got := b.list(quarantine.Filter{Hook: "loud"}); len(got) != 8 || got[0] != loud[49] || got[7] != loud[42] {
		t.Errorf("of the loud hook: %d", len(got))
	}
	if len(b.files()) != 10 {
		t.Errorf("%d files", len(b.files()))
	}

	b = open(t, t.TempDir(), func(o *quarantine.Options) { o.MaxBytes = 100 << 10 })
	small := b.keep("small", "1")
	for range 20 {
		b.keep("big", strings.Repeat("x", 30<<10))
		b.flush()
	}
	if st := b.Stats(); st.Bytes > 100<<10 || st.Entries != 4 {
		t.Errorf("stats %+v", st)
	}
	if _, err := b.Get(small); err != nil {
		t.Errorf("the small one: %v", err)
	}
}

// TestFlood: beyond the allowance nothing is written, and it comes back with
// time. Another hook has its own.
func TestFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, t.TempDir(), func(o *quarantine.Options) { o.PerMinute = 6 })
		count := func(hook string) (n int) {
			for range 1000 {
				if !b.keep(hook, "x").IsZero() {
					n++
				}
			}
			return n
		}
		if n := count("a"); n != 6 {
			t.Errorf("kept %d of a flood", n)
		}
		if n := count("b"); n != 6 {
			t.Errorf("kept %d of another hook", n)
		}
		<-time.After(20 * time.Second)
		if n := count("a"); n != 2 {
			t.Errorf("kept %d after a third of a minute", n)
		}
		if st := b.Stats(); st.Dropped != 994+994+998 {
			t.Errorf("stats %+v", st)
		}
		b.flush()
		if n := len(b.files()); n != 14 {
			t.Errorf("%d files", n)
		}
	})
}

// TestWaitingIsBounded: what cannot be written as fast as it comes is dropped,
// by number and by size.
func TestWaitingIsBounded(t *testing.T) {
	t.Parallel()
	many := open(t, t.TempDir())
	n := 0
	for range 200 {
		if !many.keep("in", "x").IsZero() {
			n++
		}
	}
	if n != 64 {
		t.Errorf("%d wait", n)
	}
	large := open(t, t.TempDir(), func(o *quarantine.Options) { o.MaxBody, o.MaxBytes = 8<<20, 1<<30 })
	body := strings.Repeat("x", 5<<20)
	for i := range 5 {
		if kept := !large.keep("in", body).IsZero(); kept != (i < 3) {
			t.Errorf("%d: kept %v", i, kept)
		}
	}
	large.flush()
	if large.keep("in", body).IsZero() {
		t.Error("no room after it was written")
	}
	large.flush()
	if st := large.Stats(); st.Kept != 4 || st.Dropped != 2 {
		t.Errorf("stats %+v", st)
	}
}

// TestRun: it writes while it runs, removes what is old, and ends.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		old := b.keep("in", "1")
		synctest.Wait()
		if got := b.list(quarantine.Filter{}); len(got) != 1 {
			t.Fatalf("listed %v", got)
		}
		<-time.After(30 * time.Minute)
		young := b.keep("in", "2")
		<-time.After(32 * time.Minute)
		synctest.Wait()
		if got := b.list(quarantine.Filter{}); len(got) != 1 || got[0] != young || got[0] == old {
			t.Errorf("after an hour: %v", got)
		}
		b.keep("in", "3")
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := len(b.files()); n != 2 {
			t.Errorf("%d files: what waited at the end is lost", n)
		}
	})
}

// TestUnwritable: a folder that is gone is told to the log, and nothing else
// happens.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	if err := os.RemoveAll(b.opts.Dir); err != nil {
		t.Fatal(err)
	}
	if b.keep("in", canary).IsZero() {
		t.Error("refused before it was tried")
	}
	b.flush()
	if st := b.Stats(); st.Failed != 1 || st.Entries != 0 {
		t.Errorf("stats %+v", st)
	}
	if log := b.log.String(); !strings.Contains(log, "not kept") || strings.Contains(log, "canary") {
		t.Errorf("log %q", log)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	var ids []event.ID
	for i := range 7 {
		ids = append(ids, b.keep([]string{"a", "b"}[i%2], "x"))
	}
	b.flush()
	var got []event.ID
	var cursor event.ID
	for pages := 0; ; pages++ {
		page, next := b.List(quarantine.Filter{}, cursor, 3)
		for _, f := range page {
			got = append(got, f.ID)
		}
		if cursor = next; next.IsZero() {
			break
		}
	}
	if len(got) != 7 || got[0] != ids[6] || got[6] != ids[0] {
		t.Errorf("pages: %v", got)
	}
	if page, next := b.List(quarantine.Filter{Hook: "a"}, event.ID{}, 4); len(page) != 4 || !next.IsZero() {
		t.Errorf("a full last page: %d, next %v", len(page), next)
	}
	if got := b.Oldest(quarantine.Filter{Hook: "a"}, ids[0], 2); len(got) != 2 || got[0] != ids[2] || got[1] != ids[4] {
		t.Errorf("oldest: %v", got)
	}
	for _, f := range []quarantine.Filter{{Reason: "hmac"}, {Reason: "other"}, {Hook: "c"}, {Since: time.Now().Add(time.Hour)}, {Until: time.Now().Add(-time.Hour)}} {
		if got := b.list(f); len(got) != 0 {
			t.Errorf("%+v: %v", f, got)
		}
	}
	if n := b.Purge(quarantine.Filter{}, ids[3], event.ID{1}); n != 1 {
		t.Errorf("purged %d by id", n)
	}
	if n := b.Purge(quarantine.Filter{Hook: "b"}); n != 2 {
		t.Errorf("purged %d by hook", n)
	}
	if len(b.files()) != 4 {
		t.Errorf("%d files", len(b.files()))
	}
}

// TestShown: what is, or looks like, a credential is not shown.
func TestShown(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	id := b.keep("in", "x", func(u *ingest.Unproved) {
		u.Request.URL.RawQuery += "&key=0a1b2c3d4e5f60718293a4b5c6d7e8f9&page=2"
		u.Request.Header["X-Github-Delivery"] = []string{"72d3162e-cc78-11e3-81ab-4c9367dc0958"}
		u.Request.Header["User-Agent"] = []string{"GitHub-Hookshot/044aadd0123456789"}
	})
	b.flush()
	e, err := b.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	shown, hidden := e.Shown()
	told := fmt.Sprint(shown, hidden, e.ShownQuery())
	if strings.Contains(told, canary) || strings.Contains(told, "0a1b2c") {
		t.Errorf("told: %s", told)
	}
	if len(hidden) != 3 || hidden[0].Name != "Authorization" || hidden[0].Bytes[0] != len(canary)+7 || hidden[1].Name != "X-Misplaced" {
		t.Errorf("hidden %v", hidden)
	}
	if len(shown) != 3 || shown.Get("User-Agent") == "" || shown.Get("X-Github-Delivery") == "" || e.ShownQuery() != "a=1&key=(not-shown)&page=2" {
		t.Errorf("shown %v, query %q", shown, e.ShownQuery())
	}
}
