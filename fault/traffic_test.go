package fault

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// wiredLink is the link of j1 to its peers.
func wiredLink(t *testing.T, w *wiredNet, peers ...string) link {
	t.Helper()
	ls, err := links("network-cut", w.some("j1"), peers)
	require.NoError(t, err)
	return ls[0]
}

// TestDatagramsGoBothWaysOrTheOneThatIsMeant: each peer sends them and is sent
// them, as often as is asked.
func TestDatagramsGoBothWaysOrTheOneThatIsMeant(t *testing.T) {
	for way, want := range map[string][2]int64{"": {14, 7}, Both: {14, 7}, Incoming: {14, 0}, Outgoing: {0, 7}} {
		t.Run(way, func(t *testing.T) {
			w := newWired()
			took, err := wiredLink(t, w, "db", "lb1").exchange(t.Context(), way, 7)
			require.NoError(t, err)
			require.Equal(t, 2, took)
			require.Equal(t, want, [2]int64{w.node("j1").noPorts, w.node("db").noPorts})
			require.Equal(t, want[1], w.node("lb1").noPorts)
		})
	}
}

// TestAPeerThatIsDownTakesNoPart: and one that cannot be made to is an error.
func TestAPeerThatIsDownTakesNoPart(t *testing.T) {
	w := newWired()
	w.node("db").state.Running = false
	took, err := wiredLink(t, w, "db", "lb1").exchange(t.Context(), Both, 7)
	require.NoError(t, err)
	require.Equal(t, 1, took)
	sent, err := sendDatagrams(t.Context(), w.node("db"), 1, w.node("j1").addr)
	require.NoError(t, err)
	require.False(t, sent)
	sent, err = sendDatagrams(t.Context(), w.node("lb1"), 1, w.node("j1").addr, w.node("lb2").addr)
	require.NoError(t, err)
	require.True(t, sent)
	require.EqualValues(t, 1, w.node("lb2").noPorts, "to each address")
	_, err = sendDatagrams(t.Context(), wiredNothing{w.node("db")}, 1, w.node("j1").addr)
	require.ErrorIs(t, err, ErrCapability)
	sent, err = sendDatagrams(t.Context(), wiredNothing{w.node("db")}, 1)
	require.Error(t, err)
	require.False(t, sent)

	w.breaks = func(n *wired, _ []string) *wiredReply {
		if n.name == "lb1" {
			return &wiredReply{err: errEngine}
		}
		return nil
	}
	sent, err = sendDatagrams(t.Context(), w.node("lb1"), 1, w.node("j1").addr)
	require.ErrorIs(t, err, errEngine)
	require.False(t, sent)
	took, err = wiredLink(t, w, "lb2", "lb1").exchange(t.Context(), Both, 7)
	require.EqualError(t, err, "datagrams from lb1: "+errEngine.Error())
	require.Zero(t, took, "lb1 is asked before lb2")
	w.node("db").state.Running = true
	took, err = wiredLink(t, w, "db", "lb1").exchange(t.Context(), Both, 7)
	require.ErrorIs(t, err, errEngine)
	require.Equal(t, 1, took)
}

func TestTheOtherOfTwoWays(t *testing.T) {
	require.Equal(t, Outgoing, otherWay(Incoming))
	require.Equal(t, Incoming, otherWay(Outgoing))
	require.Empty(t, otherWay(Both))
	require.Empty(t, otherWay(""))
}

