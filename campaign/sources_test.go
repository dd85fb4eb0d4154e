package campaign

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos"
)

// tree is a module with two faults and two assertions.
var tree = map[string]string{
	"go.mod": `module example.org/m // the module

go 1.26.0

require (
	example.org/load v1.2.0
	example.org/table v1.0.0
)

require example.org/net v0.1.0 // indirect
`,
	"load/load.go":     "package load\n\nimport _ \"example.org/load/lib\"\n",
	"harness/run.go":   "package harness\n\nfunc Run() { fault.Undo(); assert.Judge(); assert.Build() }\n",
	"fault/kinds.go":   "package fault\n\nvar builtin = byKind(\n\tKill{},\n\tFreeze{},\n)\n\nfunc byKind(f ...any) any { return f }\nfunc Encode() any { return builtin }\n",
	"fault/undo.go":    "package fault\n\nconst (\n\tRunning = \"running\"\n\tThawed = \"thawed\"\n)\n\nvar undoers = byName(\n\tundoer{Running, ensureRunning},\n\tundoer{Thawed, ensureThawed},\n)\n\ntype undoer struct{\n\tn string\n\tf func()\n}\n\nfunc Undo() { _ = undoers }\nfunc ensureRunning() {}\nfunc ensureThawed() {}\n",
	"fault/kill.go":    "package fault\n\ntype Kill struct{}\n\nfunc (Kill) Inject() string { return Running }\n",
	"fault/freeze.go":  "package fault\n\ntype Freeze struct{}\n\nfunc (f *Freeze) Inject() string { return Thawed + helper() }\nfunc helper() string { return \"\" }\n",
	"assert/ledger.go": "package assert\n\ntype Ledger struct{}\n\nfunc (Ledger) Check() int { return two }\n\nconst (\n\tone = iota\n\ttwo\n)\n",
	"assert/drain.go":  "package assert\n\ntype Drain struct{}\n",
	"assert/judge.go":  "package assert\n\nfunc Judge() {}\nfunc Build() any { return builtIn() }\nfunc builtIn() any { return tableOf(known[Ledger](), known[Drain]()) }\nfunc known[T any]() any { return tableOf() }\nfunc tableOf(l ...any) any { return l }\n",
}

func readTree(t *testing.T, change map[string]string) *Sources {
	t.Helper()
	files := fstest.MapFS{}
	all := maps.Clone(tree)
	maps.Copy(all, change)
	for name, text := range all {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	s, err := ReadSources(files, "go1.26.8")
	require.NoError(t, err)
	return s
}

func TestFingerprint(t *testing.T) {
	kill := func(s *Sources) string { return s.Fingerprint([]string{"Kill"}, []string{"Ledger"}) }
	freeze := func(s *Sources) string { return s.Fingerprint([]string{"Freeze"}, []string{"Drain"}) }
	base := readTree(t, nil)
	require.NotEqual(t, kill(base), freeze(base))
	tests := []struct {
		name         string
		change       map[string]string
		kill, freeze bool // whether it changes the fingerprint
	}{
		{"nothing", nil, false, false},
		{"comments", map[string]string{"harness/run.go": "// Package harness runs.\npackage harness\n\n// Run does.\nfunc Run() { fault.Undo(); assert.Judge(); assert.Build() } // it does\n"}, false, false},
		{"tests", map[string]string{"harness/run_test.go": "package harness", "fault/kill_test.go": "package fault"}, false, false},
		{"what is no Go", map[string]string{"harness/README.md": "words"}, false, false},
		{"a package that counts whole", map[string]string{"harness/run.go": "package harness\n\nfunc Run() { fault.Undo(); assert.Judge(); assert.Build(); print(1) }\n"}, true, true},
		{"a file of it", map[string]string{"harness/more.go": "package harness\n"}, true, true},
		{"a fault", map[string]string{"fault/kill.go": "package fault\n\ntype Kill struct{}\n\nfunc (Kill) Inject() string { return Running + \"!\" }\n"}, true, false},
		{"what a fault uses", map[string]string{"fault/freeze.go": tree["fault/freeze.go"][:len(tree["fault/freeze.go"])-4] + "1\" }\n"}, false, true},
		{"another fault's field", map[string]string{"fault/freeze.go": "package fault\n\ntype Freeze struct{ Port int }\n\nfunc (f *Freeze) Inject() string { return Thawed + helper() }\nfunc helper() string { return \"\" }\n"}, false, true},
		{"a new fault", map[string]string{
			"fault/crash.go": "package fault\n\ntype Crash struct{}\n",
			"fault/kinds.go": "package fault\n\nvar builtin = byKind(\n\tKill{},\n\tFreeze{},\n\tCrash{},\n)\n\nfunc byKind(f ...any) any { return f }\nfunc Encode() any { return builtin }\n",
		}, false, false},
		{"an undo", map[string]string{"fault/undo.go": "package fault\n\nconst (\n\tRunning = \"running\"\n\tThawed = \"thawed\"\n)\n\nvar undoers = byName(\n\tundoer{Running, ensureRunning},\n\tundoer{Thawed, ensureThawed},\n)\n\ntype undoer struct{\n\tn string\n\tf func()\n}\n\nfunc Undo() { _ = undoers }\nfunc ensureRunning() {}\nfunc ensureThawed() { print(1) }\n"}, false, true},
		{"what all use of the package", map[string]string{"fault/undo.go": "package fault\n\nconst (\n\tRunning = \"running\"\n\tThawed = \"thawed\"\n)\n\nvar undoers = byName(\n\tundoer{Running, ensureRunning},\n\tundoer{Thawed, ensureThawed},\n)\n\ntype undoer struct{\n\tn string\n\tf func()\n}\n\nfunc Undo() { _ = undoers; print(1) }\nfunc ensureRunning() {}\nfunc ensureThawed() {}\n"}, true, true},
		{"an assertion", map[string]string{"assert/drain.go": "package assert\n\ntype Drain struct{ N int }\n"}, false, true},
		{"a constant that is counted", map[string]string{"assert/ledger.go": "package assert\n\ntype Ledger struct{}\n\nfunc (Ledger) Check() int { return two }\n\nconst (\n\tzero = iota\n\tone\n\ttwo\n)\n"}, true, false},
	}
	mod := func(from, to string) map[string]string {
		require.Contains(t, tree["go.mod"], from)
		return map[string]string{"go.mod": strings.Replace(tree["go.mod"], from, to, 1)}
	}
	for name, changed := range map[string]struct {
		change map[string]string
		counts bool
	}{
		"a module that the load imports":       {mod("load v1.2.0", "load v1.2.1"), true},
		"one that nothing here imports":        {mod("table v1.0.0", "table v1.0.1"), false},
		"one more of these":                    {mod("example.org/table v1.0.0", "example.org/table v1.0.0\n\texample.org/flags v1.0.0"), false},
		"an indirect one":                      {mod("net v0.1.0", "net v0.1.1"), true},
		"another in its place":                 {mod("require (", "replace example.org/load => ../load\n\nrequire ("), true},
		"the language":                         {mod("go 1.26.0", "go 1.27.0"), true},
		"words":                                {mod("// the module", "// our module"), false},
		"one that only the name's start is of": {mod("table v1.0.0", "table v1.0.0\n\texample.org/lo v1.0.0"), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := readTree(t, changed.change)
			require.Equal(t, changed.counts, kill(s) != kill(base))
		})
	}
	t.Run("the toolchain", func(t *testing.T) {
		files := fstest.MapFS{}
		for name, text := range tree {
			files[name] = &fstest.MapFile{Data: []byte(text)}
		}
		s, err := ReadSources(files, "go1.27.0")
		require.NoError(t, err)
		require.NotEqual(t, kill(base), kill(s))
	})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := readTree(t, tt.change)
			require.Equal(t, tt.kill, kill(s) != kill(base), "of a run with Kill and Ledger")
			require.Equal(t, tt.freeze, freeze(s) != freeze(base), "of a run with Freeze and Drain")
		})
	}
	_, err := ReadSources(fstest.MapFS{"a.go": &fstest.MapFile{Data: []byte("package p\nvar s = \"open")}}, "")
	require.ErrorContains(t, err, "a.go:2")
	_, err = ReadSources(fstest.MapFS{"a.go": &fstest.MapFile{Data: []byte("package p")}}, "")
	require.ErrorContains(t, err, "go.mod", "what it is built with is not known")
}

