package fault

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestTheUndoOfAReleaseWaitsUntilTheNodeIsReady: for so long, and that it does not
// become ready is no failure of the undo.
func TestTheUndoOfAReleaseWaitsUntilTheNodeIsReady(t *testing.T) {
	for name, tc := range map[string]struct {
		set  func(*rolledApp)
		took time.Duration
	}{
		"it was ready":       {func(*rolledApp) {}, 0},
		"it starts":          {func(a *rolledApp) { a.kind, a.boot = "deploy", 9*time.Second }, 9 * time.Second},
		"it starts too late": {func(a *rolledApp) { a.kind, a.boot = "deploy", 11*time.Second }, 10 * time.Second},
		"it never is":        {func(a *rolledApp) { a.broken = true }, 10 * time.Second},
		"its process ended":  {func(a *rolledApp) { a.down = true }, 2 * time.Second},
		"its container is down": {func(a *rolledApp) {
			a.served.state, a.down = topology.State{}, true
		}, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 0)
				tc.set(s.apps[0])
				began := time.Now()
				require.NoError(t, Undo(t.Context(), s.nodes(), Entry{Undo: Unreleased, Node: "j1"}))
				require.Equal(t, tc.took, time.Since(began))
				require.Equal(t, []string{"j1 restore 90"}, s.words())
				require.Empty(t, s.apps[0].kind)
				require.True(t, s.apps[0].runs())
			})
		})
	}
}

func TestTheUndoOfAReleaseSaysWhatItCannotDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		undo := Entry{Undo: Unreleased, Node: "j1"}
		s := rolled(1, 0)
		s.breaks = func(string) bool { return true }
		began := time.Now()
		require.EqualError(t, Undo(t.Context(), s.nodes(), undo), "undo unreleased on j1: exit status 1: "+errRolled.Error())
		require.Zero(t, time.Since(began), "it does not wait then")

		ended := &stub{name: "j1", role: topology.Application} // which cannot be started
		require.ErrorIs(t, Undo(t.Context(), []topology.Node{ended}, undo), errUnasked)
		require.Empty(t, ended.did)

		bare := Entry{Undo: Unreleased, Node: string(topology.Application)} // neither a container nor one that answers
		require.NoError(t, Undo(t.Context(), []topology.Node{role(topology.Application)}, bare))
	})
}

// TestANodeIsAskedAnew: each time by a connection of its own, for so long, and its
// answer is read up to a limit.
func TestANodeIsAskedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(1, 0)
		dials, dial := 0, s.apps[0].served.dialed
		s.apps[0].served.dialed = func(address string) (net.Conn, error) { dials++; return dial(address) }
		u, err := newUnit(s.apps[0])
		require.NoError(t, err)
		for range 2 {
			status, version, body, err := u.get(t.Context(), "/health/live")
			require.NoError(t, err)
			require.Equal(t, 200, status)
			require.Equal(t, "1", version)
			require.Equal(t, "ok\n", string(body))
		}
		require.Equal(t, 2, dials)

		ok, says := u.ready(t.Context())
		require.True(t, ok)
		require.Equal(t, "200 ok", says)
		s.apps[0].broken = true
		ok, says = u.ready(t.Context())
		require.False(t, ok)
		require.Equal(t, "503 starting", says)
		s.apps[0].down = true
		ok, says = u.ready(t.Context())
		require.False(t, ok)
		require.Contains(t, says, "connection refused")

		_, _, _, err = u.get(t.Context(), "/%zz")
		require.ErrorContains(t, err, "invalid URL escape")

		s.apps[0].down, s.apps[0].slow = false, 1001*time.Millisecond
		began := time.Now()
		_, _, _, err = u.get(t.Context(), "/health/live")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))
		time.Sleep(time.Second)
	})
}

