package history

import "time"

// Streams are the names of observations: what the system itself says.
const (
	StreamReadiness   = "readiness"   // Readiness: the health endpoints as polled
	StreamTruth       = "truth"       // Truth: the metrics' gauges, independent of readiness
	StreamTransition  = "transition"  // Transition: what a node logged of itself
	StreamReceipt     = "receipt"     // Receipt: what a node logged of an operation
	StreamDispatch    = "dispatch"    // Dispatch: the balancers' request log
	StreamServer      = "server"      // Server: the balancers' view of each server
	StreamBalancer    = "balancer"    // BalancerInfo: counters of the balancer's process
	StreamVIP         = "vip"         // VIP: who holds the address
	StreamEngine      = "engine"      // Engine: the engine's events
	StreamNode        = "node"        // NodeInfo: version and start time
	StreamConnections = "connections" // Connections: of the database
	StreamRefusal     = "refusal"     // Refusal: a connection that the database refused
	StreamLedger      = "ledger"      // LedgerRow: the orders, read at the end
	StreamDelivery    = "delivery"    // Delivery: the orders' events, read at the end
	StreamUpload      = "upload"      // Upload: a file that a client gave to keep
	StreamDownload    = "download"    // Download: such a file as read again
	StreamPrice       = "price"       // Price: a price that was changed or read
	StreamKeyUse      = "key-use"     // KeyUse: a request under an idempotency key that was used before
	StreamOverlap     = "overlap"     // Overlap: two updates of one session at once
	StreamSession     = "session"     // SessionState: the sessions, read at the end
	StreamLeftover    = "leftover"    // Leftover: what remained after the teardown
	StreamClient      = "client"      // the operations: of it there are only accounts
	StreamCoverage    = "coverage"    // Coverage: what an observer itself missed
	StreamHost        = "host"        // Host: the machine under it all
	StreamPublished   = "published"   // Published: an event that the feed acknowledged
	StreamReceived    = "received"    // Received: an event as a client of the feed got it
	StreamLink        = "link"        // Link: a client's long-lived connection
	StreamFeed        = "feed"        // FeedRow: the feed, read at the end
	StreamTenant      = "tenant"      // Tenant: one user with many requests, each second
	StreamJob         = "job"         // JobEffect: what a scheduled job did, read at the end
	StreamResumed     = "resumed"     // Resumed: what a client's state was on a new connection
)

// Span is when an outside event happened, on the run's clock: Event.At is
// the middle, and Within its half-width (the clock's mapping plus the
// source's own resolution).
type Span struct {
	Within time.Duration `json:"within,omitempty"`
}

// Readiness is one look at a node's health endpoint. Event.At is when the
// look began, and Took how long it lasted.
type Readiness struct {
	Node   string        `json:"node"`
	Probe  string        `json:"probe"` // "ready" or "live"
	Up     bool          `json:"up"`
	Status int           `json:"status,omitempty"` // 0: no answer
	Reason string        `json:"reason,omitempty"`
	Took   time.Duration `json:"took"`
}

// Truth is one look at a node's own gauges. Warm and Database are as of
// Event.At.
type Truth struct {
	Node     string `json:"node"`
	Up       bool   `json:"up"` // it answered at all
	Warm     bool   `json:"warm"`
	Database bool   `json:"database"`
	// Active, Waiting and Threads are the pool's connections in use, the
	// requests waiting for one and the busy threads.
	Active  int `json:"active,omitempty"`
	Waiting int `json:"waiting,omitempty"`
	Threads int `json:"threads,omitempty"`
	// InFlight counts the requests that the node works on.
	InFlight int `json:"inFlight,omitempty"`
}

// Transition is what a node logged of its own state.
type Transition struct {
	Span
	Node    string `json:"node"`
	What    string `json:"what"` // started listening warm ready unready database-up database-down stopping stopped
	Reason  string `json:"reason,omitempty"`
	Version string `json:"version,omitempty"`
}

// Receipt is what a node logged of an operation.
type Receipt struct {
	Span
	Node    string `json:"node"`
	What    string `json:"what"` // arrive or commit
	Op      uint64 `json:"op"`
	Attempt int    `json:"attempt"`
	Key     string `json:"key,omitempty"`
	Order   int64  `json:"order,omitempty"`
}

