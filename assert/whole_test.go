package assert_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// wholeRun is a run of a minute in which every answer is right and everything is
// observed, so that all checkers can judge it: users with sessions of eight
// operations on two nodes that run two versions, clients of a feed, a job, files
// and prices. It is a function of its number of operations, its kind and a seed.
//
//	kill      j2 is killed at 20 s, started again at 32 s, ready at 34 s and
//	          held for up at 34.3 s; at 48 s the address moves to lb2
//	degraded  the database is slow from 20 s to 28 s, so that orders are
//	          refused; j1 is drained from 40 s to 50 s
type wholeRun struct {
	h     *history.History
	rng   *rand.Rand
	kind  string
	every time.Duration // between two operations
	users []wholeUser
	tape

	sessions uint32
	logins   int
	orders   int64
	requests uint64
	turns    map[string]int
	names    struct{ node, version, balancer map[string]history.Name }
}

const (
	killWhole = "kill"
	slowWhole = "degraded"

	wholeLoad = 60 * sec
	wholeEnd  = 64 * sec
	killedAt  = 20 * sec
	downAt    = killedAt + 250*ms // the balancers hold j2 for down
	healedAt  = 32 * sec
	bornAt    = healedAt + 200*ms
	readyAt   = 34 * sec
	upAt      = readyAt + 300*ms
	slowUntil = 28 * sec
	drainAt   = 40 * sec
	drainedBy = 41 * sec // at every balancer
	drainEnds = 50 * sec
	movedAt   = 48 * sec
	wholeRow  = 8 // operations of a session
	wholeTurn = 20
)

// wholeUser is one user with the session that it has.
type wholeUser struct {
	session   uint32
	user, sid history.Name
	home      string // the node that its cookie names
	last      string // that answered it last
	count     int64
	applied   []uint64
}

// wholeCheckers are all checkers with the parameters that fit a kind of run.
// They bear a short load: the larger the percent, the more operations it takes.
func wholeCheckers(kind string) map[string]assert.Checker {
	all := map[string]assert.Checker{}
	tells := assert.TellsNothing
	if kind == slowWhole {
		tells = assert.TellsAll
	}
	for _, c := range []assert.Checker{
		assert.SessionSurvival{},
		assert.WriteLedger{},
		assert.ErrorBudget{Steady: 99, Overall: 98, Threshold: sec / 2, OutageBound: "outage"},
		assert.ReadinessGating{},
		assert.FailoverAnatomy{},
		assert.Distribution{},
		assert.Leftovers{},
		assert.Recovery{Steady: 99, Threshold: sec / 2},
		assert.StreamContinuity{Reconnect: 1500 * ms, Bound: "diverted"},
		assert.SingleOwner{Bound: "job"},
		assert.Reconnection{Reconnect: 1500 * ms, Bound: "diverted", Spread: 2 * sec},
		assert.BlastRadius{Percent: 95, Threshold: sec / 2},
		assert.EventDelivery{},
		assert.UploadDurability{},
		assert.Staleness{Bound: "stale"},
		assert.KeyContract{},
		assert.OverlappingUpdates{},
		assert.Drain{},
		assert.VIP{},
		assert.VersionSkew{},
		assert.OverloadContract{},
		assert.ConnectionCeiling{},
		assert.Alerts{Tells: tells, Threshold: sec / 2},
		assert.RotationKept{},
		assert.TimeoutOrder{},
	} {
		all[c.Name()] = c
	}
	return all
}

func (w *wholeRun) checkers() map[string]assert.Checker { return wholeCheckers(w.kind) }

// judgedBy are the names of those that each kind of run is for, in order: the
// others ask for a fault that it has not, or forbid the one that it has.
func judgedBy(kind string) []string {
	all := slices.Sorted(maps.Keys(wholeCheckers(kind)))
	not := []string{"drain", "overload-contract", "alerts"}
	if kind == slowWhole {
		not = []string{"failover-anatomy", "error-budget", "blast-radius", "distribution", "recovery"}
	}
	return slices.DeleteFunc(all, func(n string) bool { return slices.Contains(not, n) })
}

