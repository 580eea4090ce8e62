//go:build !linux

package testinfra

import (
	"os"
	"syscall"
)

// Servers run as the user of the tests, and a crash of the tests may leave them
// behind.
func attributes(string) (*syscall.SysProcAttr, error) { return nil, nil }

func own(string, string) error { return nil }

func (p *process) exited() bool { return p.cmd.Process.Signal(syscall.Signal(0)) != nil }

func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}

// reserve knows nothing of other processes.
func reserve(int) (bool, error) { return true, nil }
