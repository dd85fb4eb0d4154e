package trust

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/observe"
)

// records are mutants of what is left of a run: they change the folder of the
// control's run and judge it again, as `hachaos check` does.
func records() []Mutant {
	nodeKilled, short := control("node-killed", killed), control("brief", brief)
	return []Mutant{
		{
			Name: "journal-truncated", Title: "The journal is cut off at every byte of its last three lines.",
			Stands:  "a process that is killed, or a disk that is full, while it writes",
			Control: short, Ends: Inconclusive, Says: []string{"The record", "journal.jsonl"},
			Run: truncated(3),
		},
		{
			Name: "journal-truncated-in-the-run", Title: "The journal is cut off at eleven places between its beginning and its end.",
			Stands:  "a machine that loses its power during the run",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"The record is torn"},
			Run: edited(places(11), func(journal []byte, n int) []byte { return journal[:inLine(journal, (n+1)*len(journal)/12)] }),
		},
		{
			Name: "journal-empty", Title: "The journal is empty.",
			Stands:  "a file that was created and never written",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"The record is torn", "journal.jsonl is empty"},
			Run: edited(places(1), func([]byte, int) []byte { return nil }),
		},
		{
			Name: "journal-unsealed", Title: "The journal ends as it should, but for its seal.",
			Stands:  "a harness that was killed at the very end",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"The record has no seal"},
			Run: edited(places(1), func(journal []byte, _ int) []byte {
				l := lines(journal)
				return bytes.Join(l[:len(l)-1], nil)
			}),
		},
		{
			Name: "history-empty", Title: "The record is whole, and holds neither an operation nor an observation.",
			Stands:  "a recorder that was told of the phases and the faults alone",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"nothing was sent"},
			Run: restated(func(events []history.Event) ([]history.Event, error) {
				return without(events, func(e *history.Event) bool { return e.Op != nil || e.Kind == history.Observed }), nil
			}),
		},
		{
			Name: "lines-swapped", Title: "Two neighbouring lines of the journal change places: the last five pairs, and seven others.",
			Stands:  "two writers of one file",
			Control: nodeKilled, Ends: Error, Says: []string{"altered", "out of order"},
			Run: edited(places(12), func(journal []byte, n int) []byte {
				l := lines(journal)
				at := len(l) - 2 - n
				if n >= 5 {
					at = (n - 4) * len(l) / 9
				}
				l[at], l[at+1] = l[at+1], l[at]
				return bytes.Join(l, nil)
			}),
		},
		{
			Name: "lines-swapped-and-numbered", Title: "Two lines change places and numbers, so that they are in order.",
			Stands:  "a record that was tidied up by hand",
			Control: nodeKilled, Ends: Error, Says: []string{"altered", "were edited"},
			Run: edited(places(1), func(journal []byte, _ int) []byte {
				l := lines(journal)
				at := first(l, `"kind":"ok"`)
				a, b := l[at], l[at+1]
				l[at], l[at+1] = numbered(b, at+1), numbered(a, at+2)
				return bytes.Join(l, nil)
			}),
		},
		{
			Name: "line-edited", Title: "One thing in one line is edited: an outcome, a time, a proof, an assertion, the end.",
			Stands:  "a record that somebody made to say what it should",
			Control: nodeKilled, Ends: Error, Says: []string{"altered"},
			Run: edited([]string{`"kind":"ok"`, `"status":200`, `"intended":1`, `"ok":true`, `"name":"leftovers"`, `"kind":"end"`, `"kind":"seal"`}, func(journal []byte, n int) []byte {
				old := [][2]string{
					{`"kind":"ok"`, `"kind":"fail"`},
					{`"status":200`, `"status":500`},
					{`"intended":1`, `"intended":2`},
					{`"ok":true`, `"ok":false`},
					{`{"name":"leftovers"}`, `{"name":"recovery"}`},
					{`"kind":"end"`, `"kind":"end" `},
					{`"kind":"seal"`, `"kind":"seal" `},
				}[n]
				return bytes.Replace(journal, []byte(old[0]), []byte(old[1]), 1)
			}),
		},
		{
			Name: "line-doubled", Title: "A line of the journal is there twice.",
			Stands:  "a write that is tried again after it had succeeded",
			Control: nodeKilled, Ends: Error, Says: []string{"altered", "out of order"},
			Run: edited(places(1), func(journal []byte, _ int) []byte {
				l := lines(journal)
				at := first(l, `"kind":"ok"`)
				return bytes.Join(append(l[:at+1:at+1], l[at:]...), nil)
			}),
		},
		{
			Name: "line-missing", Title: "The line of the fault's proof is not there.",
			Stands:  "a block of a file system that was lost",
			Control: nodeKilled, Ends: Error, Says: []string{"altered", "out of order"},
			Run: edited(places(1), func(journal []byte, _ int) []byte {
				l := lines(journal)
				at := first(l, `"kind":"fault-active"`)
				return bytes.Join(append(l[:at:at], l[at+1:]...), nil)
			}),
		},
		{
			Name: "after-the-seal", Title: "Something follows the seal.",
			Stands:  "an observer that writes when the run is over",
			Control: nodeKilled, Ends: Error, Says: []string{"altered", "follows the seal"},
			Run: edited(places(1), func(journal []byte, _ int) []byte {
				l := lines(journal)
				return append(bytes.Clone(journal), numbered(l[first(l, `"kind":"ok"`)], len(l)+1)...)
			}),
		},
		{
			Name: "file-changed", Title: "A file under the seal is changed: each in turn.",
			Stands:  "a log that is written to after the run",
			Control: nodeKilled, Ends: Error, Says: []string{"altered", "file "},
			Run: eachFile(func(path string) error {
				f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
				if err != nil {
					return err
				}
				_, err = f.WriteString("\n")
				return errors.Join(err, f.Close())
			}),
		},
		{
			Name: "file-missing", Title: "A file under the seal is not there any more: each in turn.",
			Stands:  "a component's log that was lost when the folder was copied",
			Control: nodeKilled, Ends: Error, Says: []string{"altered", "is sealed and missing"},
			Run: eachFile(os.Remove),
		},
		{
			Name: "observer-missing", Title: "An observer was never started, so that the record lacks what it sees, and its account: of one source of each stream in turn.",
			Stands:  "a list of observers from which one was left out",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete", "no observer gave an account of it"},
			Run: eachAccount(assertedOn),
		},
		{
			Name: "clock-stepped", Title: "The host's clock steps by 50 ms, ahead or back, in the record's pairs of clocks.",
			Stands:  "a time service that corrects the clock during the run",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"clock steady", "the wall clock moved by"},
			Run: func(ctx context.Context, dir, control string) ([]Run, error) {
				var all []Run
				for _, by := range []time.Duration{50 * time.Millisecond, -50 * time.Millisecond} {
					run, err := restated(stepped(broken, by))(ctx, filepath.Join(dir, by.String()), control)
					if err != nil {
						return all, err
					}
					all = append(all, run...)
				}
				return all, nil
			},
		},
		{
			Name: "clock-unrecorded", Title: "The record holds no pair of clocks.",
			Stands:  "a recorder of the clock that never began",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"clock steady", "was not recorded"},
			Run: restated(func(events []history.Event) ([]history.Event, error) {
				return without(events, func(e *history.Event) bool { return e.Kind == history.Clock }), nil
			}),
		},
	}
}

// brief is a run of a second without a fault, whose record is the client's,
// the engine's and the nodes', and so is short.
func brief() *memory {
	m := killed()
	m.scenario.Load = load.Config{Rate: 60}
	m.scenario.Phases = []harness.Phase{{Name: steady, Kind: history.PhaseSteady, For: time.Second}}
	m.scenario.Asserts = []assert.Checker{assert.ErrorBudget{Steady: 98, Overall: 95}, assert.Leftovers{}}
	m.observers = func(all []observe.Observer) []observe.Observer {
		return slices.DeleteFunc(all, func(o observe.Observer) bool { return o.Name() != "engine" && o.Name() != "nodes" })
	}
	m.ledger = func(context.Context, history.Sink) error { return nil }
	m.sessions = m.ledger
	return m
}
