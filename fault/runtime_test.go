package fault

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const statOfTwo = "# pxname,svname,scur,stot,status,weight,lbtot,\n" +
	"nodes,j1,0,17,DRAIN,100,5,\n" +
	"nodes,j2,1,20,UP 1/2,100,9,\n\n"

func TestParseServers(t *testing.T) {
	got, err := parseServers(statOfTwo)
	require.NoError(t, err)
	require.Equal(t, []ServerView{
		{Name: "j1", Status: "DRAIN", Weight: 100, Chosen: 5, Total: 17},
		{Name: "j2", Status: "UP 1/2", Weight: 100, Chosen: 9, Total: 20},
	}, got)
	require.True(t, got[0].Drains())
	require.False(t, got[1].Drains() || got[0].InMaintenance())

	_, err = parseServers("Unknown command.\n")
	require.ErrorContains(t, err, "no header")
}

func TestSplitInquiry(t *testing.T) {
	replies, at, err := splitInquiry(statOfTwo + "\n--\n" + statOfTwo + "\n--\n1732082400.100000 1732082400.200000\n")
	require.NoError(t, err)
	require.Equal(t, [2]time.Time{time.Unix(1732082400, 1e8), time.Unix(1732082400, 2e8)}, at)
	before, after, err := viewOf("j1", replies)
	require.NoError(t, err)
	require.Equal(t, before, after)
	_, _, err = viewOf("j9", replies)
	require.ErrorContains(t, err, `no server "j9"`)

	_, at, err = splitInquiry("x\n\n--\nx\n\n--\n-\n")
	require.NoError(t, err, "nothing was told yet")
	require.Zero(t, at)
	_, _, err = splitInquiry("x\n")
	require.ErrorContains(t, err, "two replies")
	_, _, err = splitInquiry("x\n\n--\nx\n\n--\nnow then\n")
	require.ErrorContains(t, err, "time")
}

func TestParseWeight(t *testing.T) {
	now, initial, err := parseWeight("10 (initial 100)\n\n")
	require.NoError(t, err)
	require.Equal(t, [2]int{10, 100}, [2]int{now, initial})
	_, _, err = parseWeight("No such server.\n")
	require.ErrorContains(t, err, "get weight")
}

func TestOrdersToBalancersAreValidated(t *testing.T) {
	for name, tc := range map[string]struct {
		fault Fault
		err   string
	}{
		"no server":        {Drain{}, "drain: no server: name the one"},
		"a second command": {Maintenance{Server: "j1;shutdown sessions"}, `maintenance: server "j1;shutdown sessions"`},
		"a bad backend":    {Drain{Server: "j1", Backend: "a b"}, `backend "a b"`},
		"no weight":        {Weight{Server: "j1"}, "weight 0: want 1 to 256; to take a server out there is drain"},
		"good":             {Weight{Server: "j1", Weight: 256}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.fault.Validate()
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
	require.Equal(t, "nodes/j1", serverOrder{server: "j1"}.path())
	require.Equal(t, "app/j1", serverOrder{server: "j1", backend: "app"}.path())
}