// makeWhole makes a run of n operations, at least a thousand.
func makeWhole(kind string, n int, seed uint64) *wholeRun {
	w := &wholeRun{
		h:   &history.History{Names: &history.Names{}, Tries: map[uint64][]history.Try{}, End: wholeEnd},
		rng: random(seed, 200), kind: kind, every: wholeLoad / time.Duration(n), users: make([]wholeUser, n/wholeTurn), turns: map[string]int{},
	}
	w.names.node, w.names.version, w.names.balancer = map[string]history.Name{}, map[string]history.Name{}, map[string]history.Name{}
	for _, x := range []struct {
		of          map[string]history.Name
		name, short string
	}{
		{w.names.node, "j1", "j1"},
		{w.names.node, "j2", "j2"},
		{w.names.version, "j1", "1"},
		{w.names.version, "j2", "2"},
		{w.names.balancer, "lb1", "lb1"},
		{w.names.balancer, "lb2", "lb2"},
	} {
		x.of[x.name] = w.h.Names.Intern(x.short)
	}
	for _, class := range []string{history.ErrReset, history.ErrStatus, history.ErrSession, history.ErrTimeout} {
		w.h.Names.Intern(class)
	}
	w.meta()
	w.faults()
	w.h.Ops = make([]history.Op, 0, n)
	w.h.Dispatches = make([]history.At[history.Dispatch], 0, n+n/50)
	w.h.Receipts = make([]history.At[history.Receipt], 0, 3*n/2)
	for i := range n {
		w.act(i)
	}
	byTime(w.h.Dispatches) // two attempts of one operation are not in order
	byTime(w.h.Receipts)
	w.watch()
	w.work()
	w.feed()
	w.after()
	return w
}

func (w *wholeRun) meta() {
	m := &w.h.Meta
	m.Nodes = []history.NodeMeta{
		{Name: "j1", Role: "application", Weight: 100},
		{Name: "j2", Role: "application", Weight: 100},
		{Name: "lb1", Role: "balancer"},
		{Name: "lb2", Role: "balancer"},
		{Name: "db", Role: "database"},
	}
	m.Load = history.LoadMeta{Timeout: 10 * sec, Retry: true, Late: 5 * ms}
	for name, limit := range map[string]time.Duration{
		"outage": 1500 * ms, "detected/vanished": 600 * ms, "diverted": 400 * ms, "recovered": 3 * sec, "ready": sec, "unready": sec,
		"detected/frozen": sec, "vip": 900 * ms, "vip/two-owners": 450 * ms, "job": 3 * sec, "answered": sec, "stale": sec,
	} {
		m.Bounds = append(m.Bounds, history.Bound{Name: name, Limit: limit, Formula: "stated", File: "here"})
	}
	m.Bounds = append(m.Bounds, history.Bound{Name: "threads", Count: 40})
	slices.SortFunc(m.Bounds, func(a, b history.Bound) int { return strings.Compare(a.Name, b.Name) })
	m.Values = []history.Value{
		{Name: assert.ValueNodeConnections, Value: "10"}, {Name: assert.ValueMaxConnections, Value: "30"}, {Name: assert.ValueReserved, Value: "3"},
	}
	w.h.Phases = []history.Phase{
		{Name: "warm-up", Kind: history.PhaseWarmUp, To: 4 * sec},
		{Name: "steady", Kind: history.PhaseSteady, From: 4 * sec, To: killedAt},
		{Name: "break", Kind: history.PhaseBreak, From: killedAt, To: 36 * sec},
		{Name: "recover", Kind: history.PhaseRecover, From: 36 * sec, To: 44 * sec},
		{Name: "again", Kind: history.PhaseSteady, From: 44 * sec, To: wholeLoad},
	}
	for at := time.Duration(0); at <= wholeEnd; at += sec {
		w.h.Clock = append(w.h.Clock, history.ClockPair{Mono: at, Wall: int64(time.Hour + at)})
	}
	w.h.Integrity.State = history.Whole
}