// TestTheOtherWayIsSeenByWhatArrives: all that was sent, at the node that it was
// sent to, and no counter of the filter's.
func TestTheOtherWayIsSeenByWhatArrives(t *testing.T) {
	for name, tc := range map[string]struct {
		way    string
		filter counts
		lost   string // the chain of j1 that drops all
		want   bool
		how    []string
	}{
		"in": {Incoming, counts{"input": 3}, "", true, []string{
			"its filter has a chain output, of the way that is not meant: false",
			"the other way, between it and db: 5 datagrams sent, 5 arrived",
		}},
		"out": {Outgoing, counts{"output": 3}, "", true, []string{
			"its filter has a chain input, of the way that is not meant: false",
			"the other way, between it and db: 5 datagrams sent, 5 arrived",
		}},
		"in, and out":      {Incoming, counts{"input": 3}, "output", false, nil},
		"out, and in":      {Outgoing, counts{"output": 3}, "input", false, nil},
		"a counter of out": {Incoming, counts{"input": 3, "output": 0}, "", false, nil},
		"a counter of in":  {Outgoing, counts{"output": 3, "input": 0}, "", false, nil},
		"both":             {Both, counts{"output": 3, "input": 3}, "input", true, []string{}},
		"in, dropped in":   {Incoming, counts{"input": 3}, "input", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWired()
			w.node("j1").noPorts, w.node("db").noPorts = 100, 200
			if tc.lost != "" {
				w.node("j1").tables["x"] = &wiredTable{rules: map[string][]*wiredRule{tc.lost: {{text: "drop"}}}}
			}
			s := sight{ok: true}
			require.NoError(t, wiredLink(t, w, "db").seeOtherWay(t.Context(), &s, tc.way, tc.filter))
			require.Equal(t, tc.want, s.ok, "%+v", s)
			if tc.how != nil {
				require.Equal(t, tc.how, append([]string{}, s.how...))
			}
		})
	}
}

// TestOneDatagramThatIsLostTheOtherWayIsSeen: four of five are not five, and six
// are, since others may send, too.
func TestOneDatagramThatIsLostTheOtherWayIsSeen(t *testing.T) {
	for arrived, want := range map[int64]bool{0: false, 4: false, 5: true, 6: true} {
		w := newWired()
		w.node("db").noPorts = 50
		w.breaks = func(_ *wired, argv []string) *wiredReply {
			if slices.Contains(argv, "datagrams") {
				w.node("db").noPorts += arrived
				return &wiredReply{}
			}
			return nil
		}
		s := sight{ok: true}
		require.NoError(t, wiredLink(t, w, "db").seeOtherWay(t.Context(), &s, Incoming, counts{"input": 0}))
		require.Equal(t, want, s.ok, "%d", arrived)
	}
}

// TestTheOtherWayIsNotSeenOfWhoIsDown: but is of the others, and an error is one.
func TestTheOtherWayIsNotSeenOfWhoIsDown(t *testing.T) {
	w := newWired()
	w.node("db").state.Running = false
	s := sight{ok: true}
	require.NoError(t, wiredLink(t, w, "db", "lb1").seeOtherWay(t.Context(), &s, Incoming, counts{"input": 0}))
	require.True(t, s.ok)
	require.Equal(t, []string{
		"its filter has a chain output, of the way that is not meant: false",
		"the other way, between it and lb1: 5 datagrams sent, 5 arrived",
	}, s.how)
	l := wiredLink(t, w, "lb1")
	l.peers = []topology.Node{wiredNothing{w.node("lb1")}}
	require.ErrorIs(t, l.seeOtherWay(t.Context(), &s, Incoming, nil), ErrCapability)
}

func TestWhatANodeWasSentInVainIsCounted(t *testing.T) {
	for textOf, want := range map[string]int{
		snmp(0): 0, snmp(17): 17, "\n \n" + snmp(3): 3, "Udp: NoPorts InDatagrams\nUdp: 5 6\n": -1, "UdpLite: InDatagrams NoPorts\nUdpLite: 1 2\n": -1,
	} {
		n, err := parseUnwanted(textOf)
		if want < 0 && !strings.HasPrefix(textOf, "Udp: NoPorts") {
			require.EqualError(t, err, "/proc/net/snmp: it has no NoPorts of Udp")
			continue
		}
		require.NoError(t, err)
		if want < 0 {
			want = 5
		}
		require.Equal(t, want, n, textOf)
	}
}

// TestClientsCallInTheWaysThatAreMeant: n attempts to connect come in, and n
// datagrams go out to nobody.
func TestClientsCallInTheWaysThatAreMeant(t *testing.T) {
	for way, want := range map[string][2]int{"": {5, 5}, Both: {5, 5}, Incoming: {5, 0}, Outgoing: {0, 5}} {
		t.Run(way, func(t *testing.T) {
			w := newWired()
			l := wiredLink(t, w, Clients)
			_, err := w.node("j1").nft([]string{linkFilter("hachaos_x", Both, l, dropRule)[1]})
			require.NoError(t, err)
			require.NoError(t, l.call(t.Context(), way, 5))
			got := w.node("j1").tables["hachaos_x"].counters
			require.Equal(t, want, [2]int{got["input"], got["output"]})
		})
	}
}

