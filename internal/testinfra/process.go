package testinfra

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is a server's process. Nothing waits for it in the background, so
// that a server which runs on does not look like a leaked goroutine.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string // file of all that it printed
}

// launch starts cmd as the user, where that is possible and asked for. It dies
// with this process.
func launch(name string, cmd *exec.Cmd, as, log string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if cmd.SysProcAttr, err = attributes(as); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &process{name: name, cmd: cmd, log: log}, nil
}

// until asks ready every few milliseconds until it is nil, the process is gone,
// or the time is over.
func (p *process) until(limit time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ask, stop := context.WithTimeout(ctx, 2*time.Second)
		err := ready(ask)
		stop()
		switch {
		case err == nil:
			return nil
		case p.exited():
			return fmt.Errorf("%s ended before it was ready:\n%s", p.name, p.tail())
		case ctx.Err() != nil:
			return fmt.Errorf("%s is not ready after %v: %w\n%s", p.name, limit, err, p.tail())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// end sends the signal and waits for the process; one that does not end is
// killed.
func (p *process) end(sig syscall.Signal) error {
	_ = p.cmd.Process.Signal(sig)
	err := p.wait(30 * time.Second)
	if err != nil {
		_ = p.cmd.Process.Kill()
		_ = p.wait(10 * time.Second)
	}
	_ = p.cmd.Wait() // reaps; how it ended says nothing
	return err
}

func (p *process) wait(limit time.Duration) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for !p.exited() {
		select {
		case <-tick.C:
		case <-end:
			return fmt.Errorf("%s (pid %d) did not end within %v:\n%s", p.name, p.cmd.Process.Pid, limit, p.tail())
		}
	}
	return nil
}

// tail is the end of what the process printed.
func (p *process) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	const most = 3000
	if len(b) > most {
		b = b[len(b)-most:]
	}
	return strings.ToValidUTF8(string(b), "?")
}
