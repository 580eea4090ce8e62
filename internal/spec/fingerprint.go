package spec

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"math"
	"net/url"
	"slices"
	"time"

	"github.com/hookd/hookd/internal/secret"
)

// Fingerprint is a keyed hash (HMAC-SHA-256) of the present content of d,
// secrets included: two descriptions with equal fingerprints under one key mean
// the same connection. Neither the order of keys in the file nor the order of a
// Go map has a part in it, and a default that is written out equals one that is
// not. Without the key it tells nothing of the secrets.
func Fingerprint(key []byte, d Described) [sha256.Size]byte {
	c := canon{hmac.New(sha256.New, key)}
	c.described(d)
	return [sha256.Size]byte(c.Sum(nil))
}

// canon writes values so that no two different ones give the same bytes: each
// has a tag, and a length where it can vary.
type canon struct{ hash.Hash }

func (c canon) number(tag byte, n uint64) {
	var b [9]byte
	b[0] = tag
	binary.BigEndian.PutUint64(b[1:], n)
	c.Write(b[:])
}

func (c canon) text(tag byte, s string) {
	c.number(tag, uint64(len(s)))
	c.Write([]byte(s))
}

func (c canon) described(d Described) {
	fields := map[string]Field{}
	for _, f := range d.Fields() {
		if f.Info().Ignored == "" {
			fields[f.Info().Name] = f
		}
	}
	c.number('o', uint64(len(fields)))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		c.text('k', name)
		if s, ok := fields[name].(interface{ written() *bool }); ok && s.written() != nil {
			c.value(*s.written())
		}
		c.value(fields[name].plain())
	}
}

func (v *Value[T]) written() *bool { return v.set }
func (g *Group) written() *bool    { return g.set }

func (c canon) value(v any) {
	switch v := v.(type) {
	case nil:
		c.number('0', 0)
	case string:
		c.text('s', v)
	case int64:
		c.number('i', uint64(v))
	case float64:
		c.number('f', math.Float64bits(v))
	case bool:
		n := uint64(0)
		if v {
			n = 1
		}
		c.number('b', n)
	case time.Duration:
		c.number('d', uint64(v))
	case url.URL:
		c.text('u', v.String())
	case secret.String:
		c.text('x', v.Reveal())
	case []secret.String:
		each(c, v)
	case []string:
		each(c, v)
	case map[string]string:
		keyed(c, v)
	case map[string]secret.String:
		keyed(c, v)
	case Described:
		c.described(v)
	case []Described:
		each(c, v)
	case map[string]Described:
		keyed(c, v)
	default:
		// Any: encoding/json sorts the keys.
		b, err := json.Marshal(v)
		if err != nil {
			b = fmt.Appendf(nil, "%T", v)
		}
		c.text('j', string(b))
	}
}

func each[T any](c canon, vs []T) {
	c.number('l', uint64(len(vs)))
	for _, v := range vs {
		c.value(v)
	}
}

func keyed[T any](c canon, m map[string]T) {
	c.number('m', uint64(len(m)))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		c.text('k', k)
		c.value(m[k])
	}
}