// TestACallThatCannotBeMadeIsAnError: neither what nobody carried in nor what was
// not sent was dropped.
func TestACallThatCannotBeMadeIsAnError(t *testing.T) {
	w := newWired()
	l := wiredLink(t, w, Clients)
	w.client = errors.New("no route")
	err := l.call(t.Context(), Incoming, 5)
	require.ErrorContains(t, err, "attempts of clients to connect to j1: ")
	require.ErrorIs(t, err, w.client)
	w.node("j1").state.Running = false
	err = l.call(t.Context(), Outgoing, 5)
	require.ErrorIs(t, err, topology.ErrNotRunning)
	require.ErrorContains(t, err, "datagrams from j1 to clients: ")
	w.breaks = func(*wired, []string) *wiredReply { return &wiredReply{err: errEngine} }
	require.ErrorIs(t, l.call(t.Context(), Outgoing, 5), errEngine)
}

// TestWhoCannotBeCalledIsNotCutFromClients: who serves no port; of others nothing
// of the kind is asked.
func TestWhoCannotBeCalledIsNotCutFromClients(t *testing.T) {
	w := newWired()
	w.node("j1").port = 0
	require.ErrorIs(t, callable("network-cut", []link{wiredLink(t, w, "db"), wiredLink(t, w, Clients)}), ErrCapability)
	require.NoError(t, callable("network-cut", []link{wiredLink(t, w, "db")}))
	w.node("j1").port = 1
	require.NoError(t, callable("network-cut", []link{wiredLink(t, w, Clients)}))
}

