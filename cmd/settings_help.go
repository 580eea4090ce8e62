package cmd

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/spec"
)

// settingsHelp lists every setting with its default.
func settingsHelp() string {
	keys := settingKeys()
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		fmt.Fprintf(&b, "  %-30s %s\n", key, defaultText(keys[key]))
	}
	return strings.TrimRight(b.String(), "\n")
}

// defaultText is a default as a person would write it.
func defaultText(info spec.Info) string {
	switch v := info.Default.(type) {
	case nil:
		if info.Kind == spec.KindBool {
			return "false"
		}
		return ""
	case time.Duration:
		return shortDuration(v)
	case int64:
		if info.Kind == spec.KindSize {
			return strings.NewReplacer(".0", "", " ", "").Replace(size(v))
		}
	}
	if b, err := json.Marshal(info.Default); err == nil {
		return strings.Trim(string(b), `"`)
	}
	return fmt.Sprint(info.Default)
}

// shortDuration is 72h instead of 72h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
