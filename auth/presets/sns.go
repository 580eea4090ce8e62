package presets

import (
	"fmt"
	"time"

	"github.com/hookd/hookd/auth"
)

func snsPresets() []*Preset {
	return []*Preset{{
		Name:    "sns",
		Title:   "Amazon SNS",
		Summary: "Notifications of Amazon SNS topics, over HTTP or HTTPS.",
		Doc: "There is no secret: messages carry a signature of AWS's, and `topic_arn` says whose topics are listened to. " +
			"A subscription is confirmed by itself, once its message has proved to be from AWS and about that topic.\n\n" +
			"Leave *raw message delivery* off: raw messages are not signed, and are refused. `MessageAttributes` and " +
			"`UnsubscribeURL` are not covered by the signature.\n\n" +
			"Messages that are older than 2 hours are refused, since AWS repeats for an hour at most; `tolerance` changes that.",
		Source:   "https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
		Code:     func(env auth.Env, o Options) (Checker, error) { return newSNS(env, o, nil) },
		Signing:  "RSA with SHA-1 or SHA-256, in the member `Signature`, with the key of the certificate at `SigningCertURL`.",
		NoSecret: true,
		IDSigned: true,
		Covers:   CoversPart,
		Params: []Param{{
			Name: "topic_arn", Required: true,
			Example: "arn:aws:sns:us-east-1:123456789012:example",
			Doc:     "the ARN of the topic, or several with commas between; messages of any other topic are refused",
		}},
		ID:       []string{"json:MessageId"},
		Type:     []string{"json:Type"},
		Window:   7 * 24 * time.Hour,
		Deadline: 15 * time.Second,
		Retry:    "By the subscription's delivery policy, for an hour at most; a 4xx other than 429 is not repeated.",
		Headers: []Header{
			{"User-Agent", "Amazon Simple Notification Service Agent"},
			{"Content-Type", "text/plain; charset=UTF-8"},
			{"X-Amz-Sns-Message-Type", "{event}"},
			{"X-Amz-Sns-Message-Id", "{delivery}"},
		},
		DefaultEvent: snsNotification,
		Sample:       `{"Type":"{event}","MessageId":"{delivery}","TopicArn":"arn:aws:sns:us-east-1:123456789012:example","Message":"Hello"}`,
	}}
}

func snsHandshake() attached {
	return attached{Handshake: Handshake{
		Doc: "A signed `SubscriptionConfirmation` for the topic is confirmed at AWS; an `UnsubscribeConfirmation` is logged, and not undone.",
		Code: func(_ auth.Env, _ Options, check Checker) (auth.Handshake, error) {
			s, ok := check.(*sns)
			if !ok {
				return nil, fmt.Errorf("belongs to another proof than %T", check)
			}
			return s, nil
		},
	}}
}