// TestTheProgramsOwnSources: the tables that are taken apart are there, and
// two scenarios that share no fault differ.
func TestTheProgramsOwnSources(t *testing.T) {
	s, err := ReadSources(hachaos.Sources, runtime.Version())
	require.NoError(t, err)
	for name, tables := range apart {
		for _, table := range tables {
			require.Contains(t, s.parts[name].tables, table, "%s.%s is not there any more: see apart", name, table)
		}
	}
	all := len(s.parts["fault"].reached([]string{"InstanceKill", "Drain", "PowerLoss"}))
	kill := len(s.parts["fault"].reached([]string{"InstanceKill"}))
	for _, d := range s.parts["fault"].reached([]string{"InstanceKill"}) {
		require.NotContains(t, d, "ensureServerWeight ", "nor to every undo")
	}
	require.Greater(t, all, kill+10, "a fault does not lead to every other")
	require.NotEqual(t, s.Fingerprint([]string{"InstanceKill"}, nil), s.Fingerprint([]string{"Drain"}, nil))
}

// TestWhatAResultRestsOnIsThere: leaving one of these out would let a result
// pass for that of a program that has changed.
func TestWhatAResultRestsOnIsThere(t *testing.T) {
	for _, name := range []string{
		"go.mod", "campaign/item.go", "internal/wiring/wiring.go", "suite/keeper.go", "suite/run.go",
		"topology/docker/reap.go", "topology/docker/agent/toxiproxy.go", "harness/run.go", "clean/probes.go",
	} {
		_, err := fs.Stat(hachaos.Sources, name)
		require.NoError(t, err)
	}
	mod, err := fs.ReadFile(hachaos.Sources, "go.mod")
	require.NoError(t, err)
	needed, err := modules(mod, map[string]bool{"github.com/tsenart/vegeta/v12/lib": true})
	require.NoError(t, err)
	lines := strings.Join(needed, "\n")
	require.Contains(t, lines, "require github.com/tsenart/vegeta/v12 ")
	require.NotContains(t, lines, "require github.com/spf13/cobra ")
}

// TestScenariosHoldNoCodeOfTheirRun: a hash has a scenario's resolved form,
// which gives of an aim only the name. Its code must be where the sources
// count.
func TestScenariosHoldNoCodeOfTheirRun(t *testing.T) {
	dir := os.DirFS("../scenarios")
	files, err := fs.Glob(dir, "*.go")
	require.NoError(t, err)
	require.Greater(t, len(files), 10)
	for _, name := range files {
		text, err := fs.ReadFile(dir, name)
		require.NoError(t, err)
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if pair, ok := n.(*ast.KeyValueExpr); ok {
				key, _ := pair.Key.(*ast.Ident)
				require.False(t, key != nil && key.Name == "Pick", "%s has a selection of its own: put it into harness/selects.go", name)
			}
			return true
		})
	}
}
