package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// help prints what a command does and how it is called. cobra's own would do,
// but for the room that it gives to switches.
func (a *app) help(c *cobra.Command) {
	p := a.io.style()
	var b strings.Builder
	text := strings.TrimSpace(c.Long)
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(&b, "%s\n\n%s\n", text, p.bold.Render("Usage:"))
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND\n", c.CommandPath())
	} else {
		fmt.Fprintf(&b, "  %s\n", c.UseLine())
	}
	if c.Example != "" {
		fmt.Fprintf(&b, "\n%s\n%s\n", p.bold.Render("Examples:"), strings.TrimRight(c.Example, "\n"))
	}
	for _, g := range c.Groups() {
		commands(&b, p.bold.Render(g.Title), c, g.ID)
	}
	commands(&b, p.bold.Render("Commands:"), c, "")
	flags(&b, p.bold.Render("Flags:"), c.LocalNonPersistentFlags())
	global := pflag.NewFlagSet("", pflag.ContinueOnError)
	global.SortFlags = false
	global.AddFlagSet(c.PersistentFlags())
	global.AddFlagSet(c.InheritedFlags())
	flags(&b, p.bold.Render("Flags of every command:"), global)
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n'%s COMMAND --help' says more.\n", c.CommandPath())
	}
	a.io.Printf("%s", b.String())
}

func commands(b *strings.Builder, title string, c *cobra.Command, group string) {
	begun := false
	for _, sub := range c.Commands() {
		if sub.GroupID != group || !sub.IsAvailableCommand() {
			continue
		}
		if !begun {
			fmt.Fprintf(b, "\n%s\n", title)
			begun = true
		}
		fmt.Fprintf(b, "  %-16s %s\n", sub.Name(), sub.Short)
	}
}

// flags prints a line per flag: its name, the word for its value, and what it
// does, with the default where that says something.
func flags(b *strings.Builder, title string, set *pflag.FlagSet) {
	type line struct{ name, usage string }
	var lines []line
	width := 0
	set.VisitAll(func(f *flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "    --" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", --" + f.Name
		}
		if f.Value.Type() != "bool" {
			name += " " + strings.ToUpper(value)
		}
		switch f.DefValue {
		case "", "false", "0", "[]":
		default:
			usage += " (default " + f.DefValue + ")"
		}
		lines = append(lines, line{name, usage})
		width = max(width, len(name))
	})
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, l := range lines {
		fmt.Fprintf(b, "  %-*s  %s\n", width, l.name, l.usage)
	}
}
