package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spf13/viper"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

// parseTOML reads a TOML file through viper. Its values know the file they are
// from, but not the line.
func parseTOML(name string, b []byte) (*spec.Node, diag.List) {
	v := viper.New()
	v.SetConfigType("toml")
	err := v.ReadConfig(bytes.NewReader(b))
	var text []byte
	if err == nil {
		text, err = json.Marshal(v.AllSettings())
	}
	if err != nil {
		return nil, diag.List{{Pos: diag.Pos{File: name}, Code: "syntax", Message: fmt.Sprintf("not TOML: %v", err)}}
	}
	n, problems := spec.ParseJSON(name, text)
	forgetPlace(n, name)
	return n, problems
}

func forgetPlace(n *spec.Node, name string) {
	if n == nil {
		return
	}
	n.Pos, n.Width = diag.Pos{File: name}, 0
	for i := range n.Members {
		n.Members[i].Pos, n.Members[i].Width = diag.Pos{File: name}, 0
		forgetPlace(n.Members[i].Value, name)
	}
	for _, item := range n.Items {
		forgetPlace(item, name)
	}
}
