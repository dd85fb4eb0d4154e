package assert_test

import (
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// jettySpec is jetty-ha as it is planned, in one of its profiles.
func jettySpec(t *testing.T, profile string) topology.Spec {
	t.Helper()
	plan, err := topology.JettyHA().Plan(topology.Options{Profile: profile})
	require.NoError(t, err)
	spec, err := plan(netip.MustParsePrefix("198.18.7.0/24"))
	require.NoError(t, err)
	return spec
}

// Each name that checkers look for is among ValueNames.
func TestValueNamesAreAll(t *testing.T) {
	source, err := os.ReadFile("fix.go")
	require.NoError(t, err)
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^\tValue\w+ += "([^"]+)"`).FindAllStringSubmatch(string(source), -1) {
		names = append(names, m[1])
	}
	require.Greater(t, len(names), 3)
	require.ElementsMatch(t, names, assert.ValueNames())
}

// What checkers look for jetty-ha states in each profile, with a file that is
// there.
func TestTheTopologyStatesWhatCheckersLookFor(t *testing.T) {
	for _, profile := range topology.JettyHA().Profiles {
		stated := map[string]topology.Value{}
		for _, v := range jettySpec(t, profile).Values {
			stated[v.Name] = v
		}
		for _, name := range assert.ValueNames() {
			v, ok := stated[name]
			require.True(t, ok, "jetty-ha %s states no value %q, which a checker names when it fails", profile, name)
			require.NotEmpty(t, v.Value, name)
			require.FileExists(t, "../"+v.File, name)
		}
	}
}

// withJetty gives a whole run the values of jetty-ha, and its own bounds the
// files and formulas of jetty-ha's: what it is judged by stays as it is.
func withJetty(t *testing.T, w *wholeRun, profile string) {
	t.Helper()
	spec, m := jettySpec(t, profile), &w.h.Meta
	for _, v := range spec.Values {
		if i := slices.IndexFunc(m.Values, func(own history.Value) bool { return own.Name == v.Name }); i >= 0 {
			m.Values[i].File = v.File
			continue
		}
		m.Values = append(m.Values, history.Value(v))
	}
	for i := range m.Bounds {
		own := &m.Bounds[i]
		name := own.Name
		if name == "outage" {
			name = topology.BoundOutageVanished
		}
		b, ok := spec.Bound(name)
		require.True(t, ok, "jetty-ha states no bound %q", name)
		own.Formula, own.File = b.Formula, b.File
	}
}

// statedValue is a value in a fix: "NAME = VALUE in FILE", before a colon or
// the next one.
var statedValue = regexp.MustCompile(`(?:^|; )([^;=]+) = ([^;]*?) in ([\w./-]+)(?:[:;])`)

// where checks that each file in a fix exists and belongs to what it names, and
// gives the names.
func where(t *testing.T, m *history.Meta, fix, what string) (names []string) {
	t.Helper()
	own := map[string]string{"page": "assert/burn.go", "pause before a reconnection": "load/web_sockets.go"}
	for rest := fix; ; {
		at := statedValue.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		name, file := rest[at[2]:at[3]], rest[at[6]:at[7]]
		require.FileExists(t, "../"+file, "%s: %s", what, fix)
		stated := slices.ContainsFunc(m.Values, func(v history.Value) bool { return v.Name == name && v.File == file })
		require.True(t, stated || own[name] == file, "%s: the run states no %q of %s: %s", what, name, file, fix)
		names = append(names, name)
		rest = rest[at[1]-1:]
	}
	for _, b := range m.Bounds {
		if b.File != "" && strings.Contains(fix, b.File) && strings.Contains(fix, b.Formula) {
			require.FileExists(t, "../"+b.File, "%s: %s", what, fix)
			names = append(names, b.Name)
		}
	}
	return names
}

// unsettled are the checkers whose failure no value of the system changes: what
// hachaos leaves behind, hachaos removes.
var unsettled = map[string]string{"leftovers": "hachaos gc"}

// named requires that a failure says which value of which file to change.
func named(t *testing.T, w *wholeRun, v assert.Verdict, what string) []string {
	t.Helper()
	require.Equal(t, assert.Fail, v.Status, "%s: %s %v", what, v.Summary, v.Reasons)
	if says, is := unsettled[v.Name]; is {
		require.Contains(t, v.Fix, says, what)
		return nil
	}
	names := where(t, &w.h.Meta, v.Fix, what)
	require.NotEmpty(t, names, "%s names no value and no file: %q", what, v.Fix)
	return names
}

