package fault

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestACleanupIsProvenByWhatIsGone: all that was planted, as many as were asked, and
// nothing of it left.
func TestACleanupIsProvenByWhatIsGone(t *testing.T) {
	const times = "1732082400.100000000 1732082400.200000000 "
	for name, tc := range map[string]struct {
		trace, seen string
		active      bool
		measured    string
	}{
		"as asked":          {"t 0", times + "40 40 3 1 0 15840000 12960000", true, "db: 40 dead sessions removed, of those not used for a time from 3h36m0s to 4h24m0s"},
		"no other session":  {"t 0", times + "40 40 0 1 0 15840000 12960000", true, "db: 40 dead sessions removed, of those not used for a time from 3h36m0s to 4h24m0s"},
		"one left":          {"t 1", times + "40 39 3 1 0 15840000 12960000", false, "db: 39 dead sessions removed, of those not used for a time from 3h36m0s to 4h24m0s"},
		"one came back":     {"t 1", times + "40 40 3 1 0 15840000 12960000", false, "db: 40 dead sessions removed, of those not used for a time from 3h36m0s to 4h24m0s"},
		"one never removed": {"t 0", times + "40 39 3 1 0 15840000 12960000", false, "db: 39 dead sessions removed, of those not used for a time from 3h36m0s to 4h24m0s"},
		"one more planted":  {"t 0", times + "41 40 3 1 0 15840000 12960000", false, "db: 40 dead sessions removed, of those not used for a time from 3h36m0s to 4h24m0s"},
		"by expiry":         {"t 0", times + "40 40 3 0 1 15840000 12960000", false, "db: 40 dead sessions removed, of those that had expired"},
		"by neither":        {"t 0", times + "40 40 3 0 0 15840000 12960000", false, "db: 40 dead sessions removed, by neither use nor expiry: 0 and 0 of one each"},
		"by both":           {"t 0", times + "40 40 3 1 1 15840000 12960000", false, "db: 40 dead sessions removed, by neither use nor expiry: 1 and 1 of one each"},
		"it never ran":      {"f 0", "", false, "db: the job has not run"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &stub{name: "db", role: topology.Database, state: up, exec: func(argv []string) (topology.Output, error) {
					if argv[len(argv)-1] == cleanupTrace {
						return text("%s\n", tc.trace)
					}
					return text("%s\n", tc.seen)
				}}
				p, err := heldLook(t, 0, SessionCleanup{}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				if tc.seen != "" {
					require.True(t, p.From.Equal(time.Unix(1732082400, 1e8)), "by the database's clock")
					require.True(t, p.To.Equal(time.Unix(1732082400, 2e8)))
					require.Contains(t, p.How[len(p.How)-1], "other sessions that it removed: ")
					require.Len(t, p.How, 5)
				}
			})
		})
	}
}

// TestACleanupIsHealedOfTraceAndSessions: both must be gone.
func TestACleanupIsHealedOfTraceAndSessions(t *testing.T) {
	for trace, want := range map[string]string{"f 0": "db: no trace", "t 0": "db: a trace", "f 1": "db: a trace", "t 40": "db: a trace"} {
		synctest.Test(t, func(t *testing.T) {
			p, err := heldLook(t, 0, SessionCleanup{}.Healed, &stub{name: "db", role: topology.Database, state: up, exec: says(trace + "\n")})
			require.NoError(t, err)
			require.Equal(t, trace == "f 0", p.OK, trace)
			require.Equal(t, want, p.Measured)
			require.Len(t, p.How, 2)
		})
	}
}

// TestACleanupIsOfDatabases: any other node is refused before it is asked anything.
func TestACleanupIsOfDatabases(t *testing.T) {
	n := heldOn(heldDB())
	n.role = topology.Application
	log := &undos{}
	require.ErrorIs(t, SessionCleanup{}.Inject(t.Context(), []topology.Node{n}, log), ErrCapability)
	require.Empty(t, log.all)
	_, err := SessionCleanup{}.Active(t.Context(), []topology.Node{n})
	require.ErrorContains(t, err, "session-cleanup: node db: ")
	_, err = SessionCleanup{}.Healed(t.Context(), []topology.Node{n})
	require.ErrorIs(t, err, ErrCapability)
	require.Empty(t, n.did)
}

