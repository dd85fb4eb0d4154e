package catalogue

// seed002 lists the items of: seed 002: steering clients to healthy nodes.
var seed002 = []Item{
	{
		Refs: []string{"health signal"},
		Asks: "readiness reflects dependencies and fails quickly; a port check is shallow",
		By: []Judge{
			{Scenarios: "shallow-health-check db-partition-one-node", Assertions: "readiness-gating"},
			{Scenarios: "instance-freeze", Assertions: "failover-anatomy"},
		},
	},
	{
		Refs: []string{"thresholds"},
		Asks: "they match start-up and warm-up; no flapping",
		By:   []Judge{{Scenarios: "cold-start instance-crash-loop", Assertions: "readiness-gating"}},
		Part: "no node is served before it is warm; how often one leaves and comes back is not counted",
	},
	{
		Refs: []string{"affinity"},
		Asks: "cookie, source address or hash, and where state lives",
		By: []Judge{
			{Scenarios: "no-affinity", Assertions: "session-survival"},
			{Scenarios: "sticky-skew", Assertions: "distribution"},
		},
		Part: "cookie and source address; no other hash",
	},
	{
		Refs: []string{"drain order"},
		Asks: "distribution first, then connections, then the node",
		By: []Judge{
			{Scenarios: "drain", Assertions: "drain"},
			{Scenarios: "rolling-deploy", Assertions: "error-budget"},
		},
	},
	{
		Refs: []string{"graceful drain"},
		Asks: "unready, while what has begun completes",
		By:   []Judge{{Scenarios: "instance-stop rolling-deploy-no-drain", Assertions: "error-budget"}},
	},
	{
		Refs: []string{"graceful drain"},
		Asks: "connections end at an age",
		Why:  "neither the balancers nor the nodes set one here",
	},
	{
		Refs: []string{"signals"},
		Asks: "distribution skew, connections, errors and latency by node during loss and recovery",
		By: []Judge{
			{Scenarios: "instance-kill", Assertions: "distribution"},
			{Scenarios: "db-pool-exhausted", Assertions: "blast-radius alerts"},
		},
		Part: "of connections it is judged that none is left exhausted, and not how they are shared",
	},
	{
		Refs: []string{"redundant balancers"},
		Asks: "a balancer is lost, frozen, reloaded",
		By: []Judge{
			{Scenarios: "balancer-kill", Assertions: "vip"},
			{Scenarios: "balancer-freeze", Assertions: "vip error-budget"},
			{Scenarios: "balancer-reload", Assertions: "drain error-budget"},
		},
	},
	{
		Refs: []string{"planned and unplanned"},
		Asks: "both kinds are in the plan",
		By: []Judge{
			{Scenarios: "drain", Assertions: "drain"},
			{Scenarios: "instance-kill", Assertions: "failover-anatomy"},
		},
	},
	{
		Refs: []string{"protocols"},
		Asks: "long-lived connections",
		By: []Judge{
			{Scenarios: "websocket-reconnect", Assertions: "reconnection"},
			{Scenarios: "sse-resume", Assertions: "stream-continuity"},
		},
	},
	{
		Refs: []string{"protocols"},
		Asks: "TLS and the PROXY protocol, UDP, gRPC",
		Why:  "the topology speaks plain HTTP",
	},
	{
		Refs: []string{"DNS, anycast"},
		Asks: "clients and resolvers cache",
		Why:  "another topology",
	},
}
