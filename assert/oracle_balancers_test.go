package assert_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// randomCeiling are a few nodes with a database, by configuration and as seen.
func randomCeiling(seed uint64) (h *history.History, room int) {
	rng, s := random(seed, 50), &tape{}
	h = &history.History{Names: &history.Names{}}
	nodes, each, reserved := 1+rng.IntN(3), 1+rng.IntN(10), rng.IntN(4)
	for i := range nodes {
		h.Meta.Nodes = append(h.Meta.Nodes, history.NodeMeta{Name: "j" + strconv.Itoa(i+1), Role: "application"})
	}
	h.Meta.Nodes = append(h.Meta.Nodes, history.NodeMeta{Name: "db", Role: "database"})
	most := nodes*each + reserved + rng.IntN(6)
	if chance(rng, 4) {
		most = max(0, most-6)
	}
	for name, n := range map[string]int{assert.ValueNodeConnections: each, assert.ValueMaxConnections: most, assert.ValueReserved: reserved} {
		h.Meta.Values = append(h.Meta.Values, history.Value{Name: name, Value: strconv.Itoa(n)})
	}
	if i := rng.IntN(20); i < 3 {
		h.Meta.Values[i].Value = oneOf(rng, "many", "-1", "")
	}
	for range rng.IntN(5) {
		own := rng.IntN(3)
		used := rng.IntN(max(1, most-reserved))
		if chance(rng, 12) {
			used = max(0, most-reserved)
		}
		c := history.Connections{Known: !chance(rng, 6), Total: used + own, Max: most, By: map[string]int{"hachaos": own, "j1": used}}
		h.Connections = append(h.Connections, seen(s, sec, c))
	}
	for range max(0, rng.IntN(12)-9) {
		h.Refusals = append(h.Refusals, seen(s, sec, history.Refusal{Node: "db", Text: "too many clients"}))
	}
	return h, most - reserved
}

// naiveCeiling adds up what the nodes may take one by one, and looks whether
// there was room for one more whenever anybody looked.
func naiveCeiling(h *history.History, room int) (r ruling) {
	sum := 0
	for _, n := range h.Meta.Nodes {
		for _, v := range h.Meta.Values {
			if n, err := strconv.Atoi(v.Value); err != nil || n < 0 {
				return ruling{} // the ceiling is not known
			}
			if each, _ := strconv.Atoi(v.Value); n.Role == "application" && v.Name == assert.ValueNodeConnections {
				sum += each
			}
		}
	}
	if sum > room {
		r.Found = append(r.Found, mark("ceiling", 0))
	}
	peak, at, looks := -1, uint64(0), 0
	for _, c := range h.Connections {
		if !c.V.Known {
			continue
		}
		looks++
		used := 0
		for who, n := range c.V.By {
			if who != "hachaos" {
				used += n
			}
		}
		if used > peak {
			peak, at = used, c.Seq
		}
	}
	if looks > 0 && room-peak < 1 {
		r.Found = append(r.Found, mark("ceiling", at))
	}
	if len(h.Refusals) > 0 {
		r.Found = append(r.Found, mark("refused", h.Refusals[0].Seq))
	}
	switch {
	case len(r.Found) > 0:
		r.Status = assert.Fail
	case looks > 0:
		r.Status = assert.Pass
	}
	return r.sorted()
}

func TestConnectionCeilingAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h, room := randomCeiling(seed)
		want := naiveCeiling(h, room)
		v := assert.ConnectionCeiling{}.Check(h)
		require.Equal(t, want, ruled(t, v), "seed %d: %s %v", seed, v.Summary, v.Reasons)
		all.add(want.Status, classes(want.Found)...)
	}
	all.require(t, 100, "pass", "fail", "inconclusive", "ceiling", "refused")
}

// rotationLook is how often balancers are asked, and rotationEnd when the load
// ends in these tests.
const (
	rotationLook = 100 * ms
	rotationEnd  = 4 * sec
)

