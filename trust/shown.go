package trust

import (
	"encoding/json"
	"regexp"
	"slices"
	"time"

	"github.com/google/renameio/v2"

	"github.com/hachaos/hachaos/harness"
)

// Shown is the record of what came of a harness mutant, a line of the file of
// them.
type Shown struct {
	Name       string          `json:"name"`
	Ends       Ending          `json:"ends"` // as it must
	Verdict    harness.Verdict `json:"verdict,omitempty"`
	Dirty      bool            `json:"dirty,omitempty"`
	Reason     string          `json:"reason,omitempty"` // without what no two runs share: see Stable
	Runs       int             `json:"runs"`
	Repeats    int             `json:"repeats,omitempty"`
	Wrong      string          `json:"wrong,omitempty"` // empty if it is caught
	Version    string          `json:"version"`
	Machine    string          `json:"machine"`
	At         time.Time       `json:"at"`
	Containers bool            `json:"containers,omitempty"`
}

// ShownOf is the record of an outcome.
func ShownOf(o Outcome, version, machine string, at time.Time) Shown {
	return Shown{
		Name: o.Mutant.Name, Ends: o.Mutant.Ends, Verdict: o.Verdict, Dirty: o.Dirty, Reason: Stable(o.Reason), Runs: o.Runs, Repeats: o.Repeats,
		Wrong: Stable(o.Wrong), Version: version, Machine: machine, At: at.UTC(), Containers: o.Mutant.Containers,
	}
}

// Good says that the mutant ended as it must.
func (s Shown) Good() bool { return s.Wrong == "" && s.Verdict != "" }

// Ended is how it ended, as people are told.
func (s Shown) Ended() string {
	if s.Verdict == "" {
		return "not shown"
	}
	return said(s.Verdict, s.Dirty)
}

// twins are what differs between two runs that are the same otherwise: digests,
// the ids of runs and topologies, and the folder.
var twins = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "<digest>"},
	{regexp.MustCompile(`\b[0-9]{8}T[0-9]{6}Z-[0-9a-z-]+-[0-9a-f]{8}\b`), "<run>"},
	{regexp.MustCompile(`\b[0-9a-f]{8,40}\b`), "<id>"},
	{regexp.MustCompile(`(^|[\s"'(])/(?:[\w.-]+/){2,}`), "$1.../"},
}

// Stable is a text without what no two runs share.
func Stable(s string) string {
	for _, t := range twins {
		s = t.pattern.ReplaceAllString(s, t.instead)
	}
	return s
}

// ReadShown reads the file of records; one that is not there has none.
func ReadShown(path string) ([]Shown, error) { return ReadFile[Shown](path) }

// KeepShown writes records into the file, each in the place of that of the same
// name. What is there of other mutants stays.
func KeepShown(path string, now []Shown) error {
	all, err := ReadShown(path)
	if err != nil {
		return err
	}
	for _, s := range now {
		if i := slices.IndexFunc(all, func(o Shown) bool { return o.Name == s.Name }); i >= 0 {
			all[i] = s
		} else {
			all = append(all, s)
		}
	}
	var lines []byte
	for _, s := range all {
		line, err := json.Marshal(s)
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	return renameio.WriteFile(path, lines, 0o644)
}
