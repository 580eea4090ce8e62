package redisrq

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzPickle: a pickle of any JSON holds the JSON's value, as far as it can be
// read back without Python. That Python agrees is TestRealWorker's matter.
func FuzzPickle(f *testing.F) {
	for _, s := range []string{
		`null`, `[true,false,0,-1,255,256,-2147483649,12345678901234567890,-170141183460469231731687303715884105728]`, `[0.1,-0.0,1e400,5e-324,1E2]`,
		`{"a":{"b":[]},"a":{},"é\ud83d\udc4b\u0000":"x\"\\\n"}`, `"\ud800"`, ` [ 1 ,	2 ] `, `1` + strings.Repeat("0", 5000), `[[[[]]]]`, `{`, `-`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !isJSON(body) {
			return
		}
		p := newPickler()
		if err := p.json(body); err != nil {
			if errors.Is(err, errDigits) {
				return
			}
			t.Fatalf("%q: %v", body, err)
		}
		if readable(body) != nil {
			t.Errorf("%q: is not readable, and has a pickle", body)
		}
		got, err := unpickle(p.done())
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if want := value(v); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", body, got, want)
		}
	})
}

// value is a JSON value as Python has it: *big.Int, or float64, which is told
// apart by its bits.
func value(v any) any {
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(string(v), ".eE") {
			i, _ := new(big.Int).SetString(string(v), 10)
			return i.String()
		}
		f, _ := strconv.ParseFloat(string(v), 64)
		return math.Float64bits(f)
	case []any:
		for i := range v {
			v[i] = value(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = value(v[k])
		}
	}
	return v
}

var errPickle = errors.New("no pickle")

// unpickle reads what pickler writes, strictly.
func unpickle(b []byte) (any, error) {
	type mark struct{}
	var stack []any
	take := func(n int) []byte {
		if n < 0 || n > len(b) {
			panic(errPickle)
		}
		out := b[:n]
		b = b[n:]
		return out
	}
	sized := func() []byte { return take(int(binary.LittleEndian.Uint32(take(4)))) }
	items := func() []any {
		at := len(stack) - 1
		for _, is := stack[at].(mark); !is; _, is = stack[at].(mark) {
			at--
		}
		out := slices.Clone(stack[at+1:])
		stack = stack[:at]
		return out
	}
	long := func(b []byte) any {
		b = slices.Clone(b)
		slices.Reverse(b)
		i := new(big.Int).SetBytes(b)
		if len(b) > 0 && b[0] >= 0x80 {
			i.Sub(i, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
		}
		return i.String()
	}
	if head := take(2); head[0] != opProto || head[1] != 2 {
		return nil, errPickle
	}
	for {
		var push any
		switch op := take(1)[0]; op {
		case opMark:
			push = mark{}
		case opNone:
		case opTrue, opFalse:
			push = op == opTrue
		case opInt:
			push = strconv.Itoa(int(int32(binary.LittleEndian.Uint32(take(4)))))
		case opLong1:
			push = long(take(int(take(1)[0])))
		case opLong4:
			push = long(sized())
		case opFloat:
			push = binary.BigEndian.Uint64(take(8))
		case opText:
			push = string(sized())
		case opEmptyList:
			push = []any{}
		case opEmptyDict:
			push = map[string]any{}
		case opAppends:
			all := items()
			stack[len(stack)-1] = append(stack[len(stack)-1].([]any), all...)
			continue
		case opSetItems:
			all := items()
			for i := 0; i < len(all); i += 2 {
				stack[len(stack)-1].(map[string]any)[all[i].(string)] = all[i+1]
			}
			continue
		case opStop:
			if len(stack) != 1 || len(b) != 0 {
				return nil, errPickle
			}
			return stack[0], nil
		default:
			return nil, errPickle
		}
		stack = append(stack, push)
	}
}

// FuzzEscaped: a JSON string that Python turns back into the very bytes. Go
// reads the escapes of lone surrogates as U+FFFD, so the text alone is compared.
func FuzzEscaped(f *testing.F) {
	for _, s := range []string{"", "a", "é", "\xff", "a\xc3", "\xed\xa0\x80", "<&>\u2028", "\x00\"\\"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		text := escaped(body)
		var s string
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatalf("%q: %s: %v", body, text, err)
		}
		if want := string([]rune(string(body))); s != want { // U+FFFD for each byte that is none
			t.Errorf("%q, want %q", s, want)
		}
	})
}
