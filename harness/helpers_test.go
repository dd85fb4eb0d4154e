package harness_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

var errSoftly = errors.New("softly is no way to kill")

type change = func(*harness.Scenario, *harness.Options)

func set(key, value string) change {
	return func(_ *harness.Scenario, o *harness.Options) { o.Set = map[string]string{key: value} }
}

func aim(a harness.Select) change {
	return func(s *harness.Scenario, _ *harness.Options) { s.Phases[2].Faults[0].Aim = a }
}

func phases(p ...harness.Phase) change {
	return func(s *harness.Scenario, _ *harness.Options) { s.Phases = p }
}

func inject(in ...harness.Injection) change {
	return phases(harness.Phase{Name: "p", Kind: history.PhaseBreak, For: time.Second, Faults: in})
}

func asserts(c ...assert.Checker) change {
	return func(s *harness.Scenario, _ *harness.Options) { s.Asserts = c }
}

func exercises(names ...string) change {
	return func(s *harness.Scenario, _ *harness.Options) { s.Exercises = names }
}

func one(label string) harness.Injection {
	return harness.Injection{Label: label, Fault: fault.InstanceKill{}, Aim: harness.OneApplication()}
}

// untold is a checker that JSON cannot carry.
type untold struct{ Func func() }

func (untold) Name() string                          { return "untold" }
func (untold) About() string                         { return "" }
func (untold) Needs() []assert.Need                  { return nil }
func (untold) Check(*history.History) assert.Verdict { return assert.Verdict{} }

func entriesOf(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	return list
}

// contents are the files of a folder, by name.
func contents(t *testing.T, path ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, e := range entriesOf(t, filepath.Join(path...)) {
		b, err := os.ReadFile(filepath.Join(append(path, e.Name())...))
		require.NoError(t, err)
		out[e.Name()] = string(b)
	}
	return out
}
