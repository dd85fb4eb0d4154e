package assert

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// lateLimit is the run's own limit, or the default.
func lateLimit(h *history.History) time.Duration {
	if h.Meta.Load.Late > 0 {
		return h.Meta.Load.Late
	}
	return defaultLate
}

// nothing skips no operation.
func nothing(*history.Op) bool { return false }

// judgeTwice is how an assertion on latency or outage is judged: with all
// operations, and without those that speak of the machine rather than of the
// system: the ones that the generator itself sent late, and the ones that
// were answered well but slowly, or turned away (503), while the machine had no
// processor to spare or its disk stood still (see machine.waited), or had what had
// waited for that still to do (see machine.strained), unless they were slow already
// by the time in which it had one. A node turns a request away that waited too long for something that
// others hold, and on a starved machine they hold it for longer; a balancer does
// that holds a server for down because a check of it was not answered in time,
// on a machine that had nothing to spare for the answer: see timedOut.
// Only what both agree on counts: a result that hangs on such operations may
// be the machine's doing, and one that needs them left out may be hiding the
// system's. The verdict is the first one; if the second has another status it
// becomes inconclusive, by name. If both fail it is the second one, so that no
// word or figure of it blames the system for what may be the machine's doing.
//
// judge must be pure and leave out the operations that skip names. It is
// called once if there are none. An answer slower than slow is slow; 0 is
// DefaultThreshold.
func judgeTwice(h *history.History, slow time.Duration, judge func(skip func(*history.Op) bool) Verdict) Verdict {
	limit := lateLimit(h)
	slow = cmp.Or(slow, DefaultThreshold)
	plain := machineOf(h)
	down := timedOut(h, plain)
	machine := plain.waited(h).strained(usual(h, plain))
	late := func(o *history.Op) bool { return o.Lateness() > limit }
	starved := func(o *history.Op) bool {
		took, done := o.Latency()
		machines := took > slow && o.Outcome == history.Good ||
			o.Status == http.StatusServiceUnavailable && (o.Node != 0 || down.at(h.BalancerOf(o), o.End))
		return done && machines && machine.saturated(o.Intended, o.End) && machine.spare(o.Intended, o.End) <= slow
	}
	lates, starveds := 0, 0
	for i := range h.Ops {
		switch o := &h.Ops[i]; {
		case late(o):
			lates++
		case starved(o):
			starveds++
		}
	}
	v := judge(nothing)
	if lates+starveds == 0 {
		return v
	}
	without := judge(func(o *history.Op) bool { return late(o) || starved(o) })
	said := excuse(lates, starveds, limit)
	if without.Status == v.Status {
		if v.Status == Fail { // what it fails by, whatever the machine did
			v = without
		}
		v.Notes = append(v.Notes, said+"; the status is the same without them")
		return v
	}
	v.Reasons = append(v.Reasons, fmt.Sprintf("%s, and the result hangs on them: %s with them, %s without; lower the rate or give the run more of the machine",
		said, v.Status, without.Status))
	why := "the machine was short"
	if starveds == 0 {
		why = "the generator was late"
	}
	v.Summary = "inconclusive because " + why + "; with all operations: " + v.Summary
	v.Status = Inconclusive
	return v
}

// excuse says in words which operations speak of the machine.
func excuse(lates, starveds int, limit time.Duration) string {
	var parts []string
	if lates > 0 {
		parts = append(parts, fmt.Sprintf("the generator sent %s more than %s late", count(lates, "operation"), sayTime(limit)))
	}
	if starveds > 0 {
		parts = append(parts, fmt.Sprintf("%s slowly answered, or turned away, while %s, or its disk stood still", wereOrWas(starveds, "operation"), shortMachine))
	}
	return strings.Join(parts, ", and ")
}

// wereOrWas is "1 operation was", or "2 operations were".
func wereOrWas(n int, noun string) string {
	if n == 1 {
		return count(n, noun) + " was"
	}
	return count(n, noun) + " were"
}

// saturation is the share of all processors above which a sample counts as
// one without any to spare. One in which a hypervisor took time away does, too,
// whatever the rest looks like: it does so when another's machine wants more,
// and slows down what it does not take.
const saturation = 0.95

// shortMachine says so in words.
const shortMachine = "the machine was 95 % busy or more, or its hypervisor took time from it"

// waiting is the part of a look's time from which on a disk was waited for that stood
// still, as a database does that makes a commit durable, and then whoever asks that for
// anything: what was answered slowly meanwhile may owe it to the machine. A disk in order is
// waited for in some hundredths of the time, and in a third at most, measured on two
// processors. The kernel weighs each processor by how much it works, so that of many it
// tells less: then the system is blamed, as it was before anybody looked.
const waiting = 0.5

// thrashing are the faults that have something wait for a disk on purpose, by their kinds:
// who waits then waits for what the run has done.
var thrashing = []string{"disk-slow", "memory-squeeze", "out-of-memory"}

// machine is how busy the machine was, in order.
type machine []sampled

// sampled is the time from one sample to the next.
type sampled struct {
	from, to time.Duration
	busy     float64 // 0 to 1, of all processors
}

// machineOf takes what the host said of itself. Whose work it was cannot be
// told from there.
func machineOf(h *history.History) machine {
	var out machine
	for i := 1; i < len(h.Host); i++ {
		s := sampled{h.Host[i-1].Time, h.Host[i].Time, h.Host[i].V.Busy}
		if h.Host[i].V.Steal > 0 {
			s.busy = 1
		}
		out = append(out, s)
	}
	return out
}

