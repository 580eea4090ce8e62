package presets

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// snsTolerance is how old a message may be. AWS repeats a delivery for an hour
// at most, which cannot be configured to be more, and the timestamp is that of
// the publishing: another hour is for what the message waits before its first
// delivery. https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
const snsTolerance = 2 * time.Hour

// snsFuture is how far AWS's clock may be ahead.
const snsFuture = 5 * time.Minute

// sns verifies messages of AWS. It is safe for concurrent use.
type sns struct {
	env          auth.Env
	topics       []string
	past, future time.Duration
	certs        *certs
}

// newSNS trusts roots; nil are those of the system.
func newSNS(env auth.Env, o Options, roots *x509.CertPool) (*sns, error) {
	if len(o.Secrets) > 0 {
		return nil, errors.New(`has no secret: remove it, and set "topic_arn" under "params"`)
	}
	s := &sns{env: env, past: snsTolerance, future: snsFuture}
	if o.Tolerance < 0 {
		return nil, errors.New("a negative tolerance refuses everything")
	}
	if o.Tolerance > 0 {
		s.past, s.future = o.Tolerance, o.Tolerance
	}
	for arn := range strings.SplitSeq(o.Params["topic_arn"], ",") {
		arn = strings.TrimSpace(arn)
		if p := strings.Split(arn, ":"); len(p) != 6 || p[0] != "arn" || p[2] != "sns" || slices.Contains(p, "") {
			return nil, fmt.Errorf("topic_arn: %q is not arn:aws:sns:REGION:ACCOUNT:TOPIC", arn)
		}
		s.topics = append(s.topics, arn)
	}
	s.certs = newCerts(snsOwner(), env.HTTP, roots)
	return s, nil
}

// Cost is that of another service, which is asked for a certificate that is not
// known yet.
func (s *sns) Cost() auth.Cost { return auth.CostRemote }

// Verify checks what costs nothing first: a certificate is fetched only for a
// message of a topic of the hook.
func (s *sns) Verify(ctx context.Context, r *auth.Request) (auth.Identity, error) {
	m, err := parseSNS(r.Body)
	if errors.Is(err, errNoSNS) {
		return auth.Identity{}, &auth.Denial{Method: "sns", Code: auth.CodeMissing, Err: err}
	}
	if err != nil {
		return auth.Identity{}, &auth.Denial{Method: "sns", Code: auth.CodeMalformed, Err: err}
	}
	if !slices.Contains(s.topics, m.TopicArn) {
		return auth.Identity{}, &auth.Denial{Method: "sns", Code: auth.CodeClaim, Err: fmt.Errorf("topic %q is not one of the hook's", m.TopicArn)}
	}
	switch age := r.Now.Sub(m.at); {
	case age > s.past:
		return auth.Identity{}, auth.Deny("sns", auth.CodeTimestampTooOld)
	case age < -s.future:
		return auth.Identity{}, auth.Deny("sns", auth.CodeTimestampInFuture)
	}
	key, denial := s.certs.key(ctx, m.SigningCertURL, r.Now)
	if denial != nil {
		return auth.Identity{}, denial
	}
	if !m.signedBy(key) {
		return auth.Identity{}, auth.Deny("sns", auth.CodeSignatureMismatch)
	}
	return auth.Identity{Method: "sns", Subject: "sns:" + m.TopicArn}, nil
}

// Answer is the handshake: of the messages that are no notification.
func (s *sns) Answer(ctx context.Context, r *auth.Request, verified bool) *auth.Answer {
	if !verified {
		return nil
	}
	m, err := parseSNS(r.Body)
	if err != nil || m.Type == snsNotification {
		return nil
	}
	if m.Type == snsUnsubscribed {
		s.log(ctx, "subscription ended", m)
		return &auth.Answer{}
	}
	if err := s.confirm(ctx, m); err != nil {
		return &auth.Answer{Status: http.StatusServiceUnavailable, Err: &auth.Denial{
			Method: "sns", Code: auth.CodeUnavailable, Unavailable: true, Err: fmt.Errorf("subscription not confirmed: %w", err),
		}}
	}
	s.log(ctx, "subscription confirmed", m)
	return &auth.Answer{}
}

func (s *sns) log(ctx context.Context, text string, m *snsMessage) {
	if s.env.Log != nil {
		s.env.Log.InfoContext(ctx, "sns: handshake", "hook", s.env.Hook, "what", text, "topic", m.TopicArn)
	}
}

// Sign cannot be done: only AWS has the key.
func (s *sns) Sign(context.Context, *auth.Request) error {
	return errors.New("sns: only AWS can sign for this provider; publish to the topic instead (aws sns publish)")
}

// Covers is by the list of signed members.
func (s *sns) Covers(src scheme.Source) bool {
	name, ok := strings.CutPrefix(src.String(), "json:")
	return ok && slices.Contains(snsKeys[snsNotification], name)
}

// CredentialHeaders are none: the signature is in the body.
func (s *sns) CredentialHeaders() []string { return nil }

// CredentialParams are none.
func (s *sns) CredentialParams() []string { return nil }
