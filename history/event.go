// Package history is the record of a run: the events, the journal that
// keeps them, and the reading of it that the checkers judge.
//
// A journal is append-only JSON Lines with one writer. Its order is Seq; when
// something happened is At, monotonic since the run's start. Everything that
// a verdict rests on is in it, so that a folder can be judged again with no
// engine and gives the same result.
package history

import (
	"encoding/json"
	"time"
)

// Kind is what an event records.
type Kind string

// Operations use Jepsen's vocabulary: fail is "certainly not applied", info
// is "nobody knows".
const (
	Run Kind = "run" // the first line: Data is a Meta

	Invoke Kind = "invoke" // an operation was due; Op is set
	OK     Kind = "ok"     // it completed as the client expects
	Fail   Kind = "fail"   // it certainly was not applied
	Info   Kind = "info"   // its outcome is unknown

	PhaseBegin Kind = "phase-begin" // Name is the phase; Data is a PhaseMeta
	PhaseEnd   Kind = "phase-end"

	FaultInject Kind = "fault-inject" // about to act; Name is the fault's kind, Nodes its targets, Data a FaultMeta
	FaultActive Kind = "fault-active" // observed to bite, or not: Data is a Proof
	FaultHeld   Kind = "fault-held"   // observed still to bite shortly before the undo, or not: Data is a Proof
	FaultHeal   Kind = "fault-heal"   // about to undo
	FaultHealed Kind = "fault-healed" // observed to have healed, or not: Data is a Proof
	FaultError  Kind = "fault-error"  // an act or an undo failed: Err says how

	Observed Kind = "observed" // Name is the stream, Data its type: see observed.go
	Clock    Kind = "clock"    // Data is a ClockPair

	Aborted Kind = "aborted" // the run was broken off: Err says why
	End     Kind = "end"     // nothing but the seal follows
	Sealed  Kind = "seal"    // the last line: Data is a Seal
)

// Event is one line of the journal.
type Event struct {
	// Seq is the order of writing, from 1, without a gap. The writer sets it.
	Seq uint64 `json:"seq"`
	// At is when it happened, since the run's start. It may lie before the
	// At of an earlier line: observers report late.
	At   time.Duration `json:"at"`
	Kind Kind          `json:"kind"`
	// Name is the operation's type, the phase, the fault's kind or the
	// observed stream.
	Name  string   `json:"name,omitempty"`
	Nodes []string `json:"nodes,omitempty"`
	// Fault numbers the injections of a run from 1; 0 is none.
	Fault int    `json:"fault,omitempty"`
	Op    *Call  `json:"op,omitempty"`
	Err   string `json:"err,omitempty"`
	// Data is the payload whose type Kind and Name tell.
	Data json.RawMessage `json:"data,omitempty"`
}

// Types of operations, as Event.Name has them.
const (
	OpLogin        = "login"         // begins a session
	OpLogout       = "logout"        // ends it
	OpSessionWrite = "session-write" // the counter goes up by one
	OpSessionRead  = "session-read"  // reads the counter
	OpOrder        = "order"         // writes an order under an idempotency key
)

// Classes of errors, as Call.Error has them: what the client saw, decided
// from what reached the wire and never from an error's text.
const (
	ErrRefused   = "refused"    // connect: refused
	ErrConnect   = "connect"    // connect: timed out or unreachable; nothing sent
	ErrReset     = "reset"      // the connection broke after something was sent
	ErrEOF       = "eof"        // it was closed in order, with no answer
	ErrTimeout   = "timeout"    // the client's patience ended, the request was on the wire
	ErrNotSent   = "not-sent"   // its session was still busy: the user was still waiting
	ErrDropped   = "dropped"    // lost by the generator itself, by its ceiling or for want of a socket: no user's fault
	ErrStatus    = "status"     // an answer came with an error status
	ErrSession   = "no-session" // 404: the session asked for does not exist
	ErrConflict  = "conflict"   // 409
	ErrMalformed = "malformed"  // the answer could not be understood
	ErrCancelled = "cancelled"  // the run ended first
)

// Call is the client's side of an operation. An invoke carries what was
// intended; the completion carries all of it.
type Call struct {
	// ID is the operation's number, from 1, in the schedule's order. It is
	// what evidence names and what X-Hachaos-Op carries.
	ID uint64 `json:"id"`
	// Session numbers the sessions of the run from 1: one client's session
	// from login to logout is one number. 0 is none.
	Session uint32 `json:"session,omitempty"`
	// User is the client that the session belongs to.
	User string `json:"user,omitempty"`
	// Key is the idempotency key of an order.
	Key string `json:"key,omitempty"`
	// Intended is when the schedule wanted it sent: op × interval. Latency
	// is taken from here.
	Intended time.Duration `json:"intended"`
	// Sent is when the first attempt was written to the wire; -1 if none was.
	Sent time.Duration `json:"sent,omitempty"`
	// Late is how much of the time before the send was the generator's own
	// doing: neither a wait behind the session's earlier operation nor the
	// making of a connection, which are the system's.
	Late time.Duration `json:"late,omitempty"`
	// End is when the last attempt completed, or was given up.
	End time.Duration `json:"end,omitempty"`
	// Status is the last answer's HTTP status; 0 if none came.
	Status int `json:"status,omitempty"`
	// Error is the class of the last attempt's error; empty if ok.
	Error string `json:"error,omitempty"`
	// Node, Version and Balancer are what the last answer named.
	Node     string `json:"node,omitempty"`
	Version  string `json:"version,omitempty"`
	Balancer string `json:"balancer,omitempty"`
	// Cold says that the answering node itself said it was not warm.
	Cold bool `json:"cold,omitempty"`
	// Attempts counts the requests that this operation made.
	Attempts int `json:"attempts,omitempty"`
	// Tries are the attempts before the last, oldest first.
	Tries []Try `json:"tries,omitempty"`
	// Value is the counter that was read, or the order's id.
	Value int64 `json:"value,omitempty"`
	// SessionID is the server's id of the session that answered.
	SessionID string `json:"sid,omitempty"`
	// Owner is the user that the answer named.
	Owner string `json:"owner,omitempty"`
	// New says that the answer began a new session.
	New bool `json:"new,omitempty"`
	// Replayed says that the answer repeats an earlier attempt's.
	Replayed bool `json:"replayed,omitempty"`
	// Bound is the node that the session was bound to when it was sent, as
	// the last answer of the session named it; empty if none yet.
	Bound string `json:"bound,omitempty"`
}

// Try is an attempt that was followed by another.
type Try struct {
	End     time.Duration `json:"end"`
	Outcome Kind          `json:"outcome"` // ok fail info
	Status  int           `json:"status,omitempty"`
	Error   string        `json:"error,omitempty"`
	Node    string        `json:"node,omitempty"`
}
