package fault

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestProxyPlans(t *testing.T) {
	const api = "http://127.0.0.1:8474/proxies/"
	require.Equal(t,
		[]string{"curl", "-sS", "--fail-with-body", "--max-time", "5", "-X", "POST", "-d", `{"enabled":false}`, api + "j1"},
		call(api, "POST", "j1", `{"enabled":false}`))
	require.Equal(t,
		[]string{"curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "5", "-X", "DELETE", api + "j1/toxics/hachaos_x"},
		removal(api, "j1/toxics/hachaos_x"))
}

func TestARemovalReadsItsStatus(t *testing.T) {
	for status, ok := range map[string]bool{"204": true, "404": true, "500": false, "": false} {
		err := gone(topology.Output{Stdout: []byte(status)})
		require.Equal(t, ok, err == nil, "status %q: %v", status, err)
	}
}

// parsedProbes is what comes of the text of probes, of which so many were made.
type parsedProbes struct {
	text string
	made int
	want string
	mid  time.Duration
	err  string
}

// hold holds what was parsed to it.
func (tc parsedProbes) hold(t *testing.T, p probes, err error) {
	t.Helper()
	if tc.err != "" {
		require.ErrorContains(t, err, tc.err)
		return
	}
	require.NoError(t, err)
	require.Equal(t, tc.want, p.String())
	require.Equal(t, tc.mid, p.median())
}

func TestParseProbes(t *testing.T) {
	for name, tc := range map[string]parsedProbes{
		"answered":        {"ok 3000\nok 1000\nok 2000\n", 3, "3 answered", 2 * time.Millisecond, ""},
		"an even number":  {"ok 3000\nok 1000\n", 2, "2 answered", 2 * time.Millisecond, ""},
		"each its own":    {"ok 5\nrefused\nsilent\nclosed\nsilent\n", 5, "1 answered, 1 refused, 2 silent, 1 closed", 5 * time.Microsecond, ""},
		"one is missing":  {"refused\n", 2, "", 0, "1 of 2"},
		"nothing":         {"", 3, "", 0, "0 of 3"},
		"no microseconds": {"ok soon\n", 1, "", 0, "microseconds"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := parseProbes(tc.text, tc.made)
			tc.hold(t, p, err)
		})
	}
}

func TestListConnectionsPlan(t *testing.T) {
	require.Equal(t, []string{"ss", "-Htn", "state", "established", "dst 198.18.7.20 dport = :15432"},
		listConnections(netip.MustParseAddrPort("198.18.7.20:15432")))
}
