package assert_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// randomVersions are a few sessions of a mix that two versions answer, orders
// that are told again, and a client that is bound to no node, after a second in
// which version 1 was alone and all was well.
func randomVersions(seed uint64) *history.History {
	rng, s := random(seed, 80), &tape{}
	h := &history.History{Names: &history.Names{}, End: 10 * sec}
	h.Phases = []history.Phase{{Name: "steady", Kind: history.PhaseSteady, To: sec}, {Name: "mixed", Kind: history.PhaseBreak, From: sec, To: 10 * sec}}
	h.Faults = []history.Fault{{ID: 1, Kind: "rollout", Nodes: []string{"j1"}, Injected: 2 * sec, Active: 2 * sec, Heal: 6 * sec, Healed: 7 * sec}}
	if chance(rng, 20) {
		h.Faults[0].Healed = -1
	}
	wrong := oneOf(rng, 1000, 1000, 60, 20)
	add := func(o history.Op, version string) {
		o.ID = uint64(len(h.Ops)) + 1
		o.Attempts, o.Version = 1, uint16(h.Names.Intern(version))
		if o.Sent == 0 {
			o.Sent = o.Intended
		}
		o.End = o.Sent + ms
		h.Ops = append(h.Ops, o)
	}
	for i := range 60 {
		add(history.Op{Type: history.Order, Outcome: history.Good, Intended: time.Duration(i) * 10 * ms}, "1")
	}
	version := func() string { return oneOf(rng, "1", "2", "2") }
	counts, live := map[uint32]int64{}, map[uint32]bool{}
	bad := map[string]int{"1": oneOf(rng, 1000, 1000, 12), "2": oneOf(rng, 1000, 1000, 12, 4)}
	for i := range 40 + rng.IntN(40) {
		o := history.Op{Session: uint32(1 + rng.IntN(3)), Outcome: history.Good, Status: 200, Intended: sec + time.Duration(i)*100*ms}
		by := version()
		if o.Intended > 7*sec && !chance(rng, min(wrong, 200)) {
			by = "1"
		}
		if only := chance(rng, 20); only {
			by = ""
		}
		switch n := rng.IntN(12); {
		case !live[o.Session]:
			o.Type, counts[o.Session], live[o.Session] = history.Login, 0, true
		case n == 0:
			o.Type, live[o.Session] = history.Logout, false
		case n < 5:
			counts[o.Session]++
			o.Type, o.Value = history.SessionWrite, counts[o.Session]
		case n < 6:
			o.Type = history.Order
		default:
			o.Type, o.Value = history.SessionRead, counts[o.Session]
		}
		switch {
		case by == "":
			o.Outcome, o.Status, o.Error, o.Value = history.Unknown, 0, uint16(h.Names.Intern(history.ErrReset)), 0
		case chance(rng, bad[by]):
			o.Outcome, o.Status, o.Error, o.Value = history.Failed, 503, uint16(h.Names.Intern(history.ErrStatus)), 0
		case o.Type != history.Login && chance(rng, wrong):
			switch rng.IntN(4) {
			case 0:
				o.Outcome, o.Status, o.Error = history.Failed, 404, uint16(h.Names.Intern(history.ErrSession))
			case 1:
				o.Outcome, o.Error = history.Unknown, uint16(h.Names.Intern(history.ErrMalformed))
			case 2:
				o.Flags, o.Value = history.New, 1
			case 3:
				o.Value = max(0, o.Value-1)
			}
		}
		if o.Type == history.Order && o.Outcome == history.Good && chance(rng, 2) {
			o.Flags = history.Replayed
			h.Ledger = append(h.Ledger, seen(s, 9*sec, history.LedgerRow{Order: int64(i), Op: uint64(len(h.Ops)) + 1, Version: oneOf(rng, "1", "2")}))
		}
		add(o, by)
	}
	oneWay := chance(rng, 5) // version 2 does not read the orders of version 1
	for i := range rng.IntN(24) + map[bool]int{true: 40}[oneWay] {
		c := history.Crossing{
			Request: oneOf(rng, "GET /session", "GET /session", "GET /orders/{id}"), Of: "session 1", Version: version(), Writer: oneOf(rng, "1", "2", ""),
			Status: 200, Fields: []string{"count", "id"}, Want: 3, Got: 3,
		}
		if c.Request == "GET /orders/{id}" {
			c.Of = "order 1"
		}
		switch {
		case c.Version == "2" && chance(rng, 3):
			c.Fields = append(c.Fields, "more")
		case chance(rng, wrong):
			c.Fields = c.Fields[1:]
		}
		if chance(rng, wrong) {
			c.Got = oneOf[int64](rng, 2, -1)
		}
		if chance(rng, 3*wrong) {
			c.Status = oneOf(rng, 404, 500)
		}
		if away := oneOf(rng, 6, 20); chance(rng, away) || oneWay && c.Writer == "1" && c.Version == "2" && c.Of[0] == 'o' {
			c.Status, c.Got, c.Fields = oneOf(rng, 503, 503, 0), -1, nil
		}
		if c.Status == 0 {
			c.Version = ""
		}
		h.Crossings = append(h.Crossings, seen(s, sec+time.Duration(i)*100*ms, c))
	}
	if oneWay {
		h.Ledger = nil
	}
	h.Coverage = covered(history.StreamCrossing)
	h.Coverage[0].V.Complete = !chance(rng, 20)
	return h
}

