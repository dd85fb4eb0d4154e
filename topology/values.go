package topology

// Names of values (Spec.Values) that a judgement computes with, or names when
// it fails; package assert has them too, and is to be the same. What a topology
// does not state cannot be named: it is then told in words what to change, and
// not where.
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

// ValueThreadsNeeded is how many threads a node takes that sheds load.
const ValueThreadsNeeded = "threads: needed"
