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
		{"a negative status", []Event{invoke(1), done(1, OK, func(c *Call) { c.Status = -1 })}, 2, ErrContradiction},
		{"negative attempts", []Event{invoke(1), done(1, OK, func(c *Call) { c.Attempts = -1 })}, 2, ErrContradiction},
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
		{"a proof of the heal without data", []Event{{Kind: FaultInject, Fault: 1}, {Kind: FaultHealed, Fault: 1}}, 2, ErrBadLine},
		{"a look before the undo without data", []Event{{Kind: FaultInject, Fault: 1}, {Kind: FaultHeld, Fault: 1}}, 2, ErrBadLine},
		{"a look before the undo without its fault", []Event{{Kind: FaultHeld, Fault: 1, Data: proof}}, 1, ErrContradiction},
		{"orders of another shape", []Event{{Kind: FaultInject, Fault: 1, Data: json.RawMessage(`1`)}}, 1, ErrBadLine},
		{"a failure that is a number", []Event{{Kind: FaultError, Fault: 1, Data: json.RawMessage(`1`)}}, 1, ErrBadLine},
		{"a run in the middle", []Event{invoke(1), {Kind: Run, Data: json.RawMessage(`{}`)}}, 2, ErrContradiction},
		{"a failure of another shape", []Event{{Kind: FaultError, Fault: 1, Data: json.RawMessage(`[1]`)}}, 1, ErrBadLine},
		{"an end of another shape", []Event{{Kind: End, Data: json.RawMessage(`[1]`)}}, 1, ErrBadLine},
		{"a seal of another shape", []Event{{Kind: End}, {Kind: Sealed, Data: json.RawMessage(`[1]`)}}, 2, ErrBadLine},
		{"a clock of another shape", []Event{{Kind: Clock, Data: json.RawMessage(`[1]`)}}, 1, ErrBadLine},
		{"a run of another shape", []Event{{Kind: Run, Data: json.RawMessage(`[1]`)}}, 1, ErrBadLine},
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

// What contradicts the lines before it is said in words that tell why.
func TestFromEventsSaysWhatIsWrong(t *testing.T) {
	for want, events := range map[string][]Event{
		"completes and was never invoked": {invoke(3), done(2, OK, nil)},
		"completes twice":                 {invoke(1), done(1, OK, nil), done(1, Info, nil)},
		"a fault-active without data":     {{Kind: FaultInject, Fault: 1}, {Kind: FaultActive, Fault: 1}},
		"data of phase-begin a":           {{Kind: PhaseBegin, Name: "a", Data: json.RawMessage(`[1]`)}},
		"cannot unmarshal number":         {{Kind: FaultInject, Fault: 1}, {Kind: FaultActive, Fault: 1, Data: json.RawMessage(`1`)}},
	} {
		_, err := FromEvents(events)
		require.ErrorContains(t, err, want)
	}
}

// A completion may leave out what its invoke said, and numbers may be as large
// as there is room for.
func TestFromEventsAcceptsTheLimits(t *testing.T) {
	h, err := FromEvents([]Event{
		invoke(1),
		{At: 20, Kind: OK, Op: &Call{ID: 1, Status: 65535, Attempts: 255}},
		invoke(2),
		{At: 20, Kind: OK, Op: &Call{ID: 2, End: 20}},
	})
	require.NoError(t, err)
	o := h.Ops[0]
	require.EqualValues(t, 65535, o.Status)
	require.EqualValues(t, 255, o.Attempts)
	require.Zero(t, o.Flags)
	require.EqualValues(t, 3, o.Session)
	require.EqualValues(t, 10, o.Intended)
	require.Equal(t, []string{"k", "u3", "j1", ""}, []string{h.KeyOf(&o), h.UserOf(&o), h.BoundOf(&o), h.OwnerOf(&o)})

	h, err = FromEvents([]Event{invoke(maxGap)})
	require.NoError(t, err)
	require.Len(t, h.Ops, 1)
}

func TestFromEventsCountsAsWhole(t *testing.T) {
	h, err := FromEvents([]Event{invoke(1), done(1, OK, nil)})
	require.NoError(t, err)
	require.Equal(t, Integrity{State: Whole, Lines: 2}, h.Integrity)
}

