package assert

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// VersionSkew expects the versions that run side by side during a deployment
// to be one system for their users:
//
//   - each version reads the sessions and orders that the other wrote, with
//     the values that were acknowledged; that one of them refuses such a read
//     may be a moment in which it is away, and is no violation unless it
//     refuses all of at least five that the writer's own version answers;
//   - each answer has at least the fields that the first version's answer to
//     the same request has (a client may ignore a new field, and cannot do
//     without an old one);
//   - no version fails more of the operations that it answers than
//     MaxBadPercent, unless the others do no better: judged over the seconds
//     in which more than one version answered, since what one version alone
//     fails may be the load's doing; what hangs on operations that speak of the
//     machine (see judgeTwice) is inconclusive;
//   - once the last fault has healed, only the version After answers.
//
// State is followed in the sessions of the mix, in orders whose answer was
// given again by another version than wrote them, and in the crossings, whose
// requests are bound to no node (see history.Crossing).
//
// It is not exercised unless at least two versions answered, and sessions and
// orders were read across them both ways.
//
// The zero value of a field is its default.
type VersionSkew struct {
	// After is the version that must answer alone after the last heal; empty
	// is not judged.
	After string `json:"after,omitempty"`
	// MaxBadPercent is of the operations that a version answered; 0 is 0.5.
	MaxBadPercent float64 `json:"maxBadPercent,omitempty"`
}

// leastUnread is how many reads across the versions must all have been
// refused for it to be the version's: a few may meet it while it is away.
const leastUnread = 5

// leastBad is how many bad operations a version must have for its share of
// them to be judged: one or two are nobody's in particular.
const leastBad = 5

// Name implements Checker.
func (VersionSkew) Name() string { return "version-skew" }

// About implements Checker.
func (c VersionSkew) About() string {
	s := fmt.Sprintf("each version reads the sessions and orders that the other wrote, answers with at least the same fields, and fails at most %s of what it answers, unless all do (0 violations)", sayPercent(c.maxBad()))
	if c.After != "" {
		s += "; after the heal only version " + c.After + " answers"
	}
	return s
}

// Needs implements Checker. Whether the machine was up to the load matters for
// the errors of a version alone; what an answer holds does not hang on it.
func (VersionSkew) Needs() []Need {
	return []Need{{Kind: NeedFault}, {Kind: NeedStream, Stream: history.StreamCrossing}}
}

func (c VersionSkew) maxBad() float64 { return cmp.Or(max(c.MaxBadPercent, 0), 0.5) }

// Check implements Checker. Measured is the number of answers that violate
// it, a version's share of bad operations counting as one.
func (c VersionSkew) Check(h *history.History) Verdict {
	together := sideBySide(h)
	return judgeTwice(h, 0, func(skip func(*history.Op) bool) Verdict {
		s := &skew{VersionSkew: c, h: h, skip: skip, together: together, tallies: map[string]*versionTally{}, crossed: map[crossing]int{}}
		s.sessions()
		s.replays()
		s.crossings()
		s.contract()
		s.shares()
		s.after()
		return s.verdict()
	})
}

// skew is one judgement of VersionSkew.
type skew struct {
	VersionSkew
	h        *history.History
	skip     func(*history.Op) bool   // operations that no version is blamed for
	tallies  map[string]*versionTally // by version
	together map[time.Duration]bool   // the seconds in which several versions answered
	versions []string                 // in the order of their first answer
	crossed  map[crossing]int
	compared map[string]bool // requests whose fields were compared
	broken   []Evidence
	late     int    // operations sent after the last heal
	unsure   string // why a version's errors cannot be called its own
}

// versionTally is what became of the operations that a version answered.
type versionTally struct {
	answered int // all
	beside   int // those of the seconds in which another answered, too
	bad      int // of these
	classes  map[string]int
	first    *history.Op // the first bad one
}

// sideBySide finds the seconds in which more than one version answered.
func sideBySide(h *history.History) map[time.Duration]bool {
	first, out := map[time.Duration]uint16{}, map[time.Duration]bool{}
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Version == 0 || o.End < 0 {
			continue
		}
		second := o.End.Truncate(time.Second)
		if v, known := first[second]; !known {
			first[second] = o.Version
		} else if v != o.Version {
			out[second] = true
		}
	}
	return out
}

// crossing is state that one version wrote and another read.
type crossing struct{ what, writer, reader string }

func (s *skew) tally(version string) *versionTally {
	t := s.tallies[version]
	if t == nil {
		t = &versionTally{classes: map[string]int{}}
		s.tallies[version] = t
		s.versions = append(s.versions, version)
	}
	return t
}

func (s *skew) breach(class string, e Evidence) {
	e.Class = class
	s.broken = append(s.broken, e)
}

