package assert_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// A metamorphic rule changes a record in a way that says nothing else about the
// system, so that each checker must say the same of it. The rules are held over
// all registered checkers, on whole runs that are right and on such with one
// violation.
type metamorphic struct {
	name string
	// least is how many operations the run must have.
	least int
	// change makes another record.
	change func(w *wholeRun, p planted) *history.History
	// params are the parameters that go with it; nil keeps them.
	params func(assert.Checker) assert.Checker
	// op gives an operation's new number; nil keeps it.
	op func(uint64) uint64
	// time is what a measured time is multiplied by, and slack how far it may be off.
	time  float64
	slack func(*wholeRun) time.Duration
	// excepted are the checkers, by name, or the units of measures, whose
	// figures the rule moves, and why: their status and classes must stay.
	excepted map[string]string
	// named says that it leaves alone only what the evidence names, so that
	// where not all is shown only the status must stay.
	named bool
}

func metamorphics() []metamorphic {
	return []metamorphic{
		{name: "stretched", time: 2, params: stretched, change: func(w *wholeRun, _ planted) *history.History { return stretch(w.h, 2) }},
		{name: "relabelled", time: 1, change: func(w *wholeRun, _ planted) *history.History { return relabel(w.h) }},
		reordered(),
		{name: "without a session", time: 1, change: withoutASession, named: true, excepted: map[string]string{
			"recovery":          "the service is steady by a share of fewer operations",
			"% good":            "a share is of fewer operations",
			"% bad":             "a share is of fewer operations",
			"percentage points": "a node has one session less",
		}},
		{name: "observers in another order", time: 1, change: shuffled},
	}
}

// sameHistory copies a history so that a rule can change it.
func sameHistory(h *history.History) *history.History {
	c := *h
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && f.Len() > 0 {
			f.Set(reflect.AppendSlice(reflect.MakeSlice(f.Type(), 0, f.Len()), f))
		}
	}
	c.Tries = map[uint64][]history.Try{}
	for op, tries := range h.Tries {
		c.Tries[op] = slices.Clone(tries)
	}
	for i := range c.Faults {
		f := &c.Faults[i]
		f.Proof, f.HealProof, f.Nodes = sameProof(f.Proof), sameProof(f.HealProof), slices.Clone(f.Nodes)
	}
	for i := range c.Sessions {
		c.Sessions[i].V.Ops = slices.Clone(c.Sessions[i].V.Ops)
	}
	c.Meta.Bounds, c.Meta.Nodes = slices.Clone(h.Meta.Bounds), slices.Clone(h.Meta.Nodes)
	return &c
}

func sameProof(p *history.Proof) *history.Proof {
	if p == nil {
		return nil
	}
	same := *p
	return &same
}

// visit calls do with every value of a type that can be reached from v.
func visit[T any](v reflect.Value, do func(*T)) {
	w := walker[T]{do: do, ways: map[reflect.Type]func(reflect.Value){}}
	if walk := w.to(v.Type()); walk != nil {
		walk(v)
	}
}

// walker finds once for each type where the values that are asked for are.
type walker[T any] struct {
	do   func(*T)
	ways map[reflect.Type]func(reflect.Value)
}

// to is how to visit a value of a type; nil if it holds none that is asked for.
func (w walker[T]) to(of reflect.Type) func(reflect.Value) {
	if _, known := w.ways[of]; !known {
		w.ways[of] = func(v reflect.Value) { w.ways[of](v) } // for a type that holds itself
		w.ways[of] = w.way(of)
	}
	return w.ways[of]
}

func (w walker[T]) way(of reflect.Type) func(reflect.Value) {
	if of == reflect.TypeFor[T]() {
		return func(v reflect.Value) { w.do(v.Addr().Interface().(*T)) }
	}
	switch of.Kind() {
	case reflect.Struct:
		return w.fields(of)
	case reflect.Slice:
		if each := w.to(of.Elem()); each != nil {
			return func(v reflect.Value) {
				for i := range v.Len() {
					each(v.Index(i))
				}
			}
		}
	case reflect.Pointer:
		if to := w.to(of.Elem()); to != nil {
			return func(v reflect.Value) {
				if !v.IsNil() {
					to(v.Elem())
				}
			}
		}
	}
	return nil
}

