package zoo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// RunLimit bounds the scripts of a change, each by itself.
const RunLimit = 30 * time.Second

// Driver is a driver that runs the scripts of the planted changes in what it
// starts. Standing topologies are none of its business: they are as somebody
// else made them.
func (p Planted) Driver(d topology.Driver) topology.Driver {
	return driver{d, p}
}

type driver struct {
	topology.Driver
	planted Planted
}

// Start implements topology.Driver. A script that fails is an error, and what
// was started is removed.
func (d driver) Start(ctx context.Context, id string, plan topology.Plan, opts topology.StartOptions) (topology.Cluster, error) {
	cluster, err := d.Driver.Start(ctx, id, plan, opts)
	if err != nil {
		return nil, err
	}
	if err := d.planted.run(ctx, cluster.Nodes()); err != nil {
		if closed := cluster.Close(context.WithoutCancel(ctx)); closed != nil {
			return nil, errors.Join(err, fmt.Errorf("%w: %w", topology.ErrLeftBehind, closed))
		}
		return nil, err
	}
	return cluster, nil
}

func (p Planted) run(ctx context.Context, nodes []topology.Node) error {
	for n, c := range p.Overlay {
		if c.Run == "" {
			continue
		}
		for _, node := range nodes {
			if !c.aims(map[string]bool{}, node.Name(), node.Role()) {
				continue
			}
			if err := script(ctx, node, c.Run); err != nil {
				return fmt.Errorf("overlay %d: script in %s: %w", n+1, node.Name(), err)
			}
		}
	}
	return nil
}

func script(ctx context.Context, node topology.Node, text string) error {
	ctx, cancel := context.WithTimeout(ctx, RunLimit)
	defer cancel()
	out, err := node.Exec(ctx, "/bin/sh", "-ec", text)
	if err != nil {
		return err
	}
	if out.Code != 0 {
		return fmt.Errorf("it ended with status %d: %s", out.Code, strings.TrimSpace(string(out.Stderr)+" "+string(out.Stdout)))
	}
	return nil
}

// Has implements topology.Featured as the inner driver does; of one that
// cannot tell, there is no feature.
func (d driver) Has(ctx context.Context, f topology.Feature) (bool, error) {
	if inner, ok := d.Driver.(topology.Featured); ok {
		return inner.Has(ctx, f)
	}
	return false, nil
}
