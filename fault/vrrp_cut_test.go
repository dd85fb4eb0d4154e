package fault

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestTheFilterOfVRRP(t *testing.T) {
	require.NoError(t, VRRPCut{}.Validate())
	require.Equal(t, []string{"nft", "add table inet hachaos_vrrp_cut; flush table inet hachaos_vrrp_cut; " +
		"add chain inet hachaos_vrrp_cut input { type filter hook input priority -400; policy accept; }; " +
		"add rule inet hachaos_vrrp_cut input ip protocol 112 counter drop; " +
		"add chain inet hachaos_vrrp_cut output { type filter hook output priority -400; policy accept; }; " +
		"add rule inet hachaos_vrrp_cut output ip protocol 112 counter drop"}, dropVRRP())
}

// vrrpTableOf is how nft lists the table: what each chain has dropped, or nothing
// where it drops nothing.
func vrrpTableOf(in, out int) string {
	text := "table inet hachaos_vrrp_cut {\n"
	for _, c := range []struct {
		hook string
		n    int
	}{{"input", in}, {"output", out}} {
		text += fmt.Sprintf("\tchain %s {\n\t\ttype filter hook %s priority -400; policy accept;\n", c.hook, c.hook)
		if c.n >= 0 {
			text += fmt.Sprintf("\t\tip protocol 112 counter packets %d bytes %d drop\n", c.n, 40*c.n)
		}
		text += "\t}\n"
	}
	return text + "}\n"
}

func TestWhatAChainHasDropped(t *testing.T) {
	for _, n := range [][2]int{{3, 7}, {0, 0}, {-1, 7}, {3, -1}, {-1, -1}, {1, 0}} {
		require.Equal(t, n, [2]int{droppedIn(vrrpTableOf(n[0], n[1]), "input"), droppedIn(vrrpTableOf(n[0], n[1]), "output")})
	}
	require.Equal(t, -1, droppedIn("", "input"))
	require.Equal(t, -1, droppedIn(vrrpTableOf(3, 7), "forward"))
	require.Equal(t, -1, droppedIn("chain input {\n ip protocol 112 counter packets 5 bytes 200 accept\n}", "input"))
	for text, want := range map[string]int{
		"": 0, "counter packets 3": 3, "counter packets": 0, "counter packets x": 0, "packets 3 bytes": 0, "counter bytes 3": 0,
		"counter packets 3 bytes 120 drop\ncounter packets 4 bytes 1 drop": 7, "drop counter packets 12 bytes 1": 12,
		"counter packets x counter packets 2 y": 2,
	} {
		require.Equal(t, want, droppedBy(text), text)
	}
}

// TestVRRPIsCutWhereItWasThereToBeDropped: each way where another balancer still
// advertises, and at least one way where none does.
func TestVRRPIsCutWhereItWasThereToBeDropped(t *testing.T) {
	for _, tc := range []struct {
		in, out   int
		one, both bool // whether it is proven for one of two balancers, and of both
	}{
		{1, 1, true, true},
		{3, 0, false, true},
		{1, 0, false, true},
		{0, 1, false, true},
		{0, 3, false, true},
		{0, 0, false, false},
		{-1, 3, false, false},
		{3, -1, false, false},
		{-1, -1, false, false},
	} {
		t.Run(fmt.Sprint(tc), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWired()
				for _, name := range []string{"lb1", "lb2"} {
					w.node(name).tables[vrrpTable] = &wiredTable{}
				}
				w.breaks = func(_ *wired, argv []string) *wiredReply {
					if argv[1] == "list table inet "+vrrpTable {
						return &wiredReply{out: topology.Output{Stdout: []byte(vrrpTableOf(tc.in, tc.out))}}
					}
					return nil
				}
				p := wiredSeen(t, VRRPCut{}.Active, w.some("lb1"))
				require.Equal(t, tc.one, p.OK, "%+v", p)
				require.Equal(t, fmt.Sprintf("lb1: VRRP dropped: %d in, %d out", max(0, tc.in), max(0, tc.out)), p.Measured)
				require.Equal(t, []string{
					fmt.Sprintf("lb1: its filter drops VRRP that comes in: %t, that goes out: %t", tc.in >= 0, tc.out >= 0),
					fmt.Sprintf("lb1: packets of VRRP that it has dropped: %d that came in and %d that went out", max(0, tc.in), max(0, tc.out)),
				}, p.How)
				p = wiredSeen(t, VRRPCut{}.Active, w.some("lb1", "lb2"))
				require.Equal(t, tc.both, p.OK, "%+v", p)
				require.Equal(t, fmt.Sprintf("lb2: packets of VRRP that it has dropped: %d", max(0, tc.in)+max(0, tc.out)), p.How[3])
			})
		})
	}
}

func TestWhetherAnotherBalancerAdvertises(t *testing.T) {
	w := newWired()
	require.True(t, othersAdvertise(w.some("lb1")))
	require.False(t, othersAdvertise(w.some("lb1", "lb2")))
	require.False(t, othersAdvertise(nil))
	require.False(t, othersAdvertise([]topology.Node{wiredNothing{w.node("lb1")}}), "it knows no other")
	require.True(t, othersAdvertise([]topology.Node{wiredNothing{w.node("lb1")}, w.node("lb1")}))
	w.node("lb1").peers = w.some("lb1", "db", "j1")
	require.False(t, othersAdvertise(w.some("lb1")), "what is no balancer does not")
}

// TestVRRPAloneIsDropped: everybody else's packets pass.
func TestVRRPAloneIsDropped(t *testing.T) {
	w := newWired()
	require.NoError(t, VRRPCut{}.Inject(t.Context(), w.some("lb1", "lb2"), &undos{}))
	lb1, lb2 := w.node("lb1").addr, w.node("lb2").addr
	require.Equal(t, "drop", w.packet(lb1, lb2, "vrrp"))
	require.Empty(t, w.packet(lb1, lb2, "tcp"))
	require.Equal(t, connected, w.connect(netip.MustParseAddr(wiredClient), netip.AddrPortFrom(lb1, 80)))
}

// TestABalancerThatIsDownIsNeitherCutNorHealed: and the time of what is healed is
// that of the look.
func TestABalancerThatIsDownIsNeitherCutNorHealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), VRRPCut{}
		w.node("lb1").state = topology.State{}
		for _, p := range []Proof{wiredSeen(t, f.Active, w.some("lb1")), wiredSeen(t, f.Healed, w.some("lb1"))} {
			require.False(t, p.OK)
			require.Equal(t, "lb1: not running", p.Measured)
			require.Equal(t, []string{"lb1: the container does not run"}, p.How)
		}
		w.node("lb1").state = up
		p := wiredSeen(t, f.Healed, w.some("lb1"))
		require.True(t, p.OK)
		require.Equal(t, time.Now(), p.To)
		require.Equal(t, []string{"lb1: the filter is gone"}, p.How)
		require.NoError(t, f.Inject(t.Context(), w.some("lb1"), &undos{}))
		p = wiredSeen(t, f.Healed, w.some("lb1"))
		require.False(t, p.OK)
		require.True(t, p.To.IsZero())
		require.Equal(t, "lb1: a filter is left", p.Measured)
		require.Equal(t, []string{"lb1: the filter is there"}, p.How)
	})
}
