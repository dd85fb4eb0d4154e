package fault

import (
	"fmt"
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
		"a loss of what goes out to the clients": {Outgoing, lossRule(5000), linkOf(t, Clients), "add table inet hachaos_x; " +
			"add counter inet hachaos_x output_all; add counter inet hachaos_x output; " +
			"add chain inet hachaos_x output { type filter hook output priority -400; policy accept; }; " +
			`add rule inet hachaos_x output oifname != "lo" ip daddr != { 198.18.7.10, 198.18.7.21, 198.18.7.22, 198.18.7.31 } counter name output_all; ` +
			`add rule inet hachaos_x output oifname != "lo" ip daddr != { 198.18.7.10, 198.18.7.21, 198.18.7.22, 198.18.7.31 } numgen random mod 100000 < 5000 counter name output drop`},
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

func TestLossIsMeasured(t *testing.T) {
	for name, tc := range map[string]struct {
		asked        float64
		dropped, all uint64
		ok           bool
	}{
		"as asked":              {0.05, 50, 1000, true},
		"by chance a bit more":  {0.05, 60, 1000, true},
		"too few to tell":       {0.05, 5, 100, false},
		"a tenth of it":         {0.05, 5, 1000, false},
		"twice as much":         {0.05, 100, 1000, false},
		"nothing came":          {0.05, 0, 0, false},
		"everything":            {0.5, 1000, 1000, false},
		"one percent of 10,000": {0.01, 100, 10000, true},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.ok, lossOK(tc.asked, tc.dropped, tc.all)) })
	}
	for _, percent := range []float64{0.1, 1, 5, 50, 90} {
		f := PacketLoss{Peers: []string{"db"}, Percent: percent}
		n := uint64(f.sample())
		require.True(t, lossOK(percent/100, uint64(percent/100*float64(n)), n), "%v %% of %d packets", percent, n)
	}
}

func TestBandwidthPlan(t *testing.T) {
	require.Equal(t, []string{"tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "4000kbit", "burst", "5000", "latency", "100ms"}, Bandwidth{KBit: 4000}.shape())
	require.Equal(t, 3200, Bandwidth{KBit: 200}.burst())
	for kbit, want := range map[int][2]int{200: {166, 625}, 4000: {1000, 12500}, 50_000: {1000, 156250}} {
		size, waiting := Bandwidth{KBit: kbit}.flooded()
		require.Equal(t, want, [2]int{size, waiting}, "%d kbit/s", kbit)
		require.GreaterOrEqual(t, waiting, 3*(size+frameBytes))
	}
	require.Contains(t, flood, fmt.Sprintf("(size + %d)", frameBytes))
}

func TestParseFlood(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want flow
		err  string
	}{
		"a rate":       {"100000 1000000\n350000 1500000 80 0\n", flow{kbit: 4000, looks: 80}, ""},
		"not busy":     {"100000 1000000\n350000 1500000 80 9\n", flow{kbit: 4000, looks: 80, dry: 9}, ""},
		"no limit":     {"none\n", flow{}, ""},
		"one line":     {"100000 1000000\n", flow{}, "twice"},
		"no time went": {"1 5\n2 5 9 0\n", flow{}, "twice"},
		"no number":    {"a b\n", flow{}, "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseFlood(tc.text)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
			require.Equal(t, tc.want.dry < 9, got.busy())
		})
	}
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
		{PacketLoss{Peers: peers, Percent: 5}, ""},
		{PacketLoss{Peers: peers}, "want 0.1 to 90"},
		{PacketLoss{Peers: peers, Percent: 95}, "network-cut drops everything"},
		{ConnectionReset{Peers: peers}, ""},
		{ConnectionReset{}, "no peers"},
		{Bandwidth{KBit: 4000}, ""},
		{Bandwidth{}, "want 200 to 50000"},
		{Latency{Delay: 50 * time.Millisecond, Jitter: 20 * time.Millisecond}, ""},
		{Latency{}, "delay 0s"},
		{Latency{Delay: 1500 * time.Microsecond}, "whole milliseconds"},
		{Latency{Delay: 9 * time.Millisecond}, "want 10ms to 10s"},
		{Latency{Delay: 50 * time.Millisecond, Jitter: 26 * time.Millisecond}, "half of the delay"},
		{Latency{Delay: 50 * time.Millisecond, Jitter: 19 * time.Millisecond}, "want 20ms to half"},
		{Latency{Delay: 50 * time.Millisecond, Jitter: -20 * time.Millisecond}, "want 20ms to half"},
		{DatabaseRestart{Pause: 2 * time.Minute}, "want 0s to 1m"},
		{LinkLatency{Delay: 50 * time.Millisecond}, ""},
		{LinkLatency{}, "link-latency: latency: delay 0s"},
		{StaleARP{Peers: peers}, ""},
		{StaleARP{}, "no peers"},
		{StaleARP{Peers: []string{Clients}}, "name nodes or roles"},
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
	require.Equal(t, 100, Latency{Delay: 60 * time.Millisecond, Jitter: 10 * time.Millisecond}.sample())
	require.Equal(t, 225, Latency{Delay: 100 * time.Millisecond, Jitter: 50 * time.Millisecond}.sample())
	require.Equal(t, 5*time.Millisecond, Latency{Delay: 20 * time.Millisecond}.tolerance())
	require.Equal(t, 30, Latency{Delay: 10 * time.Second}.parallel(30), "all at a time if one alone takes long")
	require.NotEqual(t, toxicName(f), toxicName(Latency{Delay: 50 * time.Millisecond}), "two of them overlap")
}

