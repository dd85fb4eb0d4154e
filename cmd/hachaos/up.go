package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker"
)

// upReady is how long a topology may take to be ready.
const upReady = 3 * time.Minute

func (a *app) upCmd() *cobra.Command {
	var (
		f        topologyFlags
		name     string
		operator bool
	)
	c := &cobra.Command{
		Use:         "up [TOPOLOGY]",
		Annotations: brings(),
		Short:       "Bring a topology up and leave it standing",
		Example: `  hachaos up                      # jetty-ha, under the name jetty-ha
  hachaos up --name blue --profile documented
  hachaos up --operator           # for hachaos runbook run --on jetty-ha
  hachaos run instance-kill --on blue
  hachaos down blue`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("%s takes one topology, and got %q too", c.CommandPath(), args[1])
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			top := topology.All()[0].Name
			if len(args) == 1 {
				top = args[0]
			}
			if name == "" {
				name = top
			}
			return a.up(c.Context(), top, name, operator, f)
		},
	}
	f.add(c)
	c.Flags().StringVar(&name, "name", "", "the name it stands under (default: the topology's)")
	c.Flags().BoolVar(&operator, "operator", false, "with a container for the operator, in which runbooks' commands run")
	return c
}

func (a *app) up(ctx context.Context, top, name string, operator bool, f topologyFlags) error {
	def, err := topology.Lookup(top)
	if err != nil {
		return usageError{err}
	}
	if operator {
		def = gameday.WithOperator(def)
	}
	opts, err := f.options()
	if err != nil {
		return err
	}
	plan, err := def.Plan(topology.Options{Profile: opts.Profile, Nodes: opts.Nodes, Set: opts.Set})
	if err != nil {
		return usageError{err}
	}
	spec, err := plan(anySubnet)
	if err == nil {
		err = spec.CheckImages(opts.Images)
	}
	if err == nil {
		err = docker.CheckName(name)
	}
	if err != nil {
		return usageError{err}
	}
	d, err := docker.Open(ctx, docker.Options{})
	if err != nil {
		return err
	}
	defer d.Close()
	// Until it stands, a reaper removes it should this process die.
	id := newID()
	guard, err := d.StartReaper(ctx, docker.ReaperOptions{RunID: id})
	if err != nil {
		return err
	}
	c, err := a.bringUp(ctx, d, id, plan, topology.StartOptions{
		Subnet: opts.Subnet, Images: opts.Images, Standing: name,
		Progress: func(line string) { fmt.Fprintln(a.err, line) },
	})
	if errors.Is(err, topology.ErrLeftBehind) {
		return err // the reaper sets about it when this process ends
	}
	clearing, cancel := a.clearing(ctx)
	defer cancel()
	if err := errors.Join(err, guard.Release(clearing)); err != nil {
		return err
	}
	return printStanding(a.out, name, c)
}

// bringUp starts a topology and awaits its readiness. If that fails it has
// removed what it created, or the error wraps topology.ErrLeftBehind.
func (a *app) bringUp(
	ctx context.Context, d *docker.Driver, id string, plan topology.Plan, opts topology.StartOptions,
) (topology.Cluster, error) {
	c, err := d.Start(ctx, id, plan, opts)
	if err != nil {
		return nil, err
	}
	ready, cancel := context.WithTimeout(ctx, upReady)
	defer cancel()
	err = c.Ready(ready)
	if err == nil {
		return c, nil
	}
	err = fmt.Errorf("%s did not become ready, and is removed: %w", opts.Standing, err)
	clearing, cancel := a.clearing(ctx)
	defer cancel()
	if left := c.Close(clearing); left != nil {
		err = errors.Join(err, fmt.Errorf("%w: %w", topology.ErrLeftBehind, left))
	}
	return nil, err
}

// upClear is how long what did not become ready may take to be removed.
const upClear = time.Minute

// clearing is a context for removing things, which a first interrupt does not
// end and a second one does.
func (a *app) clearing(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), upClear)
	go func() {
		select {
		case <-a.hurry:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// newID is a label's value that no other topology has.
func newID() string { return fmt.Sprintf("%08x", rand.Uint32()) }

func printStanding(out io.Writer, name string, c topology.Cluster) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	s := c.Spec()
	fmt.Fprintf(w, "%s\t%s, profile %s\t%s (%s)\n", name, s.Name, s.Profile, c.Entry().URL, c.Entry().Via)
	for _, n := range s.Nodes {
		at := n.Addr.String()
		if n.Port != 0 {
			at = fmt.Sprintf("%s:%d", n.Addr, n.Port)
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", n.Name, n.Role, at)
	}
	fmt.Fprintf(w, "\nrun a scenario on it: hachaos run instance-kill --on %s\nremove it: hachaos down %s\n", name, name)
	return w.Flush()
}

func (a *app) downCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "down NAME",
		Short: "Remove a standing topology",
		Long:  "down removes a topology that `hachaos up` left, unless a run uses it.",
		Args:  oneArg("the name of a standing topology; `hachaos status` shows them"),
		RunE: onEngine(func(c *cobra.Command, d *docker.Driver, args []string) error {
			if err := d.Down(c.Context(), args[0]); err != nil {
				return asUsage(err)
			}
			_, err := fmt.Fprintf(a.out, "%s is removed\n", args[0])
			return err
		}),
	}
}
