package fault

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// up is a node's state while its container runs.
var up = topology.State{Running: true}

// replying is a runtime socket that gives one reply to whatever it is asked.
func replying(reply string) func(string) (net.Conn, error) {
	return func(string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			if _, err := bufio.NewReader(there).ReadString('\n'); err == nil {
				_, _ = there.Write([]byte(reply))
			}
		}()
		return here, nil
	}
}

// TestWhatIsSoAlreadyIsRefused: a fault that changes nothing would be proven by
// what was there before it, and its undo might take that away.
func TestWhatIsSoAlreadyIsRefused(t *testing.T) {
	settings := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health/settings" {
			_, _ = w.Write([]byte(`{"POOL_SIZE":"10","READY_LIMIT_MS":"300"}`))
		}
	}))
	defer settings.Close()
	toSettings := func(string) (net.Conn, error) { return net.Dial("tcp", settings.Listener.Addr().String()) }
	quota := topology.Limits{CPU: 0.2}
	latency := Latency{Delay: latencyFloor}
	poisoned := func([]string) (topology.Output, error) {
		return topology.Output{Stdout: []byte(`{"name":"j1","enabled":true,"toxics":[{"name":"` + toxicName(latency) + `"}]}`)}, nil
	}
	proxies := []topology.Node{&stub{name: "toxi", role: topology.Proxy, port: 8474, state: up, beside: poisoned}}
	for name, tc := range map[string]struct {
		fault Fault
		node  *stub
		err   string
	}{
		"weight":          {Weight{Server: "j1", Weight: 100}, &stub{dialed: replying("100 (initial 100)\n\n")}, "its weight is 100 already"},
		"balancer-reload": {BalancerReload{MaxConn: 4000}, &stub{dialed: replying("Pid: 7\nMaxconn: 4000\n\n")}, "its maxconn is 4000 already"},
		"config-drift": {
			ConfigDrift{Set: map[string]string{"POOL_SIZE": "10"}, Rollout: Rollout{NoDrain: true}},
			&stub{role: topology.Application, port: 8080, dialed: toSettings}, `its POOL_SIZE is "10" already`,
		},
		"cpu-starvation": {CPUStarvation{}, &stub{limits: quota}, "its quota is 0.2 of a core already"},
		"latency":        {latency, &stub{peers: proxies}, "already, of the same fault"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.node.name, tc.node.state = "j1", up
			log := &undos{}
			require.ErrorContains(t, tc.fault.Inject(t.Context(), []topology.Node{tc.node}, log), tc.err)
			require.Empty(t, log.all, "an undo of what was there before")
			require.Empty(t, tc.node.did)
		})
	}
}

// TestWhatDiffersIsNotRefused: the same looks let a change pass, as far as the act.
func TestWhatDiffersIsNotRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		fault Fault
		node  *stub
	}{
		"weight":          {Weight{Server: "j1", Weight: 10}, &stub{dialed: replying("100 (initial 100)\n\n")}},
		"balancer-reload": {BalancerReload{}, &stub{dialed: replying("Pid: 7\nMaxconn: 4000\n\n")}},
		"cpu-starvation":  {CPUStarvation{CPU: 0.3}, &stub{limits: topology.Limits{CPU: 0.2}}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.node.name, tc.node.state = "lb1", up
			log := &undos{}
			require.ErrorIs(t, tc.fault.Inject(t.Context(), []topology.Node{tc.node}, log), errUnasked)
			require.Len(t, log.all, 1)
		})
	}
}
