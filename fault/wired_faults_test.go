package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// wiredCase is a fault, whom it is aimed at, and what is said of it.
type wiredCase struct {
	fault  Fault
	target string
	asked  string // of Active
	bites  string // measured while it does
	over   string // asked of Healed
	healed string // measured after the undo
	unit   string
	undos  []Entry
}

// overUnit is Healed's: of a limit it asks whether there is none, in words.
func (c wiredCase) overUnit() string {
	if c.fault.Kind() == "bandwidth" {
		return ""
	}
	return c.unit
}

func wiredFilter(f Fault, node string) []Entry {
	return []Entry{{Undo: FilterAbsent, Node: node, Params: map[string]string{"table": toxicName(f)}}}
}

func wiredToxics(proxy string, names ...string) (all []Entry) {
	for _, name := range names {
		all = append(all, Entry{Undo: ToxicAbsent, Node: "toxi", Params: map[string]string{"api": wiredAPI, "proxy": proxy, "toxic": name}})
	}
	return all
}

func wiredShut(proxy string) []Entry {
	return []Entry{{Undo: ProxyEnabled, Node: "toxi", Params: map[string]string{"api": wiredAPI, "proxy": proxy}}}
}

// wiredCases are the faults that act on packets, ways and addresses.
func wiredCases() map[string]wiredCase {
	ms := time.Millisecond
	latency, jittery := Latency{Delay: 60 * ms}, Latency{Delay: 60 * ms, Jitter: 20 * ms}
	link := []Entry{{Undo: ShapingAbsent, Node: "j1"}}
	reset := ConnectionReset{Peers: []string{"db", "balancer", Clients}}
	stall := Stall{}
	slow := DependencySlow{Delay: 200 * ms}
	all := map[string]wiredCase{
		"latency": {
			latency, "j1", "60 ms within 6 ms", "j1: 60.0", "less than 6 ms", "j1: 0.0", "ms",
			wiredToxics("j1", toxicName(latency)),
		},
		"latency with a jitter": {
			jittery, "j1", "60 ms within 6 ms, with a jitter of 20 ms within half and double", "j1: 60.0 with a jitter of 19.6",
			"less than 6 ms, with a jitter of less than 10 ms", "j1: 0.0 with a jitter of 0.0", "ms", wiredToxics("j1", toxicName(jittery)),
		},
		"link-latency": {LinkLatency(latency), "j1", "60 ms within 6 ms", "j1: 60.0", "less than 6 ms", "j1: 0.0", "ms", link},
		"link-latency with a jitter": {
			LinkLatency(jittery), "j1", "60 ms within 6 ms, with a jitter of 20 ms within half and double", "j1: 60.0 with a jitter of 19.6",
			"less than 6 ms, with a jitter of less than 10 ms", "j1: 0.0 with a jitter of 0.0", "ms", link,
		},
		"bandwidth": {Bandwidth{KBit: 4000}, "j1", "4000", "j1: 4000", "no limit", "j1: no limit", "kbit/s", link},
		"stall": {
			stall, "j1", "accepts, and does not answer", "j1: 3 silent", "answered again", "j1: 3 answered", "",
			wiredToxics("j1", toxicName(stall)+"_upstream", toxicName(stall)+"_downstream"),
		},
		"database-cut": {
			DatabaseCut{}, "j1", "refused", "j1: 3 refused, 0 connections", "answered again", "j1: 3 answered, 0 connections", "", wiredShut("j1"),
		},
		"dependency-down": {
			DependencyDown{},
			"price", "refused", "price: 3 closed from j1, 3 closed from j2",
			"answered again", "price: 3 answered from j1, 3 answered from j2", "", wiredShut("price"),
		},
		"dependency-slow": {
			slow, "price", "200 within 20", "price: 200.0 from j1, 200.0 from j2", "less than 20", "price: 0.0 from j1, 0.0 from j2", "ms",
			wiredToxics("price", toxicName(slow)),
		},
		"stale-arp": {
			StaleARP{Peers: []string{"db", "balancer"}},
			"j1", "the address of a machine that is gone", "j1: wrong about 3 of 3 peers",
			"the address of the machine that is there", "j1: wrong about 0 of 3 peers", "",
			[]Entry{{Undo: StaleNeighbourAbsent, Node: "j1", Params: map[string]string{"peers": "198.18.7.10, 198.18.7.31, 198.18.7.32"}}},
		},
		"connection-reset": {
			reset, "j1", "connections are reset, both ways", "j1: reset", "packets flow", "j1: packets flow", "", wiredFilter(reset, "j1"),
		},
		"vrrp-cut": {
			VRRPCut{},
			"lb1", "VRRP dropped, both ways", "lb1: VRRP dropped: 2 in, 3 out", "VRRP passes", "lb1: VRRP passes", "",
			[]Entry{{Undo: FilterAbsent, Node: "lb1", Params: map[string]string{"table": vrrpTable}}},
		},
		"address-removed": {
			AddressRemoved{},
			"lb1", "the shared address taken off eth0", "lb1: 198.18.7.100 taken off eth0",
			"one owner of the shared address", "lb1: owned by lb2", "",
			[]Entry{{Undo: RemovalNoteAbsent, Node: "lb1"}},
		},
	}
	for _, w := range []struct{ way, asked, cut, clients, loss string }{
		{"", "all packets dropped, both ways", " 5 of 5 input 5 of 5 output", " 5 of 5 input 5 of 5 output", "input 4.89 %, output 4.89 %"},
		{Both, "all packets dropped, both ways", " 5 of 5 input 5 of 5 output", " 5 of 5 input 5 of 5 output", "input 4.89 %, output 4.89 %"},
		{Incoming, "all packets dropped that come in, none that go out", " 5 of 5 input", " 5 of 5 input", "input 4.89 %"},
		{Outgoing, "all packets dropped that go out, none that come in", " 5 of 5 output", " 5 of 5 output", "output 4.89 %"},
	} {
		cut := NetworkCut{Peers: []string{"db"}, Way: w.way}
		all["network-cut "+w.way] = wiredCase{
			cut, "j1", w.asked, "j1: dropped" + w.cut, "packets flow", "j1: packets flow", "", wiredFilter(cut, "j1"),
		}
		cut.Peers = []string{Clients}
		all["network-cut of clients "+w.way] = wiredCase{
			cut, "j1", w.asked, "j1: dropped" + w.clients, "packets flow", "j1: packets flow", "", wiredFilter(cut, "j1"),
		}
		loss := PacketLoss{Peers: []string{"lb1"}, Percent: 5, Way: w.way}
		all["packet-loss "+w.way] = wiredCase{
			loss, "j1", "5 % of the packets dropped", "j1: " + w.loss, "packets flow", "j1: packets flow", "", wiredFilter(loss, "j1"),
		}
	}
	return all
}

