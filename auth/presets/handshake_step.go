package presets

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
)

type step struct {
	methods       []string
	when          []cond
	verified      bool
	token, listed *scheme.Source
	want          auth.Tokens // of token
	allowed       []string    // of listed; empty is everything
	capture       *scheme.Source
	reply         reply
}

type cond struct {
	at scheme.Source
	Cond
}

func compileStep(d *Step, o Options) (step, error) {
	s := step{methods: d.Methods, verified: d.Verified}
	if len(s.methods) == 0 {
		s.methods = []string{http.MethodPost}
	}
	for _, c := range d.When {
		at, err := scheme.ParseSource(c.At)
		if err != nil {
			return s, err
		}
		s.when = append(s.when, cond{at, c})
	}
	if err := s.settings(d, o.Params); err != nil {
		return s, err
	}
	if d.Capture != "" {
		src, err := scheme.ParseSource(d.Capture)
		if err != nil {
			return s, err
		}
		s.capture = &src
	}
	var err error
	s.reply, err = parseReply(d, o)
	return s, err
}

// settings compiles what the step compares with the operator's params.
func (s *step) settings(d *Step, params map[string]string) error {
	if d.Token[0] != "" {
		src, err := scheme.ParseSource(d.Token[0])
		if err != nil {
			return err
		}
		s.token = &src
		if v := params[d.Token[1]]; v != "" {
			s.want = auth.NewTokens(false, secret.New(v))
		}
	}
	if d.Listed[0] != "" {
		src, err := scheme.ParseSource(d.Listed[0])
		if err != nil {
			return err
		}
		s.listed = &src
		list := params[d.Listed[1]]
		for v := range strings.SplitSeq(list, ",") {
			if v = strings.TrimSpace(v); v != "" && v != "*" {
				s.allowed = append(s.allowed, v)
			}
		}
		if list != "" && len(s.allowed) == 0 && !strings.Contains(list, "*") {
			return fmt.Errorf("the setting %q lists nothing", d.Listed[1])
		}
		if len(s.allowed) > 0 && strings.Contains(list, "*") {
			return fmt.Errorf("the setting %q is either * or a list", d.Listed[1])
		}
	}
	return nil
}