// TestWhoTriesToConnectToWhom: the node to each peer that serves a port, each peer
// to the node, and clients to the node, of those that run.
func TestWhoTriesToConnectToWhom(t *testing.T) {
	type tried map[string][]string
	for name, tc := range map[string]struct {
		peers []string
		edit  func(w *wiredNet)
		want  tried
	}{
		"both ways": {[]string{"db", "lb1"}, nil, tried{
			"j1 to": {"198.18.7.10:5432", "198.18.7.31:80"}, "db to": {"198.18.7.21:8080"}, "lb1 to": {"198.18.7.21:8080"},
		}},
		"and clients":               {[]string{"db", Clients}, nil, tried{"j1 to": {"198.18.7.10:5432"}, "db to": {"198.18.7.21:8080"}, "clients to": {"198.18.7.21:8080"}}},
		"clients alone":             {[]string{Clients}, nil, tried{"clients to": {"198.18.7.21:8080"}}},
		"a peer that is down":       {[]string{"db", "lb1"}, func(w *wiredNet) { w.node("db").state.Running = false }, tried{"j1 to": {"198.18.7.31:80"}, "lb1 to": {"198.18.7.21:8080"}}},
		"a peer without a port":     {[]string{"db"}, func(w *wiredNet) { w.node("db").port = 0 }, tried{"db to": {"198.18.7.21:8080"}}},
		"a peer on port 1":          {[]string{"db"}, func(w *wiredNet) { w.node("db").port = 1 }, tried{"j1 to": {"198.18.7.10:1"}, "db to": {"198.18.7.21:8080"}}},
		"a node that serves nobody": {[]string{"db", Clients}, func(w *wiredNet) { w.node("j1").port = 0 }, tried{"j1 to": {"198.18.7.10:5432"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWired()
			if tc.edit != nil {
				tc.edit(w)
			}
			got := tried{}
			for _, a := range wiredLink(t, w, tc.peers...).attempts(t.Context()) {
				for _, to := range a.to {
					got[a.who] = append(got[a.who], to.String())
				}
				require.Equal(t, a.who == "clients to", a.from == nil)
			}
			require.Equal(t, tc.want, got)
		})
	}
}

// TestOneAttemptThatEndsOtherwiseIsSeen: of all that are made, from either side.
func TestOneAttemptThatEndsOtherwiseIsSeen(t *testing.T) {
	ends := []string{connected, refused, probeSilent, probeClosed}
	for _, want := range ends {
		for _, got := range ends {
			s := sight{ok: true}
			link{}.seeEnds(&s, "j1 to", fmt.Sprintf("198.18.7.10:5432 %s\n198.18.7.31:80 %s\n", want, got), 2, want)
			require.Equal(t, got == want, s.ok)
		}
	}
	for lines, want := range map[int]bool{1: false, 2: true, 3: false} {
		s := sight{ok: true}
		link{}.seeEnds(&s, "j1 to", strings.Repeat("198.18.7.10:5432 silent\n", lines), 2, probeSilent)
		require.Equal(t, want, s.ok)
		require.Equal(t, fmt.Sprintf("j1 to: %d of 2 attempts to connect ended", lines), s.how[lines])
		require.Equal(t, "j1 to 198.18.7.10:5432: silent", s.how[0])
	}
}

// TestWhatClientsMeetIsSeenInTheSameWords: as what nodes meet.
func TestWhatClientsMeetIsSeenInTheSameWords(t *testing.T) {
	for rule, want := range map[string]string{"": connected, "drop": probeSilent, "reject": refused} {
		w := newWired()
		l := wiredLink(t, w, Clients)
		w.node("j1").tables["x"] = &wiredTable{rules: map[string][]*wiredRule{"input": {{text: rule}}}}
		s := sight{ok: true}
		require.NoError(t, l.seeConnects(t.Context(), &s, want))
		require.True(t, s.ok, "%+v", s)
		require.Equal(t, []string{"clients to 198.18.7.21:8080: " + want, "clients to: 1 of 1 attempts to connect ended"}, s.how)
	}
	w := newWired()
	w.client = errEngine
	s := sight{ok: true}
	require.ErrorIs(t, wiredLink(t, w, Clients).seeConnects(t.Context(), &s, connected), errEngine)
}

func TestTheCommandThatTriesToConnect(t *testing.T) {
	require.Equal(t, []string{"bash", "-c", connects, "connects", "198.18.7.10:5432", "198.18.7.31:80"},
		connectsCommand([]netip.AddrPort{netip.MustParseAddrPort("198.18.7.10:5432"), netip.MustParseAddrPort("198.18.7.31:80")}))
}

func TestWhoIsAStrangerSkipsEveryNode(t *testing.T) {
	w := newWired()
	l := wiredLink(t, w, Clients)
	require.Equal(t, "198.18.7.23", l.stranger().String())
	l.addr = netip.MustParseAddrPort("198.18.7.30:80")
	require.Equal(t, "198.18.7.33", l.stranger().String())
	l.addr = netip.MustParseAddrPort("198.18.7.98:80")
	require.Equal(t, "198.18.7.99", l.stranger().String(), "a relay is a client's")
}

// TestACutOfAnotherWayIsNoProof: nor is one of other peers, nor one by which
// packets come through here and there.
func TestACutOfAnotherWayIsNoProof(t *testing.T) {
	// injected is the network after a filter of one fault has got the name of another.
	injected := func(t *testing.T, asked, does NetworkCut) *wiredNet {
		t.Helper()
		w := newWired()
		l := wiredLink(t, w, does.Peers...)
		_, err := w.node("j1").nft([]string{linkFilter(toxicName(asked), does.Way, l, dropRule)[1]})
		require.NoError(t, err)
		return w
	}
	for name, tc := range map[string]struct {
		asked, does NetworkCut
		want        bool
	}{
		"as asked":           {NetworkCut{Peers: []string{"db", "lb1"}}, NetworkCut{Peers: []string{"db", "lb1"}}, true},
		"one of two peers":   {NetworkCut{Peers: []string{"db", "lb1"}}, NetworkCut{Peers: []string{"db"}}, false},
		"of three, as asked": {NetworkCut{Peers: []string{"db"}}, NetworkCut{Peers: []string{"db", "lb1"}}, true},
		"in alone":           {NetworkCut{Peers: []string{"db"}}, NetworkCut{Peers: []string{"db"}, Way: Incoming}, false},
		"out alone":          {NetworkCut{Peers: []string{"db"}}, NetworkCut{Peers: []string{"db"}, Way: Outgoing}, false},
		"out in place of in": {NetworkCut{Peers: []string{"db"}, Way: Incoming}, NetworkCut{Peers: []string{"db"}, Way: Outgoing}, false},
		"in in place of out": {NetworkCut{Peers: []string{"db"}, Way: Outgoing}, NetworkCut{Peers: []string{"db"}, Way: Incoming}, false},
		"both for in":        {NetworkCut{Peers: []string{"db"}, Way: Incoming}, NetworkCut{Peers: []string{"db"}}, false},
		"both for out":       {NetworkCut{Peers: []string{"db"}, Way: Outgoing}, NetworkCut{Peers: []string{"db"}}, false},
		"nodes for clients":  {NetworkCut{Peers: []string{Clients}}, NetworkCut{Peers: []string{"db"}}, false},
		"clients for nodes":  {NetworkCut{Peers: []string{"db"}}, NetworkCut{Peers: []string{Clients}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := injected(t, tc.asked, tc.does)
				p := wiredSeen(t, tc.asked.Active, w.some("j1"))
				require.Equal(t, tc.want, p.OK, "%+v", p)
				require.False(t, wiredSeen(t, tc.asked.Healed, w.some("j1")).OK)
			})
		})
	}
}

