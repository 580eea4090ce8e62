package cmd

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// maxInput bounds what is read from a file or stdin, in bytes.
const maxInput = 1 << 30

// textOrFile is s itself, or the content of the file of "@FILE".
func textOrFile(s string) (string, error) {
	name, ok := strings.CutPrefix(s, "@")
	if !ok {
		return s, nil
	}
	b, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		return "", fmt.Errorf("read %s: %s", name, reason(err))
	}
	return string(b), nil
}

// input reads the value of --data: "-" is stdin, "@FILE" a file, anything else
// itself.
func (s IO) input(arg string) ([]byte, error) {
	if arg == "-" {
		b, err := io.ReadAll(io.LimitReader(s.In, maxInput))
		if err != nil {
			return nil, fmt.Errorf("read stdin: %w", err)
		}
		return b, nil
	}
	text, err := textOrFile(arg)
	return []byte(text), err
}
