package cmd

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

type flag = pflag.Flag

// settingsFiles are where hookd.yaml is looked for, in this order.
var settingsFiles = []string{"hookd.yaml", "hookd.yml", "hookd.toml", "hookd.json"}

// settingsSource is where settings come from.
type settingsSource struct {
	file  string // "" looks for settingsFiles
	env   Env
	flags map[string]string // key → flag, of those that a command binds
	set   *pflag.FlagSet
	// offline looks no reference of the file up.
	offline bool
}

// loadSettings merges, strongest first: flags, HOOKD_* variables, the variables
// of the original service, the file, the defaults. All problems are reported.
// viper keeps the layers; what each value is, and where it was written, stays
// in the nodes that it carries.
func loadSettings(src settingsSource) (*Settings, string, diag.List) {
	v := viper.New()
	root, name, problems := settingsFile(src.file)
	if root != nil {
		problems = append(problems, spec.Resolve(root, src.env.Lookup, spec.ResolveOptions{Offline: src.offline})...)
	}
	keys := settingKeys()
	layers := []map[string]any{fileLayer(root, keys)}
	original, refused := originalLayer(src.env)
	problems = append(problems, refused...)
	layers = append(layers, original, hookdLayer(src.env, keys), flagLayer(src))
	for _, l := range layers {
		if err := v.MergeConfigMap(nest(l)); err != nil {
			problems.Add(diag.Problem{Pos: diag.Pos{File: name}, Code: "internal", Message: err.Error()})
		}
	}
	s := &Settings{}
	all := merged(v, root, keys)
	problems = append(problems, spec.Decode(all, s, "")...)
	s.place(all, name)
	s.EventLog.node = all.Get("event_log")
	if s.Dev && all.Get("listen") == nil {
		s.Listen = "127.0.0.1:8000" // the hook of --dev is open to everybody
	}
	problems = append(problems, unknownVariables(src.env, keys)...)
	problems.Sort()
	return s, name, problems
}

// settingsFile parses the file; nil without one.
func settingsFile(name string) (*spec.Node, string, diag.List) {
	asked := name != ""
	for _, candidate := range settingsFiles {
		if _, err := os.Stat(candidate); name == "" && err == nil {
			name = candidate
		}
	}
	if name == "" {
		return nil, "", nil
	}
	b, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		hint := ""
		if asked && errors.Is(err, fs.ErrNotExist) {
			hint = "hookd init writes one"
		}
		return nil, name, diag.List{{Pos: diag.Pos{File: name}, Code: "unreadable", Message: reason(err), Hint: hint}}
	}
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case strings.TrimSpace(string(b)) == "" || onlyComments(b):
		return nil, name, nil
	case ext == ".json":
		n, problems := spec.ParseJSON(name, b)
		return n, name, problems
	case ext == ".toml":
		n, problems := parseTOML(name, b)
		return n, name, problems
	}
	n, problems := spec.ParseYAML(name, b)
	return n, name, problems
}

// onlyComments reports a YAML or TOML file in which every line is a comment.
func onlyComments(b []byte) bool {
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && line != "---" {
			return false
		}
	}
	return true
}

// reason is an error of the operating system without the path, which the
// problem has already.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// settingKeys lists the dotted names of all settings with their kind.
func settingKeys() map[string]spec.Info {
	keys := make(map[string]spec.Info)
	var walk func(prefix string, fields spec.Fields)
	walk = func(prefix string, fields spec.Fields) {
		for _, f := range fields {
			info := f.Info()
			if info.Kind == spec.KindObject {
				walk(prefix+info.Name+".", info.Children)
				continue
			}
			keys[prefix+info.Name] = info
		}
	}
	walk("", (&Settings{}).Fields())
	return keys
}

// fileLayer picks the values of known keys; Decode looks at the rest.
func fileLayer(root *spec.Node, keys map[string]spec.Info) map[string]any {
	layer := make(map[string]any)
	for key := range keys {
		n := root
		for part := range strings.SplitSeq(key, ".") {
			n = n.Get(part)
		}
		if n != nil {
			layer[key] = n
		}
	}
	return layer
}

// hookdLayer reads HOOKD_QUEUE_MAX_DISK for queue.max_disk. An empty variable is
// one that is not set.
func hookdLayer(env Env, keys map[string]spec.Info) map[string]any {
	layer := make(map[string]any)
	for key, info := range keys {
		if text := env[variable(key)]; text != "" {
			layer[key] = textNode(variable(key), text, info.Kind)
		}
	}
	return layer
}

