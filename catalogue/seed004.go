package catalogue

// seed004 lists the items of: seed 004: Tomcat behind Apache.
var seed004 = []Item{
	{
		Refs: []string{"releases"},
		Asks: "a server is upgraded and the site stays available",
		By: []Judge{
			{Scenarios: "rolling-deploy", Assertions: "readiness-gating error-budget"},
			{Scenarios: "blue-green", Assertions: "session-survival error-budget"},
		},
	},
	{
		Refs: []string{"sessions"},
		Asks: "they are lost with their server unless it shares them",
		By:   []Judge{{Scenarios: "session-node-loss", Assertions: "session-survival"}},
	},
	{
		Refs: []string{"sessions"},
		Asks: "a server is used again as soon as it is back",
		By: []Judge{
			{Scenarios: "fail-back", Assertions: "session-survival"},
			{Scenarios: "instance-kill", Assertions: "failover-anatomy distribution"},
		},
	},
	{
		Refs: []string{"versions"},
		Asks: "what one version wrote the other cannot read",
		By: []Judge{
			{Scenarios: "version-skew", Assertions: "version-skew"},
			{Scenarios: "rollback", Assertions: "session-survival"},
		},
	},
	{
		Refs: []string{"balancer"},
		Asks: "members are taken out and added while it runs",
		By:   []Judge{{Scenarios: "drain balancer-reload", Assertions: "drain"}},
	},
	{
		Refs: []string{"mod_jk2, Tomcat's replication"},
		Asks: "the same with these",
		Why:  "another topology",
	},
}
