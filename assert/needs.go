package assert

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Limits of the needs. They are about the instrument, not about the system.
const (
	baselineOps     = 50    // the least that a baseline is judged on
	baselineBad     = 0.001 // 99.9 % of its operations are good
	baselineTail    = 10    // p99 at most 10 × the median …
	baselineSlack   = 500 * time.Millisecond
	maxDropped      = 0.001 // of all operations
	maxLate         = 0.05  // of the operations of a judged phase
	defaultLate     = 5 * time.Millisecond
	percentileOfP99 = 0.99
)

// needState is what a record offers, evaluated once. A reason that is empty
// means that the need is met.
type needState struct {
	h       *history.History
	reasons map[NeedKind]string
	asked   map[Need]string // what only some ask
}

// evaluate looks at h once for all checkers.
func evaluate(h *history.History) *needState {
	return &needState{
		h: h,
		reasons: map[NeedKind]string{
			NeedFault:     faultReason(h),
			NeedHeal:      healReason(h),
			NeedGenerator: generatorReason(h),
			NeedClock:     clockReason(h),
			NeedAlone:     disturbedReason(h),
		},
		asked: map[Need]string{},
	}
}

// missing lists the needs that the record does not meet, each by name with
// its reason. A need of a kind that is not known is missing.
func (s *needState) missing(needs []Need) []string {
	var out []string
	for _, n := range needs {
		switch reason := s.reason(n); {
		case reason == "":
		case n.Kind == NeedStream:
			out = append(out, fmt.Sprintf("%s (%s): %s", NeedStream, n.Stream, reason))
		default:
			out = append(out, fmt.Sprintf("%s: %s", n.Kind, reason))
		}
	}
	return out
}

func (s *needState) reason(n Need) string {
	if r, ok := s.reasons[n.Kind]; ok {
		return r
	}
	r, ok := s.asked[n]
	if ok {
		return r
	}
	switch {
	case n.Kind == NeedBaseline:
		r = baselineReason(s.h, n.Slow)
	case n.Kind == NeedStream && n.Beside:
		r = cmp.Or(streamReasonBeside(s.h, n.Stream), unwitnessed(s.h, n.Stream))
	case n.Kind == NeedStream:
		r = cmp.Or(streamReason(s.h, n.Stream), unwitnessed(s.h, n.Stream))
	default:
		r = "hachaos does not know this need"
	}
	s.asked[n] = r
	return r
}

// faultReason: at least one fault, each with a proof that it bit, and none that
// was seen to be over before its undo.
func faultReason(h *history.History) string {
	for _, e := range h.Errors {
		if !e.Undo {
			return fmt.Sprintf("%s on %s failed: %s", e.Kind, strings.Join(e.Nodes, ", "), e.Err)
		}
	}
	if len(h.Faults) == 0 {
		return faultless(h)
	}
	for _, f := range h.Faults {
		switch {
		case len(f.Nodes) == 0:
			return fmt.Sprintf("%s had no target", f.Kind)
		case f.Proof == nil:
			return fmt.Sprintf("%s on %s was never observed to bite", f.Kind, strings.Join(f.Nodes, ", "))
		case !f.Proof.OK:
			return fmt.Sprintf("%s on %s did not bite as asked: %s", f.Kind, strings.Join(f.Nodes, ", "), askedMeasured(f.Proof))
		case f.Held != nil && !f.Held.OK:
			return fmt.Sprintf("%s on %s did not last until its undo: %s", f.Kind, strings.Join(f.Nodes, ", "), askedMeasured(f.Held))
		}
	}
	return ""
}

// faultless: no fault is right only where none was asked for.
func faultless(h *history.History) string {
	if h.Meta.Faultless {
		return ""
	}
	return "no fault was injected"
}

// healReason: each fault has a proof that nothing of it is left.
func healReason(h *history.History) string {
	for _, e := range h.Errors {
		if e.Undo {
			return fmt.Sprintf("undoing %s on %s failed: %s", e.Kind, strings.Join(e.Nodes, ", "), e.Err)
		}
	}
	if len(h.Faults) == 0 {
		return faultless(h)
	}
	for _, f := range h.Faults {
		switch {
		case f.HealProof == nil:
			return fmt.Sprintf("%s on %s was never observed to have healed", f.Kind, strings.Join(f.Nodes, ", "))
		case !f.HealProof.OK:
			return fmt.Sprintf("%s on %s did not heal: %s", f.Kind, strings.Join(f.Nodes, ", "), askedMeasured(f.HealProof))
		}
	}
	return ""
}

