package fault_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/fault/faulttest"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// TestConformance holds the faults that can be imitated to the suite, over two
// nodes in memory and in virtual time. A crash loop is a program in the node,
// and a limit an engine's: those are held to it on containers alone, as are
// those of keepalived and its packets and of a HAProxy that is frozen or
// reloaded, whose plans are compared as text.
func TestConformance(t *testing.T) {
	for _, f := range []fault.Fault{
		fault.InstanceKill{},
		fault.InstanceKill{Port: 8080},
		fault.ProcessCrash{},
		fault.PowerLoss{},
		fault.InstanceFreeze{},
		fault.ClockMoved{By: time.Minute},
		fault.InstanceStop{},
		fault.InstanceRestart{},
		fault.InstanceRestart{Kill: true},
	} {
		conforms(t, f, topology.Application)
	}
	for _, f := range []fault.Fault{
		fault.Drain{Server: "j1"},
		fault.Maintenance{Server: "j1"},
		fault.Weight{Server: "j2", Weight: 20},
		fault.HealthCheckLiar{Server: "j1"},
		fault.BalancerKill{},
	} {
		conforms(t, f, topology.Balancer)
	}
	// Those of orders to balancers that take their servers from the targets.
	for _, f := range []fault.Fault{fault.Drain{}, fault.Maintenance{}, fault.Weight{Weight: 20}, fault.HealthCheckLiar{}} {
		conforms(t, f, topology.Application, topology.Balancer)
	}
	// What acts through the proxies or leaves a mark in the container is held
	// to it on containers only.
	for _, f := range []fault.Fault{
		fault.DatabaseCrash{},
		fault.DatabaseDown{},
		fault.DatabaseDown{Stop: true},
		fault.DatabaseRestart{Pause: 2 * time.Second},
		fault.DatabaseFreeze{},
		fault.DatabaseBlackHole{},
	} {
		conforms(t, f, topology.Database)
	}
}

// wrong are faults that act as another does, by a tenth or ten times as much, or
// the nearest to it that there is; none if it has no magnitude.
func wrong(f fault.Fault) []func() fault.Fault {
	switch f := f.(type) {
	case fault.Latency:
		all := those(fault.Latency{Delay: f.Delay / 10}, fault.Latency{Delay: 10 * f.Delay})
		if f.Jitter > 0 {
			all = append(all, those(fault.Latency{Delay: f.Delay})...)
		}
		return all
	case fault.LinkLatency:
		all := those(fault.LinkLatency{Delay: f.Delay / 10}, fault.LinkLatency{Delay: 10 * f.Delay})
		if f.Jitter > 0 {
			all = append(all, those(fault.LinkLatency{Delay: f.Delay})...)
		}
		return all
	case fault.Bandwidth:
		return those(fault.Bandwidth{KBit: f.KBit / 10}, fault.Bandwidth{KBit: 10 * f.KBit})
	case fault.PacketLoss:
		all := those(lossy{f, f.Percent / 10}, lossy{f, 10 * f.Percent})
		if oneWay(f.Way) {
			all = append(all, those(edited{f, mirrored})...)
		}
		return all
	case fault.NetworkCut:
		if oneWay(f.Way) {
			return those(edited{f, mirrored})
		}
	case fault.VRRPCut:
		return those(edited{f, without("input")}, edited{f, without("output")})
	case fault.CrashLoop:
		return those(fault.CrashLoop{Life: 10 * f.Life, Rest: f.Rest, Port: f.Port}, fault.CrashLoop{Life: f.Life, Rest: 10 * f.Rest, Port: f.Port})
	case fault.InstanceRestart:
		return those(fault.InstanceRestart{Kill: !f.Kill, Port: f.Port})
	case fault.DatabaseRestart:
		if f.Pause > 0 {
			return those(fault.DatabaseRestart{Pause: f.Pause / 10, Port: f.Port}, fault.DatabaseRestart{Pause: 10 * f.Pause, Port: f.Port})
		}
	case fault.SessionCleanup:
		return those(fault.SessionCleanup{Idle: 24 * time.Minute, Dead: f.Dead}, fault.SessionCleanup{Expired: true, Dead: f.Dead})
	case fault.CPUStarvation:
		return those(fault.CPUStarvation{CPU: 0.02, Port: f.Port}, fault.CPUStarvation{CPU: 0.9, Port: f.Port})
	case fault.MemorySqueeze:
		return those(fault.MemorySqueeze{Room: fault.DefaultRoom / 2, Port: f.Port}, fault.MemorySqueeze{Room: 10 * fault.DefaultRoom, Port: f.Port})
	case fault.DiskSlow:
		return those(fault.DiskSlow{Writes: f.Writes / 10}, fault.DiskSlow{Writes: 10 * f.Writes})
	case fault.PoolLeak:
		return those(fault.PoolLeak{Connections: 1}, fault.PoolLeak{Connections: 10 * f.Connections})
	case fault.ThreadsExhausted:
		if f.Threads == 0 { // all of them
			return those(fault.ThreadsExhausted{Threads: 4}, fault.ThreadsExhausted{Threads: 40})
		}
		return those(fault.ThreadsExhausted{Threads: f.Threads / 10}, fault.ThreadsExhausted{Threads: 10 * f.Threads})
	case fault.DatabaseSlowInside:
		return those(fault.DatabaseSlowInside{Delay: f.Delay / 10}, fault.DatabaseSlowInside{Delay: 10 * f.Delay})
	case fault.DependencySlow:
		return those(fault.DependencySlow{Delay: f.Delay / 10}, fault.DependencySlow{Delay: 10 * f.Delay})
	case fault.Canary:
		return those(share(f, f.Share/10), share(f, 70))
	case fault.SlowStart:
		return those(fault.SlowStart{Delay: f.Delay / 10}, fault.SlowStart{Delay: 10 * f.Delay})
	case fault.ClockMoved:
		return those(fault.ClockMoved{By: f.By / 10, Port: f.Port}, fault.ClockMoved{By: 10 * f.By, Port: f.Port}, fault.ClockMoved{By: -f.By, Port: f.Port})
	case fault.Weight:
		return those(fault.Weight{Server: f.Server, Weight: f.Weight / 10}, fault.Weight{Server: f.Server, Weight: 10 * f.Weight})
	}
	return nil
}

