package assert

import (
	"fmt"
	"strings"

	"github.com/hachaos/hachaos/history"
)

// What a scenario may expect of the sessions on a node that dies.
const (
	ExpectSurvive      = "survive"        // they live on elsewhere
	ExpectLostWithNode = "lost-with-node" // they die with it, and no others do
)

// SessionSurvival expects each session to be what its client was told it is,
// through the fault and after it. A session is judged from its acknowledged
// login to its acknowledged logout.
//
// Its counter is a model of one number. The n-th acknowledged write may
// answer, and a read may see, any value from what was acknowledged or read
// before it up to what was sent before it with an outcome that may be good:
// a write of unknown outcome may take effect at any time after it was sent,
// once, or never. After the load the list of operations that the session
// keeps must hold each acknowledged write once and nothing that was not sent.
//
// The zero value expects the sessions to survive.
type SessionSurvival struct {
	// Expect is ExpectSurvive, the default, or ExpectLostWithNode: then each
	// session that was bound to a victim when the fault began must be lost or
	// replaced, and no other.
	Expect string `json:"expect,omitempty"`
}

// Name implements Checker.
func (SessionSurvival) Name() string { return "session-survival" }

// About implements Checker.
func (s SessionSurvival) About() string {
	if s.Expect == ExpectLostWithNode {
		return "the sessions of a node die with it and no others do; no counter goes wrong (0 sessions)"
	}
	return "each session lives on with every acknowledged update, and belongs to its user alone (0 sessions violated)"
}

// Needs implements Checker. The clock is needed because the victim's time of
// death, and so what was bound to it, comes from outside. A session that
// nobody could read after the load takes nothing away from what was seen of
// the others.
func (SessionSurvival) Needs() []Need {
	return []Need{{Kind: NeedFault}, {Kind: NeedClock}, {Kind: NeedStream, Stream: history.StreamSession, ToPass: true}}
}

// Check implements Checker. Measured is the number of sessions violated. It
// is not exercised if no session was bound to a victim when a fault began,
// none was there when a fault hit what all share (the store, a balancer), and
// none was answered by one node after another; and inconclusive if none of those was ever seen again, or if a session that must
// exist was not read after the load.
func (s SessionSurvival) Check(h *history.History) Verdict {
	if s.Expect != "" && s.Expect != ExpectSurvive && s.Expect != ExpectLostWithNode {
		return Verdict{
			Name: s.Name(), Unit: "sessions", Summary: "The expectation is not one that hachaos knows.",
			Reasons: []string{fmt.Sprintf("expect %q: want %q or %q", s.Expect, ExpectSurvive, ExpectLostWithNode)},
		}
	}
	r := newRegister(h, s.Expect == ExpectLostWithNode)
	r.follow()
	r.readFinal()
	r.close()
	return r.verdict(s.Name())
}

// sessionClass is a way in which a session can be violated.
type sessionClass uint8

// The classes, worst first.
const (
	leaked sessionClass = iota
	lostUpdate
	appliedTwice
	resurrected
	replaced
	lostSession
	halfLogin
	forcedLogin
	staleRead
	unstableRead
	phantomUpdate
	refusedUpdate
	survived
	belowAcked // not yet known whether stale or lost; never in a verdict
	sessionClasses
)

var sessionClassNames = [sessionClasses]string{
	leaked:        "leaked to another user",
	lostUpdate:    "lost update",
	appliedTwice:  "applied twice",
	resurrected:   "resurrected after logout",
	replaced:      "replaced by a new session",
	lostSession:   "lost",
	halfLogin:     "half-login",
	forcedLogin:   "forced re-login",
	staleRead:     "stale read",
	unstableRead:  "unstable read",
	phantomUpdate: "never sent",
	refusedUpdate: "applied though refused",
	survived:      "survived its node",
	belowAcked:    "below what was acknowledged",
}

func (c sessionClass) String() string { return sessionClassNames[c] }

// safety says that a class rests on the client's own record alone and takes
// something that the client was told it has, or gives it to another.
func (c sessionClass) safety() bool {
	return c == leaked || c == lostUpdate || c == appliedTwice
}