func flagLayer(src settingsSource) map[string]any {
	layer := make(map[string]any)
	keys := settingKeys()
	for key, name := range src.flags {
		if f := src.set.Lookup(name); f != nil && f.Changed {
			layer[key] = textNode("--"+name, f.Value.String(), keys[key].Kind)
		}
	}
	return layer
}

// variable is the environment variable of a key.
func variable(key string) string {
	return "HOOKD_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// unknownVariables warns of HOOKD_ variables that are no setting.
func unknownVariables(env Env, keys map[string]spec.Info) diag.List {
	var known []string
	for key := range keys {
		known = append(known, variable(key))
	}
	slices.Sort(known)
	known = append(known, otherVariables...)
	var problems diag.List
	for name := range env {
		if strings.HasPrefix(name, "HOOKD_") && !slices.Contains(known, name) && !strings.HasPrefix(name, "HOOKD_TEST_") {
			problems.Add(diag.Problem{
				Severity: diag.Warning, Pos: diag.Pos{File: name}, Code: "unknown_variable",
				Message: "no setting has this variable", Hint: diag.Suggest(name, known),
			})
		}
	}
	problems.Sort()
	return problems
}

// otherVariables are read by commands, not by the daemon.
var otherVariables = []string{"HOOKD_CONFIG", "HOOKD_SERVER", "HOOKD_TOKEN"}

// textNode is a value that was not written in a file. A list is separated by
// commas.
func textNode(origin, text string, kind spec.Kind) *spec.Node {
	pos := diag.Pos{File: origin}
	if kind != spec.KindList {
		return &spec.Node{Pos: pos, Kind: spec.NodeString, Text: text}
	}
	list := &spec.Node{Pos: pos, Kind: spec.NodeArray}
	for item := range strings.SplitSeq(strings.Trim(text, "[]"), ",") {
		if item = strings.TrimSpace(item); item != "" {
			list.Items = append(list.Items, &spec.Node{Pos: pos, Kind: spec.NodeString, Text: item})
		}
	}
	return list
}

// nest turns dotted keys into maps in maps, as viper takes them.
func nest(flat map[string]any) map[string]any {
	out := make(map[string]any)
	for key, value := range flat {
		at := out
		parts := strings.Split(key, ".")
		for _, p := range parts[:len(parts)-1] {
			next, ok := at[p].(map[string]any)
			if !ok {
				next = make(map[string]any)
				at[p] = next
			}
			at = next
		}
		at[parts[len(parts)-1]] = value
	}
	return out
}

// merged is the file's tree with the value that won in the place of each known
// key. What is not known stays, so that it is reported where it was written.
func merged(v *viper.Viper, root *spec.Node, keys map[string]spec.Info) *spec.Node {
	if root == nil {
		root = &spec.Node{Kind: spec.NodeObject}
	}
	out := *root
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if n, ok := v.Get(key).(*spec.Node); ok {
			out = *put(&out, strings.Split(key, "."), n)
		}
	}
	return &out
}

// put returns n with value at path. Objects on the way are copied or made.
func put(n *spec.Node, path []string, value *spec.Node) *spec.Node {
	if n == nil || n.Kind == spec.NodeNull {
		n = &spec.Node{Kind: spec.NodeObject, Pos: value.Pos}
	}
	if n.Kind != spec.NodeObject {
		return n // refused by Decode
	}
	m := spec.Member{Key: path[0], Pos: value.Pos, Value: value}
	old := n.Member(path[0])
	if old != nil {
		m = *old
	}
	if len(path) > 1 {
		var below *spec.Node
		if old != nil {
			below = old.Value
		}
		m.Value = put(below, path[1:], value)
	} else {
		m.Value = value
	}
	return n.With(func(key string) bool { return key != path[0] }, m)
}

// place makes the paths of the settings relative to the file that they are
// written in.
func (s *Settings) place(all *spec.Node, file string) {
	written := func(key string) bool {
		n := all.Get(key)
		return n != nil && n.Pos.File == file
	}
	s.Webhooks = near(s.Webhooks, file, written("webhooks"))
	s.Connections = near(s.Connections, file, written("connections"))
	if written("data_dir") {
		s.DataDir = near(s.DataDir, file, true)
	}
}

// settingsFileName is the file that is asked for; "" looks for one.
func (a *app) settingsFileName(name string) string {
	return cmp.Or(name, a.global.config, a.env["HOOKD_CONFIG"])
}

// settings loads the settings for a command, which ends with exitConfig when
// they have errors.
func (a *app) settings(src settingsSource) (*Settings, string, error) {
	src.env, src.file = a.env, a.settingsFileName(src.file)
	s, name, problems := loadSettings(src)
	if len(problems) > 0 {
		a.tell(problems)
	}
	if problems.HasErrors() {
		return nil, name, errConfig
	}
	return s, name, nil
}
