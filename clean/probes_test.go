package clean

import (
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

func TestServerLines(t *testing.T) {
	const reply = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord
4 nodes 1 j1 198.18.7.21 2 0 100 100 37 6 3 7 6 0 0 0 - 8080 - 0
4 nodes 2 j2 198.18.7.22 2 8 50 100 37 6 3 7 6 0 0 0 - 8080 - 0

`
	got, err := serverLines(reply)
	require.NoError(t, err)
	require.Equal(t, []string{
		"server nodes/j1 at 198.18.7.21:8080, weight 100 of 100",
		Unsettled + "server nodes/j2 is not up (operational state 2, administrative state 8)",
		"server nodes/j2 at 198.18.7.22:8080, weight 50 of 100",
	}, got)
	for _, bad := range []string{"", "Permission denied\n", "1\n# be_id be_name\n"} {
		_, err := serverLines(bad)
		require.Error(t, err, "no server is no proof")
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
