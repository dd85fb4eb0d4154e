package assert_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// aNode draws a node.
func aNode(rng *rand.Rand) string { return oneOf(rng, "j1", "j2") }

// victimIs is a history whose fault was aimed at a node.
func victimIs(node string) *history.History {
	return &history.History{Names: &history.Names{}, Faults: []history.Fault{{ID: 1, Kind: "instance-kill", Nodes: []string{node}}}}
}

// randomDeliveries are a few orders and their events, right or wrong.
func randomDeliveries(rng *rand.Rand) *history.History {
	h, s := victimIs(aNode(rng)), &tape{}
	wrong := func() bool { return chance(rng, 12) }
	for order := range int64(rng.IntN(6)) {
		order++
		node := aNode(rng)
		h.Ledger = append(h.Ledger, seen(s, sec, history.LedgerRow{Order: order, Op: uint64(order), Node: node}))
		if wrong() {
			continue
		}
		d := history.Delivery{Order: order, Times: 1 + rng.IntN(2), Nodes: []string{aNode(rng)}}
		if wrong() {
			d = history.Delivery{Order: order, Waits: true}
		}
		h.Deliveries = append(h.Deliveries, seen(s, sec, d))
	}
	if wrong() {
		h.Deliveries = append(h.Deliveries, seen(s, sec, history.Delivery{Order: 99, Times: 1}))
	}
	rng.Shuffle(len(h.Deliveries), func(i, j int) { h.Deliveries[i], h.Deliveries[j] = h.Deliveries[j], h.Deliveries[i] })
	h.Meta.Standing = chance(rng, 5)
	h.Coverage = covered(history.StreamLedger, history.StreamDelivery)
	h.Coverage[rng.IntN(2)].V.Complete = !chance(rng, 8)
	return h
}

// naiveDeliveries looks for each order's event, and for each event's order.
func naiveDeliveries(h *history.History) (r ruling) {
	r.Idle = true
	for _, row := range h.Ledger {
		r.Idle = r.Idle && row.V.Node != h.Faults[0].Nodes[0]
		class := "lost"
		for _, d := range h.Deliveries {
			switch {
			case d.V.Order == row.V.Order && d.V.Times > 0:
				class = ""
			case d.V.Order == row.V.Order:
				class = "stuck"
			}
		}
		if class != "" {
			r.Found = append(r.Found, mark(class, row.Seq))
		}
	}
	for _, d := range h.Deliveries {
		stray := true
		for _, row := range h.Ledger {
			stray = stray && row.V.Order != d.V.Order
		}
		if stray && !h.Meta.Standing {
			r.Found = append(r.Found, mark("phantom", d.Seq))
		}
	}
	whole := h.Coverage[0].V.Complete && h.Coverage[1].V.Complete
	switch {
	case !whole:
		r.Status, r.Idle = assert.Inconclusive, false
	case len(r.Found) > 0:
		r.Status, r.Idle = assert.Fail, false
	case len(h.Ledger) > 0:
		r.Status = assert.Pass
	}
	return r.sorted()
}

func TestEventDeliveryAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h := randomDeliveries(random(seed, 10))
		want := naiveDeliveries(h)
		v := assert.EventDelivery{}.Check(h)
		require.Equal(t, want, ruled(t, v), "seed %d: %s", seed, v.Summary)
		if want.Status == assert.Fail {
			require.EqualValues(t, len(want.Found), *v.Measured, "seed %d", seed)
		}
		all.add(want.Status, classes(want.Found)...)
	}
	all.require(t, 100, "pass", "fail", "inconclusive")
	all.require(t, 40, "lost", "stuck", "phantom")
}

