package history

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestOpIsSmall(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Op{}), uintptr(96))
}

func invoke(id uint64) Event {
	return Event{At: 10, Kind: Invoke, Name: OpOrder, Op: &Call{ID: id, Session: 3, User: "u3", Key: "k", Intended: 10, Bound: "j1"}}
}

func done(id uint64, kind Kind, change func(*Call)) Event {
	c := &Call{ID: id, Session: 3, User: "u3", Key: "k", Intended: 10, Sent: 11, End: 20}
	if change != nil {
		change(c)
	}
	return Event{At: 20, Kind: kind, Name: OpOrder, Op: c}
}

func begin(name, kind string, at time.Duration) Event {
	return Event{At: at, Kind: PhaseBegin, Name: name, Data: json.RawMessage(fmt.Sprintf(`{"kind":%q}`, kind))}
}

func TestFromEventsPairs(t *testing.T) {
	h, err := FromEvents([]Event{
		invoke(1), invoke(4), invoke(2),
		done(4, Fail, func(c *Call) { c.Error, c.Sent = ErrRefused, -1 }),
		done(1, OK, func(c *Call) {
			*c = Call{
				ID: 1, Session: 3, User: "u3", Key: "k", Intended: 10, Sent: 11, Late: 1, End: 20, Status: 201, Error: "odd",
				Node: "j2", Version: "2", Balancer: "lb1", Cold: true, Attempts: 2, Value: 9, SessionID: "s3", Owner: "u3",
				New: true, Replayed: true, Bound: "j2", Tries: []Try{{End: 15, Outcome: Info, Error: ErrReset}},
			}
		}),
		invoke(3), done(3, Info, nil),
	})
	require.NoError(t, err)
	require.Len(t, h.Ops, 4)
	for i := range h.Ops {
		require.EqualValues(t, i+1, h.Ops[i].ID)
	}

	o := &h.Ops[0]
	find := func(s string) Name {
		n, ok := h.Names.Find(s)
		require.True(t, ok, s)
		return n
	}
	require.Equal(t, Op{
		ID: 1, Intended: 10, Sent: 11, Late: 1, End: 20, Value: 9, Session: 3, Key: find("k"), SessionID: find("s3"),
		User: find("u3"), Owner: find("u3"), Node: find("j2"), Bound: find("j2"), Status: 201, Version: uint16(find("2")),
		Balancer: uint16(find("lb1")), Error: uint16(find("odd")), Type: Order, Outcome: Good, Attempts: 2, Flags: New | Replayed | Cold,
	}, *o)
	require.Equal(t, []string{"k", "j2", "j2", "u3", "u3", "s3", "2", "lb1", "odd"}, []string{
		h.KeyOf(o), h.NodeOf(o), h.BoundOf(o), h.UserOf(o), h.OwnerOf(o), h.SessionIDOf(o), h.VersionOf(o), h.BalancerOf(o), h.ErrorOf(o),
	})
	require.Equal(t, map[uint64][]Try{1: {{End: 15, Outcome: Info, Error: ErrReset}}}, h.Tries)

	open := h.Ops[1]
	require.Equal(t, Unknown, open.Outcome)
	require.EqualValues(t, -1, open.End)
	require.Equal(t, Unknown, h.Ops[2].Outcome)
	require.EqualValues(t, 20, h.Ops[2].End)
	require.Equal(t, "j1", h.BoundOf(&h.Ops[2]), "kept from the invoke")
	require.Equal(t, Failed, h.Ops[3].Outcome)
	require.EqualValues(t, -1, h.Ops[3].Sent)
	require.EqualValues(t, 20, h.End)
}

func TestFromEventsLeavesGapsOfNumbersOut(t *testing.T) {
	h, err := FromEvents([]Event{invoke(7), invoke(2), done(7, OK, nil)})
	require.NoError(t, err)
	require.Len(t, h.Ops, 2)
	o, ok := h.Op(7)
	require.True(t, ok)
	require.Equal(t, Good, o.Outcome)
	for _, id := range []uint64{0, 1, 3, 8, 1 << 40} {
		_, ok = h.Op(id)
		require.False(t, ok, id)
	}
}