// Dispatch is a line of a balancer's request log. Event.At is when the
// balancer accepted the request. HAProxy writes it at the request's end and
// names only the last server.
type Dispatch struct {
	Span
	Balancer string `json:"lb"`
	Number   uint64 `json:"n"` // counts the requests of one balancer process
	Op       uint64 `json:"op,omitempty"`
	Attempt  int    `json:"attempt,omitempty"`
	Key      string `json:"key,omitempty"`
	Server   string `json:"server,omitempty"` // empty: none was chosen
	Status   int    `json:"status"`
	Retries  int    `json:"retries,omitempty"`
	// Redispatched says that another server than the first got it.
	Redispatched bool   `json:"redispatched,omitempty"`
	Term         string `json:"term"` // the termination state, such as "--NI" or "SH--"
	// Wait, Connect, Response and Total are HAProxy's Tw, Tc, Tr, Ta; -1 if
	// the step was not reached.
	Wait     time.Duration `json:"tw"`
	Connect  time.Duration `json:"tc"`
	Response time.Duration `json:"tr"`
	Total    time.Duration `json:"ta"`
	Bytes    int64         `json:"bytes,omitempty"`
}

// Server is a balancer's view of one server, as polled.
type Server struct {
	Balancer string        `json:"lb"`
	Server   string        `json:"server"`
	Status   string        `json:"status"` // UP, DOWN, DRAIN, MAINT, "UP 1/2", …
	Up       bool          `json:"up"`     // new requests may be sent to it
	Check    string        `json:"check,omitempty"`
	Weight   int           `json:"weight"`
	Current  int           `json:"current"` // sessions now
	Total    int64         `json:"total"`   // sessions since the process began
	Took     time.Duration `json:"took,omitempty"`
}

// BalancerInfo are counters of a balancer's process.
type BalancerInfo struct {
	Balancer    string `json:"lb"`
	Up          bool   `json:"up"`
	Pid         int    `json:"pid,omitempty"`
	Requests    uint64 `json:"requests,omitempty"`
	DroppedLogs uint64 `json:"droppedLogs,omitempty"`
	// Took is how long the look lasted that Event.At began: one that got no
	// answer waited so long for it.
	Took time.Duration `json:"took,omitempty"`
}

// VIP is whether a balancer holds the address, asked in its own namespace.
type VIP struct {
	Balancer string        `json:"lb"`
	Known    bool          `json:"known"` // the question was answered
	Owner    bool          `json:"owner"`
	Took     time.Duration `json:"took,omitempty"`
}

// Engine is an event of the engine.
type Engine struct {
	Span
	Node     string `json:"node"`
	Action   string `json:"action"` // kill die start stop pause unpause oom restart
	ExitCode string `json:"exitCode,omitempty"`
	Signal   string `json:"signal,omitempty"`
}

// NodeInfo is what a node is: asked at the beginning, after each start and
// at the end. Started and Finished are on the run's clock and may be negative.
type NodeInfo struct {
	Node     string        `json:"node"`
	Role     string        `json:"role"`
	Image    string        `json:"image,omitempty"`
	Version  string        `json:"version,omitempty"`
	Running  bool          `json:"running"`
	Started  time.Duration `json:"started,omitempty"`
	Finished time.Duration `json:"finished,omitempty"` // of the last end; 0 if it never ended
}

// Connections of the database, by the node that holds them.
type Connections struct {
	Known bool           `json:"known"`
	Total int            `json:"total"`
	Max   int            `json:"max"`
	By    map[string]int `json:"by,omitempty"`
}

// Refusal is a connection that the database refused because it has no more
// to give, as it logged it.
type Refusal struct {
	Span
	Node string `json:"node"` // the database
	Text string `json:"text"`
}

// LedgerRow is an order as the database has it after the load.
type LedgerRow struct {
	Order   int64  `json:"order"`
	Key     string `json:"key"`
	Op      uint64 `json:"op"`
	Attempt int    `json:"attempt"`
	Node    string `json:"node"`
	Version string `json:"version,omitempty"`
}

// Delivery is the event of an order as whoever waits for it has it after the
// load.
type Delivery struct {
	Order int64    `json:"order"`
	Times int      `json:"times"`           // at least once is promised: more than one is no fault
	Nodes []string `json:"nodes,omitempty"` // that delivered it
	// Waits says that the event was kept and was still to be delivered.
	Waits bool `json:"waits,omitempty"`
}