// onWires runs a test of each of the faults, on a network of its own in virtual
// time.
func onWires(t *testing.T, test func(t *testing.T, c wiredCase, w *wiredNet, target []topology.Node)) {
	t.Helper()
	cases := wiredCases()
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWired()
				test(t, cases[name], w, w.some(cases[name].target))
			})
		})
	}
}

// inject has a fault act, and the balancers say twice and three times that they
// live: what comes in and what goes out differ.
func (w *wiredNet) inject(t *testing.T, c wiredCase, nodes []topology.Node, log Recorder) {
	t.Helper()
	require.NoError(t, c.fault.Inject(t.Context(), nodes, log))
	if c.fault.Kind() == "vrrp-cut" {
		w.advertise(3)
		lb2 := w.node("lb2")
		owned := w.node("lb1").shared
		w.node("lb1").shared, lb2.shared = nil, owned // a balancer that hears nothing advertises, too
		w.advertise(2)
		w.node("lb1").shared, lb2.shared = owned, nil
	}
}

// TestAFaultOfTheNetworkIsProvenAndUndone: it is proven while it acts and at no
// other time, and its undo leaves what was there before.
func TestAFaultOfTheNetworkIsProvenAndUndone(t *testing.T) {
	onWires(t, func(t *testing.T, c wiredCase, w *wiredNet, target []topology.Node) {
		before := w.what()
		require.NotEmpty(t, c.fault.Kind())
		require.Contains(t, t.Name(), "/"+c.fault.Kind())
		require.Contains(t, Kinds(), c.fault.Kind())
		require.False(t, wiredSeen(t, c.fault.Active, target).OK, "before it acted")
		require.True(t, wiredSeen(t, c.fault.Healed, target).OK, "before it acted")

		log := &undos{}
		w.inject(t, c, target, log)
		require.Equal(t, c.undos, log.all)
		p := wiredSeen(t, c.fault.Active, target)
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, []string{c.asked, c.bites, c.unit}, []string{p.Asked, p.Measured, p.Unit})
		p = wiredSeen(t, c.fault.Healed, target)
		require.False(t, p.OK, "%+v", p)
		require.Equal(t, c.over, p.Asked)
		require.ErrorContains(t, c.fault.Inject(t.Context(), target, log), c.target, "a second time")
		require.Len(t, log.all, len(c.undos))

		for range 2 {
			require.NoError(t, UndoAll(t.Context(), w.everybody(), log.all))
			require.Equal(t, before, w.what())
		}
		p = wiredSeen(t, c.fault.Healed, target)
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, []string{c.over, c.healed, c.overUnit()}, []string{p.Asked, p.Measured, p.Unit})
		require.False(t, wiredSeen(t, c.fault.Active, target).OK, "after its undo")
	})
}