// TestACutThatLetsConnectionsThroughIsNone: although every datagram is dropped.
func TestACutThatLetsConnectionsThroughIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, proto := range []string{"udp", "tcp"} {
			w, f := newWired(), NetworkCut{Peers: []string{"db"}}
			_, err := w.node("j1").nft([]string{linkFilter(toxicName(f), Both, wiredLink(t, w, "db"), "meta l4proto "+proto+" "+dropRule)[1]})
			require.NoError(t, err)
			p := wiredSeen(t, f.Active, w.some("j1"))
			require.False(t, p.OK, "%s alone: %+v", proto, p)
		}
	})
}

// TestACutOfNobodyIsNoProof: with all peers down, nothing was sent that could have
// been dropped; and without the filter nothing is.
func TestACutOfNobodyIsNoProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), NetworkCut{Peers: []string{"db"}}
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		w.node("db").state.Running = false
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK, "%+v", p)
		require.Contains(t, p.How, "j1: peers that run: 0 of 1")
		w = newWired()
		p = wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK)
		require.Equal(t, "j1: nothing is dropped", p.Measured)
		require.Equal(t, []string{"j1: packet filter " + toxicName(f) + " in its namespace: false"}, p.How)
	})
}

// TestACutCountsWhatWasDroppedMeanwhile: one packet of five that came through is
// seen, whatever was dropped before.
func TestACutCountsWhatWasDroppedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), NetworkCut{Peers: []string{"db"}}
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		table := w.node("j1").tables[toxicName(f)]
		table.counters["input"], table.counters["output"], table.counters["input_all"] = 70, 80, 71
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.True(t, p.OK)
		require.Equal(t, "j1: dropped 5 of 5 input 5 of 5 output", p.Measured)
		require.Contains(t, p.How, "j1: input: 5 packets sent, 5 dropped meanwhile; since it began 75 of 76")
		require.Contains(t, p.How, "j1: peers that run: 1 of 1")
		for i := range 2 {
			first := true
			w.breaks = func(n *wired, argv []string) *wiredReply {
				if slices.Contains(argv, "datagrams") && (n.name == "db") == (i == 0) && first {
					first = false
					for range cutDatagrams - 1 {
						w.datagram(n.addr, netip.MustParseAddr(argv[5]))
					}
					return &wiredReply{}
				}
				return nil
			}
			p = wiredSeen(t, f.Active, w.some("j1"))
			require.False(t, p.OK, "%+v", p)
			require.Contains(t, p.Measured, " 4 of 5 "+[]string{"input", "output"}[i])
		}
	})
}

// TestWhatIsSentByNodesAndClientsIsSummed: of both, all must be dropped.
func TestWhatIsSentByNodesAndClientsIsSummed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), NetworkCut{Peers: []string{"db", "lb1", Clients}}
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "j1: dropped 15 of 15 input 15 of 15 output", p.Measured)
		w.node("lb1").state.Running = false
		p = wiredSeen(t, f.Active, w.some("j1"))
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "j1: dropped 10 of 10 input 15 of 10 output", p.Measured, "what goes out to who is down is dropped, too")
		require.Contains(t, p.How, "j1: peers that run: 1 of 2")
	})
}

