package jq

import (
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/itchyny/gojq"
)

// The names of the guards that are woven into a program. They are legal jq
// names that nobody writes by chance.
const (
	guardValue  = "_hookd_value"  // . is no longer than it may be
	guardJSON   = "_hookd_json"   // the JSON of . is no longer than it may be
	guardRegexp = "_hookd_regexp" // . is short enough for a regular expression
	guardSplit  = "_hookd_split"  // . is short enough to be taken apart
	guardDigits = "_hookd_digits" // . holds no number of thousands of digits
	guardIndex  = "_hookd_index"  // . is no index far beyond any array
	guardPath   = "_hookd_path"   // . is a path without such an index
	guardStream = "_hookd_stream" // . is an element of a stream without one
	guardTable  = "_hookd_table"  // transposing . stays within bounds
	guardTimes  = "_hookd_times"  // [a, b] when a * b stays within bounds
)

// guards implements them. Each returns its input, or an error.
func guards() []gojq.CompilerOption {
	check := func(name string, f func(any) error) gojq.CompilerOption {
		return gojq.WithFunction(name, 0, 0, func(v any, _ []any) any {
			if err := f(v); err != nil {
				return err
			}
			return v
		})
	}
	return []gojq.CompilerOption{
		check(guardValue, value),
		check(guardJSON, func(v any) error { return fits(v, MaxString) }),
		check(guardRegexp, atMost(MaxRegexp, "a regular expression over")),
		check(guardSplit, atMost(MaxSplit, "taking apart")),
		check(guardDigits, digits),
		check(guardIndex, index),
		check(guardPath, path),
		check(guardStream, stream),
		check(guardTable, table),
		gojq.WithFunction(guardTimes, 2, 2, func(_ any, ab []any) any {
			if err := times(ab[0], ab[1]); err != nil {
				return err
			}
			return []any{ab[0], ab[1]}
		}),
	}
}

func value(v any) error {
	switch v := v.(type) {
	case string:
		if len(v) > MaxString {
			return fmt.Errorf("%w: a string of %d bytes", ErrSize, len(v))
		}
	case []any:
		if len(v) > MaxArray {
			return fmt.Errorf("%w: an array of %d elements", ErrSize, len(v))
		}
	}
	return nil
}

func atMost(limit int, doing string) func(any) error {
	return func(v any) error {
		if s, ok := v.(string); ok && len(s) > limit {
			return fmt.Errorf("%w: %s %d bytes, more than %d", ErrSize, doing, len(s), limit)
		}
		return nil
	}
}

func digits(v any) error {
	if s, ok := v.(string); ok && longNumber(s) {
		return fmt.Errorf("%w: a number of more than %d characters", ErrSize, MaxNumber)
	}
	return nil
}

func index(v any) error {
	if n, ok := gojq.ToFloat64(v); ok && n > MaxArray {
		return fmt.Errorf("%w: index %.0f", ErrSize, n)
	}
	return nil
}

func path(v any) error {
	steps, _ := v.([]any)
	for _, s := range steps {
		if err := index(s); err != nil {
			return err
		}
	}
	return nil
}

func stream(v any) error {
	if pair, ok := v.([]any); ok && len(pair) > 0 {
		return path(pair[0])
	}
	return nil
}

func table(v any) error {
	rows, _ := v.([]any)
	columns := 0
	for _, r := range rows {
		if r, ok := r.([]any); ok {
			columns = max(columns, len(r))
		}
	}
	if len(rows) > 0 && columns > MaxArray/len(rows) {
		return fmt.Errorf("%w: a table of %d by %d", ErrSize, len(rows), columns)
	}
	return nil
}

func times(a, b any) error {
	s, ok := a.(string)
	n, isNumber := gojq.ToFloat64(b)
	if !ok {
		s, ok = b.(string)
		n, isNumber = gojq.ToFloat64(a)
	}
	if ok && isNumber && n*float64(len(s)) > MaxString {
		return fmt.Errorf("%w: a string of %d bytes repeated %.0f times", ErrSize, len(s), n)
	}
	if x, y := bits(a), bits(b); !ok && x+y > 1<<16 {
		return fmt.Errorf("%w: a product of %d bits", ErrSize, x+y)
	}
	return nil
}

// bits is the size of a whole number; 0 for anything else.
func bits(v any) int {
	switch v := v.(type) {
	case *big.Int:
		return v.BitLen()
	case json.Number:
		return 4 * len(v)
	case int:
		return 64
	}
	return 0
}