// TestWhatAProofSaysIsOfItsNode: each line of it names the target.
func TestWhatAProofSaysIsOfItsNode(t *testing.T) {
	onWires(t, func(t *testing.T, c wiredCase, w *wiredNet, target []topology.Node) {
		w.inject(t, c, target, &undos{})
		for _, look := range []func(context.Context, []topology.Node) (Proof, error){c.fault.Active, c.fault.Healed} {
			p := wiredSeen(t, look, target)
			require.NotEmpty(t, p.How)
			for _, line := range p.How {
				require.True(t, strings.HasPrefix(line, c.target+": "), line)
				require.NotContains(t, line, "%!", "a line that was made wrong")
			}
		}
	})
}

// broken are the replies to a command that cannot be carried out.
var broken = map[string]wiredReply{
	"no engine":   {err: errEngine},
	"exit status": {out: topology.Output{Code: 3, Stderr: []byte("first\nthe wire is cut\n")}},
	"cut off":     {err: errEngine, after: true},
	"half done":   {out: topology.Output{Code: 3}, after: true},
}

// breaking has the i-th command end so. It says whether that is one of which the
// exit status tells nothing: curl's is that of a request without an answer.
func (w *wiredNet) breaking(i int, reply wiredReply) (telling *bool) {
	telling = new(true)
	w.count = 0
	w.breaks = func(_ *wired, argv []string) *wiredReply {
		if w.count != i {
			return nil
		}
		*telling = reply.err != nil || !reply.after || !strings.Contains(argv[len(argv)-1], "/probe?")
		return &reply
	}
	return telling
}

// own has a balancer own the shared address, and no other.
func (w *wiredNet) own(name string) {
	for _, n := range w.nodes {
		n.shared = nil
	}
	w.node(name).shared = []netip.Addr{netip.MustParseAddr(wiredVIP)}
}