func (w walker[T]) fields(of reflect.Type) func(reflect.Value) {
	var at []int
	var ways []func(reflect.Value)
	for i := range of.NumField() {
		if !of.Field(i).IsExported() {
			continue
		}
		if way := w.to(of.Field(i).Type); way != nil {
			at, ways = append(at, i), append(ways, way)
		}
	}
	if at == nil {
		return nil
	}
	return func(v reflect.Value) {
		for i, way := range ways {
			way(v.Field(at[i]))
		}
	}
}

// stretched are a checker's parameters where all takes twice as long.
func stretched(c assert.Checker) assert.Checker {
	params := reflect.New(reflect.TypeOf(c)).Elem()
	params.Set(reflect.ValueOf(c))
	visit(params, longer(2))
	return params.Interface().(assert.Checker)
}

// longer multiplies a time, but not one that says that something was not.
func longer(times time.Duration) func(*time.Duration) {
	return func(d *time.Duration) {
		if *d > 0 {
			*d *= times
		}
	}
}

// stretch has all take some times as long: what happens, how long it takes, and
// the bounds.
func stretch(h *history.History, times time.Duration) *history.History {
	h = sameHistory(h)
	visit(reflect.ValueOf(h).Elem(), longer(times))
	for i := range h.Clock {
		h.Clock[i].Wall *= int64(times)
	}
	for _, tries := range h.Tries {
		for i := range tries {
			longer(times)(&tries[i].End)
		}
	}
	return h
}

// other is the node that a node changes places with.
func other(name string) string {
	for _, pair := range [][2]string{{"j1", "j2"}, {"lb1", "lb2"}} {
		switch name {
		case pair[0]:
			return pair[1]
		case pair[1]:
			return pair[0]
		}
	}
	return name
}

// relabel has the two nodes change their names, and the two balancers.
func relabel(h *history.History) *history.History {
	h = sameHistory(h)
	swap := func(n *history.Name) {
		if to, known := h.Names.Find(other(h.Names.Get(*n))); known {
			*n = to
		}
	}
	for i := range h.Ops {
		o := &h.Ops[i]
		swap(&o.Node)
		swap(&o.Bound)
		lb := history.Name(o.Balancer)
		swap(&lb)
		o.Balancer = uint16(lb)
	}
	ops := h.Ops
	h.Ops = nil // they have names by number
	visit(reflect.ValueOf(h).Elem(), func(s *string) { *s = other(*s) })
	h.Ops = ops
	for i := range h.Connections {
		by := map[string]int{}
		for name, n := range h.Connections[i].V.By {
			by[other(name)] = n
		}
		h.Connections[i].V.By = by
	}
	return h
}

