package zeromq

import (
	"bytes"
	"testing"
)

// FuzzMessage: whatever a peer says, reading it takes no more room than it may,
// and ends.
func FuzzMessage(f *testing.F) {
	f.Add([]byte("\x00\x05hello"))
	f.Add([]byte("\x01\x00\x00\x05hello"))
	f.Add([]byte("\x04\x05\x04PONG"))
	f.Add([]byte("\x06\x00\x00\x00\x00\x00\x00\x00\x05\x04PING"))
	f.Add([]byte("\x02\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x02\x7f\xff\xff\xff\xff\xff\xff\xffx"))
	f.Add([]byte("\x04\x01\xff"))
	f.Add([]byte("\x04\x00"))
	f.Add(bytes.Repeat([]byte{1, 0}, 100))
	f.Add([]byte("\x00\x02\x01a"))
	f.Add([]byte("\x04\x0c\x09SUBSCRIBEab"))
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1000
		m, err := readMessage(bytes.NewReader(b), limit)
		if err != nil {
			return
		}
		size := 0
		for _, frame := range m.frames {
			size += len(frame)
		}
		if size > limit || len(m.frames) == 0 || len(m.frames) > maxFrames || m.command != "" && len(m.frames) != 1 {
			t.Errorf("%q: %d bytes in %d frames", m.command, size, len(m.frames))
		}
		if topic, _, ok := subscription(m); ok && len(topic) > limit {
			t.Errorf("a topic of %d bytes", len(topic))
		}
	})
}

func FuzzProperties(f *testing.F) {
	f.Add([]byte("\x0bSocket-Type\x00\x00\x00\x04PULL\x08Identity\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x00\x00\x00"))
	f.Add([]byte("\xff"))
	f.Add([]byte("\x01a\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := properties(b)
		size := 0
		for k, v := range all {
			size += len(k) + len(v)
		}
		if err == nil && size > 4*len(b) { // lower case may be longer
			t.Errorf("%d bytes of %d", size, len(b))
		}
	})
}