// TestALookThatFailsIsAnErrorAndNoProof: whichever of its commands it is that
// cannot be carried out, the error names the target.
func TestALookThatFailsIsAnErrorAndNoProof(t *testing.T) {
	for kind, reply := range broken {
		t.Run(kind, func(t *testing.T) {
			onWires(t, func(t *testing.T, c wiredCase, w *wiredNet, target []topology.Node) {
				log := &undos{}
				w.inject(t, c, target, log)
				look := func(act string, at func(context.Context, []topology.Node) (Proof, error)) {
					for i := 1; ; i++ {
						telling := w.breaking(i, reply)
						p, err := wiredOnce(t, at, target)
						w.breaks = nil
						if w.count < i {
							require.NoError(t, err)
							require.Greater(t, i, 1, "it looked at nothing")
							return
						}
						if !*telling {
							require.NoError(t, err)
							continue
						}
						require.Error(t, err, "%s: command %d: %+v", act, i, p)
						require.ErrorContains(t, err, c.target+": ", "%s: command %d", act, i)
						require.False(t, p.OK, "%s: command %d", act, i)
					}
				}
				look("active", c.fault.Active)
				require.NoError(t, UndoAll(t.Context(), w.everybody(), log.all))
				look("healed", c.fault.Healed)
			})
		})
	}
}

// TestAnActThatFailsIsAnErrorThatIsUndone: whichever of its commands it is, and
// whether that took effect or not.
func TestAnActThatFailsIsAnErrorThatIsUndone(t *testing.T) {
	for kind, reply := range broken {
		t.Run(kind, func(t *testing.T) {
			onWires(t, func(t *testing.T, c wiredCase, w *wiredNet, target []topology.Node) {
				before := w.what()
				for i := 1; ; i++ {
					log := &undos{}
					w.own("lb1")
					w.breaking(i, reply)
					err := c.fault.Inject(t.Context(), target, log)
					w.breaks = nil
					if w.count < i {
						require.NoError(t, err)
						require.Greater(t, i, 2, "it neither looked nor acted")
						return
					}
					require.ErrorContains(t, err, c.fault.Kind()+" "+c.target+": ", "command %d", i)
					require.NoError(t, UndoAll(t.Context(), w.everybody(), log.all))
					require.Equal(t, before, w.what(), "command %d", i)
				}
			})
		})
	}
}

// TestAnUndoThatFailsIsAnError: whichever of its commands it is. That the
// container is down is none: what the fault did went with it.
func TestAnUndoThatFailsIsAnError(t *testing.T) {
	// injected is the first entry of a fault that acts.
	injected := func(t *testing.T, c wiredCase) (*wiredNet, Entry) {
		t.Helper()
		w, log := newWired(), &undos{}
		w.inject(t, c, w.some(c.target), log)
		w.count = 0
		return w, log.all[0]
	}
	for kind, reply := range broken {
		t.Run(kind, func(t *testing.T) {
			onWires(t, func(t *testing.T, c wiredCase, _ *wiredNet, _ []topology.Node) {
				for i := 1; ; i++ {
					w, e := injected(t, c)
					w.breaking(i, reply)
					err := Undo(t.Context(), w.everybody(), e)
					if w.count < i {
						require.NoError(t, err)
						require.Greater(t, i, 1, "it did nothing")
						return
					}
					require.ErrorContains(t, err, "undo "+e.Undo+" on "+e.Node+": ", "command %d", i)
				}
			})
		})
	}
	t.Run("down", func(t *testing.T) {
		onWires(t, func(t *testing.T, c wiredCase, _ *wiredNet, _ []topology.Node) {
			w, e := injected(t, c)
			w.node(e.Node).state.Running = false
			require.NoError(t, Undo(t.Context(), w.everybody(), e))
		})
	})
	t.Run("no namespace", func(t *testing.T) {
		onWires(t, func(t *testing.T, c wiredCase, _ *wiredNet, _ []topology.Node) {
			w, e := injected(t, c)
			n := w.node(e.Node)
			err := Undo(t.Context(), []topology.Node{wiredAlone{n, n.peers}}, e)
			if c.fault.Kind() == "address-removed" { // its note is in the container
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrCapability)
		})
	})
}

