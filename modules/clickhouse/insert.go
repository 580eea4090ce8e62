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
func (d *destination) insertAll(ctx context.Context, ds []*event.Delivery) []error {
	errs := make([]error, len(ds))
	s, err := d.table(ctx)
	if err == nil {
		d.divide(ctx, s, ds, errs)
		return errs
	}
	for i := range errs {
		errs[i] = err
	}
	return errs
}

func (d *destination) divide(ctx context.Context, s shape, ds []*event.Delivery, errs []error) {
	err := d.insert(ctx, s, ds)
	if err != nil && len(ds) > 1 && isBadRow(err) {
		half := len(ds) / 2
		d.divide(ctx, s, ds[:half], errs[:half])
		d.divide(ctx, s, ds[half:], errs[half:])
		return
	}
	for i := range errs {
		errs[i] = err
	}
}

// insert stores the deliveries in one block, synchronously: it returns nil when
// the server says that the part is written.
func (d *destination) insert(ctx context.Context, s shape, ds []*event.Delivery) error {
	known, err := d.client.settings(ctx)
	if err != nil {
		return err
	}
	statement := "INSERT INTO `" + d.o.Table + "` (`" + strings.Join(s, "`, `") + "`)"
	err = d.client.do(ctx, func(db driver.Conn) error {
		ctx := ch.Context(ctx, ch.WithSettings(d.insertSettings(known, ds)))
		b, err := db.PrepareBatch(ctx, statement)
		if err != nil {
			return err
		}
		row := make([]any, len(s))
		for _, x := range ds {
			for i, c := range s {
				row[i] = d.o.value(c, x)
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
func (d *destination) insertSettings(known map[string]bool, ds []*event.Delivery) ch.Settings {
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
		s[settingToken] = token(ds)
	}
	return s
}

// token is the same for the same deliveries in any order.
func token(ds []*event.Delivery) string {
	all := make(map[event.ID]bool, len(ds))
	for _, d := range ds {
		all[d.ID] = true
	}
	h := sha256.New()
	for _, id := range slices.SortedFunc(maps.Keys(all), func(a, b event.ID) int { return strings.Compare(string(a[:]), string(b[:])) }) {
		h.Write(id[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