// randomRotation are one or two balancers that see their servers come and go.
func randomRotation(seed uint64) *history.History {
	rng, s := random(seed, 51), &tape{}
	h := &history.History{Names: &history.Names{}, End: rotationEnd}
	h.Phases = []history.Phase{
		{Name: "warm", Kind: history.PhaseWarmUp, To: sec},
		{Name: "break", Kind: history.PhaseBreak, From: sec, To: rotationEnd},
	}
	fragile := oneOf(rng, 1, 6, 20)
	for lb := range 1 + rng.IntN(2) {
		up := make([]bool, 2+rng.IntN(3))
		for i := range up {
			up[i] = !chance(rng, 60)
		}
		for at := time.Duration(rng.IntN(2000)) * ms; at < rotationEnd; at += rotationLook {
			for i := range up {
				if up[i] {
					up[i] = !chance(rng, 4*fragile)
				} else {
					up[i] = chance(rng, 3)
				}
			}
			for i := range up {
				v := history.Server{Balancer: "lb" + strconv.Itoa(lb+1), Server: "j" + strconv.Itoa(i+1), Up: up[i], Status: "DOWN"}
				h.Servers = append(h.Servers, seen(s, at, v))
			}
		}
	}
	byTime(h.Servers)
	return h
}

// naiveRotation puts each balancer's looks side by side, whole, and finds the
// stretches of those with too few servers that another look ends.
func naiveRotation(h *history.History, least int) (r ruling, longest time.Duration) {
	views := map[string]bool{}
	for _, x := range h.Servers {
		if x.Time >= sec {
			views[x.V.Balancer] = true
		}
	}
	if len(views) == 0 {
		return ruling{}, 0
	}
	for lb := range views {
		var looks [][]history.At[history.Server]
		for _, x := range h.Servers {
			if x.V.Balancer != lb || x.Time < sec {
				continue
			}
			if n := len(looks); n > 0 && looks[n-1][0].Time == x.Time {
				looks[n-1] = append(looks[n-1], x)
				continue
			}
			looks = append(looks, []history.At[history.Server]{x})
		}
		few := func(i int) bool {
			n := 0
			for _, x := range looks[i] {
				if x.V.Up {
					n++
				}
			}
			if least < 0 {
				return n < len(looks[i])
			}
			return n < max(1, least)
		}
		for i := range len(looks) - 1 {
			if !few(i) || i > 0 && few(i-1) {
				continue
			}
			to := i
			for to+1 < len(looks) && few(to) {
				to++
			}
			longest = max(longest, looks[to][0].Time-looks[i][0].Time)
			class := "server out"
			for _, look := range looks[i : to+1] {
				if !slices.ContainsFunc(look, func(x history.At[history.Server]) bool { return x.V.Up }) {
					class = "no server up"
				}
			}
			r.Found = append(r.Found, class+" "+looks[i][0].Time.String()+" "+lb)
		}
	}
	r.Status = assert.Pass
	if len(r.Found) > 0 {
		r.Status = assert.Fail
	}
	return r.sorted(), longest
}

func TestRotationKeptAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h := randomRotation(seed)
		for _, least := range []int{0, 2, assert.EveryServer} {
			want, longest := naiveRotation(h, least)
			v := assert.RotationKept{Least: least}.Check(h)
			require.Equal(t, want.Status, v.Status, "seed %d, least %d: %s", seed, least, v.Summary)
			require.Len(t, want.Found, len(v.Evidence)+v.More, "seed %d, least %d: %v", seed, least, v.Evidence)
			if v.Status != assert.Inconclusive {
				require.InDelta(t, longest.Seconds(), *v.Measured, 1e-9, "seed %d, least %d: %v", seed, least, v.Evidence)
			}
			var words []string
			for _, e := range v.Evidence {
				require.Contains(t, want.Found, e.Class+" "+e.At.String()+" "+e.Node, "seed %d, least %d: %s", seed, least, e.Text)
				words = append(words, e.Class)
			}
			all.add(want.Status, words...)
		}
	}
	all.require(t, 100, "pass", "fail", "no server up", "server out")
}

