package clean

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// State is a topology that is put back into the state that it had when it was
// new. Its methods are not safe for concurrent use.
type State struct {
	cluster topology.Cluster
	probes  []Probe
	fresh   Snapshot
	// Settle is how long what changes by itself may take to be as it should
	// be: a server that comes up again, a transaction that ends.
	Settle time.Duration
}

// DefaultSettle is above every interval of a profile after which a balancer
// takes a server that answers for good again.
const DefaultSettle = 15 * time.Second

// lookEvery is the time between two looks.
const lookEvery = 250 * time.Millisecond

// Remember looks at a topology that is ready and not in use, until nothing in
// it is unsettled. What does not settle is an error.
func Remember(ctx context.Context, c topology.Cluster, probes []Probe) (*State, error) {
	s := &State{cluster: c, probes: probes, Settle: DefaultSettle}
	now, left := s.await(ctx, nil, Snapshot.Unready)
	if len(left) > 0 {
		return nil, fmt.Errorf("it does not settle: %s", Words(left))
	}
	s.fresh = now
	return s, nil
}

// Facts counts what is compared.
func (s *State) Facts() int { return s.fresh.Facts() }

// Restore empties the tables that were empty, looks, puts back what is cheap
// to put back (toxics, and by a restart of its container what a node or a
// balancer remembers) and proves that all is as it was. It returns what it had
// to put back beside the rows, or set about to. An error says what differs still: then the
// topology must not be used again. Nothing may use it meanwhile.
func (s *State) Restore(ctx context.Context) (did []string, err error) {
	for _, step := range s.routine() {
		if err := step.act(ctx, s.cluster); err != nil {
			return nil, fmt.Errorf("%s: %w", step.about, err)
		}
	}
	now := Take(ctx, s.cluster, s.probes)
	found := Compare(s.fresh, now)
	if len(found) == 0 {
		return nil, nil
	}
	steps := resets(s.cluster.Spec(), found)
	for _, step := range steps {
		did = append(did, step.about)
	}
	if err := s.all(ctx, steps); err != nil {
		return did, err
	}
	now, left := s.await(ctx, found, func(part Snapshot) []Difference { return Compare(s.fresh.of(part), part) })
	if len(left) == 0 {
		left = Compare(s.fresh, now) // whole: what nobody looked at any more, too
	}
	if len(left) > 0 {
		return did, errors.New(Words(left))
	}
	return did, nil
}

