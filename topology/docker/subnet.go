package docker

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/netip"

	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// pool is RFC 2544's range for benchmarks: no network of a company or a VPN
// has addresses in it.
var pool = netip.MustParsePrefix("198.18.0.0/15")

// subnetBits is the size of a run's network.
const subnetBits = 24

// use is a network that exists, and whose it is.
type use struct {
	prefix netip.Prefix
	by     string // "docker network bridge", "route through eth0"
}

// pickSubnet returns the first free subnet of the pool, beginning at a place
// that depends on seed, so that runs that begin at the same time rarely meet.
func pickSubnet(seed string, used []use) (netip.Prefix, error) {
	h := fnv.New32a()
	h.Write([]byte(seed))
	count := uint32(1) << (subnetBits - pool.Bits())
	for i := range count {
		candidate := nthSubnet((h.Sum32() + i) % count)
		if _, taken := overlapping(candidate, used); !taken {
			return candidate, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("%w: all of %s: remove what is left of earlier runs with `hachaos gc`",
		topology.ErrSubnetInUse, pool)
}

func nthSubnet(n uint32) netip.Prefix {
	first := pool.Addr().As4()
	base := uint32(first[0])<<24 | uint32(first[1])<<16 | uint32(first[2])<<8 | uint32(first[3])
	base += n << (32 - subnetBits)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{
		byte(base >> 24), byte(base >> 16), byte(base >> 8), byte(base),
	}), subnetBits)
}

// overlapping returns whose network shares addresses with subnet.
func overlapping(subnet netip.Prefix, used []use) (use, bool) {
	for _, u := range used {
		if u.prefix.Overlaps(subnet) {
			return u, true
		}
	}
	return use{}, false
}

// checkPinned validates a subnet that the user asked for.
func checkPinned(subnet netip.Prefix, used []use) error {
	if !subnet.Addr().Is4() || subnet != subnet.Masked() || subnet.Bits() > 26 {
		return fmt.Errorf("subnet %s: give an IPv4 network of at least 64 addresses, such as 198.18.7.0/24", subnet)
	}
	if u, taken := overlapping(subnet, used); taken {
		return fmt.Errorf("%w: %s overlaps %s of %s: choose another, or leave the choice to hachaos",
			topology.ErrSubnetInUse, subnet, u.prefix, u.by)
	}
	return nil
}

// usedSubnets are the engine's networks and, where the engine is local, the
// host's own routes.
func (e *engine) usedSubnets(ctx context.Context) ([]use, error) {
	list, err := e.NetworkList(ctx, client.NetworkListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", e.explain(err))
	}
	var used []use
	for _, network := range list.Items {
		for _, config := range network.IPAM.Config {
			if config.Subnet.IsValid() {
				used = append(used, use{prefix: config.Subnet, by: "docker network " + network.Name})
			}
		}
	}
	if !e.local() {
		return used, nil
	}
	routes, err := hostRoutes()
	return append(used, routes...), err
}
