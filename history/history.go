package history

import "time"

// History is a journal as the checkers read it. It is read-only: a checker
// that changes it breaks the others.
type History struct {
	Meta Meta
	// Ops are the client operations, paired, in the order of their ids.
	Ops []Op
	// Names are the strings that Ops refer to.
	Names *Names
	// Tries are the earlier attempts of operations that made more than one,
	// by operation id.
	Tries map[uint64][]Try

	Phases []Phase
	Faults []Fault

	Readiness   []At[Readiness]
	Truth       []At[Truth]
	Transitions []At[Transition]
	Receipts    []At[Receipt]
	Dispatches  []At[Dispatch]
	Servers     []At[Server]
	Balancers   []At[BalancerInfo]
	VIPs        []At[VIP]
	Engine      []At[Engine]
	Nodes       []At[NodeInfo]
	Connections []At[Connections]
	Refusals    []At[Refusal]
	Ledger      []At[LedgerRow]
	Deliveries  []At[Delivery]
	Uploads     []At[Upload]
	Downloads   []At[Download]
	Prices      []At[Price]
	KeyUses     []At[KeyUse]
	Overlaps    []At[Overlap]
	Sessions    []At[SessionState]
	Leftovers   []At[Leftover]
	Coverage    []At[Coverage]
	Host        []At[Host]
	Published   []At[Published]
	Received    []At[Received]
	Links       []At[Link]
	Feed        []At[FeedRow]
	Tenants     []At[Tenant]
	Jobs        []At[JobEffect]
	Resumed     []At[Resumed]
	Crossings   []At[Crossing]
	Clock       []ClockPair

	// Integrity says whether the record is whole.
	Integrity Integrity
	// Aborted is why the run was broken off; empty if it was not.
	Aborted string
	// Errors are the acts and undos that failed.
	Errors []FaultFailure
	// End is the largest At.
	End time.Duration
}

// At is an observation with its place in the journal and its time. Within
// each slice of History the order is that of Time.
type At[T any] struct {
	Seq  uint64
	Time time.Duration
	V    T
}

// Phase is a part of the run.
type Phase struct {
	Name string
	From time.Duration
	// To is the phase's end; the history's End if it never ended.
	To time.Duration
	// Kind is warm-up, steady, break or recover; budgets leave warm-up out.
	Kind string
}

// Kinds of phases.
const (
	PhaseWarmUp  = "warm-up" // not judged by budgets
	PhaseSteady  = "steady"  // nothing is wrong; the system must be at its best
	PhaseBreak   = "break"   // the fault is in place
	PhaseRecover = "recover" // healed; on the way back to steady
)

// Judged says whether budgets cover the phase.
func (p Phase) Judged() bool { return p.Kind != PhaseWarmUp }

// Fault is an injection, from the intention to the observed heal. A time is
// -1 if the step was not reached.
type Fault struct {
	ID    int
	Kind  string
	Nodes []string

	Orders []string // what its act orders of the engine, as Engine.Action names it

	Injected time.Duration // the act began
	Active   time.Duration // the proof was complete
	Heal     time.Duration // the undo began
	Healed   time.Duration // the heal was proven

	Proof     *Proof // nil: never proven
	Held      *Proof // shortly before the undo; nil: nobody looked, or could not
	HealProof *Proof
}

// Took is the interval in which the fault took effect: the proof's own if it
// knows it, else from the act's beginning to the proof.
func (f Fault) Took() (from, to time.Duration) {
	if f.Proof != nil && f.Proof.To > 0 {
		return f.Proof.From, f.Proof.To
	}
	return f.Injected, f.Active
}

// FaultFailure is an act or an undo that failed.
type FaultFailure struct {
	Seq   uint64
	At    time.Duration
	Fault int
	Kind  string
	Nodes []string
	Err   string
	// Undo says that it was an undo, which makes the run dirty.
	Undo bool
}

// Integrity is how whole a record is.
type Integrity struct {
	State  IntegrityState
	Reason string // in words, for any state but Whole
	// Lines is the number of good lines, without the seal.
	Lines uint64
}

// IntegrityState says what a verdict may be built on.
type IntegrityState int

// Torn and Unsealed records can be rendered but not judged; an Altered one
// is an error.
const (
	Torn     IntegrityState = iota // it ends in the middle
	Unsealed                       // it ends in order, without a seal
	Altered                        // its seal does not match
	Whole
)

// Outcome of an operation.
type Outcome uint8

// Unknown is the zero value: an operation that never completed is info.
const (
	Unknown Outcome = iota // info
	Good                   // ok
	Failed                 // fail: certainly not applied
)

// Type of an operation.
type Type uint8

// The types, in the order of their names in event.go.
const (
	Other Type = iota
	Login
	Logout
	SessionWrite
	SessionRead
	Order
)

// Name is a string of the history, interned; 0 is the empty string.
type Name uint32

// Op is one client operation, paired from its invoke and its completion. It
// is at most 96 bytes (tested), so that 10⁷ of them fit into memory.
type Op struct {
	ID       uint64
	Intended time.Duration
	Sent     time.Duration // -1: nothing was written to the wire
	End      time.Duration // -1: never completed
	Late     time.Duration // the generator's own delay: see Call.Late
	Value    int64

	Session   uint32
	Key       Name
	SessionID Name
	User      Name
	Owner     Name
	Node      Name
	Bound     Name

	Status   uint16
	Version  uint16 // a Name below 65536: few are ever in use
	Balancer uint16 // likewise
	Error    uint16 // likewise
	Type     Type
	Outcome  Outcome
	Attempts uint8
	Flags    Flags
}

// Flags of an operation.
type Flags uint8

// The flags, as Call has them.
const (
	New Flags = 1 << iota
	Replayed
	Cold
)

// Has says whether all of f are set.
func (o *Op) Has(f Flags) bool { return o.Flags&f == f }

// Latency is from the intended send to the end; the second result is false
// for an operation that never completed.
func (o *Op) Latency() (time.Duration, bool) {
	if o.End < 0 {
		return 0, false
	}
	return o.End - o.Intended, true
}

// Lateness is the generator's own delay, which may not be blamed on the
// system. It is not Sent less Intended: an operation that waits behind its
// hanging session, or for a connection, is late by the system's doing.
func (o *Op) Lateness() time.Duration { return o.Late }
