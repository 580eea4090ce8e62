package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// fsyncs is how many writes are timed.
const fsyncs = 64

// slowSync is the median from which on a disk limits what hookd can accept.
const slowSync = 20 * time.Millisecond

// checkData looks at the data directory: may hookd write there, how long does
// the disk take to make a write durable, and is there room.
func checkData(ctx context.Context, p *patient) []finding {
	dir := p.settings.DataDir
	where, note := dir, ""
	if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		where, note = existing(dir), " (will be made)"
	} else if err == nil && !info.IsDir() {
		return []finding{fail("data", "set data_dir to a folder", "%s is not a folder", dir)}
	}
	times, err := timeSync(ctx, where)
	if err != nil {
		return []finding{fail("data", "make it writable for this user, or set data_dir", "%s: %s", dir, reason(err))}
	}
	slices.Sort(times)
	p50, p99 := times[len(times)/2], times[len(times)*99/100]
	text := "write and fsync take %s (p50), %s (p99) in %s%s"
	args := []any{p50.Round(time.Microsecond), p99.Round(time.Microsecond), dir, note}
	first := ok("data", text, args...)
	if p50 > slowSync {
		first = warn("data", "use a local SSD: each accepted event waits for one fsync", text, args...)
	}
	return append([]finding{first}, checkSpace(p.settings, where)...)
}

func checkSpace(s *Settings, where string) []finding {
	free, err := freeSpace(where)
	if err != nil {
		return []finding{warn("data", "", "free space of %s is not known: %v", where, err)}
	}
	switch need := s.Queue.MinFree; {
	case free < need:
		return []finding{fail("data", "free some, or lower queue.min_free", "%s are free, less than queue.min_free (%s): requests are answered 503", size(free), size(need))}
	case free < s.Queue.MaxDisk+need:
		return []finding{warn("data", "lower queue.max_disk, or add disk", "%s are free, less than queue.max_disk (%s) may need", size(free), size(s.Queue.MaxDisk))}
	}
	return []finding{ok("data", "%s are free", size(free))}
}

// existing is the nearest folder above dir that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "."
		}
		dir = up
	}
}

// timeSync appends to a file and waits for the disk, as an accepted event does.
func timeSync(ctx context.Context, dir string) (times []time.Duration, err error) {
	f, err := os.CreateTemp(dir, ".hookd-doctor-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	block := make([]byte, 2048)
	for range fsyncs {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		start := time.Now()
		if _, err := f.Write(block); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start))
	}
	return times, nil
}

// checkClock compares the clock with what cannot be in the future, and with
// that of the file system. Signatures with a timestamp depend on it.
func checkClock(_ context.Context, p *patient) []finding {
	const fix = "synchronise the clock (NTP): signatures with a timestamp are refused otherwise"
	now := p.a.now()
	built := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	if t, err := time.Parse(time.RFC3339, readBuildInfo().Time); err == nil && t.After(built) {
		built = t
	}
	if now.Before(built) {
		return []finding{fail("clock", fix, "the clock says %s, which is before this hookd was built", now.UTC().Format(time.RFC3339))}
	}
	f, err := os.CreateTemp(existing(p.settings.DataDir), ".hookd-doctor-*")
	if err != nil {
		return []finding{ok("clock", "%s", now.UTC().Format(time.RFC3339))}
	}
	info, err := f.Stat()
	_ = f.Close()
	_ = os.Remove(f.Name())
	if err != nil {
		return []finding{warn("clock", "", "cannot be compared: %s", reason(err))}
	}
	if off := p.a.now().Sub(info.ModTime()).Abs(); off > time.Minute {
		return []finding{warn("clock", fix, "is %s off that of the file system", off.Round(time.Second))}
	}
	return []finding{ok("clock", "%s, as the file system's", now.UTC().Format(time.RFC3339))}
}