// oneWay says whether a fault is meant for one of two ways.
func oneWay(way string) bool { return way == fault.Incoming || way == fault.Outgoing }

// edited is a fault whose filter is another than the one that it says: each command of
// nft is edited before it is carried out.
type edited struct {
	fault.Fault
	edit func(command string) string
}

// Inject implements fault.Fault.
func (e edited) Inject(ctx context.Context, nodes []topology.Node, log fault.Recorder) error {
	var all []topology.Node
	for _, n := range nodes {
		all = append(all, editing{n.(filtered), e.edit})
	}
	return e.Fault.Inject(ctx, all, log)
}

// editing is a node that edits the commands of nft.
type editing struct {
	filtered
	edit func(string) string
}

// InNamespace implements topology.Namespace.
func (n editing) InNamespace(ctx context.Context, argv ...string) (topology.Output, error) {
	if argv[0] == "nft" {
		argv = []string{argv[0], n.edit(argv[1])}
	}
	return n.filtered.InNamespace(ctx, argv...)
}

// mirrored adds to a filter of one way the same of the other.
func mirrored(command string) string {
	table, rules, ok := strings.Cut(command, "; ")
	if !ok {
		return command
	}
	words := []string{"input", "output", "saddr", "daddr", "iifname", "oifname"}
	if strings.Contains(rules, "hook output") {
		words = []string{"output", "input", "daddr", "saddr", "oifname", "iifname"}
	}
	return table + "; " + rules + "; " + strings.NewReplacer(words...).Replace(rules)
}

// without leaves the rule of a chain out of the filter of a VRRPCut.
func without(chain string) func(string) string {
	return func(command string) string {
		return strings.ReplaceAll(command, "; add rule inet hachaos_vrrp_cut "+chain+" ip protocol 112 counter drop", "")
	}
}

// lossy is a loss of packets at another rate than the one that it says.
type lossy struct {
	fault.PacketLoss
	percent float64
}

// Inject implements fault.Fault.
func (l lossy) Inject(ctx context.Context, nodes []topology.Node, log fault.Recorder) error {
	var all []topology.Node
	for _, n := range nodes {
		all = append(all, leaky{n.(filtered), l.Percent, l.percent})
	}
	return l.PacketLoss.Inject(ctx, all, log)
}

// filtered is what a node offers whose packets are dropped.
type filtered interface {
	topology.Container
	topology.Namespace
	topology.Addressed
	topology.Served
	topology.Member
}

// leaky is a node whose filter drops another share than it is told, in percent.
type leaky struct {
	filtered
	told, does float64
}

// InNamespace implements topology.Namespace.
func (n leaky) InNamespace(ctx context.Context, argv ...string) (topology.Output, error) {
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], fmt.Sprintf("< %.0f counter", n.told*1000), fmt.Sprintf("< %.0f counter", n.does*1000))
	}
	return n.filtered.InNamespace(ctx, argv...)
}

// share is a canary that gets another share.
func share(f fault.Canary, percent float64) fault.Canary {
	f.Share = percent
	return f
}

// those are faults as Suite.Wrong has them.
func those(all ...fault.Fault) (out []func() fault.Fault) {
	for _, f := range all {
		out = append(out, func() fault.Fault { return f })
	}
	return out
}

// conforms holds a fault to the suite over the nodes of the roles, in that order.
func conforms(t *testing.T, f fault.Fault, roles ...topology.Role) {
	_, cuts := f.(fault.PowerLoss)
	t.Run(f.Kind(), func(t *testing.T) {
		faulttest.Suite{
			New:     func() fault.Fault { return f },
			Wrong:   wrong(f),
			Beside:  beside(f),
			Nodes:   func(t *testing.T) []topology.Node { return nodesOf(t, roles...) },
			Around:  synctest.Test,
			Notices: cuts,
		}.Run(t)
	})
}

