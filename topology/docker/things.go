package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// Kinds of objects that the engine holds.
const (
	kindContainer = "container"
	kindNetwork   = "network"
	kindVolume    = "volume"
)

// thing is an object of the engine that bears hachaos's label.
type thing struct {
	kind     string
	id       string
	name     string
	run      string // the value of topology.RunLabel
	standing string
	lent     bool     // its owner removes it, although it stands
	helper   string   // the node that it stands beside, if it is a helper
	owner    string   // as the label says
	detail   string   // "running", "exited (137) 2 minutes ago", a subnet
	joined   []string // the networks that a running container has an endpoint in
}

// things lists the containers, networks and volumes that match the filters.
func (e *engine) things(ctx context.Context, filters client.Filters) ([]thing, error) {
	containers, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", e.explain(err))
	}
	networks, err := e.NetworkList(ctx, client.NetworkListOptions{Filters: filters})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", e.explain(err))
	}
	volumes, err := e.VolumeList(ctx, client.VolumeListOptions{Filters: filters})
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", e.explain(err))
	}
	var all []thing
	for _, c := range containers.Items {
		name := strings.TrimPrefix(strings.Join(c.Names, ","), "/")
		t := thing{kind: kindContainer, id: c.ID, name: name, detail: c.Status}.labelled(c.Labels)
		if c.NetworkSettings != nil && (c.State == container.StateRunning || c.State == container.StatePaused) {
			t.joined = slices.Sorted(maps.Keys(c.NetworkSettings.Networks))
		}
		all = append(all, t)
	}
	for _, n := range networks.Items {
		detail := ""
		if len(n.IPAM.Config) > 0 {
			detail = n.IPAM.Config[0].Subnet.String()
		}
		all = append(all, thing{kind: kindNetwork, id: n.ID, name: n.Name, detail: detail}.labelled(n.Labels))
	}
	for _, v := range volumes.Items {
		all = append(all, thing{kind: kindVolume, id: v.Name, name: v.Name, detail: v.Mountpoint}.labelled(v.Labels))
	}
	return all, nil
}

func (t thing) labelled(marks map[string]string) thing {
	t.run, t.standing = marks[topology.RunLabel], marks[labelStanding]
	t.helper, t.owner, t.lent = marks[labelHelper], marks[labelOwner], marks[labelLent] != ""
	return t
}

// helperOf says whether that process put t beside a standing topology.
func (t thing) helperOf(by owner) bool {
	return t.helper != "" && t.standing == "" && t.owner == by.String()
}

func (t thing) leftover() topology.Leftover {
	remove := map[string]string{
		kindContainer: "docker rm -f -v ", kindNetwork: "docker network rm ", kindVolume: "docker volume rm -f ",
	}
	return topology.Leftover{Kind: t.kind, Name: t.name, Detail: t.detail, Remove: remove[t.kind] + t.name}
}