// Upload is a file that a client gave to keep. Event.At is when the answer
// came, or the client gave up.
type Upload struct {
	Name string `json:"name"`
	Node string `json:"node,omitempty"` // that answered
	// Outcome is ok, fail (certainly not kept) or info.
	Outcome  string        `json:"outcome"`
	Attempts int           `json:"attempts"`
	Took     time.Duration `json:"took"`
}

// Download is a file as read again.
type Download struct {
	Name string `json:"name"`
	// Via is "vip", or the node that was asked itself.
	Via  string `json:"via"`
	Node string `json:"node,omitempty"` // that answered
	// Known says that the question was answered: Found and Same count.
	Known bool `json:"known"`
	Found bool `json:"found"`
	Same  bool `json:"same"` // byte for byte what was uploaded
	// Last says that it was read when the system was healed and quiet.
	Last bool `json:"last,omitempty"`
}

// Price is a price that was changed, or read. Event.At is when the answer
// came.
type Price struct {
	Item  string        `json:"item"`
	Write bool          `json:"write,omitempty"`
	Sent  time.Duration `json:"sent"` // when the question was sent
	Node  string        `json:"node,omitempty"`
	Price int64         `json:"price"`
}

// Ways in which an idempotency key is used again.
const (
	KeyAgain        = "again"         // the same request, by the same tenant
	KeyOtherRequest = "other request" // with another body, by the same tenant
	KeyOtherTenant  = "other tenant"  // the same request, by another tenant
)

// KeyUse is a request for an order under an idempotency key under which one had been
// placed before, and acknowledged. Event.At is when the answer came. First 0 says that
// the first was not acknowledged, so that nothing was asked again.
type KeyUse struct {
	Key   string        `json:"key"`
	Asked string        `json:"asked"` // one of the Key… constants
	Sent  time.Duration `json:"sent"`
	// First is the order that the first answer named, and FirstNode who gave it.
	First     int64  `json:"first"`
	FirstNode string `json:"firstNode,omitempty"`
	Status    int    `json:"status,omitempty"` // 0: no answer
	Order     int64  `json:"order,omitempty"`  // that the answer names; 0: none
	Node      string `json:"node,omitempty"`   // that answered
}

// Overlap is two updates of one session that were sent at once, and what its
// counter was before and after them. Event.At is when it was read after them.
type Overlap struct {
	Session int             `json:"session"` // a number of the client's own
	Sent    time.Duration   `json:"sent"`
	Before  int64           `json:"before"`
	Answers []OverlapAnswer `json:"answers"`
	// After is what was read once both had ended; -1: that is not known.
	After int64 `json:"after"`
	// Gone says that a node did not know the session any more, or began another.
	Gone bool `json:"gone,omitempty"`
}

// OverlapAnswer is what one of them came to.
type OverlapAnswer struct {
	// Outcome is "ok", "fail" (it certainly was not applied) or "info".
	Outcome string `json:"outcome"`
	Status  int    `json:"status,omitempty"` // 0: no answer
	Node    string `json:"node,omitempty"`
}

// SessionState is a session as read after the load: through the VIP (Via
// "vip") and from each node (Via its name).
type SessionState struct {
	Session uint32   `json:"session"`
	Via     string   `json:"via"`
	Known   bool     `json:"known"` // the question was answered
	Found   bool     `json:"found"`
	ID      string   `json:"sid,omitempty"`
	User    string   `json:"user,omitempty"`
	Count   int64    `json:"count"`
	Ops     []uint64 `json:"ops,omitempty"`
}

