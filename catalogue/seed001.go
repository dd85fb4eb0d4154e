package catalogue

// seed001 lists the items of: seed 001: a Jetty cluster with sessions in a database.
var seed001 = []Item{
	{
		Refs: []string{"common issues"},
		Asks: "Jetty does not start: driver or Java missing",
		Why:  "a node that never becomes ready ends any run as an error, with its log",
	},
	{
		Refs: []string{"common issues"},
		Asks: "sessions are not persisted",
		By:   []Judge{{Scenarios: "session-node-loss session-store-loss", Assertions: "session-survival"}},
	},
	{
		Refs: []string{"common issues"},
		Asks: "the balancer shows the backend down",
		By: []Judge{
			{Scenarios: "instance-freeze instance-kill", Assertions: "failover-anatomy"},
			{Scenarios: "db-partition-one-node", Assertions: "readiness-gating"},
		},
	},
	{
		Refs: []string{"common issues"},
		Asks: "session data is lost between requests",
		By:   []Judge{{Scenarios: "no-affinity fail-back config-drift", Assertions: "session-survival"}},
	},
	{
		Refs: []string{"common issues"},
		Asks: "high memory, sessions pile up",
		By: []Judge{
			{Scenarios: "session-expiry", Assertions: "session-survival"},
			{Scenarios: "instance-oom", Assertions: "failover-anatomy"},
		},
		Part: "the job removes the dead sessions, and no others; what becomes of a node without memory is seen; that sessions pile up until it has none left is not tried",
	},
	{
		Refs: []string{"common issues"},
		Asks: "database connection errors: pool exhausted",
		By: []Judge{
			{Scenarios: "db-pool-exhausted", Assertions: "overload-contract"},
			{Scenarios: "db-connection-ceiling", Assertions: "connection-ceiling"},
			{Scenarios: "db-restart", Assertions: "recovery"},
		},
	},
	{
		Refs: []string{"common issues"},
		Asks: "wrong credentials",
		Yet:  true,
		Why:  "a node that the database turns away should be unready as one that cannot reach it, which is `db-partition-one-node`",
	},
	{
		Refs: []string{"pool tuning"},
		Asks: "20 connections a node, 5 of them kept",
		By:   []Judge{{Scenarios: "db-connection-ceiling", Assertions: "connection-ceiling"}},
		Part: "the formula is held to the profile that it runs on, which has ten and keeps them all; 20 and 5 are those of the profile documented",
	},
	{
		Refs: []string{"pool tuning"},
		Asks: "connections are tested before use",
		By:   []Judge{{Scenarios: "db-restart", Assertions: "recovery error-budget"}},
		Part: "users go on asking, so that their requests find the dead connections, which a look before use is only needed for in a pool that is idle",
	},
	{
		Refs: []string{"session clean-up"},
		Asks: "the hourly job deletes sessions by their access time",
		By:   []Judge{{Scenarios: "session-expiry", Assertions: "session-survival"}},
	},
	{
		Refs: []string{"verify your setup"},
		Asks: "session data persists while HAProxy distributes",
		By:   []Judge{{Scenarios: "no-affinity fail-back", Assertions: "session-survival"}},
	},
	{
		Refs: []string{"logs and disks"},
		Asks: "a full disk",
		By:   []Judge{{Scenarios: "db-disk-full", Assertions: "recovery error-budget"}},
		Part: "the disk of the orders; one that a node's or a balancer's logs have filled is not tested",
	},
}
