package clickhouse

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/modules/internal/rows"
)

// columnType is the type of a column that is there, taken apart.
type columnType struct {
	text     string // as the server has it
	base     string // its name, without Nullable and LowCardinality
	args     string // of the base, without spaces
	nullable bool
}

// parseType never fails: what it does not understand is a base that takes no
// value.
func parseType(text string) columnType {
	t := columnType{text: text}
	rest := text
	for {
		if inner, ok := within(rest, "LowCardinality"); ok {
			rest = inner
		} else if inner, ok := within(rest, "Nullable"); ok {
			rest, t.nullable = inner, true
		} else {
			break
		}
	}
	name, args, found := strings.Cut(rest, "(")
	if t.base = name; found {
		t.args = strings.ReplaceAll(strings.TrimSuffix(args, ")"), " ", "")
	}
	return t
}

func within(s, name string) (inner string, ok bool) {
	inner, ok = strings.CutPrefix(s, name+"(")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(inner, ")")
}

// same reports types that take the same values.
func (t columnType) same(other columnType) bool {
	t.text, other.text = "", ""
	return t == other
}

// holdsID reports a type that can have a delivery's id, a text of 36 characters.
func (t columnType) holdsID() bool {
	return t.base == "String" || t.base == "UUID" || t.base == "FixedString" && t.size() >= len("00000000-0000-0000-0000-000000000000")
}

// size is the first argument, a number; 0 when it is none.
func (t columnType) size() int {
	first, _, _ := strings.Cut(t.args, ",")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}

// taker makes what the client library puts into a column of a value of the row
// that is not NULL. The library itself would cut numbers off that are too large
// for their column.
type taker func(v any) (any, error)

// integers are the sizes of the types of whole numbers, in bits; below 0 with a
// sign.
var integers = map[string]int{"Int8": -8, "Int16": -16, "Int32": -32, "Int64": -64, "UInt8": 8, "UInt16": 16, "UInt32": 32, "UInt64": 64}

// taker finds out how values of a declared kind go into a column of the type;
// nil when they do not.
func (t columnType) taker(k rows.Kind) taker {
	bits, whole := integers[t.base]
	switch {
	case t.base == "String":
		return text
	case t.base == "FixedString":
		return fixed(t.size())
	case k == rows.Text && (t.base == "Enum8" || t.base == "Enum16"): // the library knows the values
		return text
	case k == rows.UUID && t.base == "UUID", k == rows.Boolean && t.base == "Bool":
		return func(v any) (any, error) { return v, nil }
	case k == rows.Boolean && whole:
		return bit
	case k == rows.Integer && whole:
		return integer(bits)
	case k == rows.Float && t.base == "Float64":
		return float
	case k == rows.Float && t.base == "Float32":
		return float32Of
	case (k == rows.Decimal || k == rows.Integer) && t.base == "Decimal":
		return t.decimal()
	case k == rows.Timestamp && t.base == "DateTime":
		return stamp(time.Unix(0, 0), endOfOld)
	case k == rows.Timestamp && t.base == typeStamp64:
		return stamp(beginOfNew, endOfNew)
	case k == rows.Date && t.base == "Date":
		return date(time.Unix(0, 0), endOfOld)
	case k == rows.Date && t.base == typeDate32:
		return date(beginOfNew, endOfNew)
	}
	return nil
}

// Times that every server understands alike: older ones have no year 2106, and
// the first of those that know the larger types none after 2283. The library
// counts nanoseconds in 64 bits, up to 2262.
var (
	endOfOld   = time.Date(2106, 1, 1, 0, 0, 0, 0, time.UTC)
	beginOfNew = time.Date(1925, 1, 1, 0, 0, 0, 0, time.UTC)
	endOfNew   = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

func text(v any) (any, error) {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.000000"), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return v, nil
}

func fixed(size int) taker {
	return func(v any) (any, error) {
		out, err := text(v)
		if s, ok := out.(string); ok && len(s) > size {
			return nil, fmt.Errorf("got %d bytes, more than the %d of the table's column", len(s), size)
		}
		return out, err
	}
}

func bit(v any) (any, error) {
	if v == true {
		return int64(1), nil
	}
	return int64(0), nil
}

var errRange = errors.New("got a number beyond the range of the table's column")

func integer(bits int) taker {
	return func(v any) (any, error) {
		s := fmt.Sprint(v)
		if bits > 0 {
			n, err := strconv.ParseUint(s, 10, bits)
			if err != nil {
				return nil, errRange
			}
			return n, nil
		}
		n, err := strconv.ParseInt(s, 10, -bits)
		if err != nil {
			return nil, errRange
		}
		return n, nil
	}
}

func float(v any) (any, error) {
	f, err := strconv.ParseFloat(fmt.Sprint(v), 64)
	if err != nil {
		return nil, errRange
	}
	return f, nil
}

func float32Of(v any) (any, error) {
	f, err := float(v)
	if n, ok := f.(float64); ok && math.Abs(n) > math.MaxFloat32 {
		return nil, errRange
	}
	return f, err
}

// decimal keeps every digit: a value that the column has no room for is refused,
// whatever the schema says.
func (t columnType) decimal() taker {
	_, scale, _ := strings.Cut(t.args, ",")
	n, err := strconv.Atoi(scale)
	if err != nil || t.size() == 0 {
		return nil
	}
	exact := rows.Type{Kind: rows.Decimal, Size: t.size(), Scale: n, Written: t.text}
	return func(v any) (any, error) { return exact.Value(json.Number(fmt.Sprint(v))) }
}

// stamp takes times of [from, to).
func stamp(from, to time.Time) taker {
	return func(v any) (any, error) {
		at, ok := v.(time.Time)
		if !ok || at.Before(from) || !at.Before(to) {
			return nil, fmt.Errorf("got a time outside of the years %d to %d, which the table's column has", from.UTC().Year(), to.Year()-1)
		}
		return at.UTC(), nil
	}
}

func date(from, to time.Time) taker {
	take := stamp(from, to)
	return func(v any) (any, error) {
		at, err := time.Parse(time.DateOnly, fmt.Sprint(v))
		if err != nil {
			return nil, errors.New("got what is no date")
		}
		return take(at)
	}
}
