package report

import (
	"math"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// cells is a row of a table as the page's scripts read it. What each place
// holds is told where the row is made, and once more in page/rows.mjs.
type cells []any

// detailed are the operations that the page holds, and the tables of sessions
// and writes. Strings of operations are numbers of Names; times are in
// milliseconds since the run's start.
type detailed struct {
	Names    []string `json:"names"` // 0 is the empty string
	Types    []string `json:"types"`
	Outcomes []string `json:"outcomes"`

	Ops      []cells `json:"ops"` // by number
	Tries    []cells `json:"tries"`
	Requests []cells `json:"requests"`
	Receipts []cells `json:"receipts"`
	Evidence []cells `json:"evidence"`

	States        []cells `json:"states"`
	Sessions      []cells `json:"sessions"`
	SessionsTotal int     `json:"sessionsTotal"`
	Writes        []cells `json:"writes"`
	WritesTotal   int     `json:"writesTotal"`
	OpsTotal      int     `json:"opsTotal"`

	index map[string]int
}

func detailsOf(r *harness.Result, h *history.History) *detailed {
	d := &detailed{
		Names: []string{""}, index: map[string]int{"": 0}, OpsTotal: len(h.Ops),
		Ops: []cells{}, Tries: []cells{}, Requests: []cells{}, Receipts: []cells{}, Evidence: []cells{},
		States: []cells{}, Sessions: []cells{}, Writes: []cells{},
	}
	for t := history.Other; t <= history.Order; t++ {
		d.Types = append(d.Types, t.String())
	}
	for o := history.Unknown; o <= history.Failed; o++ {
		d.Outcomes = append(d.Outcomes, o.String())
	}
	p := pickNamed(r, h)
	d.addEvidence(r)
	d.addWrites(h, p)
	facts := sessionsOf(h)
	p.fill(h, facts)
	d.addSessions(r, h, p, facts)
	d.addStates(h, p)
	d.addOps(h, p)
	d.addLogs(h, p)
	return d
}

// name is the number of a string, which is made safe to show.
func (d *detailed) name(s string) int {
	if n, ok := d.index[s]; ok {
		return n
	}
	n := len(d.Names)
	d.Names, d.index[s] = append(d.Names, cleanName(s)), n
	return n
}

// millis rounds to a tenth of a millisecond; a negative time is -1.
func millis(t time.Duration) float64 {
	if t < 0 {
		return -1
	}
	return math.Round(float64(t)/1e5) / 10
}

// addEvidence: operation, assertion, class, text, whether it failed.
func (d *detailed) addEvidence(r *harness.Result) {
	for i := range r.Assertions {
		v := &r.Assertions[i]
		for _, e := range v.Evidence {
			if e.Op != 0 {
				d.Evidence = append(d.Evidence, cells{e.Op, d.name(v.Name), d.name(e.Class), cleanText(e.Text), flag(v.Status == assert.Fail)})
			}
		}
	}
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// addOps: number, type, due, sent after (-1: never), took (-1: never ended),
// outcome, error, status, node, balancer, bound to, session, attempts, value,
// late by the generator, bad, version, key (orders only).
func (d *detailed) addOps(h *history.History, p *picked) {
	g := gradingOf(h)
	for i := range h.Ops {
		o := &h.Ops[i]
		if !p.ops[o.ID] {
			continue
		}
		sent, took := -1.0, -1.0
		if o.Sent >= 0 {
			sent = millis(max(0, o.Sent-o.Intended))
		}
		if late, done := o.Latency(); done {
			took = millis(max(0, late))
		}
		row := cells{
			o.ID, int(o.Type), millis(o.Intended), sent, took, int(o.Outcome), d.name(h.ErrorOf(o)), int(o.Status),
			d.name(h.NodeOf(o)), d.name(h.BalancerOf(o)), d.name(h.BoundOf(o)), o.Session, int(o.Attempts), o.Value,
			millis(o.Late), flag(g.bad(o)), d.name(h.VersionOf(o)),
		}
		if o.Key != 0 {
			row = append(row, cleanName(h.KeyOf(o)))
		}
		d.Ops = append(d.Ops, row)
	}
}

// addLogs adds what was tried before, and what balancers and nodes logged, of
// the operations that are told whole.
//
// Tries: operation, end, outcome, error, status, node. Requests: operation,
// attempt, accepted, balancer, server, status, retries, redispatched,
// termination, connected after, answered after, took (-1: not reached), within.
// Receipts: operation, attempt, node, time, commit,
// order, within.
func (d *detailed) addLogs(h *history.History, p *picked) {
	for _, id := range sortedKeys(p.stories) {
		for _, t := range h.Tries[id] {
			d.Tries = append(d.Tries, cells{id, millis(t.End), d.name(string(t.Outcome)), d.name(t.Error), t.Status, d.name(t.Node)})
		}
	}
	const perStory = 8 // log lines: one operation must not fill the page
	seen := map[uint64]int{}
	for i := range h.Dispatches {
		v := &h.Dispatches[i].V
		if seen[v.Op]++; p.stories[v.Op] && seen[v.Op] <= perStory {
			d.Requests = append(d.Requests, cells{
				v.Op, v.Attempt, millis(h.Dispatches[i].Time), d.name(v.Balancer), d.name(v.Server), v.Status, v.Retries,
				flag(v.Redispatched), d.name(v.Term), millis(v.Connect), millis(v.Response), millis(v.Total), millis(v.Within),
			})
		}
	}
	clear(seen)
	for i := range h.Receipts {
		v := &h.Receipts[i].V
		if seen[v.Op]++; p.stories[v.Op] && seen[v.Op] <= perStory {
			d.Receipts = append(d.Receipts, cells{v.Op, v.Attempt, d.name(v.Node), millis(h.Receipts[i].Time), flag(v.What == "commit"), v.Order, millis(v.Within)})
		}
	}
}
