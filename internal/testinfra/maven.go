package testinfra

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// jars is a folder with programs from Maven Central and all that they need:
// "org.apache.kafka:kafka_2.13:4.1.1". It is kept in the user's cache, named
// after the first, and filled by Maven where that is allowed.
func jars(coordinates ...string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	name := strings.Split(coordinates[0], ":")
	dir := filepath.Join(cache, "hookd-test", name[1]+"-"+name[2])
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	if os.Getenv("HOOKD_TEST_INSTALL") != "1" {
		return "", fmt.Errorf("%w: %s", errMissing, dir)
	}
	if err := have([]string{"mvn"}, []string{"maven"}); err != nil {
		return "", err
	}
	installing.Lock()
	defer installing.Unlock()
	return dir, download(dir, coordinates)
}

// pom is a project that depends on the programs and is never built.
type pom struct {
	XMLName xml.Name `xml:"http://maven.apache.org/POM/4.0.0 project"`
	Model   string   `xml:"modelVersion"`
	artifact
	Depends []artifact `xml:"dependencies>dependency"`
}

type artifact struct {
	Group   string `xml:"groupId"`
	Name    string `xml:"artifactId"`
	Version string `xml:"version"`
}

// download fills the folder under another name and renames it, so that it is
// whole or not there.
func download(dir string, coordinates []string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	p := pom{Model: "4.0.0", artifact: artifact{"hookd", "test", "1"}}
	for _, c := range coordinates {
		part := strings.Split(c, ":")
		p.Depends = append(p.Depends, artifact{part[0], part[1], part[2]})
	}
	b, err := xml.Marshal(p)
	if err != nil {
		return err
	}
	file, libs := filepath.Join(work, "pom.xml"), filepath.Join(work, "libs")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), aptPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "mvn", "-B", "-q", "-f", file, "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+libs)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mvn: %w\n%s", err, out[max(0, len(out)-2000):])
	}
	if err := os.Rename(libs, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
