package assert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// SingleOwner expects of a scheduled job, whose effects the database holds,
// that one node at a time does it: no slot is done twice, no effect under an
// older fencing token comes after one under a newer, no two nodes share a
// token. And it expects the job to be done all the time: between two effects,
// and from the last to the end of the last phase, at most the topology's
// bound named Bound passes; where it is more, and the machine was short meanwhile,
// that is inconclusive.
type SingleOwner struct {
	Bound string `json:"bound"`
}

// Name implements Checker.
func (SingleOwner) Name() string { return "single-owner" }

// About implements Checker.
func (s SingleOwner) About() string {
	return fmt.Sprintf("a scheduled job is done once a slot, by one owner at a time, and never rests for longer than the bound %s", s.Bound)
}

// Needs implements Checker.
func (SingleOwner) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedHeal},
		{Kind: NeedGenerator},
		{Kind: NeedClock},
		{Kind: NeedStream, Stream: history.StreamJob},
	}
}

// Check implements Checker. Measured is the number of effects that two owners
// are to blame for; if there is none, the longest time without an effect.
func (s SingleOwner) Check(h *history.History) Verdict {
	v := Verdict{Name: s.Name(), Op: "<=", Unit: "ms"}
	bound, known := findBound(h, s.Bound)
	if !known {
		v.Reasons = []string{fmt.Sprintf("the topology states no bound %q: name one of %s", s.Bound, boundNames(h))}
		return v
	}
	from, to, ok := watched(h)
	if !ok {
		v.Reasons = []string{"there is no steady phase from which on the job was to be done"}
		return v
	}
	wrong := ownersClash(h.Jobs)
	rests := jobRests(h.Jobs, from, to)
	owners, tokens := jobOwners(h.Jobs)
	v.Measures = []Measure{
		{Name: "effects", Value: float64(len(h.Jobs)), Unit: "effects", Note: strings.Join(owners, ", ")},
		{Name: "leases", Value: float64(tokens), Unit: "tokens"},
		{Name: "effects of two owners", Value: float64(len(wrong)), Unit: "effects", Bound: figure(0)},
		{Name: "longest rest of the job", Value: millis(rests[0].length()), Unit: "ms", Bound: figure(millis(bound.Limit)), Note: bound.Formula},
	}
	if len(wrong) > 0 {
		v.Status, v.Safety, v.Unit = Fail, true, "effects"
		v.Measured, v.Bound = figure(float64(len(wrong))), figure(0)
		v.Summary = fmt.Sprintf("%s of two owners: %s.", count(len(wrong), "effect"), countClasses(wrong))
		v.Fix = valueFix(h, "do the job under a lease by the database's clock, and write its effect only if the lease's token is still the newest, in the same statement", ValueJobs)
		v.Evidence = wrong
		if n := len(wrong); n > MaxEvidence {
			v.Evidence, v.More = wrong[:MaxEvidence], n-MaxEvidence
		}
		return v
	}
	v.Measured, v.Bound = figure(millis(rests[0].length())), figure(millis(bound.Limit))
	over, starved := parted(machineOf(h), rests, bound.Limit)
	for _, r := range over {
		v.Evidence = append(v.Evidence, r.evidence())
	}
	rested := func(r rest) string {
		return fmt.Sprintf("The job rested for %s (at most %s)", sayTime(r.length()), sayTime(bound.Limit))
	}
	v.Summary = fmt.Sprintf("%s under %s by %s, no slot twice; the job rested for %s at the longest (at most %s).",
		count(len(h.Jobs), "effect"), count(tokens, "lease"), strings.Join(owners, ", "), sayTime(rests[0].length()), sayTime(bound.Limit))
	switch {
	case len(over) > 0:
		v.Status, v.Measured = Fail, figure(millis(over[0].length()))
		v.Summary = rested(over[0]) + "."
		v.Fix = boundFix(bound)
		return v
	case len(starved) > 0:
		v.Evidence = append(v.Evidence, starved[0].evidence())
		v.Reasons = []string{starvedReason(rested(starved[0]))}
		return v
	}
	v.Status, v.NotExercised = Pass, tokens < 2
	return v
}

