package redisrq

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// The opcodes of Python's pickle that plain data needs, from Lib/pickle.py. None
// of them names anything that could be called.
const (
	opProto     = 0x80
	opMark      = '('
	opTuple     = 't'
	opStop      = '.'
	opNone      = 'N'
	opTrue      = 0x88
	opFalse     = 0x89
	opInt       = 'J'  // int32, little-endian
	opLong1     = 0x8a // length in one byte, two's complement, little-endian
	opLong4     = 0x8b // length in four bytes
	opFloat     = 'G'  // float64, big-endian
	opText      = 'X'  // length in four bytes, UTF-8
	opBytes     = 'B'  // length in four bytes; protocol 3
	opEmptyList = ']'
	opAppends   = 'e'
	opEmptyDict = '}'
	opSetItems  = 'u'
)

// maxDigits is how long a whole number in JSON may be: what Python reads by
// default (sys.set_int_max_str_digits).
const maxDigits = 4300

var errDigits = fmt.Errorf("a whole number has more than %d digits", maxDigits)

// readable fails when Python's json would not read a JSON text. A worker would
// then fail the job, of which hookd hears nothing.
func readable(body []byte) error {
	run, longest := 0, 0
	for _, c := range body {
		if c < '0' || c > '9' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	if longest <= maxDigits {
		return nil
	}
	return newPickler().json(body) // tells numbers from texts
}

// pickler writes a pickle of protocol 2, or of 3, the first with bytes.
type pickler struct {
	b        bytes.Buffer
	protocol byte
}

func newPickler() *pickler {
	p := &pickler{protocol: 2}
	p.b.Write([]byte{opProto, 0})
	return p
}

// done ends the pickle and returns it.
func (p *pickler) done() []byte {
	p.b.WriteByte(opStop)
	out := p.b.Bytes()
	out[1] = p.protocol
	return out
}

func (p *pickler) op(ops ...byte) { p.b.Write(ops) }

func (p *pickler) sized(op byte, b []byte) {
	p.op(op)
	p.b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(b)))) // #nosec G115 -- bodies are far below 4 GiB
	p.b.Write(b)
}

func (p *pickler) text(s string) { p.sized(opText, []byte(s)) }

func (p *pickler) bytes(b []byte) {
	p.protocol = 3
	p.sized(opBytes, b)
}

// texts is a dict of texts.
func (p *pickler) texts(m map[string]string) {
	p.op(opEmptyDict, opMark)
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p.text(name)
		p.text(m[name])
	}
	p.op(opSetItems)
}

// json writes the value of a JSON text.
func (p *pickler) json(body []byte) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	for {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = p.token(t)
		}
		if err != nil {
			return err
		}
	}
}

func (p *pickler) token(t json.Token) error {
	switch v := t.(type) {
	case json.Delim:
		switch v {
		case '{':
			p.op(opEmptyDict, opMark)
		case '}':
			p.op(opSetItems)
		case '[':
			p.op(opEmptyList, opMark)
		case ']':
			p.op(opAppends)
		}
	case string:
		p.text(v)
	case bool:
		if v {
			p.op(opTrue)
		} else {
			p.op(opFalse)
		}
	case nil:
		p.op(opNone)
	case json.Number:
		return p.number(v.String())
	}
	return nil
}

// number follows Python's json: a fraction or an exponent makes a float, and one
// that is too large is infinite.
func (p *pickler) number(s string) error {
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return err
		}
		p.op(opFloat)
		p.b.Write(binary.BigEndian.AppendUint64(nil, math.Float64bits(f)))
		return nil
	}
	if i, err := strconv.ParseInt(s, 10, 32); err == nil {
		p.op(opInt)
		p.b.Write(binary.LittleEndian.AppendUint32(nil, uint32(int32(i)))) // #nosec G115 -- the bits
		return nil
	}
	if len(s) > maxDigits {
		return errDigits
	}
	i, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return errors.New("no number")
	}
	p.long(i)
	return nil
}

// long writes the two's complement of i, little-endian, as short as it can be
// with the sign in its first bit.
func (p *pickler) long(i *big.Int) {
	n := i.BitLen()/8 + 1
	v := i
	if i.Sign() < 0 {
		v = new(big.Int).Add(i, new(big.Int).Lsh(big.NewInt(1), uint(n)*8)) // #nosec G115 -- n > 0
	}
	b := v.FillBytes(make([]byte, n))
	slices.Reverse(b)
	if n > math.MaxUint8 {
		p.sized(opLong4, b)
		return
	}
	p.op(opLong1, byte(n))
	p.b.Write(b)
}