func askedMeasured(p *history.Proof) string {
	unit := ""
	if p.Unit != "" {
		unit = " " + p.Unit
	}
	return fmt.Sprintf("asked %s%s, measured %s%s", p.Asked, unit, p.Measured, unit)
}

// Unsteady says why the history has no baseline that assertions can count from, as
// NeedBaseline finds; empty if it has one. It is pure.
func Unsteady(h *history.History) string { return baselineReason(h, 0) }

// baselineReason: the first steady phase, which comes before any fault, holds
// at least 50 operations, of
// which 99.9 % are ok, and its 99th percentile is not wild, which is above
// the larger of 10 × its median and its median + 500 ms. Both limits come
// from the phase itself: they ask whether it was steady, not whether it was
// fast, unless slow is given: then 99.9 % are within it, too. What the generator
// dropped is left to NeedGenerator.
func baselineReason(h *history.History, slow time.Duration) string {
	phase, ok := firstOfKind(h, history.PhaseSteady)
	if !ok {
		return "there is no steady phase"
	}
	for _, f := range h.Faults {
		if f.Injected < phase.To {
			return fmt.Sprintf("%s was injected before the first steady phase, %s, had ended: nothing says what the system was like without it", f.Kind, phase.Name)
		}
	}
	dropped := classNumber(h, history.ErrDropped)
	var total, bad, late int
	var latencies []time.Duration
	for i := range opsWithin(h, phase.From, phase.To) {
		op := &h.Ops[i]
		if dropped != 0 && op.Error == dropped {
			continue
		}
		if _, was := struck(h, op, DefaultThreshold); was {
			continue // what became of it is the fault's doing
		}
		total++
		if op.Outcome != history.Good {
			bad++
		} else if l, done := op.Latency(); done {
			latencies = append(latencies, l)
			if slow > 0 && l > slow {
				late++
			}
		}
	}
	if total < baselineOps {
		return fmt.Sprintf("phase %s holds %d operations, fewer than %d", phase.Name, total, baselineOps)
	}
	if float64(bad) > baselineBad*float64(total) {
		return fmt.Sprintf("in phase %s, before any fault, %d of %d operations were not ok (at most 0.1 %%)", phase.Name, bad, total)
	}
	if float64(bad+late) > baselineBad*float64(total) {
		return fmt.Sprintf("in phase %s, before any fault, %d of %d operations were not ok or took longer than %s (at most 0.1 %%)", phase.Name, bad+late, total, round(slow))
	}
	slices.Sort(latencies)
	median, p99 := nearestRank(latencies, 0.5), nearestRank(latencies, percentileOfP99)
	if limit := max(baselineTail*median, median+baselineSlack); p99 > limit {
		return fmt.Sprintf("in phase %s, before any fault, p99 was %s at a median of %s (at most %s)", phase.Name, round(p99), round(median), round(limit))
	}
	return ""
}

func firstOfKind(h *history.History, kind string) (history.Phase, bool) {
	for _, p := range h.Phases {
		if p.Kind == kind {
			return p, true
		}
	}
	return history.Phase{}, false
}

// classNumber is the number of an error class as Op.Error has it; 0 if no
// operation bears it.
func classNumber(h *history.History, class string) uint16 {
	if n := nameOf(h, class); n <= math.MaxUint16 {
		return uint16(n)
	}
	return 0
}

// nameOf is the number of a string in the record; 0 if nothing refers to it.
func nameOf(h *history.History, s string) history.Name {
	if h.Names == nil {
		return 0
	}
	n, _ := h.Names.Find(s)
	return n
}

