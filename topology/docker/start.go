package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/hachaos/hachaos/topology"
)

// netImage is the fixture image that namespace helpers run; a run's start
// makes sure of it, so that no image is built in the middle of a run.
const netImage = topology.HelperImage

// removal is how long the engine may take to remove a topology.
const removal = 60 * time.Second

// Start implements topology.Driver.
func (d *Driver) Start(
	ctx context.Context, id string, plan topology.Plan, opts topology.StartOptions,
) (topology.Cluster, error) {
	say := serialised(opts.Progress)
	spec, err := d.firstPlan(ctx, id, plan, opts)
	if err != nil {
		return nil, err
	}
	refs, err := d.prepare(ctx, spec, opts.Images, say)
	if err != nil {
		return nil, err
	}
	netID, spec, err := d.makeNetwork(ctx, id, plan, spec, refs[netImage], opts)
	if err != nil {
		return nil, d.abandon(ctx, id, opts, err) // it may be the reply alone that was lost
	}
	if err := d.checkAlone(ctx, id, opts.Standing); err != nil {
		return nil, d.abandon(ctx, id, opts, err)
	}
	say(fmt.Sprintf("network %s: %s", networkName(id), spec.Subnet))
	c := d.newCluster(id, opts.Standing, netID, spec)
	c.netRef = refs[netImage]
	if err := c.bringUp(ctx, refs, say); err != nil {
		return nil, d.abandon(ctx, id, opts, err)
	}
	if opts.Standing != "" {
		d.stood(c, false)
	}
	return c, nil
}

// abandon removes what a start created that failed with err, and returns err,
// joined with topology.ErrLeftBehind if that could not be done.
func (d *Driver) abandon(ctx context.Context, id string, opts topology.StartOptions, err error) error {
	clearing, cancel := context.WithTimeout(context.WithoutCancel(ctx), removal)
	defer cancel()
	remove := d.engine.removeRun
	if errors.Is(err, context.DeadlineExceeded) || client.IsErrConnectionFailed(err) {
		remove = d.removeAndSettle // the engine may yet carry out what it was asked for
	}
	if left := remove(clearing, id); left != nil {
		by, command := "run "+id, "hachaos gc"
		if opts.Standing != "" {
			by, command = "topology "+opts.Standing, "hachaos down "+opts.Standing
		}
		return errors.Join(err, fmt.Errorf("%w by %s: remove it with `%s`: %w", topology.ErrLeftBehind, by, command, left))
	}
	return err
}

// firstPlan validates what was asked for and plans it for a subnet that is
// free now.
func (d *Driver) firstPlan(
	ctx context.Context, id string, plan topology.Plan, opts topology.StartOptions,
) (topology.Spec, error) {
	if err := checkID("run id", id); err != nil {
		return topology.Spec{}, err
	}
	if opts.Standing != "" {
		if err := checkID("name", opts.Standing); err != nil {
			return topology.Spec{}, err
		}
	}
	if err := d.checkUnused(ctx, id, opts.Standing); err != nil {
		return topology.Spec{}, err
	}
	used, err := d.engine.usedSubnets(ctx)
	if err != nil {
		return topology.Spec{}, err
	}
	if !opts.Subnet.IsValid() {
		return replan(id, plan, used)
	}
	if err := checkPinned(opts.Subnet, used); err != nil {
		return topology.Spec{}, err
	}
	return plan(opts.Subnet)
}

// checkUnused refuses an id or a standing name that something bears already.
func (d *Driver) checkUnused(ctx context.Context, id, standing string) error {
	list, err := d.engine.NetworkList(ctx, client.NetworkListOptions{
		Filters: make(client.Filters).Add("label", topology.RunLabel),
	})
	if err != nil {
		return fmt.Errorf("list networks: %w", d.engine.explain(err))
	}
	for _, network := range list.Items {
		if network.Labels[topology.RunLabel] == id {
			return fmt.Errorf("run id %s is in use by network %s: remove what is left with `hachaos gc`, or choose another id",
				id, network.Name)
		}
		if standing != "" && network.Labels[labelStanding] == standing {
			return fmt.Errorf("topology %s stands already: use it with `--on %s`, or remove it with `hachaos down %s`",
				standing, standing, standing)
		}
	}
	return nil
}

