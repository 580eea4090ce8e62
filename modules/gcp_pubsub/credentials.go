package gcppubsub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	scope        = "https://www.googleapis.com/auth/pubsub"
	tokenTimeout = 10 * time.Second
	maxToken     = 64 << 10 // bytes of an answer with a token
	metadataURL  = "http://" + metadataServer + "/computeMetadata/v1/instance/service-accounts/default/token"
)

// tokens finds where access tokens come from. The library's own search asks the
// metadata service past the guard, so it is told what to use.
func tokens(ctx context.Context, env modules.Env, c *Connection) (auth.TokenProvider, error) {
	web := &http.Client{Timeout: tokenTimeout, Transport: env.HTTP}
	if c.Metadata {
		// Tokens are cached by the wrapper, as those of the other sources are by the library.
		return auth.NewCachedTokenProvider(&instance{web}, &auth.CachedTokenProviderOptions{DisableAsyncRefresh: true}), nil
	}
	b, err := document(c)
	if err == nil {
		var kind struct{ Type credentials.CredType }
		if json.Unmarshal(b, &kind) != nil || kind.Type == "" {
			err = errors.New(`the credentials are no JSON object with a "type"`)
		} else {
			var found *auth.Credentials
			found, err = credentials.NewCredentialsFromJSON(kind.Type, b, &credentials.DetectOptions{
				Scopes: []string{scope}, Client: web, UseSelfSignedJWT: true, DisableAsyncRefresh: true,
			})
			if err == nil {
				return found, nil
			}
			// The library's text may hold a part of the document.
			err = fmt.Errorf("the credentials of type %q cannot be used", kind.Type)
		}
	}
	return nil, noCredentials(ctx, err)
}

// document is the content of the credentials' file.
func document(c *Connection) ([]byte, error) {
	name := c.Path
	if text := c.JSON.Reveal(); strings.HasPrefix(strings.TrimSpace(text), "{") {
		return []byte(text), nil
	} else if text != "" {
		return nil, errors.New("credentials_json is no JSON object; a file is named by credentials_path")
	}
	if name == "" {
		name = os.Getenv("GOOGLE_APPLICATION_CREDENTIALS")
	}
	if name == "" {
		return nil, errors.New("there are none: set credentials_path, credentials_json or instance_metadata, or GOOGLE_APPLICATION_CREDENTIALS in the environment")
	}
	return os.ReadFile(name) // #nosec G304 G703 -- the operator names it
}

// instance gets tokens from the metadata service of the machine.
type instance struct{ http *http.Client }

func (i *instance) Token(ctx context.Context) (*auth.Token, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, metadataURL, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Metadata-Flavor", "Google")
	res, err := i.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxToken)).Decode(&answer); err != nil || res.StatusCode != http.StatusOK || answer.Token == "" {
		return nil, fmt.Errorf("the metadata service answered %s and gave no token", res.Status)
	}
	return &auth.Token{Value: answer.Token, Type: "Bearer", Expiry: time.Now().Add(time.Duration(answer.Seconds) * time.Second)}, nil
}

// noCredentials tells that there are none from a network that keeps them away.
func noCredentials(ctx context.Context, err error) error {
	f := modules.FailureOf(link.Failure(ctx, err))
	if f.Code == modules.CodeUnavailable {
		f.Code = modules.CodeAuthFailed
	}
	f.Err = fmt.Errorf("gcp_pubsub: no credentials: %w", f.Err)
	return &f
}
