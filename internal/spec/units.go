package spec

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Duration is "1m30s", "7d", or a number of seconds. It is never negative.
func Duration(p *time.Duration, name string) *Value[time.Duration] {
	return &Value[time.Duration]{
		p: p, info: Info{Name: name, Kind: KindDuration},
		dec: func(n *Node, at scope) (time.Duration, bool) {
			d, ok := duration(n)
			switch {
			case !ok:
				at.wrongType(n, `a duration such as "90s", "5m" or "1h30m", or a number of seconds`)
				return 0, false
			case d < 0:
				at.bad(n, "out_of_range", n.Quote()+" is negative", "")
				return 0, false
			}
			return d, true
		},
		flat: func(v time.Duration) any { return v },
		num:  func(v time.Duration) (float64, bool) { return v.Seconds(), true },
	}
}

func duration(n *Node) (time.Duration, bool) {
	if s, ok := numeral(n); ok {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.Abs(f) > float64(math.MaxInt64)/float64(time.Second) {
			return 0, false
		}
		return seconds(f), true
	}
	if n.Kind != NodeString {
		return 0, false
	}
	s := strings.TrimSpace(n.Text)
	var days time.Duration
	if i := strings.IndexByte(s, 'd'); i > 0 {
		n, err := strconv.ParseUint(s[:i], 10, 16)
		if err != nil {
			return 0, false
		}
		days = time.Duration(n) * 24 * time.Hour
		if s = s[i+1:]; s == "" {
			return days, true
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d > math.MaxInt64-days {
		return 0, false
	}
	return days + d, true
}

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }

// formatDuration is time.Duration's text without units of zero: 5m, not 5m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"tib", 1 << 40},
	{"gib", 1 << 30},
	{"mib", 1 << 20},
	{"kib", 1 << 10},
	{"tb", 1e12},
	{"gb", 1e9},
	{"mb", 1e6},
	{"kb", 1e3},
	{"b", 1},
}

// Size is "10MiB" or "10MB", or a number of bytes. It is never negative.
func Size(p *int64, name string) *Value[int64] {
	return &Value[int64]{
		p: p, info: Info{Name: name, Kind: KindSize},
		dec: func(n *Node, at scope) (int64, bool) {
			size, ok := size(n)
			if !ok {
				at.wrongType(n, `a size such as "10MiB" or "512KiB", or a number of bytes`)
			}
			return size, ok
		},
		flat: func(v int64) any { return v },
		num:  func(v int64) (float64, bool) { return float64(v), true },
	}
}

func size(n *Node) (int64, bool) {
	if i, ok := wholeNumber(n); ok {
		return i, i >= 0
	}
	if n.Kind != NodeString {
		return 0, false
	}
	s := strings.ToLower(strings.TrimSpace(n.Text))
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		total := f * float64(u.bytes)
		if err != nil || !(f >= 0) || total > math.MaxInt64/2 {
			return 0, false
		}
		return int64(total), true
	}
	return 0, false
}

func formatSize(b int64) string {
	for _, u := range []struct {
		name  string
		bytes int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if b >= u.bytes && b%u.bytes == 0 {
			return strconv.FormatInt(b/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(b, 10)
}

// URL is an absolute URL. Its password is not shown.
func URL(p *url.URL, name string) *Value[url.URL] {
	return &Value[url.URL]{
		p: p, info: Info{Name: name, Kind: KindURL},
		dec: func(n *Node, at scope) (url.URL, bool) {
			const want = "an absolute URL such as https://host/path"
			if n.Kind != NodeString {
				at.wrongType(n, want)
				return url.URL{}, false
			}
			u, err := url.Parse(n.Text)
			if err != nil || u.Scheme == "" || u.Opaque != "" || u.Host == "" && u.Path == "" ||
				strings.HasPrefix(u.Scheme, "http") && u.Hostname() == "" {
				if strings.Contains(n.Text, "@") { // it may hold a password
					at.bad(n, "bad_value", "must be "+want, "")
				} else {
					at.bad(n, "bad_value", fmt.Sprintf("%s is not %s", n.Quote(), want), "")
				}
				return url.URL{}, false
			}
			return *u, true
		},
		flat: func(v url.URL) any { return v },
	}
}
