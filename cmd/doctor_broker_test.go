package cmd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/cmd"
	"github.com/hookd/hookd/internal/testinfra"
)

// ward is a broker, and what a hook needs to send to it.
type ward struct {
	module     string
	connection map[string]any // without TLS
	password   string         // its key in connection
	server     *testinfra.Server
	options    map[string]any
	missing    map[string]any // options that name what is not there; nil where the broker has no such thing
	guest      map[string]any // of connection: an account that may log in and not write; nil is none
	address    func(addr string) map[string]any
}

func hostPort(addr string) map[string]any {
	_, port := testinfra.Split(addr)
	return map[string]any{"host": "localhost", "port": port}
}

func with(ms ...map[string]any) map[string]any {
	all := make(map[string]any)
	for _, m := range ms {
		maps.Copy(all, m)
	}
	return all
}

var wards = map[string]func(t *testing.T) ward{
	"redis": func(t *testing.T) ward {
		s := testinfra.Redis(t)
		return ward{
			module: "redis_stream", server: s, password: "password", guest: map[string]any{"username": testinfra.RedisGuest}, address: hostPort,
			connection: map[string]any{"type": "redis", "username": s.User, "password": s.Password},
			options:    map[string]any{"stream": "doctor"},
			missing:    map[string]any{"stream": "not-there", "create": false},
		}
	},
	"rabbitmq": func(t *testing.T) ward {
		s := testinfra.RabbitMQ(t)
		return ward{
			module: "rabbitmq", server: s, password: "pass", guest: map[string]any{"user": testinfra.RabbitGuest}, address: hostPort,
			connection: map[string]any{"type": "rabbitmq", "user": s.User, "pass": s.Password, "vhost": testinfra.RabbitVhost},
			options:    map[string]any{"queue_name": "doctor"},
			missing:    map[string]any{"queue_name": "doctor", "exchange": "not-there"},
		}
	},
	"mqtt": func(t *testing.T) ward {
		s := testinfra.Mosquitto(t)
		return ward{
			module: "mqtt", server: s, password: "password", address: hostPort,
			connection: map[string]any{"type": "mqtt", "username": s.User, "password": s.Password},
			options:    map[string]any{"topic": "hookd/doctor"},
		}
	},
	"activemq": func(t *testing.T) ward {
		s := testinfra.ActiveMQ(t)
		return ward{
			module: "activemq", server: s, password: "password", guest: map[string]any{"user": testinfra.ActiveMQGuest}, address: hostPort,
			connection: map[string]any{"type": "activemq", "user": s.User, "password": s.Password},
			options:    map[string]any{"destination": "hookd.doctor"},
		}
	},
	"kafka": func(t *testing.T) ward {
		s := testinfra.Kafka(t)
		s.KafkaTopic(t, "doctor", 1)
		return ward{
			module: "kafka", server: s, password: "sasl_password", guest: map[string]any{"sasl_username": testinfra.KafkaGuest, "idempotent": false},
			address: func(addr string) map[string]any {
				_, port := testinfra.Split(addr)
				return map[string]any{"bootstrap_servers": fmt.Sprintf("localhost:%d", port)}
			},
			connection: map[string]any{"type": "kafka", "sasl_mechanism": "SCRAM-SHA-256", "sasl_username": s.User, "sasl_password": s.Password},
			options:    map[string]any{"topic": "doctor"},
			missing:    map[string]any{"topic": "not-there"},
		}
	},
}

// diagnosis is what hookd doctor prints of a destination.
type diagnosis struct {
	Check, Status, Detail, Fix string
	Steps                      []struct {
		Name, Detail, Error string
		MS                  float64
	}
	UsedBy []string `json:"used_by"`
}