// verdict puts the register into words.
func (r *register) verdict(name string) Verdict {
	violated := r.violated()
	v := Verdict{
		Name: name, Measured: figure(float64(violated)), Bound: figure(0), Op: "<=", Unit: "sessions",
		Measures: r.measures(violated), Notes: r.notes(),
	}
	missing := missingStream(r.h, history.StreamSession)
	switch {
	case violated > 0:
		v.Status = Fail
		for _, f := range r.findings {
			v.Safety = v.Safety || f.class.safety()
		}
		if missing != "" {
			v.Notes = append(v.Notes, "not all sessions were read again after the load: "+missing)
		}
		v.Summary = fmt.Sprintf("%s of %d violated: %s; %s.", count(violated, "session"), r.judged, r.tally(), r.occasion())
		v.Evidence, v.More = r.evidence()
		v.Fix = r.fix()
	case r.judged == 0:
		v.Measured, v.NotExercised = nil, true
		v.Summary = "No session was seen to begin."
		inconclusive(&v, "no login was acknowledged")
	case missing != "":
		v.Summary = "The sessions were not all read again after the load."
		inconclusive(&v, missing)
	case r.unread > 0:
		v.Summary = "The sessions were not all read again after the load."
		inconclusive(&v, fmt.Sprintf("nobody read %s through the entry after the load that must exist", count(r.unread, "session")))
	case r.onVictim > 0 && r.unseen == r.onVictim:
		v.NotExercised = true
		v.Summary = fmt.Sprintf("Nothing is known of the sessions that the fault hit; %s.", r.occasion())
		inconclusive(&v, "no session that was on a victim answered again, nor was it found after the load")
	default:
		v.Status = Pass
		v.NotExercised = r.onVictim == 0 && (r.lostWithNode || r.roamed == 0 && r.outlived == 0)
		v.Summary = fmt.Sprintf("All %d sessions are as their clients were told; %s.", r.judged, r.occasion())
		if r.lostWithNode {
			v.Summary = fmt.Sprintf("All %d sessions ended as documented, with their node or not at all; %s.", r.judged, r.occasion())
		}
	}
	return v
}

// occasion says what could have harmed the sessions.
func (r *register) occasion() string {
	text := fmt.Sprintf("%d were on a victim", r.onVictim)
	switch r.onVictim {
	case 0:
		text = "none was on a victim"
	case 1:
		text = "1 was on a victim"
	}
	if r.outlived > 0 {
		text += fmt.Sprintf(", %d lived while what they share was hit", r.outlived)
	}
	if r.roamed > 0 {
		text += fmt.Sprintf(", %d moved between nodes", r.roamed)
	}
	return text
}

// tally is "3 lost update, 1 replaced by a new session".
func (r *register) tally() string {
	var parts []string
	for c, n := range r.classCounts() {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, sessionClass(c)))
		}
	}
	return strings.Join(parts, ", ")
}

func (r *register) measures(violated int) []Measure {
	m := []Measure{
		{Name: "sessions", Value: float64(r.judged), Unit: "sessions", Note: "with an acknowledged login"},
		{Name: "on a victim", Value: float64(r.onVictim), Unit: "sessions", Note: "bound to it when the fault began"},
		{Name: "moved between nodes", Value: float64(r.roamed), Unit: "sessions", Note: "one node answered after another"},
		{Name: "on a victim, not seen again", Value: float64(r.unseen), Unit: "sessions"},
		{Name: "kept", Value: float64(r.judged - violated - r.endedAsExpected), Unit: "sessions"},
	}
	if r.lostWithNode {
		m = append(m, Measure{Name: "lost with its node", Value: float64(r.endedAsExpected), Unit: "sessions", Note: "as documented"})
	}
	for c, n := range r.classCounts() {
		if c := sessionClass(c); c < survived || r.lostWithNode && c == survived {
			m = append(m, Measure{Name: c.String(), Value: float64(n), Unit: "sessions", Bound: figure(0)})
		}
	}
	return append(m,
		Measure{Name: "without an acknowledged login", Value: float64(r.unjudged), Unit: "sessions", Note: "nothing can be expected of them"},
		Measure{Name: "writes of unknown outcome", Value: float64(r.unknownWrites), Unit: "operations"},
		Measure{Name: "not found on a node", Value: float64(r.missingOnNodes), Unit: "reads", Note: "after the load, asked of the node itself"},
	)
}

func (r *register) notes() []string {
	var out []string
	if !r.owners {
		out = append(out, "no answer named the session's owner, so leaks and half-logins could not be seen")
	}
	if r.missingOnNodes > 0 {
		out = append(out, fmt.Sprintf("asked of a node itself, %s did not find a session that must exist: it lives on one node only", count(r.missingOnNodes, "read")))
	}
	if r.strangeIDs > 0 {
		out = append(out, fmt.Sprintf("%s after the load answered with another session's id and were not judged", count(r.strangeIDs, "read")))
	}
	return out
}

// fix is by the worst class that there is.
func (r *register) fix() string {
	for c, n := range r.classCounts() {
		if n > 0 {
			return sessionClass(c).fix(r.h)
		}
	}
	return ""
}

// fix says which settings of the sessions a violation of the class hangs on.
func (c sessionClass) fix(h *history.History) string {
	switch c {
	case lostUpdate, appliedTwice, phantomUpdate, refusedUpdate:
		return valueFix(h, "save a session before its answer, and only over what was read of it", ValueSessionFence, ValueSessionSave, ValueSessionCache)
	case staleRead, unstableRead, resurrected:
		return valueFix(h, "let no node answer from a copy of its own that others have written past", ValueSessionCache, ValueAffinity)
	case leaked, halfLogin, forcedLogin:
		return valueFix(h, "keep who is logged in in the session, and sessions in a store that all nodes share", ValueLogin, ValueSessions)
	case survived:
		return valueFix(h, "the sessions are kept where their node's end does not reach them", ValueSessions)
	}
	return valueFix(h, "keep sessions in a store that all nodes share", ValueSessions, ValueSessionSave)
}
