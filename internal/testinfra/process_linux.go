package testinfra

import (
	"bytes"
	"os"
	"os/user"
	"strconv"
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
