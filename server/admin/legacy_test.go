package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/server/admin"
)

func remote(r *http.Request) netip.Addr {
	a, _ := netip.ParseAddrPort(r.RemoteAddr)
	return a.Addr()
}

func counts() map[string]admin.Windows {
	return map[string]admin.Windows{"github": {Total: 9, Minute: 1, Minutes5: 2, Minutes15: 3, Minutes30: 4, Hour: 5, Day: 6, Week: 7, Month: 8}, "other": {}}
}

func send(h http.Handler, method, from, body string, authorization ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/x", strings.NewReader(body))
	r.RemoteAddr = from + ":4711"
	for _, a := range authorization {
		r.Header.Add("Authorization", a)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestLegacyStats(t *testing.T) {
	t.Parallel()
	base := admin.LegacyStats{RateLimit: 60, Client: remote, Counts: counts}
	secured, listed, hidden := base, base, base
	secured.Token = secret.New(token)
	listed.AllowedIPs = []string{"192.0.2.1", " 198.51.100.0/24", "2001:db8::1"}
	hidden.SanitizeIDs = true
	for _, tc := range []struct {
		name  string
		stats admin.LegacyStats
		from  string
		auth  []string
		want  int
	}{
		{"open", base, "192.0.2.1", nil, 200},
		{"no token", secured, "192.0.2.1", nil, 401},
		{"wrong", secured, "192.0.2.1", []string{"Bearer x"}, 401},
		{"blank", secured, "192.0.2.1", []string{"Bearer  "}, 401},
		{"empty", secured, "192.0.2.1", []string{""}, 401},
		{"bearer", secured, "192.0.2.1", []string{"Bearer " + token}, 200},
		{"raw", secured, "192.0.2.1", []string{token}, 200},
		{"twice", secured, "192.0.2.1", []string{token, token}, 401},
		{"allowed", listed, "192.0.2.1", nil, 200},
		{"allowed by mapped address", listed, "[::ffff:192.0.2.1]", nil, 200},
		{"allowed by network", listed, "198.51.100.77", nil, 200},
		{"allowed v6", listed, "[2001:db8::1]", nil, 200},
		{"not allowed", listed, "192.0.2.2", nil, 403},
		{"nobody", listed, "?", nil, 403},
		{"hidden ids", hidden, "192.0.2.1", nil, 200},
	} {
		h, err := tc.stats.Handler()
		if err != nil {
			t.Fatal(err)
		}
		w := send(h, "GET", tc.from, "", tc.auth...)
		if w.Code != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, w.Code, tc.want)
		}
		want := `{"github":{"total":9,"minute":1,"5_minutes":2,"15_minutes":3,"30_minutes":4,"hour":5,"day":6,"week":7,"month":8}}`
		if tc.stats.SanitizeIDs {
			want = strings.Replace(want, "github", "webhook_c0b0109d9439de57", 1)
		}
		if got := w.Body.String(); tc.want == 200 && got != want {
			t.Errorf("%s: %s, want %s", tc.name, got, want)
		} else if tc.want != 200 && !strings.Contains(got, `"detail"`) {
			t.Errorf("%s: no detail in %s", tc.name, got)
		}
	}
	base.AllowedIPs = []string{"localhost"}
	if _, err := base.Handler(); err == nil {
		t.Error("a name passed as an address")
	}
}

func TestLegacyStatsRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, err := admin.LegacyStats{RateLimit: 60, Client: remote, Counts: counts, Token: secret.New(token)}.Handler()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 60 {
			if w := send(h, "GET", "192.0.2.1", "", token); w.Code != 200 {
				t.Fatalf("call %d: %d", i, w.Code)
			}
		}
		<-time.After(20 * time.Second)
		w := send(h, "GET", "192.0.2.1", "", token)
		if w.Code != 429 || w.Result().Header.Get("Retry-After") != "40" {
			t.Errorf("call 61: %d, Retry-After %q", w.Code, w.Result().Header.Get("Retry-After"))
		}
		if w = send(h, "GET", "192.0.2.2", "", token); w.Code != 200 {
			t.Errorf("another client: %d", w.Code)
		}
		<-time.After(40 * time.Second)
		if w = send(h, "GET", "192.0.2.1", "", token); w.Code != 200 {
			t.Errorf("a minute later: %d", w.Code)
		}
		// One host has a whole /64.
		for i := range 60 {
			send(h, "GET", fmt.Sprintf("[2001:db8::%x]", i+1), "", token)
		}
		if w = send(h, "GET", "[2001:db8::ffff]", "", token); w.Code != 429 {
			t.Errorf("the 61st of a /64: %d", w.Code)
		}
		// Many clients take a bounded amount of memory, and share a count then.
		refused := 0
		for i := range 10200 {
			w = send(h, "GET", fmt.Sprintf("10.%d.%d.1", i/256, i%256), "", token)
			if w.Code == 429 {
				refused++
			}
		}
		if refused == 0 || refused > 200 {
			t.Errorf("%d of 10200 clients refused", refused)
		}
		<-time.After(time.Minute)
		if w = send(h, "GET", "10.200.0.1", "", token); w.Code != 200 {
			t.Errorf("after the flood: %d", w.Code)
		}
	})
	for limit, want := range map[int]int{0: 429, -1: 200} {
		h, _ := admin.LegacyStats{RateLimit: limit, Client: remote, Counts: counts}.Handler()
		if w := send(h, "GET", "192.0.2.1", ""); w.Code != want {
			t.Errorf("limit %d: %d, want %d", limit, w.Code, want)
		}
	}
}

func reloader(result admin.ReloadResult, err error, asked *[]admin.ReloadRequest) (reload, status http.Handler) {
	return admin.LegacyReload{
		Token: secret.New(token), Client: remote,
		Reload: func(_ context.Context, r admin.ReloadRequest) (admin.ReloadResult, error) {
			*asked = append(*asked, r)
			return result, err
		},
		Status: func() admin.ConfigStatus { return admin.ConfigStatus{Webhooks: 3, FileWatching: true} },
	}.Handlers()
}

