package spec_test

import (
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/spec"
)

type choice struct{ level string }

func (c *choice) Fields() spec.Fields {
	return spec.Fields{spec.Enum(&c.level, "level", "high", "").Doc("A level, or none.")}
}

func TestMarkdownEmptyChoice(t *testing.T) {
	t.Parallel()
	if got := spec.Markdown(&choice{}); !strings.Contains(got, "One of `high`, `\"\"`.") {
		t.Error(got)
	}
}
