package presets

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hookd/hookd/auth"
)

// canonical is the request as Contentful signs it.
func (c *contentful) canonical(r *auth.Request) (text, code string, err error) {
	list, code := auth.OneHeader(r.Header, contentfulSigned)
	if code != "" {
		return "", code, errors.New(contentfulSigned + " is needed once")
	}
	names, err := signedHeaders(list)
	if err != nil {
		return "", auth.CodeMalformed, err
	}
	headers := make([]string, 0, len(names))
	for _, name := range names {
		value := strings.Join(names, ",")
		if http.CanonicalHeaderKey(name) != contentfulSigned {
			if value, code = oneHeader(r, name); code != "" {
				return "", code, fmt.Errorf("the signed header %s is needed once", name)
			}
		}
		headers = append(headers, name+":"+strings.TrimSpace(value))
	}
	uri, err := c.uri(r)
	if err != nil {
		return "", auth.CodeMalformed, err
	}
	return r.Method + "\n" + uri + "\n" + strings.Join(headers, ";") + "\n" + string(r.Body), "", nil
}

// oneHeader knows that the server takes Host out of the headers. A signed
// header may be empty.
func oneHeader(r *auth.Request, name string) (value, code string) {
	key := http.CanonicalHeaderKey(name)
	if vs := r.Header[key]; len(vs) == 1 && vs[0] == "" {
		return "", ""
	} else if len(vs) == 0 && key == "Host" {
		return r.Host, ""
	}
	return auth.OneHeader(r.Header, key)
}

// signedHeaders reads the list: names in lower case, sorted. The time and the
// list itself must be on it, or anybody could change them.
func signedHeaders(list string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(strings.ToLower(list), ",") {
		names = append(names, strings.TrimSpace(name))
	}
	slices.Sort(names)
	switch {
	case len(names) > maxSignedHeaders:
		return nil, fmt.Errorf("%s lists more than %d", contentfulSigned, maxSignedHeaders)
	case names[0] == "" || len(slices.Compact(slices.Clone(names))) != len(names):
		return nil, errors.New(contentfulSigned + " lists a header twice, or none")
	case !slices.Contains(names, strings.ToLower(contentfulTime)) || !slices.Contains(names, strings.ToLower(contentfulSigned)):
		return nil, errors.New(contentfulSigned + " lacks " + contentfulTime + " or itself")
	}
	return names, nil
}

// uri is the path with the query, as Contentful's library escapes it: the query
// as a whole once, and path and query once more.
func (c *contentful) uri(r *auth.Request) (string, error) {
	path, query := c.path, rawQuery(r)
	if path == "" && r.URL != nil {
		path = r.URL.EscapedPath()
	}
	if path == "" {
		path = "/"
	}
	if strings.Contains(query, "?") {
		return "", errors.New("the query holds a second question mark, and what is behind it is not covered")
	}
	if query != "" {
		path += "?" + escape(query, "-_.!~*'()")
	}
	return escape(path, "-_.!~*'();,/?:@&=+$#"), nil
}

// escape writes all bytes but letters, digits and those in keep as %XX.
func escape(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}
