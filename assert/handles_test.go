package assert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// What the engine tells of is the fault's from its order to its proof, and from the
// undo to the proof of that, both ends included, give or take what the engine's clock
// is known to.
func TestAnActIsTheFaultsUntilItsProof(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	f := history.Fault{Kind: "instance-kill", Nodes: []string{"j1"}, Orders: []string{"kill"}, Injected: 10 * s, Active: 11 * s, Heal: 20 * s, Healed: 21 * s}
	for name, tc := range map[string]struct {
		act  string
		node string
		at   time.Duration
		want bool
	}{
		"its first moment":          {"kill", "j1", 10*s - toldSlack - ms, true},
		"before it":                 {"kill", "j1", 10*s - toldSlack - ms - 1, false},
		"its last moment":           {"kill", "j1", 11*s + toldSlack + ms, true},
		"after it":                  {"kill", "j1", 11*s + toldSlack + ms + 1, false},
		"at another node":           {"kill", "j2", 10500 * ms, false},
		"what it does not order":    {"stop", "j1", 10500 * ms, false},
		"a start before its undo":   {"start", "j1", 15 * s, false},
		"the undo's first moment":   {"start", "j1", 20*s - toldSlack - ms, true},
		"the undo's last moment":    {"unpause", "j1", 21*s + toldSlack + ms, true},
		"after the undo":            {"start", "j1", 21*s + toldSlack + ms + 1, false},
		"its order during its undo": {"kill", "j1", 20500 * ms, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := history.At[history.Engine]{Time: tc.at, V: history.Engine{Node: tc.node, Action: tc.act, Span: history.Span{Within: ms}}}
			require.Equal(t, tc.want, handles(f, e))
		})
	}
	t.Run("open while a step was not reached", func(t *testing.T) {
		open := f
		open.Active, open.Healed = -1, -1
		require.True(t, handles(open, history.At[history.Engine]{Time: 19 * s, V: history.Engine{Node: "j1", Action: "kill"}}), "until its undo")
		require.True(t, handles(open, history.At[history.Engine]{Time: 90 * s, V: history.Engine{Node: "j1", Action: "start"}}))
		open.Heal = -1
		require.True(t, handles(open, history.At[history.Engine]{Time: 90 * s, V: history.Engine{Node: "j1", Action: "kill"}}))
		require.False(t, handles(open, history.At[history.Engine]{Time: 90 * s, V: history.Engine{Node: "j1", Action: "start"}}))
	})
}

func TestAReignNamesThreeOfItsFaults(t *testing.T) {
	var g reign
	for _, kind := range []string{"drain", "latency", "instance-kill"} {
		g.faults = append(g.faults, &history.Fault{Kind: kind})
	}
	require.Equal(t, list([]string{"drain", "latency", "instance-kill"}, 3), g.names())
	require.NotEqual(t, list([]string{"drain", "latency", "instance-kill"}, 2), g.names())
}
