package testinfra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// ClickHouseReader is an account of ClickHouse that may not write; its password
// is that of User.
const ClickHouseReader = "reader"

// ClickHouse is a server with its native protocol at Addr, and at TLSAddr with
// TLS. HTTP is at HTTPAddr.
func ClickHouse(t testing.TB) *Server {
	t.Helper()
	return get(t, clickhouse)
}

// HTTPAddr is host:port of ClickHouse's HTTP interface.
func (s *Server) HTTPAddr() string { return s.settings["http"] }

var clickhouse = recipe{
	name:     "clickhouse",
	needs:    []string{"clickhouse-server", "clickhouse-client"},
	packages: []string{"clickhouse-server", "clickhouse-client"},
	user:     "clickhouse",
	patience: time.Minute,
	setup:    setupClickHouse,
	command: func(s *Server) *exec.Cmd {
		return exec.Command("clickhouse-server", "--config-file="+s.file("config.xml"))
	},
	ready: func(ctx context.Context, s *Server) error {
		answer, err := s.askClickHouse(ctx, "SELECT 1")
		if err == nil && answer != "1\n" {
			err = fmt.Errorf("it says %q", answer)
		}
		return err
	},
	version: func(ctx context.Context) (string, error) {
		return printedVersion(ctx, `version (\S+?)\.?\s`, "clickhouse-client", "--version")
	},
}

// The server of Debian is of before the root element was renamed; newer ones
// read the old name too.
const clickHouseConfig = `<?xml version="1.0"?>
<yandex>
  <logger><level>information</level><console>1</console></logger>
  <tcp_port>%d</tcp_port><tcp_port_secure>%d</tcp_port_secure><http_port>%d</http_port>
  <listen_host>127.0.0.1</listen_host>
  <path>%s/</path><tmp_path>%s/</tmp_path><user_files_path>%s/</user_files_path>
  <openSSL><server>
    <certificateFile>%s</certificateFile><privateKeyFile>%s</privateKeyFile>
    <verificationMode>none</verificationMode><loadDefaultCAFile>false</loadDefaultCAFile>
  </server></openSSL>
  <users_config>users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>67108864</mark_cache_size><uncompressed_cache_size>0</uncompressed_cache_size>
  <timezone>UTC</timezone><mlock_executable>false</mlock_executable>
</yandex>
`

const clickHouseUsers = `<?xml version="1.0"?>
<yandex>
  <profiles><default><max_memory_usage>1000000000</max_memory_usage></default><readonly><readonly>1</readonly></readonly></profiles>
  <quotas><default/></quotas>
  <users>
    <default><password>%[2]s</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
    <%[1]s><password>%[2]s</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></%[1]s>
    <%[3]s><password>%[2]s</password><networks><ip>127.0.0.1</ip></networks><profile>readonly</profile><quota>default</quota></%[3]s>
  </users>
</yandex>
`

func setupClickHouse(s *Server) error {
	p, err := ports(3)
	if err != nil {
		return err
	}
	s.Addr, s.TLSAddr, s.settings["http"], s.User, s.Password = loopback(p[0]), loopback(p[1]), loopback(p[2]), account, password
	cert, err := joined(s.Certs.ServerCert)
	key, err2 := joined(s.Certs.ServerKey)
	return errors.Join(err, err2, s.folder("data"), s.folder("tmp"), s.folder("files"),
		s.write("server.crt", cert), s.write("server.key", key),
		s.write("config.xml", fmt.Sprintf(clickHouseConfig, p[0], p[1], p[2],
			s.file("data"), s.file("tmp"), s.file("files"), s.file("server.crt"), s.file("server.key"))),
		s.write("users.xml", fmt.Sprintf(clickHouseUsers, account, password, ClickHouseReader)))
}

// ClickHouseQuery has ClickHouse execute a statement, by plain HTTP, and returns
// what it says: a reader that is no client library.
func (s *Server) ClickHouseQuery(t testing.TB, statement string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	answer, err := s.askClickHouse(ctx, statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return answer
}

func (s *Server) askClickHouse(ctx context.Context, statement string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.HTTPAddr()+"/", strings.NewReader(statement))
	if err != nil {
		return "", err
	}
	req.Header.Set("X-ClickHouse-User", s.User)
	req.Header.Set("X-ClickHouse-Key", s.Password)
	req.Close = true
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, b)
	}
	return string(b), err
}
