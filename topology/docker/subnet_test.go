package docker

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func prefix(text string) netip.Prefix { return netip.MustParsePrefix(text) }

func TestPickSubnet(t *testing.T) {
	first, err := pickSubnet("run", nil)
	require.NoError(t, err)
	require.Equal(t, 24, first.Bits())
	require.True(t, pool.Overlaps(first))
	again, err := pickSubnet("run", nil)
	require.NoError(t, err)
	require.Equal(t, first, again, "the choice is a function of its arguments")
	next, err := pickSubnet("run", []use{{prefix: first, by: "another run"}})
	require.NoError(t, err)
	require.False(t, next.Overlaps(first))
}

func TestPickSubnetReachesEveryOne(t *testing.T) {
	var used []use
	seen := make(map[netip.Prefix]bool)
	for range 512 {
		subnet, err := pickSubnet("x", used)
		require.NoError(t, err)
		require.False(t, seen[subnet])
		require.True(t, subnet == subnet.Masked() && pool.Contains(subnet.Addr()))
		seen[subnet] = true
		used = append(used, use{prefix: subnet})
	}
	_, err := pickSubnet("x", used)
	require.ErrorIs(t, err, topology.ErrSubnetInUse)
	require.ErrorContains(t, err, "hachaos gc")
}

func TestPickSubnetAvoidsLargerAndSmallerNetworks(t *testing.T) {
	used := []use{{prefix: prefix("198.18.0.0/16")}, {prefix: prefix("198.19.0.0/17")}, {prefix: prefix("198.19.200.4/30")}}
	for _, seed := range []string{"a", "b", "c", "d", "e"} {
		subnet, err := pickSubnet(seed, used)
		require.NoError(t, err)
		_, taken := overlapping(subnet, used)
		require.False(t, taken, subnet)
	}
}

func TestCheckPinned(t *testing.T) {
	used := []use{{prefix: prefix("198.18.7.0/24"), by: "docker network other"}}
	tests := []struct {
		subnet string
		err    string // part of it; empty is none
		inUse  bool
	}{
		{"198.18.8.0/24", "", false},
		{"198.18.8.0/26", "", false},
		{"198.18.7.128/25", "docker network other", true},
		{"198.18.0.0/16", "docker network other", true},
		{"198.18.8.0/27", "at least 64", false},
		{"198.18.8.1/24", "at least 64", false},
		{"fd00::/64", "IPv4", false},
	}
	for _, test := range tests {
		t.Run(test.subnet, func(t *testing.T) {
			err := checkPinned(prefix(test.subnet), used)
			if test.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.err)
			require.Equal(t, test.inUse, isInUse(err))
		})
	}
}

func TestParseRoutes(t *testing.T) {
	table := strings.Join([]string{
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
		"eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
		"docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
		"tun0\t000013C6\t00000000\t0001\t0\t0\t0\t0080FFFF\t0\t0\t0",
		"tun0\t0507A8C0\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0",
	}, "\n")
	got, err := parseRoutes(strings.NewReader(table))
	require.NoError(t, err)
	require.Equal(t, []use{
		{prefix("172.17.0.0/16"), "the route through docker0"},
		{prefix("198.19.0.0/17"), "the route through tun0"},
		{prefix("192.168.7.5/32"), "the route through tun0"},
	}, got)

	_, err = parseRoutes(strings.NewReader("eth0 zz 0 0 0 0 0 0"))
	require.ErrorContains(t, err, "hexadecimal")
}

func TestSpareAddr(t *testing.T) {
	spec := topology.Spec{
		Subnet: prefix("198.18.7.0/24"),
		VIP:    netip.MustParseAddr("198.18.7.254"),
		Nodes:  []topology.NodeSpec{{Addr: netip.MustParseAddr("198.18.7.253")}},
	}
	require.Equal(t, "198.18.7.252", spareAddr(spec).String())
	require.Equal(t, "198.18.7.1", gatewayOf(spec.Subnet).String())
	require.Equal(t, "198.18.7.63", lastAddr(prefix("198.18.7.0/26")).String())
}

func isInUse(err error) bool { return errors.Is(err, topology.ErrSubnetInUse) }