// reordered has operations of different users of a node that are under way at
// one time change places in the schedule, if no phase, fault or window of a violation
// begins or ends between the two, and neither is the first or last of its kind.
// Everything that names them by number follows.
func reordered() metamorphic {
	var to map[uint64]uint64
	m := metamorphic{name: "concurrent operations in another order", least: 8_000, time: 1}
	m.slack = func(w *wholeRun) time.Duration { return 2 * w.every }
	m.op = func(id uint64) uint64 {
		if n, ok := to[id]; ok {
			return n
		}
		return id
	}
	m.change = func(w *wholeRun, p planted) *history.History {
		firsts := map[uint64]bool{}
		for _, e := range p.shown {
			firsts[e.Op] = firsts[e.Op] || slices.Contains([]string{"first bad", "last bad", "diverted", "routed again", "steady"}, e.Class)
		}
		h := sameHistory(w.h)
		to = map[uint64]uint64{}
		by := map[uint64]time.Duration{}
		for i := 0; i+1 < len(h.Ops); i++ {
			a, b := &h.Ops[i], &h.Ops[i+1]
			if b.Intended >= a.End || nearAnEdge(a.Intended) || firsts[a.ID] || firsts[b.ID] || a.Session == b.Session || a.Node != b.Node || a.Bound != b.Bound || w.rng.IntN(3) == 0 ||
				a.Attempts > 1 || b.Attempts > 1 || a.Type != history.SessionRead && a.Type != history.SessionWrite && a.Outcome != history.Good {
				continue
			}
			to[a.ID], to[b.ID] = b.ID, a.ID
			by[a.ID], by[b.ID] = b.Intended-a.Intended, a.Intended-b.Intended
			*a, *b = moved(*b, by[b.ID], a.ID), moved(*a, by[a.ID], b.ID)
			i++
		}
		for i := range h.Receipts {
			r := &h.Receipts[i]
			r.Time += by[r.V.Op]
			r.V.Op = m.op(r.V.Op)
		}
		for i := range h.Dispatches {
			d := &h.Dispatches[i]
			d.Time += by[d.V.Op]
			d.V.Op = m.op(d.V.Op)
		}
		for i := range h.Ledger {
			h.Ledger[i].V.Op = m.op(h.Ledger[i].V.Op)
		}
		for i := range h.Sessions {
			for j, id := range h.Sessions[i].V.Ops {
				h.Sessions[i].V.Ops[j] = m.op(id)
			}
		}
		byTime(h.Receipts)
		byTime(h.Dispatches)
		return h
	}
	return m
}

// nearAnEdge says whether a phase or a fault begins or ends close to a time, or
// a time from which on, or until which, something is planted: these are whole
// and half seconds, as a whole run has them.
func nearAnEdge(t time.Duration) bool {
	off := t % (50 * ms)
	return off < 12*ms || off > 38*ms
}

func moved(o history.Op, by time.Duration, id uint64) history.Op {
	o.ID, o.Intended, o.Sent, o.End = id, o.Intended+by, o.Sent+by, o.End+by
	return o
}

// withoutASession drops one that nothing is wrong with: one that only has good
// operations, of which neither what is planted nor the evidence names anything.
func withoutASession(w *wholeRun, p planted) *history.History {
	h := w.h
	lines, ops, orders := map[uint64]bool{p.seq: true}, map[uint64]bool{p.op: true}, map[int64]bool{}
	for _, e := range p.shown {
		lines[e.Seq], ops[e.Op] = true, true
	}
	for _, d := range h.Dispatches {
		ops[d.V.Op] = ops[d.V.Op] || lines[d.Seq]
	}
	for _, r := range h.Receipts {
		ops[r.V.Op] = ops[r.V.Op] || lines[r.Seq]
	}
	for _, d := range h.Deliveries {
		orders[d.V.Order] = orders[d.V.Order] || d.V.Times == 0 || lines[d.Seq]
	}
	for _, r := range h.Ledger {
		ops[r.V.Op] = ops[r.V.Op] || lines[r.Seq] || orders[r.V.Order]
	}
	spared := map[uint32]bool{0: true}
	for _, o := range h.Ops {
		spared[o.Session] = spared[o.Session] || ops[o.ID] || o.Outcome != history.Good || o.Status >= 400
	}
	for _, s := range h.Sessions {
		spared[s.V.Session] = spared[s.V.Session] || slices.ContainsFunc(s.V.Ops, func(id uint64) bool { return ops[id] })
	}
	return withoutSession(h, w.pick(func(o *history.Op) bool { return !spared[o.Session] }).Session)
}

// withoutSession leaves out a session with all that is known of it.
func withoutSession(of *history.History, session uint32) *history.History {
	h := sameHistory(of)
	dropped, written := map[uint64]bool{}, map[int64]bool{}
	for _, o := range h.Ops {
		if o.Session == session {
			dropped[o.ID] = true
		}
	}
	for _, r := range h.Ledger {
		written[r.V.Order] = written[r.V.Order] || dropped[r.V.Op]
	}
	h.Ops = slices.DeleteFunc(h.Ops, func(o history.Op) bool { return dropped[o.ID] })
	h.Ledger = slices.DeleteFunc(h.Ledger, func(r history.At[history.LedgerRow]) bool { return dropped[r.V.Op] })
	h.Dispatches = slices.DeleteFunc(h.Dispatches, func(r history.At[history.Dispatch]) bool { return dropped[r.V.Op] })
	h.Receipts = slices.DeleteFunc(h.Receipts, func(r history.At[history.Receipt]) bool { return dropped[r.V.Op] })
	h.Deliveries = slices.DeleteFunc(h.Deliveries, func(d history.At[history.Delivery]) bool { return written[d.V.Order] })
	h.Sessions = slices.DeleteFunc(h.Sessions, func(s history.At[history.SessionState]) bool { return s.V.Session == session })
	return h
}