// skewed is a session of the mix as the versions leave it.
type skewed struct {
	writer string // the version that wrote it last; empty: not known
	value  int64  // the least that its counter is
}

// sessions follows the mix: the operations of one session do not overlap, and
// come in the order of their ids.
func (s *skew) sessions() {
	live := map[uint32]*skewed{}
	for i := range s.h.Ops {
		o := &s.h.Ops[i]
		version := s.h.VersionOf(o)
		if version != "" {
			s.count(o, version)
		}
		if o.Session == 0 || o.Type == history.Order || version == "" {
			continue
		}
		at := live[o.Session]
		if at == nil {
			at = &skewed{}
			live[o.Session] = at
		}
		s.follow(at, o, version)
	}
}

// count adds an operation to what its version answered.
func (s *skew) count(o *history.Op, version string) {
	t := s.tally(version)
	t.answered++
	if s.skip(o) || !s.together[o.End.Truncate(time.Second)] {
		return
	}
	t.beside++
	if o.Outcome == history.Good {
		return
	}
	t.bad++
	t.classes[s.failure(o)]++
	if t.first == nil {
		t.first = o
	}
}

// failure names how an answered operation failed: "503", "malformed".
func (s *skew) failure(o *history.Op) string {
	class := s.h.ErrorOf(o)
	if class == history.ErrStatus {
		return fmt.Sprint(o.Status)
	}
	return class
}

// follow applies one answer to its session.
func (s *skew) follow(at *skewed, o *history.Op, version string) {
	switch {
	case o.Type == history.Login:
		*at = skewed{}
		if o.Outcome == history.Good {
			at.writer = version
		}
		return
	case at.writer == "":
		return
	case o.Outcome != history.Good:
		s.refused(at, o, version)
		return
	case o.Type == history.Logout:
		*at = skewed{}
		return
	}
	least := at.value
	if o.Type == history.SessionWrite {
		least++
	}
	if version != at.writer {
		s.crossed[crossing{"session", at.writer, version}]++
		switch {
		case o.Has(history.New):
			s.breach("unreadable state", s.opEvidence(o, "a session that version %s wrote was begun anew by version %s", at.writer, version))
		case o.Value < least:
			s.breach("unreadable state", s.opEvidence(o, "version %s answered %d for a counter that version %s had left at %d or more", version, o.Value, at.writer, least))
		}
	}
	at.value = o.Value
	if o.Type == history.SessionWrite {
		at.writer = version
	}
}

// refused reads an error answer: a session that another version wrote, and
// that this one does not find or answers in words that the client cannot read.
func (s *skew) refused(at *skewed, o *history.Op, version string) {
	class := s.h.ErrorOf(o)
	if version != at.writer && class == history.ErrSession {
		s.breach("unreadable state", s.opEvidence(o, "version %s does not find a session that version %s wrote", version, at.writer))
	}
	if class == history.ErrSession || o.Outcome == history.Unknown {
		*at = skewed{}
	}
}

func (s *skew) opEvidence(o *history.Op, format string, args ...any) Evidence {
	return Evidence{
		Op: o.ID, At: max(0, o.Intended), Node: s.h.NodeOf(o),
		Text: fmt.Sprintf("op %d (%s, session %d): ", o.ID, o.Type, o.Session) + fmt.Sprintf(format, args...),
	}
}

// replays finds orders whose answer another version than wrote them gave
// again.
func (s *skew) replays() {
	for i := range s.h.Ledger {
		row := &s.h.Ledger[i].V
		o, ok := s.h.Op(row.Op)
		if !ok || row.Version == "" || !o.Has(history.Replayed) || o.Outcome != history.Good {
			continue
		}
		if reader := s.h.VersionOf(o); reader != "" && reader != row.Version {
			s.crossed[crossing{"order", row.Version, reader}]++
		}
	}
}

// crossings judges what the unbound client read: each answer, and whether a
// version ever read what another wrote, if that one answers such requests
// itself.
func (s *skew) crossings() {
	refused := map[crossing][]*history.At[history.Crossing]{}
	answers := map[crossing]bool{} // whether a version (as the reader) answered such a request well
	for i := range s.h.Crossings {
		c := &s.h.Crossings[i]
		v := &c.V
		what, _, _ := strings.Cut(v.Of, " ")
		if v.Version != "" && v.Status/100 == 2 {
			answers[crossing{what: what, reader: v.Version}] = true
		}
		if v.Version == "" || v.Writer == "" || v.Writer == v.Version {
			continue
		}
		way := crossing{what, v.Writer, v.Version}
		switch {
		case v.Status/100 == 2:
			s.crossed[way]++
			if v.Want >= 0 && v.Got != v.Want {
				s.breach("unreadable state", s.crossEvidence(c, "%s, which version %s wrote, holds %d by version %s, and %d was acknowledged", v.Of, v.Writer, v.Got, v.Version, v.Want))
			}
		case v.Status == 404 || v.Status == 500:
			s.breach("unreadable state", s.crossEvidence(c, "%s, which version %s wrote, is answered by version %s with status %d", v.Of, v.Writer, v.Version, v.Status))
		default:
			refused[way] = append(refused[way], c)
		}
	}
	for way, all := range refused {
		if n := len(all); n >= leastUnread && s.crossed[way] == 0 && answers[crossing{what: way.what, reader: way.writer}] {
			s.breach("never read", s.crossEvidence(all[0], "%s, which version %s wrote, is answered by version %s with status %d, and so is each of the %d that it was asked for", all[0].V.Of, way.writer, way.reader, all[0].V.Status, n))
		}
	}
}

