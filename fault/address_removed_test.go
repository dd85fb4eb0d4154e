package fault

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestAnAddressIsTakenOffItsOwner: who holds none but its own is refused by the
// node itself, and other kinds of nodes before that.
func TestAnAddressIsTakenOffItsOwner(t *testing.T) {
	require.NoError(t, AddressRemoved{}.Validate())
	w, log := newWired(), &undos{}
	err := AddressRemoved{}.Inject(t.Context(), w.some("lb2"), log)
	require.EqualError(t, err, "address-removed lb2: exit status 4: it holds no address but its own: aim at the owner of the shared one")
	require.NoError(t, UndoAll(t.Context(), w.everybody(), log.all))
	for _, name := range []string{"j1", "db"} {
		did := w.count
		err = AddressRemoved{}.Inject(t.Context(), w.some(name), log)
		require.EqualError(t, err, "address-removed: node "+name+": "+ErrCapability.Error()+" (an address that balancers share)")
		require.Equal(t, did, w.count)
	}
	w.node("lb1").port = 0
	require.ErrorIs(t, AddressRemoved{}.Inject(t.Context(), w.some("lb1"), log), ErrCapability, "one that has no address of its own")
	w.node("lb1").port = 1
	require.NoError(t, AddressRemoved{}.Inject(t.Context(), w.some("lb1"), log))
	require.Empty(t, w.node("lb1").shared)
	require.Contains(t, w.node("lb1").did, []string{"bash", "-c", removeAddress, "hachaos-remove", "198.18.7.31"})
}

func TestARemovalTellsWhenAndWhoHasTheAddressNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), AddressRemoved{}
		require.NoError(t, f.Inject(t.Context(), w.some("lb1"), &undos{}))
		for now, want := range map[string]string{"lb2": "lb2", "lb1": "lb1", "": "nobody"} {
			w.node("lb1").shared, w.node("lb2").shared = nil, nil
			if now != "" {
				w.node(now).shared = []netip.Addr{netip.MustParseAddr(wiredVIP)}
			}
			p := wiredSeen(t, f.Active, w.some("lb1"))
			require.True(t, p.OK, "whoever has it: %+v", p)
			require.Equal(t, [2]time.Time{time.Unix(wiredBegan, 1e8), time.Unix(wiredBegan, 2e8)}, [2]time.Time{p.From, p.To})
			require.Equal(t, []string{
				"lb1: its kernel was seen without 198.18.7.100 at " + time.Unix(wiredBegan, 2e8).UTC().Format(stamp),
				"lb1: it is now at: " + want,
			}, p.How)
		}
		w.node("lb1").shared, w.node("lb2").shared = nil, []netip.Addr{netip.MustParseAddr("198.18.7.101")}
		require.Contains(t, wiredSeen(t, f.Active, w.some("lb1")).How, "lb1: it is now at: nobody", "another address")
		delete(w.node("lb1").files, removalNote)
		p := wiredSeen(t, f.Active, w.some("lb1"))
		require.False(t, p.OK)
		require.Equal(t, "lb1: nothing taken", p.Measured)
		require.Equal(t, []string{"lb1: there is no note of a removal in its container"}, p.How)
		require.True(t, p.To.IsZero())
		w.node("lb1").files[removalNote] = "soon"
		_, err := wiredOnce(t, f.Active, w.some("lb1"))
		require.ErrorContains(t, err, `lb1: note of the removal: "soon"`)
	})
}

// TestTheSharedAddressIsHealedWithOneOwner: neither with none nor with two, nor
// while the note is there.
func TestTheSharedAddressIsHealedWithOneOwner(t *testing.T) {
	vip := netip.MustParseAddr(wiredVIP)
	for name, tc := range map[string]struct {
		owners   []string
		down     string
		note     bool
		want     bool
		measured string
	}{
		"the other":           {[]string{"lb2"}, "", false, true, "lb1: owned by lb2"},
		"itself again":        {[]string{"lb1"}, "", false, true, "lb1: owned by lb1"},
		"nobody":              {nil, "", false, false, "lb1: owned by nobody"},
		"both":                {[]string{"lb1", "lb2"}, "", false, false, "lb1: owned by lb1, lb2"},
		"with the note":       {[]string{"lb2"}, "", true, false, "lb1: owned by lb2"},
		"one that is down":    {[]string{"lb1", "lb2"}, "lb2", false, true, "lb1: owned by lb1"},
		"what is no balancer": {[]string{"j1"}, "", false, false, "lb1: owned by nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWired()
				w.node("lb1").shared = nil
				for _, o := range tc.owners {
					w.node(o).shared = []netip.Addr{vip}
				}
				if tc.down != "" {
					w.node(tc.down).state = topology.State{}
				}
				if tc.note {
					w.node("lb1").files[removalNote] = "1732082400.100000 1732082400.200000 198.18.7.100\n"
				}
				p := wiredSeen(t, AddressRemoved{}.Healed, w.some("lb1"))
				require.Equal(t, tc.want, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.Equal(t, map[bool]string{true: "lb1: note of the removal in its container: true", false: "lb1: note of the removal in its container: false"}[tc.note], p.How[1])
			})
		})
	}
}

