package docker

import (
	"context"
	"fmt"

	"github.com/moby/moby/api/types/container"

	"github.com/hachaos/hachaos/topology"
)

// claimHelper is the helper label of a claim, which stands beside no node.
const claimHelper = "(run)"

// claim marks the standing cluster as in use by this process, until Close or,
// should the process die, until its reaper or `gc` removes the mark. The mark
// is a container that is never started: the engine gives its name only once.
func (c *cluster) claim(ctx context.Context) error {
	for range 2 {
		_, err := c.engine.create(ctx, claimBox(c))
		if err == nil {
			return nil
		}
		held, lookErr := c.driver.claimOn(ctx, c.id)
		switch {
		case lookErr != nil:
			return lookErr
		case held == nil:
			return fmt.Errorf("mark it as in use: %w", err)
		}
		if err := c.driver.judgeClaim(*held); err != nil {
			return err
		}
		if err := c.engine.removeThing(ctx, *held); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: another took it in the same moment: try again", topology.ErrInUse)
}

func claimBox(c *cluster) box {
	marks := labels(c.id, "", c.owner)
	marks[labelHelper] = claimHelper
	return box{
		name:   containerName(c.id, "in-use"),
		config: container.Config{Image: c.netRef, Labels: marks},
		host:   container.HostConfig{NetworkMode: "none", LogConfig: logLimits},
	}
}

// claimOn returns the mark of the cluster that has this id; nil if none has.
func (d *Driver) claimOn(ctx context.Context, id string) (*thing, error) {
	things, err := d.engine.things(ctx, ofRun(id))
	if err != nil {
		return nil, err
	}
	for _, t := range things {
		if t.helper == claimHelper {
			return &t, nil
		}
	}
	return nil, nil
}

// judgeClaim returns nil if the process that made the mark is gone, and else an
// error that wraps topology.ErrInUse and says what to do.
func (d *Driver) judgeClaim(mark thing) error {
	by, err := parseOwner(mark.owner)
	if err != nil {
		return fmt.Errorf("%w that cannot be told: if there is none, `docker rm %s`: %w", topology.ErrInUse, mark.name, err)
	}
	switch livenessOf(by, d.owner, startTicks) {
	case ownerGone:
		return nil
	case ownerAlive:
		return fmt.Errorf("%w, process %d: await its end, or interrupt it", topology.ErrInUse, by.pid)
	default:
		return fmt.Errorf("%w of another machine, container or user: await its end or, if it is gone, `docker rm %s`",
			topology.ErrInUse, mark.name)
	}
}
