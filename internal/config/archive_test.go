package config_test

import (
	"bytes"
	"os"
	"strings"
)

// archive is the txtar format: a comment, then files behind "-- name --" lines.
type archive struct {
	comment string
	files   []archived
}

type archived struct {
	name string
	data []byte
}

func readArchive(file string) (*archive, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	a := &archive{}
	for line := range strings.Lines(string(b)) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "-- ")
		name, ends := strings.CutSuffix(name, " --")
		switch n := len(a.files); {
		case ok && ends:
			a.files = append(a.files, archived{name: name})
		case n == 0:
			a.comment += line
		default:
			a.files[n-1].data = append(a.files[n-1].data, line...)
		}
	}
	return a, nil
}

func (a *archive) write(file string) error {
	var b bytes.Buffer
	b.WriteString(a.comment)
	for _, f := range a.files {
		b.WriteString("-- " + f.name + " --\n")
		b.Write(f.data)
	}
	return os.WriteFile(file, b.Bytes(), 0o600)
}
