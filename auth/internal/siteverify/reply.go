package siteverify

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hookd/hookd/auth"
)

// reply is what the service says of a token.
type reply struct {
	success  bool
	codes    []string // why not
	score    float64  // 0 to 1; 0 where there is none
	action   string
	hostname string
}

var errReply = errors.New("not a JSON object with a member success that is true or false")

// parseReply reads a reply strictly: a member of another type than it should
// have is not one that the service made. Members that are not known are left
// alone; the services say that there will be more.
func parseReply(body []byte) (*reply, error) {
	found, err := members(body, "success", "error-codes", "score", "action", "hostname")
	if err != nil {
		return nil, err
	}
	var success *bool
	rep := &reply{}
	for i, into := range []any{&success, &rep.codes, &rep.score, &rep.action, &rep.hostname} {
		if found[i] != nil && json.Unmarshal(found[i], into) != nil {
			return nil, errReply
		}
	}
	if success == nil || rep.score < 0 || rep.score > 1 {
		return nil, errReply
	}
	rep.success = *success
	return rep, nil
}

// fault is an error where the service could not decide, or will not for this
// secret: neither is the sender's doing.
func (rep *reply) fault() error {
	if rep.success {
		return nil
	}
	for _, c := range rep.codes {
		switch c {
		case "missing-input-secret", "invalid-input-secret":
			return fmt.Errorf("the service does not know secret_key (%s): copy the secret key of the site again", c)
		case "internal-error":
			return errors.New("the service has an error of its own (internal-error)")
		}
	}
	return nil
}

// expectation is what a good token must also be.
type expectation struct {
	hostnames []string
	action    string
	score     *float64
}

// judge returns the code of a refusal, or none.
func (e *expectation) judge(rep *reply) (code string, err error) {
	switch {
	case slices.Contains(rep.codes, "timeout-or-duplicate") && !rep.success:
		return auth.CodeReplayed, errors.New("the token is too old or was used before (timeout-or-duplicate)")
	case !rep.success:
		return auth.CodeMismatch, errors.New("the service refuses the token" + reasons(rep.codes))
	case len(e.hostnames) > 0 && !slices.ContainsFunc(e.hostnames, func(h string) bool { return sameHost(h, rep.hostname) }):
		return auth.CodeClaim, fmt.Errorf("the token was made on %s, which is not one of hostnames", quoted(rep.hostname))
	case e.action != "" && e.action != rep.action:
		return auth.CodeClaim, fmt.Errorf("the token was made for the action %s, not %q", quoted(rep.action), e.action)
	case e.score != nil && rep.score < *e.score:
		return auth.CodeScore, fmt.Errorf("score %g is below min_score %g", rep.score, *e.score)
	}
	return "", nil
}

func sameHost(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// quoted is a text of the service, or of a page, made fit for a log.
func quoted(s string) string { return fmt.Sprintf("%.100q", s) }

// reasons are the codes that look like codes.
func reasons(codes []string) string {
	var fit []string
	for _, c := range codes {
		if len(fit) < 8 && len(c) <= 40 && strings.Trim(c, "abcdefghijklmnopqrstuvwxyz-") == "" {
			fit = append(fit, c)
		}
	}
	if len(fit) == 0 {
		return ""
	}
	return ": " + strings.Join(fit, ", ")
}