// doctor runs hookd doctor on one destination and returns its exit code, its
// table and its JSON.
func doctor(t *testing.T, timeout, module string, connection, options map[string]any) (code int, table string, found diagnosis) {
	t.Helper()
	dir := t.TempDir()
	file := func(name string, v any) string {
		b, err := json.Marshal(v)
		name = filepath.Join(dir, name)
		if err == nil {
			err = os.WriteFile(name, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	args := []string{
		"doctor", "--only", "destinations", "--no-env", "--timeout", timeout,
		"--connections", file("connections.json", map[string]any{"far": connection}),
		"--webhooks", file("webhooks.json", map[string]any{"a": map[string]any{
			"hmac": map[string]any{"secret": "0123456789abcdef", "header": "X-S"},
			"chain": []any{map[string]any{
				"module": module, "name": "out", "connection": "far", "module-config": options,
			}},
		}}),
	}
	var out, errs bytes.Buffer
	run := func(args ...string) (int, string) {
		out.Reset()
		errs.Reset()
		code := cmd.MainAt(time.Now, args, strings.NewReader(""), &out, &errs, nil)
		if errs.Len() > 0 {
			t.Errorf("stderr: %s", errs.String())
		}
		return code, out.String()
	}
	code, table = run(args...)
	again, text := run(append(args, "--json")...)
	var all []diagnosis
	if err := json.Unmarshal([]byte(text), &all); err != nil || len(all) != 1 || again != code {
		t.Fatalf("exit codes %d and %d, %d findings, %v:\n%s\n%s", code, again, len(all), err, table, text)
	}
	return code, table + text, all[0]
}

// TestDoctorOfBrokers asks real brokers. Whatever is wrong is told by the step
// that failed, which is the last one, with what to do about it.
func TestDoctorOfBrokers(t *testing.T) {
	const wrong = "a-wrong-password"
	for name, admit := range wards {
		t.Run(name, func(t *testing.T) {
			w := admit(t)
			good := with(w.connection, w.address(w.server.Addr))
			secured := good
			closed := fmt.Sprintf("127.0.0.1:%d", testinfra.FreePort(t))
			if w.server.TLSAddr != "" {
				secured = with(w.connection, w.address(w.server.TLSAddr))
				secured["tls"] = map[string]any{"ca_file": w.server.Certs.CA}
			}
			if name == "kafka" { // its other listener asks nobody who they are
				good = secured
			}
			for _, c := range []struct {
				name       string
				connection map[string]any
				options    map[string]any
				steps      string // the last one fails, unless all is well
				says, fix  string
			}{
				{"all is well", good, w.options, "resolve egress dial open check", "", ""},
				{"all is well with TLS", secured, w.options, "resolve egress dial tls open check", "", ""},
				{"wrong password", with(good, map[string]any{w.password: wrong}), w.options, "resolve egress dial open", "", "its password"},
				{"closed port", with(good, w.address(closed)), w.options, "resolve egress dial", "refused", "listens there"},
				{"no such host", with(good, w.address(w.server.Addr), map[string]any{"host": "nowhere.invalid"}), w.options, "resolve", "nowhere.invalid", "name"},
				{"wrong CA", with(secured, map[string]any{"tls": map[string]any{"ca_file": w.server.Certs.OtherCA}}), w.options, "resolve egress dial tls", "unknown authority", "ca_file"},
				{"TLS where there is none", with(secured, w.address(w.server.Addr)), w.options, "resolve egress dial tls", "", "TLS"},
				{"nothing there", good, w.missing, "resolve egress dial open check", "not", "create"},
				{"no right to write", with(good, w.guest), w.options, "resolve egress dial open check", "", "right"},
			} {
				switch {
				case c.options == nil,
					strings.Contains(c.steps, "tls") && w.server.TLSAddr == "",
					name == "kafka" && c.name == "no such host", // it has no host but a list
					strings.HasPrefix(c.name, "no right") && w.guest == nil:
					continue
				}
				if name == "kafka" && c.name != "closed port" {
					c.steps = strings.Replace(c.steps, "dial open", "dial tls open", 1)
				}
				timeout := "20s"
				if strings.HasPrefix(c.name, "TLS where") && (name == "activemq" || name == "redis") {
					timeout = "1s" // they wait for the rest of what they take for a command
				}
				code, text, found := doctor(t, timeout, w.module, c.connection, c.options)
				failed := c.fix != ""
				var steps []string
				for i, s := range found.Steps {
					steps = append(steps, s.Name)
					if last := i == len(found.Steps)-1; (s.Error != "") != (failed && last) {
						t.Errorf("%s: step %s: %q", c.name, s.Name, s.Error)
					}
				}
				if len(steps) == 0 {
					t.Fatalf("%s: exit code %d\n%s", c.name, code, text)
				}
				last := steps[len(steps)-1]
				if got := strings.Join(steps, " "); got != c.steps {
					t.Errorf("%s: steps %q, want %q", c.name, got, c.steps)
				}
				if failed != (code == 4) || !failed && (code != 0 || found.Status != "ok") || failed && found.Status != "fail" {
					t.Errorf("%s: exit code %d, %s", c.name, code, found.Status)
				}
				if failed && !strings.Contains(found.Detail, ": "+last+": ") || !strings.Contains(found.Detail, c.says) || !strings.Contains(found.Fix, c.fix) {
					t.Errorf("%s: %s → %s", c.name, found.Detail, found.Fix)
				}
				for _, s := range found.Steps {
					if !strings.Contains(text, s.Name) {
						t.Errorf("%s: the table has no %s", c.name, s.Name)
					}
				}
				for _, secret := range []string{wrong, w.server.Password} {
					if strings.Contains(text, secret) {
						t.Errorf("%s: it shows a password", c.name)
					}
				}
				if testing.Verbose() {
					t.Logf("%s: exit code %d\n%s", c.name, code, text)
				}
			}
		})
	}
}