// randomUploads are a few files, and looks at them.
func randomUploads(rng *rand.Rand) *history.History {
	h, s := victimIs(aNode(rng)), &tape{}
	for i := range rng.IntN(4) {
		up := history.Upload{Name: fmt.Sprintf("f%d", i), Node: aNode(rng), Outcome: oneOf(rng, "ok", "ok", "ok", "fail", "info")}
		h.Uploads = append(h.Uploads, seen(s, sec, up))
		kept := up.Outcome == "ok" || up.Outcome == "info" && chance(rng, 2)
		for range rng.IntN(5) {
			d := history.Download{Name: up.Name, Via: "vip", Node: aNode(rng), Known: !chance(rng, 6), Found: kept, Same: kept}
			switch {
			case chance(rng, 12):
				d.Found, d.Same = false, false
			case chance(rng, 12):
				d.Found, d.Same = true, false
			}
			h.Downloads = append(h.Downloads, seen(s, 2*sec, d))
		}
	}
	return h
}

// naiveUploads asks of each file whether any answer says that it is lost, or
// torn. A file of which answers say both is shown once: ambiguous holds it.
func naiveUploads(h *history.History) (r ruling, ambiguous bool) {
	acked, onVictim, elsewhere := false, false, false
	for _, up := range h.Uploads {
		ok := up.V.Outcome == "ok"
		acked = acked || ok
		onVictim = onVictim || ok && up.V.Node == h.Faults[0].Nodes[0]
		var lost, torn []uint64
		for _, d := range h.Downloads {
			if d.V.Name != up.V.Name || !d.V.Known {
				continue
			}
			elsewhere = elsewhere || d.V.Node != up.V.Node
			if ok && !d.V.Found {
				lost = append(lost, d.Seq)
			}
			if d.V.Found && !d.V.Same {
				torn = append(torn, d.Seq)
			}
		}
		ambiguous = ambiguous || len(lost) > 0 && len(torn) > 0
		switch {
		case len(lost) > 0 && (len(torn) == 0 || lost[0] < torn[0]):
			r.Found = append(r.Found, mark("lost", lost[0]))
		case len(torn) > 0:
			r.Found = append(r.Found, mark("torn", torn[0]))
		}
	}
	switch {
	case len(r.Found) > 0:
		r.Status = assert.Fail
	case acked:
		r.Status, r.Idle = assert.Pass, !onVictim || !elsewhere
	default:
		r.Idle = true
	}
	return r.sorted(), ambiguous
}

func TestUploadDurabilityAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h := randomUploads(random(seed, 11))
		want, both := naiveUploads(h)
		v := assert.UploadDurability{}.Check(h)
		require.Equal(t, want, ruled(t, v), "seed %d: %s", seed, v.Summary)
		if want.Status == assert.Fail {
			require.EqualValues(t, len(want.Found), *v.Measured, "seed %d: files", seed)
		}
		words := classes(want.Found)
		if both {
			words = append(words, "lost and torn")
		}
		all.add(want.Status, words...)
	}
	all.require(t, 50, "pass", "fail", "inconclusive", "lost", "torn")
	all.require(t, 5, "lost and torn")
}

// randomKeyUses are a few second uses of keys, most of them answered as they should.
func randomKeyUses(rng *rand.Rand) *history.History {
	h, s := &history.History{Names: &history.Names{}}, &tape{}
	for range rng.IntN(6) {
		u := history.KeyUse{
			Key: "k", Asked: oneOf(rng, history.KeyAgain, history.KeyOtherRequest, history.KeyOtherTenant), First: 1 + rng.Int64N(3),
			FirstNode: aNode(rng), Node: aNode(rng),
		}
		switch u.Asked {
		case history.KeyAgain:
			u.Status, u.Order = 200, u.First
		case history.KeyOtherRequest:
			u.Status = oneOf(rng, 409, 422)
		case history.KeyOtherTenant:
			u.Status, u.Order = 201, u.First+9
		}
		if chance(rng, 4) {
			u.Status, u.Order = oneOf(rng, 0, 200, 200, 200, 201, 201, 400, 409, 409, 422, 429, 503), oneOf(rng, 0, u.First, u.First, u.First+1)
		}
		h.KeyUses = append(h.KeyUses, seen(s, sec, u))
	}
	return h
}

