package jq

import (
	"encoding/json"
	"fmt"
	"math/big"
)

// fits reports whether the JSON of v has about limit bytes at most. It stops as
// soon as that is exceeded, so that a small value that shares its parts a
// million times over costs no more than limit.
func fits(v any, limit int) error {
	left := limit
	if !spend(v, &left, MaxDepth) {
		return fmt.Errorf("%w: more than %d bytes or %d levels of JSON", ErrSize, limit, MaxDepth)
	}
	return nil
}

func spend(v any, left *int, depth int) bool {
	if depth == 0 {
		return false
	}
	*left -= 2
	switch v := v.(type) {
	case string:
		*left -= len(v)
	case json.Number:
		*left -= len(v)
	case *big.Int:
		*left -= v.BitLen() / 3
	case []any:
		for _, e := range v {
			if *left < 0 || !spend(e, left, depth-1) {
				return false
			}
		}
	case map[string]any:
		for k, e := range v {
			*left -= len(k) + 3
			if *left < 0 || !spend(e, left, depth-1) {
				return false
			}
		}
	}
	return *left >= 0
}