// waited is the machine of h in which a look counts as one without a processor to spare,
// too, if a disk was waited for. It is for what asks the system for something, and may have
// to wait for that disk; looks, checks and addresses need none.
func (m machine) waited(h *history.History) machine {
	out := slices.Clone(m)
	for i := range out {
		if s := &out[i]; h.Host[i+1].V.Disk >= waiting && !thrashed(h, s.from, s.to) {
			s.busy = 1
		}
	}
	return out
}

// thrashed says whether a fault had something wait for a disk at some time of [from, to].
func thrashed(h *history.History, from, to time.Duration) bool {
	return slices.ContainsFunc(h.Faults, func(f history.Fault) bool {
		return slices.Contains(thrashing, f.Kind) && f.Injected <= to && (f.Healed < 0 || f.Healed >= from)
	})
}

// at gives the samples that [from, to] meets.
func (m machine) at(from, to time.Duration) machine {
	i := sort.Search(len(m), func(i int) bool { return m[i].to >= from })
	j := sort.Search(len(m), func(j int) bool { return m[j].from > to })
	return m[i:max(i, j)]
}

// saturated says whether [from, to] has a moment in a sample in which there
// was no processor to spare.
func (m machine) saturated(from, to time.Duration) bool {
	return slices.ContainsFunc(m.at(from, to), func(s sampled) bool { return s.busy >= saturation })
}

// spare is for how long, of [from, to], there certainly was one: whatever of
// a sample was busy may have been so all at once, and just then. Where there
// is no sample nothing is certain.
func (m machine) spare(from, to time.Duration) (d time.Duration) {
	for _, s := range m.at(from, to) {
		if s.busy < saturation {
			within := min(to, s.to) - max(from, s.from)
			d += max(0, within-time.Duration(s.busy*float64(s.to-s.from)))
		}
	}
	return d
}

// starved says whether what lasted from one time to another may owe to the machine
// what it lasted beyond its limit: it was short meanwhile, and a processor is only
// known to have been there for no longer than the limit.
func (m machine) starved(from, to, limit time.Duration) bool {
	return m.saturated(from, to) && m.spare(from, to) <= limit
}

// parted are those that lasted longer than a limit: by themselves, and those that may
// owe it to the machine.
func parted[T interface {
	span() (from, to time.Duration)
}](m machine, all []T, limit time.Duration) (over, starved []T) {
	for _, one := range all {
		switch from, to := one.span(); {
		case to-from <= limit:
		case m.starved(from, to, limit):
			starved = append(starved, one)
		default:
			over = append(over, one)
		}
	}
	return over, starved
}

// starvedReason says so of what is told in words.
func starvedReason(text string) string {
	return fmt.Sprintf("%s, and in that time %s, and had a processor to spare for less than the bound: repeat the run on a quieter machine", text, shortMachine)
}

// usual is the part of the machine, 0 to 1, that was busy in the first steady phase;
// 0 if there is none, or no sample of it.
func usual(h *history.History, m machine) float64 {
	phase, ok := firstOfKind(h, history.PhaseSteady)
	if !ok {
		return 0
	}
	busy, all := 0.0, time.Duration(0)
	for _, s := range m.at(phase.From, phase.To) {
		busy += s.busy * float64(s.to-s.from)
		all += s.to - s.from
	}
	if all <= 0 {
		return 0
	}
	return busy / float64(all)
}

// mostUsual bounds what strained takes for usual, so that what a time without a
// processor to spare leaves behind lasts no longer than that time did: where more
// is usual, most of a run would be excused by a few such moments.
const mostUsual = 0.5

// strained is the machine with what a time without a processor to spare leaves
// behind. What is asked meanwhile waits, and what comes next waits for that: at
// worst nothing was served at all, and then a load that takes the part rho of the
// machine leaves rho seconds of work for each such second, of which each second
// after takes 1 − rho off (the fluid approximation of a queue: L. Kleinrock,
// Queueing Systems, Volume II, 1976, chapter 2). Until that is done a sample counts
// as one without a processor to spare.
func (m machine) strained(rho float64) machine {
	rho = min(rho, mostUsual)
	out := slices.Clone(m)
	left := 0.0 // seconds of work
	for i := range out {
		s := &out[i]
		switch took := (s.to - s.from).Seconds(); {
		case s.busy >= saturation:
			left += rho * took
		case left > 0:
			left = max(0, left-(1-rho)*took)
			s.busy = 1
		}
	}
	return out
}

// ShortMachine says why the run's machine was not enough for its verdicts; empty if
// it was. It is pure.
func ShortMachine(h *history.History) string { return short(h) }

// short says that the machine was short all along: its hypervisor took time
// from it, or it had no processor to spare most of the time before any fault, in
// the first steady phase. Empty if neither.
func short(h *history.History) string {
	if looks, of, throughout := h.Stolen(); throughout {
		return fmt.Sprintf("the machine was short: its hypervisor took time from it in %d of %d looks; repeat the run on a machine of its own", looks, of)
	}
	phase, ok := firstOfKind(h, history.PhaseSteady)
	if !ok {
		return ""
	}
	looks, busy := machineOf(h).at(phase.From, phase.To), 0
	for _, l := range looks {
		if l.busy >= saturation {
			busy++
		}
	}
	if 2*busy <= len(looks) {
		return ""
	}
	return fmt.Sprintf("the machine was short before any fault: %s, in %d of %d looks of phase %s; lower the rate or give the run more of the machine",
		shortMachine, busy, len(looks), phase.Name)
}