// TestNobodyIsNoTarget: neither to act on nor to look at.
func TestNobodyIsNoTarget(t *testing.T) {
	onWires(t, func(t *testing.T, c wiredCase, _ *wiredNet, _ []topology.Node) {
		log := &undos{}
		require.ErrorIs(t, c.fault.Inject(t.Context(), nil, log), ErrNoTargets)
		require.Empty(t, log.all)
		for _, look := range []func(context.Context, []topology.Node) (Proof, error){c.fault.Active, c.fault.Healed} {
			p, err := look(t.Context(), nil)
			require.ErrorIs(t, err, ErrNoTargets)
			require.False(t, p.OK)
		}
	})
}

// wiredAlone is a container whose packets cannot be touched, of a cluster that has others.
type wiredAlone struct {
	topology.Container
	peers []topology.Node
}

func (n wiredAlone) Peers() []topology.Node { return n.peers }

// wiredStranger is a node whose packets can be touched, and that knows no other.
type wiredStranger struct {
	topology.Container
	in topology.Namespace
}

func (n wiredStranger) InNamespace(ctx context.Context, argv ...string) (topology.Output, error) {
	return n.in.InNamespace(ctx, argv...)
}

// wiredNothing is a node that is no container.
type wiredNothing struct{ topology.Node }

// TestANodeThatDoesNotOfferItIsRefused: before any command, by the act as by a look.
func TestANodeThatDoesNotOfferItIsRefused(t *testing.T) {
	poor := map[string]func(*wired) topology.Node{
		"no namespace": func(n *wired) topology.Node { return wiredAlone{n, n.peers} },
		"no cluster":   func(n *wired) topology.Node { return wiredStranger{n, n} },
		"no container": func(n *wired) topology.Node { return wiredNothing{n} },
	}
	for name, of := range poor {
		t.Run(name, func(t *testing.T) {
			onWires(t, func(t *testing.T, c wiredCase, w *wiredNet, target []topology.Node) {
				nodes := []topology.Node{of(target[0].(*wired))}
				acts := map[string]func() error{
					"inject": func() error {
						log := &undos{}
						defer func() { require.Empty(t, log.all) }()
						return c.fault.Inject(t.Context(), nodes, log)
					},
					"active": func() error { _, err := wiredOnce(t, c.fault.Active, nodes); return err },
					"healed": func() error { _, err := wiredOnce(t, c.fault.Healed, nodes); return err },
				}
				if name == "no cluster" { // what acts or looks at the node alone needs no other
					switch c.fault.Kind() {
					case "vrrp-cut":
						return
					case "bandwidth":
						acts = map[string]func() error{"active": acts["active"]}
					}
				}
				for act, try := range acts {
					err := try()
					require.ErrorIs(t, err, ErrCapability, act)
					require.ErrorContains(t, err, c.fault.Kind()+": node "+c.target, act)
				}
				require.False(t, w.did())
			})
		})
	}
}

// TestATargetThatDoesNotRunIsRefused: nothing is recorded, and no command carried
// out.
func TestATargetThatDoesNotRunIsRefused(t *testing.T) {
	onWires(t, func(t *testing.T, c wiredCase, w *wiredNet, target []topology.Node) {
		n := target[0].(*wired)
		log := &undos{}
		n.state = topology.State{}
		require.ErrorIs(t, c.fault.Inject(t.Context(), target, log), topology.ErrNotRunning)
		n.state, n.blind = up, errEngine
		err := c.fault.Inject(t.Context(), target, log)
		require.ErrorIs(t, err, errEngine)
		require.ErrorContains(t, err, c.fault.Kind()+" "+c.target)
		require.Empty(t, log.all)
		require.False(t, w.did())
	})
}

var errFull = errors.New("no space left")

