package campaign

import (
	"maps"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos"
)

// tree is a module with two faults and two assertions.
var tree = map[string]string{
	"harness/run.go":   "package harness\n\nfunc Run() { fault.Undo(); assert.Judge() }\n",
	"fault/kinds.go":   "package fault\n\nvar builtin = byKind(\n\tKill{},\n\tFreeze{},\n)\n\nfunc byKind(f ...any) any { return f }\nfunc Encode() any { return builtin }\n",
	"fault/undo.go":    "package fault\n\nconst (\n\tRunning = \"running\"\n\tThawed = \"thawed\"\n)\n\nvar undoers = byName(\n\tundoer{Running, ensureRunning},\n\tundoer{Thawed, ensureThawed},\n)\n\ntype undoer struct{\n\tn string\n\tf func()\n}\n\nfunc Undo() { _ = undoers }\nfunc ensureRunning() {}\nfunc ensureThawed() {}\n",
	"fault/kill.go":    "package fault\n\ntype Kill struct{}\n\nfunc (Kill) Inject() string { return Running }\n",
	"fault/freeze.go":  "package fault\n\ntype Freeze struct{}\n\nfunc (f *Freeze) Inject() string { return Thawed + helper() }\nfunc helper() string { return \"\" }\n",
	"assert/ledger.go": "package assert\n\ntype Ledger struct{}\n\nfunc (Ledger) Check() int { return two }\n\nconst (\n\tone = iota\n\ttwo\n)\n",
	"assert/drain.go":  "package assert\n\ntype Drain struct{}\n",
	"assert/judge.go":  "package assert\n\nfunc Judge() {}\nfunc builtIn() any { return tableOf(known[Ledger](), known[Drain]()) }\n",
}

func read(t *testing.T, change map[string]string) *Sources {
	t.Helper()
	files := fstest.MapFS{}
	all := maps.Clone(tree)
	maps.Copy(all, change)
	for name, text := range all {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	s, err := ReadSources(files)
	require.NoError(t, err)
	return s
}

func TestFingerprint(t *testing.T) {
	kill := func(s *Sources) string { return s.Fingerprint([]string{"Kill"}, []string{"Ledger"}) }
	freeze := func(s *Sources) string { return s.Fingerprint([]string{"Freeze"}, []string{"Drain"}) }
	base := read(t, nil)
	require.NotEqual(t, kill(base), freeze(base))
	tests := []struct {
		name         string
		change       map[string]string
		kill, freeze bool // whether it changes the fingerprint
	}{
		{"nothing", nil, false, false},
		{"comments", map[string]string{"harness/run.go": "// Package harness runs.\npackage harness\n\n// Run does.\nfunc Run() { fault.Undo(); assert.Judge() } // it does\n"}, false, false},
		{"tests", map[string]string{"harness/run_test.go": "package harness", "fault/kill_test.go": "package fault"}, false, false},
		{"what is no Go", map[string]string{"harness/README.md": "words"}, false, false},
		{"a package that counts whole", map[string]string{"harness/run.go": "package harness\n\nfunc Run() { fault.Undo(); assert.Judge(); print(1) }\n"}, true, true},
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
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := read(t, tt.change)
			require.Equal(t, tt.kill, kill(s) != kill(base), "of a run with Kill and Ledger")
			require.Equal(t, tt.freeze, freeze(s) != freeze(base), "of a run with Freeze and Drain")
		})
	}
	_, err := ReadSources(fstest.MapFS{"a.go": &fstest.MapFile{Data: []byte("package p\nvar s = \"open")}})
	require.ErrorContains(t, err, "a.go:2")
}

// TestTheProgramsOwnSources: the tables that are taken apart are there, and
// two scenarios that share no fault differ.
func TestTheProgramsOwnSources(t *testing.T) {
	s, err := ReadSources(hachaos.Sources)
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
