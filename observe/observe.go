// Package observe watches what the system says of itself while it is loaded:
// the engine's events, each node's health endpoints, gauges and log, the
// balancers' request log and their view of each server, who holds the VIP,
// and the database. After the load it reads the ledger and the sessions.
//
// An observer knows its gaps. The last thing that it writes is one
// history.Coverage for each stream and source, complete or not and why; a
// checker that needs a stream which is not complete gives no verdict. No
// observer changes the system, and each outlives the death of what it
// watches.
package observe

import (
	"cmp"
	"context"
	"path/filepath"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// Observer watches one thing during a run.
type Observer interface {
	// Name is unique among the observers of a run: "health j1".
	Name() string
	// Observe watches until ctx ends, puts what it sees into sink, and last
	// of all its Coverage. It returns nil if ctx ended it; any other end is
	// an error, and the coverage says so too. All that it started has ended
	// when it returns, which is at most Grace after the end of ctx. It is
	// called once.
	Observe(ctx context.Context, sink history.Sink) error
}

// Beginner is the capability of an observer that has to set something up
// before it sees anything.
type Beginner interface {
	// Begun returns a channel that is closed once the observer has seen
	// something, or never will. It may be called before Observe.
	Begun() <-chan struct{}
}

// Grace is how long after the end of its context an observer may take to
// read what was said before: until a log is quiet, and for the driver's own
// reading of its end.
const Grace = 15 * time.Second

// How often the observers look.
const (
	healthEvery     = 100 * time.Millisecond
	truthEvery      = 100 * time.Millisecond
	runtimeEvery    = 100 * time.Millisecond
	vipEvery        = 100 * time.Millisecond
	connectionEvery = 500 * time.Millisecond
	hostEvery       = 250 * time.Millisecond
)

// StreamLog is the stream of a Coverage that speaks of a component's log
// which is kept as it is and not read: the database's, the proxies'.
const StreamLog = "log"

// All returns the observers that fit c's nodes. Each node's log is written to
// dir/<node>.log, the run's folder of logs, which must exist. Times are on
// clock, and logs and events are taken from its start on.
func All(c topology.Cluster, clock history.RunClock, dir string) []Observer {
	e := newEnv(c, clock, dir)
	spec := c.Spec()
	all := []Observer{&engine{e}, &nodes{e}, &host{e, "/proc/stat", "/proc/pressure/io"}}
	for _, node := range c.Nodes() {
		ns, _ := spec.NodeByName(node.Name())
		all = append(all, e.observers(spec, node, ns)...)
	}
	return all
}

// observers are those of one node, by its role.
func (e env) observers(spec topology.Spec, node topology.Node, ns topology.NodeSpec) []Observer {
	switch node.Role() {
	case topology.Application:
		return []Observer{&health{e, ns}, &truth{e, ns}, &nodeLog{e, ns.Name}}
	case topology.Balancer:
		if spec.VIP.IsValid() {
			return []Observer{&balancer{e, ns}, newVIP(e, node, spec.VIP)}
		}
		return []Observer{&balancer{e, ns}}
	case topology.Database:
		return []Observer{newConnections(e, ns), &databaseLog{e, ns.Name}}
	}
	return []Observer{&plainLog{e, node.Name()}}
}

// env is what every observer of a run works with.
type env struct {
	cluster topology.Cluster
	clock   history.RunClock
	// dir is the folder of the components' logs; it exists.
	dir string
	// wall maps the times of logs and of the engine.
	wall *history.Mapper
}

func newEnv(c topology.Cluster, clock history.RunClock, dir string) env {
	return env{cluster: c, clock: clock, dir: dir, wall: history.NewMapper(clock)}
}

// dial returns how the cluster's addresses are reached.
func (e env) dial() topology.DialFunc { return topology.Dial(e.cluster) }

// logFile is where the node's log goes.
func (e env) logFile(node string) string { return filepath.Join(e.dir, node+".log") }

// addr is where a node answers, at port or, if that is 0, at fallback.
func addr(n topology.NodeSpec, port, fallback int) string {
	return joinPort(n.Addr, cmp.Or(port, fallback))
}