func (s *skew) crossEvidence(c *history.At[history.Crossing], format string, args ...any) Evidence {
	return Evidence{Seq: c.Seq, At: c.Time, Node: c.V.Node, Text: c.V.Request + ": " + fmt.Sprintf(format, args...)}
}

// contract holds each version's answers to a request against the fields that
// the first version's answers all have.
func (s *skew) contract() {
	base := map[string][]string{}
	first := ""
	s.compared = map[string]bool{}
	for i := range s.h.Crossings {
		v := &s.h.Crossings[i].V
		if v.Version == "" || v.Status/100 != 2 {
			continue
		}
		first = cmp.Or(first, v.Version)
		if v.Version != first {
			continue
		}
		if had, known := base[v.Request]; known {
			base[v.Request] = slices.DeleteFunc(had, func(f string) bool { return !slices.Contains(v.Fields, f) })
		} else {
			base[v.Request] = slices.Clone(v.Fields)
		}
	}
	for i := range s.h.Crossings {
		c := &s.h.Crossings[i]
		want, known := base[c.V.Request]
		if !known || c.V.Version == "" || c.V.Version == first || c.V.Status/100 != 2 {
			continue
		}
		s.compared[c.V.Request] = true
		var missing []string
		for _, f := range want {
			if !slices.Contains(c.V.Fields, f) {
				missing = append(missing, f)
			}
		}
		if len(missing) > 0 {
			s.breach("response contract", s.crossEvidence(c, "version %s answers without %s, which version %s has", c.V.Version, strings.Join(missing, ", "), first))
		}
	}
}

// shares holds each version's share of bad operations against the bound and
// against the best of the others.
func (s *skew) shares() {
	for _, version := range s.versions {
		t := s.tallies[version]
		if t.bad < leastBad || t.percent() <= s.maxBad() {
			continue
		}
		best := t.percent()
		for other, o := range s.tallies {
			if other != version && o.beside > 0 {
				best = min(best, o.percent())
			}
		}
		if t.percent() <= 2*best {
			continue // the others do no better: that is not the version's
		}
		if s.unsure = cmp.Or(baselineReason(s.h, 0), generatorReason(s.h)); s.unsure != "" {
			continue
		}
		s.breach("errors of a version", s.opEvidence(t.first, "version %s failed %d of the %d operations that it answered beside another, %s; this is the first (%s)",
			version, t.bad, t.beside, t.words(), s.failure(t.first)))
	}
}

func (t *versionTally) percent() float64 {
	if t.beside == 0 {
		return 0
	}
	return 100 * float64(t.bad) / float64(t.beside)
}

// words are "12 malformed, 3 503".
func (t *versionTally) words() string {
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(t.classes)) {
		parts = append(parts, fmt.Sprintf("%d × %s", t.classes[class], class))
	}
	return strings.Join(parts, ", ")
}

// after finds operations that another version than After answered once the
// last fault had healed.
func (s *skew) after() {
	if s.After == "" {
		return
	}
	healed := time.Duration(-1)
	for _, f := range s.h.Faults {
		if f.Healed < 0 {
			return
		}
		healed = max(healed, f.Healed)
	}
	for i := range s.h.Ops {
		o := &s.h.Ops[i]
		version := s.h.VersionOf(o)
		if healed < 0 || o.Sent <= healed || version == "" {
			continue
		}
		s.late++
		if version != s.After {
			s.breach("still served", s.opEvidence(o, "version %s answered after the heal", version))
		}
	}
}