// The earlier attempts are those of their own operation, of each that has any.
func TestTriesStayWithTheirOperation(t *testing.T) {
	reset, refused := []Try{{End: 15, Outcome: Info, Error: ErrReset}}, []Try{{End: 16, Outcome: Fail, Error: ErrRefused}}
	events := []Event{
		{Kind: Run, Data: json.RawMessage(`{"format":"hachaos.journal/1"}`)},
		invoke(1), invoke(2), invoke(3),
		done(1, OK, func(c *Call) { c.Attempts, c.Tries = 2, reset }),
		done(2, OK, func(c *Call) { c.Attempts = 1 }),
		done(3, OK, func(c *Call) { c.Attempts, c.Tries = 2, refused }),
	}
	want := map[uint64][]Try{1: reset, 3: refused}
	h, err := FromEvents(events)
	require.NoError(t, err)
	require.Equal(t, want, h.Tries)
	dir, _ := run(t, events...)
	h, err = Load(dir)
	require.NoError(t, err)
	require.Equal(t, want, h.Tries, "read from a journal")
}

func TestOpOfARecordWithoutGaps(t *testing.T) {
	h, err := FromEvents([]Event{invoke(1), invoke(2), invoke(3)})
	require.NoError(t, err)
	for id := uint64(1); id <= 3; id++ {
		o, ok := h.Op(id)
		require.True(t, ok, id)
		require.Equal(t, id, o.ID)
	}
	for _, id := range []uint64{0, 4} {
		_, ok := h.Op(id)
		require.False(t, ok, id)
	}
}

func TestLatency(t *testing.T) {
	for _, c := range []struct {
		name    string
		op      Op
		latency time.Duration
		known   bool
	}{
		{"from when it was due, not from when it was sent", Op{Intended: 10, Sent: 15, End: 30, Late: 2}, 20, true},
		{"at the very beginning", Op{}, 0, true},
		{"never completed", Op{Intended: 10, Sent: 15, End: -1}, 0, false},
	} {
		latency, known := c.op.Latency()
		require.Equal(t, c.latency, latency, c.name)
		require.Equal(t, c.known, known, c.name)
		require.Equal(t, c.op.Late, c.op.Lateness(), c.name)
	}
}

func TestHasAsksForAllFlags(t *testing.T) {
	o := Op{Flags: New | Cold}
	require.True(t, o.Has(New))
	require.True(t, o.Has(New|Cold))
	require.False(t, o.Has(Replayed))
	require.False(t, o.Has(New|Replayed), "one of two is not both")
}

func TestInterval(t *testing.T) {
	for rate, want := range map[int]time.Duration{-1: 0, 0: 0, 1: time.Second, 200: 5 * time.Millisecond} {
		require.Equal(t, want, LoadMeta{Rate: rate}.Interval(), rate)
	}
}

// A fifth of the looks is throughout.
func TestStolen(t *testing.T) {
	for _, c := range []struct {
		name       string
		steal      []float64
		looks      int
		throughout bool
	}{
		{"nobody looked", nil, 0, false},
		{"never", []float64{0, 0, 0, 0, 0}, 0, false},
		{"in one look of five", []float64{0, 0.01, 0, 0, 0}, 1, true},
		{"in one look of six", []float64{0, 0, 0, 0, 0, 0.5}, 1, false},
		{"in two looks of four", []float64{1, 2, 0, 0}, 2, true},
	} {
		var h History
		for _, s := range c.steal {
			h.Host = append(h.Host, At[Host]{V: Host{Steal: s}})
		}
		looks, of, throughout := h.Stolen()
		require.Equal(t, c.looks, looks, c.name)
		require.Equal(t, len(c.steal), of, c.name)
		require.Equal(t, c.throughout, throughout, c.name)
	}
}

