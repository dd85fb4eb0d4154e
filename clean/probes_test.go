package clean

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestApplicationFacts(t *testing.T) {
	const metrics = `# HELP hachaos_warm whether
hachaos_warm 1 1732082400123
hachaos_pool_waiting 0
hachaos_pool_active 3
hachaos_sessions 0
hachaos_requests_in_flight 0
hachaos_requests_total{status="2xx"} 40
`
	got, err := applicationFacts("readiness 200\n" + metrics)
	require.NoError(t, err)
	require.Equal(t, []string{"hachaos_sessions 0"}, got)
	got, err = applicationFacts("readiness 503\nhachaos_warm 0 1732082400123\nhachaos_pool_waiting 2\nhachaos_sessions 7\n")
	require.NoError(t, err)
	require.Equal(t, []string{
		Unsettled + "its readiness is 503", Unsettled + "it is not warm", Unsettled + "hachaos_pool_waiting is 2", "hachaos_sessions 7",
	}, got)
}

// TestApplicationFactsOfTheClock: a clock that goes by itself is no fact, and one
// that is wrong is not clean.
func TestApplicationFactsOfTheClock(t *testing.T) {
	for name, tc := range map[string]struct {
		printed string
		want    []string
		err     string
	}{
		"right":          {"hachaos_clock_seconds 1732082400.300\nasked 1732082400.200000 1732082400.400000\n", nil, ""},
		"ahead":          {"hachaos_clock_seconds 1732082460.400\nasked 1732082400.200000 1732082400.400000\n", []string{Unsettled + "its clock is off by +60.000 s"}, ""},
		"behind":         {"hachaos_clock_seconds 1732082399.200\nasked 1732082400.200000 1732082400.400000\n", []string{Unsettled + "its clock is off by -1.000 s"}, ""},
		"not told":       {"asked 1732082400.200000 1732082400.400000\n", nil, ""},
		"nothing to set": {"hachaos_clock_seconds 1732082400.300\n", nil, "want two times"},
		"no clock":       {"hachaos_clock_seconds soon\nasked 1 2\n", nil, "invalid syntax"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := applicationFacts(tc.printed)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

// TestProcesses reads what Linux says of processes: a shell that a fault left
// is told from the look's own, a stopped program from one that runs, and what
// keepalived runs each moment is no fact.
func TestProcesses(t *testing.T) {
	const stat = `1 (tini) S 0 1 1 0 -1
7 (supervise) S 1 7 1 0 -1
8 (haproxy) S 7 7 1 0 -1
9 (keepalived) S 7 7 1 0 -1
10 (keepalived) T 9 7 1 0 -1
11 (alive) R 10 11 1 0 -1
12 (sleep) S 11 11 1 0 -1
20 (sh) R 1 20 20 0 -1
21 (odd) name) S 1 21 21 0 -1
22 (gone) Z 1 22 22 0 -1
LOOK (sh) S 0 LOOK LOOK 0 -1
31 (cat) R LOOK LOOK LOOK 0 -1
32 (awk) R LOOK LOOK LOOK 0 -1
`
	script := `printf '%s' "$1" | sed "s/LOOK/$$/g" | ` + processesFilter
	out, err := exec.Command("sh", "-c", script, "look", stat).Output()
	require.NoError(t, err)
	require.Equal(t, []string{
		"process haproxy", "process keepalived", "process odd) name", "process sh", "process supervise", "process tini",
		Unsettled + "process keepalived is stopped",
	}, strings.Split(strings.TrimSpace(string(out)), "\n"))
	look := exec.Command("sh", "-c", processesScript)
	look.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // as the engine begins one
	own, err := look.Output()
	require.NoError(t, err)
	require.Contains(t, string(own), "process clean.test\n")
	blind, err := exec.Command("sh", "-c", processesFilter).Output()
	require.NoError(t, err)
	require.Equal(t, Unsettled+"no program but the look is seen\n", string(blind))
}

func TestServerLines(t *testing.T) {
	const reply = `Name: HAProxy
Maxconn: 4000
Hard_maxconn: 4000

1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord
4 nodes 1 j1 198.18.7.21 2 0 100 100 37 6 3 7 6 0 0 0 - 8080 - 0
4 nodes 2 j2 198.18.7.22 2 8 50 100 37 6 3 7 6 0 0 0 - 8080 - 0
4 nodes 3 j3 198.18.7.23 2 0 100 100 37 6 3 7 3 0 0 0 - 8080 - 0
5 plain 1 j1 198.18.7.21 2 0 100 100 37 6 3 7 0 0 0 0 - 8080 - 0

`
	got, err := serverLines(reply)
	require.NoError(t, err)
	require.Equal(t, []string{
		"maxconn 4000",
		"server nodes/j1 at 198.18.7.21:8080, weight 100 of 100",
		Unsettled + "server nodes/j2 is not up (operational state 2, administrative state 8)",
		"server nodes/j2 at 198.18.7.22:8080, weight 50 of 100",
		Unsettled + "server nodes/j3 is not checked (check state 3)",
		"server nodes/j3 at 198.18.7.23:8080, weight 100 of 100",
		"server plain/j1 at 198.18.7.21:8080, weight 100 of 100",
	}, got)
	_, servers, _ := strings.Cut(reply, "\n\n")
	for _, bad := range []string{"", "Permission denied\n", "1\n# be_id be_name\n", "Maxconn: 4000\n", servers} {
		_, err := serverLines(bad)
		require.Error(t, err, "no server, or no word of the process, is no proof")
	}
}

func TestProxyLines(t *testing.T) {
	got, err := proxyLines(`{"j1":{"name":"j1","listen":"[::]:15432","upstream":"198.18.7.10:5432","enabled":true,
		"toxics":[{"name":"slow","type":"latency","stream":"downstream","toxicity":1,"attributes":{"latency":5}}]}}`)
	require.NoError(t, err)
	require.Equal(t, []string{"proxy j1 from [::]:15432 to 198.18.7.10:5432, enabled true", "toxic slow of j1: latency downstream"}, got)
	_, err = proxyLines("<html>")
	require.Error(t, err)
}

func TestRun(t *testing.T) {
	_, err := run(topology.Output{Code: 2, Stderr: []byte("no such file\n")}, nil)
	require.EqualError(t, err, "exit status 2: no such file")
	lines, err := Probe{}.facts("a\n\n  b \n")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, lines)
}

func TestResets(t *testing.T) {
	spec := topology.Spec{Nodes: []topology.NodeSpec{
		{Name: "db", Role: topology.Database},
		{Name: "toxi", Role: topology.Proxy},
		{Name: "j1", Role: topology.Application},
		{Name: "lb1", Role: topology.Balancer},
	}}
	tests := []struct {
		name string
		all  []Difference
		want []string
	}{
		{"nothing", nil, nil},
		{"a table that was not there", []Difference{{"database", "db", "", "rows of new: 2"}}, nil},
		{"proxies", []Difference{{"proxies", "toxi", "", "toxic a"}, {"proxies", "toxi", "", "toxic b"}}, []string{"reset the proxies of toxi"}},
		{"what a node remembers", []Difference{{"application", "j1", "", "hachaos_sessions 3"}, {"files", "j1", "", "file /etc/hachaos/override.env"}}, []string{"restarted j1"}},
		{"what a node has not done yet", []Difference{{"application", "j1", "", Unsettled + "it is not warm"}}, nil},
		{"a weight", []Difference{{"servers", "lb1", "", "server nodes/j1 weight 3"}}, []string{"restarted lb1"}},
		{"a server that is down", []Difference{{"servers", "lb1", "", Unsettled + "server is not up"}}, nil},
		{"a process that is stopped in a balancer's node", []Difference{{"processes", "lb1", "", Unsettled + "process keepalived is stopped"}}, []string{"restarted lb1"}},
		{"another maxconn", []Difference{{"servers", "lb1", "maxconn 4000", ""}, {"servers", "lb1", "", "maxconn 3999"}}, []string{"restarted lb1"}},
		{"a check that is off", []Difference{{"servers", "lb1", "", Unsettled + "server nodes/j1 is not checked"}}, nil},
		{"a process in the database's node", []Difference{{"processes", "db", "", "process dd"}}, nil},
		{"a filter", []Difference{{"network", "j1", "", "table inet x"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range resets(spec, tt.all) {
				got = append(got, s.about)
			}
			require.Equal(t, tt.want, got)
		})
	}
}