// faults are proven to bite, and to have healed.
func (w *wholeRun) faults() {
	add := func(kind, node string, from, by, heal, healed time.Duration) {
		w.h.Faults = append(w.h.Faults, history.Fault{
			ID: len(w.h.Faults) + 1, Kind: kind, Nodes: []string{node}, Injected: from, Active: by, Heal: heal, Healed: healed,
			Proof: &history.Proof{OK: true, From: from, To: by}, HealProof: &history.Proof{OK: true},
		})
	}
	if w.kind == killWhole {
		add("instance-kill", "j2", killedAt, killedAt+10*ms, healedAt, readyAt)
		return
	}
	add("database-slow", "db", killedAt, killedAt+10*ms, slowUntil, slowUntil+100*ms)
	add("drain", "j1", drainAt, drainedBy, drainEnds, drainEnds+100*ms)
}

// away says whether j2 does not take requests at a time.
func (w *wholeRun) away(at time.Duration) bool {
	return w.kind == killWhole && at >= killedAt && at < upAt
}

// diverted says whether the balancers know by then.
func (w *wholeRun) diverted(at time.Duration) bool { return w.away(at) && at >= downAt }

// act makes operation i, with what balancer and node log of it.
func (w *wholeRun) act(i int) {
	at := time.Duration(i) * w.every
	turn, place := i/len(w.users), i%len(w.users)
	u := &w.users[place]
	o := history.Op{
		ID: uint64(i) + 1, Intended: at, Sent: at, End: at + 4*ms + time.Duration(w.rng.IntN(4000))*time.Microsecond,
		Outcome: history.Good, Status: 200, Attempts: 1,
	}
	step := (turn + place) % wholeRow
	switch {
	case u.session == 0:
		step = 0
		w.login(u, place, at)
	case step == 0: // its first step was the last of a row
		step = 2
	}
	o.Type = []history.Type{
		history.Login, history.SessionWrite, history.SessionRead, history.Order,
		history.SessionWrite, history.SessionRead, history.Order, history.Logout,
	}[step]
	o.Session, o.User, o.Bound = u.session, u.user, w.names.node[u.last]
	node := u.home
	if w.diverted(at) {
		node = "j1"
	}
	switch {
	case node == "j2" && w.away(at):
		w.refused(&o) // by the balancer, which does not know yet
	case w.kind == killWhole && node == "j2" && o.Type == history.Order && at < killedAt && at+max(12*ms, min(10*w.every, 100*ms)) >= killedAt:
		w.interrupted(u, &o)
	case w.kind == slowWhole && o.Type == history.Order && at >= killedAt && at < slowUntil && w.everySecond(node):
		w.turnedAway(u, &o, node)
	case w.kind == killWhole && o.Type == history.Order && node == "j1" && at >= 25*sec && at < 25*sec+max(5*ms, 20*w.every) && i%4 == 0:
		w.turnedAway(u, &o, node)
	default:
		w.serve(u, &o, node)
	}
	if o.Type == history.Logout {
		*u = wholeUser{}
	}
	w.h.Ops = append(w.h.Ops, o)
}

// everySecond is true of every second order at a node.
func (w *wholeRun) everySecond(node string) bool {
	w.turns[node]++
	return w.turns[node]%2 == 0
}

// login begins a session at the node whose turn it is.
func (w *wholeRun) login(u *wholeUser, place int, at time.Duration) {
	w.sessions++
	w.logins++
	*u = wholeUser{session: w.sessions, home: []string{"j1", "j2"}[w.logins%2]}
	u.user, u.sid = w.h.Names.Intern(fmt.Sprint("u", place)), w.h.Names.Intern(fmt.Sprint("s", w.sessions))
	if w.diverted(at) {
		u.home = "j1"
	}
	if w.kind == slowWhole && at >= drainAt && at < drainEnds {
		u.home = "j2"
	}
}

// answered fills in what any answer names, and logs it.
func (w *wholeRun) answered(u *wholeUser, o *history.Op, node string, attempt, status int) {
	lb := w.balancer(o.Intended)
	o.Node, o.Version, o.Balancer = w.names.node[node], uint16(w.names.version[node]), uint16(w.names.balancer[lb])
	u.last = node
	sent := o.End - min(o.End-o.Sent, 6*ms)
	term := "--VN"
	if o.Type == history.Login {
		term = "--NI"
	}
	w.line(lb, sent, o, attempt, history.Dispatch{Server: node, Status: status, Term: term, Connect: ms / 5, Response: o.End - sent - ms/2, Total: o.End - sent - ms/4})
	w.receipt(node, "arrive", sent+ms, o, attempt, 0)
}

