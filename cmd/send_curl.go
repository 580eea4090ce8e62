package cmd

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hookd/hookd/auth"
)

// curl is the command that sends the same request. Signatures are in it,
// secrets are not: each stands as a variable of the shell.
func curl(ctx context.Context, t *target, p *payload, o *sendOptions, now time.Time) (string, error) {
	id := cmp.Or(o.deliveryID, newDeliveryID())
	var r *auth.Request
	var err error
	if o.tamper != "" {
		r, err = t.tampered(ctx, o.tamper, p, id, now)
	} else {
		r, err = t.request(ctx, p, id, now)
	}
	if err != nil {
		return "", err
	}
	secrets, err := t.fixed(ctx, p, r)
	if err != nil {
		return "", err
	}
	u := *t.url
	u.RawQuery = r.URL.RawQuery
	lines := []string{"curl -sS -X " + r.Method + " " + hiddenQuery(&u, secrets.params)}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			if slices.Contains(secrets.headers, name) {
				lines = append(lines, fmt.Sprintf(`-H "%s: $%s"`, name, shellVariable(name)))
				continue
			}
			lines = append(lines, "-H "+shellQuote(name+": "+v))
		}
	}
	switch {
	case secrets.body:
		lines = append(lines, "--data-binary @- # the body, on stdin: it holds the secret")
	case p.file != "" && o.tamper == "":
		lines = append(lines, "--data-binary "+shellQuote("@"+p.file))
	case !utf8.Valid(r.Body) || strings.IndexByte(string(r.Body), 0) >= 0 || strings.HasPrefix(string(r.Body), "@"):
		lines = append(lines, "--data-binary @- # the body, on stdin")
	default:
		lines = append(lines, "--data-binary "+shellQuote(string(r.Body)))
	}
	return strings.Join(lines, " \\\n  "), nil
}

// hiddenQuery quotes the URL with variables in the place of secrets.
func hiddenQuery(u *url.URL, params []string) string {
	if len(params) == 0 {
		return shellQuote(u.String())
	}
	q := u.Query()
	for _, n := range params {
		q.Del(n)
	}
	u.RawQuery = q.Encode()
	text := shellQuote(u.String())
	sep := "?"
	if u.RawQuery != "" {
		sep = "&"
	}
	for _, n := range params {
		text += `"` + sep + url.QueryEscape(n) + "=$" + shellVariable(n) + `"`
		sep = "&"
	}
	return text
}

// shellVariable is the name of a variable for a header or parameter.
func shellVariable(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
}

// shellQuote quotes for a POSIX shell.
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
