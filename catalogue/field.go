package catalogue

// field lists the items of: beyond the seeds: what the field has met.
var field = []Item{
	{
		Asks: "a process that accepts and does not answer",
		By:   []Judge{{Scenarios: "instance-freeze", Assertions: "failover-anatomy"}},
	},
	{
		Asks: "a frozen node wakes and writes what is stale",
		By:   []Judge{{Scenarios: "zombie-write", Assertions: "session-survival"}},
	},
	{
		Asks: "back in the rotation with what it remembered",
		By:   []Judge{{Scenarios: "fail-back", Assertions: "session-survival"}},
	},
	{
		Asks: "the store is away, and the cache says all is well",
		By:   []Judge{{Scenarios: "session-store-loss", Assertions: "session-survival"}},
	},
	{
		Asks: "packets to the database vanish",
		By:   []Judge{{Scenarios: "db-black-hole", Assertions: "overload-contract"}},
	},
	{
		Asks: "packets are lost on the way",
		By:   []Judge{{Scenarios: "network-loss", Assertions: "error-budget"}},
	},
	{
		Asks: "a narrow or slow link",
		By:   []Judge{{Scenarios: "slow-network", Assertions: "error-budget"}},
	},
	{
		Asks: "the shared address is taken away behind keepalived's back",
		By:   []Judge{{Scenarios: "vip-failover", Assertions: "vip"}},
	},
	{
		Asks: "a neighbour believes that an address is where it was",
		By:   []Judge{{Scenarios: "stale-arp", Assertions: "failover-anatomy"}},
	},
	{
		Asks: "a slow disk",
		By:   []Judge{{Scenarios: "db-disk-slow", Assertions: "overload-contract"}},
		Part: "writes are held back, and not reads, which a database does from memory",
	},
	{
		Asks: "timeouts in the wrong order",
		By:   []Judge{{Scenarios: "timeouts-out-of-step", Assertions: "timeout-order"}},
	},
}