// What the machine did once the load had ended thins nothing out.
func TestHostUnderLoad(t *testing.T) {
	h := History{Phases: []Phase{{From: 0, To: 2}, {From: 2, To: 4}}}
	for i := range 20 {
		s := Host{}
		if i == 1 || i == 12 {
			s.Steal = 0.1
		}
		h.Host = append(h.Host, At[Host]{Time: time.Duration(i), V: s})
	}
	require.Len(t, h.HostUnderLoad(), 5)
	looks, of, throughout := h.Stolen()
	require.Equal(t, []any{1, 5, true}, []any{looks, of, throughout})
	h.Phases[1].To = -1
	require.Len(t, h.HostUnderLoad(), 20, "a phase that did not end")
	require.Empty(t, (&History{Phases: h.Phases}).HostUnderLoad())
}

func TestFaultTook(t *testing.T) {
	for _, c := range []struct {
		name     string
		proof    *Proof
		from, to time.Duration
	}{
		{"never proven", nil, 10, 30},
		{"by a proof that names no time", &Proof{OK: true}, 10, 30},
		{"by a proof that names it", &Proof{OK: true, From: 12, To: 13}, 12, 13},
		{"from the record's beginning", &Proof{OK: true, From: 0, To: 1}, 0, 1},
	} {
		from, to := Fault{Injected: 10, Active: 30, Proof: c.proof}.Took()
		require.Equal(t, []time.Duration{c.from, c.to}, []time.Duration{from, to}, c.name)
	}
}

func TestOneShortNameThatHadALongOne(t *testing.T) {
	var events []Event
	for i := range lowCommon + 1 {
		events = append(events, Event{Kind: Invoke, Op: &Call{ID: uint64(i) + 1, Key: fmt.Sprint(i)}})
	}
	key := fmt.Sprint(lowCommon - 1) // the first long one: the empty string has a short one, too
	events = append(events, Event{Kind: OK, Op: &Call{ID: lowCommon, Version: key}}, Event{Kind: OK, Op: &Call{ID: 1}})
	h, err := FromEvents(events)
	require.NoError(t, err)
	o := &h.Ops[lowCommon-1]
	require.Equal(t, []string{key, key, ""}, []string{h.KeyOf(o), h.VersionOf(o), h.UserOf(o)})
	found, ok := h.Names.Find(key)
	require.True(t, ok)
	require.Equal(t, found, o.Key, "Find leads to the operation")
	require.Zero(t, h.Ops[0].User, "what has no name has none afterwards")
	require.Zero(t, h.Ops[0].Version, "nor after one that has")
	require.Equal(t, fmt.Sprint(lowCommon), h.Names.Get(lowNames+1))
	require.Empty(t, h.Names.Get(lowNames+2), "never given out")
	require.Empty(t, h.Names.Get(lowNames-1), "nor this")
}

// How much room is made follows from how much of the journal has been read; it
// never lacks what is needed.
func TestRoomIsForeseen(t *testing.T) {
	const mib = 1 << 20
	for _, tt := range []struct {
		name     string
		e        estimate
		n, least int
		want     int
	}{
		{"nothing known, few", estimate{}, 0, 1, 16},
		{"nothing known, more needed", estimate{}, 0, 50, 50},
		{"nothing known: twice as many", estimate{}, 100, 1, 100},
		{"too little read", estimate{mib - 1, 3 * mib}, 1000, 1, 1000},
		{"a third read", estimate{mib, 3 * mib}, 1000, 1, 2040},
		{"almost all read: a quarter", estimate{mib, mib + 1}, 1000, 1, 250},
		{"almost all read, few", estimate{mib, mib + 1}, 40, 1, 16},
		{"all read: twice as many", estimate{mib, mib}, 1000, 1, 1000},
		{"a small part read: 64 times as many", estimate{mib, 1 << 40}, 1000, 1, 64000},
	} {
		require.Equal(t, tt.want, tt.e.more(tt.n, tt.least), tt.name)
	}
	full := make([]int, 3, 5)
	require.Equal(t, 5, cap(room(&estimate{}, full, 2)), "there is room")
	require.GreaterOrEqual(t, cap(room(&estimate{}, full, 3)), 6)
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
		require.Equal(t, []string{"", "", ""}, []string{h.UserOf(o), h.OwnerOf(o), h.NodeOf(o)}, "what has no name gets none")
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
	var line *LineError
	require.ErrorAs(t, err, &line)
	require.EqualValues(t, 2*lowNames, line.Line, "the first that found no room")
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
	for i, judged := range []bool{false, true, true} {
		require.Equal(t, judged, h.Phases[i].Judged(), h.Phases[i].Name)
	}

	h, err = FromEvents([]Event{begin("only", PhaseRecover, 1), {At: 9, Kind: Aborted}})
	require.NoError(t, err)
	require.Equal(t, []Phase{{Name: "only", From: 1, To: 9, Kind: PhaseRecover}}, h.Phases)
	require.Equal(t, "no reason was given", h.Aborted)
}

