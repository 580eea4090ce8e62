package server_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/server/admin"
)

// tableEnd is a database that TestRows fills. A module joins with a function that
// makes one, in rows_farend_test.go.
type tableEnd struct {
	farEnd
	// numbers are the values of the column n, one for each row, read with a client
	// that is not hookd's.
	numbers func() []string
}

// TestRows sends events to a table of declared columns, one in a hundred of which
// does not fit, while the database and hookd itself are killed. In the end each
// good event is one row, and each bad one a dead letter that names the column.
// HOOKD_ROWS_EVENTS is how many (500), HOOKD_ROWS_KILLS how often each is killed
// (2), HOOKD_ROWS_RATE the load in events a second (250).
func TestRows(t *testing.T) {
	total, kills, rate := number("HOOKD_ROWS_EVENTS", 500), number("HOOKD_ROWS_KILLS", 2), number("HOOKD_ROWS_RATE", 250)
	for _, end := range tableEnds {
		t.Run(end.name, func(t *testing.T) {
			f := end.make(t)
			cfg := f.configure(t, f.addr)
			d := cfg.start(t)
			var (
				books   []*ledger
				sending = make(chan int)
				done    = make(chan struct{})
			)
			go func() {
				defer close(done)
				books = sendRows(cfg, sending)
			}()
			// The kills are spread over the load, which goes on meanwhile.
			gap := max(total/(2*kills+1), 1)
			due := make(chan struct{}, total/gap)
			go func() {
				defer close(sending)
				tick := time.NewTicker(time.Second / time.Duration(rate))
				defer tick.Stop()
				for n := range total {
					<-tick.C
					sending <- n
					if (n+1)%gap == 0 {
						due <- struct{}{}
					}
				}
			}()
			for i := range 2 * kills {
				<-due
				<-time.After(time.Duration(rand.IntN(40)) * time.Millisecond)
				if i%2 == 0 {
					f.kill()
				} else {
					d.kill()
					d = cfg.start(t)
				}
			}
			<-done
			drain(t, cfg, d)
			accountRows(t, cfg, f, books, total)
			d.stop(t)
		})
	}
}

// sendRows sends each number until it is accepted, however often hookd is killed
// meanwhile: a sender repeats what was not answered, under the same delivery id.
func sendRows(cfg daemonConfig, numbers <-chan int) []*ledger {
	const workers = 8
	books := make([]*ledger, workers)
	var wg sync.WaitGroup
	for i := range books {
		books[i] = newLedger()
		wg.Go(func() {
			s := newSender("http://"+cfg.listen, books[i])
			defer s.client.CloseIdleConnections()
			for n := range numbers {
				s.body = rowBody(n)
				for before := len(books[i].accepted); len(books[i].accepted) == before; {
					s.send(n)
					if len(books[i].accepted) == before {
						<-time.After(20 * time.Millisecond)
					}
				}
			}
		})
	}
	wg.Wait()
	return books
}

// badRow says which events do not fit: one in a hundred, in one of four ways.
func badRow(n int) bool { return n%100 == 37 }

func rowBody(n int) string {
	amount, state, when := fmt.Sprintf("%d.25", n), `"paid"`, `"2026-03-04T05:06:07Z"`
	if badRow(n) {
		switch n / 100 % 4 {
		case 0:
			amount = `"a lot"`
		case 1:
			state = `"` + strings.Repeat("x", 50) + `"`
		case 2:
			when = `"yesterday"`
		default:
			state = "null"
		}
	}
	return fmt.Sprintf(`{"n":%d,"order":{"amount":%s},"state":%s,"when":%s,"pad":%q}`, n, amount, state, when, strings.Repeat("x", 800))
}

// rowSchema is the schema that the bodies fit.
const rowSchema = `{"fields": {
	"n": {"type": "integer", "constraints": ["NOT NULL"]},
	"amount": {"type": "numeric(12,2)", "path": "order.amount"},
	"state": {"type": "varchar(20)", "constraints": ["NOT NULL"]},
	"when": {"column": "paid_at", "type": "timestamp"}}}`

func accountRows(t *testing.T, cfg daemonConfig, f tableEnd, books []*ledger, total int) {
	t.Helper()
	accepted, broken := make(map[int]bool), 0
	for _, b := range books {
		broken += b.broken
		for _, n := range b.accepted {
			accepted[n] = true
		}
	}
	times := make(map[string]int)
	rows := f.numbers()
	for _, n := range rows {
		times[n]++
	}
	lost, wrong := 0, 0
	for n := range accepted {
		switch found := times[fmt.Sprint(n)]; {
		case badRow(n) && found > 0:
			wrong++
		case !badRow(n) && found == 0:
			lost++
		}
	}
	dead := deadRows(t, cfg)
	reasons := make(map[string]int)
	for _, d := range dead {
		column := ""
		for _, c := range []string{"amount", "state", "paid_at"} {
			if strings.Contains(d.Note, "column "+c+" ") {
				column = c
			}
		}
		if column == "" || d.Attempts != 1 || !strings.HasSuffix(d.Code, "_value") {
			t.Errorf("dead after %d attempts: %s: %s", d.Attempts, d.Code, d.Note)
		}
		reasons[column]++
	}
	bad := 0
	for n := range total {
		if badRow(n) {
			bad++
		}
	}
	t.Logf("sent %d, accepted %d (%d bad), rows %d, lost %d, duplicates %d, bad rows stored %d, dead letters %d by column %v, requests without an answer %d",
		total, len(accepted), bad, len(rows), lost, len(rows)-len(times), wrong, len(dead), reasons, broken)
	if len(accepted) != total || lost > 0 || wrong > 0 || len(rows) != len(times) || len(rows) != total-bad || len(dead) != bad {
		t.Errorf("want %d rows and %d dead letters", total-bad, bad)
	}
}

// deadRows are all dead deliveries.
func deadRows(t *testing.T, cfg daemonConfig) []admin.Delivery {
	t.Helper()
	client := admin.Client{BaseURL: "http://" + cfg.admin, HTTP: admin.NewHTTPClient()}
	defer client.HTTP.CloseIdleConnections()
	var all []admin.Delivery
	for cursor := ""; ; {
		page, err := client.Dead(context.WithoutCancel(t.Context()), admin.Filter{}, cursor, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			all = append(all, e.Deliveries...)
		}
		if page.Next == "" {
			return all
		}
		cursor = page.Next
	}
}