// naiveKeyUses looks each use up in a table of what may be answered.
func naiveKeyUses(h *history.History) (r ruling) {
	ways, elsewhere := map[string]bool{}, false
	for _, u := range h.KeyUses {
		answer := ""
		switch u.V.Status {
		case 200, 201:
			switch u.V.Order {
			case 0:
			case u.V.First:
				answer = "the first order"
			default:
				answer = "an order"
			}
		case 409, 422:
			answer = "no"
		}
		if answer == "" {
			continue
		}
		ways[u.V.Asked] = true
		elsewhere = elsewhere || u.V.Node != u.V.FirstNode
		wrong := map[string]string{
			"again: an order":                "placed again",
			"again: no":                      "retry refused",
			"other request: an order":        "other request answered",
			"other request: the first order": "other request answered",
			"other tenant: the first order":  "another tenant's order",
			"other tenant: no":               "refused to a tenant",
		}[u.V.Asked+": "+answer]
		if wrong != "" {
			r.Found = append(r.Found, mark(wrong, u.Seq))
		}
	}
	switch {
	case len(r.Found) > 0:
		r.Status = assert.Fail
	case len(ways) > 0:
		r.Status, r.Idle = assert.Pass, len(ways) < 3 || !elsewhere
	default:
		r.Idle = true
	}
	return r.sorted()
}

func TestKeyContractAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 2_000) {
		h := randomKeyUses(random(seed, 17))
		want := naiveKeyUses(h)
		v := assert.KeyContract{}.Check(h)
		require.Equal(t, want, ruled(t, v), "seed %d: %s", seed, v.Summary)
		if want.Status == assert.Fail {
			require.EqualValues(t, len(want.Found), *v.Measured, "seed %d: uses", seed)
		}
		words := classes(want.Found)
		if want.Status == assert.Pass && !want.Idle {
			words = append(words, "exercised")
		}
		all.add(want.Status, words...)
	}
	all.require(t, 60, "pass", "fail", "inconclusive", "exercised")
	all.require(t, 15, "placed again", "retry refused", "other request answered", "another tenant's order", "refused to a tenant")
}

// randomOverlaps are a few pairs of updates, and counters that mostly say of them what
// they should.
func randomOverlaps(rng *rand.Rand) *history.History {
	h, s := &history.History{Names: &history.Names{}}, &tape{}
	for range rng.IntN(5) {
		o := history.Overlap{Session: 1, Before: rng.Int64N(9)}
		o.After = o.Before
		for range 2 {
			a := history.OverlapAnswer{Outcome: oneOf(rng, "ok", "ok", "ok", "fail", "info"), Status: 200, Node: oneOf(rng, "j1", "j2", "")}
			if a.Outcome == "ok" || a.Outcome == "info" && chance(rng, 2) {
				o.After++
			}
			o.Answers = append(o.Answers, a)
		}
		switch {
		case chance(rng, 8):
			o.After += oneOf[int64](rng, -2, -1, 1, 2)
		case chance(rng, 6):
			o.After = -1
		case chance(rng, 9):
			o.After, o.Gone = -1, true
		}
		h.Overlaps = append(h.Overlaps, seen(s, sec, o))
	}
	return h
}

// naiveOverlaps looks for a way of the unknown updates that comes to the counter.
func naiveOverlaps(h *history.History) (r ruling) {
	acknowledged, crossed := false, false
	for _, o := range h.Overlaps {
		if o.V.Gone {
			r.Found = append(r.Found, mark("lost session", o.Seq))
		}
		if o.V.After < 0 {
			continue
		}
		possible := []int64{o.V.Before}
		acked := false
		for _, a := range o.V.Answers {
			var next []int64
			for _, n := range possible {
				if a.Outcome != "fail" {
					next = append(next, n+1)
				}
				if a.Outcome != "ok" {
					next = append(next, n)
				}
			}
			possible, acked = next, acked || a.Outcome == "ok"
		}
		acknowledged = acknowledged || acked
		x, y := o.V.Answers[0].Node, o.V.Answers[1].Node
		crossed = crossed || acked && x != "" && y != "" && x != y
		switch {
		case slices.Contains(possible, o.V.After):
		case o.V.After < slices.Min(possible):
			r.Found = append(r.Found, mark("lost update", o.Seq))
		default:
			r.Found = append(r.Found, mark("counted too often", o.Seq))
		}
	}
	switch {
	case len(r.Found) > 0:
		r.Status = assert.Fail
	case acknowledged:
		r.Status, r.Idle = assert.Pass, !crossed
	default:
		r.Idle = true
	}
	return r.sorted()
}

func TestOverlappingUpdatesAgreeWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 2_000) {
		h := randomOverlaps(random(seed, 18))
		want := naiveOverlaps(h)
		v := assert.OverlappingUpdates{}.Check(h)
		require.Equal(t, want, ruled(t, v), "seed %d: %s", seed, v.Summary)
		if want.Status == assert.Fail {
			require.EqualValues(t, len(want.Found), *v.Measured, "seed %d: pairs", seed)
		}
		words := classes(want.Found)
		if want.Status == assert.Pass && !want.Idle {
			words = append(words, "exercised")
		}
		all.add(want.Status, words...)
	}
	all.require(t, 100, "pass", "fail", "inconclusive", "exercised")
	all.require(t, 40, "lost update", "counted too often", "lost session")
}

// tolerated is the oldest that a price may be in these tests.
const tolerated = 40 * ms

// randomPrices are changes of few items and reads of them, from a cache whose
// entries live for too long now and then.
func randomPrices(rng *rand.Rand) *history.History {
	h, s := &history.History{Names: &history.Names{}}, &tape{}
	h.Meta.Bounds = []history.Bound{{Name: "stale", Limit: tolerated}}
	last := map[string]int64{}
	for range rng.IntN(14) {
		item := oneOf(rng, "a", "b")
		sent := time.Duration(rng.IntN(200)) * ms
		p := history.Price{Item: item, Sent: sent, Node: aNode(rng)}
		if p.Write = chance(rng, 2); p.Write {
			last[item]++
			p.Price = last[item]
		} else {
			p.Price = rng.Int64N(last[item] + 1)
		}
		h.Prices = append(h.Prices, seen(s, sent+time.Duration(rng.IntN(20))*ms, p))
	}
	byTime(h.Prices)
	return h
}

// naivePrices holds each read against each change: the first answered one of
// those to a higher price tells since when what was read was not right.
func naivePrices(h *history.History) (r ruling, oldest time.Duration) {
	reads, changed, elsewhere := 0, false, false
	for i, p := range h.Prices {
		if p.V.Write {
			changed = true
			continue
		}
		reads++
		replaced, writer := time.Duration(-1), ""
		for j, c := range h.Prices {
			if !c.V.Write || c.V.Item != p.V.Item {
				continue
			}
			if c.V.Price > p.V.Price && (replaced < 0 || c.Time < replaced) {
				replaced = c.Time
			}
			if j < i {
				writer = c.V.Node
			}
		}
		elsewhere = elsewhere || writer != "" && writer != p.V.Node
		if replaced < 0 || replaced >= p.V.Sent {
			continue
		}
		oldest = max(oldest, p.V.Sent-replaced)
		if p.V.Sent-replaced > tolerated {
			r.Found = append(r.Found, mark("stale read", p.Seq))
		}
	}
	switch {
	case len(r.Found) > 0:
		r.Status = assert.Fail
	case reads > 0 && changed:
		r.Status, r.Idle = assert.Pass, !elsewhere
	default:
		r.Idle = true
	}
	return r.sorted(), oldest
}

func TestStalenessAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h := randomPrices(random(seed, 12))
		want, oldest := naivePrices(h)
		v := assert.Staleness{Bound: "stale"}.Check(h)
		require.Equal(t, want, ruled(t, v), "seed %d: %s", seed, v.Summary)
		if want.Status != assert.Inconclusive {
			require.InDelta(t, float64(oldest)/float64(ms), *v.Measured, 1e-9, "seed %d", seed)
		}
		all.add(want.Status)
	}
	all.require(t, 100, "pass", "fail", "inconclusive")
}

// sending is what may have become of one request for an order on its way to
// the database, if the system is right.
type sending uint8