func (w *wholeRun) balancer(at time.Duration) string {
	if w.kind == killWhole && at >= movedAt {
		return "lb2"
	}
	return "lb1"
}

func (w *wholeRun) line(lb string, at time.Duration, o *history.Op, attempt int, d history.Dispatch) {
	w.requests++
	d.Span, d.Balancer, d.Number, d.Op, d.Attempt, d.Key = history.Span{Within: ms / 10}, lb, w.requests, o.ID, attempt, w.h.Names.Get(o.Key)
	w.h.Dispatches = append(w.h.Dispatches, seen(&w.tape, at, d))
}

func (w *wholeRun) receipt(node, what string, at time.Duration, o *history.Op, attempt int, order int64) {
	w.h.Receipts = append(w.h.Receipts, seen(&w.tape, at, history.Receipt{
		Span: history.Span{Within: ms / 10}, Node: node, What: what, Op: o.ID, Attempt: attempt, Key: w.h.Names.Get(o.Key), Order: order,
	}))
}

// serve answers well.
func (w *wholeRun) serve(u *wholeUser, o *history.Op, node string) {
	switch o.Type {
	case history.Login:
		o.Flags |= history.New
	case history.SessionWrite:
		u.count++
		u.applied = append(u.applied, o.ID)
		o.Value = u.count
	case history.SessionRead:
		o.Value = u.count
	case history.Order:
		w.key(o)
		o.Value = w.commit(o, node, 1, o.End-3*ms)
	}
	if o.Type != history.Order {
		o.SessionID, o.Owner = u.sid, u.user
	}
	w.answered(u, o, node, 1, 200)
}

func (w *wholeRun) key(o *history.Op) { o.Key = w.h.Names.Intern(fmt.Sprint("k-", o.ID)) }

// commit writes an order.
func (w *wholeRun) commit(o *history.Op, node string, attempt int, at time.Duration) int64 {
	w.orders++
	w.receipt(node, "commit", at, o, attempt, w.orders)
	w.h.Ledger = append(w.h.Ledger, seen(&w.tape, wholeEnd, history.LedgerRow{
		Order: w.orders, Key: w.h.Names.Get(o.Key), Op: o.ID, Attempt: attempt, Node: node, Version: w.h.Names.Get(w.names.version[node]),
	}))
	return w.orders
}

// refused is an operation that a balancer gives up: it certainly was not
// applied.
func (w *wholeRun) refused(o *history.Op) {
	if o.Type == history.Order {
		w.key(o)
	}
	o.Outcome, o.Status, o.End = history.Failed, 503, o.Sent+100*ms
	o.Error, o.Balancer = uint16(w.h.Names.Intern(history.ErrStatus)), uint16(w.names.balancer["lb1"])
	w.line("lb1", o.Sent, o, 1, history.Dispatch{Server: "j2", Status: 503, Term: "SC--", Connect: -1, Response: -1, Total: 99 * ms})
}

// interrupted is an order at work on j2 when that is killed: it was written, or
// not, and is told again by j1, or never.
func (w *wholeRun) interrupted(u *wholeUser, o *history.Op) {
	w.key(o)
	row := int64(0)
	w.receipt("j2", "arrive", o.Sent+ms, o, 1, 0)
	if w.rng.IntN(3) > 0 {
		row = w.commit(o, "j2", 1, o.Sent+2*ms)
	}
	w.line("lb1", o.Sent, o, 1, history.Dispatch{Server: "j2", Status: 502, Term: "SHVN", Connect: ms / 5, Response: -1, Total: killedAt + ms - o.Sent})
	o.Error, o.End = uint16(w.h.Names.Intern(history.ErrReset)), killedAt+2*ms
	if o.Outcome = history.Unknown; w.rng.IntN(3) == 0 {
		o.Status = 0
		return // nobody tells
	}
	w.h.Tries[o.ID] = []history.Try{{End: o.End, Outcome: history.Info, Error: history.ErrReset, Node: "j2"}}
	o.Outcome, o.Status, o.Error, o.Attempts, o.End = history.Good, 200, 0, 2, killedAt+100*ms
	if o.Value = row; row == 0 {
		o.Value = w.commit(o, "j1", 2, o.End-3*ms)
	} else {
		o.Flags |= history.Replayed
	}
	w.answered(u, o, "j1", 2, 200)
}

