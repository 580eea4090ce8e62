package mqtt_test

import (
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/mqtt"
)

func load(text string, into spec.Described) diag.List {
	node, list := spec.ParseJSON("f", []byte(text))
	return append(list, spec.Decode(node, into, "")...)
}

// What does something else than it seems to loads, and is warned about.
func TestWarnings(t *testing.T) {
	t.Parallel()
	options, connection := mqtt.Module().Options, mqtt.Module().Connection
	for _, c := range []struct {
		into       func() spec.Described
		text, want string
	}{
		{connection, `{"mqtt_version": "5"}`, `"5" does nothing`},
		{connection, `{"mqtt_version": 5.0}`, `"5.0" does nothing`},
		{connection, `{"password": "x"}`, "without a username"},
		{connection, `{"keepalive": 0}`, "is off"},
		{connection, `{"tls_ca_cert_file": "x"}`, "tls is off"},
		{connection, `{"tls": false, "ca_certs": "x"}`, "tls is off"},
		{connection, `{"tls": true, "tls_insecure": "true"}`, "accepts any certificate"},
		{options, `{"topic": "a", "qos": 0}`, "written to the socket"},
		{options, `{"topic": "a", "format": "xml"}`, "neither json nor raw"},
		{options, `{"tasmota_format": true, "tasmota_type": "x"}`, "taken as tele"},
		{options, `{"topic": "a", "shelly_gen2_format": 1, "tasmota_format": 1}`, "beside shelly_gen2_format"},
	} {
		list := load(c.text, c.into())
		if list.HasErrors() || len(list) != 1 || !strings.Contains(list[0].Message, c.want) {
			t.Errorf("%s: %v, want one warning with %q", c.text, list, c.want)
		}
	}
}

// What is right loads without a word.
func TestOptions(t *testing.T) {
	t.Parallel()
	options, connection := mqtt.Module().Options, mqtt.Module().Connection
	for text, into := range map[string]func() spec.Described{
		`{}`: connection,
		`{"user": "u", "pass": "p", "port": "1884", "mqtt_version": "3.1.1", "keepalive": "30", "client_id": "a"}`: connection,
		`{"tls": "true", "tls_cert_file": "c", "tls_key_file": "k", "tls_ca_cert_file": "a"}`:                      connection,
		`{"tls": {"ca_file": "a"}, "tls_ca_cert_file": "a", "keepalive": "1m"}`:                                    connection,
		`{"topic": "a/b.c_d-e", "topic_prefix": "x/", "qos": "2", "retained": "yes"}`:                              options,
		`{"topic": "/a:b @c/é/{uuid}/{hook}", "retain": true, "format": "raw"}`:                                    options,
		`{"tasmota_format": true, "tasmota_type": "stat", "device_name": "d"}`:                                     options,
		`{"topic": "` + strings.Repeat("x", 65535) + `"}`:                                                          options,
	} {
		if list := load(text, into()); len(list) > 0 {
			t.Errorf("%.100s: %v", text, list)
		}
	}
	if list := load(`{"topic": "{uuid}`+strings.Repeat("x", 65500)+`"}`, options()); !list.HasErrors() {
		t.Error("a topic that gets too long passes")
	}
}
