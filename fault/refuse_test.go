package fault

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

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

// says is a command that prints something, and there one that finds what it looks
// for, or not.
func says(text string) func([]string) (topology.Output, error) {
	return func([]string) (topology.Output, error) { return topology.Output{Stdout: []byte(text)}, nil }
}

func there(is bool) func([]string) (topology.Output, error) {
	return func(argv []string) (topology.Output, error) {
		switch {
		case argv[0] != "test":
			return topology.Output{}, errUnasked
		case is:
			return topology.Output{}, nil
		}
		return topology.Output{Code: 1}, nil
	}
}

// shows is a balancer's view of j1 in that state.
func shows(status string) string {
	return "# pxname,svname,status,weight,\nnodes,j1," + status + ",100,\n\n"
}

// listed is a node with a file of whatever name and processes in these states.
func listed(states string) func([]string) (topology.Output, error) {
	return func(argv []string) (topology.Output, error) {
		switch argv[0] {
		case "test":
			return topology.Output{}, nil
		case "ps":
			return topology.Output{Stdout: []byte(states)}, nil
		}
		return topology.Output{}, errUnasked
	}
}

// queue is a node whose device has that for a root.
func queue(root string) func([]string) (topology.Output, error) {
	return func(argv []string) (topology.Output, error) {
		if !slices.Contains(argv, "show") {
			return topology.Output{}, errUnasked
		}
		return topology.Output{Stdout: []byte("qdisc " + root + "\n")}, nil
	}
}

