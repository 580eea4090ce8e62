package rows

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Value makes a value of the type, as Table.Row gives it, of a JSON value that
// is not null. Numbers and booleans may come as texts, as forms have them;
// nothing else is bent.
func (t Type) Value(v any) (any, error) {
	switch n := v.(type) { // of a default in the configuration, or of jq
	case float64:
		v = json.Number(strconv.FormatFloat(n, 'g', -1, 64))
	case int:
		v = json.Number(strconv.Itoa(n))
	}
	switch t.Kind {
	case Text:
		return t.text(v)
	case Integer:
		return t.integer(v)
	case Float:
		s, err := t.number(v)
		if err != nil {
			return nil, err
		}
		if _, err := strconv.ParseFloat(s, 64); err != nil {
			return nil, fmt.Errorf("got a number beyond the range of %s", t)
		}
		return s, nil
	case Decimal:
		return t.decimal(v)
	case Boolean:
		return t.boolean(v)
	case Timestamp:
		return t.timestamp(v)
	case Date:
		return t.date(v)
	case Clock:
		return t.clock(v)
	case JSON:
		return encode(v), nil
	case UUID:
		return t.uuid(v)
	default:
		return nil, fmt.Errorf("the kind %d is not known", t.Kind)
	}
}

func (t Type) unfit(v any) error { return fmt.Errorf("got %s", describe(v)) }

func (t Type) text(v any) (any, error) {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case json.Number:
		s = v.String()
	case bool:
		s = strconv.FormatBool(v)
	default:
		s = encode(v)
	}
	if n := utf8.RuneCountInString(s); t.Size > 0 && n > t.Size {
		return nil, fmt.Errorf("got %d characters, more than %d", n, t.Size)
	}
	return s, nil
}

var numeral = regexp.MustCompile(`^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,5})?$`)

// number is the text of a number, in JSON's form or near it.
func (t Type) number(v any) (string, error) {
	switch v := v.(type) {
	case json.Number:
		if numeral.MatchString(v.String()) {
			return v.String(), nil
		}
		return "", fmt.Errorf("got a number beyond the range of %s", t)
	case string:
		if s := strings.TrimSpace(v); len(s) <= 1000 && numeral.MatchString(s) {
			return s, nil
		}
	}
	return "", t.unfit(v)
}

// maxExponent bounds what is computed with: 1e400 is a number of 400 digits.
const maxExponent = 400

// exact is the number as a fraction.
func (t Type) exact(v any) (*big.Rat, string, error) {
	s, err := t.number(v)
	if err != nil {
		return nil, "", err
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > maxExponent || e < -maxExponent {
			return nil, "", fmt.Errorf("got a number beyond the range of %s", t)
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, "", t.unfit(v)
	}
	return r, s, nil
}

func (t Type) integer(v any) (any, error) {
	r, _, err := t.exact(v)
	switch {
	case err != nil:
		return nil, err
	case !r.IsInt():
		return nil, fmt.Errorf("got a number with a fraction")
	case !r.Num().IsInt64():
		return nil, fmt.Errorf("got a number beyond 64 bits")
	}
	return r.Num().String(), nil
}

// decimal keeps every digit: databases round to the declared scale without a
// word.
func (t Type) decimal(v any) (any, error) {
	r, s, err := t.exact(v)
	if err != nil || t.Size == 0 {
		return s, err
	}
	ten := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	scaled := new(big.Rat).Mul(r, new(big.Rat).SetInt(ten(t.Scale)))
	if !scaled.IsInt() {
		return nil, fmt.Errorf("got more than %d digits behind the point, which would be rounded", t.Scale)
	}
	if scaled.Num().CmpAbs(ten(t.Size)) >= 0 {
		return nil, fmt.Errorf("got more than %d digits before the point", t.Size-t.Scale)
	}
	return r.FloatString(t.Scale), nil
}

func (t Type) boolean(v any) (any, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case json.Number:
		switch v {
		case "0":
			return false, nil
		case "1":
			return true, nil
		}
	case string:
		switch strings.ToLower(v) {
		case "true", "1":
			return true, nil
		case "false", "0":
			return false, nil
		}
	}
	return nil, t.unfit(v)
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func (t Type) uuid(v any) (any, error) {
	if s, ok := v.(string); ok && uuidForm.MatchString(strings.ToLower(s)) {
		return strings.ToLower(s), nil
	}
	return nil, t.unfit(v)
}

// stamps are the forms of a time. One without a zone is UTC.
var stamps = []string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999Z07",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02",
}

func parseStamp(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 10 && strings.ContainsRune(" tT", rune(s[10])) {
		s = s[:10] + "T" + strings.TrimSpace(strings.ToUpper(s[11:]))
	}
	for _, form := range stamps {
		if at, err := time.Parse(form, s); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// timestamp takes RFC 3339 and its like, and Unix time: seconds, or from 10^11
// on milliseconds.
func (t Type) timestamp(v any) (any, error) {
	switch x := v.(type) {
	case string:
		if at, ok := parseStamp(x); ok {
			return at.UTC(), nil
		}
	case json.Number:
		r, _, err := t.exact(x)
		if err != nil {
			return nil, err
		}
		perSecond := int64(1)
		if new(big.Rat).Abs(r).Cmp(big.NewRat(100_000_000_000, 1)) >= 0 {
			perSecond = 1000
		}
		micros := new(big.Rat).Mul(r, big.NewRat(1_000_000, perSecond))
		whole := new(big.Int).Quo(micros.Num(), micros.Denom())
		if whole.IsInt64() {
			if at := time.UnixMicro(whole.Int64()).UTC(); at.Year() >= 1 && at.Year() <= 9999 {
				return at, nil
			}
		}
		return nil, fmt.Errorf("got a number that is no Unix time of the years 1 to 9999")
	}
	return nil, t.unfit(v)
}

// date is the day as it is written, whatever the zone.
func (t Type) date(v any) (any, error) {
	if s, ok := v.(string); ok {
		if at, ok := parseStamp(s); ok {
			return at.Format(time.DateOnly), nil
		}
	}
	return nil, t.unfit(v)
}

func (t Type) clock(v any) (any, error) {
	if s, ok := v.(string); ok {
		for _, form := range []string{"15:04:05.999999999", "15:04"} {
			if at, err := time.Parse(form, strings.TrimSpace(s)); err == nil {
				return at.Format("15:04:05.999999"), nil
			}
		}
	}
	return nil, t.unfit(v)
}

// now is the time of receipt for a column of a kind.
func now(k Kind, at time.Time) any {
	at = at.UTC()
	switch k {
	case Date:
		return at.Format(time.DateOnly)
	case Clock:
		return at.Format("15:04:05.999999")
	case Text:
		return at.Format(time.RFC3339Nano)
	default:
		return at
	}
}
