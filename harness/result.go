package harness

import (
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// ResultSchema names the version of Result's JSON form.
const ResultSchema = "hachaos.result/1"

// Verdict of a run.
type Verdict string

// The verdicts and, by ExitCode, their exit codes. Usage has no verdict.
const (
	VerdictPass         Verdict = "pass"
	VerdictFail         Verdict = "fail"
	VerdictInconclusive Verdict = "inconclusive"
	VerdictError        Verdict = "error"
)

// Exit codes of the command line.
const (
	ExitPass         = 0
	ExitFail         = 1
	ExitUsage        = 2
	ExitInconclusive = 3
	ExitError        = 4
	ExitDirty        = 5
)

// Result is what a run comes to. It is a function of the run's folder alone.
type Result struct {
	Schema   string  `json:"schema"`
	Scenario string  `json:"scenario"`
	Verdict  Verdict `json:"verdict"`
	// Reason is the verdict in one sentence.
	Reason string `json:"reason"`
	// BrokenOff is why the run ended before its time: an interrupt, or what it
	// cannot go on without. It is empty if the run was made whole.
	BrokenOff string `json:"brokenOff,omitempty"`
	// Dirty says that something could not be healed or removed; Leftovers
	// lists it with the command that removes it.
	Dirty     bool               `json:"dirty"`
	Leftovers []history.Leftover `json:"leftovers,omitempty"`
	// Dir is the run's folder: its base name in result.json, the path as
	// given on standard output.
	Dir      string `json:"dir"`
	ID       string `json:"id"`
	Seed     uint64 `json:"seed"`
	Topology string `json:"topology"`
	Profile  string `json:"profile,omitempty"`
	Version  string `json:"version"`
	// StartedAt is when the run was asked for; the folder's name has it, too.
	StartedAt time.Time `json:"startedAt"`
	// Took is the time from the system's readiness, where the run's clock
	// begins, to the end of its record.
	Took time.Duration `json:"took"`
	// Measures are the figures of the whole run, by name: "operations",
	// "good_percent", "latency_p99_ms", …; see Summarise.
	Measures   map[string]float64 `json:"measures" jsonschema:"nullable"`
	Assertions []assert.Verdict   `json:"assertions" jsonschema:"nullable"`
	// Faults are what was injected, with the proofs.
	Faults []FaultResult `json:"faults" jsonschema:"nullable"`
	// Command repeats the run.
	Command string `json:"command,omitempty"`
}

// FaultResult is an injection in the result.
type FaultResult struct {
	Kind     string        `json:"kind"`
	Nodes    []string      `json:"nodes" jsonschema:"nullable"`
	At       time.Duration `json:"at"`
	HealedAt time.Duration `json:"healedAt"` // -1: not proven
	Proven   bool          `json:"proven"`
	Asked    string        `json:"asked,omitempty"`
	Measured string        `json:"measured,omitempty"`
	How      []string      `json:"how,omitempty"`
}

// ExitCode is the command's exit code for the result.
func (r *Result) ExitCode() int {
	if r.Dirty {
		return ExitDirty
	}
	switch r.Verdict {
	case VerdictPass:
		return ExitPass
	case VerdictFail:
		return ExitFail
	case VerdictInconclusive:
		return ExitInconclusive
	}
	return ExitError
}