// TestWithoutItsUndoNothingActs: what cannot be recorded must not happen.
func TestWithoutItsUndoNothingActs(t *testing.T) {
	onWires(t, func(t *testing.T, c wiredCase, w *wiredNet, target []topology.Node) {
		before := w.what()
		err := c.fault.Inject(t.Context(), target, &undos{fails: errFull})
		require.ErrorIs(t, err, errFull)
		require.ErrorContains(t, err, c.fault.Kind()+" "+c.target)
		require.Equal(t, before, w.what())
	})
}

// TestAnUndoneHalfIsNoProof: of two targets both must suffer, and both be well.
func TestAnUndoneHalfIsNoProof(t *testing.T) {
	onWires(t, func(t *testing.T, c wiredCase, w *wiredNet, target []topology.Node) {
		if c.target != "j1" {
			return // there is no second of its kind
		}
		both := w.some("j1", "j2")
		first, second := &undos{}, &undos{}
		w.inject(t, c, target, first)
		p := wiredSeen(t, c.fault.Active, both)
		require.False(t, p.OK, "%+v", p)
		require.Contains(t, p.Measured, c.bites+"; j2: ")
		require.False(t, wiredSeen(t, c.fault.Healed, both).OK)
		w.inject(t, c, w.some("j2"), second)
		p = wiredSeen(t, c.fault.Active, both)
		require.True(t, p.OK, "%+v", p)
		require.NoError(t, UndoAll(t.Context(), w.everybody(), second.all))
		require.False(t, wiredSeen(t, c.fault.Active, both).OK)
		require.False(t, wiredSeen(t, c.fault.Healed, both).OK)
		require.NoError(t, UndoAll(t.Context(), w.everybody(), first.all))
		require.True(t, wiredSeen(t, c.fault.Healed, both).OK)

		all := &undos{}
		w.inject(t, c, both, all)
		require.Len(t, all.all, 2*len(c.undos))
		require.True(t, wiredSeen(t, c.fault.Active, both).OK)
	})
}

// TestAnotherAmountOnTheWireIsNoProof: nor what comes of nothing.
func TestAnotherAmountOnTheWireIsNoProof(t *testing.T) {
	for _, times := range []float64{0, 0.1, 10} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			onWires(t, func(t *testing.T, c wiredCase, w *wiredNet, target []topology.Node) {
				switch c.fault.(type) {
				case Latency, LinkLatency, Bandwidth, PacketLoss, DependencySlow:
				default:
					return // it has no magnitude
				}
				w.inject(t, c, target, &undos{})
				w.times = times
				p := wiredSeen(t, c.fault.Active, target)
				require.False(t, p.OK, "%+v", p)
				require.NotEqual(t, c.bites, p.Measured)
			})
		})
	}
}

// TestParametersThatCannotBeAreRefusedBeforeAnyCommand: by the act itself, too.
func TestParametersThatCannotBeAreRefusedBeforeAnyCommand(t *testing.T) {
	for name, f := range map[string]Fault{
		"latency":          Latency{},
		"link-latency":     LinkLatency{},
		"bandwidth":        Bandwidth{},
		"dependency-slow":  DependencySlow{},
		"stale-arp":        StaleARP{Peers: []string{Clients}},
		"connection-reset": ConnectionReset{Peers: []string{""}},
		"packet-loss":      PacketLoss{Peers: []string{"db"}},
		"network-cut":      NetworkCut{Peers: []string{"db"}, Way: "up"},
	} {
		t.Run(name, func(t *testing.T) {
			w, log := newWired(), &undos{}
			err := f.Inject(t.Context(), w.some("j1"), log)
			require.Error(t, err)
			require.EqualError(t, f.Validate(), err.Error())
			require.True(t, strings.HasPrefix(err.Error(), name+": "), err)
			require.Empty(t, log.all)
			require.False(t, w.did())
		})
	}
}
