package mistakes

import (
	"fmt"
	"maps"
	neturl "net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// anyTime is a tolerance that no clock exceeds.
const anyTime = 100 * 365 * 24 * time.Hour

// clocks are what is wrong with the sender's clock, or ours.
func clocks(t *trial) []mistake {
	if t.alt.Time == nil {
		return nil
	}
	var all []mistake
	age, ok := scheme.Age(&t.alt, t.r)
	if ok && t.alt.Time.Tolerance > 0 {
		all = append(all, mistake{auth.Mistake{
			Kind: "time", Text: fmt.Sprintf("the time may be off by %s", time.Duration(max(age, -age))*time.Second),
			Advice: skew(age),
		}, func(t *trial) bool {
			t.opts.Tolerance = anyTime
			return true
		}})
	}
	for i, name := range []string{"seconds", "milliseconds", "RFC 3339"} {
		format := scheme.TimeFormat(i)
		if format == t.alt.Time.Format {
			continue
		}
		all = append(all, mistake{auth.Mistake{
			Kind: "time", Text: "the time is read as " + name,
			Advice: "The sender writes the time in another unit than this proof reads.",
		}, func(t *trial) bool {
			clock := *t.alt.Time
			clock.Format, t.alt.Time = format, &clock
			return true
		}})
	}
	return all
}

// skew says what a difference of the clocks means.
func skew(age int64) string {
	d := time.Duration(max(age, -age)) * time.Second
	if age < 0 {
		return fmt.Sprintf("The sender's clock is %s ahead of this machine's: set the clocks (NTP), or raise `tolerance`.", d)
	}
	return fmt.Sprintf("The request was signed %s before it came: it was held up or sent again, or a clock is wrong. Set the clocks (NTP), or raise `tolerance`.", d)
}

// templates are other usual ways to put the signed bytes together.
func templates(t *trial) []mistake {
	if t.alt.Kind == scheme.Token || t.alt.Kind == scheme.Basic || t.alt.ForEach != "" {
		return nil
	}
	var all []mistake
	add := func(signed, shown string) {
		if signed == t.alt.Signed {
			return
		}
		all = append(all, mistake{auth.Mistake{
			Kind: "signed", Text: "the signature covers " + shown,
			Advice: "The sender signs other bytes than this proof checks: set `signed` and `timestamp_header`, or use the sender's provider.",
		}, func(t *trial) bool {
			t.alt.Signed = signed
			if signed == "{body}" {
				t.alt.Time = nil // a clock that nobody signs is no description
			}
			return true
		}})
	}
	if t.alt.Kind == scheme.Digest {
		add("{secret}{body}", "{secret}{body}")
		add("{body}{secret}", "{body}{secret}")
		return all
	}
	add("{body}", "{body} alone")
	if t.alt.Time != nil {
		for _, s := range []string{"{time}.{body}", "{time}{body}", "{time}:{body}", "v0:{time}:{body}", "{body}{time}", "{body}.{time}"} {
			add(s, s)
		}
	}
	for _, name := range timeHeaders(t) {
		h := "{header:" + name + "}"
		for _, s := range []string{h + ".{body}", h + "{body}", h + ":{body}", "v0:" + h + ":{body}", "{body}" + h} {
			add(s, strings.ReplaceAll(s, "header:", ""))
		}
	}
	return all
}

// timeHeaders are headers that hold a time of these years.
func timeHeaders(t *trial) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(t.r.Header)) {
		vs := t.r.Header[name]
		if len(vs) != 1 || len(vs[0]) != 10 && len(vs[0]) != 13 {
			continue
		}
		if n, err := strconv.ParseInt(vs[0], 10, 64); err == nil && n > 1e9 && len(all) < 4 {
			all = append(all, name)
		}
	}
	return all
}

// urls are other addresses that the sender may know the hook by.
func urls(t *trial) []mistake {
	if !strings.Contains(t.alt.Signed, "{url") {
		return nil
	}
	u, err := neturl.Parse(t.opts.URL)
	if err != nil {
		return nil
	}
	var all []mistake
	seen := []string{t.opts.URL}
	add := func(other string) {
		if slices.Contains(seen, other) || len(seen) > 64 {
			return
		}
		seen = append(seen, other)
		all = append(all, mistake{auth.Mistake{
			Kind: "url", Text: "public_url is " + shownURL(other),
			Advice: "Set `public_url` to the address that is entered at the sender, letter for letter.",
		}, func(t *trial) bool {
			t.opts.URL = other
			return true
		}})
	}
	for _, host := range hosts(t.r, u) {
		for _, scheme := range []string{"https", "http"} {
			for _, path := range paths(t.r, u) {
				add(scheme + "://" + host + path)
			}
		}
	}
	return all
}

// shownURL leaves the query out: it may hold a token.
func shownURL(text string) string {
	base, _, query := strings.Cut(text, "?")
	if query {
		return strconv.Quote(base) + " with its query"
	}
	return strconv.Quote(base)
}

// hosts are the names that the hook may be known by, the configured one first.
func hosts(r *auth.Request, u *neturl.URL) []string {
	var all []string
	add := func(host string) {
		if host == "" || len(host) > 255 || strings.ContainsAny(host, "/?#@ ") {
			return
		}
		name := host
		if at, err := neturl.Parse("http://" + host); err == nil && at.Port() != "" {
			name = strings.TrimSuffix(host, ":"+at.Port())
		}
		for _, h := range []string{host, name, name + ":443", name + ":80"} {
			if !slices.Contains(all, h) {
				all = append(all, h)
			}
		}
	}
	add(u.Host)
	add(r.Header.Get("X-Forwarded-Host"))
	add(r.Header.Get("X-Original-Host"))
	add(r.Host)
	return all
}

// paths are the configured one and the one of the request, each with and
// without a slash at its end and the query.
func paths(r *auth.Request, u *neturl.URL) []string {
	var all []string
	add := func(path, query string) {
		for _, p := range []string{path, strings.TrimSuffix(path, "/"), strings.TrimSuffix(path, "/") + "/"} {
			for _, q := range []string{"", "?" + query} {
				if q != "?" && !slices.Contains(all, p+q) {
					all = append(all, p+q)
				}
			}
		}
	}
	query := u.RawQuery
	if r.URL != nil && r.URL.RawQuery != "" {
		query = r.URL.RawQuery
	}
	add(u.EscapedPath(), query)
	if r.URL != nil {
		add(r.URL.EscapedPath(), query)
	}
	return all
}
