package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// value is what a column of the delivery's row holds.
func (o *Options) value(column string, d *event.Delivery) any {
	switch column {
	case colID:
		return d.ID.String()
	case colHook:
		return d.Event.Hook
	case colTimestamp:
		return d.Event.Received
	case colHeaders:
		return o.headers(d)
	default: // colPayload
		return string(d.Body)
	}
}

func (o *Options) row(s shape, d *event.Delivery) []any {
	row := make([]any, len(s))
	for i, c := range s {
		row[i] = o.value(c.name, d)
	}
	return row
}

// headers are the sender's, with names in lower case as the original service
// wrote them, and hookd's own, which win. The text is JSON, and so UTF-8.
func (o *Options) headers(d *event.Delivery) string {
	if !o.IncludeHeaders {
		return "{}"
	}
	all := make(map[string]string, len(d.Event.Header)+len(d.Header))
	for name, vs := range d.Event.Header {
		if name = strings.ToLower(name); !strings.HasPrefix(name, "hookd-") { // only hookd speaks for itself
			all[name] = strings.Join(vs, ", ")
		}
	}
	add(all, d.Header)
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(all) // a map of texts has no form that it refuses
	return strings.TrimSuffix(b.String(), "\n")
}

func add(all map[string]string, h http.Header) {
	for name, vs := range h {
		all[strings.ToLower(name)] = strings.Join(vs, ", ")
	}
}

// insertAll stores the deliveries with as few inserts as there are bad rows to
// find: an insert that fails because of one is divided until the row is alone.
// It returns an error for each delivery.
func (d *destination) insertAll(ctx context.Context, items []item) []error {
	errs := make([]error, len(items))
	s, err := d.table(ctx)
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	if d.rows == nil {
		d.divide(ctx, s, items, errs)
		return errs
	}
	s, good, at := d.fit(ctx, s, items, errs)
	if len(good) > 0 {
		all := make([]error, len(good))
		d.divide(ctx, s, good, all)
		for n, i := range at {
			errs[i] = all[n]
		}
	}
	return errs
}

// fit makes the rows for the table, and says where in items they belong. What
// does not fit is found before anything is sent: the token of an insert stands
// for the rows in it and no others. It has the table looked at anew, in case
// somebody has made room.
func (d *destination) fit(ctx context.Context, s shape, items []item, errs []error) (now shape, good []item, at []int) {
	for anew := false; ; anew = true {
		good, at = nil, nil
		for i, x := range items {
			if x.values, errs[i] = s.row(d.rows, x.values); errs[i] == nil {
				good, at = append(good, x), append(at, i)
			}
		}
		if anew || len(good) == len(items) {
			return s, good, at
		}
		d.shape.Store(nil)
		next, err := d.table(ctx)
		if err != nil {
			for i := range errs {
				errs[i] = err
			}
			return nil, nil, nil
		}
		s = next
	}
}

func (d *destination) divide(ctx context.Context, s shape, items []item, errs []error) {
	err := d.insert(ctx, s, items)
	if err != nil && len(items) > 1 && isBadRow(err) {
		half := len(items) / 2
		d.divide(ctx, s, items[:half], errs[:half])
		d.divide(ctx, s, items[half:], errs[half:])
		return
	}
	for i := range errs {
		errs[i] = err
	}
}

// insert stores the deliveries in one block, synchronously: it returns nil when
// the server says that the part is written.
func (d *destination) insert(ctx context.Context, s shape, items []item) error {
	known, err := d.client.settings(ctx)
	if err != nil {
		return err
	}
	err = d.client.do(ctx, func(db driver.Conn) error {
		ctx := ch.Context(ctx, ch.WithSettings(d.insertSettings(known, items)))
		b, err := db.PrepareBatch(ctx, s.insert(d.o.Table))
		if err != nil {
			return err
		}
		if d.rows != nil && !s.stands(b.Columns()) {
			return errors.Join(modules.Retry(codeTable, errors.New("its columns have changed meanwhile")), b.Close())
		}
		for _, x := range items {
			row := x.values
			if row == nil {
				row = d.o.row(s, x.Delivery)
			}
			if err := b.Append(row...); err != nil {
				return modules.Reject(modules.CodeRefused, &badRow{unfit(err)})
			}
		}
		return b.Send()
	})
	if err == nil {
		return nil
	}
	f := modules.FailureOf(err)
	f.Err = fmt.Errorf("table %q: %w", d.o.Table, f.Err)
	if f.Kind == modules.Retryable {
		d.shape.Store(nil) // it may not be what it was, nor the server
		d.client.forget()
	}
	return &f
}

// unfit says which column does not take its value; the library's words may quote
// the value.
func unfit(err error) error {
	var b *proto.BlockError
	if errors.As(err, &b) && b.ColumnName != "" {
		return fmt.Errorf("column %q does not take its value", b.ColumnName)
	}
	return errors.New("a column does not take its value")
}

// insertSettings are the operator's, then hookd's own: no answer before the rows
// are stored, and a name for this very set of deliveries, by which the server
// knows an insert again whose answer was lost.
func (d *destination) insertSettings(known map[string]bool, items []item) ch.Settings {
	s := make(ch.Settings, len(d.client.config.Settings)+len(known))
	for name, text := range d.client.config.Settings {
		s[name] = text
		if n, err := strconv.Atoi(text); err == nil {
			s[name] = n
		}
	}
	if known[settingAsync] {
		s[settingAsync] = 0
	}
	if known[settingToken] {
		s[settingToken] = token(items)
	}
	return s
}

// token is the same for the same deliveries in any order.
func token(items []item) string {
	all := make(map[event.ID]bool, len(items))
	for _, x := range items {
		all[x.ID] = true
	}
	h := sha256.New()
	for _, id := range slices.SortedFunc(maps.Keys(all), func(a, b event.ID) int { return strings.Compare(string(a[:]), string(b[:])) }) {
		h.Write(id[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
