package testinfra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// ActiveMQ is ActiveMQ Classic with STOMP, also on TLS, and a store that syncs
// to disk. The account may use what begins with "hookd.", and nothing else.
func ActiveMQ(t testing.TB) *Server {
	t.Helper()
	return get(t, activemq)
}

const activemqJar = "/usr/share/activemq/bin/activemq.jar"

var activemq = recipe{
	name:     "activemq",
	needs:    []string{activemqJar, "java"},
	packages: []string{"activemq"},
	user:     "activemq",
	patience: 2 * time.Minute,
	setup:    setupActiveMQ,
	command: func(s *Server) *exec.Cmd {
		cmd := exec.Command("java", "-Xms64M", "-Xmx256M", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true",
			"-Djava.io.tmpdir="+s.file("tmp"), "-Dactivemq.home=/usr/share/activemq", "-Dactivemq.base="+s.Dir,
			"-Dactivemq.conf="+s.file("conf"), "-Dactivemq.data="+s.file("data"),
			"-Dlog4j.configuration=file:"+s.file("conf/log4j.properties"),
			"-jar", activemqJar, "start", "xbean:file:"+s.file("conf/activemq.xml"))
		cmd.Dir = s.Dir
		return cmd
	},
	ready: func(ctx context.Context, s *Server) error {
		c, err := dial(ctx, s.Addr)
		if err != nil {
			return err
		}
		defer c.Close()
		deadline, _ := ctx.Deadline()
		_ = c.SetDeadline(deadline)
		fmt.Fprintf(c, "CONNECT\naccept-version:1.2\nhost:/\nlogin:%s\npasscode:%s\n\n\x00", s.User, s.Password)
		answer := make([]byte, 9)
		if _, err := io.ReadFull(c, answer); err != nil {
			return err
		}
		if string(answer) != "CONNECTED" {
			return fmt.Errorf("it answers %q", answer)
		}
		return nil
	},
	version: func(ctx context.Context) (string, error) {
		return printedVersion(ctx, `([0-9.]+)`, "dpkg-query", "-W", "-f", "${Version}", "activemq")
	},
}

func setupActiveMQ(s *Server) error {
	p, err := ports(2)
	if err != nil {
		return err
	}
	s.Addr, s.TLSAddr, s.User, s.Password = loopback(p[0]), loopback(p[1]), account, password
	if err := errors.Join(s.folder("conf"), s.folder("data"), s.folder("tmp")); err != nil {
		return err
	}
	if err := keystore(s, "conf/server.p12"); err != nil {
		return err
	}
	config := fmt.Sprintf(`<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
 <broker xmlns="http://activemq.apache.org/schema/core" useJmx="false" brokerName="hookdtest" dataDirectory="%s" schedulerSupport="false">
  <plugins>
   <simpleAuthenticationPlugin><users><authenticationUser username="%s" password="%s" groups="users"/></users></simpleAuthenticationPlugin>
   <authorizationPlugin><map><authorizationMap><authorizationEntries>
     <authorizationEntry queue="hookd.>" read="users" write="users" admin="users"/>
     <authorizationEntry topic="hookd.>" read="users" write="users" admin="users"/>
     <authorizationEntry topic="ActiveMQ.Advisory.>" read="users" write="users" admin="users"/>
   </authorizationEntries></authorizationMap></map></authorizationPlugin>
  </plugins>
  <persistenceAdapter><kahaDB directory="%s" enableJournalDiskSyncs="true"/></persistenceAdapter>
  <sslContext><sslContext keyStore="file:%s" keyStoreType="PKCS12" keyStorePassword="%s"/></sslContext>
  <systemUsage><systemUsage><memoryUsage><memoryUsage limit="64 mb"/></memoryUsage><storeUsage><storeUsage limit="500 mb"/></storeUsage><tempUsage><tempUsage limit="100 mb"/></tempUsage></systemUsage></systemUsage>
  <transportConnectors>
   <transportConnector name="stomp" uri="stomp://%s?transport.hbGracePeriodMultiplier=1.5"/>
   <transportConnector name="stomps" uri="stomp+ssl://%s"/>
  </transportConnectors>
 </broker>
</beans>
`, s.file("data"), s.User, s.Password, s.file("data/kahadb"), s.file("conf/server.p12"), s.Password, s.Addr, s.TLSAddr)
	// Debian's package logs by log4j 1.2, and not at all without this file.
	const logging = "log4j.rootLogger=INFO, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n" +
		"log4j.appender.out.layout=org.apache.log4j.PatternLayout\nlog4j.appender.out.layout.ConversionPattern=%d %5p | %m%n\n"
	return errors.Join(s.write("conf/activemq.xml", config), s.write("conf/log4j.properties", logging))
}

// keystore puts the server's certificate and key into a file of Java's kind.
func keystore(s *Server, name string) error {
	cmd := exec.Command("openssl", "pkcs12", "-export", "-in", s.Certs.ServerCert, "-inkey", s.Certs.ServerKey,
		"-out", s.file(name), "-passout", "pass:"+s.Password)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("openssl: %w\n%s", err, out)
	}
	return errors.Join(os.Chmod(s.file(name), 0o600), own(s.file(name), s.r.user))
}
