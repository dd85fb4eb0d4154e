package fault

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestAWayLeadsFromTheProxysNodeToTheService(t *testing.T) {
	w := newWired()
	ws, err := ways("stall", w.some("j1", "j2"))
	require.NoError(t, err)
	require.Len(t, ws, 2)
	require.Equal(t, "j2", ws[1].Name())
	require.Equal(t, wiredAPI, ws[1].api)
	require.Equal(t, "toxi", ws[1].keeper.Name())
	require.Equal(t, w.some("j1", "j2"), ws[1].askers)
	p, err := ws[1].passage(t.Context())
	require.NoError(t, err)
	require.Equal(t, "j2", p.Name)
	require.Equal(t, netip.MustParseAddrPort("198.18.7.20:5434"), p.in)
	require.Equal(t, netip.MustParseAddrPort("198.18.7.10:5432"), p.out)
}

// TestAProxyIsANodeThatServesAnAPI: one of another role, without a port or without
// a namespace is none.
func TestAProxyIsANodeThatServesAnAPI(t *testing.T) {
	w := newWired()
	toxi := w.node("toxi")
	for name, tc := range map[string]struct {
		peers []topology.Node
		want  bool
	}{
		"it is":            {[]topology.Node{w.node("db"), toxi}, true},
		"nobody":           {nil, false},
		"of another role":  {w.some("db", "lb1"), false},
		"without a port":   {[]topology.Node{&stub{name: "toxi", role: topology.Proxy}}, false},
		"on port 1":        {[]topology.Node{&stub{name: "toxi", role: topology.Proxy, port: 1}}, true},
		"no namespace":     {[]topology.Node{wiredAlone{Container: toxi}}, false},
		"another, and it":  {[]topology.Node{wiredAlone{Container: toxi}, toxi}, true},
		"serves no port":   {[]topology.Node{wiredStranger{toxi, toxi}}, false},
		"no port, then it": {[]topology.Node{&stub{name: "toxi", role: topology.Proxy}, toxi}, true},
	} {
		t.Run(name, func(t *testing.T) {
			n := &stub{name: "j1", state: up, peers: tc.peers}
			_, port, ok := proxies(n)
			require.Equal(t, tc.want, ok)
			require.Equal(t, tc.want, port > 0)
			_, err := ways("stall", []topology.Node{n})
			if tc.want {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, "stall: node j1: "+ErrCapability.Error()+" (a proxy on its way to the database)")
		})
	}
	_, _, ok := proxies(wiredNothing{toxi})
	require.False(t, ok, "it knows no other")
	require.Empty(t, applications(wiredNothing{toxi}))
}

func TestAnAnswerThatIsNoProxyIsAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		edit func(*proxyState)
		says string
	}{
		"listens nowhere":      {func(p *proxyState) { p.Listen = "" }, `proxy j1 listens on "": missing port in address`},
		"no port":              {func(p *proxyState) { p.Listen = "0.0.0.0:many" }, `proxy j1 listens on "0.0.0.0:many" of node toxi: no address follows`},
		"a port beyond":        {func(p *proxyState) { p.Listen = "0.0.0.0:65536" }, `"0.0.0.0:65536" of node toxi: no address follows`},
		"leads to a name":      {func(p *proxyState) { p.Upstream = "db:5432" }, `proxy j1 leads to "db:5432"`},
		"the highest port":     {func(p *proxyState) { p.Listen = "[::]:65535" }, ""},
		"a port of 17 bits":    {func(p *proxyState) { p.Listen = "[::]:70000" }, "no address follows"},
		"leads to a port only": {func(p *proxyState) { p.Upstream = ":5432" }, `proxy j1 leads to ":5432"`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWired()
			tc.edit(w.proxies["j1"])
			ws, err := ways("stall", w.some("j1"))
			require.NoError(t, err)
			p, err := ws[0].passage(t.Context())
			if tc.says == "" {
				require.NoError(t, err)
				require.EqualValues(t, 65535, p.in.Port())
				return
			}
			require.ErrorContains(t, err, tc.says)
		})
	}
	w := newWired()
	w.breaks = func(*wired, []string) *wiredReply { return &wiredReply{out: topology.Output{Stdout: []byte("<html>")}} }
	ws, err := ways("stall", w.some("j1"))
	require.NoError(t, err)
	_, err = ws[0].state(t.Context())
	require.ErrorContains(t, err, "proxy j1: what its API says: ")
	w.breaks = nil
	delete(w.proxies, "j1")
	_, err = ws[0].state(t.Context())
	require.EqualError(t, err, "proxy j1: exit status 22: curl: (22) The requested URL returned error: 404")
}