// TestAFilterThatIsLeftIsNotHealed: nor are connections that fail without one.
func TestAFilterThatIsLeftIsNotHealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, f := range []Fault{NetworkCut{Peers: []string{"db"}}, PacketLoss{Peers: []string{"db"}, Percent: 5}, ConnectionReset{Peers: []string{"db"}}} {
			w := newWired()
			w.node("j1").tables[toxicName(f)] = &wiredTable{}
			p := wiredSeen(t, f.Healed, w.some("j1"))
			require.False(t, p.OK)
			require.Equal(t, "j1: a filter is left", p.Measured)
			require.Equal(t, []string{"j1: packet filter " + toxicName(f) + " in its namespace: true"}, p.How)
			w = newWired()
			require.Contains(t, wiredSeen(t, f.Healed, w.some("j1")).How, "j1: packet filter "+toxicName(f)+" in its namespace: false")
			w.node("db").port = 1
			w.node("db").tables["filter"] = &wiredTable{rules: map[string][]*wiredRule{"input": {{text: "ip saddr { 198.18.7.21 } drop"}}}}
			require.False(t, wiredSeen(t, f.Healed, w.some("j1")).OK, "no connection is made")
		}
	})
}

// TestAResetIsSeenAtBothEndsAndCounted: a port that nobody serves refuses, too, and
// is no reset of the filter's.
func TestAResetIsSeenAtBothEndsAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := ConnectionReset{Peers: []string{"db"}}
		look := func(rules map[string][]*wiredRule) Proof {
			w := newWired()
			w.node("j1").tables[toxicName(f)] = &wiredTable{rules: rules, counters: map[string]int{"input": 0, "output": 0}}
			return wiredSeen(t, f.Active, w.some("j1"))
		}
		rule := func(text string) []*wiredRule { return []*wiredRule{{text: text}} }
		p := look(map[string][]*wiredRule{"input": rule("counter name input reject"), "output": rule("counter name output reject")})
		require.True(t, p.OK, "%+v", p)
		require.Contains(t, p.How, "j1: packets that its filter "+toxicName(f)+" answered with a reset: 2")
		p = look(map[string][]*wiredRule{"input": rule("reject"), "output": rule("reject")})
		require.False(t, p.OK, "none was counted: %+v", p)
		require.Equal(t, "j1: not all are reset: 0 packets were", p.Measured)
		p = look(map[string][]*wiredRule{"input": rule("counter name input drop"), "output": rule("counter name output drop")})
		require.False(t, p.OK, "they vanish: %+v", p)
		require.Equal(t, "j1: not all are reset: 2 packets were", p.Measured)
		p = look(map[string][]*wiredRule{"output": rule("ip daddr { 198.18.7.31 } counter name output reject")})
		require.False(t, p.OK, "of another peer: %+v", p)
		p = look(map[string][]*wiredRule{"input": rule("counter name input reject"), "output": rule("reject")})
		require.True(t, p.OK, "one is enough: %+v", p)
		require.Contains(t, p.How, "j1: packets that its filter "+toxicName(f)+" answered with a reset: 1")
		for _, chain := range []string{"input", "output"} {
			p = look(map[string][]*wiredRule{chain: rule("counter name " + chain + " reject")})
			require.False(t, p.OK, "of the other way the answers alone are lost: %+v", p)
			require.Equal(t, "j1: not all are reset: 2 packets were", p.Measured)
		}
	})
}

// TestALossOfAnotherWayIsNoProof: as a cut's.
func TestALossOfAnotherWayIsNoProof(t *testing.T) {
	for name, tc := range map[string]struct {
		asked, does string
		want        bool
	}{
		"in": {Incoming, Incoming, true}, "out": {Outgoing, Outgoing, true}, "both": {Both, Both, true},
		"out for in": {Incoming, Outgoing, false}, "in for out": {Outgoing, Incoming, false}, "both for in": {Incoming, Both, false},
		"in for both": {Both, Incoming, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := PacketLoss{Peers: []string{"lb1"}, Percent: 5, Way: tc.asked}
				w := newWired()
				_, err := w.node("j1").nft([]string{linkFilter(toxicName(f), tc.does, wiredLink(t, w, "lb1"), lossRule(5000))[1]})
				require.NoError(t, err)
				p := wiredSeen(t, f.Active, w.some("j1"))
				require.Equal(t, tc.want, p.OK, "%+v", p)
			})
		})
	}
}