// TestABalancerThatIsDownHasNoNote: it is neither proven nor healed. An address
// that cannot be read is an error.
func TestABalancerThatIsDownHasNoNote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), AddressRemoved{}
		w.node("lb1").state = topology.State{}
		for _, p := range []Proof{wiredSeen(t, f.Active, w.some("lb1")), wiredSeen(t, f.Healed, w.some("lb1"))} {
			require.False(t, p.OK)
			require.Equal(t, "lb1: not running", p.Measured)
			require.Equal(t, []string{"lb1: the container does not run"}, p.How)
		}
		w = newWired()
		w.breaks = func(n *wired, argv []string) *wiredReply {
			if argv[0] == "ip" && n.name == "lb2" {
				return &wiredReply{out: topology.Output{Stdout: []byte("none")}}
			}
			return nil
		}
		_, err := wiredOnce(t, f.Healed, w.some("lb1"))
		require.ErrorContains(t, err, "lb1: addresses of lb2: ip address: ")
		w.breaks = func(n *wired, argv []string) *wiredReply {
			if argv[0] == "ip" && n.name == "lb2" {
				return &wiredReply{err: errEngine}
			}
			return nil
		}
		_, err = wiredOnce(t, f.Healed, w.some("lb1"))
		require.EqualError(t, err, "lb1: addresses of lb2: "+errEngine.Error())
		w.breaks = nil
		lb1 := w.node("lb1")
		i := slices.IndexFunc(lb1.peers, func(n topology.Node) bool { return n.Name() == "lb2" })
		lb1.peers[i] = wiredAlone{Container: w.node("lb2")}
		_, err = wiredOnce(t, f.Healed, w.some("lb1"))
		require.ErrorIs(t, err, ErrCapability)
	})
}

// wiredDeaf is a balancer whose packets cannot be touched.
type wiredDeaf struct {
	wiredAlone
	addr netip.Addr
}

func (n wiredDeaf) Addr() netip.Addr { return n.addr }
func (n wiredDeaf) Port() int        { return 80 }

// TestABalancerWithoutANamespaceIsRefused: although it says where it is.
func TestABalancerWithoutANamespaceIsRefused(t *testing.T) {
	w, log := newWired(), &undos{}
	n := w.node("lb1")
	err := AddressRemoved{}.Inject(t.Context(), []topology.Node{wiredDeaf{wiredAlone{n, n.peers}, n.addr}}, log)
	require.ErrorIs(t, err, ErrCapability)
	require.False(t, w.did())
}

// TestWhoOwnsTheAddressIsAskedOfEachBalancer: whether or not the one before runs,
// and of one that serves no port, too.
func TestWhoOwnsTheAddressIsAskedOfEachBalancer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWired()
		w.own("lb2")
		w.node("lb1").state = topology.State{}
		p := wiredSeen(t, AddressRemoved{}.Healed, w.some("lb2"))
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "lb2: owned by lb2", p.Measured)
		w = newWired()
		w.node("lb2").port = 0
		p = wiredSeen(t, AddressRemoved{}.Healed, w.some("lb1"))
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "lb1: owned by lb1", p.Measured)
	})
}

func TestANoteOfARemovalIsTwoTimesAndAddresses(t *testing.T) {
	const at = "1732082400.100000 1732082400.200000"
	r, err := parseRemoved(at + " 198.18.7.100 198.18.7.101\n")
	require.NoError(t, err)
	require.Equal(t, removed{
		time.Unix(wiredBegan, 1e8), time.Unix(wiredBegan, 2e8),
		[]netip.Addr{netip.MustParseAddr(wiredVIP), netip.MustParseAddr("198.18.7.101")},
	}, r)
	for text, says := range map[string]string{
		at:                               "want two times and addresses",
		"1732082400.1":                   "want two times and addresses",
		at + " 198.18.7.100 nobody":      "note of the removal: ",
		"x 1732082400.200000 198.18.7.1": "x",
		"1732082400.100000 x 198.18.7.1": "x",
	} {
		_, err := parseRemoved(text)
		require.ErrorContains(t, err, says, text)
	}
	r, err = parseRemoved(" \n")
	require.NoError(t, err)
	require.Equal(t, removed{}, r)
	require.Equal(t, "nobody", orNobody(nil))
	require.Equal(t, "lb1", orNobody([]string{"lb1"}))
	require.Equal(t, "lb1, lb2", orNobody([]string{"lb1", "lb2"}))
}
