package catalogue

// seed003 lists the items of: seed 003: high availability of a web service.
var seed003 = []Item{
	{
		Refs: []string{"§3.3"},
		Asks: "a node that restarts by itself is not back in the rotation before it is warm",
		By:   []Judge{{Scenarios: "cold-start", Assertions: "readiness-gating"}},
	},
	{
		Refs: []string{"§4.2"},
		Asks: "state in an instance: its memory leaks until the kernel ends it",
		By:   []Judge{{Scenarios: "instance-oom", Assertions: "failover-anatomy session-survival"}},
		Part: "the end is tested, which another process brings about under a lowered limit of memory; nothing leaks in the application",
	},
	{
		Refs: []string{"§5"},
		Asks: "state that a client needs to go on is not in one node's memory alone",
		By: []Judge{
			{Scenarios: "websocket-reconnect", Assertions: "reconnection"},
			{Scenarios: "session-node-loss", Assertions: "session-survival"},
		},
	},
	{
		Refs: []string{"§6.2"},
		Asks: "affinity: a large client overloads its node; long-lived connections are tied to one",
		By: []Judge{
			{Scenarios: "sticky-skew", Assertions: "distribution"},
			{Scenarios: "websocket-reconnect", Assertions: "reconnection"},
		},
		Part: "that a node gets more than its share is judged, and not whether that is too much for it",
	},
	{
		Refs: []string{"§6.3"},
		Asks: "routing without affinity",
		By:   []Judge{{Scenarios: "no-affinity", Assertions: "session-survival"}},
	},
	{
		Refs: []string{"§7.2"},
		Asks: "sticky sessions are a bridge: what becomes of them is documented, and a node can be drained",
		By: []Judge{
			{Scenarios: "session-node-loss fail-back", Assertions: "session-survival"},
			{Scenarios: "drain", Assertions: "drain"},
		},
	},
	{
		Refs: []string{"§7.3"},
		Asks: "external sessions: they move, and their store is a critical dependency",
		By:   []Judge{{Scenarios: "session-node-loss session-store-loss", Assertions: "session-survival"}},
	},
	{
		Refs: []string{"§7.3"},
		Asks: "an external session's locking and concurrency can be intricate: a late writer",
		By: []Judge{
			{Scenarios: "zombie-write", Assertions: "session-survival"},
			{Scenarios: "no-affinity", Assertions: "overlapping-updates"},
		},
	},
	{
		Refs: []string{"§7.4"},
		Asks: "sessions replicated between the servers",
		Why:  "Jetty keeps them in a database here; another topology",
	},
	{
		Refs: []string{"§9.1"},
		Asks: "liveness is light and never looks at the database: an outage of the database kills no node",
		By:   []Judge{{Scenarios: "db-down db-restart db-black-hole db-partition-one-node db-slow", Assertions: "overload-contract"}},
		Part: "what the endpoint answers is judged, and that no node was started again; nothing in the stack would kill one for its answer",
	},
	{
		Refs: []string{"§9.2"},
		Asks: "readiness looks at critical dependencies, within a limit",
		By: []Judge{
			{Scenarios: "db-partition-one-node db-black-hole shallow-health-check constant-ready", Assertions: "readiness-gating"},
			{Scenarios: "instance-freeze", Assertions: "failover-anatomy"},
		},
		Part: "where the database is silent it is not told whether the node's look ended in time, or the balancers' check had no more patience with it",
	},
	{
		Refs: []string{"§9.2"},
		Asks: "its look does not ask a long chain of services",
		By: []Judge{
			{Scenarios: "dependency-down", Assertions: "rotation-kept"},
			{Scenarios: "dependency-slow", Assertions: "error-budget"},
		},
	},
	{
		Refs: []string{"§9.2"},
		Asks: "its look makes no heavy query and locks no table",
		Why:  "it is one SELECT 1, over a connection of its own, which its source shows and no fault would",
	},
	{
		Refs: []string{"§9.2"},
		Asks: "a deployment in order makes no alert noise",
		By: []Judge{
			{Scenarios: "rolling-deploy-no-drain", Assertions: "error-budget"},
			{Scenarios: "rolling-deploy", Assertions: "error-budget"},
		},
		Part: "users' errors stay within what a steady phase may have, so that no alert on them fires; alerts on readiness there are none",
	},
	{
		Refs: []string{"§9.3"},
		Asks: "nothing is sent to a node before it is warm",
		By:   []Judge{{Scenarios: "cold-start instance-kill all-nodes-restarted instance-crash-loop constant-ready", Assertions: "readiness-gating"}},
	},
	{
		Refs: []string{"§9.3"},
		Asks: "a start-up probe keeps an orchestrator from killing a node that is still starting",
		Why:  "nothing in the stack kills a node by a probe; its supervisor starts what has ended",
	},
	{
		Refs: []string{"§10.1"},
		Asks: "failure before the request reaches the instance: it goes elsewhere",
		By:   []Judge{{Scenarios: "instance-kill instance-stop", Assertions: "error-budget"}},
	},
	{
		Refs: []string{"§10.2"},
		Asks: "failure during the request: nobody knows whether it was committed, and a retry is safe",
		By:   []Judge{{Scenarios: "unknown-outcome instance-kill", Assertions: "write-ledger"}},
	},
	{
		Refs: []string{"§10.2"},
		Asks: "the state of an operation can be looked up",
		Yet:  true,
		Why:  "the application answers GET /operations/KEY, and the load retries with the key instead of asking",
	},
	{
		Refs: []string{"§10.2"},
		Asks: "an answer that is no success says whether it was carried out",
		By: []Judge{
			{Scenarios: "timeouts-out-of-step", Assertions: "timeout-order write-ledger"},
			{Scenarios: "db-disk-full", Assertions: "write-ledger"},
		},
		Part: `what was refused and is there all the same would be a violation ("applied though refused"), which no planted defect brings about`,
	},
	{
		Refs: []string{"§10.3"},
		Asks: "failure after the response: what should follow is lost",
		By:   []Judge{{Scenarios: "outbox-loss", Assertions: "event-delivery"}},
	},
	{
		Refs: []string{"§10.3"},
		Asks: "an audit log; a job that reconciles",
		Why:  "the sample application has neither",
	},
	{
		Refs: []string{"§10.4"},
		Asks: "failure during a stream: it resumes at Last-Event-ID, clients come back at intervals",
		By: []Judge{
			{Scenarios: "sse-resume", Assertions: "stream-continuity"},
			{Scenarios: "websocket-reconnect", Assertions: "reconnection"},
		},
	},
	{
		Refs: []string{"§10.4"},
		Asks: "streams have bounded resources at the server",
		Yet:  true,
		Why:  "a node refuses streams beyond its limit, and no load reaches it",
	},
	{
		Refs: []string{"§11"},
		Asks: "idempotency: same key and request, same result; in the domain's transaction",
		By: []Judge{
			{Scenarios: "unknown-outcome balancer-retry timeouts-out-of-step", Assertions: "write-ledger"},
			{Scenarios: "unknown-outcome", Assertions: "key-contract"},
		},
	},
	{
		Refs: []string{"§11"},
		Asks: "same key and another request is a 409; keys are a tenant's own",
		By:   []Judge{{Scenarios: "unknown-outcome", Assertions: "key-contract"}},
	},
	{
		Refs: []string{"§11"},
		Asks: "a key has a limited life",
		By:   []Judge{{Mutant: "key-expires-at-once", Scenarios: "unknown-outcome", Assertions: "write-ledger"}},
		Part: "that a life shorter than a retry does harm is found; that a key ends at all is not looked at, since it lives for 24 hours",
	},
	{
		Refs: []string{"§12"},
		Asks: "database failure: connection validation, bounded waiting, recovery",
		By: []Judge{
			{Scenarios: "db-down db-pool-exhausted", Assertions: "overload-contract"},
			{Scenarios: "db-restart", Assertions: "recovery"},
		},
		Part: "that dead connections are found is judged, and not by what: under load the requests of the outage find them before any look does",
	},
	{
		Refs: []string{"§12"},
		Asks: "a database that fails over to another machine",
		Why:  "the topology has one PostgreSQL; what users see while it is away is `db-down` and `db-restart`",
	},
	{
		Refs: []string{"§12"},
		Asks: "a circuit breaker",
		By:   []Judge{{Scenarios: "dependency-slow", Assertions: "error-budget"}},
		Part: "what is judged is a limit of time and a fallback before the price service; that nobody is asked for a while is not, for without it an order would be in time, too; before the database there is no breaker",
	},
	{
		Refs: []string{"§12"},
		Asks: "a cache for reference data that is mostly read",
		By:   []Judge{{Scenarios: "cache-staleness", Assertions: "staleness"}},
		Part: "how stale a cached price may be is judged, and not that it is still served while the database is away",
	},
	{
		Refs: []string{"§12"},
		Asks: "read-only degradation",
		By:   []Judge{{Scenarios: "db-down", Assertions: "overload-contract"}},
		Part: "of a database that is read-only each write is refused clearly, and what only reads goes on; the sample application has no such mode of its own",
	},
	{
		Refs: []string{"§12"},
		Asks: "maintenance mode",
		Why:  "the sample application has none",
	},
	{
		Refs: []string{"§12.1"},
		Asks: "connections of all nodes together stay below the database's ceiling, less what is reserved",
		By:   []Judge{{Scenarios: "db-connection-ceiling", Assertions: "connection-ceiling"}},
		Part: "by what nodes × pool come to and by the most that was seen; no run drives the database to where it refuses",
	},
	{
		Refs: []string{"§12.1"},
		Asks: "a quota for each service",
		Why:  "one service uses the database here, and PostgreSQL's own quota (CONNECTION LIMIT of a role) is not set",
	},
	{
		Refs: []string{"§12.1"},
		Asks: "connection leaks are detected",
		By: []Judge{
			{Scenarios: "db-disk-full", Assertions: "recovery"},
			{Scenarios: "db-pool-exhausted", Assertions: "blast-radius alerts"},
		},
		Part: "the node that leaks is told from the others by its errors, and what is not given back fails the run; a pool that finds a leak by itself is not tried",
	},
	{
		Refs: []string{"§12.1"},
		Asks: "waiting for the pool is bounded, and fails fast",
		By:   []Judge{{Scenarios: "db-pool-exhausted db-slow db-disk-slow", Assertions: "overload-contract"}},
	},
	{
		Refs: []string{"§13.1"},
		Asks: "the balancer asks readiness, not liveness",
		By:   []Judge{{Scenarios: "shallow-health-check constant-ready", Assertions: "readiness-gating"}},
	},
	{
		Refs: []string{"§13.2"},
		Asks: "drain before a restart: requests in flight complete",
		By: []Judge{
			{Scenarios: "drain", Assertions: "drain"},
			{Scenarios: "rolling-deploy-no-drain instance-stop", Assertions: "error-budget"},
			{Scenarios: "rolling-deploy", Assertions: "error-budget"},
		},
	},
	{
		Refs: []string{"§13.3"},
		Asks: "the grace period is longer than a request, and ends",
		By: []Judge{
			{Scenarios: "drain", Assertions: "drain"},
			{Scenarios: "instance-stop", Assertions: "error-budget"},
		},
	},
	{
		Refs: []string{"§14"},
		Asks: "rolling deployment: versions run side by side, rollback keeps new data",
		By: []Judge{
			{Scenarios: "rolling-deploy version-skew", Assertions: "version-skew"},
			{Scenarios: "rollback", Assertions: "session-survival version-skew"},
		},
	},
	{
		Refs: []string{"§14"},
		Asks: "events and cached values agree between versions; a flag switches new behaviour",
		Why:  "version 2 changes answers, sessions and rows, not events and prices; it has no flags",
	},
	{
		Refs: []string{"§14.1"},
		Asks: "expand, then contract",
		By:   []Judge{{Scenarios: "schema-expand-contract", Assertions: "version-skew error-budget"}},
	},
	{
		Refs: []string{"§14.2"},
		Asks: "state of each version is read by the other; one response contract",
		By:   []Judge{{Scenarios: "version-skew rolling-deploy", Assertions: "version-skew"}},
	},
	{
		Refs: []string{"§15"},
		Asks: "blue-green: the switch and the way back",
		By:   []Judge{{Scenarios: "blue-green", Assertions: "session-survival version-skew"}},
	},
	{
		Refs: []string{"§15"},
		Asks: "jobs do not run twice while blue and green are both up",
		By:   []Judge{{Scenarios: "job-single-owner", Assertions: "single-owner"}},
		Part: "the lease is tried between nodes of one version; in `blue-green`, which runs without the job, it is not tested yet: nothing stands in the way",
	},
	{
		Refs: []string{"§15.1"},
		Asks: "the switch is gradual",
		By:   []Judge{{Scenarios: "canary", Assertions: "distribution"}},
		Part: "that is a canary's; `blue-green` moves everybody at once",
	},
	{
		Refs: []string{"§15"},
		Asks: "callbacks from outside reach the side that serves",
		Why:  "nobody outside calls the sample application",
	},
	{
		Refs: []string{"§16"},
		Asks: "canary: errors by version, abort puts the traffic back",
		By:   []Judge{{Scenarios: "canary", Assertions: "version-skew distribution"}},
		Part: "of the figures by version those of errors, of answers and of state that cannot be read; not percentiles, waits for the pool, busy threads or what the business counts",
	},
	{
		Refs: []string{"§17.1"},
		Asks: "several zones",
		Why:  "one machine has no zones; losing one is losing its nodes at once: `two-nodes-lost`",
	},
	{
		Refs: []string{"§17.2", "§17.3"},
		Asks: "several regions",
		Why:  "replication between regions is not part of the topology",
	},
	{
		Refs: []string{"§18"},
		Asks: "scheduled work has one owner: lease with expiry, fencing, clock skew",
		By:   []Judge{{Scenarios: "job-single-owner", Assertions: "single-owner"}},
	},
	{
		Refs: []string{"§19"},
		Asks: "a cache is stale for no longer than is borne",
		By:   []Judge{{Scenarios: "cache-staleness", Assertions: "staleness"}},
	},
	{
		Refs: []string{"§19"},
		Asks: "a storm of cache misses; a cache that is bounded in memory, and knows its tenants",
		Yet:  true,
		Why:  "for a storm the load's ten prices are too few, and one restarted node's misses are all that `cache-staleness` makes; tenants the price cache has none",
	},
	{
		Refs: []string{"§20"},
		Asks: "an upload is there whichever node is asked",
		By:   []Judge{{Scenarios: "upload-node-loss", Assertions: "upload-durability"}},
	},
	{
		Refs: []string{"§20"},
		Asks: "the clean-up of temporary files knows of the other nodes",
		Why:  "the sample application keeps no temporary files",
	},
	{
		Refs: []string{"§21"},
		Asks: "requests do not need the administration's plane",
		Why:  "the stack has none; HAProxy's runtime socket is used by hachaos alone",
	},
	{
		Refs: []string{"§22"},
		Asks: "alive but cut off from the database: out of the rotation, and only that node",
		By: []Judge{
			{Scenarios: "db-partition-one-node", Assertions: "readiness-gating blast-radius"},
			{Scenarios: "shallow-health-check", Assertions: "readiness-gating"},
		},
	},
	{
		Refs: []string{"§23"},
		Asks: "502/503 during a deployment",
		By: []Judge{
			{Scenarios: "rolling-deploy cold-start", Assertions: "readiness-gating"},
			{Scenarios: "rolling-deploy-no-drain", Assertions: "error-budget"},
		},
	},
	{
		Refs: []string{"§23"},
		Asks: "some users lose their login",
		By:   []Judge{{Scenarios: "session-node-loss no-affinity session-expiry", Assertions: "session-survival"}},
	},
	{
		Refs: []string{"§23"},
		Asks: "duplicate writes after a failover",
		By:   []Judge{{Scenarios: "unknown-outcome balancer-retry instance-kill", Assertions: "write-ledger"}},
	},
	{
		Refs: []string{"§23"},
		Asks: "only one node fails after a deployment",
		By:   []Judge{{Scenarios: "config-drift", Assertions: "session-survival"}},
	},
	{
		Refs: []string{"§23"},
		Asks: "a deployment succeeds in part",
		By: []Judge{
			{Scenarios: "version-skew", Assertions: "version-skew"},
			{Scenarios: "config-drift", Assertions: "session-survival"},
		},
		Part: "what comes of it is tested, two versions or two configurations side by side; that a deployment fails on one node, and stops there, is not",
	},
	{
		Refs: []string{"§23"},
		Asks: "database exhausted after scaling out",
		By:   []Judge{{Scenarios: "db-connection-ceiling", Assertions: "connection-ceiling"}},
	},
	{
		Refs: []string{"§23"},
		Asks: "health is green and the endpoint fails",
		By:   []Judge{{Scenarios: "shallow-health-check constant-ready", Assertions: "readiness-gating"}},
	},
	{
		Refs: []string{"§23"},
		Asks: "a rolling deployment breaks the old version",
		By:   []Judge{{Scenarios: "version-skew schema-expand-contract", Assertions: "version-skew"}},
	},
	{
		Refs: []string{"§23"},
		Asks: "jobs run several times",
		By:   []Judge{{Scenarios: "job-single-owner", Assertions: "single-owner"}},
	},
	{
		Refs: []string{"§23"},
		Asks: "the cache is inconsistent",
		By:   []Judge{{Scenarios: "cache-staleness", Assertions: "staleness"}},
	},
	{
		Refs: []string{"§25.4"},
		Asks: "all instances are restarted at once",
		By:   []Judge{{Scenarios: "all-nodes-restarted", Assertions: "session-survival readiness-gating recovery"}},
	},
	{
		Refs: []string{"§26"},
		Asks: "a pause of garbage collection",
		By: []Judge{
			{Scenarios: "instance-freeze", Assertions: "failover-anatomy"},
			{Scenarios: "zombie-write", Assertions: "session-survival"},
		},
	},
	{
		Refs: []string{"§26"},
		Asks: "the heap at its end",
		By:   []Judge{{Scenarios: "instance-oom", Assertions: "failover-anatomy session-survival"}},
		Part: "the kernel ends the process because its container has no memory left; a full heap, whose OutOfMemoryError leaves a process that lives on, is not tested yet",
	},
	{
		Refs: []string{"§26"},
		Asks: "queue lag of workers",
		Why:  "the application has no workers behind a queue; the outbox is `outbox-loss`",
	},
	{
		Refs: []string{"§27.1"},
		Asks: "instance kill test",
		By:   []Judge{{Scenarios: "instance-kill", Assertions: "write-ledger error-budget readiness-gating failover-anatomy"}},
		Part: "that alerts are actionable is not asserted, since users notice so little that none should fire; whether errors tell the node or the database is `db-pool-exhausted` and `db-disk-full`",
	},
	{
		Refs: []string{"§27.2"},
		Asks: "rolling deployment test",
		By: []Judge{
			{Scenarios: "rolling-deploy", Assertions: "version-skew readiness-gating"},
			{Scenarios: "rollback", Assertions: "session-survival version-skew"},
		},
		Part: "the rollback is of all nodes; that of one of them is the heal of `version-skew`",
	},
	{
		Refs: []string{"§27.3"},
		Asks: "database slowdown test",
		By:   []Judge{{Scenarios: "db-slow db-disk-slow db-down db-black-hole", Assertions: "overload-contract recovery"}},
		Part: "that no storm of restarts follows is judged, and nothing in the stack would begin one, since nothing restarts a node for what its liveness says",
	},
	{
		Refs: []string{"§27.4"},
		Asks: "session node loss test",
		By:   []Judge{{Scenarios: "session-node-loss", Assertions: "session-survival"}},
	},
	{
		Refs:  []string{"§28.1"},
		Asks:  "three instances are not yet high availability",
		Holds: "what is left of the nodes serves on, and an outage of all or of the database ends without repair",
		By: []Judge{
			{Scenarios: "two-nodes-lost", Assertions: "error-budget"},
			{Scenarios: "all-nodes-restarted", Assertions: "session-survival"},
			{Scenarios: "db-down", Assertions: "overload-contract"},
		},
	},
	{
		Refs:  []string{"§28.2"},
		Asks:  "sticky sessions for ever",
		Holds: "affinity overloads no node, and a node that is back serves no stale session",
		By: []Judge{
			{Scenarios: "sticky-skew", Assertions: "distribution"},
			{Scenarios: "fail-back", Assertions: "session-survival"},
		},
	},
	{
		Refs:  []string{"§28.3"},
		Asks:  "a health endpoint that always says 200",
		Holds: "readiness is no constant: a node that cannot serve says so, and gets no requests",
		By:    []Judge{{Scenarios: "constant-ready db-partition-one-node", Assertions: "readiness-gating"}},
	},
	{
		Refs:  []string{"§28.4"},
		Asks:  "a cluster without statelessness",
		Holds: "sessions, uploads and cached values are the same through each node",
		By: []Judge{
			{Scenarios: "session-node-loss", Assertions: "session-survival"},
			{Scenarios: "upload-node-loss", Assertions: "upload-durability"},
			{Scenarios: "cache-staleness", Assertions: "staleness"},
		},
	},
	{
		Refs:  []string{"§28.5"},
		Asks:  "all nodes run all jobs",
		Holds: "one node at a time runs the job, and a late one's effects are refused",
		By:    []Judge{{Scenarios: "job-single-owner", Assertions: "single-owner"}},
	},
	{
		Refs:  []string{"§28.6"},
		Asks:  "pools sized by the node",
		Holds: "the pools of all nodes together stay below the database's ceiling",
		By:    []Judge{{Scenarios: "db-connection-ceiling", Assertions: "connection-ceiling"}},
	},
	{
		Refs:  []string{"§28.7"},
		Asks:  "deployment and migration in one irreversible step",
		Holds: "the schema changes in steps that both versions bear, and there is a way back",
		By: []Judge{
			{Scenarios: "schema-expand-contract", Assertions: "version-skew"},
			{Scenarios: "rollback", Assertions: "session-survival"},
		},
	},
	{
		Refs: []string{"§29.1"},
		Asks: "endpoints are stateless unless documented",
		By:   []Judge{{Scenarios: "no-affinity session-node-loss", Assertions: "session-survival"}},
	},
	{
		Refs: []string{"§29.1"},
		Asks: "unsafe writes are deduplicated",
		By:   []Judge{{Scenarios: "unknown-outcome balancer-retry", Assertions: "write-ledger"}},
		Part: "orders are, see §30 3",
	},
	{
		Refs: []string{"§29.1"},
		Asks: "no state of record in an instance",
		By: []Judge{
			{Scenarios: "session-node-loss", Assertions: "session-survival"},
			{Scenarios: "upload-node-loss", Assertions: "upload-durability"},
		},
	},
	{
		Refs: []string{"§29.1"},
		Asks: "background jobs are locked or idempotent",
		By:   []Judge{{Scenarios: "job-single-owner", Assertions: "single-owner"}},
	},
	{
		Refs: []string{"§29.1"},
		Asks: "file state is shared",
		By:   []Judge{{Scenarios: "upload-node-loss", Assertions: "upload-durability"}},
	},
	{
		Refs: []string{"§29.1"},
		Asks: "a cache is bounded and not authoritative",
		By:   []Judge{{Scenarios: "cache-staleness", Assertions: "staleness"}},
		Part: "the cache is bounded in time, and its memory is not looked at",
	},
	{
		Refs: []string{"§29.2"},
		Asks: "the artifact's version is consistent",
		By:   []Judge{{Scenarios: "version-skew", Assertions: "version-skew"}},
		Part: "two versions run on purpose, and every answer names its own; a node that a deployment forgot leaves that fault unproven, and its run inconclusive",
	},
	{
		Refs: []string{"§29.2"},
		Asks: "the server's configuration is consistent",
		By:   []Judge{{Scenarios: "config-drift", Assertions: "session-survival"}},
		Part: "a difference that users notice is found by what it does to them, and one that has room to spare is borne; no assertion compares the nodes' settings, which only the fault's own proof reads",
	},
	{
		Refs: []string{"§29.2"},
		Asks: "resources are targeted correctly",
		Why:  "targets are GlassFish's; here each node makes its own pool from its own settings, and one that differs is `config-drift`",
	},
	{
		Refs: []string{"§29.2"},
		Asks: "the server's libraries are the same",
		Why:  "all nodes are of one image",
	},
	{
		Refs: []string{"§29.2"},
		Asks: "system properties and secrets are consistent",
		By:   []Judge{{Scenarios: "config-drift", Assertions: "session-survival"}},
		Part: "of settings, and as above; one node with a wrong password is not tested yet: nothing stands in the way",
	},
	{
		Refs: []string{"§29.2"},
		Asks: "an instance's identity is seen",
		By: []Judge{
			{Scenarios: "version-skew", Assertions: "version-skew"},
			{Scenarios: "instance-kill", Assertions: "distribution"},
		},
		Part: "both rest on answers that name their node and version, and on the balancers' logs; an operator's metrics are not looked at",
	},
	{
		Refs: []string{"§29.3"},
		Asks: "the balancer uses readiness",
		By:   []Judge{{Scenarios: "shallow-health-check constant-ready", Assertions: "readiness-gating"}},
	},
	{
		Refs:  []string{"§29.3"},
		Asks:  "drain before a restart",
		Holds: "a node is drained before its restart, and what has begun completes",
		By: []Judge{
			{Scenarios: "drain", Assertions: "drain"},
			{Scenarios: "rolling-deploy-no-drain", Assertions: "error-budget"},
			{Scenarios: "rolling-deploy", Assertions: "error-budget"},
		},
	},
	{
		Refs: []string{"§29.3"},
		Asks: "interval and thresholds of the check are tuned",
		By:   []Judge{{Scenarios: "instance-kill instance-freeze", Assertions: "failover-anatomy"}},
	},
	{
		Refs: []string{"§29.3"},
		Asks: "timeouts are aligned",
		By:   []Judge{{Scenarios: "timeouts-out-of-step", Assertions: "timeout-order"}},
	},
	{
		Refs: []string{"§29.3"},
		Asks: "affinity is off unless intended",
		By: []Judge{
			{Scenarios: "no-affinity", Assertions: "session-survival"},
			{Scenarios: "sticky-skew", Assertions: "distribution"},
		},
	},
	{
		Refs: []string{"§29.3"},
		Asks: "jvmRoute is unique",
		Why:  "mod_jk's; the cookie's prefix is each node's name, which the topology makes unique",
	},
	{
		Refs:  []string{"§29.4"},
		Asks:  "a strategy: rolling, blue-green or canary",
		Holds: "a deployment that rolls, switches or begins with a canary is borne",
		By:    []Judge{{Scenarios: "rolling-deploy blue-green canary", Assertions: "version-skew"}},
	},
	{
		Refs: []string{"§29.4"},
		Asks: "versions are compatible",
		By:   []Judge{{Scenarios: "version-skew rolling-deploy", Assertions: "version-skew"}},
	},
	{
		Refs: []string{"§29.4"},
		Asks: "the schema expands, then contracts",
		By:   []Judge{{Scenarios: "schema-expand-contract", Assertions: "version-skew"}},
	},
	{
		Refs: []string{"§29.4"},
		Asks: "the rollback is tested",
		By:   []Judge{{Scenarios: "rollback", Assertions: "session-survival version-skew"}},
	},
	{
		Refs: []string{"§29.4"},
		Asks: "smoke tests run before traffic",
		By:   []Judge{{Scenarios: "blue-green", Assertions: "readiness-gating"}},
		Part: "green must be ready and name its version when it is asked itself, and no order is tried",
	},
	{
		Refs: []string{"§29.4"},
		Asks: "what is observed compares versions and instances",
		By:   []Judge{{Scenarios: "canary version-skew", Assertions: "version-skew"}},
	},
	{
		Refs:  []string{"§29.5"},
		Asks:  "kill one instance",
		Holds: "one instance is killed under load: sessions and writes survive, within the error budget",
		By:    []Judge{{Scenarios: "instance-kill", Assertions: "session-survival write-ledger error-budget"}},
	},
	{
		Refs:  []string{"§29.5"},
		Asks:  "restart one node",
		Holds: "one node is restarted under load, and gets no request before it is warm",
		By:    []Judge{{Scenarios: "cold-start", Assertions: "readiness-gating"}},
	},
	{
		Refs:  []string{"§29.5"},
		Asks:  "a slow database",
		Holds: "while the database is slow, answers are in time or clear, and nothing is exhausted",
		By:    []Judge{{Scenarios: "db-slow db-disk-slow", Assertions: "overload-contract"}},
	},
	{
		Refs:  []string{"§29.5"},
		Asks:  "a downstream failure",
		Holds: "a dependency fails or is slow: no node leaves the rotation for it, and users are served",
		By: []Judge{
			{Scenarios: "dependency-down", Assertions: "rotation-kept error-budget"},
			{Scenarios: "dependency-slow", Assertions: "error-budget"},
		},
	},
	{
		Refs:  []string{"§29.5"},
		Asks:  "a duplicate retry",
		Holds: "a write that is sent twice takes effect once",
		By:    []Judge{{Scenarios: "unknown-outcome balancer-retry", Assertions: "write-ledger"}},
	},
	{
		Refs:  []string{"§29.5"},
		Asks:  "the balancer's drain",
		Holds: "a node is drained, and what has begun completes",
		By:    []Judge{{Scenarios: "drain", Assertions: "drain"}},
	},
	{
		Refs:  []string{"§29.5"},
		Asks:  "the rollback",
		Holds: "the old version comes back, and reads what the new one wrote",
		By:    []Judge{{Scenarios: "rollback", Assertions: "session-survival version-skew"}},
	},
	{
		Refs:  []string{"§30 1"},
		Asks:  "which state prevents balancing without affinity?",
		Holds: "none: sessions survive where any node gets any request",
		By:    []Judge{{Scenarios: "no-affinity", Assertions: "session-survival"}},
	},
	{
		Refs:  []string{"§30 2"},
		Asks:  "what if an instance dies after the commit and before the response?",
		Holds: "the retry with the same key finds what was committed: it is there once",
		By:    []Judge{{Scenarios: "unknown-outcome", Assertions: "write-ledger"}},
	},
	{
		Refs:  []string{"§30 3"},
		Asks:  "has every unsafe write idempotency?",
		Holds: "each order that is sent again is there once",
		By:    []Judge{{Scenarios: "balancer-retry unknown-outcome", Assertions: "write-ledger"}},
		Part:  "orders have; a session's counter has no key, and `balancer-retry` does not judge sessions",
	},
	{
		Refs:  []string{"§30 4"},
		Asks:  "can two versions run together?",
		Holds: "yes: each reads what the other wrote, and their answers agree",
		By:    []Judge{{Scenarios: "version-skew", Assertions: "version-skew"}},
	},
	{
		Refs:  []string{"§30 5"},
		Asks:  "which health endpoint does the balancer use?",
		Holds: "one that looks at what the node needs to serve",
		By:    []Judge{{Scenarios: "shallow-health-check", Assertions: "readiness-gating"}},
	},
	{
		Refs:  []string{"§30 6"},
		Asks:  "does readiness see a critical dependency fail without a cascade?",
		Holds: "it sees that one node lost its database, and takes no node out for a price service",
		By: []Judge{
			{Scenarios: "dependency-down", Assertions: "rotation-kept"},
			{Scenarios: "db-partition-one-node", Assertions: "readiness-gating"},
		},
	},
	{
		Refs:  []string{"§30 7"},
		Asks:  "how many connections does the database bear?",
		Holds: "more than nodes × pool come to, less what is reserved",
		By:    []Judge{{Scenarios: "db-connection-ceiling", Assertions: "connection-ceiling"}},
	},
	{
		Refs:  []string{"§30 8"},
		Asks:  "are jobs single-owner?",
		Holds: "one node at a time has the lease, and a late one's effects are refused",
		By:    []Judge{{Scenarios: "job-single-owner", Assertions: "single-owner"}},
	},
	{
		Refs:  []string{"§30 9"},
		Asks:  "can one tenant overload one sticky instance?",
		Holds: "no: no node gets more than its share",
		By:    []Judge{{Scenarios: "sticky-skew", Assertions: "distribution"}},
		Part:  "that one session makes its node's share too large is found; that the node bears it, or does not, is not judged",
	},
	{
		Refs:  []string{"§30 10"},
		Asks:  "which alert tells that only one instance is unhealthy?",
		Holds: "the errors by node tell the sick one from the others, and would page in time",
		By:    []Judge{{Scenarios: "db-pool-exhausted", Assertions: "alerts"}},
	},
	{
		Refs:  []string{"§30 11"},
		Asks:  "which alert tells that all instances are well and the database is not?",
		Holds: "the errors of all nodes alike tell that it is none of them, and would page in time",
		By:    []Judge{{Scenarios: "db-disk-full", Assertions: "alerts"}},
		Part:  "that the users of all nodes see errors tells that it is none of them, which no planted defect hides there, and that a page would have come in time",
	},
	{
		Refs:  []string{"§30 12"},
		Asks:  "what of streaming clients during a restart?",
		Holds: "they come back, and go on where they were: nothing is lost or repeated",
		By: []Judge{
			{Scenarios: "sse-resume", Assertions: "stream-continuity"},
			{Scenarios: "websocket-reconnect", Assertions: "reconnection"},
		},
		Part: "under event streams a node is killed, and only under WebSockets ended in order",
	},
	{
		Refs: []string{"§30 13"},
		Asks: "is administration separate from requests?",
		Why:  "the stack has no plane of administration (§21)",
	},
	{
		Refs:  []string{"§30 14"},
		Asks:  "can one node be lost without manual repair?",
		Holds: "yes: sessions survive, and a node that is back is in the rotation again by itself",
		By: []Judge{
			{Scenarios: "instance-kill instance-oom", Assertions: "session-survival"},
			{Scenarios: "instance-crash-loop", Assertions: "readiness-gating recovery"},
		},
	},
	{
		Refs:  []string{"§30 15"},
		Asks:  "can the answers be proven by a test? (Each scenario has a case that must fail for the reason that it names.)",
		Holds: "this run proves them",
		By:    []Judge{{Scenarios: "instance-kill", Assertions: "session-survival write-ledger error-budget readiness-gating failover-anatomy distribution"}},
		Part:  "the cases are the campaign's, and no audit runs them",
	},
}