// checkAlone refuses a standing name that another start took since it was found
// to be free. Of two starts at the same time at most one goes on.
func (d *Driver) checkAlone(ctx context.Context, id, standing string) error {
	if standing == "" {
		return nil
	}
	things, err := d.engine.things(ctx, make(client.Filters).Add("label", labelStanding+"="+standing))
	if err != nil {
		return err
	}
	for _, t := range things {
		if t.run != id {
			return fmt.Errorf("topology %s was started by another process at the same time: use that one, or try again", standing)
		}
	}
	return nil
}

// prepare checks that the spec fits the machine, and makes its images; it
// returns the reference of each image name.
func (d *Driver) prepare(
	ctx context.Context, spec topology.Spec, overrides map[string]string, say func(string),
) (map[string]string, error) {
	names, err := imageNames(spec, overrides)
	if err != nil {
		return nil, err
	}
	group, checking := errgroup.WithContext(ctx)
	group.Go(func() error { return d.engine.checkDisk(checking, diskForRun) })
	group.Go(func() error { return d.engine.checkMemory(checking, spec) })
	var refs map[string]string
	group.Go(func() (err error) {
		refs, err = d.makeImages(checking, names, overrides, say)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	return refs, nil
}

// imageNames are the images that a run of the spec uses. The overrides may
// replace these and no others.
func imageNames(spec topology.Spec, overrides map[string]string) ([]string, error) {
	names := []string{netImage}
	for _, n := range spec.Nodes {
		names = append(names, n.Image)
	}
	slices.Sort(names)
	return slices.Compact(names), spec.CheckImages(overrides)
}

// makeImages builds those of the named images that are not replaced, and
// returns the reference of each name.
func (d *Driver) makeImages(
	ctx context.Context, names []string, overrides map[string]string, say func(string),
) (map[string]string, error) {
	refs := make(map[string]string, len(names))
	var own []string
	for _, name := range names {
		if refs[name] = overrides[name]; refs[name] != "" {
			if err := d.engine.obtainReplacement(ctx, name, refs[name], say); err != nil {
				return nil, err
			}
			continue
		}
		tag, err := d.builder.Tag(name)
		if err != nil {
			return nil, err
		}
		refs[name] = tag
		own = append(own, name)
	}
	if len(own) == 0 {
		return refs, nil
	}
	return refs, d.builder.Build(ctx, own, say)
}

// bringUp creates and starts every node, all at the same time: each is started
// as soon as it is there.
func (c *cluster) bringUp(ctx context.Context, refs map[string]string, say func(string)) error {
	group, starting := errgroup.WithContext(ctx)
	for _, n := range c.nodes {
		group.Go(func() error {
			if err := c.startNode(starting, n, refs[n.spec.Image]); err != nil {
				return fmt.Errorf("node %s: %w", n.spec.Name, err)
			}
			say("node " + n.spec.Name + ": started")
			return nil
		})
	}
	if c.relayed {
		group.Go(func() error { return c.startRelay(starting, refs) })
	}
	return group.Wait()
}

// identity is an image by its name and, where that may be given to another one, its
// digest: the name of one that was built here says what it was built from.
func (e *engine) identity(ctx context.Context, container, image string) (string, error) {
	if strings.HasPrefix(image, repository) {
		return image, nil
	}
	made, err := e.ContainerInspect(ctx, container, client.ContainerInspectOptions{})
	if err != nil {
		return "", fmt.Errorf("which image %s is: %w", image, e.explain(err))
	}
	return identified(image, made.Container.Image), nil
}

// identified is an image by its name and its digest.
func identified(image, digest string) string {
	if strings.HasPrefix(image, repository) || digest == "" {
		return image
	}
	return image + "@" + digest
}

func (c *cluster) startNode(ctx context.Context, n *node, image string) error {
	id, err := c.engine.create(ctx, nodeBox(c.id, c.standing, c.owner, n.spec, image))
	if err != nil {
		return err
	}
	n.id = id
	if n.image, err = c.engine.identity(ctx, id, image); err != nil {
		return err
	}
	if _, err := c.engine.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		return fmt.Errorf("start: %w%s", c.engine.explain(err), c.engine.logEnd(ctx, id))
	}
	return nil
}
