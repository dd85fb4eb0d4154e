package docker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// actor is a node on a fake engine.
func actor(t *testing.T, f *fakeEngine, running, paused bool) *node {
	t.Helper()
	f.containers["c1"] = map[string]any{"Running": running, "Paused": paused}
	return &node{cluster: &cluster{driver: &Driver{}, engine: f.driver(t).engine}, spec: topology.NodeSpec{Name: "j1"}, id: "c1"}
}

var acts = []struct {
	name    string
	act     func(context.Context, *node) error
	reached func(topology.State) bool
}{
	{"kill", func(ctx context.Context, n *node) error { return n.Kill(ctx) }, stopped},
	{"stop", func(ctx context.Context, n *node) error { return n.Stop(ctx, time.Second) }, stopped},
	{"start", func(ctx context.Context, n *node) error { return n.Start(ctx) }, running},
	{"pause", func(ctx context.Context, n *node) error { return n.Pause(ctx) }, paused},
	{"unpause", func(ctx context.Context, n *node) error { return n.Unpause(ctx) }, thawed},
}

func TestActsEnsureAState(t *testing.T) {
	for _, test := range acts {
		t.Run(test.name, func(t *testing.T) {
			f := newFakeEngine()
			n := actor(t, f, test.name != "start", test.name == "unpause")
			for range 2 {
				require.NoError(t, test.act(t.Context(), n))
				state, err := n.Inspect(t.Context())
				require.NoError(t, err)
				require.True(t, test.reached(state))
			}
		})
	}
}

func TestActsSurviveALostReply(t *testing.T) {
	for _, test := range acts {
		t.Run(test.name, func(t *testing.T) {
			f := newFakeEngine()
			n := actor(t, f, test.name != "start", test.name == "unpause")
			f.lose = 1
			require.NoError(t, test.act(t.Context(), n))
		})
	}
}

func TestActsFail(t *testing.T) {
	f := newFakeEngine()
	n := actor(t, f, false, false)
	err := n.Pause(t.Context())
	require.ErrorIs(t, err, topology.ErrNotRunning)
	require.ErrorContains(t, err, "pause node j1")

	f.containers["c1"]["Running"] = true
	f.refuse["c1"] = true
	require.ErrorContains(t, n.Kill(t.Context()), "kill node j1: Error response from daemon: device or resource busy")

	delete(f.containers, "c1")
	require.ErrorContains(t, n.Start(t.Context()), "no such container")
}

func TestNoEngine(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock")
	_, err := Open(t.Context(), Options{})
	require.ErrorIs(t, err, topology.ErrNoEngine)
	require.ErrorContains(t, err, "systemctl start docker")
	require.ErrorContains(t, err, "/nonexistent/engine.sock")
	checks := Doctor(t.Context(), Options{})
	require.Len(t, checks, 1)
	require.False(t, checks[0].OK)

	t.Setenv("DOCKER_HOST", "no address")
	_, err = Open(t.Context(), Options{})
	require.ErrorIs(t, err, topology.ErrNoEngine)
}

func TestExplainLeavesAnswersAlone(t *testing.T) {
	e := &engine{host: "unix:///x"}
	answer := errors.New("permission denied: it is the container that says so")
	require.Equal(t, answer, e.explain(answer))
	require.NoError(t, e.explain(nil))
}

func TestRemoveRun(t *testing.T) {
	f := newFakeEngine()
	for _, id := range []string{"c1", "c2", "c3"} {
		f.containers[id] = map[string]any{}
	}
	f.networks["n1"] = true
	d := f.driver(t)
	f.lose = 5 // of the three that are detached, and of two that are removed
	c := &cluster{driver: &Driver{}, engine: d.engine, id: "r1"}
	require.NoError(t, c.Close(t.Context()))
	require.Empty(t, f.containers)
	require.Empty(t, f.networks)
	for i, call := range f.calls[:4] {
		require.Equal(t, i < 3, call == "POST networks/n1/disconnect", "all are detached, and then removed: %v", f.calls)
	}
	calls := len(f.calls)
	require.NoError(t, c.Close(t.Context()))
	require.Len(t, f.calls, calls, "nothing is left to be done")
}

