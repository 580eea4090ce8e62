package cmd

import (
	"github.com/spf13/cobra"

	"github.com/hookd/hookd/configlint"
)

func newRulesCmd(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "rules [CODE]", Short: "List what validate-config warns about, or explain one",
		Example:           "  hookd rules\n  hookd rules no_proof",
		Args:              args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: complete(ruleCodes),
		RunE:              func(_ *cobra.Command, args []string) error { return runRules(a, first(args), asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

type ruleInfo struct {
	Code  string `json:"code"`
	Title string `json:"title"`
	Why   string `json:"why"`
	Fix   string `json:"fix"`
}

func runRules(a *app, code string, asJSON bool) error {
	var infos []ruleInfo
	t := tableOf{head: []string{"CODE", "FINDS"}}
	for _, r := range configlint.Rules() {
		if code != "" && r.Code != code {
			continue
		}
		infos = append(infos, ruleInfo{r.Code, r.Title, r.Why, r.Fix})
		t.add(r.Code, r.Title)
	}
	switch {
	case len(infos) == 0:
		return usagef("there is no rule %q%s", code, hint(code, ruleCodes()))
	case asJSON && code != "":
		return a.io.JSON(infos[0])
	case asJSON:
		return a.io.JSON(infos)
	case code != "":
		a.io.Printf("%s: %s\n\n%s\n\nWhat to do: %s.\n", infos[0].Code, infos[0].Title, infos[0].Why, infos[0].Fix)
	default:
		a.io.table(t)
	}
	return nil
}

func ruleCodes() []string {
	var codes []string
	for _, r := range configlint.Rules() {
		codes = append(codes, r.Code)
	}
	return codes
}