// nearestRank is the q-quantile of sorted values by the nearest-rank method;
// 0 if there are none.
func nearestRank(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	i := int(q*float64(len(sorted)) + 0.999999)
	return sorted[min(max(i-1, 0), len(sorted)-1)]
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// clockReason: the wall's clock was recorded beside the run's, and nowhere
// stepped by more than history.MaxClockStep.
func clockReason(h *history.History) string {
	if len(h.Clock) < 2 {
		return "the wall clock was not recorded beside the run's"
	}
	if steps := h.ClockSteps(history.MaxClockStep); len(steps) > 0 {
		return steps[0].String()
	}
	return ""
}

// streamReason: the observer accounted for itself, at every node that the
// stream speaks of, and missed nothing at any.
func streamReason(h *history.History, stream string) string {
	if _, reasons := h.CoverageOf(stream, sourcesOf(h, stream)...); len(reasons) > 0 {
		return strings.TrimPrefix(list(reasons, 3), stream+": ")
	}
	return vanished(h, stream)
}

// streamReasonBeside is streamReason without the times that the observers
// name as unknown.
func streamReasonBeside(h *history.History, stream string) string {
	if _, reasons := h.CoverageBeside(stream, sourcesOf(h, stream)...); len(reasons) > 0 {
		return strings.TrimPrefix(list(reasons, 3), stream+": ")
	}
	return vanished(h, stream)
}

// vanished holds what the observers of a stream say they saw against what the
// record holds of it.
func vanished(h *history.History, stream string) string {
	kept, known := recorded(h, stream)
	if !known {
		return ""
	}
	var seen uint64
	for _, c := range h.Coverage {
		if c.V.Stream == stream {
			seen += c.V.Seen
		}
	}
	if seen <= uint64(kept) {
		return ""
	}
	return fmt.Sprintf("its observers saw %d, and the record holds %d", seen, kept)
}

// recorded is how much the record holds of a stream; false of those whose observers do
// not count what they saw.
func recorded(h *history.History, stream string) (n int, known bool) {
	counts := map[string]int{
		history.StreamReadiness: len(h.Readiness), history.StreamTruth: len(h.Truth),
		history.StreamTransition: len(h.Transitions), history.StreamReceipt: len(h.Receipts),
		history.StreamDispatch: len(h.Dispatches), history.StreamServer: len(h.Servers),
		history.StreamVIP: len(h.VIPs), history.StreamEngine: len(h.Engine),
		history.StreamLedger: len(h.Ledger), history.StreamSession: len(h.Sessions),
		history.StreamNode: len(h.Nodes), history.StreamConnections: len(h.Connections),
		history.StreamLeftover: len(h.Leftovers), history.StreamDelivery: len(h.Deliveries),
		history.StreamCrossing: len(h.Crossings), history.StreamRefusal: len(h.Refusals),
		history.StreamBalancer: len(h.Balancers), history.StreamJob: len(h.Jobs), history.StreamFeed: len(h.Feed),
		history.StreamKeyUse: len(h.KeyUses), history.StreamOverlap: len(h.Overlaps), history.StreamTenant: len(h.Tenants),
		history.StreamUpload: len(h.Uploads), history.StreamDownload: len(h.Downloads), history.StreamPrice: len(h.Prices),
		history.StreamPublished: len(h.Published), history.StreamReceived: len(h.Received), history.StreamLink: len(h.Links),
		history.StreamResumed: len(h.Resumed),
	}
	n, known = counts[stream]
	return n, known
}

// sourcesOf are the nodes that a stream has to speak of.
func sourcesOf(h *history.History, stream string) (nodes []string) {
	role := ""
	switch stream {
	case history.StreamReadiness, history.StreamTruth, history.StreamTransition, history.StreamReceipt:
		role = roleApplication
	case history.StreamDispatch, history.StreamServer, history.StreamVIP:
		role = roleBalancer
	default:
		return nil
	}
	for _, n := range h.Meta.Nodes {
		if n.Role == role {
			nodes = append(nodes, n.Name)
		}
	}
	return nodes
}

// missingStream is the reason that a verdict carries if the stream is not
// complete, in the words of Judge; empty if it is.
func missingStream(h *history.History, stream string) string {
	r := streamReason(h, stream)
	if r == "" {
		return ""
	}
	return fmt.Sprintf("%s (%s): %s", NeedStream, stream, r)
}
