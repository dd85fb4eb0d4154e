package observe

import (
	"context"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// How long the rotation is awaited, and how often it is looked at.
const (
	rotationWithin = 10 * time.Second
	rotationEvery  = 50 * time.Millisecond
)

// Rotation returns once every balancer would send new requests to each of its
// servers. A node says that it is ready before the balancers have found it so:
// users that came between would all be bound to those that were found first.
// It gives up after 10 s or when ctx ends, and says which balancer lacked
// which server.
func Rotation(ctx context.Context, c topology.Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, rotationWithin)
	defer cancel()
	var why error
	for {
		lacks := firstLack(ctx, c)
		if lacks == nil {
			return nil
		}
		if why == nil || ctx.Err() == nil { // a look that was broken off says nothing
			why = lacks
		}
		pause(ctx, rotationEvery)
		if ctx.Err() != nil {
			return fmt.Errorf("wait until the rotation is whole: %w (%w)", why, context.Cause(ctx))
		}
	}
}

// firstLack says which server a balancer is known not to use, or not known to.
func firstLack(ctx context.Context, c topology.Cluster) error {
	for _, node := range c.Nodes() {
		if node.Role() != topology.Balancer {
			continue
		}
		ns, _ := c.Spec().NodeByName(node.Name())
		one, cancel := context.WithTimeout(ctx, answerWithin)
		reply, err := ask(one, topology.Dial(c), joinPort(ns.Addr, runtimePort), showServers)
		cancel()
		if err != nil {
			return err
		}
		_, rows, err := parseReply(reply)
		if err != nil {
			return fmt.Errorf("%s: %w", node.Name(), err)
		}
		for _, r := range rows {
			if !takes(r["status"]) {
				return fmt.Errorf("%s holds %s for %s", node.Name(), r["svname"], r["status"])
			}
		}
	}
	return nil
}
