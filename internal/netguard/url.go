package netguard

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// MaxURL is the longest URL that CheckURL takes, in bytes.
const MaxURL = 8192

// CheckURL refuses what must not be dialled whatever it resolves to: a scheme
// that is not one of schemes (none given means http and https), user
// information, a missing or unreadable host, a port that is none. It looks at
// the text only; where it leads is decided when it is dialled. Its errors hold
// no part of the URL but scheme, host and port: path and query may be secret.
func CheckURL(u *url.URL, schemes ...string) error {
	if len(schemes) == 0 {
		schemes = []string{"http", "https"}
	}
	host := u.Hostname()
	switch {
	case len(u.String()) > MaxURL:
		return fmt.Errorf("the URL is longer than %d bytes", MaxURL)
	case !slices.Contains(schemes, strings.ToLower(u.Scheme)):
		return fmt.Errorf("scheme %q is not one of %s", u.Scheme, strings.Join(schemes, ", "))
	case u.Opaque != "" || host == "":
		return errors.New("the URL names no host")
	case u.User != nil:
		return errors.New("the URL holds a user name or password: put them into headers, as Authorization")
	case strings.ContainsAny(host, "\\@%# \t\r\n\x00"):
		return errors.New("the host name holds a character that no host name has")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("port %q is not in 1 to 65535", port)
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return errors.New("the port is missing after the colon")
	}
	return checkNumericHost(host)
}

// checkNumericHost refuses hosts that look like a number but are no address as
// everybody writes it: resolvers disagree on "127.1", "010.0.0.1" and
// "0x7f000001". The rule is that of the WHATWG URL Standard, "ends in a number".
func checkNumericHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	trimmed := strings.TrimSuffix(host, ".")
	last := strings.ToLower(trimmed[strings.LastIndexByte(trimmed, '.')+1:])
	if hex, ok := strings.CutPrefix(last, "0x"); ok && strings.Trim(hex, "0123456789abcdef") == "" ||
		last != "" && strings.Trim(last, "0123456789") == "" {
		return fmt.Errorf("host %q is not an IPv4 address of four plain numbers", host)
	}
	return nil
}