// TestAKeeperWithoutAnAddressLeadsNowhere: its API alone does not say where a node
// enters.
func TestAKeeperWithoutAnAddressLeadsNowhere(t *testing.T) {
	w := newWired()
	ws, err := ways("stall", w.some("j1"))
	require.NoError(t, err)
	n := w.node("toxi")
	ws[0].keeper = wiredStranger{n, n}
	_, err = ws[0].passage(t.Context())
	require.EqualError(t, err, `proxy j1 listens on "0.0.0.0:5433" of node toxi: no address follows`)
}

// TestAWayIsOpenWhereItsProxyLetsThrough: and one that cannot be asked about is not.
func TestAWayIsOpenWhereItsProxyLetsThrough(t *testing.T) {
	w := newWired()
	ws, err := ways("stall", w.some("j1"))
	require.NoError(t, err)
	require.NoError(t, ws[0].open(t.Context()))
	w.proxies["j1"].Enabled = false
	require.ErrorContains(t, ws[0].open(t.Context()), "its proxy refuses all connections already")
	w.breaks = func(*wired, []string) *wiredReply { return &wiredReply{err: errEngine} }
	require.ErrorIs(t, ws[0].open(t.Context()), errEngine)
	_, err = ws[0].passage(t.Context())
	require.ErrorIs(t, err, errEngine)
}

func TestACallWithoutABodySendsNone(t *testing.T) {
	require.Equal(t, []string{"curl", "-sS", "--fail-with-body", "--max-time", "5", "-X", "GET", wiredAPI + "j1"}, call(wiredAPI, "GET", "j1", ""))
}

// TestUndosOfProxiesKeepToWhatIsOfHachaos: they name a proxy, and a toxic of
// hachaos's own.
func TestUndosOfProxiesKeepToWhatIsOfHachaos(t *testing.T) {
	entry := func(undo string, params ...string) Entry {
		e := Entry{Undo: undo, Node: "toxi", Params: map[string]string{}}
		for i := 0; i < len(params); i += 2 {
			e.Params[params[i]] = params[i+1]
		}
		return e
	}
	for name, tc := range map[string]struct {
		e    Entry
		says string
	}{
		"no toxic":       {entry(ToxicAbsent, "api", wiredAPI, "proxy", "j1"), `toxic "" is not one of hachaos`},
		"of another":     {entry(ToxicAbsent, "api", wiredAPI, "proxy", "j1", "toxic", "mine"), `toxic "mine" is not one of hachaos: its name does not begin with hachaos_`},
		"no API":         {entry(ToxicAbsent, "proxy", "j1", "toxic", "hachaos_x"), "the entry names no proxy"},
		"no proxy":       {entry(ToxicAbsent, "api", wiredAPI, "toxic", "hachaos_x"), "the entry names no proxy"},
		"nothing":        {entry(ProxyEnabled), "the entry names no proxy"},
		"is not there":   {entry(ToxicAbsent, "api", wiredAPI, "proxy", "j1", "toxic", "hachaos_x"), ""},
		"lets through":   {entry(ProxyEnabled, "api", wiredAPI, "proxy", "j1"), ""},
		"no such proxy":  {entry(ProxyEnabled, "api", wiredAPI, "proxy", "j9"), "exit status 22"},
		"no API of that": {entry(ProxyEnabled, "api", "http://127.0.0.1:1/", "proxy", "j1"), "exit status 22"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWired()
			before := w.what()
			err := Undo(t.Context(), w.everybody(), tc.e)
			require.Equal(t, before, w.what())
			if tc.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.says)
			if !strings.HasPrefix(tc.says, "exit") {
				require.False(t, w.did(), "nothing is sent")
			}
		})
	}
}

// TestARemovalThatTheAPIRefusesIsAnError: its command ends well all the same.
func TestARemovalThatTheAPIRefusesIsAnError(t *testing.T) {
	for status, ok := range map[string]bool{"204": true, "200\n": true, " 404 ": true, "500": false, "000": false, "": false, "2044": false} {
		w := newWired()
		w.breaks = func(*wired, []string) *wiredReply { return &wiredReply{out: topology.Output{Stdout: []byte(status)}} }
		err := Undo(t.Context(), w.everybody(), wiredToxics("j1", "hachaos_x")[0])
		if ok {
			require.NoError(t, err, status)
			continue
		}
		require.EqualError(t, err, "undo toxic-absent on toxi: the proxies' API answers "+strings.TrimSpace(status))
	}
}

// TestTheProxysNodeThatIsDownNeedsNoUndo: it starts with its proxies enabled and
// without toxics. But another error is one.
func TestTheProxysNodeThatIsDownNeedsNoUndo(t *testing.T) {
	for _, e := range []Entry{wiredToxics("j1", "hachaos_x")[0], wiredShut("j1")[0]} {
		w := newWired()
		w.breaks = func(*wired, []string) *wiredReply {
			return &wiredReply{err: fmt.Errorf("toxi: %w", topology.ErrNotRunning)}
		}
		require.NoError(t, Undo(t.Context(), w.everybody(), e))
		require.Equal(t, 1, w.count)
		w.breaks = func(*wired, []string) *wiredReply { return &wiredReply{err: errEngine} }
		require.ErrorIs(t, Undo(t.Context(), w.everybody(), e), errEngine)
	}
}