// TestTheProbesAreToEitherSideOfTheLimit: by a tenth of it, a millisecond at least, and
// no farther apart than twice that.
func TestTheProbesAreToEitherSideOfTheLimit(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct {
		idle, older, younger time.Duration
		want                 bool
	}{
		{100 * ms, 110 * ms, 90 * ms, true},
		{100 * ms, 101 * ms, 99 * ms, true},
		{100 * ms, 100 * ms, 90 * ms, false},
		{100 * ms, 110 * ms, 100 * ms, false},
		{100 * ms, 120 * ms, 80 * ms, true},
		{100 * ms, 121 * ms, 80 * ms, false},
		{5 * ms, 7 * ms, 3 * ms, true},
		{5 * ms, 8 * ms, 3 * ms, false},
	} {
		require.Equal(t, tc.want, SessionCleanup{Idle: tc.idle}.bounds(tc.older, tc.younger), "%+v", tc)
	}
	require.Equal(t, 24*time.Minute, SessionCleanup{}.tenth())
	require.Equal(t, ms, SessionCleanup{Idle: 3 * ms}.tenth())
}

// TestACleanupByAnotherFigureIsNoProof: what removes the planted sessions all the same.
func TestACleanupByAnotherFigureIsNoProof(t *testing.T) {
	for _, tc := range []struct{ done, asked SessionCleanup }{
		{SessionCleanup{Idle: time.Hour}, SessionCleanup{}},
		{SessionCleanup{Expired: true}, SessionCleanup{}},
		{SessionCleanup{}, SessionCleanup{Expired: true}},
		{SessionCleanup{Dead: 39}, SessionCleanup{}},
	} {
		t.Run(fmt.Sprintf("%+v for %+v", tc.done, tc.asked), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := heldAfter(t, tc.done, func(*heldDatabase) {})
				p, err := heldLook(t, 0, tc.done.Active, n)
				require.NoError(t, err)
				require.True(t, p.OK, "%+v", p)
				p, err = heldLook(t, 0, tc.asked.Active, n)
				require.NoError(t, err)
				require.False(t, p.OK, "%+v", p)
			})
		})
	}
	require.NoError(t, SessionCleanup{Dead: 10000, Idle: time.Millisecond}.Validate())
	require.NoError(t, SessionCleanup{Dead: 1}.Validate())
}

// TestATraceThatSaysNothingIsAnError: of each of its numbers and times.
func TestATraceThatSaysNothingIsAnError(t *testing.T) {
	for _, seen := range []string{
		"1732082400.1 1732082400.200000000 1 1 1 1 0 1 1",
		"1732082400.100000000 1732082400.2 1 1 1 1 0 1 1",
		"1732082400.100000000 1732082400.200000000 x 1 1 1 0 1 1",
		"1732082400.100000000 1732082400.200000000 1 1 1 1 0 1 x",
		"1732082400.100000000 1732082400.200000000 1 1 1 1 0 1",
		"1732082400.100000000 1732082400.200000000 1 1 1 1 0 1 1 1",
	} {
		synctest.Test(t, func(t *testing.T) {
			n := &stub{name: "db", role: topology.Database, state: up, exec: func(argv []string) (topology.Output, error) {
				if argv[len(argv)-1] == cleanupTrace {
					return text("t 0\n")
				}
				return text("%s\n", seen)
			}}
			_, err := heldLook(t, 0, SessionCleanup{}.Active, n)
			require.ErrorContains(t, err, "db: ", seen)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		_, err := heldLook(t, 0, SessionCleanup{}.Healed, &stub{name: "db", role: topology.Database, state: up, exec: says("t 1 1\n")})
		require.ErrorContains(t, err, "want t or f and a number")
	})
}