// verdict puts it into words.
func (s *skew) verdict() Verdict {
	v := Verdict{
		Name: s.Name(), Measured: figure(float64(len(s.broken))), Bound: figure(0), Op: "<=", Unit: "violations",
		Measures: s.measures(), Evidence: []Evidence{},
	}
	missing := missingStream(s.h, history.StreamCrossing)
	switch {
	case len(s.broken) > 0:
		s.fail(&v)
	case len(s.versions) == 0:
		v.Measured, v.NotExercised = nil, true
		v.Summary = "No answer named a version."
		inconclusive(&v, "no answer named a version")
	case missing != "":
		v.Summary = "Not all that was read across the versions is known."
		inconclusive(&v, missing)
	case s.unsure != "":
		v.Summary = "One version failed more than another, and it may not be the version's doing."
		inconclusive(&v, s.unsure)
	case s.After != "" && s.late == 0:
		v.Summary = "Nothing was answered after the last heal."
		inconclusive(&v, "no operation was sent after the last fault had healed: heal it in a phase of its own")
	case s.lacking() != "":
		v.Status, v.NotExercised = Pass, true
		v.Summary = s.lacking() + "."
	default:
		v.Status = Pass
		v.Summary = fmt.Sprintf("Versions %s read each other's sessions and orders (%s), and answered %s with the same fields.",
			strings.Join(s.versions, " and "), s.occasions(), count(len(s.compared), "kind")+" of request")
	}
	return v
}

func (s *skew) fail(v *Verdict) {
	v.Status = Fail
	rank := []string{"unreadable state", "never read", "response contract", "errors of a version", "still served"}
	slices.SortStableFunc(s.broken, func(a, b Evidence) int {
		return cmp.Or(cmp.Compare(slices.Index(rank, a.Class), slices.Index(rank, b.Class)), cmp.Compare(a.At, b.At), cmp.Compare(a.Seq, b.Seq))
	})
	// Each class is shown, not the first alone.
	seen := map[string]int{}
	for _, e := range s.broken {
		if seen[e.Class]++; seen[e.Class] <= MaxEvidence/len(rank) {
			v.Evidence = append(v.Evidence, e)
		}
	}
	v.More = len(s.broken) - len(v.Evidence)
	v.Safety = seen["unreadable state"] > 0
	var parts []string
	for _, class := range rank {
		if n := seen[class]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d × %s", n, class))
		}
	}
	v.Summary = fmt.Sprintf("%s: %s: %s.", count(len(s.broken), "violation"), strings.Join(parts, ", "), s.broken[0].Text)
	v.Fix = s.fix(v.Evidence[0].Class)
}

// fix is by what was worst.
func (s *skew) fix(class string) string {
	const beside = "a version that runs beside another must add fields and keep writing what the other reads, until no node runs it"
	switch class {
	case "still served":
		return valueFix(s.h, "deploy to every node, and go on only when each says that it runs the new version", ValueVersion)
	case "response contract":
		return valueFix(s.h, beside, ValueSharedResponse)
	case "errors of a version":
		return valueFix(s.h, beside, ValueVersion, ValueSharedSession, ValueSharedRow)
	}
	return valueFix(s.h, beside, ValueSharedSession, ValueSharedRow)
}

// lacking says what no occasion came for; empty if all was exercised.
func (s *skew) lacking() string {
	if len(s.versions) < 2 {
		return fmt.Sprintf("Only version %s answered", s.versions[0])
	}
	for _, what := range []string{"session", "order"} {
		both := false
		for c := range s.crossed {
			if c.what == what && s.crossed[crossing{what, c.reader, c.writer}] > 0 {
				both = true
			}
		}
		if !both {
			return fmt.Sprintf("No %s was written by each version and read by the other (%s)", what, s.occasions())
		}
	}
	if len(s.compared) == 0 {
		return "No request was answered to the unbound client by more than one version"
	}
	return ""
}

// occasions is "session 1→2: 12, session 2→1: 9".
func (s *skew) occasions() string {
	var parts []string
	for c, n := range s.crossed {
		parts = append(parts, fmt.Sprintf("%s %s→%s: %d", c.what, c.writer, c.reader, n))
	}
	slices.Sort(parts)
	return cmp.Or(strings.Join(parts, ", "), "none crossed")
}

func (s *skew) measures() (out []Measure) {
	for _, version := range s.versions {
		t := s.tallies[version]
		out = append(out,
			Measure{Name: "answered by version " + version, Value: float64(t.answered), Unit: "operations"},
			Measure{Name: "bad answers of version " + version, Value: t.percent(), Unit: "%", Bound: figure(s.maxBad()), Note: fmt.Sprintf("of %d beside another version: %s", t.beside, cmp.Or(t.words(), "none"))},
		)
	}
	for _, c := range slices.SortedFunc(maps.Keys(s.crossed), func(a, b crossing) int {
		return cmp.Or(cmp.Compare(a.what, b.what), cmp.Compare(a.writer, b.writer), cmp.Compare(a.reader, b.reader))
	}) {
		out = append(out, Measure{Name: fmt.Sprintf("%ss of version %s read by %s", c.what, c.writer, c.reader), Value: float64(s.crossed[c]), Unit: "answers"})
	}
	return append(out, Measure{Name: "kinds of request compared", Value: float64(len(s.compared)), Unit: "requests"})
}
