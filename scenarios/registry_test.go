package scenarios_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/scenarios"
)

// Every scenario can be resolved as it stands and in each of its cases, and
// at least one case is broken on purpose.
func TestScenariosAreWhole(t *testing.T) {
	names := map[string]bool{}
	for _, s := range scenarios.All() {
		t.Run(s.Name, func(t *testing.T) {
			require.False(t, names[s.Name], "two scenarios have this name")
			names[s.Name] = true
			require.FileExists(t, strings.ReplaceAll(s.Name, "-", "_")+".go")
			require.NotEmpty(t, s.About)
			require.NotEmpty(t, s.Story)
			require.NotEmpty(t, s.Tags)
			var r harness.Runner
			require.NoError(t, r.Validate(s, harness.Options{}))
			asserts := map[string]bool{}
			for _, c := range s.Asserts {
				asserts[c.Name()] = true
			}
			cases, broken := map[string]bool{}, false
			for _, c := range s.Cases {
				require.False(t, cases[c.Name], "case %q is there twice", c.Name)
				cases[c.Name] = true
				broken = broken || len(c.Fails) > 0
				require.NoError(t, r.Validate(s, harness.Options{Set: c.Set, Nodes: c.Nodes}), c.Name)
				for _, name := range slices.Concat(c.Fails, c.Also) {
					require.True(t, asserts[name], "case %q: the scenario does not assert %q", c.Name, name)
				}
				if len(c.Fails)+len(c.Also) > 1 {
					require.NotEmpty(t, c.Because, "case %q: more than one assertion, and no reason", c.Name)
				}
				if len(c.Fails) > 0 {
					require.NotEmpty(t, c.Evidence, "case %q: it may fail for any reason", c.Name)
					require.NotContains(t, "of 4000 operations in the judged run were good (at least 99.9 %)", c.Evidence, "case %q: every failed budget says so", c.Name)
				}
				if len(c.Also) > 0 {
					require.NotEmpty(t, c.Fails, "case %q", c.Name)
				}
				for name := range c.Says {
					others := slices.Concat(c.Fails[min(1, len(c.Fails)):], c.Also)
					require.Contains(t, others, name, "case %q says what the evidence of %q is, which does not fail beside another", c.Name, name)
				}
			}
			require.True(t, broken, "no case shows that it can fail")
		})
	}
}

// An assertion that only some scenarios have is what they are about: idle it
// says nothing of them.
func TestScenariosNameWhatTheyExercise(t *testing.T) {
	own := []string{
		"drain", "event-delivery", "key-contract", "overlapping-updates", "overload-contract", "reconnection", "single-owner", "staleness",
		"stream-continuity", "timeout-order", "upload-durability", "version-skew",
	}
	met := map[string]bool{}
	for _, s := range scenarios.All() {
		t.Run(s.Name, func(t *testing.T) {
			var asserts []string
			for _, c := range s.Asserts {
				asserts = append(asserts, c.Name())
			}
			require.Subset(t, asserts, s.Exercises)
			for _, name := range own {
				if slices.Contains(asserts, name) {
					met[name] = true
					require.Contains(t, s.Exercises, name)
				}
			}
			if slices.Contains(s.Tags, "vip") {
				require.Contains(t, s.Exercises, "vip")
			}
		})
	}
	require.Len(t, met, len(own), "no scenario asserts some of %v", own)
}

// Every file but these holds a scenario that is registered.
func TestEveryFileIsRegistered(t *testing.T) {
	helpers := map[string]bool{"registry.go": true, "shared.go": true, "choose.go": true}
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	registered := map[string]bool{}
	for _, s := range scenarios.All() {
		registered[strings.ReplaceAll(s.Name, "-", "_")+".go"] = true
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), "_test.go") || helpers[f.Name()] || f.IsDir() {
			continue
		}
		require.True(t, registered[f.Name()], "%s holds no scenario of the registry %v", f.Name(), slices.Sorted(maps.Keys(registered)))
	}
}

// What an application dates whose clock was moved is not known: a scenario
// that moves clocks rests on nothing of the kind, or it could never pass.
func TestMovedClocksDateNothingThatIsAsserted(t *testing.T) {
	dated := []string{history.StreamReceipt, history.StreamTransition, history.StreamTruth}
	moved := 0
	for _, s := range scenarios.All() {
		if !movesClocks(s) {
			continue
		}
		moved++
		for _, c := range s.Asserts {
			for _, n := range c.Needs() {
				require.NotContains(t, dated, n.Stream, "%s: %s", s.Name, c.Name())
			}
		}
	}
	require.Positive(t, moved)
}

func movesClocks(s harness.Scenario) bool {
	return slices.ContainsFunc(s.Phases, func(p harness.Phase) bool {
		return slices.ContainsFunc(p.Faults, func(i harness.Injection) bool { return i.Fault.Kind() == fault.ClockMoved{}.Kind() })
	})
}
