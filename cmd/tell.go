package cmd

import (
	"os"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
)

// tell writes problems with excerpts to stderr. Secrets in the files are
// masked.
func (a *app) tell(problems diag.List, sources ...config.Sources) {
	_ = diag.Render(a.io.Err, readSource(sources), problems, diag.RenderOptions{
		Masks: masks(sources), Columns: max(a.io.Width-8, 40), Color: a.io.Color && a.io.ErrTTY,
	})
}

// readSource finds the text of a file: as it was loaded, or from the disk.
func readSource(sources []config.Sources) func(string) []byte {
	return func(file string) []byte {
		for _, s := range sources {
			if b := s.Bytes(file); b != nil {
				return b
			}
		}
		b, err := os.ReadFile(file) //nolint:gosec // a file that has been read before
		if err != nil {
			return nil
		}
		return b
	}
}

// masks are those of the sources that have the file; of any other file what
// looks like a secret is masked.
func masks(sources []config.Sources) func(string) ([]diag.Span, bool) {
	return func(file string) ([]diag.Span, bool) {
		for _, s := range sources {
			if s.Bytes(file) != nil {
				return s.Masks(file)
			}
		}
		return nil, false
	}
}