// TestWhatIsSoAlreadyIsRefused: a fault that changes nothing would be proven by
// what was there before it, and its undo might take that away.
func TestWhatIsSoAlreadyIsRefused(t *testing.T) {
	settings := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health/settings" {
			_, _ = w.Write([]byte(`{"POOL_SIZE":"10","READY_LIMIT_MS":"300","WARMUP_MS":"10000"}`))
		}
	}))
	defer settings.Close()
	toSettings := func(string) (net.Conn, error) { return net.Dial("tcp", settings.Listener.Addr().String()) }
	quota := topology.Limits{CPU: 0.2}
	latency := Latency{Delay: leastDelay}
	poisoned := func([]string) (topology.Output, error) {
		return topology.Output{Stdout: []byte(`{"name":"j1","enabled":true,"toxics":[{"name":"` + toxicName(latency) + `"}]}`)}, nil
	}
	shut := []topology.Node{&stub{name: "toxi", role: topology.Proxy, port: 8474, state: up, beside: says(`{"name":"j1","enabled":false}`)}}
	db := []topology.Node{&stub{name: "db", role: topology.Database, state: up}}
	cut := NetworkCut{Peers: []string{"db"}}
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
		"slow-start":        {SlowStart{}, &stub{role: topology.Application, port: 8080, dialed: toSettings}, `its WARMUP_MS is "10000" already`},
		"cpu-starvation":    {CPUStarvation{}, &stub{limits: quota, exec: there(false)}, "its quota is 0.2 of a core already"},
		"another quota":     {CPUStarvation{CPU: 0.3}, &stub{limits: quota, exec: there(true)}, "has changed its limit of cpu already"},
		"memory-squeeze":    {MemorySqueeze{}, &stub{exec: there(true)}, "has changed its limit of memory already"},
		"out-of-memory":     {OutOfMemory{}, &stub{exec: there(true)}, "heal that first, or aim at another node"},
		"disk-slow":         {DiskSlow{}, &stub{disk: topology.DiskLimit{Device: "8:0", Writes: 50}}, "its disk 8:0 is limited to 50 writes a second already"},
		"pool-leak":         {PoolLeak{Connections: 3}, &stub{port: 8080, exec: there(true)}, "another fault of this kind is in place"},
		"threads":           {ThreadsExhausted{}, &stub{port: 8080, exec: there(true)}, "another fault of this kind is in place"},
		"a slow table":      {DatabaseSlowInside{Delay: time.Second}, &stub{exec: says("f\n")}, "writing orders is delayed already"},
		"latency":           {latency, &stub{peers: proxies}, "already, of the same fault"},
		"weight of another": {Weight{Server: "j1", Weight: 10}, &stub{dialed: replying("20 (initial 100)\n\n")}, "its weight is 20 in place of 100 already"},
		"drain":             {Drain{Server: "j1"}, &stub{dialed: replying(shows("DRAIN"))}, "its view of j1 is DRAIN already"},
		"drain over more":   {Drain{Server: "j1"}, &stub{dialed: replying(shows("MAINT"))}, "its view of j1 is MAINT already"},
		"maintenance":       {Maintenance{Server: "j1"}, &stub{dialed: replying(shows("MAINT"))}, "its view of j1 is MAINT already"},
		"health-check-liar": {HealthCheckLiar{Server: "j1"}, &stub{dialed: replying(shows("no check"))}, "its view of j1 is no check already"},
		"black hole":        {DatabaseBlackHole{}, &stub{beside: says("table inet " + blackHoleTable + "\n")}, "it has the packet filter hachaos_black_hole of the same fault already"},
		"vrrp-cut":          {VRRPCut{}, &stub{beside: says("table inet " + vrrpTable + "\n")}, "it has the packet filter hachaos_vrrp_cut of the same fault already"},
		"network-cut":       {cut, &stub{peers: db, beside: says("table inet " + toxicName(cut) + "\n")}, "of the same fault already"},
		"stale-arp":         {StaleARP{Peers: []string{"db"}}, &stub{peers: db, beside: says(`[{"dst":"198.18.7.21","lladdr":"` + goneMachine + `"}]`)}, "it is wrong about the address of 198.18.7.21 already"},
		"database-cut":      {DatabaseCut{}, &stub{peers: shut}, "its proxy refuses all connections already"},
		"dependency-down":   {DependencyDown{}, &stub{peers: shut}, "its proxy refuses all connections already"},
		"row-lock":          {RowLock{}, &stub{exec: says("t\n")}, "the database has a session hachaos-lock-orders already"},
		"connections":       {ConnectionsUsedUp{}, &stub{exec: says("t\n")}, "the database has a session hachaos-connections already"},
		"read-only":         {DatabaseReadOnly{}, &stub{exec: says("t\n")}, "says that it is read-only already"},
		"session-cleanup":   {SessionCleanup{}, &stub{role: topology.Database, exec: says("t\n")}, "the trace of such a job already"},
		"expand":            {SchemaChange{Step: StepExpand}, &stub{exec: says(schemaExpanded + "\n")}, "the table orders has columns quantity and units, kept in step already"},
		"contract":          {SchemaChange{Step: StepContract}, &stub{exec: says(schemaContracted + "\n")}, "the table orders has column units already"},
		"disk-full":         {DiskFull{}, &stub{exec: there(true)}, "a file that fills it already"},
		"crash-loop":        {CrashLoop{}, &stub{exec: there(true)}, "such a loop is in place already"},
		"transaction-kill":  {TransactionKill{}, &stub{exec: there(true)}, "a crash point is armed already"},
		"process-crash":     {ProcessCrash{}, &stub{exec: there(false)}, "no process of the application runs: heal"},
		"process-freeze":    {ProcessFreeze{}, &stub{exec: listed("Tl\n")}, "java is frozen already"},
		"balancer-kill":     {BalancerKill{}, &stub{exec: there(false)}, "no haproxy runs: heal"},
		"keepalived-freeze": {KeepalivedFreeze{}, &stub{exec: listed("Ts\nT\n")}, "keepalived is frozen already"},
		"instance-restart":  {InstanceRestart{}, &stub{exec: there(true)}, "it bears the mark of a restart already"},
		"database-restart":  {DatabaseRestart{}, &stub{exec: there(true)}, "it bears the mark of a restart already"},
		"address-removed":   {AddressRemoved{}, &stub{role: topology.Balancer, port: 8080, exec: there(true)}, "the note of such a removal already"},
		"a second reload":   {BalancerReload{}, &stub{dialed: replying("Pid: 7\nMaxconn: 4000\n\n"), exec: there(true)}, "changed by such a reload already"},
		"bandwidth":         {Bandwidth{KBit: 4000}, &stub{beside: queue("netem 8001: root refcnt 2 limit 1000 delay 50ms")}, "heal that first"},
		"link-latency":      {LinkLatency(latency), &stub{peers: proxies, beside: queue("tbf 8001: root refcnt 2 rate 4Mbit")}, "heal that first"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.node.name, tc.node.state = "j1", up
			log := &undos{}
			require.ErrorContains(t, tc.fault.Inject(t.Context(), []topology.Node{tc.node}, log), tc.err)
			require.Empty(t, log.all, "an undo of what was there before")
			for _, argv := range tc.node.did {
				all := strings.Join(argv, " ")
				look := argv[0] == "test" || argv[0] == "ps" || slices.Contains(argv, "show") || strings.HasPrefix(all, "nft list ") || strings.Contains(all, ReadingOnly)
				require.True(t, look, "it acted: %q", argv)
			}
		})
	}
}