// randomTimeouts are operations that a node, a balancer or a client gave up.
func randomTimeouts(seed uint64) *history.History {
	rng, s := random(seed, 52), &tape{}
	h := &history.History{Names: &history.Names{}, End: 10 * sec, Tries: map[uint64][]history.Try{}}
	h.Phases = []history.Phase{
		{Name: "warm", Kind: history.PhaseWarmUp, To: sec},
		{Name: "break", Kind: history.PhaseBreak, From: sec, To: 10 * sec},
	}
	h.Faults = []history.Fault{{ID: 1, Nodes: []string{oneOf(rng, "j1", "db", "db")}}}
	wrong := oneOf(rng, 2, 10, 40)
	for id := uint64(1); id <= uint64(rng.IntN(8)); id++ {
		sent := time.Duration(rng.IntN(9000)) * ms
		op := history.Op{ID: id, Intended: sent, Sent: sent, End: sent + time.Duration(1+rng.IntN(900))*ms, Outcome: history.Good, Status: 200, Attempts: uint8(1 + rng.IntN(2))}
		at := sent
		for n := 1; n <= int(op.Attempts); n++ {
			last := n == int(op.Attempts)
			took := (op.End - sent) / time.Duration(op.Attempts)
			node := aNode(rng)
			if !chance(rng, 5) {
				h.Receipts = append(h.Receipts, seen(s, at, history.Receipt{Node: node, What: "arrive", Op: id, Attempt: n}))
				if chance(rng, 2) {
					later := took
					if chance(rng, 4) {
						later += time.Duration(rng.IntN(500)) * ms
					}
					h.Receipts = append(h.Receipts, seen(s, at+later, history.Receipt{Node: node, What: "commit", Op: id, Attempt: n}))
				}
			}
			d := history.Dispatch{Balancer: "lb1", Op: id, Attempt: n, Server: node, Status: 200, Term: "--NI", Total: took}
			line := true
			switch {
			case chance(rng, wrong): // the balancer's timeout
				d.Status, d.Term = 504, "sH--"
			case chance(rng, 4): // the node itself says that it will not
				d.Status = 503
			case last && chance(rng, wrong):
				op.Outcome, op.Status, op.Error = history.Unknown, 0, uint16(h.Names.Intern(history.ErrTimeout))
				if line = chance(rng, 2); line {
					d.Total = max(ms, d.Total+time.Duration(rng.IntN(400)-200)*ms) // answered late, or lost on its way
				}
			}
			if line {
				h.Dispatches = append(h.Dispatches, seen(s, at, d))
			}
			if !last {
				h.Tries[id] = append(h.Tries[id], history.Try{End: at + took, Outcome: history.Info, Error: history.ErrStatus})
			}
			at += took
		}
		h.Ops = append(h.Ops, op)
	}
	byTime(h.Receipts)
	byTime(h.Dispatches)
	return h
}

// naiveTimeouts asks of each attempt that a healthy node took in a judged
// phase who gave it up, from all that there is of it.
func naiveTimeouts(h *history.History) (r ruling, committed int) {
	r.Status, r.Idle = assert.Pass, true
	for _, op := range h.Ops {
		for n := 1; n <= int(op.Attempts); n++ {
			taken, written := false, time.Duration(-1)
			for _, x := range h.Receipts {
				if x.V.Op != op.ID || x.V.Attempt != n || x.Time < sec || x.Time >= 10*sec || x.V.Node == h.Faults[0].Nodes[0] {
					continue
				}
				if x.V.What == "arrive" {
					taken = true
				} else {
					written = x.Time
				}
			}
			if !taken {
				continue
			}
			answered := time.Duration(-1)
			for _, x := range h.Dispatches {
				if x.V.Op != op.ID || x.V.Attempt != n {
					continue
				}
				answered = x.Time + x.V.Total
				switch {
				case x.V.Term[0] == 's':
					r.Found = append(r.Found, mark("balancer gave up", x.Seq))
					if written > answered {
						committed++
					}
				case x.V.Status >= 500:
					r.Idle = false
				}
			}
			gone := n == int(op.Attempts) && h.ErrorOf(&op) == history.ErrTimeout
			if gone && (answered < 0 || answered >= op.End) {
				r.Found = append(r.Found, mark("client gave up", op.ID))
				if written > op.End {
					committed++
				}
			}
		}
	}
	if len(r.Found) > 0 {
		r.Status, r.Idle = assert.Fail, false
	}
	return r.sorted(), committed
}

func TestTimeoutOrderAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h := randomTimeouts(seed)
		want, committed := naiveTimeouts(h)
		v := assert.TimeoutOrder{}.Check(h)
		require.Equal(t, want, ruled(t, v), "seed %d: %s", seed, v.Summary)
		require.EqualValues(t, committed, measure(t, v, "committed after they were given up"), "seed %d", seed)
		if committed > 0 {
			all.add(want.Status, append(classes(want.Found), "committed")...)
			continue
		}
		all.add(want.Status, classes(want.Found)...)
	}
	all.require(t, 100, "pass", "fail", "balancer gave up")
	all.require(t, 40, "client gave up", "committed")
}