func TestLegacyReload(t *testing.T) {
	t.Parallel()
	good := admin.ReloadResult{OK: true, Hooks: admin.Change{Added: []string{"new"}, Total: 4}}
	bad := admin.ReloadResult{Problems: []admin.Problem{{Severity: "error", Place: "/etc/hookd/webhooks.json:3:4", Message: "unknown key"}}}
	for _, tc := range []struct {
		name, body string
		result     admin.ReloadResult
		err        error
		want       int
		status     string
		asked      int
		dry        bool
	}{
		{name: "empty", result: good, want: 200, status: "success", asked: 1},
		{name: "no json", body: "reload!", result: good, want: 200, status: "success", asked: 1},
		{name: "list", body: "[]", result: good, want: 200, status: "success", asked: 1},
		{name: "one", body: `{"reload_connections":false}`, result: good, want: 200, status: "success", asked: 1},
		{name: "none", body: `{"reload_connections":false,"reload_webhooks":"false"}`, result: good, want: 200, status: "error"},
		{name: "check", body: `{"validate_only":true}`, result: good, want: 200, status: "valid", asked: 1, dry: true},
		{name: "check said no", body: `{"validate_only":"false"}`, result: good, want: 200, status: "success", asked: 1},
		{name: "check of bad files", body: `{"validate_only":1}`, result: bad, want: 400, status: "error", asked: 1, dry: true},
		{name: "bad files", result: bad, want: 400, status: "error", asked: 1},
		{name: "cannot", err: errors.New("hush"), want: 503, asked: 1},
		{name: "huge", body: strings.Repeat(" ", 1<<20+1), result: good, want: 413},
	} {
		var asked []admin.ReloadRequest
		reload, _ := reloader(tc.result, tc.err, &asked)
		w := send(reload, "POST", "192.0.2.1", tc.body, "Bearer "+token)
		var got struct {
			Status    any
			Error     string
			Reloaded  map[string]bool
			Timestamp time.Time
			Details   struct {
				Webhooks admin.Change
				Problems []admin.Problem
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if w.Code != tc.want || tc.status != "" && got.Status != tc.status || len(asked) != tc.asked || tc.asked == 1 && asked[0].DryRun != tc.dry {
			t.Errorf("%s: %d %s, asked %v", tc.name, w.Code, w.Body, asked)
		}
		if tc.status == "success" && (!got.Reloaded["webhooks"] || !got.Reloaded["connections"] || got.Details.Webhooks.Total != 4 || got.Timestamp.IsZero()) {
			t.Errorf("%s: %s", tc.name, w.Body)
		}
		if (tc.status == "error") != (got.Error != "") {
			t.Errorf("%s: error %q", tc.name, got.Error)
		}
		if strings.Contains(w.Body.String(), "/etc/") || strings.Contains(w.Body.String(), "hush") {
			t.Errorf("%s: says too much: %s", tc.name, w.Body)
		}
		if len(tc.result.Problems) > 0 && (len(got.Details.Problems) != 1 || got.Details.Problems[0].Place != "webhooks.json:3:4") {
			t.Errorf("%s: problems %+v", tc.name, got.Details.Problems)
		}
	}
}

func TestLegacyReloadToken(t *testing.T) {
	t.Parallel()
	var asked []admin.ReloadRequest
	reload, status := reloader(admin.ReloadResult{OK: true}, nil, &asked)
	for _, h := range []http.Handler{reload, status} {
		for _, tc := range []struct {
			auth []string
			want int
		}{{nil, 401}, {[]string{"x"}, 401}, {[]string{"Bearer "}, 401}, {[]string{token}, 200}, {[]string{"Bearer " + token}, 200}} {
			if w := send(h, "POST", "192.0.2.1", "", tc.auth...); w.Code != tc.want {
				t.Errorf("%q: %d, want %d", tc.auth, w.Code, tc.want)
			}
		}
	}
	if len(asked) != 2 {
		t.Errorf("asked %d times, want 2", len(asked))
	}
	w := send(status, "GET", "192.0.2.1", "", token)
	if want := `{"reload_in_progress":false,"webhooks_count":3,"connections_count":0,"connection_pools":{"active":0,"deprecated":0},"pool_details":{},"provider":{},"file_watching_enabled":true}`; w.Body.String() != want {
		t.Errorf("status: %s", w.Body)
	}
	closedReload, closedStatus := admin.LegacyReload{Client: remote}.Handlers()
	for _, h := range []http.Handler{closedReload, closedStatus} {
		if w := send(h, "POST", "192.0.2.1", "", "Bearer "); w.Code != 403 {
			t.Errorf("without a token: %d", w.Code)
		}
	}
}

// Guessing is slowed down, and only for who guesses.
func TestLegacyReloadGuesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []admin.ReloadRequest
		reload, _ := reloader(admin.ReloadResult{OK: true}, nil, &asked)
		for i := range 10 {
			if w := send(reload, "POST", "192.0.2.1", "", strconv.Itoa(i)); w.Code != 401 {
				t.Fatalf("guess %d: %d", i, w.Code)
			}
		}
		if w := send(reload, "POST", "192.0.2.1", "", token); w.Code != 429 || w.Result().Header.Get("Retry-After") != "60" {
			t.Errorf("after ten guesses: %d", w.Code)
		}
		if w := send(reload, "POST", "192.0.2.2", "", token); w.Code != 200 {
			t.Errorf("somebody else: %d", w.Code)
		}
		<-time.After(time.Minute)
		if w := send(reload, "POST", "192.0.2.1", "", token); w.Code != 200 {
			t.Errorf("a minute later: %d", w.Code)
		}
	})
}