const (
	mayApply  sending = iota // nobody was told: applied or not
	didApply                 // acknowledged: it was applied, by this sending or before
	didRefuse                // an error that certainly did not apply it
)

// orderStory is what clients, balancers and nodes did for one key.
type orderStory struct {
	key      string
	attempts [][]sending // by operation
	surplus  int         // sendings by a balancer beyond those
	told     []int64     // the orders that were acknowledged
	rows     []int64
}

// randomOrders are the stories of a few keys, of a system that is right, and
// then spoilt now and then, with the record that they leave.
func randomOrders(rng *rand.Rand) (stories []orderStory, h *history.History) {
	h = &history.History{Names: &history.Names{}, Tries: map[uint64][]history.Try{}}
	s := &tape{}
	order := int64(0)
	for k := range 1 + rng.IntN(3) {
		st := orderStory{key: fmt.Sprintf("k-%d", k)}
		row := int64(0)
		apply := func() int64 {
			if row == 0 {
				order++
				row = order
				st.rows = append(st.rows, row)
			}
			return row
		}
		for range 1 + rng.IntN(2) {
			st.attempts = append(st.attempts, nil)
			for n, last := 0, 1+rng.IntN(3); n < last; n++ {
				what := oneOf(rng, mayApply, didRefuse)
				if n == last-1 {
					what = oneOf(rng, mayApply, didApply, didApply, didRefuse, didRefuse)
				}
				switch {
				case what == didApply:
					st.told = append(st.told, apply())
				case what == mayApply && chance(rng, 2):
					apply()
				}
				i := len(st.attempts) - 1
				st.attempts[i] = append(st.attempts[i], what)
			}
		}
		if chance(rng, 3) {
			st.surplus = 1
			if chance(rng, 2) {
				apply()
			}
		}
		switch rng.IntN(10) { // what a system that is wrong does
		case 0:
			order++
			st.rows = append(st.rows, order)
		case 1, 4:
			st.rows = nil
		case 2:
			apply()
		case 3:
			if len(st.told) > 0 {
				st.told[0] += 1000
			}
		}
		st.record(h, s, rng)
		stories = append(stories, st)
	}
	h.Coverage = covered(history.StreamLedger, history.StreamReceipt, history.StreamDispatch)
	return stories, h
}

// record writes the story down as its observers see it.
func (st orderStory) record(h *history.History, s *tape, rng *rand.Rand) {
	key := h.Names.Intern(st.key)
	told := st.told
	for i, of := range st.attempts {
		op := history.Op{ID: uint64(len(h.Ops)) + 1, Type: history.Order, Key: key, Attempts: uint8(len(of))}
		for n, what := range of {
			t := history.Try{Outcome: history.Info, Error: history.ErrReset}
			if what == didRefuse {
				t = history.Try{Outcome: history.Fail, Status: 503, Error: history.ErrStatus}
			}
			arrivals := 1
			if i == 0 && n == 0 {
				arrivals += st.surplus
			}
			for range arrivals {
				h.Receipts = append(h.Receipts, seen(s, 0, history.Receipt{Node: aNode(rng), What: "arrive", Op: op.ID, Attempt: n + 1, Key: st.key}))
			}
			if n < len(of)-1 {
				h.Tries[op.ID] = append(h.Tries[op.ID], t)
				continue
			}
			op.Error = uint16(h.Names.Intern(t.Error))
			switch what {
			case didApply:
				op.Outcome, op.Error, op.Value, told = history.Good, 0, told[0], told[1:]
			case didRefuse:
				op.Outcome, op.Status = history.Failed, 503
			}
		}
		h.Ops = append(h.Ops, op)
	}
	for _, r := range st.rows {
		h.Ledger = append(h.Ledger, seen(s, sec, history.LedgerRow{Order: r, Key: st.key, Op: h.Ops[len(h.Ops)-1].ID}))
	}
}