func TestFromEventsRefuses(t *testing.T) {
	proof := json.RawMessage(`{"ok":true}`)
	tests := []struct {
		name   string
		events []Event
		line   uint64
		want   error
	}{
		{"a completion alone", []Event{done(1, OK, nil)}, 1, ErrContradiction},
		{"a completion in a gap", []Event{invoke(3), done(2, OK, nil)}, 2, ErrContradiction},
		{"two completions", []Event{invoke(1), done(1, OK, nil), done(1, Info, nil)}, 3, ErrContradiction},
		{"two unknown completions", []Event{invoke(1), done(1, Info, func(c *Call) { c.End = 0 }), done(1, Info, nil)}, 3, ErrContradiction},
		{"two invokes", []Event{invoke(1), invoke(1)}, 2, ErrContradiction},
		{"number 0", []Event{invoke(0)}, 1, ErrBadLine},
		{"no call", []Event{{Kind: Invoke}}, 1, ErrBadLine},
		{"no call at the end", []Event{{Kind: OK}}, 1, ErrBadLine},
		{"a number out of range", []Event{invoke(maxGap + 1)}, 1, ErrContradiction},
		{"the largest number", []Event{invoke(1<<64 - 1)}, 1, ErrContradiction},
		{"another type", []Event{invoke(1), {Kind: OK, Name: OpLogin, Op: &Call{ID: 1}}}, 2, ErrContradiction},
		{"another session", []Event{invoke(1), done(1, OK, func(c *Call) { c.Session = 4 })}, 2, ErrContradiction},
		{"another key", []Event{invoke(1), done(1, OK, func(c *Call) { c.Key = "l" })}, 2, ErrContradiction},
		{"another user", []Event{invoke(1), done(1, OK, func(c *Call) { c.User = "u4" })}, 2, ErrContradiction},
		{"another intended time", []Event{invoke(1), done(1, OK, func(c *Call) { c.Intended = 11 })}, 2, ErrContradiction},
		{"no end", []Event{invoke(1), done(1, OK, func(c *Call) { c.End = -1 })}, 2, ErrContradiction},
		{"an impossible status", []Event{invoke(1), done(1, OK, func(c *Call) { c.Status = 65536 })}, 2, ErrContradiction},
		{"too many attempts", []Event{invoke(1), done(1, OK, func(c *Call) { c.Attempts = 256 })}, 2, ErrContradiction},
		{"a phase that never began", []Event{{Kind: PhaseEnd, Name: "x"}}, 1, ErrContradiction},
		{"another phase ends", []Event{begin("a", PhaseSteady, 1), {At: 2, Kind: PhaseEnd, Name: "b"}}, 2, ErrContradiction},
		{"a phase ends before it began", []Event{begin("a", PhaseSteady, 1), {Kind: PhaseEnd, Name: "a"}}, 2, ErrContradiction},
		{"two phases at once", []Event{begin("a", PhaseSteady, 1), begin("b", PhaseSteady, 2)}, 2, ErrContradiction},
		{"phases overlap", []Event{begin("a", PhaseSteady, 1), {At: 9, Kind: PhaseEnd, Name: "a"}, begin("b", PhaseSteady, 2)}, 3, ErrContradiction},
		{"a phase of no kind", []Event{begin("a", "odd", 1)}, 1, ErrBadLine},
		{"a phase without data", []Event{{Kind: PhaseBegin, Name: "a"}}, 1, ErrBadLine},
		{"a fault twice", []Event{{Kind: FaultInject, Fault: 1}, {Kind: FaultInject, Fault: 1}}, 2, ErrContradiction},
		{"a fault without a number", []Event{{Kind: FaultInject}}, 1, ErrContradiction},
		{"a proof without its fault", []Event{{Kind: FaultActive, Fault: 1, Data: proof}}, 1, ErrContradiction},
		{"a heal without its fault", []Event{{Kind: FaultHeal, Fault: 1}}, 1, ErrContradiction},
		{"a proof without data", []Event{{Kind: FaultInject, Fault: 1}, {Kind: FaultActive, Fault: 1}}, 2, ErrBadLine},
		{"a run in the middle", []Event{invoke(1), {Kind: Run, Data: json.RawMessage(`{}`)}}, 2, ErrContradiction},
		{"something after the end", []Event{{Kind: End}, invoke(1)}, 2, ErrContradiction},
		{"a seal without an end", []Event{{Kind: Sealed, Data: json.RawMessage(`{}`)}}, 1, ErrContradiction},
		{"an unknown kind", []Event{{Kind: "odd"}}, 1, ErrBadLine},
		{"an unknown stream", []Event{{Kind: Observed, Name: "odd", Data: json.RawMessage(`{}`)}}, 1, ErrBadLine},
		{"data of another shape", []Event{{Kind: Observed, Name: StreamHost, Data: json.RawMessage(`{"busy":"x"}`)}}, 1, ErrBadLine},
		{"a wrong number of line", []Event{{Seq: 2, Kind: End}}, 1, ErrOrder},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := FromEvents(tt.events)
			require.ErrorIs(t, err, tt.want)
			var line *LineError
			require.ErrorAs(t, err, &line)
			require.Equal(t, tt.line, line.Line)
		})
	}
}