// TestAnAnswerThatIsCutOffIsNone: though it began well.
func TestAnAnswerThatIsCutOffIsNone(t *testing.T) {
	u, err := newUnit(&stub{name: "j1", port: 8080, dialed: replying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok")})
	require.NoError(t, err)
	ok, says := u.ready(t.Context())
	require.False(t, ok)
	require.Equal(t, "unexpected EOF", says)
	_, err = parseRelease("deploy\n-\nnoon\n")
	require.ErrorContains(t, err, "nine decimals")
}

func TestAStopTakesWholeTenths(t *testing.T) {
	for d, want := range map[time.Duration]string{stopWithin: "90", 990 * time.Millisecond: "9", time.Second: "10"} {
		require.Equal(t, want, tenths(d))
	}
}

func TestANodeWithoutAnAddressHasNoRelease(t *testing.T) {
	_, err := newUnit(&stub{name: "j1"})
	require.EqualError(t, err, "node j1: "+ErrCapability.Error()+" (an address that answers HTTP)")
	_, err = newUnit(role(topology.Application))
	require.ErrorIs(t, err, ErrCapability)
}

// rolledUnknown is a container whose state the engine does not tell.
type rolledUnknown struct{ rolledNode }

func (rolledUnknown) Inspect(context.Context) (topology.State, error) {
	return topology.State{}, errRolled
}

// TestAReleaseIsSeen: by the start that came after it, at the same time at the earliest.
func TestAReleaseIsSeen(t *testing.T) {
	for name, tc := range map[string]struct {
		set           func(*rolledApp)
		kind, version string // asked
		ok            bool
		measured      string
	}{
		"at the same time":      {func(a *rolledApp) { a.kind, a.noted = "deploy", a.started }, "deploy", "1", true, "version 1"},
		"started after":         {func(a *rolledApp) { a.kind, a.noted = "deploy", a.started.Add(-1) }, "deploy", "1", true, "version 1"},
		"started before":        {func(a *rolledApp) { a.kind, a.noted = "deploy", a.started.Add(1) }, "deploy", "1", false, "version 1"},
		"of another kind":       {func(a *rolledApp) { a.kind, a.noted = "canary", a.started }, "deploy", "1", false, "version 1"},
		"whatever the version":  {func(a *rolledApp) { a.kind, a.noted = "deploy", a.started }, "deploy", "", true, "version 1"},
		"of another version":    {func(a *rolledApp) { a.kind, a.noted = "deploy", a.started }, "deploy", "2", false, "version 1"},
		"none, and none wanted": {func(*rolledApp) {}, "", "", true, "version 1"},
		"one, and none wanted":  {func(a *rolledApp) { a.kind = "deploy" }, "", "", false, "version 1"},
		"no process":            {func(a *rolledApp) { a.down = true }, "", "", false, "no answer"},
		"no container":          {func(a *rolledApp) { a.served.state.Running = false }, "", "", false, "container not running"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 0)
				tc.set(s.apps[0])
				u, err := newUnit(s.apps[0])
				require.NoError(t, err)
				see := sight{ok: true}
				require.NoError(t, u.seeRelease(t.Context(), &see, tc.kind, tc.version))
				require.Equal(t, tc.ok, see.ok, "%+v", see)
				require.Equal(t, tc.measured, see.measured)
				require.NotEmpty(t, see.how)
				require.Equal(t, tc.kind != "", see.to.Equal(s.apps[0].started))
			})
		})
	}
	n := &stub{name: "j1", port: 8080, state: up, exec: says("a b\n")}
	u, err := newUnit(n)
	require.NoError(t, err)
	require.ErrorContains(t, u.seeRelease(t.Context(), &sight{}, "", ""), "want three lines")
	u, err = newUnit(rolledUnknown{newRolledNode(n)})
	require.NoError(t, err)
	require.ErrorIs(t, u.seeRelease(t.Context(), &sight{}, "", ""), errRolled)
}

// A look that the end of its time breaks off is none: the last whole one stands.
func TestALookAtAReleaseThatIsBrokenOffIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(1, 0)
		s.apps[0].slow = time.Second
		u, err := newUnit(s.apps[0])
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		see := sight{ok: true}
		require.ErrorIs(t, u.seeRelease(ctx, &see, "", ""), context.DeadlineExceeded)
		require.True(t, see.ok)
		require.Empty(t, see.measured)
		time.Sleep(time.Second) // the node's own answer, which nobody awaits any more
	})
}
