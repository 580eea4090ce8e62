package testinfra

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What every test finds in ActiveMQ beside the account that may do all.
const (
	// ActiveMQGuest may read what begins with "hookd." and write nothing; its
	// password is that of the server.
	ActiveMQGuest = "guest-of-hookd"
	// ActiveMQMaxMessage is the size in bytes above which a message is refused.
	ActiveMQMaxMessage = 4 << 20
	// ActiveMQFull begins the names of queues that hold 64 KiB and then refuse.
	ActiveMQFull = "hookd.full."
)

// ActiveMQ is ActiveMQ Classic with STOMP, also on TLS, and a store that syncs
// to disk. The account may use what begins with "hookd.", and nothing else. A
// destination that is full refuses instead of holding producers up.
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
		return greetsSTOMP(ctx, s, "login:"+s.User+"\npasscode:"+s.Password+"\n")
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
	// Debian's package logs by log4j 1.2, and not at all without this file.
	const logging = "log4j.rootLogger=INFO, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n" +
		"log4j.appender.out.layout=org.apache.log4j.PatternLayout\nlog4j.appender.out.layout.ConversionPattern=%d %5p | %m%n\n"
	return errors.Join(s.write("conf/activemq.xml", activemqXML(s, "users")), s.write("conf/log4j.properties", logging))
}

// activemqXML is the configuration; writers is the group that may send.
func activemqXML(s *Server, writers string) string {
	return strings.NewReplacer(
		"DATA", s.file("data"), "KAHADB", s.file("data/kahadb"), "KEYSTORE", s.file("conf/server.p12"), "USER", s.User, "GUEST", ActiveMQGuest,
		"PASSWORD", s.Password, "WRITERS", writers, "ADDR", s.Addr, "SECURE", s.TLSAddr, "LIMIT", strconv.Itoa(ActiveMQMaxMessage),
	).Replace(`<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
 <broker xmlns="http://activemq.apache.org/schema/core" useJmx="false" brokerName="hookdtest" dataDirectory="DATA" schedulerSupport="false">
  <plugins>
   <simpleAuthenticationPlugin><users>
    <authenticationUser username="USER" password="PASSWORD" groups="users"/><authenticationUser username="GUEST" password="PASSWORD" groups="guests"/>
   </users></simpleAuthenticationPlugin>
   <authorizationPlugin><map><authorizationMap><authorizationEntries>
     <authorizationEntry queue="hookd.>" read="users,guests" write="WRITERS" admin="users"/>
     <authorizationEntry topic="hookd.>" read="users,guests" write="WRITERS" admin="users"/>
     <authorizationEntry topic="ActiveMQ.Advisory.>" read="users,guests" write="users,guests" admin="users,guests"/>
   </authorizationEntries></authorizationMap></map></authorizationPlugin>
  </plugins>
  <destinationPolicy><policyMap><policyEntries>
   <policyEntry queue="hookd.full.>" memoryLimit="64kb"><pendingQueuePolicy><vmQueueCursor/></pendingQueuePolicy></policyEntry>
  </policyEntries></policyMap></destinationPolicy>
  <persistenceAdapter><kahaDB directory="KAHADB" enableJournalDiskSyncs="true"/></persistenceAdapter>
  <sslContext><sslContext keyStore="file:KEYSTORE" keyStoreType="PKCS12" keyStorePassword="PASSWORD"/></sslContext>
  <systemUsage><systemUsage sendFailIfNoSpace="true"><memoryUsage><memoryUsage limit="64 mb"/></memoryUsage><storeUsage><storeUsage limit="500 mb"/></storeUsage><tempUsage><tempUsage limit="100 mb"/></tempUsage></systemUsage></systemUsage>
  <transportConnectors>
   <transportConnector name="stomp" uri="stomp://ADDR?transport.hbGracePeriodMultiplier=1.5&amp;wireFormat.maxDataLength=LIMIT"/>
   <transportConnector name="stomps" uri="stomp+ssl://SECURE"/>
  </transportConnectors>
 </broker>
</beans>
`)
}

// ActiveMQWriters restarts a server that ActiveMQ returned, with the right to send
// for one group only: "users", as in the beginning, or "nobody".
func (s *Server) ActiveMQWriters(t testing.TB, group string) {
	t.Helper()
	s.Stop(t)
	if err := s.write("conf/activemq.xml", activemqXML(s, group)); err != nil {
		t.Fatal(err)
	}
	s.Start(t)
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
