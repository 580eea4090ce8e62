package scheme

import (
	"errors"
	"fmt"

	"github.com/hookd/hookd/auth"
)

// Reader reads lists of sources of a verified request: the delivery id, the
// event type. It is immutable and safe for concurrent use.
type Reader struct {
	lists [][]Source
	paths []jsonPath
}

// maxMark is the length in bytes of the longest value that a Reader returns.
const maxMark = 512

// NewReader takes the lists; in each, the first source that has a value wins.
func NewReader(lists ...[]Source) (*Reader, error) {
	rd := &Reader{lists: lists}
	for _, list := range lists {
		for _, src := range list {
			switch {
			case src.kind == fromJSON:
				rd.paths = append(rd.paths, src.path)
			case src.kind == fromItem || src.kind == fromSig || src.wild:
				return nil, fmt.Errorf("%s is read from signatures only", src)
			}
		}
	}
	if len(rd.paths) > 32 {
		return nil, errors.New("more than 32 JSON sources")
	}
	return rd, nil
}

// Unambiguous returns ErrDuplicate when a JSON member that Read takes is there
// twice. A body that is no JSON is not its business.
func (rd *Reader) Unambiguous(body []byte) error {
	if err := findJSON(body, rd.paths, nil); errors.Is(err, ErrDuplicate) {
		return err
	}
	return nil
}

// Read puts the value of each list and the source that had it into values and
// from. What is missing, doubled, over-long or holds control characters is
// as if absent.
func (rd *Reader) Read(r *auth.Request, values []string, from []Source) {
	var room [8]string
	found := room[:0]
	if len(rd.paths) > len(room) {
		found = make([]string, 0, len(rd.paths))
	}
	found = found[:len(rd.paths)]
	if err := findJSON(r.Body, rd.paths, found); err != nil {
		clear(found)
	}
	in := input{r: r}
	next := 0 // the JSON sources come in the order of the lists
	for i, list := range rd.lists {
		for _, src := range list {
			var v, code string
			if src.kind == fromJSON {
				v = found[next]
				next++
			} else {
				v, code = src.read(&in)
			}
			if values[i] == "" && code == "" && v != "" && len(v) <= maxMark && !auth.HasControl(v) {
				values[i], from[i] = v, src
			}
		}
	}
}
