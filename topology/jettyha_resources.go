package topology

import (
	"fmt"
	"maps"
	"strconv"
	"time"
)

// SmallDisk is where the database's small file system is mounted, with the
// switch small-disk.
const SmallDisk = "/var/lib/hachaos/small"

// DatabaseDisk is where the database's disk is mounted, with the switch
// database-disk: PostgreSQL's data directory.
const DatabaseDisk = "/var/lib/hachaos/pgdata"

// smallDiskSize holds the tables of some minutes of load.
const smallDiskSize = 32 << 20

// smallDiskTables are the tables on the small file system, by the switch's
// value.
var smallDiskTables = map[string]string{
	"orders": "orders",
	"all":    "orders jettysessions api_idempotency",
}

// priceName is the second dependency's node, and toxiproxy's name of the way
// to it.
const priceName = "price"

// hasPrice says whether the application has a second dependency.
func (p jettyPlan) hasPrice() bool { return !p.set.is("dependency", "off") }

// price is the second dependency: an HAProxy that answers by itself, which
// costs a few megabytes and starts at once.
func (p jettyPlan) price(net jettyNet) (NodeSpec, error) {
	config, err := render("price.cfg.tmpl", priceData{pricePort})
	if err != nil {
		return NodeSpec{}, err
	}
	const path = "/etc/haproxy/price.cfg"
	return NodeSpec{
		Name:   priceName,
		Role:   Service,
		Image:  "haproxy",
		Addr:   net.host(hostPrice),
		Files:  []File{{Path: path, Mode: 0o644, Content: config}},
		Cmd:    []string{"haproxy", "-db", "-f", path},
		Shares: jettyShares,
		Port:   pricePort,
	}, nil
}

// env are the application's variables that do not depend on the node. The
// profile's win over the switches', but for those whose default it is.
func (p jettyPlan) env() map[string]string {
	env := p.set.env()
	maps.Copy(env, p.profile.env)
	if restart := p.set.values["restart"]; restart != ofProfile {
		env["RESTART"] = restart
	}
	if size, ok := p.set.numbers["pool"]; ok {
		env["POOL_SIZE"] = strconv.Itoa(size)
	}
	if p.set.is("pool-wait", "unbounded") {
		env["POOL_WAIT_MS"] = millis(time.Minute)
	}
	return env
}

// PostgreSQL's limits, as fixtures/images/postgres/postgresql.conf has them;
// superuser_reserved_connections is its default.
const (
	maxConnections       = 200
	reservedConnections  = 5
	superuserConnections = 3
	// Each node looks at its database over two connections of its own.
	nodeProbes = 2
)

// connectionValues are the pool's settings and what follows from them.
func (p jettyPlan) connectionValues() []Value {
	env := p.env()
	size, err := strconv.Atoi(env["POOL_SIZE"])
	if err != nil {
		size = 0 // a profile without a pool
	}
	ms, err := strconv.Atoi(env["POOL_WAIT_MS"])
	if err != nil {
		ms = 0
	}
	most := p.profile.pools*size + nodeProbes
	needed, formula := threadsNeeded(time.Duration(ms)*time.Millisecond, size, p.set.waits["order-work"])
	return []Value{
		{ValuePoolSize, strconv.Itoa(size), "8 nodes of 10 stay below PostgreSQL's 200", p.profile.file()},
		{"pool: idle", env["POOL_IDLE"], "as many as the tuned size: a pool that grows does so when the database is slow, and has each new connection waited for", p.profile.file()},
		{ValuePoolWait, fmt.Sprintf("%dms", ms), "250ms, HikariCP's least, then a clear 503 instead of a queue of threads", p.profile.file()},
		{ValueThreadsNeeded, strconv.Itoa(needed), formula, p.profile.file()},
		{ValueNodeConnections, strconv.Itoa(most), fmt.Sprintf("%d × the pool's %d + %d probes; times the number of nodes it must stay below max_connections less the reserved", p.profile.pools, size, nodeProbes), p.profile.file()},
		{ValueMaxConnections, strconv.Itoa(maxConnections), "eight nodes of 20 and two probes each, and room for the harness", postgresDir + "postgresql.conf"},
		{ValueReserved, strconv.Itoa(reservedConnections + superuserConnections), "reserved_connections 5 for the monitoring and superuser_reserved_connections 3: no application gets these", postgresDir + "postgresql.conf"},
	}
}

// What a node is meant to bear: all of the default load, orders being a third of
// it, since of two that the balancers take out for want of a database one is the
// last. A request waits for the pool twice at most, for its session and for its
// work; and Jetty has some threads of its own busy.
const (
	nodeRate    = 200 // requests a second
	nodeOrders  = nodeRate / 3
	poolWaits   = 2
	jettyThread = 8
)

// threadsNeeded is how many threads a node takes that turns away what its
// database is too slow for, however slow that is. By Little's law those that
// wait are as many as come within the wait; those that hold a connection are
// the pool's at most; and orders go on working after their commit.
func threadsNeeded(wait time.Duration, pool int, orderWork time.Duration) (int, string) {
	in := func(rate int, d time.Duration) int {
		return int((time.Duration(rate)*d + time.Second - 1) / time.Second)
	}
	needed := in(nodeRate*poolWaits, wait) + pool + in(nodeOrders, orderWork) + jettyThread
	return needed, fmt.Sprintf("%d requests a second × %d waits × pool wait %s + pool %d + %d orders a second × order work %s + Jetty's own %d (Little's law); it must stay below the threads that there are",
		nodeRate, poolWaits, wait, pool, nodeOrders, orderWork, jettyThread)
}

// threads are the most worker threads of a node, and the file in which that
// number stands.
func (p jettyPlan) threads() (int, string) {
	if p.profile.threads > 0 {
		return p.profile.threads, p.profile.file()
	}
	threads, err := strconv.Atoi(p.set.values["threads"])
	if err != nil {
		threads = 0 // no switch value is like that
	}
	return threads, jettySwitchesFile
}