// all takes the steps, each of a node of its own, at the same time.
func (s *State) all(ctx context.Context, steps []step) error {
	errs := make([]error, len(steps))
	var wg sync.WaitGroup
	for i, step := range steps {
		wg.Go(func() {
			if err := step.act(ctx, s.cluster); err != nil {
				errs[i] = fmt.Errorf("%s: %w", step.about, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// routine are the steps that every run asks for.
func (s *State) routine() []step {
	var out []step
	for _, key := range slices.Sorted(maps.Keys(s.fresh)) {
		probe, node, _ := strings.Cut(key, " ")
		var tables []string
		for _, l := range s.fresh[key] {
			if table, rows := strings.CutPrefix(l, "rows of "); probe == "database" && rows {
				if name, empty := strings.CutSuffix(table, ": 0"); empty {
					tables = append(tables, name)
				}
			}
		}
		if len(tables) > 0 {
			out = append(out, emptied(node, tables))
		}
	}
	return out
}

// await looks until judge finds nothing, for as long as Settle, and returns the last
// look of all probes. While there is something left only the probes that found it look
// again: a look of all takes half a processor for half a second from nodes that start.
func (s *State) await(ctx context.Context, left []Difference, judge func(Snapshot) []Difference) (Snapshot, []Difference) {
	for until := time.Now().Add(s.Settle); ; {
		if len(left) > 0 {
			left = judge(Take(ctx, s.cluster, concerned(s.probes, left)))
		}
		if len(left) == 0 {
			now := Take(ctx, s.cluster, s.probes)
			if left = judge(now); len(left) == 0 {
				return now, nil
			}
		}
		if ctx.Err() != nil || !time.Now().Before(until) {
			return nil, left
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
		}
	}
}

// concerned are the probes that found the differences: of a fact that exactly one node
// must have, whichever tell such facts.
func concerned(probes []Probe, found []Difference) []Probe {
	return slices.DeleteFunc(slices.Clone(probes), func(p Probe) bool {
		return !slices.ContainsFunc(found, func(d Difference) bool {
			return d.Probe == p.Name || d.Probe == soleProbe && p.tellsSoles()
		})
	})
}

// step is one thing that puts something back.
type step struct {
	about string
	act   func(context.Context, topology.Cluster) error
}

// resets are the steps that differences ask for. A difference that no step
// is for stays, and is found by the look after them. It is pure.
func resets(spec topology.Spec, all []Difference) []step {
	var restart, toxic []string
	for _, d := range all {
		node, _ := spec.NodeByName(d.Node)
		switch {
		case d.Probe == "proxies":
			toxic = add(toxic, d.Node)
		case d.Probe == "application" && !strings.HasPrefix(d.Is, Unsettled), d.Probe == "processes" && node.Role != topology.Database:
			restart = add(restart, d.Node)
		case d.Probe == "files" && d.Is == "file "+overrideFile:
			restart = add(restart, d.Node)
		case d.Probe == "servers" && !strings.HasPrefix(d.Is, Unsettled):
			restart = add(restart, d.Node)
		}
	}
	var out []step
	for _, node := range toxic {
		out = append(out, step{"reset the proxies of " + node, resetProxies(node)})
	}
	for _, node := range restart {
		out = append(out, step{"restarted " + node, restarted(node)})
	}
	return out
}

func add(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// emptied empties tables of a node.
func emptied(node string, tables []string) step {
	argv := append([]string{"sh", "-c", emptyScript, "hachaos-empty"}, tables...)
	return step{"empty " + strings.Join(tables, ", "), func(ctx context.Context, c topology.Cluster) error {
		n, err := find(c, node)
		if err != nil {
			return err
		}
		_, err = run(n.Exec(ctx, argv...))
		return err
	}}
}

func resetProxies(node string) func(context.Context, topology.Cluster) error {
	return func(ctx context.Context, c topology.Cluster) error {
		n, err := find(c, node)
		if err != nil {
			return err
		}
		ns, ok := n.(topology.Namespace)
		if !ok {
			return fmt.Errorf("node %s: nothing can be run beside it", node)
		}
		spec, _ := c.Spec().NodeByName(node)
		_, err = run(ns.InNamespace(ctx, "curl", "-sf", "-m", "2", "-X", "POST", fmt.Sprintf("http://127.0.0.1:%d/reset", spec.Port)))
		return err
	}
}

// overrideFile changes a node's environment at its next start.
const overrideFile = "/etc/hachaos/override.env"

// restarted has a node begin anew, without an override; what it does is not
// in use, so that there is nothing to end gracefully.
func restarted(node string) func(context.Context, topology.Cluster) error {
	return func(ctx context.Context, c topology.Cluster) error {
		n, err := find(c, node)
		if err != nil {
			return err
		}
		box, ok := n.(topology.Container)
		if !ok {
			return fmt.Errorf("node %s is no container", node)
		}
		if _, err := run(n.Exec(ctx, "rm", "-f", overrideFile)); err != nil {
			return err
		}
		return errors.Join(box.Kill(ctx), box.Start(ctx))
	}
}

func find(c topology.Cluster, name string) (topology.Node, error) {
	for _, n := range c.Nodes() {
		if n.Name() == name {
			return n, nil
		}
	}
	return nil, fmt.Errorf("node %s: %w", name, topology.ErrNotFound)
}
