package mqtt_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// What a subscriber that is not hookd's own library gets.
func TestMessage(t *testing.T) {
	s := testinfra.Mosquitto(t)
	t.Logf("Mosquitto %s, read back with mosquitto_sub", s.Version)
	top := "hookd/" + testinfra.Unique(t)
	reader := s.Subscriber(t, 2, top)
	b := &broker{Server: s, proxy: testinfra.NewProxy(t, s.Addr), topic: top, reader: reader}
	const body = "{\"é\": \"\U0001F44B\"}\n"
	for i, c := range []struct {
		options, topic string
		qos            int
	}{
		{`{"topic": "TOP/a"}`, "TOP/a", 1},
		{`{"topic": "TOP/b", "qos": "2"}`, "TOP/b", 2},
		{`{"topic": "TOP/c", "qos": 0}`, "TOP/c", 0},
		{`{"topic": "TOP/d", "qos": 1, "retained": true, "format": "raw"}`, "TOP/d", 1},
		{`{"topic": " x:y @z ", "topic_prefix": "TOP/ p/"}`, "TOP/ p/x:y @z", 1},
		{`{"topic": "/x/", "topic_prefix": "TOP"}`, "TOP/x/", 1},
		{`{"topic": "TOP/{hook}/{type}/{event}/{uuid}", "qos": 2}`, "TOP/github/push/EVENT/UUID", 2},
		{`{"topic": "TOP/é"}`, "TOP/é", 1},
	} {
		x := delivery(body)
		d := destination(t, b.connection(), strings.ReplaceAll(c.options, "TOP", top))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		receipt, err := d.Send(ctx, x)
		cancel()
		if err != nil {
			t.Fatalf("%s: %v", c.options, err)
		}
		all := reader.Until(func(all []testinfra.Published) bool { return len(all) > i })
		topic := strings.NewReplacer("TOP", top, "EVENT", x.Event.ID.String(), "UUID", x.ID.String()).Replace(c.topic)
		if got := all[i]; got.Topic != topic || string(got.Payload) != body || got.QoS != c.qos {
			t.Errorf("%s: got %+v", c.options, got)
		}
		if want := map[int]string{0: "written to the socket (QoS 0) for ", 1: "acknowledged (QoS 1) for ", 2: "acknowledged (QoS 2) for "}[c.qos] + topic; receipt.Status != want {
			t.Errorf("receipt %q, want %q", receipt.Status, want)
		}
	}
	later := s.Subscriber(t, 1, top+"/d") // subscribes twice: it may come twice
	kept := later.Until(func(all []testinfra.Published) bool { return len(all) > 0 })
	if !kept[0].Retained || string(kept[0].Payload) != body {
		t.Errorf("kept: %+v", kept[0])
	}
	// An empty message removes what is kept, as the page says.
	if err := send(t, destination(t, b.connection(), fmt.Sprintf(`{"topic": "%s/d", "retained": true}`, top)), delivery("")); err != nil {
		t.Fatal(err)
	}
	if left := s.Subscriber(t, 1, top+"/d").Messages(); len(left) != 0 {
		t.Errorf("still kept: %+v", left)
	}
}

