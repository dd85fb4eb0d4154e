package catalogue

// seed000 lists the items of: seed 000: a server and its address, moved by Pacemaker.
var seed000 = []Item{
	{
		Refs: []string{"address"},
		Asks: "the VIP has another owner when its own is gone",
		By:   []Judge{{Scenarios: "vip-failover balancer-kill", Assertions: "vip"}},
	},
	{
		Refs: []string{"address"},
		Asks: "it has one owner only: an address that is in use twice breaks connections",
		By:   []Judge{{Scenarios: "vip-split-brain", Assertions: "vip"}},
	},
	{
		Refs: []string{"ARP"},
		Asks: "the neighbours hear that it moved",
		By: []Judge{
			{Scenarios: "stale-arp", Assertions: "failover-anatomy"},
			{Scenarios: "vip-failover", Assertions: "error-budget"},
		},
	},
	{
		Refs: []string{"connections"},
		Asks: "those under way drop when it moves; clients' timeouts and retries bear that",
		By: []Judge{
			{Scenarios: "balancer-kill", Assertions: "error-budget"},
			{Scenarios: "vip-failover", Assertions: "error-budget"},
		},
	},
	{
		Refs: []string{"state"},
		Asks: "it is outside of the process",
		By:   []Judge{{Scenarios: "session-node-loss", Assertions: "session-survival"}},
	},
	{
		Refs: []string{"nodes"},
		Asks: "program and configuration match",
		By: []Judge{
			{Scenarios: "config-drift", Assertions: "session-survival"},
			{Scenarios: "version-skew", Assertions: "version-skew"},
		},
	},
	{
		Refs: []string{"Pacemaker"},
		Asks: "service and address move together; a quorum decides",
		Why:  "keepalived moves the address here; another topology",
	},
}
