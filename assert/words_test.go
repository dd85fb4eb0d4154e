package assert_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// What a verdict says, to the last word, is read in testdata: of runs in order, of
// each violation that is planted in one, and of runs whose observers left a gap. With
// UPDATE=1 it is written anew, and then its diff is to be read.
func TestVerdictsSayWhatTheyDid(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{killWhole, slowWhole} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for _, tc := range []struct {
				file string
				say  func(*strings.Builder, *wholeRun)
			}{{"held", sayHeld}, {"others", sayOthers}, {"planted", sayPlanted}, {"unseen", sayUnseen}, {"starved", sayStarved}} {
				var b strings.Builder
				tc.say(&b, makeWhole(kind, 1_000, 7))
				path := filepath.Join("testdata", "verdicts-"+kind+"-"+tc.file+".txt")
				if os.Getenv("UPDATE") != "" {
					require.NoError(t, os.MkdirAll("testdata", 0o755))
					require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
				}
				want, err := os.ReadFile(path)
				require.NoError(t, err)
				w, g := firstDifference(string(want), b.String())
				require.Equal(t, w, g, "%s: read what is new, and write it with UPDATE=1 go test ./assert -run VerdictsSay", path)
			}
		})
	}
}

// firstDifference is of two texts the first lines that are not the same, with those
// around them; both are empty if none are.
func firstDifference(want, got string) (string, string) {
	w, g := strings.SplitAfter(want, "\n"), strings.SplitAfter(got, "\n")
	for i := range max(len(w), len(g)) {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			part := func(of []string) string { return strings.Join(of[max(0, i-3):min(i+3, len(of))], "") }
			return part(w), part(g)
		}
	}
	return "", ""
}

// sayHeld is what every checker says of a run in order.
func sayHeld(b *strings.Builder, w *wholeRun) {
	for _, name := range judgedBy(w.kind) {
		c := w.checkers()[name]
		fmt.Fprintf(b, "%s\n", c.About())
		sayVerdict(b, judgeWhole(w.h, c), nil)
	}
}

// sayOthers is what checkers with other parameters are about, and say of the same run,
// among them those that it is not for.
func sayOthers(b *strings.Builder, w *wholeRun) {
	for _, c := range []assert.Checker{
		assert.SessionSurvival{Expect: assert.ExpectLostWithNode},
		assert.WriteLedger{Require: assert.RequireUnknown},
		assert.ErrorBudget{},
		assert.ErrorBudget{Steady: 99, Overall: 98, Refused: []string{"order"}},
		assert.ErrorBudget{Steady: 99, Overall: 98, OutageBound: "outage", Everybody: true, AtHeal: true},
		assert.ErrorBudget{Steady: 99, Overall: 98, OutageBound: "unheard of"},
		assert.ReadinessGating{SettleBound: "diverted", SilentBound: "ready"},
		assert.FailoverAnatomy{Fault: "another"},
		assert.FailoverAnatomy{DetectBound: "diverted"},
		assert.Distribution{MaxSkewPercent: 0.1, VictimPercent: 1},
		assert.Distribution{MaxLoadPercent: 1, Tenant: "u1", Expect: map[string]float64{"j1": 0.9, "j2": 0.1}},
		assert.Recovery{},
		assert.Recovery{Bounds: []string{"outage"}, Starts: 3, FromFault: true},
		assert.StreamContinuity{Reconnect: 100 * ms, Bound: "diverted"},
		assert.SingleOwner{Bound: "unheard of"},
		assert.Reconnection{Reconnect: 100 * ms, Bound: "diverted", Told: true, Spread: ms},
		assert.BlastRadius{},
		assert.Staleness{Bound: "unheard of"},
		assert.Drain{Grace: sec},
		assert.VIP{Bound: "ready", TwoBound: "outage", Cut: "another", Moves: 1},
		assert.VersionSkew{After: "another", MaxBadPercent: 1},
		assert.OverloadContract{AnswerBound: "outage", ThreadBound: "ready"},
		assert.ConnectionCeiling{},
		assert.Alerts{Tells: assert.TellsNode, PageWithin: sec},
		assert.Alerts{Tells: assert.TellsAll},
		assert.RotationKept{Least: 2},
	} {
		fmt.Fprintf(b, "%s\n", c.About())
		sayVerdict(b, judgeWhole(w.h, c), nil)
	}
}

