package mqtt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// codeBinary is of a body that has no place in a device's JSON.
const codeBinary = "mqtt_binary"

// message is what is published of a delivery.
type message struct {
	topic    string
	qos      byte
	retained bool
	payload  []byte
}

func (d *destination) message(x *event.Delivery) (message, error) {
	m := message{topic: d.topic(x), qos: byte(d.o.QoS), retained: d.o.Retained} // #nosec G115 -- 0 to 2
	var err error
	if m.payload, err = d.o.payload(x.Body); err != nil {
		return m, modules.Reject(codeBinary, fmt.Errorf("mqtt: %w", err))
	}
	// The topic and its length, and the packet's id, go with the payload.
	most := int64(maxPacket - len(m.topic) - 4)
	if limit := d.client.config.MaxMessage; limit > 0 {
		most = min(most, limit)
	}
	if n := int64(len(m.payload)); n > most {
		return m, modules.Reject(modules.CodeTooLarge, fmt.Errorf("mqtt: the message has %d bytes, more than %d", n, most))
	}
	return m, nil
}

// payload is the body, or what a device wants around it.
func (o *Options) payload(body []byte) ([]byte, error) {
	if !o.Shelly && !o.Tasmota {
		return body, nil
	}
	b, err := object(body)
	if err != nil || !o.Shelly {
		return b, err
	}
	id, err := json.Marshal(o.DeviceID)
	if err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{[]byte(`{"id":`), id, []byte(`,"source":"webhook","params":`), b, []byte(`}`)}, nil), nil
}

// object makes a JSON object of a body: it is one already, or it becomes the
// member "data" of one, as JSON or as text.
func object(body []byte) ([]byte, error) {
	data := body
	switch {
	case json.Valid(body):
		if bytes.TrimLeft(body, " \t\r\n")[0] == '{' {
			return body, nil
		}
	case utf8.Valid(body):
		var err error
		if data, err = json.Marshal(string(body)); err != nil {
			return nil, err
		}
	default:
		return nil, errors.New("the body is neither JSON nor text: a device's JSON has no place for it")
	}
	return bytes.Join([][]byte{[]byte(`{"data":`), data, []byte(`}`)}, nil), nil
}
