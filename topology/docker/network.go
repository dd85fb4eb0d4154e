package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// maxSubnetTries bounds how often a subnet that another run took in the same
// moment is exchanged for the next.
const maxSubnetTries = 16

// makeNetwork creates the run's network and returns its id and the spec for
// the subnet that it got. The first try uses spec, which was planned for
// subnet; each further one plans again.
func (d *Driver) makeNetwork(
	ctx context.Context, id string, plan topology.Plan, spec topology.Spec, netRef string, opts topology.StartOptions,
) (string, topology.Spec, error) {
	var refused []use
	for range maxSubnetTries {
		marks := labels(id, opts.Standing, d.owner)
		marks[labelNet] = netRef
		if opts.Lent {
			marks[labelLent] = "true"
		}
		netID, err := d.engine.createNetwork(ctx, networkName(id), marks, spec)
		if err == nil {
			return netID, spec, nil
		}
		if !strings.Contains(err.Error(), "Pool overlaps") {
			return "", spec, fmt.Errorf("create network %s: %w", networkName(id), d.engine.explain(err))
		}
		if opts.Subnet.IsValid() {
			return "", spec, fmt.Errorf("%w: %s was taken meanwhile: choose another, or leave the choice to hachaos",
				topology.ErrSubnetInUse, opts.Subnet)
		}
		refused = append(refused, use{prefix: spec.Subnet, by: "another run"})
		used, err := d.engine.usedSubnets(ctx)
		if err != nil {
			return "", spec, err
		}
		if spec, err = replan(id, plan, append(used, refused...)); err != nil {
			return "", spec, err
		}
	}
	return "", spec, fmt.Errorf("%w: %d subnets in a row were taken by others in the same moment: try again",
		topology.ErrSubnetInUse, maxSubnetTries)
}

func replan(id string, plan topology.Plan, used []use) (topology.Spec, error) {
	subnet, err := pickSubnet(id, used)
	if err != nil {
		return topology.Spec{}, err
	}
	return plan(subnet)
}

func (e *engine) createNetwork(
	ctx context.Context, name string, marks map[string]string, spec topology.Spec,
) (string, error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	opts, err := networkOptions(marks, spec)
	if err != nil {
		return "", err
	}
	creating, cancel := context.WithTimeout(context.WithoutCancel(ctx), creation)
	defer cancel()
	result, err := e.NetworkCreate(creating, name, opts)
	return result.ID, err
}

// networkOptions are the network as data. It carries the spec, so that another
// process can attach, and keeps the engine from giving the VIP away.
func networkOptions(marks map[string]string, spec topology.Spec) (client.NetworkCreateOptions, error) {
	described, err := json.Marshal(spec)
	if err != nil {
		return client.NetworkCreateOptions{}, fmt.Errorf("describe the topology: %w", err)
	}
	marks = maps.Clone(marks)
	marks[labelSpec] = string(described)
	pool := network.IPAMConfig{Subnet: spec.Subnet, Gateway: gatewayOf(spec.Subnet)}
	if spec.VIP.IsValid() {
		pool.AuxAddress = map[string]netip.Addr{"vip": spec.VIP}
	}
	return client.NetworkCreateOptions{
		Driver: "bridge",
		IPAM:   &network.IPAM{Config: []network.IPAMConfig{pool}},
		Labels: marks,
	}, nil
}

// gatewayOf is the host's own address in the network: the first.
func gatewayOf(subnet netip.Prefix) netip.Addr { return subnet.Masked().Addr().Next() }

// spareAddr is the highest address of the subnet that nothing of the spec
// uses, for a container that the spec does not know of.
func spareAddr(spec topology.Spec) netip.Addr {
	taken := []netip.Addr{spec.VIP}
	for _, n := range spec.Nodes {
		taken = append(taken, n.Addr)
	}
	addr := lastAddr(spec.Subnet).Prev() // the last one is the broadcast address
	for slices.Contains(taken, addr) {
		addr = addr.Prev()
	}
	return addr
}

func lastAddr(subnet netip.Prefix) netip.Addr {
	octets := subnet.Masked().Addr().As4()
	for bit := subnet.Bits(); bit < 32; bit++ {
		octets[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(octets)
}
