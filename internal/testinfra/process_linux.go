package testinfra

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// attributes of a server's process: a group of its own, so that Ctrl-C at the
// terminal reaches the tests first; death with its parent; and the user.
func attributes(as string) (*syscall.SysProcAttr, error) {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if as == "" || os.Getuid() != 0 {
		return a, nil
	}
	uid, gid, err := ids(as)
	if err != nil {
		return nil, err
	}
	a.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return a, nil
}

func ids(as string) (uid, gid int, err error) {
	u, err := user.Lookup(as)
	if err != nil {
		return 0, 0, err
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}

// own gives a file or folder to the user, where that is possible and asked for.
func own(path, as string) error {
	if as == "" || os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := ids(as)
	if err != nil {
		return err
	}
	return os.Lchown(path, uid, gid)
}

// exited reports that the process has ended. It is not reaped before end, so
// its number is still its own.
func (p *process) exited() bool { return !alive(p.cmd.Process.Pid) }

// alive is false for a zombie, which signal 0 still finds.
func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := bytes.Cut(b[bytes.LastIndexByte(b, ')'):], []byte(" "))
	return !bytes.HasPrefix(state, []byte("Z"))
}

// reservations is a file that the tests of all processes share. Who has a port
// holds the lock of the byte with its number. The kernel ends the locks with
// their process, or when it closes the file, which is therefore never closed.
var reservations = sync.OnceValues(func() (*os.File, error) {
	name := filepath.Join(os.TempDir(), "hookd-ports-of-tests")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666) // #nosec G302 G304 -- locks only
	if err != nil {
		return nil, err
	}
	_ = f.Chmod(0o666) // fails where another user made it so
	return f, nil
})

// reserve reports whether no other process has the port, which is from then on
// this one's.
func reserve(port int) (bool, error) {
	f, err := reservations()
	if err != nil {
		return false, err
	}
	err = syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: int64(port), Len: 1})
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EACCES):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reserve port %d in %s: %w", port, f.Name(), err)
	}
	return true, nil
}
