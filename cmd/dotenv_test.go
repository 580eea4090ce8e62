package cmd_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/hookd/hookd/cmd"
)

func TestParseDotEnv(t *testing.T) {
	t.Parallel()
	process := map[string]string{"HOME": "/root"}
	for _, tt := range []struct{ in, name, want string }{
		{"A=1", "A", "1"},
		{"  export A = 1  # why\n", "A", "1"},
		{"A=a#b", "A", "a#b"},
		{"A=\n", "A", ""},
		{"A=# nothing", "A", ""},
		{"A='it is $HOME ${HOME} \\n'", "A", `it is $HOME ${HOME} \n`},
		{`A="a\nb\t\"c\" \$ \\ \x"`, "A", "a\nb\t\"c\" $ \\ \\x"},
		{"A=\"two\nlines\"\nB=2", "A", "two\nlines"},
		{"A=\"two\nlines\" # why\nB=2", "B", "2"},
		{"A=pa$$(w)rd{1};x", "A", "pa$$(w)rd{1};x"},
		{"A=${HOME}/x", "A", "/root/x"},
		{"B=b\nA=${B}${C:-d}${E}", "A", "bd"},
		{"HOME=/other\nA=${HOME}", "A", "/root"},
		{`A="\${HOME}"`, "A", "${HOME}"},
		{"A=${not closed", "A", "${not closed"},
		{"A=${a b}", "A", "${a b}"},
		{"\ufeffA=1\r\n", "A", "1"},
	} {
		got, err := cmd.ParseDotEnv(tt.in, process)
		if err != nil || got[tt.name] != tt.want {
			t.Errorf("%q: %s is %q, %v; want %q", tt.in, tt.name, got[tt.name], err, tt.want)
		}
	}
	for in, want := range map[string]string{
		"A=1\nnothing":     "2: not NAME=value",
		"A B=1":            "1: a name has",
		"A=1\nB=\"x\ny\nz": "2: the quote is not closed",
		"A='x' y":          "1: text behind the closing quote",
	} {
		if _, err := cmd.ParseDotEnv(in, nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

func FuzzParseDotEnv(f *testing.F) {
	for _, s := range []string{"A=1", "A=\"b\nc\"", "A='b'", "A=${B:-c}", "A=\"\\", "export A=\t#", "=", "A=\"${", "\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, err := cmd.ParseDotEnv(s, nil)
		if err != nil {
			return
		}
		again, err := cmd.ParseDotEnv(s, nil)
		if err != nil || !maps.Equal(first, again) {
			t.Errorf("read twice: %v and %v, %v", first, again, err)
		}
		// What was read can be written with single quotes and read again.
		var b strings.Builder
		for k, v := range first {
			if strings.ContainsRune(v, '\'') || strings.Contains(v, "\r\n") {
				return
			}
			b.WriteString(k + "='" + v + "'\n")
		}
		if second, err := cmd.ParseDotEnv(b.String(), nil); err != nil || !maps.Equal(first, second) {
			t.Errorf("%q became %q: %v", first, second, err)
		}
	})
}
