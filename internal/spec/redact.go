package spec

import (
	"net/url"
	"time"

	"github.com/hookd/hookd/internal/secret"
)

// Redacted is the present content of d for logs and the admin API: maps, lists,
// strings, numbers and booleans only, with secret.Redacted in the place of each
// secret that is set. Empty values are left out.
func Redacted(d Described) any {
	out := map[string]any{}
	for _, f := range d.Fields() {
		if v := redact(f.plain()); v != nil {
			out[f.Info().Name] = v
		}
	}
	return out
}

func redact(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return unlessEmpty(v, v == "")
	case time.Duration:
		return unlessEmpty(formatDuration(v), v == 0)
	case url.URL:
		return unlessEmpty(v.Redacted(), v == url.URL{})
	case secret.String:
		return unlessEmpty(secret.Redacted, v.IsZero())
	case []secret.String:
		out := make([]any, len(v))
		for i := range v {
			out[i] = secret.Redacted
		}
		return unlessEmpty(out, len(v) == 0)
	case map[string]secret.String:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = secret.Redacted
		}
		return unlessEmpty(out, len(v) == 0)
	case []string:
		return unlessEmpty(v, len(v) == 0)
	case map[string]string:
		return unlessEmpty(v, len(v) == 0)
	case Described:
		m, _ := Redacted(v).(map[string]any)
		return unlessEmpty(m, len(m) == 0)
	case []Described:
		out := make([]any, len(v))
		for i, d := range v {
			out[i] = Redacted(d)
		}
		return unlessEmpty(out, len(v) == 0)
	case map[string]Described:
		out := make(map[string]any, len(v))
		for k, d := range v {
			out[k] = Redacted(d)
		}
		return unlessEmpty(out, len(v) == 0)
	}
	return v
}

func unlessEmpty(v any, empty bool) any {
	if empty {
		return nil
	}
	return v
}
