package gameday

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// proven is a proof that holds, changed.
func proven(change func(*Outcome)) *Outcome {
	o := &Outcome{
		Run: harness.VerdictPass, Symptom: time.Second, Restored: 10 * time.Second,
		Transcript: &Transcript{Ending: Done}, Second: &Transcript{Ending: Done},
	}
	if change != nil {
		change(o)
	}
	return o
}

// control is one that shows nothing against the proof, changed.
func control(name string, change func(*Outcome)) *Outcome {
	o := &Outcome{Variant: name, Run: harness.VerdictPass, Symptom: time.Second, Restored: -1, Missing: "m"}
	for prefix, c := range map[string]Control{
		nameWithout: WithoutIt, nameHealthy: OnHealthy, "during ": OnAnother, "cut off": BrokenOff, "without step": StepLeftOut, "without any": StepLeftOut,
		"with step": StepsSwapped, "with its": StepsUndone,
	} {
		if strings.HasPrefix(name, prefix) {
			o.Control = c
		}
	}
	switch name {
	case nameHealthy:
		o.Symptom, o.Restored, o.Missing, o.Transcript = -1, time.Second, "", &Transcript{Ending: NotThis}
	case nameWithout:
	case undoneName:
		o.Restored, o.Transcript, o.Second = time.Second, &Transcript{Ending: Done}, &Transcript{Ending: Done}
	default:
		o.Transcript = &Transcript{Ending: Failed}
	}
	if change != nil {
		change(o)
	}
	return o
}

// undoneName is the control of undoing.
const undoneName = "with its steps undone"