// TestWhatDiffersIsNotRefused: the same looks let a change pass, as far as the act.
func TestWhatDiffersIsNotRefused(t *testing.T) {
	db := []topology.Node{&stub{name: "db", role: topology.Database, state: up}}
	cut := NetworkCut{Peers: []string{"db"}}
	others := func(argv []string) (topology.Output, error) {
		if slices.Equal(argv, listTables()) {
			return topology.Output{Stdout: []byte("table inet hachaos_another\n")}, nil
		}
		return topology.Output{}, errUnasked
	}
	for name, tc := range map[string]struct {
		fault Fault
		node  *stub
	}{
		"drain":           {Drain{Server: "j1"}, &stub{dialed: replying(shows("UP"))}},
		"over a drain":    {Maintenance{Server: "j1"}, &stub{dialed: replying(shows("DRAIN"))}},
		"a liar":          {HealthCheckLiar{Server: "j1"}, &stub{dialed: replying(shows("UP"))}},
		"black hole":      {DatabaseBlackHole{}, &stub{beside: others}},
		"vrrp-cut":        {VRRPCut{}, &stub{beside: others}},
		"another cut":     {cut, &stub{peers: db, beside: others}},
		"keepalived":      {KeepalivedFreeze{}, &stub{exec: listed("Ss\nS\n")}},
		"process-freeze":  {ProcessFreeze{}, &stub{exec: listed("Sl\n")}},
		"crash-loop":      {CrashLoop{}, &stub{exec: there(false)}},
		"weight":          {Weight{Server: "j1", Weight: 10}, &stub{dialed: replying("100 (initial 100)\n\n")}},
		"balancer-reload": {BalancerReload{}, &stub{dialed: replying("Pid: 7\nMaxconn: 4000\n\n"), exec: there(false)}},
		"bandwidth":       {Bandwidth{KBit: 4000}, &stub{beside: queue("noqueue 0: root refcnt 2")}},
		"link-latency":    {LinkLatency{Delay: leastDelay}, &stub{peers: []topology.Node{slowedProxy("j1")}, beside: queue("noqueue 0: root refcnt 2")}},
		"cpu-starvation":  {CPUStarvation{CPU: 0.3}, &stub{limits: topology.Limits{CPU: 0.2}, exec: there(false)}},
		"memory-squeeze":  {MemorySqueeze{}, &stub{exec: there(false)}},
		"pool-leak":       {PoolLeak{Connections: 3}, &stub{port: 8080, exec: there(false)}},
		"a table": {DatabaseSlowInside{Delay: time.Second}, &stub{exec: func(argv []string) (topology.Output, error) {
			if strings.Contains(strings.Join(argv, " "), ReadingOnly) {
				return topology.Output{Stdout: []byte("t\n")}, nil
			}
			return topology.Output{}, errUnasked
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.node.name, tc.node.state = "lb1", up
			log := &undos{}
			require.ErrorIs(t, tc.fault.Inject(t.Context(), []topology.Node{tc.node}, log), errUnasked)
			require.Len(t, log.all, 1)
		})
	}
}