// TestALossSendsWhatItLacks: so many packets as are needed to tell, shared among
// the peers, and none where enough were counted.
func TestALossSendsWhatItLacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := PacketLoss{Peers: []string{"lb1", "lb2", "db"}, Percent: 5}
		n := f.sample()
		require.Equal(t, 756, n)
		w := newWired()
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		table := w.node("j1").tables[toxicName(f)]
		require.Equal(t, "numgen random mod 100000 < 5000 counter name input drop", strings.SplitN(table.rules["input"][1].text, "} ", 2)[1])
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, map[string]int{"input_all": 759, "output_all": 759, "input": 37, "output": 37}, table.counters, "253 of each peer")
		sent := w.count
		require.True(t, wiredSeen(t, f.Active, w.some("j1")).OK)
		require.Equal(t, 759, table.counters["input_all"], "it is known already")
		require.Equal(t, 4, w.count-sent, "it only looks")

		require.Equal(t, 0, f.missing(counts{"input_all": 756, "output_all": 900}))
		require.Equal(t, 1, f.missing(counts{"input_all": 900, "output_all": 755}))
		require.Equal(t, 756, f.missing(counts{"input_all": 900}))
		require.Equal(t, 0, PacketLoss{Percent: 5, Way: Incoming}.missing(counts{"input_all": 900}))
	})
}

// TestALossIsComparedWithWhatIsAsked: of ten million packets the rate is known to
// less than a hundredth of it.
func TestALossIsComparedWithWhatIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for dropped, want := range map[int]bool{500_000: true, 495_000: false, 505_000: false} {
			f := PacketLoss{Peers: []string{"lb1"}, Percent: 5}
			w := newWired()
			require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
			w.node("j1").tables[toxicName(f)].counters = map[string]int{"input": dropped, "output": dropped, "input_all": 10_000_000, "output_all": 10_000_000}
			p := wiredSeen(t, f.Active, w.some("j1"))
			require.Equal(t, want, p.OK, "%+v", p)
		}
	})
}

// TestTheLastPacketThatLacksIsSent: and one more, since the peers share them.
func TestTheLastPacketThatLacksIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := PacketLoss{Peers: []string{"lb1"}, Percent: 5}
		for lacks, sent := range map[int]int{0: 0, 1: 2, 3: 4} {
			w := newWired()
			require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
			c := w.node("j1").tables[toxicName(f)].counters
			c["input_all"], c["output_all"] = 756-lacks, 756
			wiredSeen(t, f.Active, w.some("j1"))
			require.Equal(t, [2]int{756 - lacks + sent, 756 + sent}, [2]int{c["input_all"], c["output_all"]})
		}
	})
}

// TestWhatClientsLoseIsOnlyCounted: nobody can be made to send in their place.
func TestWhatClientsLoseIsOnlyCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := PacketLoss{Peers: []string{Clients}, Percent: 5}
		w := newWired()
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		c := w.node("j1").tables[toxicName(f)].counters
		c["input"], c["input_all"] = 1, 1
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK)
		require.Equal(t, "j1: input 100 %, output 0 %", p.Measured)
		c["input"], c["input_all"], c["output"], c["output_all"] = 50, 1000, 50, 1000
		require.True(t, wiredSeen(t, f.Active, w.some("j1")).OK)
	})
}

// TestALossThatIsNotThereIsNone: nor is what is not dropped one of 0 %.
func TestALossThatIsNotThereIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := PacketLoss{Peers: []string{"lb1"}, Percent: 5}
		w := newWired()
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK)
		require.Equal(t, "j1: nothing is dropped", p.Measured)
		require.Equal(t, []string{"j1: packet filter " + toxicName(f) + " in its namespace: false"}, p.How)
		w.node("lb1").state.Running = false
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		p = wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK, "nothing comes from who is down: %+v", p)
		require.Contains(t, p.Measured, "input 0 %, output 4.89 %")
		require.Contains(t, p.How, "j1: input: 0 of 0 packets dropped, an interval of 0 to 100 %")
		require.Contains(t, p.How, "j1: output: 37 of 757 packets dropped, an interval of 3.23 to 7.33 %")
	})
}