// nodesOf are the nodes of the roles of a cluster in memory that is ready.
func nodesOf(t *testing.T, roles ...topology.Role) []topology.Node {
	t.Helper()
	var d fake.Driver
	plan, err := fake.Definition(d.Options).Plan(topology.Options{})
	require.NoError(t, err)
	ctx := context.Background()
	c, err := d.Start(ctx, "conformance", plan, topology.StartOptions{Subnet: netip.MustParsePrefix("198.18.7.0/24")})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, c.Close(ctx))
		time.Sleep(time.Minute) // virtual: what still waits has ended
	})
	require.NoError(t, c.Ready(ctx))
	var nodes []topology.Node
	for _, role := range roles {
		for _, n := range c.Nodes() {
			if n.Role() == role {
				nodes = append(nodes, n)
			}
		}
	}
	return nodes
}

// overheard is a node that keeps the commands that it is given.
type overheard struct {
	filtered
	got *[]string
}

func (k overheard) InNamespace(_ context.Context, argv ...string) (topology.Output, error) {
	*k.got = append(*k.got, argv...)
	return topology.Output{}, nil
}

// TestTheWrongLossIsOne: of the rule, and of nothing else.
func TestTheWrongLossIsOne(t *testing.T) {
	var got []string
	rule := "add rule inet hachaos_x input ip saddr { 198.18.7.10 } numgen random mod 100000 < %d counter name input drop"
	_, err := leaky{overheard{got: &got}, 5, 0.5}.InNamespace(t.Context(), "nft", fmt.Sprintf(rule, 5000))
	require.NoError(t, err)
	require.Equal(t, []string{"nft", fmt.Sprintf(rule, 500)}, got)
}

// TestTheEditedFiltersAreOthers: a cut of one way gets the other, and a cut of VRRP
// loses a half.
func TestTheEditedFiltersAreOthers(t *testing.T) {
	const in = "add table inet x; add counter inet x input; add chain inet x input { type filter hook input priority -400; policy accept; }; add rule inet x input ip saddr { 198.18.7.10 } counter name input drop"
	const out = "add counter inet x output; add chain inet x output { type filter hook output priority -400; policy accept; }; add rule inet x output ip daddr { 198.18.7.10 } counter name output drop"
	require.Equal(t, in+"; "+out, mirrored(in))
	require.Equal(t, "add table inet x; "+out+"; "+strings.TrimPrefix(in, "add table inet x; "), mirrored("add table inet x; "+out))
	require.Equal(t, "list tables", mirrored("list tables"))
	for _, half := range []string{"input", "output"} {
		var got []string
		_, err := editing{overheard{got: &got}, without(half)}.InNamespace(t.Context(), "nft", "add chain a; add rule inet hachaos_vrrp_cut input ip protocol 112 counter drop; add rule inet hachaos_vrrp_cut output ip protocol 112 counter drop")
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.NotContains(t, got[1], "cut "+half)
		require.Equal(t, 1, strings.Count(got[1], "add rule"))
	}
}

// TestEveryWrongAmountIsValid: a fault that is refused would notice nothing.
func TestEveryWrongAmountIsValid(t *testing.T) {
	for _, f := range []fault.Fault{
		fault.ClockMoved{By: time.Minute},
		fault.Weight{Weight: 20},
		fault.Latency{Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond},
		fault.LinkLatency{Delay: 200 * time.Millisecond, Jitter: 100 * time.Millisecond},
		fault.Bandwidth{KBit: 4000},
		fault.PacketLoss{Peers: []string{"balancer"}, Percent: 5},
		fault.PacketLoss{Peers: []string{"balancer"}, Percent: 5, Way: fault.Outgoing},
		fault.VRRPCut{},
		fault.CrashLoop{Life: time.Second, Rest: 300 * time.Millisecond},
		fault.DatabaseRestart{Pause: time.Second},
		fault.SessionCleanup{},
		fault.CPUStarvation{},
		fault.MemorySqueeze{},
		fault.PoolLeak{Connections: 9},
		fault.ThreadsExhausted{},
		fault.ThreadsExhausted{Threads: 40},
		fault.DiskSlow{Writes: 100},
		fault.DatabaseSlowInside{Delay: 300 * time.Millisecond},
		fault.DependencySlow{Delay: 200 * time.Millisecond},
		fault.SlowStart{Delay: 10 * time.Second},
		fault.Canary{Version: "2", Share: 20},
	} {
		require.NoError(t, f.Validate(), f.Kind())
		require.GreaterOrEqual(t, len(wrong(f)), 2, f.Kind())
		for _, of := range wrong(f) {
			other := of()
			require.Equal(t, f.Kind(), other.Kind())
			require.NotEqual(t, f, other)
			require.NoError(t, other.Validate(), "%+v", other)
		}
	}
}