// watched is from the first steady phase to the end of the last phase.
func watched(h *history.History) (from, to time.Duration, ok bool) {
	first, ok := firstOfKind(h, history.PhaseSteady)
	if !ok {
		return 0, 0, false
	}
	return first.From, h.Phases[len(h.Phases)-1].To, true
}

// ownersClash finds effects that only two owners can have had, the ones under
// an older token first.
func ownersClash(jobs []history.At[history.JobEffect]) []Evidence {
	byRow := slices.Clone(jobs)
	slices.SortFunc(byRow, func(x, y history.At[history.JobEffect]) int { return cmp.Compare(x.V.Row, y.V.Row) })
	slots, holders := map[int64]history.JobEffect{}, map[int64]string{}
	var stale, shared, twice []Evidence
	var newest history.JobEffect
	for _, j := range byRow {
		say := func(class, format string, args ...any) Evidence {
			return Evidence{Seq: j.Seq, At: j.Time, Node: j.V.Owner, Class: class, Text: fmt.Sprintf(format, args...)}
		}
		if j.V.Token < newest.Token {
			stale = append(stale, say("older token", "%s wrote slot %d under token %d after %s wrote slot %d under token %d",
				j.V.Owner, j.V.Slot, j.V.Token, newest.Owner, newest.Slot, newest.Token))
		} else {
			newest = j.V
		}
		if other, taken := holders[j.V.Token]; taken && other != j.V.Owner {
			shared = append(shared, say("shared token", "%s wrote slot %d under token %d, which %s holds", j.V.Owner, j.V.Slot, j.V.Token, other))
		} else {
			holders[j.V.Token] = j.V.Owner
		}
		if before, done := slots[j.V.Slot]; done {
			twice = append(twice, say("done twice", "%s did slot %d (token %d), which %s had done (token %d)",
				j.V.Owner, j.V.Slot, j.V.Token, before.Owner, before.Token))
		} else {
			slots[j.V.Slot] = j.V
		}
	}
	return slices.Concat(stale, twice, shared)
}

// rest is a time without an effect.
type rest struct {
	from, to time.Duration
	seq      uint64 // of the effect that ended it; 0: none did
	owner    string // who had the effect before it
}

func (r rest) length() time.Duration { return r.to - r.from }

func (r rest) span() (from, to time.Duration) { return r.from, r.to }

func (r rest) evidence() Evidence {
	text := fmt.Sprintf("nobody did the job for %s, from %.3f s on", sayTime(r.length()), r.from.Seconds())
	if r.owner != "" {
		text += ", when " + r.owner + " did it last"
	}
	if r.seq == 0 {
		text += "; nobody did it again"
	}
	return Evidence{Seq: r.seq, At: r.from, Node: r.owner, Class: "not done", Text: text}
}

// jobRests are the times without an effect between from and to, at least one,
// the longest first.
func jobRests(jobs []history.At[history.JobEffect], from, to time.Duration) []rest {
	now := rest{from: from}
	var all []rest
	for _, j := range jobs { // in the order of their times
		switch {
		case j.Time > to:
		case j.Time <= from:
			now = rest{from: from, owner: j.V.Owner}
		default:
			now.to, now.seq = j.Time, j.Seq
			all = append(all, now)
			now = rest{from: j.Time, owner: j.V.Owner}
		}
	}
	now.to = to
	all = append(all, now)
	slices.SortStableFunc(all, func(x, y rest) int { return cmp.Compare(y.length(), x.length()) })
	return all
}

// jobOwners names who had effects, and counts the tokens.
func jobOwners(jobs []history.At[history.JobEffect]) (owners []string, tokens int) {
	seen := map[int64]bool{}
	for _, j := range jobs {
		if !slices.Contains(owners, j.V.Owner) {
			owners = append(owners, j.V.Owner)
		}
		seen[j.V.Token] = true
	}
	slices.Sort(owners)
	return owners, len(seen)
}
