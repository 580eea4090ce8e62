package config

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds one configuration file, in bytes.
const maxFile = 32 << 20

func isYAML(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}

// list is the files that path stands for: itself, or what is in the folder,
// sorted by name. Hidden entries, such as the versions that Kubernetes keeps
// beside a mounted ConfigMap, are passed over, and so is the file of
// connections in a folder of webhooks.
func (l *loader) list(path string) ([]string, error) {
	if path == "" {
		return nil, fs.ErrNotExist
	}
	if _, ok := l.o.Overlay[path]; ok {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		if strings.HasPrefix(e.Name(), ".") || strings.ToLower(filepath.Ext(name)) != ".json" && !isYAML(name) {
			continue
		}
		info, err := os.Stat(name) // follows links
		if err != nil {
			return nil, err
		}
		if info.IsDir() || path != l.o.Connections && l.isConnections(info) {
			continue
		}
		files = append(files, name)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("the folder holds no .json, .yaml or .yml file")
	}
	return files, nil
}

func (l *loader) isConnections(info os.FileInfo) bool {
	other, err := os.Stat(l.o.Connections)
	return err == nil && os.SameFile(info, other)
}

func (l *loader) content(name string) ([]byte, error) {
	if b, ok := l.o.Overlay[name]; ok {
		return b, nil
	}
	f, err := os.Open(name) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		return nil, fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	return b, err
}