// Whatever is planted in a run of jetty-ha, its checker says which value of
// which file would change the result.
func TestEachFailureNamesAValueAndItsFile(t *testing.T) {
	t.Parallel()
	for _, profile := range topology.JettyHA().Profiles {
		failed := map[string]bool{}
		for _, kind := range []string{killWhole, slowWhole} {
			w := makeWhole(kind, 1_000, 5)
			withJetty(t, w, profile)
			for _, p := range plantsOf(kind) {
				what := fmt.Sprintf("%q of %s in a %s run of %s", p.class, p.checker, kind, profile)
				put := p.put(w)
				named(t, w, judgeWhole(w.h, w.checkers()[p.checker]), what)
				put.undo()
				failed[p.checker] = true
			}
		}
		for _, name := range assert.Known() {
			require.True(t, failed[name], "no failure of %s was looked at", name)
		}
	}
}

// Without values a fix is words alone, and is there all the same.
func TestAFailureWithoutValuesIsToldInWords(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{killWhole, slowWhole} {
		w := makeWhole(kind, 1_000, 5)
		for i := range w.h.Meta.Bounds {
			w.h.Meta.Bounds[i].Formula, w.h.Meta.Bounds[i].File = "stated", ""
		}
		for _, p := range plantsOf(kind) {
			what := fmt.Sprintf("%q of %s in a %s run", p.class, p.checker, kind)
			put := p.put(w)
			fix := judgeWhole(w.h, w.checkers()[p.checker]).Fix
			put.undo()
			require.NotEmpty(t, fix, what)
			require.NotRegexp(t, `^[: ]| in [:;]`, fix, what)
			if p.class != "herd" { // its value is hachaos's own
				require.NotContains(t, fix, " = ", what)
			}
		}
	}
}

// A switch that was set for the run has its default in its file.
func TestAFixTellsASwitchThatWasSet(t *testing.T) {
	w := makeWhole(killWhole, 1_000, 5)
	withJetty(t, w, "tuned")
	i := slices.IndexFunc(plantsOf(killWhole), func(p wholePlant) bool { return p.checker == "staleness" })
	plantsOf(killWhole)[i].put(w)
	stale := judgeWhole(w.h, w.checkers()["staleness"]).Fix
	require.Contains(t, stale, "price-life = 2s in topology/jettyha_switches.go: ")
	w.h.Meta.Set = map[string]string{assert.ValuePriceLife: "2s"}
	stale = judgeWhole(w.h, w.checkers()["staleness"]).Fix
	require.Contains(t, stale, "price-life = 2s (set for this run) in topology/jettyha_switches.go: ")
}

// What the planted violations do not come to, by parameters of their own.
func TestFixesByWhatFailed(t *testing.T) {
	t.Parallel()
	moved := func(w *wholeRun) {
		each(w.h.VIPs, 55*sec, wholeEnd, func(*history.VIP) bool { return true }, func(v *history.VIP) { v.Owner = v.Balancer == "lb1" })
	}
	full := func(w *wholeRun) {
		for i := range w.h.Connections {
			w.h.Connections[i].V.Total = 30
		}
	}
	for _, tt := range []struct {
		name, kind string
		checker    assert.Checker
		put        func(*wholeRun)
		want       string // the name of a value, among those that are named
	}{
		{"a page that comes late", slowWhole, assert.Alerts{Tells: assert.TellsAll, Threshold: sec / 2, PageWithin: sec}, nil, "page"},
		{"a page that never comes", slowWhole, assert.Alerts{Threshold: sec / 2, PageWithin: time.Hour}, mended, "page"},
		{"all nodes' errors and not one's", slowWhole, assert.Alerts{Tells: assert.TellsNode, Threshold: sec / 2}, nil, assert.ValueDependency},
		{"sessions that outlive their node", killWhole, assert.SessionSurvival{Expect: assert.ExpectLostWithNode}, nil, assert.ValueSessions},
		{"a steady phase", killWhole, assert.ErrorBudget{Overall: 99.99}, nil, assert.ValueRetries},
		{"more moves of the address", killWhole, assert.VIP{Moves: 1}, moved, assert.ValueTakeBack},
		{"clients that were cut off", killWhole, assert.Reconnection{Reconnect: 1500 * ms, Bound: "diverted", Told: true}, nil, assert.ValueSocketGoodbye},
		{"a node that empties late", slowWhole, assert.Drain{Grace: ms}, nil, assert.ValueAffinity},
		{"more load than others", killWhole, assert.Distribution{MaxLoadPercent: 0.01}, nil, assert.ValueAffinity},
		{"an old version", killWhole, assert.VersionSkew{After: "2"}, nil, assert.ValueVersion},
		{"connections that are used up", killWhole, assert.Recovery{Steady: 99, Threshold: sec / 2}, full, assert.ValueMaxConnections},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := makeWhole(tt.kind, 10_000, 5)
			withJetty(t, w, "tuned")
			if tt.put != nil {
				tt.put(w)
			}
			require.Contains(t, named(t, w, judgeWhole(w.h, tt.checker), tt.name), tt.want)
		})
	}
}

// mended has nothing go wrong.
func mended(w *wholeRun) {
	for i := range w.h.Ops {
		if o := &w.h.Ops[i]; o.Outcome != history.Good {
			o.Outcome, o.Status, o.Error = history.Good, 200, 0
		}
	}
}