func TestShortNamesAreNotCutOff(t *testing.T) {
	var events []Event
	version := func(i int) string { return fmt.Sprintf("k-%d", i) }
	// More keys than short numbers, and then versions that are spelled like
	// some of them.
	const keys = 70_000
	for i := range keys {
		events = append(events, Event{Kind: Invoke, Name: OpOrder, Op: &Call{ID: uint64(i) + 1, Key: version(i)}})
	}
	for i := keys - 10; i < keys; i++ {
		events = append(events, Event{Kind: OK, Op: &Call{ID: uint64(i) + 1, Version: version(i), Balancer: "lb1", Error: "odd"}})
	}
	h, err := FromEvents(events)
	require.NoError(t, err)
	for i := range h.Ops {
		o := &h.Ops[i]
		require.Equal(t, version(i), h.KeyOf(o))
		found, ok := h.Names.Find(version(i))
		require.True(t, ok)
		require.Equal(t, found, o.Key, "Find leads to the operation")
		if i >= keys-10 {
			require.Equal(t, version(i), h.VersionOf(o))
			require.Equal(t, "lb1", h.BalancerOf(o))
		}
	}
}

func TestTooManyShortNamesIsAnError(t *testing.T) {
	var events []Event
	for i := range lowNames + 10 {
		id := uint64(i) + 1
		events = append(events, Event{Kind: Invoke, Op: &Call{ID: id}},
			Event{Kind: OK, Op: &Call{ID: id, Version: fmt.Sprint("v", i)}})
	}
	_, err := FromEvents(events)
	require.ErrorContains(t, err, "short names")
}

func TestPhases(t *testing.T) {
	h, err := FromEvents([]Event{
		begin("warm", PhaseWarmUp, 0),
		{At: 10, Kind: PhaseEnd, Name: "warm"},
		begin("steady", PhaseSteady, 10),
		{At: 20, Kind: PhaseEnd, Name: "steady"},
		begin("break", PhaseBreak, 25),
		{At: 40, Kind: Aborted, Err: "interrupted"},
		{At: 41, Kind: Aborted, Err: "again"},
	})
	require.NoError(t, err)
	require.Equal(t, []Phase{
		{Name: "warm", From: 0, To: 10, Kind: PhaseWarmUp},
		{Name: "steady", From: 10, To: 20, Kind: PhaseSteady},
		{Name: "break", From: 25, To: 41, Kind: PhaseBreak},
	}, h.Phases)
	require.Equal(t, "interrupted", h.Aborted)
	for at, want := range map[time.Duration]string{-1: "", 0: "warm", 9: "warm", 10: "steady", 19: "steady", 20: "", 24: "", 25: "break", 41: "break", 42: ""} {
		p, ok := h.PhaseAt(at)
		require.Equal(t, want != "", ok, at)
		require.Equal(t, want, p.Name, at)
		p, _ = h.PhaseOf(&Op{Intended: at})
		require.Equal(t, want, p.Name)
	}
	_, ok := (&History{}).PhaseAt(0)
	require.False(t, ok)
}