// The forms of devices, as the original service has them.
func TestDevices(t *testing.T) {
	b := newBroker(t)
	const tasmota = `{"topic_prefix": "TOP", "tasmota_format": true`
	for _, c := range []struct{ options, body, topic, payload string }{
		{`{"topic": "TOP/s", "shelly_gen2_format": true}`, `{"relay": {"on": true}}`, "s", `{"id": "webhook", "source": "webhook", "params": {"relay": {"on": true}}}`},
		{`{"topic": "TOP/s", "shelly_gen2_format": "true", "device_id": 12}`, "\n [1]", "s", `{"id": "12", "source": "webhook", "params": {"data": [1]}}`},
		{`{"topic": "TOP/s", "shelly_gen2_format": true, "device_id": "\"x"}`, `on`, "s", `{"id": "\"x", "source": "webhook", "params": {"data": "on"}}`},
		{`{"topic": "TOP/s", "shelly_gen2_format": true, "tasmota_format": true}`, `{}`, "s", `{"id": "webhook", "source": "webhook", "params": {}}`},
		{tasmota + `}`, `{"a": 1}`, "cmnd/webhook/webhook", `{"a": 1}`},
		{tasmota + `, "topic": "x", "device_name": "plug", "command": "POWER"}`, `"ON"`, "cmnd/plug/POWER", `{"data": "ON"}`},
		{tasmota + `, "tasmota_type": "stat", "device_name": " plug/1 "}`, `null`, "stat/plug/1/status", `{"data": null}`},
		{tasmota + `, "tasmota_type": "tele"}`, `7`, "tele/webhook/telemetry", `{"data": 7}`},
		{tasmota + `, "tasmota_type": "other"}`, ``, "tele/webhook/telemetry", `{"data": ""}`},
	} {
		d := destination(t, b.connection(), strings.ReplaceAll(c.options, "TOP", b.topic))
		before := len(b.reader.Messages())
		if err := send(t, d, delivery(c.body)); err != nil {
			t.Errorf("%s: %v", c.options, err)
			continue
		}
		all := b.reader.Messages()
		if len(all) != before+1 {
			t.Fatalf("%s: %d messages", c.options, len(all)-before)
		}
		got := all[before]
		if got.Topic != b.topic+"/"+c.topic || !equalJSON(t, got.Payload, []byte(c.payload)) {
			t.Errorf("%s: %s %s, want %s %s", c.options, got.Topic, got.Payload, c.topic, c.payload)
		}
	}
	d := destination(t, b.connection(), fmt.Sprintf(`{"topic": %q, "shelly_gen2_format": true}`, b.topic))
	moduletest.Want(t, "binary", send(t, d, delivery("\xff\x00")), modules.Rejected, "mqtt_binary", "neither JSON nor text")
}

func equalJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		t.Error(err)
	}
	return reflect.DeepEqual(x, y)
}

// Mosquitto acknowledges to a client of version 3.1.1 what it drops (MQTT-3.3.5-2
// leaves it the choice to close the connection instead, as it does with QoS 2).
// Nobody can see that from the outside: the page says so, and this test says when
// it is no longer true.
func TestSilentSuccess(t *testing.T) {
	b := newBroker(t, testinfra.MosquittoReadOnly)
	forbidden := fmt.Sprintf(`{"topic": %q, "qos": 1}`, testinfra.MosquittoReadOnly)
	d := destination(t, b.connection(), forbidden)
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check: %v", err)
	}
	if err := send(t, d, delivery(`{}`)); err != nil {
		t.Errorf("forbidden: %v", err)
	}
	twice := destination(t, b.connection(), strings.Replace(forbidden, `"qos": 1`, `"qos": 2`, 1))
	moduletest.Want(t, "forbidden, QoS 2", send(t, twice, delivery(`{}`)), modules.Lost, modules.CodeConnectionLost, "EOF")
	large := string(make([]byte, testinfra.MosquittoMaxMessage+1))
	if err := send(t, destination(t, b.connection(), fmt.Sprintf(`{"topic": %q}`, b.topic)), delivery(large)); err != nil {
		t.Errorf("too large: %v", err)
	}
	if all := b.reader.Messages(); len(all) != 0 {
		t.Fatalf("%d messages", len(all))
	}
	// What may be published comes, and a limit in the connection is seen.
	allowed := destination(t, strings.Replace(b.connection(), b.User, testinfra.MosquittoAdmin, 1), forbidden)
	if err := send(t, allowed, delivery(`{}`)); err != nil {
		t.Error(err)
	}
	limited := destination(t, b.connection(`"max_message_size": "4MiB"`), fmt.Sprintf(`{"topic": %q}`, b.topic))
	moduletest.Want(t, "too large", send(t, limited, delivery(large)), modules.Rejected, modules.CodeTooLarge, "4194305 bytes, more than 4194304")
	if err := send(t, limited, delivery(large[1:])); err != nil {
		t.Errorf("just not too large: %v", err)
	}
	if all := b.reader.Messages(); len(all) != 2 || all[0].Topic != testinfra.MosquittoReadOnly || len(all[1].Payload) != testinfra.MosquittoMaxMessage {
		t.Errorf("%d messages", len(all))
	}
}