// sayPlanted is what the checker of each planted violation says, and in which figures
// it differs from what it says without.
func sayPlanted(b *strings.Builder, w *wholeRun) {
	for _, p := range plantsOf(w.kind) {
		held := judgeWhole(w.h, w.checkers()[p.checker])
		put := p.put(w)
		sayVerdict(b, judgeWhole(w.h, w.checkers()[p.checker]), held.Measures)
		put.undo()
	}
}

// sayUnseen is why each checker comes to no verdict where a stream was not observed, or
// not to its end, or not for a while; and with what words, if they are others than when
// all is seen.
func sayUnseen(b *strings.Builder, w *wholeRun) {
	whole := w.h.Coverage
	for _, name := range judgedBy(w.kind) {
		w.h.Coverage = whole
		seen := judgeWhole(w.h, w.checkers()[name]).Summary
		for i, c := range whole {
			cut, hidden := c, c
			cut.V.Complete, cut.V.Missed, cut.V.Reason = false, 2, "the observer left off"
			hidden.V.Unknown = []history.Window{{From: 30 * sec, To: 31 * sec, Why: "the observer was hidden"}}
			for _, coverage := range [][]history.At[history.Coverage]{
				slices.Delete(slices.Clone(whole), i, i+1),
				slices.Replace(slices.Clone(whole), i, i+1, cut),
				slices.Replace(slices.Clone(whole), i, i+1, hidden),
			} {
				w.h.Coverage = coverage
				v := judgeWhole(w.h, w.checkers()[name])
				if v.Status == assert.Pass {
					continue
				}
				fmt.Fprintf(b, "%s: %s\n", name, v.Status)
				if v.Summary != seen {
					fmt.Fprintf(b, "  %s\n", v.Summary)
				}
				for _, r := range v.Reasons {
					fmt.Fprintf(b, "  reason: %s\n", r)
				}
			}
		}
	}
	w.h.Coverage = whole
}

// sayStarved is what comes of each planted violation where the machine had no time to
// spare, throughout.
func sayStarved(b *strings.Builder, w *wholeRun) {
	for at := time.Duration(0); at <= w.h.End; at += sec {
		w.h.Host = append(w.h.Host, history.At[history.Host]{Time: at, V: history.Host{Busy: 1}})
	}
	for _, p := range plantsOf(w.kind) {
		put := p.put(w)
		v := judgeWhole(w.h, w.checkers()[p.checker])
		put.undo()
		fmt.Fprintf(b, "%s, %s: %s\n  %s\n", v.Name, p.class, v.Status, v.Summary)
		for _, r := range v.Reasons {
			fmt.Fprintf(b, "  reason: %s\n", r)
		}
	}
}

// sayVerdict writes a verdict down, with the first of its evidence and the figures
// that are not known.
func sayVerdict(b *strings.Builder, v assert.Verdict, known []assert.Measure) {
	number := func(f *float64) string {
		if f == nil {
			return "-"
		}
		return strconv.FormatFloat(*f, 'g', 8, 64)
	}
	fmt.Fprintf(b, "%s: %s, %s %s %s %s", v.Name, v.Status, number(v.Measured), v.Op, number(v.Bound), v.Unit)
	if v.NotExercised {
		b.WriteString(", not exercised")
	}
	fmt.Fprintf(b, "\n  %s\n", v.Summary)
	for _, r := range v.Reasons {
		fmt.Fprintf(b, "  reason: %s\n", r)
	}
	for _, e := range v.Evidence[:min(3, len(v.Evidence))] {
		fmt.Fprintf(b, "  %s: %s (line %d, operation %d, %v %s)\n", e.Class, e.Text, e.Seq, e.Op, e.At, e.Node)
	}
	for _, m := range v.Measures {
		if slices.ContainsFunc(known, func(k assert.Measure) bool { return reflect.DeepEqual(k, m) }) {
			continue
		}
		fmt.Fprintf(b, "  | %s: %s %s", m.Name, number(&m.Value), m.Unit)
		if m.Bound != nil {
			fmt.Fprintf(b, ", bound %s", number(m.Bound))
		}
		if m.Note != "" {
			fmt.Fprintf(b, " (%s)", m.Note)
		}
		b.WriteString("\n")
	}
	for _, n := range v.Notes {
		fmt.Fprintf(b, "  note: %s\n", n)
	}
	if v.Fix != "" {
		fmt.Fprintf(b, "  fix: %s\n", v.Fix)
	}
	b.WriteString("\n")
}
