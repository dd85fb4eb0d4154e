package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// cluster is a running topology. Its fields do not change once Start or Attach
// returned it, but for those that the mutex guards.
type cluster struct {
	driver   *Driver
	engine   *engine
	id       string
	standing string
	owner    owner
	network  string // the network's id
	spec     topology.Spec
	nodes    []*node
	attached bool   // stands, whatever becomes of this process
	netRef   string // the image of namespace helpers
	relayed  bool
	relay    string // where the relay listens on the host, if relayed
	host     hostHelper

	mu     sync.Mutex
	closed bool
}

var _ topology.Cluster = (*cluster)(nil)

func (d *Driver) newCluster(id, standing, network string, spec topology.Spec) *cluster {
	c := &cluster{
		driver: d, engine: d.engine, owner: d.owner,
		id: id, standing: standing, network: network, spec: spec,
		relayed: d.needsRelay(network),
	}
	for _, n := range spec.Nodes {
		c.nodes = append(c.nodes, &node{cluster: c, spec: n})
	}
	return c
}

// Attach implements topology.Driver.
func (d *Driver) Attach(ctx context.Context, name string) (topology.Cluster, error) {
	c, err := d.attach(ctx, "topology "+name, make(client.Filters).Add("label", labelStanding+"="+name))
	if err != nil {
		return nil, err
	}
	if err := c.claim(ctx); err != nil {
		return nil, fmt.Errorf("attach to topology %s: %w", name, err)
	}
	c.borrow(d.standing(c.id))
	return c, nil
}

// borrow has the cluster use the helpers of another of this process, on the
// same nodes, which makes and removes them. Of none it borrows nothing.
func (c *cluster) borrow(from *cluster) {
	if from == nil {
		return
	}
	for _, n := range c.nodes {
		n.lender, _ = from.node(n.spec.Name) // it is of the same spec
	}
}

// standing is the cluster of that id if this driver started it to outlive the
// process, and has not closed it; else nil.
func (d *Driver) standing(id string) *cluster {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stands[id]
}

// stood notes that a cluster stands, or, if it is closed, no more.
func (d *Driver) stood(c *cluster, closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if closed {
		delete(d.stands, c.id)
		return
	}
	if d.stands == nil {
		d.stands = map[string]*cluster{}
	}
	d.stands[c.id] = c
}

// Describe implements topology.Describer.
func (d *Driver) Describe(ctx context.Context, name string) (topology.Spec, error) {
	c, err := d.attach(ctx, "topology "+name, make(client.Filters).Add("label", labelStanding+"="+name))
	if err != nil {
		return topology.Spec{}, err
	}
	return c.spec, nil
}

// attach rebuilds a cluster from the labels of what the engine holds.
func (d *Driver) attach(ctx context.Context, what string, filter client.Filters) (*cluster, error) {
	networks, err := d.engine.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("attach to %s: %w", what, d.engine.explain(err))
	}
	if len(networks.Items) == 0 {
		return nil, fmt.Errorf("%s: %w: `hachaos status` shows what stands, `hachaos up` starts one",
			what, topology.ErrNotFound)
	}
	network := networks.Items[0]
	var spec topology.Spec
	if err := json.Unmarshal([]byte(network.Labels[labelSpec]), &spec); err != nil {
		return nil, fmt.Errorf("attach to %s: read the label %s of network %s: %w", what, labelSpec, network.Name, err)
	}
	c := d.newCluster(network.Labels[topology.RunLabel], network.Labels[labelStanding], network.ID, spec)
	c.attached, c.netRef = true, network.Labels[labelNet]
	if err := c.findContainers(ctx); err != nil {
		return nil, fmt.Errorf("attach to %s: %w", what, err)
	}
	return c, nil
}

// findContainers fills in the ids of the nodes' containers.
func (c *cluster) findContainers(ctx context.Context) error {
	containers, err := c.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ofRun(c.id)})
	if err != nil {
		return fmt.Errorf("list containers: %w", c.engine.explain(err))
	}
	byNode := make(map[string]container.Summary, len(containers.Items))
	for _, item := range containers.Items {
		if name := item.Labels[labelNode]; name != "" {
			byNode[name] = item
		}
		if item.Labels[labelHelper] == relayHelper {
			c.relay = relayAddress(c.engine.host, item.Ports)
		}
	}
	for _, n := range c.nodes {
		found := byNode[n.spec.Name]
		n.id, n.image = found.ID, identified(found.Image, found.ImageID)
		if n.id == "" {
			return fmt.Errorf("container of node %s: %w: remove the rest with `hachaos down` and start it again",
				n.spec.Name, topology.ErrNotFound)
		}
	}
	if c.relayed && c.relay == "" {
		return fmt.Errorf("relay: %w: the topology was started where the host reached it: start it again", topology.ErrNotFound)
	}
	return nil
}

// ImageOf implements harness.ImageNamer.
func (c *cluster) ImageOf(node string) string {
	n, err := c.node(node)
	if err != nil {
		return ""
	}
	return n.image
}

// ID implements topology.Cluster.
func (c *cluster) ID() string { return c.id }

// Spec implements topology.Cluster.
func (c *cluster) Spec() topology.Spec { return c.spec }

// Nodes implements topology.Cluster.
func (c *cluster) Nodes() []topology.Node {
	nodes := make([]topology.Node, len(c.nodes))
	for i, n := range c.nodes {
		nodes[i] = n
	}
	return nodes
}

func (c *cluster) node(name string) (*node, error) {
	for _, n := range c.nodes {
		if n.spec.Name == name {
			return n, nil
		}
	}
	return nil, fmt.Errorf("node %s of %s: %w", name, c.id, topology.ErrNotFound)
}
