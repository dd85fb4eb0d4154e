package docker

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// pullPatience is how long a registry may take to say whether it has an image
// that the user asked for.
const pullPatience = 15 * time.Second

// obtain makes sure that the engine holds ref: it pulls what is not there from
// a registry that answers within patience. The pull itself is bounded by ctx.
func (e *engine) obtain(ctx context.Context, ref string, patience time.Duration, say func(string)) error {
	_, err := e.ImageInspect(ctx, ref)
	if err == nil || !errdefs.IsNotFound(err) {
		return e.explain(err)
	}
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := e.DistributionInspect(asking, ref, client.DistributionInspectOptions{}); err != nil {
		return fmt.Errorf("ask a registry for it: %w", err)
	}
	say("pulling " + ref)
	pull, err := e.ImagePull(ctx, ref, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	defer pull.Close()
	return pull.Wait(ctx)
}

// obtainReplacement makes sure of an image that replaces one of the fixtures'.
func (e *engine) obtainReplacement(ctx context.Context, name, ref string, say func(string)) error {
	if err := e.obtain(ctx, ref, pullPatience, func(line string) { say("image " + name + ": " + line) }); err != nil {
		return fmt.Errorf("%w: %s in place of %s: the engine does not hold it: build it, or `docker pull %s` first: %w",
			topology.ErrImage, ref, name, ref, err)
	}
	return nil
}