func TestPhaseIndex(t *testing.T) {
	phases := []Phase{{From: 0, To: 10}, {From: 10, To: 20}, {From: 25, To: 40}}
	for _, cursor := range []int{0, 1, 2, 3} {
		for at, want := range map[time.Duration]int{-1: -1, 0: 0, 9: 0, 10: 1, 19: 1, 20: -1, 25: 2, 39: 2, 40: -1} {
			c := cursor
			require.Equal(t, want, PhaseIndex(phases, at, &c), "%d from %d", at, cursor)
			if want >= 0 {
				require.Equal(t, want, c, "the cursor follows")
			} else {
				require.Equal(t, cursor, c, "the cursor stays")
			}
		}
	}
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
		{At: 12, Kind: FaultInject, Name: "early", Fault: 3},
		{At: 0, Kind: FaultHeal, Fault: 3},
		{At: 13, Kind: FaultError, Name: "early", Fault: 3, Err: "undo"},
		{At: 14, Kind: FaultInject, Name: "last", Fault: 4, Data: json.RawMessage(`{"orders":["kill"]}`)},
		{At: 15, Kind: FaultHeal, Fault: 3},
		{At: 16, Kind: FaultHeld, Fault: 4, Data: bad},
		{At: 17, Kind: FaultHeld, Fault: 4, Data: good},
	})
	require.NoError(t, err)
	require.Equal(t, []Fault{
		{ID: 1, Kind: "kill", Nodes: []string{"j2", "j1"}, Injected: 1, Active: 3, Heal: 6, Healed: 10, Proof: &Proof{OK: true, Asked: "down"}, HealProof: &Proof{OK: true, Asked: "down"}},
		{ID: 2, Kind: "slow", Nodes: []string{"j2", "db"}, Injected: 2, Active: -1, Heal: -1, Healed: -1, Proof: &Proof{}},
		{ID: 3, Kind: "early", Injected: 12, Active: -1, Heal: 0, Healed: -1},
		{ID: 4, Kind: "last", Orders: []string{"kill"}, Injected: 14, Active: -1, Heal: -1, Healed: -1, Held: &Proof{OK: true, Asked: "down"}},
	}, h.Faults)
	require.Equal(t, []FaultFailure{
		{Seq: 5, At: 5, Fault: 2, Kind: "slow", Err: "act"},
		{Seq: 8, At: 8, Fault: 1, Kind: "kill", Nodes: []string{"j1"}, Err: "undo", Undo: true},
		{Seq: 11, At: 11, Kind: "rest", Err: "undo", Undo: true},
		{Seq: 14, At: 13, Fault: 3, Kind: "early", Err: "undo", Undo: true},
	}, h.Errors)
	require.Equal(t, []string{"j2", "j1", "db"}, h.Victims())
	f, ok := h.FaultByID(2)
	require.True(t, ok)
	require.Equal(t, "slow", f.Kind)
	_, ok = h.FaultByID(5)
	require.False(t, ok)
}

func TestObservationsAreSortedByTimeAndLine(t *testing.T) {
	h, err := FromEvents([]Event{
		Observe(3, Readiness{Node: "late"}), Observe(1, Readiness{Node: "early"}), Observe(1, Readiness{Node: "early too"}),
		Observe(1, Transition{Span: Span{Within: 1}}),
	})
	require.NoError(t, err)
	require.Equal(t, []At[Readiness]{
		{2, 1, Readiness{Node: "early"}}, {3, 1, Readiness{Node: "early too"}}, {1, 3, Readiness{Node: "late"}},
	}, h.Readiness)
	require.EqualValues(t, 1, h.Transitions[0].V.Within)
	_, ok := StreamOf("a word")
	require.False(t, ok)
}

