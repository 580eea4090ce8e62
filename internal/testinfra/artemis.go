package testinfra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const artemisVersion = "2.40.0"

// ArtemisFull begins the names of queues that hold 64 KiB and then refuse.
const ArtemisFull = "hookd.full."

// Artemis is ActiveMQ Artemis with STOMP and a journal on disk. It asks for no
// account.
func Artemis(t testing.TB) *Server {
	t.Helper()
	return get(t, artemis)
}

var artemis = recipe{
	name:     "artemis",
	needs:    []string{"java"},
	packages: []string{"default-jre-headless"},
	patience: 2 * time.Minute,
	fetch: func(s *Server) (err error) {
		s.settings["jars"], err = jars("org.apache.activemq:artemis-server:"+artemisVersion, "org.apache.activemq:artemis-stomp-protocol:"+artemisVersion)
		return err
	},
	setup: setupArtemis,
	command: func(s *Server) *exec.Cmd {
		cmd := exec.Command("java", "-Xms64M", "-Xmx256M", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
			"-cp", s.setting("jars")+"/*", "org.apache.activemq.artemis.core.server.embedded.Main", s.Dir)
		cmd.Dir = s.Dir
		return cmd
	},
	ready:   func(ctx context.Context, s *Server) error { return greetsSTOMP(ctx, s, "") },
	version: func(context.Context) (string, error) { return artemisVersion, nil },
}

func setupArtemis(s *Server) error {
	p, err := ports(1)
	if err != nil {
		return err
	}
	s.Addr = loopback(p[0])
	config := strings.NewReplacer("ADDR", s.Addr, "FULL", ArtemisFull).Replace(`<configuration xmlns="urn:activemq">
 <core xmlns="urn:activemq:core">
  <name>hookdtest</name>
  <security-enabled>false</security-enabled>
  <persistence-enabled>true</persistence-enabled>
  <journal-type>NIO</journal-type>
  <acceptors><acceptor name="stomp">tcp://ADDR?protocols=STOMP;anycastPrefix=/queue/;multicastPrefix=/topic/</acceptor></acceptors>
  <address-settings>
   <address-setting match="#"><default-address-routing-type>ANYCAST</default-address-routing-type><default-queue-routing-type>ANYCAST</default-queue-routing-type></address-setting>
   <address-setting match="FULL#">
    <max-size-bytes>65536</max-size-bytes><address-full-policy>FAIL</address-full-policy>
    <default-address-routing-type>ANYCAST</default-address-routing-type><default-queue-routing-type>ANYCAST</default-queue-routing-type>
   </address-setting>
  </address-settings>
 </core>
</configuration>
`)
	return errors.Join(s.folder("etc"), s.write("etc/broker.xml", config))
}

// greetsSTOMP asks a broker whether it takes connections; login are headers.
func greetsSTOMP(ctx context.Context, s *Server, login string) error {
	c, err := dial(ctx, s.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	_ = c.SetDeadline(deadline)
	if _, err := fmt.Fprintf(c, "CONNECT\naccept-version:1.2\nhost:/\n%s\n\x00", login); err != nil {
		return err
	}
	answer := make([]byte, 9)
	if _, err := io.ReadFull(c, answer); err != nil {
		return err
	}
	if string(answer) != "CONNECTED" {
		return fmt.Errorf("it answers %q", answer)
	}
	return nil
}
