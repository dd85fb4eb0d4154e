package fault

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// The cluster in memory has no SQL: what the job does is held to the suite
// on containers only, and its plan and its parsers here.
func TestCleanupStatement(t *testing.T) {
	tutorial := SessionCleanup{}.statement()
	require.Contains(t, tutorial, "DELETE FROM jettysessions WHERE accesstime < extract(epoch FROM now() - interval '14400 seconds') * 1000 RETURNING")
	require.Contains(t, tutorial, "generate_series(1, 40)")
	require.Contains(t, tutorial, "::bigint - 18000000 AS t", "planted an hour beyond the limit")
	require.Contains(t, tutorial, "LIKE 'hachaos-dead-%')", "no doubled percent sign is left")
	require.Contains(t, tutorial, "('hachaos-probe-unused', 15840000, 1800000), ('hachaos-probe-expired', 12960000, -1800000)", "a tenth of 4 h to either side")
	require.NotContains(t, tutorial, "%!")
	require.Contains(t, SessionCleanup{Idle: 500 * time.Millisecond}.statement(), "interval '0.5 seconds'")
	require.Contains(t, SessionCleanup{Expired: true, Dead: 7}.statement(), "WHERE expirytime > 0 AND expirytime < extract(epoch FROM now()) * 1000 RETURNING")
}

func TestCleanupValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		f   SessionCleanup
		err string
	}{
		"tutorial":     {SessionCleanup{}, ""},
		"by expiry":    {SessionCleanup{Expired: true, Dead: 10000}, ""},
		"negative":     {SessionCleanup{Idle: -time.Second}, "idle -1s"},
		"too fine":     {SessionCleanup{Idle: time.Microsecond}, "whole milliseconds"},
		"two ways":     {SessionCleanup{Idle: time.Second, Expired: true}, "choose by which"},
		"too many":     {SessionCleanup{Dead: 10001}, "dead 10001"},
		"fewer than 0": {SessionCleanup{Dead: -1}, "dead -1"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.err == "" {
				require.NoError(t, tc.f.Validate())
				return
			}
			require.ErrorContains(t, tc.f.Validate(), tc.err)
		})
	}
}

func TestParseCleanup(t *testing.T) {
	got, err := parseCleanup("1732082400.100000000 1732082400.200000000 40 40 3 1 0 1100 900\n")
	require.NoError(t, err)
	require.Equal(t, cleanup{
		time.Unix(1732082400, 1e8), time.Unix(1732082400, 2e8), 40, 40, 3,
		1, 0, 1100 * time.Millisecond, 900 * time.Millisecond,
	}, got)
	require.Equal(t, "of those not used for a time from 900ms to 1.1s", got.by())
	for _, text := range []string{"", "1732082400.100000000 1732082400.200000000 40 40 3", "x 1732082400.200000000 40 40 3 1 0 1100 900", "1732082400.100000000 1732082400.200000000 40 x 3 1 0 1100 900"} {
		_, err := parseCleanup(text)
		require.Error(t, err, text)
	}
	seen, err := parseTrace("t 40\n")
	require.NoError(t, err)
	require.Equal(t, trace{true, 40}, seen)
	for _, text := range []string{"", "t", "yes 3", "t x"} {
		_, err := parseTrace(text)
		require.Error(t, err, text)
	}
}

// TestByWhatTheJobGoes: a job by another time of disuse, or by expiry, removes every
// planted session, too.
func TestByWhatTheJobGoes(t *testing.T) {
	for name, tc := range map[string]struct {
		f    SessionCleanup
		seen string // unused, expired, older and younger
		want bool
	}{
		"4 h":                      {SessionCleanup{}, "1 0 15840000 12960000", true},
		"a tenth of it":            {SessionCleanup{}, "1 0 1584000 1296000", false},
		"ten times it":             {SessionCleanup{}, "1 0 158400000 129600000", false},
		"nobody can tell":          {SessionCleanup{}, "1 0 158400000 1", false},
		"by expiry for disuse":     {SessionCleanup{}, "0 1 15840000 12960000", false},
		"both":                     {SessionCleanup{}, "1 1 15840000 12960000", false},
		"neither":                  {SessionCleanup{}, "0 0 15840000 12960000", false},
		"by expiry":                {SessionCleanup{Expired: true}, "0 1 15840000 12960000", true},
		"by disuse for expiry":     {SessionCleanup{Expired: true}, "1 0 15840000 12960000", false},
		"1 ms":                     {SessionCleanup{Idle: time.Millisecond}, "1 0 2 0", true},
		"a millisecond less of it": {SessionCleanup{Idle: 3 * time.Millisecond}, "1 0 2 0", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &stub{name: "db", role: topology.Database, state: up, exec: func(argv []string) (topology.Output, error) {
					if argv[len(argv)-1] == cleanupTrace {
						return text("t 0\n")
					}
					return text("1732082400.100000000 1732082400.200000000 40 40 3 %s\n", tc.seen)
				}}
				ctx, cancel := context.WithTimeout(t.Context(), 3*poll)
				defer cancel()
				p, err := tc.f.Active(ctx, []topology.Node{n})
				require.NoError(t, err)
				require.Equal(t, tc.want, p.OK, "%+v", p)
			})
		})
	}
}
