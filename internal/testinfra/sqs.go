package testinfra

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"testing"
	"time"
)

const elasticmqVersion = "1.7.1"

// SQS is ElasticMQ, which speaks the protocol of Amazon SQS over plain HTTP and
// keeps queues and messages on disk. It takes any key; its region is
// "elasticmq", its account "000000000000".
func SQS(t testing.TB) *Server {
	t.Helper()
	return get(t, sqs)
}

var sqs = recipe{
	name:     "sqs",
	needs:    []string{"java"},
	packages: []string{"default-jre-headless"},
	patience: 2 * time.Minute,
	fetch: func(s *Server) (err error) {
		s.settings["jars"], err = jars("org.elasticmq:elasticmq-server_2.13:" + elasticmqVersion)
		return err
	},
	setup: func(s *Server) error {
		p, err := ports(1)
		if err != nil {
			return err
		}
		s.Addr = loopback(p[0])
		return s.write("elasticmq.conf", fmt.Sprintf(`include classpath("application.conf")
node-address { protocol = http, host = "127.0.0.1", port = %d, context-path = "" }
rest-sqs { enabled = true, bind-port = %d, bind-hostname = "127.0.0.1", sqs-limits = strict }
rest-stats { enabled = false }
queues-storage { enabled = true, path = %q }
messages-storage { enabled = true, uri = %q }
`, p[0], p[0], s.file("queues.conf"), "jdbc:h2:"+s.file("messages")))
	},
	command: func(s *Server) *exec.Cmd {
		cmd := exec.Command("java", "-Xms64m", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
			"-Dconfig.file="+s.file("elasticmq.conf"), "-cp", s.setting("jars")+"/*", "org.elasticmq.server.Main")
		cmd.Dir = s.Dir
		return cmd
	},
	ready: func(ctx context.Context, s *Server) error {
		return answers(ctx, "http://"+s.Addr+"/?Action=ListQueues")
	},
	version: func(context.Context) (string, error) { return elasticmqVersion, nil },
}

// answers asks an HTTP server, which may say what it likes below 500.
func answers(ctx context.Context, url string) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	return nil
}
