package mysql

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/modules/internal/link"
)

// parseText reads a connection string. An error holds nothing of the text but
// the names of parameters.
func parseText(s secret.String) (target, error) {
	u, err := url.Parse(s.Reveal())
	if err != nil || u.Host == "" || u.Opaque != "" {
		return target{}, errors.New("is not of the form mysql://user:password@host:3306/database; are user and password percent-encoded?")
	}
	if u.Scheme != "mysql" && u.Scheme != "mariadb" {
		return target{}, errors.New("begins neither with mysql:// nor with mariadb://")
	}
	t := target{host: u.Hostname(), port: defaultPort, user: u.User.Username(), database: strings.TrimPrefix(u.Path, "/")}
	if p := u.Port(); p != "" {
		if t.port, err = strconv.Atoi(p); err != nil || t.port < 1 || t.port > 65535 {
			return target{}, errors.New("has a port that is not between 1 and 65535")
		}
	}
	if password, ok := u.User.Password(); ok {
		t.password = secret.New(password)
	}
	switch {
	case t.host == "":
		return target{}, errors.New("names no host")
	case t.user == "":
		return target{}, errors.New("names no user")
	case identifier(t.database) != nil:
		return target{}, errors.New("names no database, or one that cannot be")
	case u.Fragment != "":
		return target{}, errors.New(`has a "#": is the password percent-encoded?`)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return target{}, errors.New("has parameters that cannot be read")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if err := t.parameter(name, query.Get(name)); err != nil {
			return target{}, err
		}
	}
	return t, nil
}

// parameter applies a parameter of the text. The character set and the time
// zone, which many texts carry, are hookd's to choose.
func (t *target) parameter(name, value string) error {
	switch strings.ToLower(strings.ReplaceAll(name, "_", "-")) {
	case "charset", "parsetime", "loc":
		return nil
	case "tls", "ssl", "ssl-mode", "sslmode":
		return t.mode(name, value)
	}
	return fmt.Errorf("has the parameter %q, which hookd does not know", name)
}

func (t *target) mode(name, value string) error {
	switch strings.ToLower(strings.ReplaceAll(value, "-", "_")) {
	case "false", "0", "off", "disabled", "disable":
		t.tls = link.TLS{}
	case "true", "1", "on", "verify_identity", "verify_full":
		t.tls = link.TLS{Written: true, Enabled: true}
	case "skip_verify", "required", "require":
		t.tls = link.TLS{Written: true, Enabled: true, Insecure: true}
	default:
		// "preferred" would go on in clear text for whoever asks it to.
		return fmt.Errorf("has %s with a value other than true, false and skip-verify", name)
	}
	return nil
}
