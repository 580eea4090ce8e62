package cmd

import (
	"bufio"
	"errors"
	"strings"
)

var errDeclined = errors.New("not done")

// ask wants a yes from the person at the terminal.
func (a *app) ask(question string) error {
	a.io.Errorf("%s [y/N] ", question)
	line, err := bufio.NewReader(a.io.In).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	if answer == "y" || answer == "yes" {
		return nil
	}
	if err != nil {
		a.io.Errorf("\n")
	}
	return errDeclined
}