// naiveSkew judges each answer for itself, from all that came before it.
func naiveSkew(h *history.History, after string) (r ruling) {
	breach := func(class string, n uint64) { r.Found = append(r.Found, mark(class, n)) }
	both := map[string]bool{} // "session 1>2": read across
	var versions []string
	late := 0
	for i, o := range h.Ops {
		v := h.VersionOf(&o)
		if v == "" {
			continue
		}
		if !slices.Contains(versions, v) {
			versions = append(versions, v)
		}
		if after != "" && h.Faults[0].Healed >= 0 && o.Sent > h.Faults[0].Healed {
			late++
			if v != after {
				breach("still served", o.ID)
			}
		}
		writer, least := stateBefore(h, i)
		if o.Session == 0 || o.Type == history.Order || o.Type == history.Login || o.Type == history.Logout && o.Outcome == history.Good || writer == "" || writer == v {
			continue
		}
		if o.Outcome != history.Good {
			if h.ErrorOf(&o) == history.ErrSession {
				breach("unreadable state", o.ID)
			}
			continue
		}
		both[fmt.Sprintf("session %s>%s", writer, v)] = true
		if o.Type == history.SessionWrite {
			least++
		}
		if o.Has(history.New) || o.Value < least {
			breach("unreadable state", o.ID)
		}
	}
	for _, row := range h.Ledger {
		if o := h.Ops[row.V.Op-1]; o.Outcome == history.Good && h.VersionOf(&o) != "" && h.VersionOf(&o) != row.V.Version {
			both[fmt.Sprintf("order %s>%s", row.V.Version, h.VersionOf(&o))] = true
		}
	}
	compared := naiveCrossings(h, breach, both)
	if first := naiveVersions(h, versions); first != 0 {
		breach("errors of a version", first)
	}
	exchanged := func(what string) bool { return both[what+" 1>2"] && both[what+" 2>1"] }
	switch {
	case len(r.Found) > 0:
		r.Status = assert.Fail
	case !h.Coverage[0].V.Complete, after != "" && late == 0:
	default:
		r.Status, r.Idle = assert.Pass, len(versions) < 2 || !exchanged("session") || !exchanged("order") || !compared
	}
	return r.sorted()
}

// stateBefore is which version wrote the session of an operation last, and the
// least that its counter is by then. It looks back for the login that began the
// session, and forward from there.
func stateBefore(h *history.History, i int) (writer string, least int64) {
	for j := range h.Ops[:i] {
		o := h.Ops[j]
		v, ends := h.VersionOf(&o), o.Type == history.Logout && o.Outcome == history.Good
		if o.Session != h.Ops[i].Session || o.Type == history.Order || v == "" {
			continue
		}
		switch {
		case o.Type == history.Login && o.Outcome == history.Good:
			writer, least = v, 0
		case o.Type == history.Login, ends, o.Outcome == history.Unknown, h.ErrorOf(&o) == history.ErrSession:
			writer = ""
		case o.Outcome == history.Good && writer != "":
			least = o.Value
			if o.Type == history.SessionWrite {
				writer = v
			}
		}
	}
	return writer, least
}