// explained tries whether a system that applies an order once, tells of it
// truly and refuses truly can have left these rows: which sending, if any, it
// was that wrote the row.
func (st orderStory) explained() bool {
	if len(st.rows) > 1 {
		return false
	}
	var sendings []sending
	for _, of := range st.attempts {
		sendings = append(sendings, of...)
	}
	for range st.surplus {
		sendings = append(sendings, mayApply) // its answer, if any, went to the balancer
	}
	row := int64(0)
	if len(st.rows) == 1 {
		row = st.rows[0]
	}
	for writer := -1; writer < len(sendings); writer++ {
		switch {
		case writer < 0 && row == 0 && len(st.told) == 0:
			return true // nobody wrote it
		case writer < 0 || row == 0 || sendings[writer] == didRefuse:
			continue
		}
		if !slices.ContainsFunc(st.told, func(n int64) bool { return n != row }) {
			return true
		}
	}
	return false
}

func TestLedgerAgreesWithWhatAnOrderCanComeTo(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		stories, h := randomOrders(random(seed, 13))
		want := map[string]bool{}
		status := assert.Pass
		applied := false
		for _, st := range stories {
			applied = applied || len(st.rows) > 0
			if !st.explained() {
				want[st.key], status = true, assert.Fail
			}
		}
		if status == assert.Pass && !applied {
			status = assert.Inconclusive // nothing was acknowledged or applied
		}
		v := assert.WriteLedger{}.Check(h)
		require.Equal(t, status, v.Status, "seed %d: %s %v %+v", seed, v.Summary, v.Reasons, stories)
		got := map[string]bool{}
		var words []string
		for _, e := range v.Evidence {
			op, ok := h.Op(e.Op)
			require.True(t, ok)
			got[h.KeyOf(op)] = true
			words = append(words, e.Class)
		}
		require.Equal(t, want, got, "seed %d: %s %+v", seed, v.Summary, stories)
		all.add(status, words...)
	}
	all.require(t, 100, "pass", "fail", "duplicate", "lost")
	all.require(t, 20, "conflict", "inconclusive", "applied though refused")
}

// keyed is the database's view of an idempotency key, as porcupine models it: the
// first sending that is applied makes the order, and each acknowledgement, then
// or later, must name it. Its state is the order; 0 is none.
var keyed = porcupine.Model{
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		order, applies, told := state.(int64), input.(int64), output.(int64)
		switch {
		case applies < 0: // refused, or the look at the end
			return told < 0 || told == order, order
		case order == 0:
			order = applies
		}
		return told < 0 || told == order, order
	},
}

// TestLedgerAgreesWithPorcupine has the sendings of a key and the reading of the
// ledger be operations: one whose outcome nobody knows may never return, so that
// it takes effect at any time after the reading, too, or before it.
func TestLedgerAgreesWithPorcupine(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		stories, h := randomOrders(random(seed, 13))
		v := assert.WriteLedger{}.Check(h)
		wrong := false
		for _, st := range stories {
			wrong = wrong || !st.linearizes()
		}
		require.Equal(t, wrong, v.Status == assert.Fail, "seed %d: %s %+v", seed, v.Summary, stories)
		all.add(v.Status)
	}
	all.require(t, 100, "pass", "fail")
}

// linearizes asks porcupine. The row that the ledger holds is what any sending
// would have written.
func (st orderStory) linearizes() bool {
	if len(st.rows) > 1 {
		return false // a key has one place
	}
	row, told := int64(0), st.told
	if len(st.rows) == 1 {
		row = st.rows[0]
	}
	would := cmp.Or(row, 1)
	var ops []porcupine.Operation
	at := int64(0)
	add := func(applies, told int64, returns bool) {
		o := porcupine.Operation{ClientId: len(ops), Input: applies, Output: told, Call: at, Return: at + 1}
		if at += 10; !returns {
			o.Return = math.MaxInt64
		}
		ops = append(ops, o)
	}
	for _, of := range st.attempts {
		for _, what := range of {
			switch what {
			case didApply:
				add(would, told[0], true)
				told = told[1:]
			case mayApply:
				add(would, -1, false)
			case didRefuse:
				add(-1, -1, true)
			}
		}
	}
	for range st.surplus {
		add(would, -1, false)
	}
	add(-1, row, true)
	return porcupine.CheckOperations(keyed, ops)
}
