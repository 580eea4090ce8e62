package modules_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/modules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSensitive(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"password", "Password", "user_password", "userPassword", "PASSWORD_HASH", "db.passwd", "api_key", "apiKey", "X-API-Key", "APIKey",
		"x-auth-token", "HTTPToken", "access_token", "client_secret", "Set-Cookie", "sessionId", "privateKey", "private-key", "creditCard", "card_number", "Authorization", "ssn",
	} {
		if !modules.Sensitive(name) {
			t.Errorf("%s is not sensitive", name)
		}
	}
	for _, name := range []string{"", "author", "monkey", "keyboard", "primary_key", "key", "keys_url", "tokenizer", "secretary", "passenger", "card", "number", "authored_at", "X-GitHub-Event", "---", "key_api"} {
		if modules.Sensitive(name) {
			t.Errorf("%s is sensitive", name)
		}
	}
	if !modules.Sensitive("X-Hub-Signature-256", "signature") || modules.Sensitive("X-Hub-Signature-256") {
		t.Error("more words are not looked at, or always")
	}
}