// naiveCrossings judges the unbound client's answers, and says whether any
// two versions answered one request with fields to compare.
func naiveCrossings(h *history.History, breach func(string, uint64), both map[string]bool) (compared bool) {
	fine := func(c history.Crossing) bool { return c.Version != "" && c.Status/100 == 2 }
	of := func(c history.Crossing) string { return map[byte]string{'s': "session", 'o': "order"}[c.Of[0]] }
	first := ""
	for _, x := range h.Crossings {
		if first == "" && fine(x.V) {
			first = x.V.Version
		}
	}
	refused := map[string][]uint64{}
	for _, x := range h.Crossings {
		c := x.V
		across := c.Version != "" && c.Writer != "" && c.Writer != c.Version
		way := fmt.Sprintf("%s %s>%s", of(c), c.Writer, c.Version)
		switch {
		case !across:
		case fine(c):
			both[way] = true
			if c.Got != c.Want {
				breach("unreadable state", x.Seq)
			}
		case c.Status == 404 || c.Status == 500:
			breach("unreadable state", x.Seq)
		default:
			refused[way] = append(refused[way], x.Seq)
		}
		if !fine(c) || c.Version == first {
			continue
		}
		var lacks []string // what all answers of the first version have, and this one has not
		answers := 0
		for _, y := range h.Crossings {
			if y.V.Request != c.Request || y.V.Version != first || !fine(y.V) {
				continue
			}
			had := slices.DeleteFunc(slices.Clone(y.V.Fields), func(f string) bool { return slices.Contains(c.Fields, f) })
			if answers++; answers == 1 {
				lacks = had
			}
			lacks = slices.DeleteFunc(lacks, func(f string) bool { return !slices.Contains(had, f) })
		}
		compared = compared || answers > 0
		if len(lacks) > 0 {
			breach("response contract", x.Seq)
		}
	}
	for way, seqs := range refused {
		itself := false // the writer's own version answers such requests
		for _, x := range h.Crossings {
			itself = itself || fine(x.V) && fmt.Sprintf("%s %s>", of(x.V), x.V.Version) == way[:len(way)-1]
		}
		if len(seqs) >= 5 && !both[way] && itself {
			breach("never read", seqs[0])
		}
	}
	return compared
}

// naiveVersions finds the version that fails more than half a percent of what
// it answers beside another one, and more than twice of what the other does: by
// its first bad answer.
func naiveVersions(h *history.History, versions []string) (first uint64) {
	if len(versions) < 2 {
		return 0
	}
	ops, bad, of := map[string]int{}, map[string]int{}, map[string]uint64{}
	for _, o := range h.Ops {
		v := h.VersionOf(&o)
		beside := slices.ContainsFunc(h.Ops, func(p history.Op) bool {
			w := h.VersionOf(&p)
			return w != "" && w != v && p.End/sec == o.End/sec
		})
		if v == "" || !beside {
			continue
		}
		ops[v]++
		if o.Outcome != history.Good {
			bad[v]++
			if of[v] == 0 {
				of[v] = o.ID
			}
		}
	}
	for i, v := range versions {
		w := versions[1-i]
		if bad[v] < 5 || 200*bad[v] <= ops[v] || ops[w] == 0 {
			continue
		}
		if bad[v]*ops[w] > 2*bad[w]*ops[v] {
			return of[v]
		}
	}
	return 0
}

func TestVersionSkewAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h := randomVersions(seed)
		for _, after := range []string{"", "1"} {
			want := naiveSkew(h, after)
			v := assert.VersionSkew{After: after}.Check(h)
			agrees(t, want, v, "seed %d, after %q: %s %v", seed, after, v.Summary, v.Reasons)
			words := classes(want.Found)
			if want.Idle {
				words = append(words, "idle")
			}
			all.add(want.Status, words...)
		}
	}
	all.require(t, 100, "pass", "fail", "inconclusive", "idle")
	all.require(t, 20, "unreadable state", "never read", "response contract", "errors of a version", "still served")
}
