package savetodisk

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// systemTrees are refused with all below them, systemFolders themselves only:
// /var/lib/hookd is where a service keeps its files.
var (
	systemTrees = []string{
		"/etc", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/sys", "/proc", "/dev", "/root", "/boot", "/run",
		"/var/run", "/var/db", "/var/mail", "/var/backups", "/var/spool/cron", "/var/spool/at", "/var/spool/mail", "/var/lib/dpkg", "/var/lib/systemd",
	}
	systemFolders = []string{"/", "/var", "/var/lib", "/var/log", "/var/cache", "/var/spool", "/opt", "/home", "/srv"}
)

// systemDir names the system folder that dir is or lies in; "" is none.
func systemDir(dir string) string {
	for _, tree := range systemTrees {
		if dir == tree || strings.HasPrefix(dir, tree+"/") {
			return tree
		}
	}
	if slices.Contains(systemFolders, dir) {
		return dir
	}
	return ""
}

func checkBase(dir string) error {
	if err := checkText(dir); err != nil || dir == "" {
		return err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if sys := systemDir(abs); sys != "" {
		return fmt.Errorf("%q is in the system folder %s", dir, sys)
	}
	return nil
}

func checkPath(p string) error {
	if p == "" {
		return errors.New("is empty; write \".\" for base_dir itself")
	}
	return checkText(p)
}

// checkText refuses traversal in every spelling: plain, percent-encoded once or
// twice, with either slash.
func checkText(p string) error {
	text := p
	for range 3 {
		if strings.ContainsRune(text, 0) {
			return errors.New("holds a NUL byte")
		}
		if slices.Contains(strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == '\\' }), "..") {
			return errors.New(`holds ".." and could lead out of base_dir`)
		}
		if decoded, err := url.PathUnescape(text); err == nil {
			text = decoded // "50%" is what it is
		}
	}
	return nil
}

// place turns the two options into an absolute base and a local folder below
// it, and looks where links that exist now lead.
func place(baseDir, sub string) (base, local string, err error) {
	if sub == "" {
		sub = "."
	}
	if err := errors.Join(checkText(baseDir), checkText(sub)); err != nil {
		return "", "", err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return "", "", err
	}
	base = cwd
	if baseDir != "" {
		if base, err = filepath.Abs(baseDir); err != nil {
			return "", "", err
		}
	}
	local = filepath.Clean(sub)
	if filepath.IsAbs(local) {
		if local, err = filepath.Rel(base, local); err != nil {
			return "", "", err
		}
	}
	if !filepath.IsLocal(local) {
		return "", "", fmt.Errorf("%q is outside of base_dir %s", sub, base)
	}
	realBase, target := resolved(base), resolved(filepath.Join(base, local))
	if rel, err := filepath.Rel(realBase, target); err != nil || !filepath.IsLocal(rel) {
		return "", "", fmt.Errorf("%q leads to %s, outside of base_dir %s", sub, target, base)
	}
	// Who starts hookd inside a system folder and names no base_dir means it;
	// a folder below that is somewhere else in the system is still refused.
	sys := systemDir(target)
	if sys != "" && (baseDir != "" || systemDir(resolved(cwd)) != sys) {
		return "", "", fmt.Errorf("%q is in the system folder %s", filepath.Join(base, local), sys)
	}
	return base, filepath.ToSlash(local), nil
}

// resolved follows the links of the part of p that exists.
func resolved(p string) string {
	for dir, rest := p, ""; ; {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest)
		}
		up := filepath.Dir(dir)
		if up == dir {
			return p
		}
		dir, rest = up, filepath.Join(filepath.Base(dir), rest)
	}
}