// TestPoisonGoesNoFurtherThanItsUndosDo: of two ways, one of which has the toxic,
// neither is touched.
func TestPoisonGoesNoFurtherThanItsUndosDo(t *testing.T) {
	w, log := newWired(), &undos{}
	f := Latency{Delay: 60 * wiredTick}
	w.proxies["j2"].Toxics = []toxic{{Name: toxicName(f)}}
	before := w.what()
	require.ErrorContains(t, f.Inject(t.Context(), w.some("j1", "j2"), log), "latency j2: its proxy has the toxic")
	require.Empty(t, log.all)
	require.Equal(t, before, w.what())
	w.proxies["j2"] = &proxyState{Name: "j2", Enabled: false}
	require.ErrorContains(t, DatabaseCut{}.Inject(t.Context(), w.some("j1", "j2"), log), "database-cut j2: its proxy refuses")
	require.Empty(t, log.all)
	require.True(t, w.proxies["j1"].Enabled)
}

// TestACutOfADatabaseLeavesNoConnection: those that stood are closed, or it is half
// done.
func TestACutOfADatabaseLeavesNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), DatabaseCut{}
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		require.Equal(t, 3, w.node("j2").open["198.18.7.20:5434"], "the other node's way")
		w.node("j1").open["198.18.7.20:5433"] = 1
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK, "%+v", p)
		require.Equal(t, "j1: 3 refused, 1 connections", p.Measured)
		require.Equal(t, []string{"j1: asked the database from beside it: 3 refused", "j1: connections to the database that it has left: 1"}, p.How)
		w.node("j1").open = map[string]int{"198.18.7.20:5434": 1}
		require.True(t, wiredSeen(t, f.Active, w.some("j1")).OK, "a connection to somewhere else")

		w = newWired()
		p = wiredSeen(t, f.Healed, w.some("j1"))
		require.True(t, p.OK)
		require.Equal(t, "j1: 3 answered, 3 connections", p.Measured)
		p = wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK)
		w.node("j1").open = nil
		require.False(t, wiredSeen(t, f.Active, w.some("j1")).OK, "nothing is left, and it answers")
	})
}

// TestOnlySomeOfTheProbesIsNoProof: of three that are asked, two do not make it so,
// neither cut nor healed.
func TestOnlySomeOfTheProbesIsNoProof(t *testing.T) {
	lines := map[string]string{"refused": "refused\n", "silent": "silent\n", "000 0.0": "000 0.0\n"}
	for name, tc := range map[string]struct {
		f   Fault
		bad string
		ok  string
	}{
		"database-cut": {DatabaseCut{}, lines["refused"], "ok 900\n"}, "stall": {Stall{}, lines["silent"], "ok 900\n"},
		"dependency-down": {DependencyDown{}, lines["000 0.0"], "200 0.001\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for bad := range 4 {
					w := newWired()
					w.breaks = func(_ *wired, argv []string) *wiredReply {
						switch last := argv[len(argv)-1]; {
						case slices.Contains(argv, "5433"), strings.Contains(last, ":5435/"):
							return &wiredReply{out: topology.Output{Stdout: []byte(strings.Repeat(tc.bad, bad) + strings.Repeat(tc.ok, 3-bad))}}
						case argv[0] == "ss":
							return &wiredReply{}
						}
						return nil
					}
					target := w.some("j1")
					if name == "dependency-down" {
						target = w.some("price")
					}
					require.Equal(t, bad == 3, wiredSeen(t, tc.f.Active, target).OK, "%d of 3", bad)
					require.Equal(t, bad == 0, wiredSeen(t, tc.f.Healed, target).OK, "%d of 3", bad)
				}
			})
		})
	}
}

func TestConnectionsAreCountedByTheirLines(t *testing.T) {
	to := netip.MustParseAddrPort("198.18.7.20:5433")
	for printed, want := range map[string]int{"": 0, "0 0 a b\n": 1, "0 0 a b\n0 0 c d\n": 2} {
		n := &stub{name: "j1", beside: says(printed)}
		got, err := established(t.Context(), n, to)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := established(t.Context(), &stub{name: "j1", beside: func([]string) (topology.Output, error) {
		return topology.Output{Code: 1, Stdout: []byte("no ss\n")}, nil
	}}, to)
	require.EqualError(t, err, "connections of j1: exit status 1: no ss")
}