func TestJudge(t *testing.T) {
	acts := []Entry{{Kind: KindCommand, Section: "Steps"}}
	ends := func(e Ending) func(*Outcome) {
		return func(o *Outcome) { o.Transcript = &Transcript{Ending: e, Line: 7, Reason: "so"} }
	}
	unmade := func(o *Outcome) {
		o.Transcript = &Transcript{Ending: Failed, Line: 7, Reason: "so", Entries: []Entry{{Kind: KindCommand, Unmade: true}}}
	}
	for _, tt := range []struct {
		name     string
		proof    *Outcome
		controls []*Outcome
		verdict  harness.Verdict
		says     string
		note     string
	}{
		{name: "it holds", proof: proven(nil), verdict: harness.VerdictPass, says: "10s after the symptom (within 30s)"},
		{name: "no symptom", proof: proven(func(o *Outcome) { o.Symptom, o.NoSymptom = -1, "none" }), verdict: harness.VerdictInconclusive, says: "did not show the runbook's symptom: none"},
		{name: "a run without a verdict", proof: proven(func(o *Outcome) { o.Run, o.Reason = harness.VerdictInconclusive, "torn" }), verdict: harness.VerdictInconclusive, says: "torn"},
		{name: "a run that could not be", proof: proven(func(o *Outcome) { o.Run, o.Reason = harness.VerdictError, "gone" }), verdict: harness.VerdictError, says: "gone"},
		{name: "nothing was carried out", proof: proven(func(o *Outcome) { o.Transcript = nil }), verdict: harness.VerdictInconclusive, says: "not carried out"},
		{name: "nobody to ask", proof: proven(ends(Unanswered)), verdict: harness.VerdictInconclusive, says: "line 7: so"},
		{name: "somebody said no", proof: proven(ends(Declined)), verdict: harness.VerdictInconclusive, says: "line 7: so"},
		{name: "interrupted", proof: proven(ends(Interrupted)), verdict: harness.VerdictInconclusive, says: "line 7: so"},
		{name: "it does not know its incident", proof: proven(ends(NotThis)), verdict: harness.VerdictFail, says: "does not know its own incident: line 7"},
		{name: "a step fails, though all comes back", proof: proven(ends(Failed)), verdict: harness.VerdictFail, says: "line 7: so"},
		{name: "not restored", proof: proven(func(o *Outcome) { o.Restored, o.Missing = -1, "j1 is DOWN" }), verdict: harness.VerdictFail, says: "j1 is DOWN"},
		{name: "restored late", proof: proven(func(o *Outcome) { o.Restored = 31 * time.Second }), verdict: harness.VerdictFail, says: "31s after the symptom, and it promises 30s"},
		{name: "it wrecks the system, and the run has no verdict", proof: proven(func(o *Outcome) {
			o.Run, o.Restored, o.Missing = harness.VerdictInconclusive, -1, "all is DOWN"
		}), verdict: harness.VerdictFail, says: "all is DOWN"},
		{name: "no symptom, since it could not be run", proof: proven(func(o *Outcome) { o.Run, o.Symptom, o.Reason = harness.VerdictError, -1, "gone" }), verdict: harness.VerdictError, says: "gone"},
		{name: "the second time it ends early", proof: proven(func(o *Outcome) { o.Second = &Transcript{Ending: Failed, Line: 9, Reason: "so"} }), verdict: harness.VerdictPass, note: "ended at line 9 (so): what follows was not tried twice"},
		{name: "the second time nobody answers", proof: proven(func(o *Outcome) { o.Second = &Transcript{Ending: Unanswered, Line: 9, Reason: "so"} }), verdict: harness.VerdictInconclusive, says: "the second time, line 9"},
		{name: "a control without a verdict", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "has no verdict: broken off", controls: []*Outcome{
			control(nameWithout, func(o *Outcome) { o.Run, o.Reason = harness.VerdictInconclusive, "broken off" }),
		}},
		{name: "a healthy system without a verdict is not harmed", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "has no verdict: broken off", controls: []*Outcome{
			control(nameHealthy, func(o *Outcome) { o.Run, o.Reason, o.Restored = harness.VerdictInconclusive, "broken off", -1 }),
		}},
		{name: "a step without which sessions are lost is not idle", proof: proven(nil), verdict: harness.VerdictPass, note: `not all was well without step "1": it is needed`, controls: []*Outcome{
			control(`without step "1"`, func(o *Outcome) { o.Restored, o.Transcript.Ending, o.Run = time.Second, Done, harness.VerdictFail }),
		}},
		{name: "restored at the last moment", proof: proven(func(o *Outcome) { o.Restored = 30 * time.Second }), verdict: harness.VerdictPass},
		{name: "a write is lost", proof: proven(func(o *Outcome) { o.Run, o.Reason = harness.VerdictFail, "write-ledger was violated" }), verdict: harness.VerdictFail, says: "meanwhile write-ledger"},
		{name: "twice does harm", proof: proven(func(o *Outcome) { o.Lost = "j1 is DOWN" }), verdict: harness.VerdictFail, says: "carried out twice it does harm: j1"},
		{name: "the controls hold", proof: proven(nil), verdict: harness.VerdictPass, note: "it is needed", controls: []*Outcome{
			control(nameWithout, nil), control(nameHealthy, nil), control(`without step "1"`, nil),
		}},
		{name: "it comes back by itself", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "came back by itself, 4s", controls: []*Outcome{
			control(nameWithout, func(o *Outcome) { o.Restored = 4 * time.Second }),
		}},
		{name: "the control has no incident", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "did not come to the incident: none", controls: []*Outcome{
			control(nameWithout, func(o *Outcome) { o.Symptom, o.NoSymptom = -1, "none" }),
		}},
		{name: "it harms a healthy system", proof: proven(nil), verdict: harness.VerdictFail, says: "on a healthy system it does harm: down", controls: []*Outcome{
			control(nameHealthy, func(o *Outcome) { o.Restored, o.Missing = -1, "down" }),
		}},
		{name: "it loses a healthy system's writes", proof: proven(nil), verdict: harness.VerdictFail, says: "does harm: lost", controls: []*Outcome{
			control(nameHealthy, func(o *Outcome) { o.Run, o.Reason = harness.VerdictFail, "lost" }),
		}},
		{name: "it takes a healthy system for ill", proof: proven(nil), verdict: harness.VerdictFail, says: "do not tell a healthy system", controls: []*Outcome{
			control(nameHealthy, func(o *Outcome) { o.Transcript.Ending = Done }),
		}},
		{name: "a failure outweighs what proves nothing", proof: proven(nil), verdict: harness.VerdictFail, says: "does harm: down", controls: []*Outcome{
			control(nameWithout, func(o *Outcome) { o.Restored = 4 * time.Second }),
			control(nameHealthy, func(o *Outcome) { o.Restored, o.Missing = -1, "down" }),
		}},
		{name: "another incident, which its diagnosis tells", proof: proven(nil), verdict: harness.VerdictPass, controls: []*Outcome{
			control("during db-slow", func(o *Outcome) { o.Transcript.Ending = NotThis }),
		}},
		{name: "another incident, which it makes worse", proof: proven(nil), verdict: harness.VerdictFail, says: "during db-slow it makes things worse: nodes-routed", controls: []*Outcome{
			control("during db-slow", func(o *Outcome) { o.Worse = "nodes-routed: j1" }),
		}},
		{name: "another incident, in which it loses writes", proof: proven(nil), verdict: harness.VerdictFail, says: "during db-slow it does harm: lost", controls: []*Outcome{
			control("during db-slow", func(o *Outcome) { o.Run, o.Reason = harness.VerdictFail, "lost" }),
		}},
		{name: "another incident without a verdict", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "during db-slow has no verdict: torn", controls: []*Outcome{
			control("during db-slow", func(o *Outcome) { o.Run, o.Reason = harness.VerdictInconclusive, "torn" }),
		}},
		{name: "another incident, in which nobody answers", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "during db-slow, line 0", controls: []*Outcome{
			control("during db-slow", func(o *Outcome) { o.Transcript.Ending = Unanswered }),
		}},
		{name: "another incident, which it takes for its own", proof: proven(nil), verdict: harness.VerdictPass, note: "during db-slow it carries its steps out", controls: []*Outcome{
			control("during db-slow", func(o *Outcome) { o.Transcript.Entries = []Entry{{Kind: KindCommand, Section: "Steps"}} }),
		}},
		{name: "cut off, and begun anew", proof: proven(nil), verdict: harness.VerdictPass, controls: []*Outcome{
			control(`cut off after step "1"`, func(o *Outcome) {
				o.Restored, o.Transcript.Ending, o.Second = time.Second, Done, &Transcript{Ending: NotThis}
			}),
		}},
		{name: "cut off, and not borne", proof: proven(nil), verdict: harness.VerdictFail, says: "does not bear: begun anew, it ended as not this incident (line 5: so), and: j1", controls: []*Outcome{
			control(`cut off after step "1"`, func(o *Outcome) {
				o.Missing, o.Transcript.Ending, o.Second = "j1", Done, &Transcript{Ending: NotThis, Line: 5, Reason: "so"}
			}),
		}},
		{name: "cut off, and it had not come so far", proof: proven(nil), verdict: harness.VerdictInconclusive, says: `"1": it did not come so far`, controls: []*Outcome{
			control(`cut off after step "1"`, func(o *Outcome) { o.Restored, o.Second = time.Second, &Transcript{Ending: Done} }),
		}},
		{name: "cut off, and harm", proof: proven(nil), verdict: harness.VerdictFail, says: `"1" it does harm: lost`, controls: []*Outcome{
			control(`cut off after step "1"`, func(o *Outcome) { o.Run, o.Reason = harness.VerdictFail, "lost" }),
		}},
		{name: "cut off, and the run broke off", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "has no verdict: torn", controls: []*Outcome{
			control(`cut off after step "1"`, func(o *Outcome) { o.Run, o.Reason = harness.VerdictInconclusive, "torn" }),
		}},
		{name: "cut off, and never begun anew", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "was not begun anew", controls: []*Outcome{
			control(`cut off after step "1"`, nil),
		}},
		{name: "cut off, without the incident", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "did not come to the incident: none", controls: []*Outcome{
			control(`cut off after step "1"`, func(o *Outcome) { o.Symptom, o.NoSymptom = -1, "none" }),
		}},
		{name: "cut off, and nobody answers", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "begun anew, line 0", controls: []*Outcome{
			control(`cut off after step "1"`, func(o *Outcome) { o.Transcript.Ending, o.Second = Done, &Transcript{Ending: Unanswered} }),
		}},
		{name: "an idle step", proof: proven(nil), verdict: harness.VerdictPass, note: `all came back without step "1": it is idle`, controls: []*Outcome{
			control(`without step "1"`, func(o *Outcome) { o.Restored, o.Transcript.Ending, o.Transcript.Entries = time.Second, Done, acts }),
		}},
		{name: "what restores it is no step", proof: proven(nil), verdict: harness.VerdictFail, says: "all came back without any step: what restores it is none of its steps", controls: []*Outcome{
			control("without any step", func(o *Outcome) { o.Restored, o.Transcript.Ending = time.Second, Done }),
		}},
		{name: "without any step it does not come back", proof: proven(nil), verdict: harness.VerdictPass, controls: []*Outcome{control("without any step", nil)}},
		{name: "undone, and mended anew", proof: proven(nil), verdict: harness.VerdictPass, controls: []*Outcome{control(undoneName, nil)}},
		{name: "an undo that does not work", proof: proven(nil), verdict: harness.VerdictFail, says: "with its steps undone it ended at line 4: no such file", controls: []*Outcome{
			control(undoneName, func(o *Outcome) { o.Transcript = &Transcript{Ending: Failed, Line: 4, Reason: "no such file"} }),
		}},
		{name: "an undo after which it mends nothing", proof: proven(nil), verdict: harness.VerdictFail, says: "does not bear", controls: []*Outcome{
			control(undoneName, func(o *Outcome) { o.Restored, o.Missing = -1, "j1" }),
		}},
		{name: "nobody is served meanwhile", proof: proven(func(o *Outcome) { o.Unserved = bearable + 1 }), verdict: harness.VerdictFail, says: "nobody was served for 3s"},
		{name: "nobody is served for a moment", proof: proven(func(o *Outcome) { o.Unserved = bearable }), verdict: harness.VerdictPass},
		{name: "it takes from a healthy system what it does not restore", proof: proven(nil), verdict: harness.VerdictFail, says: "does harm: pools-free", controls: []*Outcome{
			control(nameHealthy, func(o *Outcome) { o.Worse = "pools-free: j1" }),
		}},
		{name: "a step left out, and no verdict", proof: proven(nil), verdict: harness.VerdictInconclusive, says: `without step "1" has no verdict: torn`, controls: []*Outcome{
			control(`without step "1"`, func(o *Outcome) { o.Run, o.Reason = harness.VerdictInconclusive, "torn" }),
		}},
		{name: "two steps swapped, and no incident", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "did not come to the incident: none", controls: []*Outcome{
			control(`with step "2" before "1"`, func(o *Outcome) { o.Symptom, o.NoSymptom = -1, "none" }),
		}},
		{name: "two steps whose order matters", proof: proven(nil), verdict: harness.VerdictPass, note: `not all was well with step "2" before "1": their order matters`, controls: []*Outcome{
			control(`with step "2" before "1"`, func(o *Outcome) { o.Transcript.Ending = Failed }),
		}},
		{name: "a command that the engine could not run", proof: proven(unmade), verdict: harness.VerdictInconclusive, says: "line 7: so"},
		{name: "a machine without time of its own is not the runbook's", proof: proven(func(o *Outcome) {
			o.Restored, o.Short = 31*time.Second, "the machine was short"
		}), verdict: harness.VerdictInconclusive, says: "31s after the symptom, and it promises 30s; but the machine was short"},
		{name: "a machine without time of its own bears what is restored", proof: proven(func(o *Outcome) { o.Short = "the machine was short" }), verdict: harness.VerdictPass},
		{name: "on a healthy system the engine could not run it", proof: proven(nil), verdict: harness.VerdictInconclusive, says: "on a healthy system, line 7: so", controls: []*Outcome{
			control(nameHealthy, unmade),
		}},
		{name: "two steps in any order", proof: proven(nil), verdict: harness.VerdictPass, note: "their order does not matter", controls: []*Outcome{
			control(`with step "2" before "1"`, func(o *Outcome) { o.Restored, o.Transcript.Ending = time.Second, Done }),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &Result{Within: 30 * time.Second, Proof: tt.proof, Controls: tt.controls}
			r.judge()
			require.Equal(t, tt.verdict, r.Verdict, r.Reason)
			require.Contains(t, r.Reason, tt.says)
			if tt.note == "" {
				require.Empty(t, r.Notes)
			} else {
				require.Len(t, r.Notes, 1)
				require.Contains(t, r.Notes[0], tt.note)
			}
		})
	}
}

