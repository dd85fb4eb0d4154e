package fault

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// member is a node that is nothing but its name, its role and its address.
type member struct {
	topology.Node
	name string
	role topology.Role
	addr netip.Addr
}

func (m member) Name() string        { return m.name }
func (m member) Role() topology.Role { return m.role }
func (m member) Addr() netip.Addr    { return m.addr }

func stack() []topology.Node {
	var all []topology.Node
	for _, m := range []struct {
		name, addr string
		role       topology.Role
	}{
		{"db", "198.18.7.10", topology.Database},
		{"j1", "198.18.7.21", topology.Application},
		{"j2", "198.18.7.22", topology.Application},
		{"lb1", "198.18.7.31", topology.Balancer},
		{"relay", "198.18.7.99", topology.Relay},
	} {
		all = append(all, member{name: m.name, role: m.role, addr: netip.MustParseAddr(m.addr)})
	}
	return all
}

// bound is a victim of which only the name is asked.
type bound struct {
	topology.Container
	name string
}

func (b bound) Name() string { return b.name }

func linkOf(t *testing.T, peers ...string) link {
	t.Helper()
	l := link{victim: victim{Container: bound{name: "j1"}}}
	require.NoError(t, l.find(stack(), peers))
	return l
}

func TestLinkFilterPlans(t *testing.T) {
	for name, tc := range map[string]struct {
		way, rule string
		l         link
		want      string
	}{
		"a cut of what comes in": {Incoming, dropRule, linkOf(t, "db", "balancer"), "add table inet hachaos_x; " +
			"add counter inet hachaos_x input_all; add counter inet hachaos_x input; " +
			"add chain inet hachaos_x input { type filter hook input priority -400; policy accept; }; " +
			"add rule inet hachaos_x input ip saddr { 198.18.7.10, 198.18.7.31 } counter name input_all; " +
			"add rule inet hachaos_x input ip saddr { 198.18.7.10, 198.18.7.31 } counter name input drop"},
		"a cut of what goes out to the clients": {Outgoing, dropRule, linkOf(t, Clients), "add table inet hachaos_x; " +
			"add counter inet hachaos_x output_all; add counter inet hachaos_x output; " +
			"add chain inet hachaos_x output { type filter hook output priority -400; policy accept; }; " +
			`add rule inet hachaos_x output oifname != "lo" ip daddr != { 198.18.7.10, 198.18.7.21, 198.18.7.22, 198.18.7.31 } counter name output_all; ` +
			`add rule inet hachaos_x output oifname != "lo" ip daddr != { 198.18.7.10, 198.18.7.21, 198.18.7.22, 198.18.7.31 } counter name output drop`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, []string{"nft", tc.want}, linkFilter("hachaos_x", tc.way, tc.l, tc.rule))
		})
	}
}

func TestPeers(t *testing.T) {
	l := linkOf(t, "application", "db", "db", Clients)
	require.Equal(t, "db, j2, clients", l.names(), "the target itself is no peer")
	require.ErrorContains(t, (&link{victim: victim{Container: bound{name: "j1"}}}).find(stack(), []string{"j9"}), `peer "j9"`)
	require.ErrorIs(t, (&link{victim: victim{Container: bound{name: "db"}}}).find(stack(), []string{"database"}), ErrNoTargets)
}

func TestParseCounts(t *testing.T) {
	got, err := parseCounts([]byte(`{"nftables":[{"metainfo":{"version":"1.1.3"}},` +
		`{"counter":{"family":"inet","name":"input","table":"x","handle":2,"packets":7,"bytes":420}},` +
		`{"counter":{"family":"inet","name":"input_all","table":"x","handle":1,"packets":90,"bytes":9}}]}`))
	require.NoError(t, err)
	require.Equal(t, counts{"input": 7, "input_all": 90}, got)
	_, err = parseCounts([]byte("table"))
	require.ErrorContains(t, err, "counters of nft")
}

func TestValidateOfTheNetworkFaults(t *testing.T) {
	peers := []string{"db"}
	for _, tc := range []struct {
		f    Fault
		says string // empty: valid
	}{
		{NetworkCut{Peers: peers}, ""},
		{NetworkCut{}, "no peers"},
		{NetworkCut{Peers: []string{""}}, "without a name"},
		{NetworkCut{Peers: peers, Way: "sideways"}, "want both, in or out"},
		{Latency{Delay: 50 * time.Millisecond, Jitter: 10 * time.Millisecond}, ""},
		{Latency{}, "delay 0s"},
		{Latency{Delay: 1500 * time.Microsecond}, "whole milliseconds"},
		{Latency{Delay: 10 * time.Millisecond, Jitter: 6 * time.Millisecond}, "half of the delay"},
		{DatabaseRestart{Pause: 2 * time.Minute}, "want 0s to 1m"},
		{Stall{}, ""},
		{DatabaseCut{}, ""},
	} {
		err := tc.f.Validate()
		if tc.says == "" {
			require.NoError(t, err, tc.f.Kind())
			continue
		}
		require.ErrorContains(t, err, tc.says)
	}
}

func TestLatencyTakesEnoughProbes(t *testing.T) {
	f := Latency{Delay: 100 * time.Millisecond}
	require.Equal(t, 30, f.sample())
	require.Equal(t, 10*time.Millisecond, f.tolerance())
	require.Equal(t, 225, Latency{Delay: 100 * time.Millisecond, Jitter: 50 * time.Millisecond}.sample())
	require.Equal(t, 5*time.Millisecond, Latency{Delay: 20 * time.Millisecond}.tolerance())
	require.Equal(t, 30, Latency{Delay: 10 * time.Second}.parallel(30), "all at a time if one alone takes long")
	require.NotEqual(t, toxicName(f), toxicName(Latency{Delay: 50 * time.Millisecond}), "two of them overlap")
}
