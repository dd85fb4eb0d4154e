package observe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// quiesceWithin bounds Quiesce; a request ends sooner by every timeout of the
// stack.
const quiesceWithin = 30 * time.Second

// quiesceEvery is the time between two looks.
const quiesceEvery = 50 * time.Millisecond

// Quiesce returns once no request is in flight on any balancer or application
// node, asked in this order: what has left the balancers cannot come to a
// node any more. It is to be called after the load, with all faults healed;
// a container that does not run has nothing in flight. It gives up after 30 s
// or when ctx ends, and says which node was still busy or did not answer.
func Quiesce(ctx context.Context, c topology.Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, quiesceWithin)
	defer cancel()
	var why error
	for {
		busy := firstBusy(ctx, c)
		if busy == nil {
			return nil
		}
		if why == nil || ctx.Err() == nil { // a look that was broken off says nothing
			why = busy
		}
		pause(ctx, quiesceEvery)
		if ctx.Err() != nil {
			return fmt.Errorf("wait until no request is in flight: %w (%w)", why, context.Cause(ctx))
		}
	}
}

// firstBusy says which node is known to be busy, or not known to be idle.
func firstBusy(ctx context.Context, c topology.Cluster) error {
	for _, role := range []topology.Role{topology.Balancer, topology.Application} {
		for _, node := range c.Nodes() {
			if node.Role() != role {
				continue
			}
			n, err := inFlight(ctx, c, node)
			switch {
			case err != nil && stopped(ctx, node):
			case err != nil:
				return err
			case n > 0:
				return fmt.Errorf("%s has %d in flight", node.Name(), n)
			}
		}
	}
	return nil
}

// stopped says that the node is a container that certainly does not run.
func stopped(ctx context.Context, node topology.Node) bool {
	c, ok := node.(topology.Container)
	if !ok {
		return false
	}
	state, err := c.Inspect(ctx)
	return err == nil && !state.Running
}

// inFlight asks a node how many requests it works on.
func inFlight(ctx context.Context, c topology.Cluster, node topology.Node) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	ns, _ := c.Spec().NodeByName(node.Name())
	if node.Role() == topology.Balancer {
		return balancerInFlight(ctx, topology.Dial(c), ns)
	}
	got, err := get(ctx, topology.Dial(c), addr(ns, ns.Port, appPort), metricsPath)
	if err != nil {
		return 0, err
	}
	samples, err := parseMetrics(got.body)
	if s, ok := gauges(samples)[gaugeInFlight]; ok && got.status == 200 {
		return int(s.value), nil
	}
	return 0, errors.Join(fmt.Errorf("%s: %s has no %s (status %d)", node.Name(), metricsPath, gaugeInFlight, got.status), err)
}

// showBackends asks for the backends, type 2. A frontend's count holds idle
// connections that clients keep, a backend's only requests.
const showBackends = "show stat -1 2 -1"

func balancerInFlight(ctx context.Context, dial topology.DialFunc, ns topology.NodeSpec) (int, error) {
	reply, err := ask(ctx, dial, joinPort(ns.Addr, runtimePort), showBackends)
	if err != nil {
		return 0, err
	}
	rows, err := parseStat(reply)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", ns.Name, err)
	}
	if len(rows) == 0 {
		return 0, fmt.Errorf("%s: `%s` lists no backend", ns.Name, showBackends)
	}
	var sum int64
	for _, r := range rows {
		sum += r.number("scur") + r.number("qcur")
	}
	return int(sum), nil
}
