package fault

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestStaleNeighboursAreOfNodes(t *testing.T) {
	require.NoError(t, StaleARP{Peers: []string{"db", "balancer"}}.Validate())
	require.EqualError(t, StaleARP{Peers: []string{"db", Clients}}.Validate(),
		`stale-arp: peer "clients": name nodes or roles; who is no node has no address to be wrong about`)
	require.ErrorContains(t, StaleARP{Peers: []string{""}}.Validate(), "stale-arp: a peer without a name")
}

// TestOnePeerThatItIsRightAboutIsNoProof: nor is one that it is wrong about healed;
// and another wrong address is not the one of the machine that is gone.
func TestOnePeerThatItIsRightAboutIsNoProof(t *testing.T) {
	db, lb1 := netip.MustParseAddr("198.18.7.10"), netip.MustParseAddr("198.18.7.31")
	f := StaleARP{Peers: []string{"db", "lb1"}}
	for name, tc := range map[string]struct {
		near          map[netip.Addr]string
		bites, healed bool
		measured      string
	}{
		"both":      {map[netip.Addr]string{db: goneMachine, lb1: goneMachine}, true, false, "j1: wrong about 2 of 2 peers"},
		"one":       {map[netip.Addr]string{db: goneMachine}, false, false, "j1: wrong about 1 of 2 peers"},
		"the other": {map[netip.Addr]string{db: "02:42:c6:12:07:0a", lb1: goneMachine}, false, false, "j1: wrong about 1 of 2 peers"},
		"none":      {nil, false, true, "j1: wrong about 0 of 2 peers"},
		"right":     {map[netip.Addr]string{db: "02:42:c6:12:07:0a", lb1: "02:42:c6:12:07:1f"}, false, true, "j1: wrong about 0 of 2 peers"},
		"of no peer": {
			map[netip.Addr]string{netip.MustParseAddr("198.18.7.32"): goneMachine}, false, true, "j1: wrong about 0 of 2 peers",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWired()
				w.node("j1").near = tc.near
				p := wiredSeen(t, f.Active, w.some("j1"))
				require.Equal(t, tc.bites, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.Equal(t, tc.bites, len(p.How) > 2, "it tries to connect where it is wrong about both: %+v", p)
				p = wiredSeen(t, f.Healed, w.some("j1"))
				require.Equal(t, tc.healed, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				if name == "one" {
					require.Contains(t, p.How, "j1: it holds that 198.18.7.10 is at "+goneMachine+"; "+goneMachine+" is gone")
					require.Contains(t, p.How, "j1: it holds that 198.18.7.31 is at no address that it knows; "+goneMachine+" is gone")
				}
			})
		})
	}
}

// TestAMistakeTellsWhenItWasMade: by the note of it; without one the times are not
// known.
func TestAMistakeTellsWhenItWasMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), StaleARP{Peers: []string{"db"}}
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.True(t, p.OK)
		require.Equal(t, [2]time.Time{time.Unix(wiredBegan, 1e8), time.Unix(wiredBegan, 2e8)}, [2]time.Time{p.From, p.To})
		w.node("j1").files[mistakeNote] = ""
		p = wiredSeen(t, f.Active, w.some("j1"))
		require.True(t, p.OK)
		require.True(t, p.From.IsZero())
		require.True(t, p.To.IsZero())
		w.node("j1").files[mistakeNote] = "soon later\n"
		_, err := wiredOnce(t, f.Active, w.some("j1"))
		require.ErrorContains(t, err, "j1: ")
		require.ErrorContains(t, err, "soon")
		w.node("j1").near = nil
		p = wiredSeen(t, f.Healed, w.some("j1"))
		require.True(t, p.OK, "the note is not read")
		require.True(t, p.To.IsZero())
	})
}

// TestAMistakeAboutWhomItCanReachIsNoProof: what it believes is not what happens.
func TestAMistakeAboutWhomItCanReachIsNoProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), StaleARP{Peers: []string{"db"}}
		w.breaks = func(_ *wired, argv []string) *wiredReply {
			if argv[0] == "ip" {
				out, _ := text(`[{"dst":"198.18.7.10","lladdr":"%s"}]`, goneMachine)
				return &wiredReply{out: out}
			}
			return nil
		}
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK, "%+v", p)
		require.Contains(t, p.How, "j1: j1 to 198.18.7.10:5432: connected")
		w.breaks = func(*wired, []string) *wiredReply { return &wiredReply{out: topology.Output{Stdout: []byte("none")}} }
		_, err := wiredOnce(t, f.Active, w.some("j1"))
		require.ErrorContains(t, err, "j1: ip neigh: ")
	})
}

// TestAMistakeAboutOnePeerIsRefusedForBoth: the undo of either would end the other.
func TestAMistakeAboutOnePeerIsRefusedForBoth(t *testing.T) {
	w, log := newWired(), &undos{}
	require.NoError(t, StaleARP{Peers: []string{"lb1"}}.Inject(t.Context(), w.some("j1"), log))
	err := StaleARP{Peers: []string{"db", "lb1"}}.Inject(t.Context(), w.some("j1"), log)
	require.ErrorContains(t, err, "stale-arp j1: it is wrong about the address of 198.18.7.31 already")
	require.Len(t, log.all, 1)
	require.NoError(t, StaleARP{Peers: []string{"db"}}.Inject(t.Context(), w.some("j1"), log), "another peer's")
	require.ErrorIs(t, StaleARP{Peers: []string{"j9"}}.Inject(t.Context(), w.some("j1"), log), ErrNoTargets)
}

// TestOnlyWhatIsStaleIsForgotten: an address that the kernel has learnt meanwhile
// stays, and that of another's mistake, too.
func TestOnlyWhatIsStaleIsForgotten(t *testing.T) {
	db, lb1, lb2 := netip.MustParseAddr("198.18.7.10"), netip.MustParseAddr("198.18.7.31"), netip.MustParseAddr("198.18.7.32")
	w := newWired()
	w.node("j1").near = map[netip.Addr]string{db: goneMachine, lb1: "02:42:c6:12:07:1f", lb2: goneMachine}
	undo := func(peers string) error {
		return Undo(t.Context(), w.everybody(), Entry{Undo: StaleNeighbourAbsent, Node: "j1", Params: map[string]string{"peers": peers}})
	}
	require.NoError(t, undo("198.18.7.10, 198.18.7.31"))
	require.Equal(t, map[netip.Addr]string{lb1: "02:42:c6:12:07:1f", lb2: goneMachine}, w.node("j1").near)
	looks := w.count
	require.NoError(t, undo("198.18.7.10, 198.18.7.31"))
	require.Equal(t, 1, w.count-looks, "there is nothing to forget")
	require.ErrorContains(t, undo("198.18.7.32, db"), `undo stale-neighbour-absent on j1: peers "198.18.7.32, db": `)
	require.ErrorContains(t, undo(""), `peers "": `)
	require.Equal(t, goneMachine, w.node("j1").near[lb2], "nothing is forgotten of a list that makes no sense")
}
