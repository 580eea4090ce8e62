package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/server/admin"
	"github.com/hookd/hookd/server/plan"
)

// reloader reads the files again. Files with errors change nothing.
type reloader struct {
	d *daemon

	mu   sync.Mutex
	last time.Time
	busy bool
}

// reload is what the admin API, SIGHUP and the watch call.
func (r *reloader) reload(ctx context.Context, req admin.ReloadRequest) (admin.ReloadResult, error) {
	r.mu.Lock()
	if r.busy {
		r.mu.Unlock()
		return admin.ReloadResult{}, errors.New("a reload is under way")
	}
	r.busy = true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.busy = false
	}()

	cfg, problems, _ := r.d.o.load(ctx)
	old := r.d.current.Plan().Config
	switch {
	case cfg == nil:
	case req.DryRun:
		var more diag.List
		_, more = plan.Compile(ctx, cfg, plan.Deps{Modules: r.d.o.Modules, Auth: r.d.o.Auth})
		problems = append(problems, more...)
	default:
		problems = append(problems, r.d.current.Swap(ctx, cfg, r.d.take)...)
	}
	out := admin.ReloadResult{OK: !problems.HasErrors(), DryRun: req.DryRun, Time: time.Now(), Problems: shown(problems)}
	if !out.OK {
		r.d.log.WarnContext(ctx, "reload refused: the configuration in force stays", "problems", len(problems))
		return out, nil
	}
	out.Hooks = change(hookIDs(old), hookIDs(cfg))
	out.Connections = change(connectionNames(old), connectionNames(cfg))
	if !req.DryRun {
		r.mu.Lock()
		r.last = out.Time
		r.mu.Unlock()
		r.d.log.InfoContext(ctx, "configuration reloaded", "hooks", len(cfg.Hooks), "connections", len(cfg.Connections))
	}
	return out, nil
}

func (r *reloader) status() admin.ConfigStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	cfg := r.d.current.Plan().Config
	return admin.ConfigStatus{
		LastReload: r.last, ReloadInProgress: r.busy,
		Webhooks: len(cfg.Hooks), Connections: len(cfg.Connections),
		Provider: map[string]string{"type": "file"}, FileWatching: r.d.o.Watch,
	}
}

// watch reloads when the content of the files changed and was then the same
// for two looks in a row. It looks at content and not at events of the file
// system: those miss an atomic rename, a changed link of a mounted ConfigMap,
// and whatever happens on a network file system.
func (r *reloader) watch(ctx context.Context) {
	tick := time.NewTicker(r.d.o.Debounce)
	defer tick.Stop()
	inForce := r.d.o.Files.sum()
	before := inForce
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := r.d.o.Files.sum()
		if now != before || now == inForce {
			before = now
			continue
		}
		inForce = now
		if _, err := r.reload(ctx, admin.ReloadRequest{}); err != nil {
			r.d.log.WarnContext(ctx, "reload", "error", err)
		}
	}
}

// sum is a digest of all files.
func (f Files) sum() [sha256.Size]byte {
	h := sha256.New()
	for _, root := range []string{f.Webhooks, f.Connections} {
		if real, err := filepath.EvalSymlinks(root); err == nil {
			root = real // WalkDir does not follow a link at its root
		}
		_ = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // a file that is gone is a change like any other
			}
			if d.IsDir() && name != root && name[0] == '.' {
				return fs.SkipDir
			}
			if b, err := os.ReadFile(name); err == nil { //nolint:gosec // the operator names the files
				part := sha256.Sum256(b)
				_, _ = h.Write([]byte(name))
				_, _ = h.Write(part[:])
			}
			return nil
		})
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func shown(problems diag.List) []admin.Problem {
	var out []admin.Problem
	for _, p := range problems {
		out = append(out, admin.Problem{
			Severity: p.Severity.String(), Place: p.Pos.String(), Path: p.Path, Code: p.Code, Message: p.Message, Hint: p.Hint,
		})
	}
	return out
}

func hookIDs(c *config.Config) []string {
	var ids []string
	for _, h := range c.Hooks {
		ids = append(ids, h.ID)
	}
	return ids
}

func connectionNames(c *config.Config) []string {
	var names []string
	for _, k := range c.Connections {
		names = append(names, k.Name)
	}
	return names
}

func change(old, now []string) admin.Change {
	c := admin.Change{Total: len(now)}
	for _, n := range now {
		if !slices.Contains(old, n) {
			c.Added = append(c.Added, n)
		}
	}
	for _, n := range old {
		if !slices.Contains(now, n) {
			c.Removed = append(c.Removed, n)
		}
	}
	return c
}
