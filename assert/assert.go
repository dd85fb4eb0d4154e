// Package assert holds the checkers: pure functions of a history that say
// whether users would have noticed. One file each.
//
// A checker is three-valued. It fails on evidence, passes on evidence, and is
// inconclusive otherwise: an empty history never passes, a checker that
// panics is inconclusive, and one that met no occasion says so. Checkers
// bound their work by counts, never by time, so that a verdict can be had
// again.
package assert

import (
	"time"

	"github.com/hachaos/hachaos/history"
)

// Status of an assertion. The zero value is Inconclusive.
type Status int

// The three values.
const (
	Inconclusive Status = iota
	Pass
	Fail
)

// Checker judges one property. Implementations are plain values whose
// exported fields are their parameters, so that a run's folder can carry
// them; see Encode and Decode.
type Checker interface {
	// Name is unique and stable: scripts use it.
	Name() string
	// About says in one line what is expected, with the numbers.
	About() string
	// Needs lists what must be true of the record for the result to count.
	Needs() []Need
	// Check is pure: it changes nothing and depends on h alone.
	Check(h *history.History) Verdict
}

// Verdict is a checker's result.
type Verdict struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Measured and Bound are in Unit. Measured is nil if nothing could be.
	Measured *float64 `json:"measured" jsonschema:"nullable"`
	Bound    *float64 `json:"bound" jsonschema:"nullable"`
	// Op says how Measured must relate to Bound: "<=" or ">=".
	Op   string `json:"op,omitempty"`
	Unit string `json:"unit"`
	// Summary is one sentence in plain words.
	Summary string `json:"summary"`
	// NotExercised says that the assertion met no occasion to be tested.
	NotExercised bool `json:"notExercised,omitempty"`
	// Reasons say why it is inconclusive.
	Reasons []string `json:"reasons,omitempty"`
	// Evidence names the operations and observations, worst first. It is
	// limited to MaxEvidence; More counts the rest.
	Evidence []Evidence `json:"evidence" jsonschema:"nullable"`
	More     int        `json:"more,omitempty"`
	// Measures are all figures, for tables and comparison.
	Measures []Measure `json:"measures,omitempty"`
	// Notes are remarks that do not decide: caveats, what was left out.
	Notes []string `json:"notes,omitempty"`
	// Safety says that a Fail rests on positive evidence from the client's
	// own record and the database, and stands although a need is missing.
	Safety bool `json:"safety,omitempty"`
	// Fix says which value of which file would change the result, and in words
	// what to do: a value or a bound of the record, with the file that it names
	// there. Of a record that states none it is words alone; of leftovers it is
	// the command that removes them. See ValueNames.
	Fix string `json:"fix,omitempty"`
}

// MaxEvidence is how many pieces of evidence a verdict carries.
const MaxEvidence = 20

// Evidence is one observation that a verdict rests on.
type Evidence struct {
	// Seq is the journal's line; 0 if it is none in particular.
	Seq uint64 `json:"seq,omitempty"`
	// Op is the operation's number; 0 if it is none.
	Op   uint64        `json:"op,omitempty"`
	At   time.Duration `json:"at"`
	Node string        `json:"node,omitempty"`
	// Class groups evidence: "duplicate", "lost update".
	Class string `json:"class,omitempty"`
	Text  string `json:"text"`
}

// Measure is one figure.
type Measure struct {
	Name  string   `json:"name"`
	Value float64  `json:"value"`
	Unit  string   `json:"unit,omitempty"`
	Bound *float64 `json:"bound,omitempty"`
	// Note is a formula, a source or a phase.
	Note string `json:"note,omitempty"`
}

// Need is something that a record must have for an assertion to count.
type Need struct {
	Kind NeedKind
	// Stream is the observer's, of a NeedStream.
	Stream string
	// Beside says, of a NeedStream, that the checker itself treats what was
	// under way in the times that the observer names as unknown
	// (history.Coverage.Unknown) as unknown. Otherwise they make the stream
	// incomplete.
	Beside bool
	// ToPass says that only a Pass rests on it, since what the checker finds
	// wrong it finds in what was seen, whatever was not. A Fail stands without
	// it, and the checker notes what is missing.
	ToPass bool
	// Slow is, of a NeedBaseline, how slow a good operation may be for the
	// checker. Zero: it asks whether they were steady, not whether they were
	// fast.
	Slow time.Duration
}

// NeedKind says what is needed.
type NeedKind string

// What can be needed. A need that is missing makes the assertion
// inconclusive by name, whatever it measured, unless it is one ToPass.
const (
	// NeedFault: every fault was proven to bite by the right amount.
	NeedFault NeedKind = "fault proven"
	// NeedHeal: every fault was proven to have healed.
	NeedHeal NeedKind = "heal proven"
	// NeedBaseline: the first steady phase was steady.
	NeedBaseline NeedKind = "baseline steady"
	// NeedGenerator: the load was sent on time and nothing was dropped.
	NeedGenerator NeedKind = "generator on time"
	// NeedClock: no clock step disturbs the times from outside.
	NeedClock NeedKind = "clock steady"
	// NeedAlone: nobody else killed, stopped or started a node of the run.
	// Judge asks it for every checker that needs anything.
	NeedAlone NeedKind = "undisturbed"
	// NeedStream: the named observer missed nothing.
	NeedStream NeedKind = "observer complete"
)
