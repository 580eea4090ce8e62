package presets

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	sha1sum "crypto/sha1" //nolint:gosec // SignatureVersion 1, which is still the default of topics
	"crypto/sha256"
	"slices"
	"time"
)

// The types of messages.
const (
	snsNotification = "Notification"
	snsSubscription = "SubscriptionConfirmation"
	snsUnsubscribed = "UnsubscribeConfirmation"
)

// snsKeys are the members that the signature covers, by type, in their order.
// A Subject is left out where a message has none.
var snsKeys = map[string][]string{
	snsNotification: {"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"},
	snsSubscription: {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
	snsUnsubscribed: {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
}

// snsKeysWithoutToken are those of an UnsubscribeConfirmation by AWS's own
// validator for JavaScript; its documentation says as above. Both are tried.
var snsKeysWithoutToken = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "TopicArn", "Type"}

// snsMessage is a message whose form is sound; nothing is proved yet.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
type snsMessage struct {
	Type, MessageId, TopicArn, Subject, Message, Timestamp, Token, SubscribeURL string //nolint:revive // AWS's names
	SignatureVersion, Signature, SigningCertURL                                 string

	subject   bool // there is one
	at        time.Time
	signature []byte
}

// field is where a member of the name goes; nil for those that nobody reads.
func (m *snsMessage) field(name string) *string {
	switch name {
	case "Type":
		return &m.Type
	case "MessageId":
		return &m.MessageId
	case "TopicArn":
		return &m.TopicArn
	case "Subject":
		return &m.Subject
	case "Message":
		return &m.Message
	case "Timestamp":
		return &m.Timestamp
	case "Token":
		return &m.Token
	case "SubscribeURL":
		return &m.SubscribeURL
	case "SignatureVersion":
		return &m.SignatureVersion
	case "Signature":
		return &m.Signature
	case "SigningCertURL":
		return &m.SigningCertURL
	}
	return nil
}

var snsNames = []string{
	"Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "Token", "SubscribeURL",
	"SignatureVersion", "Signature", "SigningCertURL",
}

// canonical is the text that is signed: name and value of each key, a line
// each.
func (m *snsMessage) canonical(keys []string) []byte {
	var b bytes.Buffer
	for _, k := range keys {
		if k == "Subject" && !m.subject {
			continue
		}
		b.WriteString(k + "\n" + *m.field(k) + "\n")
	}
	return b.Bytes()
}

func (m *snsMessage) signedBy(key *rsa.PublicKey) bool {
	lists := [][]string{snsKeys[m.Type]}
	if m.Type == snsUnsubscribed {
		lists = append(lists, snsKeysWithoutToken)
	}
	return slices.ContainsFunc(lists, func(keys []string) bool {
		text := m.canonical(keys)
		if m.SignatureVersion == "1" {
			sum := sha1sum.Sum(text) //nolint:gosec // see the import
			return rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], m.signature) == nil
		}
		sum := sha256.Sum256(text)
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], m.signature) == nil
	})
}