// turnedAway is an order that the node itself refuses, clearly.
func (w *wholeRun) turnedAway(u *wholeUser, o *history.Op, node string) {
	w.key(o)
	o.Outcome, o.Status, o.Error = history.Failed, 503, uint16(w.h.Names.Intern(history.ErrStatus))
	o.End = o.Sent + 200*ms
	w.answered(u, o, node, 1, 503)
	w.h.Dispatches[len(w.h.Dispatches)-1].V.Total = 190 * ms
}

// watch is what is seen of the nodes and the balancers, ten times a second.
func (w *wholeRun) watch() {
	h := w.h
	if w.kind == killWhole {
		h.Engine = append(h.Engine, seen(&w.tape, killedAt, history.Engine{Node: "j2", Action: "die"}), seen(&w.tape, bornAt, history.Engine{Node: "j2", Action: "start"}))
		for _, x := range []struct {
			what string
			at   time.Duration
		}{{"started", bornAt + 100*ms}, {"warm", readyAt - 10*ms}, {"ready", readyAt}} {
			h.Transitions = append(h.Transitions, seen(&w.tape, x.at, history.Transition{Node: "j2", What: x.what}))
		}
	}
	for at := time.Duration(0); at < wholeEnd; at += 100 * ms {
		for _, n := range []string{"j1", "j2"} {
			dead := w.kind == killWhole && n == "j2" && at >= killedAt && at < bornAt+200*ms
			ready := !dead && (w.kind != killWhole || n == "j1" || at < killedAt || at >= readyAt)
			x := history.Truth{Node: n, Up: !dead, Warm: ready, Database: !dead}
			if !dead && at < wholeLoad {
				x.Threads, x.Active, x.InFlight = 3, w.rng.IntN(2), w.rng.IntN(2)
			}
			if w.kind == slowWhole && at >= killedAt && at < slowUntil {
				x.Waiting, x.InFlight = 1, 2
			}
			h.Truth = append(h.Truth, seen(&w.tape, at, x))
			r := history.Readiness{Node: n, Probe: "ready", Up: ready, Status: 200, Took: ms}
			if !ready {
				r.Status = 503
			}
			live := history.Readiness{Node: n, Probe: "live", Up: !dead, Status: 200, Took: ms}
			if dead {
				r.Status, live.Status = 0, 0
			}
			h.Readiness = append(h.Readiness, seen(&w.tape, at, r), seen(&w.tape, at, live))
		}
		for _, lb := range []string{"lb1", "lb2"} {
			h.Balancers = append(h.Balancers, seen(&w.tape, at, history.BalancerInfo{Balancer: lb, Up: true, Pid: 7, Took: ms}))
			owner := lb == w.balancer(at) && (w.kind != killWhole || at < movedAt-200*ms || at >= movedAt)
			h.VIPs = append(h.VIPs, seen(&w.tape, at, history.VIP{Balancer: lb, Known: true, Owner: owner}))
			for _, n := range []string{"j1", "j2"} {
				v := history.Server{Balancer: lb, Server: n, Up: true, Status: "UP", Took: ms}
				if n == "j2" && w.diverted(at) {
					v.Up, v.Status = false, "DOWN"
				}
				if w.kind == slowWhole && n == "j1" && at >= drainedBy && at < drainEnds {
					v.Up, v.Status = false, "DRAIN"
				}
				h.Servers = append(h.Servers, seen(&w.tape, at, v))
			}
		}
		h.Connections = append(h.Connections, seen(&w.tape, at, history.Connections{Known: true, Total: 8, Max: 30, By: map[string]int{"j1": 4, "j2": 3, "hachaos": 1}}))
	}
}

// work is the job, once a second, and the files and prices.
func (w *wholeRun) work() {
	h := w.h
	for slot := int64(0); slot < 60; slot++ {
		e := history.JobEffect{Row: slot + 1, Slot: slot, Token: 1, Owner: "j2"}
		if at := time.Duration(slot) * sec; at >= killedAt {
			e.Owner, e.Token = "j1", 2
		}
		h.Jobs = append(h.Jobs, seen(&w.tape, time.Duration(slot)*sec+300*ms, e))
	}
	for i := range 20 {
		at, name := time.Duration(i)*2*sec+ms, fmt.Sprint("f", i)
		node := []string{"j1", "j2"}[i%2]
		if w.away(at) {
			node = "j1"
		}
		h.Uploads = append(h.Uploads, seen(&w.tape, at, history.Upload{Name: name, Node: node, Outcome: "ok", Attempts: 1}))
		for _, via := range []string{"j1", "j2"} {
			h.Downloads = append(h.Downloads, seen(&w.tape, wholeEnd, history.Download{Name: name, Via: via, Node: via, Known: true, Found: true, Same: true, Last: true}))
		}
	}
	for i := range 30 {
		at, k := time.Duration(i)*2*sec+2*ms, int64(900_000+2*i)
		u := history.KeyUse{Key: fmt.Sprint("x", i), Asked: history.KeyAgain, First: k, FirstNode: "j1", Status: 200, Order: k, Node: "j2"}
		if w.away(at) {
			u.Node = "j1"
		}
		switch i % 3 {
		case 1:
			u.Asked, u.Status, u.Order = history.KeyOtherRequest, 409, 0
		case 2:
			u.Asked, u.Status, u.Order = history.KeyOtherTenant, 201, k+1
		}
		h.KeyUses = append(h.KeyUses, seen(&w.tape, at, u))
		o := history.Overlap{Session: 1, Before: int64(2 * i), After: int64(2*i) + 2, Answers: []history.OverlapAnswer{
			{Outcome: "ok", Status: 200, Node: "j1"}, {Outcome: "ok", Status: 200, Node: u.Node},
		}}
		h.Overlaps = append(h.Overlaps, seen(&w.tape, at+ms, o))
	}
	for i := range 30 {
		at := time.Duration(i) * 2 * sec
		p := history.Price{Item: "a", Write: true, Sent: at, Node: "j1", Price: int64(i) + 1}
		h.Prices = append(h.Prices, seen(&w.tape, at+5*ms, p))
		p.Write, p.Sent = false, at+400*ms
		p.Price = max(1, p.Price-1) // still the old one
		if p.Node = "j2"; w.away(at) {
			p.Node = "j1"
		}
		h.Prices = append(h.Prices, seen(&w.tape, at+405*ms, p))
	}
	for i := range 24 {
		at := time.Duration(i)*2*sec + 7*ms
		c := history.Crossing{Request: "GET /session", Of: "session 1", Node: "j1", Version: "1", Writer: "2", Status: 200, Fields: []string{"count", "id"}, Want: 3, Got: 3}
		if i%2 == 1 {
			c.Request, c.Of = "GET /orders/{id}", "order 1"
		}
		if i%4 > 1 && !w.away(at) {
			c.Node, c.Version, c.Writer = "j2", "2", "1"
		}
		h.Crossings = append(h.Crossings, seen(&w.tape, at, c))
	}
}

// feedClients listen to the feed and keep a connection, half of them on j2.
const feedClients = 20