func TestFaults(t *testing.T) {
	good, bad := json.RawMessage(`{"ok":true,"asked":"down"}`), json.RawMessage(`{"ok":false}`)
	h, err := FromEvents([]Event{
		{At: 1, Kind: FaultInject, Name: "kill", Nodes: []string{"j2", "j1"}, Fault: 1},
		{At: 2, Kind: FaultInject, Name: "slow", Nodes: []string{"j2", "db"}, Fault: 2},
		{At: 3, Kind: FaultActive, Name: "kill", Fault: 1, Data: good},
		{At: 4, Kind: FaultActive, Name: "slow", Fault: 2, Data: bad},
		{At: 5, Kind: FaultError, Name: "slow", Fault: 2, Err: "act"},
		{At: 6, Kind: FaultHeal, Fault: 1},
		{At: 7, Kind: FaultHealed, Fault: 1, Data: bad},
		{At: 8, Kind: FaultError, Name: "kill", Nodes: []string{"j1"}, Fault: 1, Err: "undo"},
		{At: 9, Kind: FaultHeal, Fault: 1},
		{At: 10, Kind: FaultHealed, Fault: 1, Data: good},
		{At: 11, Kind: FaultError, Name: "rest", Err: "undo", Data: json.RawMessage(`{"undo":true}`)},
	})
	require.NoError(t, err)
	require.Equal(t, []Fault{
		{ID: 1, Kind: "kill", Nodes: []string{"j2", "j1"}, Injected: 1, Active: 3, Heal: 6, Healed: 10, Proof: &Proof{OK: true, Asked: "down"}, HealProof: &Proof{OK: true, Asked: "down"}},
		{ID: 2, Kind: "slow", Nodes: []string{"j2", "db"}, Injected: 2, Active: -1, Heal: -1, Healed: -1, Proof: &Proof{}},
	}, h.Faults)
	require.Equal(t, []FaultFailure{
		{Seq: 5, At: 5, Fault: 2, Kind: "slow", Err: "act"},
		{Seq: 8, At: 8, Fault: 1, Kind: "kill", Nodes: []string{"j1"}, Err: "undo", Undo: true},
		{Seq: 11, At: 11, Kind: "rest", Err: "undo", Undo: true},
	}, h.Errors)
	require.Equal(t, []string{"j2", "j1", "db"}, h.Victims())
	f, ok := h.FaultByID(2)
	require.True(t, ok)
	require.Equal(t, "slow", f.Kind)
	_, ok = h.FaultByID(3)
	require.False(t, ok)
}

func TestObservationsOfEveryStream(t *testing.T) {
	events := []Event{
		Observe(3, Readiness{Node: "late"}), Observe(1, Readiness{Node: "early"}), Observe(1, Readiness{Node: "early too"}),
		Observe(1, Truth{}), Observe(1, Transition{Span: Span{Within: 1}}), Observe(1, Receipt{}), Observe(1, Dispatch{}),
		Observe(1, Server{}), Observe(1, BalancerInfo{}), Observe(1, VIP{}), Observe(1, Engine{}), Observe(1, NodeInfo{}),
		Observe(1, Connections{}), Observe(1, LedgerRow{}), Observe(1, SessionState{}), Observe(1, Leftover{}),
		Observe(1, Coverage{}), Observe(1, Host{}),
	}
	h, err := FromEvents(events)
	require.NoError(t, err)
	require.Equal(t, []At[Readiness]{
		{2, 1, Readiness{Node: "early"}}, {3, 1, Readiness{Node: "early too"}}, {1, 3, Readiness{Node: "late"}},
	}, h.Readiness)
	require.Equal(t, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, []int{
		len(h.Truth), len(h.Transitions), len(h.Receipts), len(h.Dispatches), len(h.Servers), len(h.Balancers), len(h.VIPs), len(h.Engine),
		len(h.Nodes), len(h.Connections), len(h.Ledger), len(h.Sessions), len(h.Leftovers), len(h.Coverage), len(h.Host),
	})
	require.EqualValues(t, 1, h.Transitions[0].V.Within)
	_, ok := StreamOf("a word")
	require.False(t, ok)
}

