package savetodisk

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hookd/hookd/internal/spec"
)

// Options describe one destination.
type Options struct {
	Path      string
	BaseDir   string
	Pattern   string
	Extension string
	Headers   bool
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Path, "path").Default(".").Example("events/github").Check(checkPath).
			Doc("Folder of the files, below `base_dir`. It is made when it is missing."),
		spec.String(&o.BaseDir, "base_dir").Example("/var/lib/hookd/out").Check(checkBase).
			Doc("Folder that nothing is written outside of. The working directory when absent."),
		spec.String(&o.Pattern, "filename_pattern").Alias("filename_template").Default("{uuid}").Example("{hook}_{type}_{uuid}.json").Check(checkPattern).
			Doc("Name of a file: `{uuid}` is the delivery's id, `{event}` the event's, `{timestamp}` when the event was received, `{hook}` and `{type}` what they say, with all but letters, digits, `.`, `_` and `-` replaced. Without an extension one is added by content."),
		spec.String(&o.Extension, "file_extension").Example(".json").Check(checkExtension).
			Doc("Extension of the files, instead of one chosen by content."),
		spec.Bool(&o.Headers, "include_headers").Default(false).
			Doc("Write `<name>.headers.json` beside each file, with the sender's headers (no credentials) and hookd's own."),
		spec.Ignored("format", "the delivered bytes are written as they are; use `format` or `transform` of the chain item"),
		spec.Ignored("append", "each delivery has a file of its own: appending would repeat a retried one"),
		spec.Ignored("create_dirs", "missing folders are always made"),
	}
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	var issues []spec.Issue
	if _, _, err := place(o.BaseDir, o.Path); err != nil {
		issues = append(issues, spec.Issue{Field: "path", Message: err.Error()})
	}
	if o.Pattern != "" && !strings.Contains(o.Pattern, "{uuid}") {
		issues = append(issues, spec.Issue{
			Field: "filename_pattern", Warning: true,
			Message: "has no {uuid}, so two deliveries could share a name; -{uuid} is added",
		})
	}
	return issues
}

func checkPattern(p string) error {
	if longest(p) > maxName {
		return fmt.Errorf("makes names longer than %d bytes", maxName)
	}
	rest := p
	for _, name := range placeholders {
		rest = strings.ReplaceAll(rest, name, "")
	}
	if at := strings.IndexAny(rest, "{}"); at >= 0 {
		return fmt.Errorf("has a placeholder that is not one of %s", strings.Join(placeholders, " "))
	}
	if clean(rest) != rest || strings.HasPrefix(p, ".") {
		return errors.New("may hold letters, digits, '.', '_' and '-' beside placeholders, and not begin with '.'")
	}
	return nil
}

func checkExtension(e string) error {
	if e == "" {
		return nil
	}
	bare := strings.TrimPrefix(e, ".")
	if bare == "" || len(bare) > 16 || clean(bare) != bare || strings.HasPrefix(bare, ".") {
		return errors.New("is not an extension such as .json")
	}
	return nil
}