// shuffled has the observers write in another order what happened at one time:
// what each of them says stays in its order.
func shuffled(w *wholeRun, _ planted) *history.History {
	h := sameHistory(w.h)
	mix(w, h.Readiness, func(v history.Readiness) string { return v.Node + v.Probe })
	mix(w, h.Truth, func(v history.Truth) string { return v.Node })
	mix(w, h.Servers, func(v history.Server) string { return v.Balancer })
	mix(w, h.VIPs, func(v history.VIP) string { return v.Balancer })
	mix(w, h.Balancers, func(v history.BalancerInfo) string { return v.Balancer })
	mix(w, h.Links, func(v history.Link) string { return fmt.Sprint(v.Client) })
	mix(w, h.Received, func(v history.Received) string { return fmt.Sprint(v.Client) })
	mix(w, h.Downloads, func(v history.Download) string { return v.Name })
	mix(w, h.Ledger, func(v history.LedgerRow) string { return v.Key })
	mix(w, h.Deliveries, func(v history.Delivery) string { return fmt.Sprint(v.Order) })
	mix(w, h.Sessions, func(v history.SessionState) string { return fmt.Sprint(v.Session) })
	mix(w, h.Coverage, func(v history.Coverage) string { return v.Stream })
	return h
}

// mix shuffles those of one time, by source.
func mix[T any](w *wholeRun, list []history.At[T], source func(T) string) {
	for from := 0; from < len(list); {
		to := from
		for to < len(list) && list[to].Time == list[from].Time {
			to++
		}
		part := slices.Clone(list[from:to])
		by, at := map[string][]history.At[T]{}, make([]string, 0, len(part))
		for _, x := range part {
			by[source(x.V)] = append(by[source(x.V)], x)
			at = append(at, source(x.V))
		}
		w.rng.Shuffle(len(at), func(i, j int) { at[i], at[j] = at[j], at[i] })
		for i, s := range at {
			list[from+i], by[s] = by[s][0], by[s][1:]
		}
		from = to
	}
}

// timed are the units of measured times.
var timed = []string{"ms", "s"}

// sameVerdict requires that a checker says the same of both.
func (m metamorphic) sameVerdict(t *testing.T, w *wholeRun, before, after assert.Verdict, what string) {
	t.Helper()
	require.Equal(t, before.Status, after.Status, "%s: %s, then %s %v", what, before.Summary, after.Summary, after.Reasons)
	require.Equal(t, before.NotExercised, after.NotExercised, "%s: %s, then %s", what, before.Summary, after.Summary)
	require.Equal(t, before.Safety, after.Safety, what)
	require.Equal(t, before.Measured == nil, after.Measured == nil, what)
	excepted := before.More > 0 && m.named || m.excepted[before.Unit] != "" || m.excepted[before.Name] != ""
	if before.Measured != nil && !excepted {
		want, slack := *before.Measured, 1e-6
		if slices.Contains(timed, before.Unit) {
			want *= m.time
			if m.slack != nil {
				slack = float64(m.slack(w)) / float64(ms)
			}
		}
		require.InDelta(t, want, *after.Measured, slack, "%s: %s, then %s", what, before.Summary, after.Summary)
	}
	if before.More > 0 || excepted {
		return
	}
	require.Equal(t, m.evidence(before, m.op), m.evidence(after, nil), "%s: %s", what, before.Summary)
}

