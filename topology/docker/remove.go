package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/hachaos/hachaos/topology"
)

// Close implements topology.Cluster.
func (c *cluster) Close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	var err error
	if c.attached {
		err = c.engine.removeHelpers(ctx, c.id, c.owner)
	} else {
		c.driver.stood(c, true) // nobody borrows what is being removed
		err = c.engine.removeRun(ctx, c.id)
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", c.id, err)
	}
	c.closed = true
	return nil
}

// Leftovers implements topology.Cluster. Of a standing cluster, what stands is
// none.
func (c *cluster) Leftovers(ctx context.Context) ([]topology.Leftover, error) {
	things, err := c.engine.things(ctx, ofRun(c.id))
	if err != nil {
		return nil, err
	}
	var left []topology.Leftover
	for _, t := range things {
		if !c.attached || t.helperOf(c.owner) {
			left = append(left, t.leftover())
		}
	}
	return left, nil
}

// Down removes the standing topology of that name. It is an error that wraps
// topology.ErrNotFound if there is none, or topology.ErrInUse if a run uses it.
func (d *Driver) Down(ctx context.Context, name string) error {
	things, err := d.engine.things(ctx, make(client.Filters).Add("label", labelStanding+"="+name))
	if err != nil {
		return err
	}
	ids := make(map[string]bool)
	for _, t := range things {
		ids[t.run] = true
	}
	if len(ids) == 0 {
		return fmt.Errorf("topology %s: %w: `hachaos status` shows what stands", name, topology.ErrNotFound)
	}
	for id := range ids {
		if err := d.checkUnclaimed(ctx, id); err != nil {
			return fmt.Errorf("topology %s: %w", name, err)
		}
	}
	var errs []error
	for id := range ids {
		errs = append(errs, d.engine.removeRun(ctx, id))
	}
	return errors.Join(errs...)
}

func (d *Driver) checkUnclaimed(ctx context.Context, id string) error {
	mark, err := d.claimOn(ctx, id)
	if err != nil || mark == nil {
		return err
	}
	return d.judgeClaim(*mark)
}

// removalRounds bounds how often what is left is removed again: a container
// may be in removal already, or may have come into being after the first look.
const removalRounds = 5

// removeRun removes everything that bears the run's label, and returns once
// the engine shows nothing of it any more.
func (e *engine) removeRun(ctx context.Context, id string) error {
	return e.removeUntilGone(ctx, func(ctx context.Context) ([]thing, error) {
		return e.things(ctx, ofRun(id))
	})
}

// removeHelpers removes only what that process put beside a standing topology.
func (e *engine) removeHelpers(ctx context.Context, id string, by owner) error {
	return e.removeUntilGone(ctx, func(ctx context.Context) ([]thing, error) {
		all, err := e.things(ctx, ofRun(id))
		var own []thing
		for _, t := range all {
			if t.helperOf(by) {
				own = append(own, t)
			}
		}
		return own, err
	})
}

func (e *engine) removeUntilGone(ctx context.Context, look func(context.Context) ([]thing, error)) error {
	var last error
	for round := range removalRounds {
		if err := pauseBetween(ctx, round); err != nil {
			return errors.Join(err, last)
		}
		things, err := look(ctx)
		if err != nil {
			return err
		}
		if len(things) == 0 {
			return nil
		}
		last = e.removeThings(ctx, things)
	}
	things, err := look(ctx)
	if err != nil || len(things) == 0 {
		return err
	}
	return fmt.Errorf("%d objects are left, among them %s %s: %w", len(things), things[0].kind, things[0].name, last)
}

// pauseBetween gives the engine a moment to finish what it is about before a
// further round.
func pauseBetween(ctx context.Context, round int) error {
	if round < 2 {
		return ctx.Err()
	}
	select {
	case <-time.After(time.Duration(round) * 100 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// detach takes the containers out of their networks, one after the other. The
// engine keeps a count of a network's endpoints, and of two that go in the same
// moment it can miss one: the network then has "active endpoints" for ever and
// cannot be removed before the engine is restarted (moby/moby#42119; in the
// engine's libnetwork, endpointCnt is read and written without one lock around
// both). What cannot be detached goes with its container.
func (e *engine) detach(ctx context.Context, things []thing) {
	for _, t := range things {
		for _, network := range t.joined {
			_, _ = e.NetworkDisconnect(ctx, network, client.NetworkDisconnectOptions{Container: t.id, Force: true})
		}
	}
}

// removeThings removes containers first, all at the same time, and then what
// they used.
func (e *engine) removeThings(ctx context.Context, things []thing) error {
	e.detach(ctx, things)
	var errs []error
	for _, kinds := range [][]string{{kindContainer}, {kindNetwork, kindVolume}} {
		var group errgroup.Group
		results := make([]error, len(things))
		for i, t := range things {
			if t.kind != kinds[0] && t.kind != kinds[len(kinds)-1] {
				continue
			}
			group.Go(func() error {
				results[i] = e.removeThing(ctx, t)
				return nil
			})
		}
		_ = group.Wait() // the errors are in results
		errs = append(errs, results...)
	}
	return errors.Join(errs...)
}

func (e *engine) removeThing(ctx context.Context, t thing) error {
	var err error
	switch t.kind {
	case kindContainer:
		_, err = e.ContainerRemove(ctx, t.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	case kindNetwork:
		if _, err = e.NetworkRemove(ctx, t.id, client.NetworkRemoveOptions{}); errdefs.IsPermissionDenied(err) {
			err = fmt.Errorf("%w (if it has no container any more, the engine has miscounted: restart the engine, then remove it)", err)
		}
	case kindVolume:
		_, err = e.VolumeRemove(ctx, t.id, client.VolumeRemoveOptions{Force: true})
	}
	if err == nil || errdefs.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("remove %s %s: %w", t.kind, t.name, e.explain(err))
}
