package cmd

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hookd/hookd/server"
)

// banner says on stderr what came up and what to paste next.
func (a *app) banner(s *Settings, file string, st server.Started) {
	if len(st.Problems) > 0 {
		a.tell(st.Problems, st.Sources)
	}
	p := a.io.style()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", p.bold.Render("hookd"), readBuildInfo().Version)
	line := func(name, value string) { fmt.Fprintf(&b, "  %-9s %s\n", name, printable(value)) }
	line("public", dialable(st.Listen))
	if st.Admin != "" {
		line("admin", dialable(st.Admin))
	}
	line("settings", cmp.Or(file, "none (defaults)"))
	line("data", s.DataDir)
	if s.Queue.UnsafeNoSync {
		line("WARNING", "queue.unsafe_no_sync: a power cut loses accepted events")
	}
	b.WriteString("\n")
	for _, h := range st.Hooks {
		proofs := h.Auth
		if h.Provider != "" && len(proofs) == 0 {
			proofs = []string{h.Provider}
		}
		how := strings.Join(proofs, " + ")
		if how == "" {
			how = p.warn.Render("no proof: open to everybody")
		}
		fmt.Fprintf(&b, "  %-28s %-28s → %s\n", printable(h.Path), how, printable(strings.Join(lanesOf(h), ", ")))
	}
	if try := tryLine(st, file); try != "" {
		fmt.Fprintf(&b, "\n  try: %s\n", try)
	}
	a.io.Errorf("%s\n", b.String())
}

// lanesOf are the destinations of a hook without the hook's name.
func lanesOf(h server.StartedHook) []string {
	var names []string
	for _, l := range h.Lanes {
		names = append(names, strings.TrimPrefix(l, h.ID+"/"))
	}
	return names
}

// tryLine is a command that sends something to the first hook. In dev mode
// without files only curl works from anywhere.
func tryLine(st server.Started, file string) string {
	if len(st.Hooks) == 0 {
		return ""
	}
	h := st.Hooks[0]
	for _, other := range st.Hooks {
		if other.Provider != "" && h.Provider == "" {
			h = other
		}
	}
	if len(h.Auth) == 0 && h.Provider == "" {
		return fmt.Sprintf("curl -d '{\"hello\":\"world\"}' -H 'Content-Type: application/json' %s%s", dialable(st.Listen), h.Path)
	}
	line := program() + " test-send " + h.ID
	if abs, err := filepath.Abs(file); file != "" && err == nil {
		line += " --config " + quoteArg(abs) // the other terminal may be anywhere
	}
	return line
}

// program is how this program is called from another terminal: by its name
// where the shell finds it, else by its path.
func program() string {
	const name = "hookd"
	exe, err := os.Executable()
	if err != nil || strings.TrimSuffix(filepath.Base(exe), ".exe") != name {
		return name
	}
	if found, err := exec.LookPath(name); err == nil && found == exe {
		return name
	}
	return quoteArg(exe)
}

// quoteArg quotes for a POSIX shell what needs it.
func quoteArg(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(plainArg, r) }) {
		return shellQuote(s)
	}
	return s
}

const plainArg = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+:@%"
