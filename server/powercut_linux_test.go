package server_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPowerCut cuts the power under load. kill -9 leaves the page cache to the
// kernel, so it cannot tell a synced write from one that was only made; here
// the data directory is a file system in an image, the daemon is stopped in its
// tracks, and hookd starts again on a copy of the image as it was at that
// moment: what was not synced is not there. The negative control runs the same
// with fsync off and must lose: it shows that the test can fail.
//
// It needs root and loop devices, and runs with HOOKD_POWERCUT=N cuts.
func TestPowerCut(t *testing.T) {
	cuts, err := strconv.Atoi(os.Getenv("HOOKD_POWERCUT"))
	if err != nil {
		t.Skip("set HOOKD_POWERCUT to the number of power cuts; needs root and loop devices")
	}
	if os.Geteuid() != 0 {
		t.Fatal("mounting an image needs root")
	}
	t.Run("fsync", func(t *testing.T) {
		accepted, lost := 0, 0
		for range cuts {
			a, l := powerCut(t)
			accepted, lost = accepted+a, lost+l
		}
		t.Logf("%d power cuts: accepted %d, lost %d", cuts, accepted, lost)
		if lost > 0 || accepted == 0 {
			t.Errorf("lost %d of %d accepted events", lost, accepted)
		}
	})
	t.Run("negative control", func(t *testing.T) {
		accepted, lost := powerCut(t, "HOOKD_QUEUE_UNSAFE_NO_SYNC=true")
		t.Logf("1 power cut with fsync off: accepted %d, lost %d", accepted, lost)
		if lost == 0 {
			t.Error("nothing was lost with fsync off: this test would not see a loss")
		}
	})
}

// powerCut runs one round and returns how many events were accepted before the
// cut and how many of them are not there after it.
func powerCut(t *testing.T, env ...string) (accepted, lost int) {
	t.Helper()
	// The images are on tmpfs: writing them does not wait for a disk.
	dir, err := os.MkdirTemp("/dev/shm", "hookd-powercut-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	image, cut := filepath.Join(dir, "disk.img"), filepath.Join(dir, "cut.img")
	run(t, "truncate", "-s", "768M", image)
	run(t, "mkfs.ext4", "-q", "-F", image)

	// Nothing may be delivered before the cut: every accepted event must come
	// out of the copy.
	out := newSink(t)
	out.setRefuse(true)
	book := newLedger()

	before := mount(t, image)
	cfg := newDaemonConfig(t, filepath.Join(before, "data"), out.url)
	cfg.env = append(env, "HOOKD_QUEUE_MIN_FREE=32MiB")
	d := cfg.start(t)
	send := newSender("http://"+cfg.listen, book)
	ctx, cancel := context.WithCancel(t.Context())
	loaded := make(chan struct{})
	go func() { defer close(loaded); send.run(ctx, 32) }()
	<-time.After(1500 * time.Millisecond)

	// Stop the process first, so that no answer leaves it after the copy began.
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	waitStopped(t, d.cmd.Process.Pid)
	run(t, "cp", "--sparse=always", image, cut)
	cancel()
	d.kill()
	<-loaded
	unmount(t, before)

	if out, err := exec.Command("e2fsck", "-fy", cut).CombinedOutput(); err != nil && exitCode(err) > 1 {
		t.Fatalf("e2fsck: %v\n%s", err, out)
	}
	after := mount(t, cut)
	defer unmount(t, after)
	out.setRefuse(false)
	cfg.data, cfg.env = filepath.Join(after, "data"), []string{"HOOKD_QUEUE_MIN_FREE=32MiB"}
	d = cfg.start(t)
	drain(t, cfg, d)
	d.stop(t)

	book.mu.Lock()
	defer book.mu.Unlock()
	out.mu.Lock()
	defer out.mu.Unlock()
	for id := range book.accepted {
		if out.times[id] == 0 {
			lost++
		}
	}
	return len(book.accepted), lost
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func mount(t *testing.T, image string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hookd-mnt-")
	if err != nil {
		t.Fatal(err)
	}
	// No journal commits of its own accord: what is on the disk is there because
	// somebody synced it.
	run(t, "mount", "-o", "loop,commit=600", image, dir)
	t.Cleanup(func() {
		_ = exec.Command("umount", "-l", dir).Run() // a second time does no harm
		_ = os.Remove(dir)
	})
	return dir
}

func unmount(t *testing.T, dir string) {
	t.Helper()
	run(t, "umount", dir)
}

// waitStopped waits until the kernel has stopped every thread.
func waitStopped(t *testing.T, pid int) {
	t.Helper()
	stopped := poll(5*time.Second, func() bool {
		tasks, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/stat")
		if err != nil {
			return false
		}
		for _, task := range tasks {
			b, err := os.ReadFile(task)
			if err != nil {
				return false
			}
			// The state is the field behind the command in parentheses.
			_, rest, _ := strings.Cut(string(b), ") ")
			if !strings.HasPrefix(rest, "T") {
				return false
			}
		}
		return len(tasks) > 0
	})
	if !stopped {
		t.Fatal("the daemon does not stop")
	}
}

func exitCode(err error) int {
	if e, ok := err.(*exec.ExitError); ok { //nolint:errorlint // exec returns it unwrapped
		return e.ExitCode()
	}
	return -1
}