// Leftover is something that remained after the teardown.
type Leftover struct {
	Kind   string `json:"kind"` // container network volume filter process
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`
	Remove string `json:"remove,omitempty"` // the command that removes it
}

// Coverage is an observer's account of itself, written when it ends. A
// stream with no Coverage is incomplete.
type Coverage struct {
	Stream   string        `json:"stream"`
	Source   string        `json:"source,omitempty"` // the node observed; empty: all
	Complete bool          `json:"complete"`
	Seen     uint64        `json:"seen"`
	Missed   uint64        `json:"missed,omitempty"`  // known to be missing
	LongGap  time.Duration `json:"longGap,omitempty"` // the longest time between two looks
	Reason   string        `json:"reason,omitempty"`  // why it is incomplete
	// Unknown are times of which it cannot tell whether it missed something,
	// beside which it is complete: what was under way in one of them may have
	// left nothing behind. In the order of time.
	Unknown []Window `json:"unknown,omitempty"`
}

// Window is a time in which something is not known, both ends included.
type Window struct {
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
	Why  string        `json:"why"`
}

// Host is the load of the machine since the look before.
type Host struct {
	Busy  float64 `json:"busy"`  // 0 to 1 over all cores
	Steal float64 `json:"steal"` // 0 to 1
	// Disk is the part of the time, 0 to 1, in which something waited for a disk, with each
	// processor's weighed by how much it worked; 0, too, where the kernel does not tell.
	Disk float64 `json:"disk,omitempty"`
}

// Published is an event that the feed acknowledged to its publisher, at
// Event.At.
type Published struct {
	ID    int64  `json:"id"` // its place in the feed
	Token string `json:"token"`
	Node  string `json:"node,omitempty"` // who acknowledged it
}

// Received is an event of the feed as a client got it.
type Received struct {
	Client int    `json:"client"`
	ID     int64  `json:"id"`
	Token  string `json:"token"`
}

// States of a Link.
const (
	LinkUp   = "up"   // the server has spoken on a new connection
	LinkDown = "down" // it ended, or the client gave it up
	LinkTry  = "try"  // the client asks for a connection (WebSockets only)
	LinkMiss = "miss" // an attempt to connect came to nothing
	LinkEnd  = "end"  // the client's own end: it wants no more
)

// LinkSilent is the Reason of a connection that the client itself ended, since it
// heard nothing for too long.
const LinkSilent = "silent for longer than the client's patience"

// Link is a change of a client's long-lived connection.
type Link struct {
	Client int    `json:"client"`
	State  string `json:"state"`
	Node   string `json:"node,omitempty"`
	Reason string `json:"reason,omitempty"` // of a down or a miss, in words
	// Code is the close code of a WebSocket that went down; 0 if none came.
	Code int `json:"code,omitempty"`
	// Alive is when the server was last heard: the end of the gap for an up,
	// its beginning for all others.
	Alive time.Duration `json:"alive"`
}

// FeedRow is an event as the database has it after the load.
type FeedRow struct {
	ID    int64  `json:"id"`
	Token string `json:"token"`
	Node  string `json:"node,omitempty"`
}

// Tenant is what one user with many requests sent since the last one, and
// which nodes answered it.
type Tenant struct {
	User string         `json:"user"`
	Sent int            `json:"sent"`
	By   map[string]int `json:"by,omitempty"` // good answers
}

// Resumed is a client's state as its server tells it on a new connection, and
// what the client knew: the last number that it said and that was
// acknowledged, and the last that it said.
type Resumed struct {
	Client int    `json:"client"`
	Node   string `json:"node,omitempty"`
	Told   int64  `json:"told"`
	Acked  int64  `json:"acked"`
	Said   int64  `json:"said"`
}

// JobEffect is one effect of a scheduled job as the database has it after the
// load. Event.At is when it was written, by the database's clock.
type JobEffect struct {
	Row   int64  `json:"row"`   // the order of writing
	Slot  int64  `json:"slot"`  // the part of time that it was done for
	Token int64  `json:"token"` // the fencing token that it was done under
	Owner string `json:"owner"`
}

// ClockPair ties the run's clock to the wall's.
type ClockPair struct {
	Mono time.Duration `json:"mono"`
	Wall int64         `json:"wall"` // Unix nanoseconds
}

// Proof is what a fault, or its heal, was observed to do, from the victim's
// side.
type Proof struct {
	// OK says that it bites (or has healed) by the right amount.
	OK bool `json:"ok"`
	// Asked and Measured are in Unit; for a fault without a magnitude they
	// are words.
	Asked    string `json:"asked"`
	Measured string `json:"measured"`
	Unit     string `json:"unit,omitempty"`
	// From and To bracket when it took effect, on the run's clock; both are
	// zero if not known.
	From time.Duration `json:"from,omitempty"`
	To   time.Duration `json:"to,omitempty"`
	// How are the observations, one line each.
	How []string `json:"how,omitempty"`
}

// Seal is the journal's last line.
type Seal struct {
	// Length and SHA256 are of the journal's bytes before this line.
	Length int64  `json:"length"`
	SHA256 string `json:"sha256"`
	// Files are the logs and configurations that the folder holds.
	Files []SealedFile `json:"files,omitempty"`
}

// SealedFile is one file of the run's folder.
type SealedFile struct {
	Path   string `json:"path"` // relative, with slashes
	Length int64  `json:"length"`
	SHA256 string `json:"sha256"`
}
