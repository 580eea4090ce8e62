// Package mqtt publishes deliveries to an MQTT broker, by version 3.1.1 of the
// protocol (OASIS Standard, 29 October 2014).
package mqtt

import "github.com/hookd/hookd/modules"

const doc = `
**When a delivery counts.** With QoS 1, the default, when the broker has answered with PUBACK, with QoS 2 when it has answered with PUBCOMP. With QoS 0 there is no answer: a message
counts when it is written to the socket, and what the network or the broker loses after that is lost. QoS 2 makes no difference to repeats: hookd's next attempt is a new message to the broker.

**What an acknowledgement does not say.** MQTT 3.1.1 has no word for "no": a broker that does not want a message acknowledges it all the same, or closes the connection. Neither hookd nor
its check can tell what was acknowledged and dropped:

| the broker | what happens to an acknowledged message |
|---|---|
| does not let the user publish to the topic (ACL) | Mosquitto drops it, and with QoS 2 closes the connection. Try the topic with a subscriber before you rely on it |
| takes no message of that size (Mosquitto's ` + "`message_size_limit`" + `) | dropped, and the connection closed; set ` + "`max_message_size`" + ` to the same value, and it becomes a dead letter instead |
| has no subscriber for the topic | dropped, as publish and subscribe have it, unless ` + "`retained`" + `. A reader that must get all needs a persistent session (clean session off, a fixed client id, QoS 1), made before the first message |
| has too much waiting for a reader that is away (Mosquitto's ` + "`max_queued_messages`" + `, 1000) | dropped |
| crashes before it wrote its memory to disk (Mosquitto's ` + "`autosave_interval`" + `, 30 minutes) | lost; a proper stop loses nothing where ` + "`persistence`" + ` is on. ` + "`autosave_on_changes true` with `autosave_interval 1`" + ` loses next to nothing, and makes the broker several times slower |

**What is sent.** The delivered bytes as the payload; MQTT 3.1.1 has no headers. The delivery's id, the same on every attempt, has a place in the topic only: with ` + "`{uuid}`" + ` as its last level
a reader can drop what it has seen, and subscribes to ` + "`.../+`" + `. The event's id can be in the body: ` + "`\"format\": \"envelope\"` or `\"cloudevents\"`" + ` of a chain's step. Without either a repeat looks like a new message.
In topics ` + "`{hook}` and `{type}`" + ` are cut to 64 bytes, with anything but letters, digits, ` + "`.`, `_` and `-` replaced by `_`" + `, and ` + "`none`" + ` where there is no type.

**Devices.** ` + "`shelly_gen2_format`" + ` publishes ` + "`{\"id\": device_id, \"source\": \"webhook\", \"params\": body}`" + ` to the topic. ` + "`tasmota_format`" + ` publishes the body to
` + "`cmnd/<device_name>/<command>`, `stat/<device_name>/status` or `tele/<device_name>/telemetry`" + `. In both a body that is no JSON object becomes ` + "`{\"data\": body}`" + `, text as a string.
` + "`topic_prefix`" + ` comes before each of these topics.

**The connection.** A clean session with a client id of its own, made of ` + "`client_id`" + ` and a random part. Brokers of version 5 are spoken to in version 3.1.1. Certificate files are read anew for each connection.
The check connects and says farewell; it can ask for no more.

**What a failure means.**

| what happens | outcome |
|---|---|
| the message is larger than ` + "`max_message_size`" + ` or than MQTT can carry | dead letter at once, ` + "`too_large`" + ` |
| a device's form is wanted, and the body is neither JSON nor text | dead letter at once, ` + "`mqtt_binary`" + ` |
| no acknowledgement in time | connected anew, then tried again, ` + "`timeout`" + `; it may arrive twice |
| the connection is lost with messages in flight | connected anew, then tried again; they may arrive twice |
| the broker refuses user and password (4), or the client (5) | tried again without using attempts up, ` + "`auth_failed`" + ` |
| the broker refuses the client id (2), the version (1), or is not available (3) | the same, ` + "`refused`, `bad_answer`, `unavailable`" + ` |
`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "mqtt",
		Title:           "MQTT",
		Summary:         "Publishes each event to a topic of an MQTT broker and waits for the broker's acknowledgement.",
		Doc:             doc,
		ConnectionTypes: []string{"mqtt"},
		Guarantee:       modules.Duplicates,
		Open:            open,
		New: func(_ modules.Env, k *client, o *Options) (modules.Destination, error) {
			return &destination{client: k, o: o, pattern: o.pattern()}, nil
		},
	})
}

var (
	_ modules.Destination = (*destination)(nil)
	_ modules.Checker     = (*destination)(nil)
	_ modules.Conn        = (*client)(nil)
)
