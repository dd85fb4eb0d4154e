package campaign

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// scenario is one over the topology in memory.
func scenario(name string, cases ...harness.Case) harness.Scenario {
	return harness.Scenario{
		Name: name, Topology: "memory-ha", Load: load.Config{Rate: 20},
		Phases: []harness.Phase{{Name: "broken", Kind: history.PhaseBreak, For: 2 * time.Second, Faults: []harness.Injection{
			{Label: "f", Fault: fault.InstanceKill{}, Aim: harness.OneApplication()},
		}}},
		Asserts: []assert.Checker{assert.WriteLedger{}},
		Cases:   cases,
	}
}

// constant are sources that say the same of everything.
func constant(s string) func(faults, asserts []string) string {
	return func([]string, []string) string { return s }
}

var noDedupe = harness.Case{Name: "no deduplication", Set: map[string]string{"dedupe": "off"}, Fails: []string{"write-ledger"}}

func memory() *harness.Runner {
	return &harness.Runner{Lookup: func(string) (topology.Definition, error) { return fake.Definition(fake.Options{}), nil }}
}

func TestItems(t *testing.T) {
	list := []harness.Scenario{scenario("a", noDedupe, harness.Case{Name: "three", Nodes: 3}), scenario("b")}
	var names []string
	for _, i := range Items(list, "") {
		names = append(names, i.Name())
	}
	require.Equal(t, []string{"a (1)", "a (2)", "a (3)", "a, no deduplication", "a, three", "b (1)", "b (2)", "b (3)"}, names)
	names = nil
	for _, i := range Items(list, "documented") {
		names = append(names, i.Name())
	}
	require.Equal(t, []string{"a, profile documented", "b, profile documented"}, names)
}

func TestItemsOptions(t *testing.T) {
	items := Items([]harness.Scenario{scenario("a", noDedupe, harness.Case{Name: "three", Nodes: 3})}, "")
	require.Equal(t, harness.Options{Command: "hachaos run a"}, items[0].Options())
	require.Equal(t, harness.Options{Command: "hachaos run a --short --set dedupe=off", Short: true, Set: noDedupe.Set}, items[3].Options())
	require.Equal(t, harness.Options{Command: "hachaos run a --nodes 3 --short", Short: true, Nodes: 3}, items[4].Options())
	documented := Items([]harness.Scenario{scenario("a")}, "documented")
	require.Equal(t, "hachaos run a --profile documented", documented[0].Options().Command)
}

// TestHash: it is the same as long as nothing changes that the result depends
// on, and no longer.
func TestHash(t *testing.T) {
	images := func(name string) (string, error) { return "hachaos/" + name + ":1", nil }
	of := func(s harness.Scenario, which int, d Depends) string {
		h, err := Items([]harness.Scenario{s}, "")[which].Hash(memory(), d)
		require.NoError(t, err)
		require.Regexp(t, "^[0-9a-f]{16}$", h)
		return h
	}
	d := Depends{Images: images, Sources: constant("s1")}
	base := of(scenario("a", noDedupe), 0, d)
	require.Equal(t, base, of(scenario("a", noDedupe), 0, d))
	require.Equal(t, base, of(scenario("a", noDedupe), 2, d), "the repetition is in the file's name")
	told := scenario("a")
	told.About, told.Story, told.Tags = "other words", "more", []string{"x"}
	require.Equal(t, base, of(told, 0, d), "words and other cases do not count")

	changed := map[string]string{"the case": of(scenario("a", noDedupe), 3, d)}
	for name, change := range map[string]func(*harness.Scenario){
		"a phase":      func(s *harness.Scenario) { s.Phases[0].For++ },
		"a parameter":  func(s *harness.Scenario) { s.Phases[0].Faults[0].Fault = fault.InstanceKill{Port: 81} },
		"the aim":      func(s *harness.Scenario) { s.Phases[0].Faults[0].Aim = harness.Named("j1") },
		"an assertion": func(s *harness.Scenario) { s.Asserts = append(s.Asserts, assert.Leftovers{}) },
		"the load":     func(s *harness.Scenario) { s.Load.Orders = 3 },
		"a switch":     func(s *harness.Scenario) { s.Set = map[string]string{"check": "liar"} },
		"the nodes":    func(s *harness.Scenario) { s.Nodes = 3 },
	} {
		s := scenario("a")
		change(&s)
		changed[name] = of(s, 0, d)
	}
	changed["the sources"] = of(scenario("a"), 0, Depends{images, constant("s2")})
	changed["an image"] = of(scenario("a"), 0, Depends{func(name string) (string, error) { return "hachaos/" + name + ":2", nil }, constant("s1")})
	expectsMore := noDedupe
	expectsMore.Evidence = "duplicate"
	changed["what is expected"] = of(scenario("a", expectsMore), 3, d)
	seen := maps.Clone(map[string]string{base: "base"})
	for name, h := range changed {
		require.NotContains(t, seen, h, "%s changes nothing", name)
		seen[h] = name
	}
	var faults, asserts []string
	of(scenario("a"), 0, Depends{images, func(f, a []string) string { faults, asserts = f, a; return "" }})
	require.Equal(t, []string{"InstanceKill"}, faults, "the sources are asked for what the run uses")
	require.Equal(t, []string{"WriteLedger"}, asserts)
	_, err := Items([]harness.Scenario{scenario("a")}, "")[0].Hash(memory(), Depends{Images: func(string) (string, error) { return "", errors.New("no such image") }})
	require.ErrorContains(t, err, "no such image")
	_, err = Items([]harness.Scenario{scenario("a")}, "slow")[0].Hash(memory(), d)
	require.ErrorIs(t, err, harness.ErrUsage)
}
