package report

import (
	"slices"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// sessionFacts are what the clients' record says of a session.
type sessionFacts struct {
	user     history.Name
	from, to time.Duration
	ops, bad int
	nodes    []history.Name // that answered, in the order of their first answer
	login    bool           // acknowledged
	victim   bool           // alive, and bound to a victim, when the first fault took effect
}

// What the page says of a session that no evidence names.
const (
	keptSession   = "as its client was told"
	noLogin       = "no acknowledged login"
	notTold       = "not told apart" // the judge named the worst only
	unjudgedState = "not judged"
	notSettled    = ", not settled" // after a class, where the judge had no verdict
)

// addSessions: number, user, from, to, operations, bad, nodes, on a victim,
// what became of it, whether all its operations are held.
func (d *detailed) addSessions(r *harness.Result, h *history.History, p *picked, facts map[uint32]*sessionFacts) {
	d.SessionsTotal = len(facts)
	word := d.sessionWords(r, h, facts)
	order := orderOf(sessionNotes(h, p, facts))
	for _, s := range order[:min(len(order), maxSessions)] {
		f := facts[s]
		nodes := make([]int, 0, len(f.nodes))
		for _, n := range f.nodes[:min(len(f.nodes), 16)] {
			nodes = append(nodes, d.name(h.Names.Get(n)))
		}
		d.Sessions = append(d.Sessions, cells{
			s, d.name(h.Names.Get(f.user)), millis(f.from), millis(f.to), f.ops, f.bad, nodes, flag(f.victim), d.name(word(s)), flag(p.whole[s]),
		})
	}
}

// maxStates bounds what the page holds of the sessions as read after the load.
const maxStates = 4500

// addStates: session, read through (vip or a node), answered, found, id, user,
// count, operations in its list.
func (d *detailed) addStates(h *history.History, p *picked) {
	for i := range h.Sessions {
		if v := &h.Sessions[i].V; p.whole[v.Session] && len(d.States) < maxStates {
			d.States = append(d.States, cells{
				v.Session, d.name(v.Via), flag(v.Known), flag(v.Found), cleanName(v.ID), d.name(v.User), v.Count, len(v.Ops),
			})
		}
	}
}

// sessionsOf folds the operations by session.
func sessionsOf(h *history.History) map[uint32]*sessionFacts {
	out, g := map[uint32]*sessionFacts{}, gradingOf(h)
	at, victims := struckAt(h)
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Session == 0 {
			continue
		}
		f := out[o.Session]
		if f == nil {
			f = &sessionFacts{user: o.User, from: o.Intended}
			out[o.Session] = f
		}
		f.ops++
		f.to = max(f.to, o.Intended, o.End)
		f.bad += flag(g.bad(o))
		f.login = f.login || o.Type == history.Login && o.Outcome == history.Good
		if o.Node != 0 && !slices.Contains(f.nodes, o.Node) {
			f.nodes = append(f.nodes, o.Node)
		}
		// The last operation that was due before the fault tells the binding;
		// one that ends it leaves nothing to lose.
		if o.Intended <= at {
			bound := slices.Contains(victims, h.NodeOf(o)) || slices.Contains(victims, h.BoundOf(o))
			f.victim = bound && f.login && (o.Type != history.Logout || o.Outcome == history.Failed)
		}
	}
	return out
}

// struckAt is when the first fault took effect, and the nodes that any fault
// was aimed at; -1 if there was none.
func struckAt(h *history.History) (time.Duration, []string) {
	at := time.Duration(-1)
	for _, f := range h.Faults {
		if from, _ := f.Took(); at < 0 || from < at {
			at = from
		}
	}
	return at, h.Victims()
}

// sessionWords gives what became of each session, as the judge of sessions
// said: what its evidence names, and of the others that they were kept if
// all that were not are named.
func (d *detailed) sessionWords(r *harness.Result, h *history.History, facts map[uint32]*sessionFacts) func(uint32) string {
	rest, named := unjudgedState, map[uint32]string{}
	for i := range r.Assertions {
		v := &r.Assertions[i]
		if v.Name != (assert.SessionSurvival{}).Name() || v.Measured == nil {
			continue
		}
		// What an assertion without a verdict found is told, and is not settled:
		// nor is any other session's fate.
		settled := ""
		switch {
		case v.Status == assert.Inconclusive:
			settled = notSettled
		case v.More > 0:
			rest = notTold
		default:
			rest = keptSession
		}
		for _, e := range v.Evidence {
			if o, ok := h.Op(e.Op); ok && v.Status != assert.Pass {
				named[o.Session] = e.Class + settled
			}
		}
	}
	return func(s uint32) string {
		switch {
		case named[s] != "":
			return named[s]
		case rest != unjudgedState && !facts[s].login:
			return noLogin
		}
		return rest
	}
}

// bar is a line of a funnel: a figure, as a share of the largest.
type bar struct {
	Name, Value, Note string
	Percent           float64
	Tone              string
}

// funnel shows the measures of an assertion that are in one of the units:
// those that are not 0, and the first that has no bound.
func funnel(r *harness.Result, name string, units ...string) []bar {
	var out []bar
	top := 0.0
	for i := range r.Assertions {
		v := &r.Assertions[i]
		if v.Name != name {
			continue
		}
		for _, m := range v.Measures {
			if !slices.Contains(units, m.Unit) || m.Value == 0 && (m.Bound != nil || len(out) > 0) {
				continue
			}
			b := bar{Name: cleanName(m.Name), Value: number(m.Value), Note: cleanText(m.Note), Percent: m.Value, Tone: "idle"}
			if m.Bound != nil {
				b.Tone = "bad"
			}
			top = max(top, m.Value)
			out = append(out, b)
		}
	}
	for i := range out {
		out[i].Percent = 100 * out[i].Percent / max(1, top)
	}
	return out
}