// feed is an event each second, and who received it.
func (w *wholeRun) feed() {
	h := w.h
	for client := 1; client <= feedClients; client++ {
		node := []string{"j1", "j2"}[client%2]
		link := func(at, alive time.Duration, state, node string) {
			h.Links = append(h.Links, seen(&w.tape, at, history.Link{Client: client, State: state, Node: node, Alive: alive, Reason: "EOF"}))
		}
		resumed := func(at time.Duration, n int64) {
			h.Resumed = append(h.Resumed, seen(&w.tape, at, history.Resumed{Client: client, Node: node, Told: n, Acked: n, Said: n + 1}))
		}
		link(sec, sec, history.LinkUp, node)
		resumed(sec, 0)
		if w.kind == killWhole && node == "j2" {
			back := killedAt + 300*ms + time.Duration(client)*60*ms
			link(killedAt, killedAt-100*ms, history.LinkDown, node)
			link(back, killedAt-100*ms, history.LinkTry, "")
			node = "j1"
			link(back+10*ms, back+10*ms, history.LinkUp, node)
			resumed(back+10*ms, 40)
		}
		link(wholeLoad, wholeLoad, history.LinkEnd, "")
	}
	byTime(h.Links)
	byTime(h.Resumed)
	for id := int64(1); id < 58; id++ {
		at, token := time.Duration(id)*sec+500*ms, fmt.Sprint("t", id)
		h.Published = append(h.Published, seen(&w.tape, at, history.Published{ID: id, Token: token, Node: "j1"}))
		h.Feed = append(h.Feed, seen(&w.tape, wholeEnd, history.FeedRow{ID: id, Token: token, Node: "j1"}))
		for client := 1; client <= feedClients; client++ {
			h.Received = append(h.Received, seen(&w.tape, at+1500*ms+time.Duration(client)*ms, history.Received{Client: client, ID: id, Token: token}))
		}
	}
	byTime(h.Received)
}

// after is what is read when the load has ended, and the observers' accounts.
func (w *wholeRun) after() {
	h := w.h
	for _, r := range h.Ledger {
		h.Deliveries = append(h.Deliveries, seen(&w.tape, wholeEnd, history.Delivery{Order: r.V.Order, Times: 1, Nodes: []string{r.V.Node}}))
	}
	for i := range w.users {
		u := &w.users[i]
		if u.session == 0 {
			continue
		}
		h.Sessions = append(h.Sessions, seen(&w.tape, wholeEnd, history.SessionState{
			Session: u.session, Via: "vip", Known: true, Found: true, ID: h.Names.Get(u.sid), User: h.Names.Get(u.user), Count: u.count, Ops: u.applied,
		}))
	}
	h.Coverage = covered(
		history.StreamReadiness, history.StreamTruth, history.StreamTransition, history.StreamReceipt, history.StreamDispatch, history.StreamServer,
		history.StreamBalancer, history.StreamVIP, history.StreamEngine, history.StreamNode, history.StreamConnections, history.StreamRefusal, history.StreamLedger,
		history.StreamDelivery, history.StreamUpload, history.StreamDownload, history.StreamPrice, history.StreamKeyUse, history.StreamOverlap, history.StreamSession, history.StreamLeftover,
		history.StreamPublished, history.StreamReceived, history.StreamLink, history.StreamFeed, history.StreamJob, history.StreamResumed, history.StreamCrossing, history.StreamHost,
	)
}

// judgeWhole gives one checker's verdict.
func judgeWhole(h *history.History, c assert.Checker) assert.Verdict {
	return assert.Judge(h, []assert.Checker{c})[0]
}

func TestAWholeRunIsAFunctionOfItsSeed(t *testing.T) {
	for _, kind := range []string{killWhole, slowWhole} {
		one, again := makeWhole(kind, 1_000, 3).h, makeWhole(kind, 1_000, 3).h
		one.Names, again.Names = nil, nil // each has a hash of its own
		require.True(t, reflect.DeepEqual(one, again), kind)
	}
}

func TestAWholeRunPasses(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, assert.Known(), slices.Collect(maps.Keys(wholeCheckers(killWhole))), "each checker has its place in a whole run")
	exercised := map[string]bool{}
	for seed := range rounds(t, 5) {
		for _, kind := range []string{killWhole, slowWhole} {
			w := makeWhole(kind, 1_000+int(seed%5)*1_500, seed)
			for _, name := range judgedBy(kind) {
				v := judgeWhole(w.h, w.checkers()[name])
				require.Equal(t, assert.Pass, v.Status, "seed %d, %s, %s: %s %v %v", seed, kind, name, v.Summary, v.Reasons, v.Evidence)
				exercised[name] = exercised[name] || !v.NotExercised
			}
		}
	}
	for _, name := range assert.Known() {
		require.True(t, exercised[name], "%s met no occasion in any run", name)
	}
}