// What MQTT cannot carry is not sent: the library would cut it.
func TestLimits(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"topic": %q, "qos": 0}`, b.topic))
	x := delivery("")
	x.Body = make([]byte, 256<<20)
	moduletest.Want(t, "256 MiB", send(t, d, x), modules.Rejected, modules.CodeTooLarge, "268435456 bytes")
	if err := send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
}

// No two connections have the same client id: Mosquitto would close the older.
func TestClientIDs(t *testing.T) {
	b := newBroker(t)
	options := fmt.Sprintf(`{"topic": %q}`, b.topic)
	var all []modules.Destination
	for range 5 {
		all = append(all, destination(t, b.connection(`"client_id": "webhook-module"`), options))
	}
	for _, d := range all {
		if err := send(t, d, delivery(`{}`)); err != nil {
			t.Error(err)
		}
		if err := moduletest.Check(t, d); err != nil {
			t.Error(err)
		}
	}
	for _, d := range all {
		if err := send(t, d, delivery(`{}`)); err != nil {
			t.Error(err)
		}
	}
}

// More than 20 messages of QoS 2 in flight have Mosquitto close the connection,
// which is why there are no more by default.
func TestInFlight(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"topic": "%s/{uuid}", "qos": 2}`, b.topic))
	const n = 200
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := send(t, d, delivery(`{}`)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := len(b.reader.Messages()); got != n {
		t.Errorf("%d messages", got)
	}
}

// Sends that find all places taken wait, and not longer than they may; a message
// that is given up keeps its place until the broker has acknowledged it.
func TestPlaces(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(`"max_in_flight": 1`), fmt.Sprintf(`{"topic": %q}`, b.topic))
	if err := send(t, d, delivery(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	entered, release := b.proxy.Mute()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := d.Send(ctx, delivery(`{"n":2}`))
		done <- err
	}()
	<-entered
	short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	_, err := d.Send(short, delivery(`{"n":3}`))
	moduletest.Want(t, "all in use", err, modules.Retryable, modules.CodeTimeout, "all 1 messages in flight")
	cancel()
	err = <-done
	moduletest.Want(t, "cancelled", err, modules.Retryable, modules.CodeShutdown, "has not acknowledged")
	if !errors.Is(err, context.Canceled) {
		t.Error("it does not wrap the context's error")
	}
	release()
	if err := send(t, d, delivery(`{"n":4}`)); err != nil {
		t.Error(err)
	}
}

// A broker that does not answer in time is given up with the connection: there
// is no other way to send a message again.
func TestNoAnswer(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"topic": %q}`, b.topic))
	_, release := b.proxy.Mute()
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := d.Send(ctx, delivery(`{}`))
	moduletest.Want(t, "no answer", err, modules.Lost, modules.CodeTimeout, "has not acknowledged")
}

// A network that is gone without a sign is noticed by a ping, also when nothing
// is sent.
func TestKeepAlive(t *testing.T) {
	t.Parallel() // it takes the ten seconds that a ping may take
	b := newBroker(t)
	d := destination(t, b.connection(`"keepalive": 1`), fmt.Sprintf(`{"topic": %q, "qos": 0}`, b.topic))
	if err := send(t, d, delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	entered, release := b.proxy.Freeze()
	defer release()
	<-entered // the first ping
	var err error
	for end := time.Now().Add(30 * time.Second); err == nil && time.Now().Before(end); {
		err = send(t, d, delivery(`{}`))
		<-time.After(200 * time.Millisecond)
	}
	moduletest.Want(t, "frozen", err, modules.Lost, modules.CodeConnectionLost, "no answer to a ping")
}

// A message that takes long to write holds up the others only as long as they
// may wait, and does not end with them.
func TestSlowWrite(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"topic": %q}`, b.topic))
	entered, release := b.proxy.Freeze()
	var wg sync.WaitGroup
	for range 12 { // together more than sockets hold
		wg.Go(func() {
			if err := send(t, d, delivery(strings.Repeat("x", 3<<20))); err != nil {
				t.Errorf("a large one: %v", err)
			}
		})
	}
	<-entered
	behind := func() (late time.Duration, err error) {
		short, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		watch := moduletest.StartWatch()
		_, err = d.Send(short, delivery(`{"n":2}`))
		deadline, _ := short.Deadline()
		return watch.Stop(deadline), err
	}
	late, err := behind()
	for range 20 {
		if modules.FailureOf(err).Kind != modules.Lost {
			break
		}
		late, err = behind() // it got through: the large ones had not filled the sockets yet
	}
	moduletest.Want(t, "behind it", err, modules.Retryable, modules.CodeTimeout, "still being written")
	if late > time.Second {
		t.Errorf("it returned %v late", late)
	}
	release()
	wg.Wait()
	if err := send(t, d, delivery(`{"n":3}`)); err != nil {
		t.Error(err)
	}
}
