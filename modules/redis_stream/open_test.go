package redisstream_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redistest"
	redisstream "github.com/hookd/hookd/modules/redis_stream"
)

// at is a connection to addr with more settings.
func (b *broker) at(addr, more string) string {
	host, port := testinfra.Split(addr)
	return fmt.Sprintf(`{"host": %q, "port": %d%s}`, host, port, more)
}

// TestNotLetIn: what is wrong with a connection is said when it is opened, and
// waits for the operator without using attempts up.
func TestNotLetIn(t *testing.T) {
	b := newBroker(t)
	login := fmt.Sprintf(`, "username": %q, "password": %q`, b.User, b.Password)
	tls := func(settings string) string { return login + `, "tls": {` + settings + `}` }
	ca := fmt.Sprintf(`"ca_file": %q`, b.Certs.CA)
	for name, c := range map[string]struct {
		connection, code, says string
	}{
		"wrong password":   {b.at(b.Addr, fmt.Sprintf(`, "username": %q, "password": "wrong-secret"`, b.User)), modules.CodeAuthFailed, "WRONGPASS"},
		"unknown user":     {b.at(b.Addr, `, "username": "nobody", "password": "wrong-secret"`), modules.CodeAuthFailed, "WRONGPASS"},
		"no user":          {b.at(b.Addr, `, "password": "wrong-secret"`), modules.CodeAuthFailed, "WRONGPASS"},
		"no password":      {b.at(b.Addr, ""), modules.CodeAuthFailed, "NOAUTH"},
		"no such database": {b.at(b.Addr, login+`, "db": 1000`), modules.CodeNotFound, "DB index"},
		"nobody listens":   {b.at("127.0.0.1:1", login), modules.CodeUnavailable, "refused"},
		"unknown CA":       {b.at(b.TLSAddr, tls("")), modules.CodeTLS, "unknown authority"},
		"another name":     {b.at(b.TLSAddr, tls(ca+`, "server_name": "example.com"`)), modules.CodeTLS, "example.com"},
		"plain to TLS":     {b.at(b.TLSAddr, login), modules.CodeConnectionLost, "TLS?"},
		"no CA file":       {b.at(b.TLSAddr, tls(`"ca_file": "/nonexistent"`)), modules.CodeTLS, "ca_file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := redistest.Try(t, redisstream.Module(), c.connection, `{"stream": "x"}`)
			f := modules.FailureOf(err)
			if err == nil || f.Code != c.code || f.Kind == modules.Rejected || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s (%s): %v, want %s with %q", f.Kind, f.Code, err, c.code, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "wrong-secret") {
				t.Errorf("%v shows the password", err)
			}
		})
	}
}

// TestTLS: with the right authority, another database, and the password that all
// share.
func TestTLS(t *testing.T) {
	b := newBroker(t)
	d := redistest.Open(t, redisstream.Module(),
		b.at(b.TLSAddr, fmt.Sprintf(`, "username": %q, "password": %q, "db": 3, "tls": {"ca_file": %q}`, b.User, b.Password, b.Certs.CA)),
		fmt.Sprintf(`{"stream": %q}`, b.Name))
	if err := d.Check(t); err != nil {
		t.Error(err)
	}
	if r := d.Send(t, redistest.Delivery([]byte(`{}`))); r.Err != nil {
		t.Error(r.Err)
	}
	if n := len(b.entries()); n != 0 {
		t.Errorf("%d entries in database 0", n)
	}
	list, _ := b.Command("CLIENT", "LIST").(string)
	if !strings.Contains(list, "name=hookd/test") || !strings.Contains(list, "db=3") {
		t.Errorf("the connection is not named, or in another database:\n%s", list)
	}
}

// TestLogin: a user whose password is changed while hookd is connected keeps its
// connection, and the next one is refused as such.
func TestLogin(t *testing.T) {
	b := newBroker(t)
	// Straight to the server: the end of a connection is at its other end at once.
	d := redistest.Open(t, redisstream.Module(),
		b.at(b.Addr, fmt.Sprintf(`, "username": %q, "password": %q`, b.User, b.Password)), fmt.Sprintf(`{"stream": %q}`, b.Name))
	b.Grant("resetpass", ">another")
	b.Command("CLIENT", "KILL", "USER", b.User)
	wantFailure(t, d.Send(t, redistest.Delivery([]byte(`{}`))), modules.Lost, modules.CodeAuthFailed)
	if err := d.Check(t); modules.FailureOf(err).Code != modules.CodeAuthFailed {
		t.Errorf("Check: %v", err)
	}
}

// TestAllWait: a send that finds all connections in use waits no longer than
// its context.
func TestAllWait(t *testing.T) {
	b := newBroker(t)
	one := strings.Replace(b.Connection(), "{", `{"connections": 1, `, 1)
	d := redistest.Open(t, redisstream.Module(), one, fmt.Sprintf(`{"stream": %q}`, b.Name))
	entered, release := b.Proxy.Freeze()
	busy := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	go func() {
		_, err := d.BatchDestination.Send(ctx, redistest.Delivery([]byte(`{}`)))
		busy <- err
	}()
	<-entered
	short, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer end()
	_, err := d.BatchDestination.Send(short, redistest.Delivery([]byte(`{}`)))
	if f := modules.FailureOf(err); f.Code != modules.CodeTimeout || !strings.Contains(err.Error(), "all 1 connections") {
		t.Errorf("%v", err)
	}
	if f := modules.FailureOf(<-busy); f.Code != modules.CodeTimeout {
		t.Errorf("%v", f.Err)
	}
	release()
	if r := d.Send(t, redistest.Delivery([]byte(`{}`))); r.Err != nil {
		t.Error(r.Err)
	}
}