// evidence is what it names, without its words.
func (m metamorphic) evidence(v assert.Verdict, op func(uint64) uint64) (out []string) {
	for _, e := range v.Evidence {
		if op != nil {
			e.Op = op(e.Op)
		}
		out = append(out, fmt.Sprintf("%s: line %d, operation %d", e.Class, e.Seq, e.Op))
	}
	slices.Sort(out)
	return out
}

// TestVerdictsOfWholeRunsAreMetamorphic holds each rule over each checker: on
// the run as it is, and with each violation that is that checker's own.
func TestVerdictsOfWholeRunsAreMetamorphic(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 1) {
		for _, kind := range []string{killWhole, slowWhole} {
			for _, m := range metamorphics() {
				t.Run(fmt.Sprintf("%s/%s/%d", m.name, kind, seed), func(t *testing.T) {
					t.Parallel()
					w := makeWhole(kind, max(1_000, m.least), seed)
					m.hold(t, w, planted{}, "all well", judgedBy(kind)...)
					for _, p := range plantsOf(kind) {
						put := p.put(w)
						m.hold(t, w, put, p.class, p.checker)
						put.undo()
					}
				})
			}
		}
	}
}

// hold requires that checkers say the same of a run and of the changed one.
func (m metamorphic) hold(t *testing.T, w *wholeRun, put planted, class string, names ...string) {
	t.Helper()
	checkers, before := w.checkers(), map[string]assert.Verdict{}
	for _, name := range names {
		before[name] = judgeWhole(w.h, checkers[name])
		put.shown = append(put.shown, before[name].Evidence...)
	}
	same := m.change(w, put)
	for _, name := range names {
		c := checkers[name]
		if m.params != nil {
			c = m.params(c)
		}
		m.sameVerdict(t, w, before[name], judgeWhole(same, c), name+", "+class)
	}
}

// better orders statuses: a violation never makes one better.
var better = map[assert.Status]int{assert.Pass: 2, assert.Inconclusive: 1, assert.Fail: 0}

// TestAnotherViolationNeverImprovesAWholeRun plants one after another, and asks
// every checker each time.
func TestAnotherViolationNeverImprovesAWholeRun(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 12) {
		kind := []string{killWhole, slowWhole}[seed%2]
		w := makeWhole(kind, 1_000, seed)
		fit := plantsOf(kind)
		before := map[string]assert.Verdict{}
		said := ""
		for range 4 {
			for _, name := range judgedBy(kind) {
				v := judgeWhole(w.h, w.checkers()[name])
				if was, known := before[name]; known {
					require.LessOrEqual(t, better[v.Status], better[was.Status], "seed %d, %s:%s: %s, then %s", seed, name, said, was.Summary, v.Summary)
					counts := was.Op == "<=" && was.Unit == v.Unit && !slices.Contains(timed, v.Unit) && was.Status == assert.Fail
					if counts && v.Measured != nil && was.Measured != nil {
						require.GreaterOrEqual(t, *v.Measured, *was.Measured, "seed %d, %s:%s: %s, then %s", seed, name, said, was.Summary, v.Summary)
					}
				}
				before[name] = v
			}
			p := fit[w.rng.IntN(len(fit))]
			p.put(w)
			said += " " + p.class
		}
	}
}

// A verdict depends on the record alone, leaves it as it was, and is the same
// to the byte whenever it is asked for.
func TestVerdictsOfWholeRunsCanBeHadAgain(t *testing.T) {
	for _, kind := range []string{killWhole, slowWhole} {
		w := makeWhole(kind, 1_000, 1)
		was := sameHistory(w.h)
		for _, name := range slices.Sorted(maps.Keys(w.checkers())) {
			first := asText(t, judgeWhole(w.h, w.checkers()[name]))
			for range 5 {
				require.Equal(t, first, asText(t, judgeWhole(w.h, w.checkers()[name])), "%s, %s", kind, name)
			}
			require.Equal(t, was.Ops, w.h.Ops, "%s, %s changed the record", kind, name)
		}
		require.True(t, reflect.DeepEqual(was, w.h), "a checker changed the record")
	}
}

func asText(t *testing.T, v assert.Verdict) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