func TestTheIntervalOfALoss(t *testing.T) {
	for _, tc := range []struct {
		seen, n   uint64
		low, high float64
	}{
		{0, 0, 0, 1},
		{50, 1000, 0.035025, 0.070907},
		{500, 1000, 0.459407, 0.540593},
		{0, 100, 0, 0.062219},
		{100, 100, 0.937781, 1},
		{1, 2, 0.061714, 0.938286},
	} {
		low, high := wilson(tc.seen, tc.n)
		require.InDelta(t, tc.low, low, 2e-6, "%d of %d", tc.seen, tc.n)
		require.InDelta(t, tc.high, high, 2e-6, "%d of %d", tc.seen, tc.n)
	}
}

func TestTheLimitsOfALoss(t *testing.T) {
	for percent, ok := range map[float64]bool{0.0999: false, 0.1: true, 90: true, 90.0001: false, -5: false} {
		err := PacketLoss{Peers: []string{"db"}, Percent: percent}.Validate()
		require.Equal(t, ok, err == nil, "%v: %v", percent, err)
	}
	require.ErrorContains(t, PacketLoss{Peers: []string{"db"}, Percent: 5, Way: "up"}.Validate(), `packet-loss: way "up"`)
	require.ErrorContains(t, PacketLoss{Percent: 5}.Validate(), "no peers")
	for percent, n := range map[float64]int{0.1: 39768, 1: 3941, 5: 756, 10: 358, 12: 300, 50: 300, 90: 300} {
		require.InDelta(t, n, PacketLoss{Percent: percent}.sample(), 1, "%v", percent)
	}
	require.Equal(t, 300, PacketLoss{Percent: 90}.sample())
	for asked, want := range map[float64]bool{0.0354: false, 0.0355: true, 0.05: true, 0.07: true, 0.0701: false} {
		require.Equal(t, want, lossOK(asked, 50, 1000), "%v: it is 0.0350 to 0.0709", asked)
	}
	for asked, want := range map[float64]bool{0.04: false, 0.0482: false, 0.0484: true, 0.0517: true, 0.0519: false, 0.06: false} {
		require.Equal(t, want, lossOK(asked, 5000, 100_000), "%v: it is 0.0483 to 0.0518", asked)
	}
	require.True(t, lossOK(0.05, 15, 300), "0.026 to 0.093")
	require.False(t, lossOK(0.05, 22, 300), "0.043 to 0.122 is more than double")
	require.False(t, lossOK(0.05, 8, 300), "its least is less than half")
	require.Equal(t, []string{"db"}, PacketLoss{Peers: []string{"db"}}.Between())
	require.Equal(t, []string{"db"}, NetworkCut{Peers: []string{"db"}}.Between())
	require.Equal(t, []string{"db"}, ConnectionReset{Peers: []string{"db"}}.Between())
	require.Equal(t, []string{"db"}, StaleARP{Peers: []string{"db"}}.Between())
}

// TestARateIsToldInHundredThousandths: rounded, and each way.
func TestARateIsToldInHundredThousandths(t *testing.T) {
	for percent, want := range map[float64]string{0.1: "< 100 ", 5: "< 5000 ", 0.29: "< 290 ", 33.3336: "< 33334 ", 90: "< 90000 "} {
		w := newWired()
		f := PacketLoss{Peers: []string{"db"}, Percent: percent}
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		for _, c := range []string{"input", "output"} {
			require.Contains(t, w.node("j1").tables[toxicName(f)].rules[c][1].text, want)
		}
	}
}

// TestACutFromClientsThatCannotBeToldIsRefusedFirst: before whether it runs.
func TestACutFromClientsThatCannotBeToldIsRefusedFirst(t *testing.T) {
	w, log := newWired(), &undos{}
	w.node("j1").port = 0
	for _, look := range []func(context.Context, []topology.Node) (Proof, error){NetworkCut{Peers: []string{Clients}}.Active} {
		_, err := look(t.Context(), w.some("j1"))
		require.ErrorContains(t, err, "network-cut: node j1: ")
	}
	require.ErrorIs(t, NetworkCut{Peers: []string{"db", Clients}}.Inject(t.Context(), w.some("j1"), log), ErrCapability)
	require.NoError(t, NetworkCut{Peers: []string{"db"}}.Inject(t.Context(), w.some("j1"), log))
	require.ErrorIs(t, NetworkCut{Peers: []string{"j9"}}.Inject(t.Context(), w.some("j1"), log), ErrNoTargets)
}
