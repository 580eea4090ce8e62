package presets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	neturl "net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	snsTimeout   = 5 * time.Second // of one request to AWS, which waits 15 s for its answer
	snsMaxAnswer = 64 << 10        // bytes
)

// snsHost is narrower than what AWS's own validators take,
// ^sns\.[a-zA-Z0-9-]{3,}\.amazonaws\.com(\.cn)?$: that lets
// sns.s3-us-west-2.amazonaws.com pass, which is a bucket, and anybody's.
var snsHost = regexp.MustCompile(`^sns\.([a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2})\.(amazonaws\.com(?:\.cn)?)$`)

// parseSNSURL takes URLs of the service itself only.
func parseSNSURL(text string) (*neturl.URL, error) {
	u, err := neturl.Parse(text)
	switch {
	case err != nil || len(text) > 4096:
		return nil, errors.New("not a URL")
	case u.Scheme != "https":
		return nil, errors.New("not https")
	case u.User != nil || u.Opaque != "" || u.Fragment != "" || strings.HasSuffix(text, "#"):
		return nil, errors.New("more than a host, a path and a query")
	case !snsHost.MatchString(u.Host): // a port is part of it
		return nil, errors.New("not a host of SNS")
	}
	return u, nil
}

// fetchSNS gets a URL of the service. Redirects are not followed.
func fetchSNS(ctx context.Context, rt http.RoundTripper, u *neturl.URL) (status int, body []byte, err error) {
	if rt == nil {
		return 0, nil, errors.New("there is no network here")
	}
	ctx, cancel := context.WithTimeout(ctx, snsTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return 0, nil, errors.New("not a URL")
	}
	req.Header.Set("User-Agent", "hookd")
	res, err := rt.RoundTrip(req)
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", u.Host, err)
	}
	defer res.Body.Close() //nolint:errcheck // it is read, or not wanted
	body, err = io.ReadAll(io.LimitReader(res.Body, snsMaxAnswer+1))
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", u.Host, err)
	}
	if len(body) > snsMaxAnswer {
		return res.StatusCode, nil, fmt.Errorf("%s: the answer is longer than %d bytes", u.Host, snsMaxAnswer)
	}
	return res.StatusCode, body, nil
}

// confirm visits the SubscribeURL. What it asks of AWS is checked, although AWS
// has signed it: nothing else of the service is to be called.
func (s *sns) confirm(ctx context.Context, m *snsMessage) error {
	u, err := parseSNSURL(m.SubscribeURL)
	if err != nil {
		return fmt.Errorf("SubscribeURL: %w", err)
	}
	q, err := neturl.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("SubscribeURL: the query is malformed")
	}
	for k, want := range map[string]string{"Action": "ConfirmSubscription", "TopicArn": m.TopicArn, "Token": m.Token} {
		if !slices.Equal(q[k], []string{want}) {
			return fmt.Errorf("SubscribeURL: %s is not the expected one", k)
		}
	}
	if u.Path != "/" && u.Path != "" {
		return errors.New("SubscribeURL: has a path")
	}
	status, _, err := fetchSNS(ctx, s.env.HTTP, u)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s answered with %d", u.Host, status)
	}
	return err
}
