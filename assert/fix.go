package assert

import (
	"fmt"
	"strings"

	"github.com/hachaos/hachaos/history"
)

// Names of the values of a run (Meta.Values) that checkers look for when they
// say what to change. A topology that states one, with its file, has it named
// in the verdict's fix; of one that states none the fix is words alone. The
// first three are numbers that ConnectionCeiling computes with.
const (
	ValueNodeConnections = "connections: of a node"
	ValueMaxConnections  = "postgres: max_connections"
	ValueReserved        = "postgres: reserved"

	ValueAffinity       = "affinity"                // what binds a session to a node
	ValueBalance        = "balance"                 // how the node of a new session is chosen
	ValueHealthCheck    = "check"                   // whom a balancer asks for a node's health
	ValueRetries        = "haproxy: retries"        // how often a balancer tries a connection again
	ValueRedispatch     = "redispatch"              // whether it tries another node
	ValueResending      = "l7-retry"                // what a balancer sends again
	ValueServerState    = "server-state"            // whether orders about servers outlive a reload
	ValueServerTimeout  = "haproxy: timeout server" // how long a balancer waits for an answer
	ValueTotalRequests  = "user-requests"           // how many requests all nodes together may have
	ValueWeight         = "haproxy: weight"         // a node's share; of one node alone "weight.NODE"
	ValueTakeBack       = "keepalived: nopreempt"   // whether a balancer that comes back leaves the address alone
	ValueReadiness      = "readiness"               // what the readiness endpoint looks at
	ValueLiveness       = "liveness"                // what the liveness endpoint looks at
	ValueDependency     = "dependency"              // how what is shared and not needed is asked
	ValueLameDuck       = "jetty: lame duck"        // unready, yet serving, before a stop
	ValueStopTimeout    = "jetty: stop timeout"     // what requests in flight may take at a stop
	ValuePoolSize       = "pool: size"              // connections of a node's pool
	ValuePoolWait       = "pool: wait"              // how long a request waits for one
	ValueStatementTime  = "jdbc: socketTimeout"     // how long the driver waits for the database
	ValueTimeouts       = "db-timeouts"             // whether driver and database give up at all
	ValueDurability     = "postgres: fsync, synchronous_commit, full_page_writes"
	ValueDedupe         = "dedupe"         // how a write that comes twice is known
	ValueOutbox         = "outbox"         // where the event of a write waits
	ValueUploads        = "uploads"        // where uploaded files are kept
	ValuePriceLife      = "price-life"     // how long a cached value is used
	ValueJobs           = "jobs"           // who does the scheduled job
	ValueFeed           = "feed"           // where an event gets its number
	ValueFeedResume     = "feed-resume"    // whether a stream goes on after Last-Event-ID
	ValueSocketState    = "socket-state"   // where what a WebSocket's client said is kept
	ValueSocketGoodbye  = "socket-goodbye" // whether a WebSocket's client is told to go
	ValueSessions       = "sessions"       // where sessions are kept
	ValueSessionCache   = "cache"          // a node's own copy of a session
	ValueSessionSave    = "session-save"   // whether a session is saved before its answer
	ValueSessionFence   = "fence"          // whether a session is saved only over what was read of it
	ValueLogin          = "login"          // where it is kept who is logged in
	ValueVersion        = "version"        // what the nodes run at the start
	ValueSharedResponse = "v2-response"    // what a second version does to answers,
	ValueSharedSession  = "v2-session"     // to sessions
	ValueSharedRow      = "v2-row"         // and to rows
)

// ValueNames lists the names above: what a topology states for each failure to
// name the value of which file would change it.
func ValueNames() []string {
	return []string{
		ValueNodeConnections, ValueMaxConnections, ValueReserved,
		ValueAffinity, ValueBalance, ValueHealthCheck, ValueRetries, ValueRedispatch, ValueResending, ValueServerState, ValueServerTimeout,
		ValueTotalRequests, ValueWeight, ValueTakeBack,
		ValueReadiness, ValueLiveness, ValueDependency, ValueLameDuck, ValueStopTimeout,
		ValuePoolSize, ValuePoolWait, ValueStatementTime, ValueTimeouts, ValueDurability,
		ValueDedupe, ValueOutbox, ValueUploads, ValuePriceLife, ValueJobs, ValueFeed, ValueFeedResume, ValueSocketState, ValueSocketGoodbye,
		ValueSessions, ValueSessionCache, ValueSessionSave, ValueSessionFence, ValueLogin,
		ValueVersion, ValueSharedResponse, ValueSharedSession, ValueSharedRow,
	}
}

// findValue gives the run's value of that name.
func findValue(h *history.History, name string) (history.Value, bool) {
	for _, v := range h.Meta.Values {
		if v.Name == name {
			return v, true
		}
	}
	return history.Value{}, false
}

// valueFix says what to do, and which of the named values would do it, as far
// as the record states them with their files: "dedupe = off in FILE: WORDS".
func valueFix(h *history.History, words string, names ...string) string {
	var stated []history.Value
	for _, name := range names {
		if v, ok := findValue(h, name); ok {
			if _, set := h.Meta.Set[name]; set {
				v.Value += " (set for this run)"
			}
			stated = append(stated, v)
		}
	}
	return sayFix(words, stated...)
}

// sayFix leaves out values without a file: a name alone tells nobody where to
// look.
func sayFix(words string, values ...history.Value) string {
	var parts []string
	for _, v := range values {
		if v.File != "" {
			parts = append(parts, fmt.Sprintf("%s = %s in %s", v.Name, v.Value, v.File))
		}
	}
	if len(parts) == 0 {
		return words
	}
	return strings.Join(parts, "; ") + ": " + words
}

// boundFix names the file of a bound, with the formula that has the values in
// it; the formula alone of one that states no file.
func boundFix(b history.Bound) string {
	if b.File == "" {
		return b.Formula
	}
	return b.File + ": " + b.Formula
}
