package fault

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The cluster in memory has no SQL: what the job does is held to the suite
// on containers only, and its plan and its parsers here.
func TestCleanupStatement(t *testing.T) {
	tutorial := SessionCleanup{}.statement()
	require.Contains(t, tutorial, "DELETE FROM jettysessions WHERE accesstime < extract(epoch FROM now() - interval '14400 seconds') * 1000 RETURNING")
	require.Contains(t, tutorial, "generate_series(1, 40)")
	require.Contains(t, tutorial, "::bigint - 18000000 AS t", "planted an hour beyond the limit")
	require.Contains(t, tutorial, "LIKE 'hachaos-dead-%')", "no doubled percent sign is left")
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
	got, err := parseCleanup("1732082400.100000000 1732082400.200000000 40 40 3\n")
	require.NoError(t, err)
	require.Equal(t, cleanup{time.Unix(1732082400, 1e8), time.Unix(1732082400, 2e8), 40, 40, 3}, got)
	for _, text := range []string{"", "1732082400.100000000 1732082400.200000000 40 40", "x 1732082400.200000000 40 40 3", "1732082400.100000000 1732082400.200000000 40 x 3"} {
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