func TestUnserved(t *testing.T) {
	good := func(at ...int) *history.History {
		h := &history.History{}
		for _, ms := range at {
			due := time.Duration(ms) * time.Millisecond
			h.Ops = append(h.Ops, history.Op{Intended: due, Sent: due, End: due + 10*time.Millisecond, Outcome: history.Good})
		}
		return h
	}
	for _, tt := range []struct {
		name     string
		at       []int
		from, to int
		want     int
	}{
		{"all the while", []int{900, 1300, 1700, 2100}, 1000, 2100, 400},
		{"a gap", []int{900, 1100, 4100, 4200}, 1000, 4300, 3000},
		{"a gap to the end", []int{900, 1100}, 1000, 5000, 3900},
		{"what lasted before", []int{100, 9000, 9100}, 5000, 9200, 100},
		{"what began with it", []int{4900, 9000}, 5000, 9000, 4100},
		{"nobody, before and after", []int{100}, 5000, 9000, 0},
		{"nobody at all", nil, 5000, 9000, 0},
		{"after the end", []int{900, 1000, 9000}, 1000, 1500, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ms := time.Millisecond
			require.Equal(t, time.Duration(tt.want)*ms, unserved(good(tt.at...), time.Duration(tt.from)*ms, time.Duration(tt.to)*ms))
		})
	}
	h := good(100, 900, 1000, 9000)
	for i := range 3 {
		h.Ops = slices.Insert(h.Ops, 0, history.Op{Intended: time.Duration(i), End: -1})
	}
	require.Zero(t, unserved(h, 950*time.Millisecond, 10*time.Second), "most were not served before, either")
	h = good(900, 1000, 2000, 5000)
	h.Ops[2].Outcome = history.Failed
	h.Ops[3].End = h.Ops[3].Intended + inTime + 1
	require.Equal(t, 5*time.Second, unserved(h, time.Second, 6*time.Second), "neither an error nor a late answer is service")
}