func TestCoverageOf(t *testing.T) {
	covered := func(c Coverage) Event { return Observe(1, c) }
	lost := Event{Kind: Observed, Name: StreamHost, Err: "NaN"}
	tests := []struct {
		name    string
		events  []Event
		stream  string
		sources []string
		reasons []string
	}{
		{"nothing", nil, StreamHost, nil, []string{"host: no observer gave an account of itself"}},
		{"complete", []Event{covered(Coverage{Stream: StreamHost, Complete: true})}, StreamHost, nil, nil},
		{"another's", []Event{covered(Coverage{Stream: StreamVIP, Complete: true})}, StreamHost, nil, []string{"host: no observer gave an account of itself"}},
		{"missed", []Event{covered(Coverage{Stream: StreamHost, Complete: true, Missed: 3})}, StreamHost, nil, []string{"host: 3 missed"}},
		{"missed and why", []Event{covered(Coverage{Stream: StreamHost, Source: "j1", Missed: 3, Reason: "full pipe"})}, StreamHost, nil, []string{"host of j1: 3 missed: full pipe"}},
		{"no reason", []Event{covered(Coverage{Stream: StreamHost})}, StreamHost, nil, []string{"host: incomplete, and no reason was given"}},
		{"one of two", []Event{covered(Coverage{Stream: StreamHost, Source: "j1", Complete: true}), covered(Coverage{Stream: StreamHost, Source: "j2", Reason: "down"})}, StreamHost, nil, []string{"host of j2: down"}},
		{"a source without account", []Event{covered(Coverage{Stream: StreamHost, Source: "j1", Complete: true})}, StreamHost, []string{"j1", "j2"}, []string{"host of j2: no observer gave an account of it"}},
		{"an account for all", []Event{covered(Coverage{Stream: StreamHost, Complete: true})}, StreamHost, []string{"j1", "j2"}, nil},
		{"a lost observation", []Event{covered(Coverage{Stream: StreamHost, Complete: true}), lost}, StreamHost, nil, []string{"host: 1 missed: NaN"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := FromEvents(tt.events)
			require.NoError(t, err)
			complete, reasons := h.CoverageOf(tt.stream, tt.sources...)
			require.Equal(t, len(tt.reasons) == 0, complete)
			require.Equal(t, tt.reasons, reasons)
		})
	}
}

func TestObserveWhatJSONCannotCarry(t *testing.T) {
	zero := 0.0
	e := Observe(1, Host{Busy: 1 / zero})
	require.Contains(t, e.Err, "encode host")
	require.Empty(t, e.Data)
}

func TestWords(t *testing.T) {
	require.Equal(t, "order", Order.String())
	require.Equal(t, "Type(9)", Type(9).String())
	require.Equal(t, "info", Unknown.String())
	require.Equal(t, "ok", Good.String())
	require.Equal(t, "fail", Failed.String())
	require.Equal(t, "whole", Whole.String())
	require.Equal(t, "IntegrityState(-1)", IntegrityState(-1).String())
	for _, typ := range []Type{Login, Logout, SessionWrite, SessionRead, Order} {
		require.Equal(t, typ, TypeOf(typ.String()))
	}
	require.Equal(t, Other, TypeOf("upload"))
	require.True(t, Info.Completes())
	require.False(t, Invoke.Completes())
}