// stream is a test of one type of observation: its stream's name, its place
// in a history, in the order of time, and that it is not taken in another
// shape.
func stream[T Observation](name string, place func(*History) []At[T]) func(*testing.T) {
	return func(t *testing.T) {
		var v T
		got, ok := StreamOf(v)
		require.True(t, ok)
		require.Equal(t, name, got)
		h, err := FromEvents([]Event{Observe(3, v), Observe(1, v)})
		require.NoError(t, err)
		require.Equal(t, []At[T]{{2, 1, v}, {1, 3, v}}, place(h))
		for _, data := range []string{"", "1", "[1]"} {
			_, err := FromEvents([]Event{{Kind: Observed, Name: name, Data: json.RawMessage(data)}})
			require.ErrorIs(t, err, ErrBadLine, "data %q", data)
		}
	}
}

func TestObservationsOfEveryStream(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"Readiness":    stream(StreamReadiness, func(h *History) []At[Readiness] { return h.Readiness }),
		"Truth":        stream(StreamTruth, func(h *History) []At[Truth] { return h.Truth }),
		"Transition":   stream(StreamTransition, func(h *History) []At[Transition] { return h.Transitions }),
		"Receipt":      stream(StreamReceipt, func(h *History) []At[Receipt] { return h.Receipts }),
		"Dispatch":     stream(StreamDispatch, func(h *History) []At[Dispatch] { return h.Dispatches }),
		"Server":       stream(StreamServer, func(h *History) []At[Server] { return h.Servers }),
		"BalancerInfo": stream(StreamBalancer, func(h *History) []At[BalancerInfo] { return h.Balancers }),
		"VIP":          stream(StreamVIP, func(h *History) []At[VIP] { return h.VIPs }),
		"Engine":       stream(StreamEngine, func(h *History) []At[Engine] { return h.Engine }),
		"NodeInfo":     stream(StreamNode, func(h *History) []At[NodeInfo] { return h.Nodes }),
		"Connections":  stream(StreamConnections, func(h *History) []At[Connections] { return h.Connections }),
		"Refusal":      stream(StreamRefusal, func(h *History) []At[Refusal] { return h.Refusals }),
		"LedgerRow":    stream(StreamLedger, func(h *History) []At[LedgerRow] { return h.Ledger }),
		"Delivery":     stream(StreamDelivery, func(h *History) []At[Delivery] { return h.Deliveries }),
		"Upload":       stream(StreamUpload, func(h *History) []At[Upload] { return h.Uploads }),
		"Download":     stream(StreamDownload, func(h *History) []At[Download] { return h.Downloads }),
		"Price":        stream(StreamPrice, func(h *History) []At[Price] { return h.Prices }),
		"Overlap":      stream(StreamOverlap, func(h *History) []At[Overlap] { return h.Overlaps }),
		"KeyUse":       stream(StreamKeyUse, func(h *History) []At[KeyUse] { return h.KeyUses }),
		"Crossing":     stream(StreamCrossing, func(h *History) []At[Crossing] { return h.Crossings }),
		"SessionState": stream(StreamSession, func(h *History) []At[SessionState] { return h.Sessions }),
		"Leftover":     stream(StreamLeftover, func(h *History) []At[Leftover] { return h.Leftovers }),
		"Coverage":     stream(StreamCoverage, func(h *History) []At[Coverage] { return h.Coverage }),
		"Host":         stream(StreamHost, func(h *History) []At[Host] { return h.Host }),
		"Published":    stream(StreamPublished, func(h *History) []At[Published] { return h.Published }),
		"Received":     stream(StreamReceived, func(h *History) []At[Received] { return h.Received }),
		"Link":         stream(StreamLink, func(h *History) []At[Link] { return h.Links }),
		"FeedRow":      stream(StreamFeed, func(h *History) []At[FeedRow] { return h.Feed }),
		"Tenant":       stream(StreamTenant, func(h *History) []At[Tenant] { return h.Tenants }),
		"JobEffect":    stream(StreamJob, func(h *History) []At[JobEffect] { return h.Jobs }),
		"Resumed":      stream(StreamResumed, func(h *History) []At[Resumed] { return h.Resumed }),
	} {
		t.Run(name, test)
	}
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
		{"after another's", []Event{covered(Coverage{Stream: StreamVIP}), covered(Coverage{Stream: StreamHost, Complete: true})}, StreamHost, nil, nil},
		{"missed one", []Event{covered(Coverage{Stream: StreamHost, Complete: true, Missed: 1})}, StreamHost, nil, []string{"host: 1 missed"}},
		{"missed one and why", []Event{covered(Coverage{Stream: StreamHost, Complete: true, Missed: 1, Reason: "full"})}, StreamHost, nil, []string{"host: 1 missed: full"}},
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

