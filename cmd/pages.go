package cmd

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
)

// The reference pages: printed by `hookd modules NAME` and its like, and
// written into docs by `hookd generate`.

func modulePage(m modules.Module) string {
	var b strings.Builder
	title(&b, m.Name(), m.Title(), m.Summary())
	if a := m.Aliases(); len(a) > 0 {
		fmt.Fprintf(&b, "Also written %s.\n\n", quoted(a))
	}
	fmt.Fprintf(&b, "**A repeat of a delivery**: %s.\n\n", guarantee(m.Guarantee()))
	doc(&b, m.Doc())
	if table := spec.Markdown(m.Options()); table != "" {
		fmt.Fprintf(&b, "## `module-config`\n\n%s\n", table)
	}
	if types := m.ConnectionTypes(); len(types) > 0 {
		fmt.Fprintf(&b, "## Connection\n\nAn entry of `connections.json` with `type` %s.\n\n%s\n", quoted(types), spec.Markdown(m.Connection()))
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func guarantee(g modules.Guarantee) string {
	switch g {
	case modules.Once:
		return "once: the far end drops it"
	case modules.Keyed:
		return "keyed: it carries the same delivery id, so that the reader can drop it"
	case modules.Duplicates:
	}
	return "duplicates: it may be seen twice"
}

func authPage(m auth.Method) string {
	var b strings.Builder
	title(&b, m.Name(), m.Title(), m.Summary())
	doc(&b, m.Doc())
	if table := spec.Markdown(m.Options()); table != "" {
		fmt.Fprintf(&b, "## `%s`\n\n%s\n", m.Name(), table)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func title(b *strings.Builder, name, text, summary string) {
	fmt.Fprintf(b, "# %s\n\n`%s`: %s\n\n", cmp.Or(text, name), name, summary)
}

func doc(b *strings.Builder, text string) {
	if text = strings.TrimSpace(text); text != "" {
		b.WriteString(text + "\n\n")
	}
}

func quoted(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }
