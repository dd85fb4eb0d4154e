package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// Garbage lists what bears hachaos's label and belongs to a process that is
// gone, and besides everything of the runs and standing topologies named.
// Standing topologies are otherwise left alone, and so is what belongs to
// nobody who can be told from here: another machine's, or made by hand.
func (d *Driver) Garbage(ctx context.Context, names ...string) ([]topology.Leftover, error) {
	found, err := d.garbage(ctx, names)
	if err != nil {
		return nil, err
	}
	var list []topology.Leftover
	for _, t := range found {
		list = append(list, t.leftover())
	}
	return list, nil
}

// Collect removes what Garbage lists, and returns what it removed.
func (d *Driver) Collect(ctx context.Context, names ...string) ([]topology.Leftover, error) {
	removed := make(map[string]topology.Leftover)
	err := d.engine.removeUntilGone(ctx, func(ctx context.Context) ([]thing, error) {
		found, err := d.garbage(ctx, names)
		for _, t := range found {
			removed[t.kind+" "+t.name] = t.leftover()
		}
		return found, err
	})
	var list []topology.Leftover
	for _, name := range slices.Sorted(maps.Keys(removed)) {
		list = append(list, removed[name])
	}
	if err != nil {
		return list, fmt.Errorf("collect garbage: %w", err)
	}
	return list, nil
}

func (d *Driver) garbage(ctx context.Context, names []string) ([]thing, error) {
	all, err := d.engine.things(ctx, make(client.Filters).Add("label", topology.RunLabel))
	if err != nil {
		return nil, err
	}
	return selectGarbage(all, names, func(o owner) liveness { return livenessOf(o, d.owner, startTicks) }), nil
}

// selectGarbage chooses by the rules of Garbage.
func selectGarbage(all []thing, names []string, judge func(owner) liveness) []thing {
	gone := func(t thing) bool {
		by, err := parseOwner(t.owner)
		return err == nil && judge(by) == ownerGone
	}
	orphans := map[string]bool{} // runs that stand, and that nobody will remove
	for _, t := range all {
		orphans[t.run] = orphans[t.run] || t.lent && gone(t)
	}
	var chosen []thing
	for _, t := range all {
		named := slices.Contains(names, t.run) || t.standing != "" && slices.Contains(names, t.standing)
		if named || t.standing != "" && orphans[t.run] || t.standing == "" && gone(t) {
			chosen = append(chosen, t)
		}
	}
	return chosen
}

// Standing is a topology that `up` left.
type Standing struct {
	Name    string         `json:"name"`
	ID      string         `json:"id"` // the label's value
	Spec    topology.Spec  `json:"spec"`
	Entry   topology.Entry `json:"entry"`
	Created time.Time      `json:"created"`
	Running int            `json:"running"` // how many of its nodes run
}

// Standing lists the topologies that stand, sorted by name.
func (d *Driver) Standing(ctx context.Context) ([]Standing, error) {
	filter := make(client.Filters).Add("label", labelStanding)
	networks, err := d.engine.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", d.engine.explain(err))
	}
	containers, err := d.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", d.engine.explain(err))
	}
	var list []Standing
	var errs []error
	for _, network := range networks.Items {
		s := Standing{
			Name: network.Labels[labelStanding], ID: network.Labels[topology.RunLabel], Created: network.Created,
		}
		if err := json.Unmarshal([]byte(network.Labels[labelSpec]), &s.Spec); err != nil {
			errs = append(errs, fmt.Errorf("network %s: label %s: %w", network.Name, labelSpec, err))
			continue
		}
		c := d.newCluster(s.ID, s.Name, network.ID, s.Spec)
		for _, item := range containers.Items {
			if item.Labels[topology.RunLabel] != s.ID {
				continue
			}
			if item.Labels[labelNode] != "" && item.State == container.StateRunning {
				s.Running++
			}
			if item.Labels[labelHelper] == relayHelper {
				c.relay = relayAddress(d.engine.host, item.Ports)
			}
		}
		s.Entry = c.Entry()
		list = append(list, s)
	}
	slices.SortFunc(list, func(x, y Standing) int { return strings.Compare(x.Name, y.Name) })
	return list, errors.Join(errs...)
}
