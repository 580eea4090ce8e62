package scheme

import (
	"encoding/json"
	"errors"

	"github.com/hookd/hookd/auth"
)

// maxItems bounds the signatures that one request has computed.
const maxItems = 1000

// verifyItems verifies each item of the array. The body is checked to be JSON:
// what is beside the items is covered by nothing, and must not make readers
// differ in what the items are.
func (a *alternative) verifyItems(in *input) (who int, code string) {
	if !json.Valid(in.r.Body) {
		return 0, auth.CodeMalformed
	}
	items, code := a.splitItems(in.r.Body)
	if code != "" {
		return 0, code
	}
	for _, at := range items {
		in.item = in.r.Body[at.from:at.to]
		if code := a.unfolded(in.item); code != "" {
			return 0, code
		}
		if who, code = a.verifyOne(in); code != "" {
			return 0, code
		}
	}
	return who, ""
}

// splitItems is where the items are: at least one, each an object.
func (a *alternative) splitItems(body []byte) ([]span, string) {
	at, err := locateJSON(body, a.items.path)
	if errors.Is(err, ErrDuplicate) {
		return nil, auth.CodeDoubled
	}
	if err != nil || at == (span{}) || body[at.from] != '[' {
		return nil, auth.CodeMalformed
	}
	s := scanner{b: body[:at.to], i: at.from + 1}
	var items []span
	for s.peek() != ']' || len(items) > 0 {
		if len(items) == maxItems {
			return nil, auth.CodeTooLong
		}
		if s.peek() != '{' {
			return nil, auth.CodeMalformed
		}
		from := s.i
		if err := s.skip(); err != nil {
			return nil, auth.CodeMalformed
		}
		items = append(items, span{from, s.i})
		if end, err := s.separator(']'); err != nil {
			return nil, auth.CodeMalformed
		} else if end {
			break
		}
	}
	if len(items) == 0 {
		return nil, auth.CodeMissing
	}
	return items, ""
}

// unfolded refuses an item that has a member which is read a second time in
// another case.
func (a *alternative) unfolded(item []byte) (code string) {
	for _, src := range append(a.read(), a.at...) {
		if src.kind != fromItem {
			continue
		}
		if _, err := locateJSON(item, src.path); err != nil {
			return auth.CodeDoubled
		}
	}
	return ""
}
