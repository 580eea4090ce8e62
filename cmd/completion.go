package cmd

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
)

// shells are the shells that there are completions for, with the names that
// their files have in completions/.
var shells = []struct{ name, file string }{
	{"bash", "hookd.bash"},
	{"zsh", "_hookd"},
	{"fish", "hookd.fish"},
	{"powershell", "hookd.ps1"},
}

func shellNames() []string {
	var names []string
	for _, s := range shells {
		names = append(names, s.name)
	}
	return names
}

func newCompletionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print the completion for a shell",
		Long: "Print the completion for a shell. That of bash needs the package bash-completion.",
		Example: `  hookd completion bash > /etc/bash_completion.d/hookd
  hookd completion zsh > "${fpath[1]}/_hookd"
  hookd completion fish > ~/.config/fish/completions/hookd.fish`,
		Args:              args(cobra.ExactArgs(1)),
		ValidArgsFunction: complete(shellNames),
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(shellNames(), args[0]) {
				return usagef("there is no completion for %q%s", args[0], oneOfHint(args[0], shellNames()))
			}
			return writeCompletion(c.Root(), args[0], a.io.Out)
		},
	}
}

func writeCompletion(root *cobra.Command, shell string, w io.Writer) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(w)
	}
	return fmt.Errorf("no such shell: %s", shell)
}