func TestStaleNeighbourPlans(t *testing.T) {
	peers := linkOf(t, "balancer", "db").addrs()
	require.Equal(t, []string{"bash", "-c", "before=$EPOCHREALTIME; ip neigh replace 198.18.7.10 dev eth0 lladdr 02:68:61:63:68:61 nud permanent && " +
		`ip neigh replace 198.18.7.31 dev eth0 lladdr 02:68:61:63:68:61 nud permanent && echo "$before $EPOCHREALTIME" >/run/hachaos-stale-arp`}, mistake(peers))
	require.Equal(t, []string{"/bin/sh", "-c", "ip neigh del 198.18.7.10 dev eth0 && ip neigh del 198.18.7.31 dev eth0"}, forget(peers))
}

func TestParseNeighbours(t *testing.T) {
	got, err := parseNeighbours([]byte(`[{"dst":"198.18.7.21","lladdr":"02:68:61:63:68:61","state":["PERMANENT"]},{"dst":"198.18.7.100","state":["FAILED"]}]`))
	require.NoError(t, err)
	require.Equal(t, map[netip.Addr]string{
		netip.MustParseAddr("198.18.7.21"): goneMachine, netip.MustParseAddr("198.18.7.100"): "",
	}, got)
	_, err = parseNeighbours([]byte("no neighbours"))
	require.ErrorContains(t, err, "ip neigh")
}

func TestParseAddresses(t *testing.T) {
	got, err := parseAddresses([]byte(`[{"ifname":"eth0","addr_info":[{"local":"198.18.7.31"},{"local":"198.18.7.100","secondary":true}]}]`))
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{netip.MustParseAddr("198.18.7.31"), netip.MustParseAddr("198.18.7.100")}, got)
	_, err = parseAddresses([]byte("{"))
	require.ErrorContains(t, err, "ip address")
}

func TestParseRemoved(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want removed
		err  string
	}{
		"none":       {"", removed{}, ""},
		"one":        {"1732082400.100000 1732082400.200000 198.18.7.100\n", removed{time.Unix(1732082400, 1e8), time.Unix(1732082400, 2e8), []netip.Addr{netip.MustParseAddr("198.18.7.100")}}, ""},
		"no address": {"1732082400.100000 1732082400.200000\n", removed{}, "two times and addresses"},
		"no time":    {"soon 1732082400.200000 198.18.7.100\n", removed{}, "soon"},
		"a name":     {"1732082400.100000 1732082400.200000 vip\n", removed{}, "note of the removal"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseRemoved(tc.text)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestNetemPlan(t *testing.T) {
	require.Equal(t, []string{"tc", "qdisc", "add", "dev", "eth0", "root", "netem", "limit", "100000", "delay", "50ms"}, LinkLatency{Delay: 50 * time.Millisecond}.netem())
	require.Equal(t, "10ms", LinkLatency{Delay: 50 * time.Millisecond, Jitter: 10 * time.Millisecond}.netem()[11])
}