func TestPatience(t *testing.T) {
	r := &Result{Within: time.Minute, Proof: &Outcome{Restored: time.Second}}
	require.Equal(t, leastPatience, r.patience())
	r.Proof.Restored = 15 * time.Second
	require.Equal(t, 45*time.Second, r.patience())
	r.Proof.Restored = 25 * time.Second
	require.Equal(t, 75*time.Second, r.patience(), "longer than the runbook promises: what comes back by itself then, too")
}

// TestWithoutItWaitsAsLongAsTheRunbookPromises: what mends itself in that time needs
// no runbook, however fast the runbook was.
func TestWithoutItWaitsAsLongAsTheRunbookPromises(t *testing.T) {
	b := book(t, sh("echo"), sh("echo"), step1+sh("echo"))
	for _, within := range []time.Duration{time.Second, 3 * time.Minute} {
		b.Front.Within = within
		for _, c := range []Control{WithoutIt, OnHealthy} {
			all := trials(Trial{Book: b, Patience: 30 * time.Second}, c, nil)
			require.Len(t, all, 1)
			want := 30 * time.Second
			if c == WithoutIt {
				want = max(want, within)
			}
			require.Equal(t, want, all[0].Patience, c)
		}
	}
}

func TestDirty(t *testing.T) {
	r := &Result{Proof: proven(nil), Controls: []*Outcome{control(nameWithout, nil)}}
	require.False(t, r.Dirty())
	r.Controls[0].Dirty = true
	require.True(t, r.Dirty())
	require.False(t, (&Result{}).Dirty())
}