func TestCoverageBesideUnknownTimes(t *testing.T) {
	gap := Window{From: 2 * time.Second, To: 3 * time.Second, Why: "restarted"}
	h, err := FromEvents([]Event{
		Observe(1, Coverage{Stream: StreamVIP, Source: "lb1", Complete: true, Unknown: []Window{{Why: "another stream's"}}}),
		Observe(1, Coverage{Stream: StreamDispatch, Source: "lb1", Complete: true, Unknown: []Window{gap}}),
		Observe(2, Coverage{Stream: StreamDispatch, Source: "lb1", Complete: true, Unknown: []Window{gap}}),
		Observe(1, Coverage{Stream: StreamDispatch, Source: "lb2", Complete: true}),
	})
	require.NoError(t, err)
	complete, reasons := h.CoverageOf(StreamDispatch)
	require.False(t, complete)
	require.Equal(t, []string{"dispatch of lb1, 2s to 3s: restarted", "dispatch of lb1, 2s to 3s: restarted"}, reasons)
	complete, reasons = h.CoverageBeside(StreamDispatch, "lb1", "lb2")
	require.True(t, complete)
	require.Empty(t, reasons)
	complete, reasons = h.CoverageBeside(StreamDispatch, "lb3")
	require.False(t, complete)
	require.Equal(t, []string{"dispatch of lb3: no observer gave an account of it"}, reasons)
	require.Equal(t, map[string][]Window{"lb1": {gap, gap}}, h.UnknownOf(StreamDispatch))
	require.Empty(t, h.UnknownOf(StreamHost))
}

// An observer that ended before the load did may have missed what came then.
func TestCoverageUntilTheLoadEnds(t *testing.T) {
	phases := []Event{begin("steady", PhaseSteady, 0), {At: 10, Kind: PhaseEnd, Name: "steady"}, begin("break", PhaseBreak, 10), {At: 20 * msec, Kind: PhaseEnd, Name: "break"}}
	at := func(at time.Duration) Event { return Observe(at, Coverage{Stream: StreamHost, Complete: true}) }
	for _, c := range []struct {
		name    string
		events  []Event
		reasons []string
	}{
		{"before", append(phases, at(15*msec)), []string{"host: its observer ended after 15ms, and the load after 20ms"}},
		{"a moment before", append(phases, at(20*msec-1)), []string{"host: its observer ended after 20ms, and the load after 20ms"}},
		{"together with it", append(phases, at(20*msec)), nil},
		{"after it", append(phases, at(21*msec)), nil},
		{"where there was none", []Event{at(0)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := FromEvents(c.events)
			require.NoError(t, err)
			for _, of := range []func(string, ...string) (bool, []string){h.CoverageOf, h.CoverageBeside} {
				complete, reasons := of(StreamHost)
				require.Equal(t, c.reasons == nil, complete)
				require.Equal(t, c.reasons, reasons)
			}
		})
	}
	complete, reasons := (&History{}).CoverageBeside(StreamHost)
	require.False(t, complete, "nobody gave an account")
	require.Equal(t, []string{"host: no observer gave an account of itself"}, reasons)
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