func TestRemoveRunReportsWhatStays(t *testing.T) {
	f := newFakeEngine()
	f.containers["c1"], f.containers["c2"] = map[string]any{}, map[string]any{}
	f.networks["n1"] = true
	f.refuse["c2"] = true
	d := f.driver(t)
	c := &cluster{driver: &Driver{}, engine: d.engine, id: "r1"}
	err := c.Close(t.Context())
	require.ErrorContains(t, err, "remove container c2: Error response from daemon: device or resource busy")
	require.ErrorContains(t, err, "has active endpoints (if it has no container any more, the engine has miscounted")
	left, err := c.Leftovers(t.Context())
	require.NoError(t, err)
	require.Len(t, left, 2, "the container, and the network that it is in")
	f.refuse["c2"] = false
	require.NoError(t, c.Close(t.Context()), "it may be called again")
}

func TestEngineTime(t *testing.T) {
	never, err := engineTime("0001-01-01T00:00:00Z")
	require.NoError(t, err)
	require.True(t, never.IsZero())
	_, err = engineTime("soon")
	require.Error(t, err)
	at, err := engineTime("2026-11-20T07:00:00.5Z")
	require.NoError(t, err)
	require.Equal(t, 500*time.Millisecond, time.Duration(at.Nanosecond()))
}

func TestReaperOrder(t *testing.T) {
	_, err := completed(ReaperOptions{RunID: "no/id"}, someone)
	require.ErrorContains(t, err, "run id")
	text, err := completed(ReaperOptions{RunID: "r1", UndoLog: "/runs/1/undo.jsonl"}, someone)
	require.NoError(t, err)
	t.Setenv(reaperEnv, text)
	order, err := readOrder()
	require.NoError(t, err)
	require.Equal(t, "/runs/1/reaper.log", order.Log)
	require.Equal(t, someone.String(), order.Owner)
	t.Setenv(reaperEnv, "{}")
	_, err = readOrder()
	require.Error(t, err)
}

func TestListAndPrune(t *testing.T) {
	f := newFakeEngine()
	d := f.driver(t)
	current, err := d.Builder().Tag("jetty")
	require.NoError(t, err)
	image := func(id string, created int, name string, tags ...string) map[string]any {
		return map[string]any{
			"Id": id, "Created": created, "RepoTags": tags, "Labels": map[string]string{labelImage: name},
		}
	}
	f.images = []map[string]any{
		image("sha256:1", 1, "jetty", "hachaos/jetty:old"),
		image("sha256:2", 2, "jetty", current),
		image("sha256:3", 3, "jetty", "team/app:1"), // built on ours by somebody
		image("sha256:4", 4, "java", "<none>:<none>"),
		image("sha256:5", 5, "haproxy", "hachaos/haproxy:used"),
		image("sha256:6", 6, "base", "<none>:<none>"),
	}
	list, err := d.Builder().List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"", "hachaos/haproxy:used", "", current, "hachaos/jetty:old"}, tagsIn(list))
	f.refuse["hachaos/haproxy:used"], f.refuse["sha256:6"] = true, true

	removed, err := d.Builder().Prune(t.Context(), false)
	require.ErrorContains(t, err, "hachaos/haproxy:used", "a container uses it")
	require.NotContains(t, err.Error(), "sha256:6", "layers of others are no matter")
	require.Equal(t, []string{"", "hachaos/jetty:old"}, tagsIn(removed))
	require.Equal(t, []string{
		"DELETE images/sha256:6", "DELETE images/hachaos/haproxy:used",
		"DELETE images/sha256:4", "DELETE images/hachaos/jetty:old",
	}, f.calls)

	f.calls = nil
	_, err = d.Builder().Prune(t.Context(), true)
	require.Error(t, err)
	require.Contains(t, f.calls, "DELETE images/"+current)
	require.NotContains(t, f.calls, "DELETE images/team/app:1")
}

func TestAnImageIsIdentified(t *testing.T) {
	require.Equal(t, "hachaos/jetty:0123456789ab", identified("hachaos/jetty:0123456789ab", "sha256:1"), "its name says what it was built from")
	require.Equal(t, "own:1@sha256:1", identified("own:1", "sha256:1"), "its name may be given to another one")
	require.Equal(t, "own:1", identified("own:1", ""))
	c := &cluster{nodes: []*node{{spec: topology.NodeSpec{Name: "j1"}, image: "own:1@sha256:1"}}}
	require.Equal(t, "own:1@sha256:1", c.ImageOf("j1"))
	require.Empty(t, c.ImageOf("j9"))
}
