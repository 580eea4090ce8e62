package testinfra

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const kafkaVersion = "4.1.1"

// KafkaMaxMessage is the size in bytes above which Kafka refuses a batch.
const KafkaMaxMessage = 2 << 20

// Kafka is Apache Kafka, one node without ZooKeeper. Addr has no
// authentication, TLSAddr asks for SASL PLAIN. Topics are not made by being used.
//
// A client goes from the address that it was given to the one that the broker
// tells it. So a proxy in between must stand where the broker says that it is:
// FixedProxy.
func Kafka(t testing.TB) *Server {
	t.Helper()
	return get(t, kafka)
}

var kafka = recipe{
	name:     "kafka",
	needs:    []string{"java"},
	packages: []string{"default-jre-headless"},
	patience: 3 * time.Minute,
	fetch: func(s *Server) (err error) {
		s.settings["jars"], err = jars(
			"org.apache.kafka:kafka_2.13:"+kafkaVersion, "org.apache.kafka:kafka-tools:"+kafkaVersion,
			"org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
		)
		return err
	},
	setup: setupKafka,
	command: func(s *Server) *exec.Cmd {
		return s.kafka("kafka.Kafka", s.file("server.properties"))
	},
	// The broker answers before it takes work; what it takes last is the port.
	ready: func(ctx context.Context, s *Server) error {
		c, err := dial(ctx, s.Addr)
		if err != nil {
			return err
		}
		_ = c.Close()
		return nil
	},
	version: func(context.Context) (string, error) { return kafkaVersion, nil },
}

// kafka is a program of Kafka's.
func (s *Server) kafka(class string, args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{
		"-Xms64m", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.apache.logging.log4j.level=WARN",
		"-cp", s.setting("jars") + "/*", class,
	}, args...)...)
	cmd.Dir = s.Dir
	return cmd
}

func setupKafka(s *Server) error {
	p, err := ports(5)
	if err != nil {
		return err
	}
	s.Addr, s.TLSAddr, s.User, s.Password = loopback(p[0]), loopback(p[1]), account, password
	s.proxied, s.proxyPort = loopback(p[3]), p[4]
	pem, err := joined(s.Certs.ServerKey, s.Certs.ServerCert)
	if err != nil {
		return err
	}
	listeners := fmt.Sprintf("PLAINTEXT://%s,SASL_SSL://%s,PROXIED://%s", loopback(p[0]), loopback(p[1]), loopback(p[3]))
	properties := map[string]string{
		"process.roles": "broker,controller", "node.id": "1",
		"controller.quorum.voters": "1@" + loopback(p[2]), "controller.listener.names": "CONTROLLER",
		"listeners":                                listeners + ",CONTROLLER://" + loopback(p[2]),
		"advertised.listeners":                     strings.Replace(listeners, loopback(p[3]), loopback(p[4]), 1),
		"listener.security.protocol.map":           "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"inter.broker.listener.name":               "PLAINTEXT",
		"sasl.enabled.mechanisms":                  "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		"ssl.keystore.type":                        "PEM",
		"ssl.keystore.location":                    s.file("server.pem"),
		"ssl.truststore.type":                      "PEM",
		"ssl.truststore.location":                  s.Certs.CA,
		"ssl.client.auth":                          "requested",
		"log.dirs":                                 s.file("data"),
		"auto.create.topics.enable":                "false",
		"message.max.bytes":                        fmt.Sprint(KafkaMaxMessage),
		"offsets.topic.replication.factor":         "1",
		"transaction.state.log.replication.factor": "1", "transaction.state.log.min.isr": "1",
		"share.coordinator.state.topic.replication.factor": "1", "share.coordinator.state.topic.min.isr": "1",
		"group.initial.rebalance.delay.ms": "0", "num.partitions": "1",
		"log.flush.interval.messages":                           "1", // to disk before it is acknowledged: one node has no other copy
		"listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
		"listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
		"listener.name.sasl_ssl.plain.sasl.jaas.config": fmt.Sprintf(
			`org.apache.kafka.common.security.plain.PlainLoginModule required user_%s="%s";`, account, password),
	}
	var text strings.Builder
	for k, v := range properties {
		fmt.Fprintf(&text, "%s=%s\n", k, v)
	}
	if err := errors.Join(s.write("server.pem", pem), s.write("server.properties", text.String())); err != nil {
		return err
	}
	const cluster = "aG9va2QtdGVzdC1jbHVzdA" // any 16 bytes
	format := s.kafka("kafka.tools.StorageTool", "format", "-t", cluster, "-c", s.file("server.properties"),
		"--add-scram", fmt.Sprintf("SCRAM-SHA-256=[name=%s,password=%s]", account, password),
		"--add-scram", fmt.Sprintf("SCRAM-SHA-512=[name=%s,password=%s]", account, password))
	if out, err := format.CombinedOutput(); err != nil {
		return fmt.Errorf("format: %w\n%s", err, out)
	}
	return nil
}

// joined is the content of several files, one after the other.
func joined(files ...string) (string, error) {
	var text strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(filepath.Clean(f))
		if err != nil {
			return "", err
		}
		text.Write(b)
	}
	return text.String(), nil
}

// KafkaTool runs a program of Kafka's own, "org.apache.kafka.tools.TopicCommand",
// against a server that Kafka returned, and returns what it prints. It takes some
// seconds.
func (s *Server) KafkaTool(t testing.TB, class string, args ...string) string {
	t.Helper()
	var errs strings.Builder
	cmd := s.kafka(class, append([]string{"--bootstrap-server", s.Addr}, args...)...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", class, err, out, errs.String())
	}
	return string(out)
}

// KafkaTopic makes a topic.
func (s *Server) KafkaTopic(t testing.TB, name string, partitions int) {
	t.Helper()
	s.KafkaTool(t, "org.apache.kafka.tools.TopicCommand", "--create", "--topic", name, "--partitions", strconv.Itoa(partitions))
}
