package fault

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

const statOfTwo = "# pxname,svname,scur,stot,status,weight,lbtot,\n" +
	"nodes,j1,0,17,DRAIN,100,5,\n" +
	"nodes,j2,1,20,UP 1/2,100,9,\n\n"

func TestParseServers(t *testing.T) {
	got, err := parseServers(statOfTwo)
	require.NoError(t, err)
	require.Equal(t, []ServerView{
		{Name: "j1", Status: "DRAIN", Weight: 100, Chosen: 5, Total: 17},
		{Name: "j2", Status: "UP 1/2", Weight: 100, Chosen: 9, Total: 20, Current: 1},
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
		"no server":        {Drain{}, ""},
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
	require.Equal(t, "nodes/j1", serverOrder{}.path("j1"))
	require.Equal(t, "app/j1", serverOrder{backend: "app"}.path("j1"))
}

// TestWhoIsToldOfWhom parts the targets of an order to balancers.
func TestWhoIsToldOfWhom(t *testing.T) {
	nodes := map[string]topology.Node{}
	for name, role := range map[string]topology.Role{
		"j1": topology.Application, "j2": topology.Application, "lb1": topology.Balancer, "lb2": topology.Balancer, "db": topology.Database,
	} {
		nodes[name] = &stub{name: name, role: role, state: up}
	}
	for name, tc := range map[string]struct {
		server string
		aim    []string
		want   []string // balancer and server
		err    string
		is     error
	}{
		"named":                  {"j1", []string{"lb1", "lb2"}, []string{"lb1 j1", "lb2 j1"}, "", nil},
		"the target's":           {"", []string{"j2", "lb1", "lb2"}, []string{"lb1 j2", "lb2 j2"}, "", nil},
		"several":                {"", []string{"j1", "j2", "j1", "lb1"}, []string{"lb1 j1", "lb1 j2"}, "", nil},
		"nobody":                 {"j1", nil, nil, "drain: no target", ErrNoTargets},
		"no application node":    {"", []string{"lb1"}, nil, "name one, such as j1, or aim at application nodes together with every balancer", ErrNoTargets},
		"no balancer":            {"", []string{"j1"}, nil, "aim at every balancer, too", ErrNoTargets},
		"named and aimed at":     {"j1", []string{"j2", "lb1"}, nil, "name no server, or aim at the balancers alone", nil},
		"neither of the two":     {"", []string{"j1", "lb1", "db"}, nil, "node db is of role database", ErrCapability},
		"a name that cannot be":  {"j1;quit", []string{"lb1"}, nil, "want the name of one", nil},
		"named, and no balancer": {"j1", []string{"j2"}, nil, "aim at the balancers alone", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var aim []topology.Node
			for _, n := range tc.aim {
				aim = append(aim, nodes[n])
			}
			f := Drain{Server: tc.server}
			all, err := f.order().all(aim)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				require.ErrorContains(t, f.Inject(t.Context(), aim, nil), tc.err)
				if tc.is != nil {
					require.ErrorIs(t, err, tc.is)
				}
				return
			}
			require.NoError(t, err)
			var got []string
			for _, o := range all {
				got = append(got, o.victim.Name()+" "+o.server)
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestPlansForABalancersProcesses(t *testing.T) {
	p := supervised{"keepalived-freeze", keepalivedProcess}
	family := "pid=$(cat /run/hachaos/keepalived.pid) || exit 1\nall=\"$pid $(pgrep -P \"$pid\")\"\n"
	require.Equal(t, []string{"/bin/sh", "-c", family + ": >/run/hachaos/crashed.keepalived && kill -KILL $all"}, p.killed())
	require.Equal(t, []string{"bash", "-c", family + "before=$EPOCHREALTIME\nkill -STOP $all && echo \"$before $EPOCHREALTIME\" >/run/hachaos/frozen.keepalived"}, p.stopped())
	require.Contains(t, p.thawed()[2], `kill -CONT "$pid" $(pgrep -P "$pid")`)
	require.Contains(t, p.looked()[2], "stat -c %.9Y crashed.keepalived")
	require.Contains(t, p.looked()[2], "cat keepalived.pid")
}

func TestParseStates(t *testing.T) {
	for name, tc := range map[string]struct {
		text, states string
		at           [2]time.Time
		err          string
	}{
		"running":      {"S\nS\n--\n-\n", "SS", [2]time.Time{}, ""},
		"gone":         {"--\n-\n", "", [2]time.Time{}, ""},
		"stopped":      {"T\nT\n--\n1732082400.100000 1732082400.200000\n", "TT", [2]time.Time{time.Unix(1732082400, 1e8), time.Unix(1732082400, 2e8)}, ""},
		"cut off":      {"S\n", "", [2]time.Time{}, "letters and a note"},
		"no such time": {"S\n--\na b\n", "", [2]time.Time{}, "time"},
	} {
		t.Run(name, func(t *testing.T) {
			states, at, err := parseStates(tc.text)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.states, states)
			require.Equal(t, tc.at, at)
		})
	}
}

func TestPlanOfACutVRRP(t *testing.T) {
	require.Equal(t, []string{
		"nft",
		"add table inet hachaos_vrrp_cut; flush table inet hachaos_vrrp_cut; " +
			"add chain inet hachaos_vrrp_cut input { type filter hook input priority -400; policy accept; }; " +
			"add rule inet hachaos_vrrp_cut input ip protocol 112 counter drop; " +
			"add chain inet hachaos_vrrp_cut output { type filter hook output priority -400; policy accept; }; " +
			"add rule inet hachaos_vrrp_cut output ip protocol 112 counter drop",
	}, dropVRRP())
	require.Equal(t, 7, droppedBy("table inet hachaos_vrrp_cut {\n chain input {\n ip protocol 112 counter packets 3 bytes 120 drop\n }\n chain output {\n ip protocol 112 counter packets 4 bytes 160 drop\n"))
	require.Zero(t, droppedBy(""))
}

// TestHalfACutOfVRRPIsNone: whichever half is missing, and where another balancer
// advertises, whichever half has dropped nothing.
func TestHalfACutOfVRRPIsNone(t *testing.T) {
	chain := func(name, rule string) string {
		return "\tchain " + name + " {\n\t\ttype filter hook " + name + " priority -400; policy accept;\n" + rule + "\t}\n"
	}
	drops := func(n int) string { return fmt.Sprintf("\t\tip protocol 112 counter packets %d bytes 120 drop\n", n) }
	lb2 := &stub{name: "lb2", role: topology.Balancer}
	for name, tc := range map[string]struct {
		chains       string
		alone, whole bool // of one balancer, and of both
	}{
		"whole":         {chain("input", drops(2)) + chain("output", drops(3)), true, true},
		"nothing in":    {chain("input", drops(0)) + chain("output", drops(3)), false, true},
		"nothing out":   {chain("input", drops(2)) + chain("output", drops(0)), false, true},
		"nothing":       {chain("input", drops(0)) + chain("output", drops(0)), false, false},
		"only in":       {chain("input", drops(2)), false, false},
		"only out":      {chain("output", drops(3)), false, false},
		"no rule in":    {chain("input", "") + chain("output", drops(3)), false, false},
		"only counted":  {chain("input", drops(2)) + chain("output", "\t\tip protocol 112 counter packets 3 bytes 120\n"), false, false},
		"no table's is": {"", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lb1 := &stub{name: "lb1", role: topology.Balancer, state: up, peers: []topology.Node{lb2}, beside: func(argv []string) (topology.Output, error) {
					if slices.Equal(argv, listTables()) {
						return text("table inet %s\n", vrrpTable)
					}
					return text("%s", "table inet "+vrrpTable+" {\n"+tc.chains+"}\n")
				}}
				both := &stub{name: "lb2", role: topology.Balancer, state: up, peers: []topology.Node{lb1}, beside: lb1.beside}
				for want, targets := range map[*bool][]topology.Node{&tc.alone: {lb1}, &tc.whole: {lb1, both}} {
					ctx, cancel := context.WithTimeout(t.Context(), 3*poll)
					p, err := VRRPCut{}.Active(ctx, targets)
					cancel()
					require.NoError(t, err)
					require.Equal(t, *want, p.OK, "%+v", p)
				}
			})
		})
	}
}

func TestParseServing(t *testing.T) {
	info := "Name: HAProxy\nPid: 31\nMaxsock: 8000\nMaxconn: 3999\n"
	at, err := parseServing(info, "12\n31\n--\nchanged\n")
	require.NoError(t, err)
	require.Equal(t, serving{pid: 31, maxConn: 3999, workers: 2, youngest: 31, changed: true}, at)
	_, err = parseServing("Name: HAProxy\n", "31\n--\nfirst\n")
	require.ErrorContains(t, err, "want Pid and Maxconn")
	_, err = parseServing(info, "31\n")
	require.ErrorContains(t, err, "configuration's state")
	require.ErrorContains(t, BalancerReload{MaxConn: 5}.Validate(), "maxconn 5: want 100 to 100000")
	require.Equal(t, "3999", BalancerReload{}.reloaded()[4])
}

// TestWhatIsLeftOfTwoOrders: an order that is taken back leaves what the other asks
// for, whichever comes first.
func TestWhatIsLeftOfTwoOrders(t *testing.T) {
	for name, tc := range map[string]struct {
		told []string
		take string // the note that is taken back
		left string
		want string
	}{
		"the only one":                  {[]string{"drain.j1"}, "drain.j1", "", "ready"},
		"maintenance of a drain":        {[]string{"drain.j1", "maintenance.j1"}, "maintenance.j1", "drain.j1", "drain"},
		"the drain under a maintenance": {[]string{"drain.j1", "maintenance.j1"}, "drain.j1", "maintenance.j1", "maint"},
		"of another server":             {[]string{"drain.j1", "drain.j2"}, "drain.j1", "drain.j2", "ready"},
		"another order":                 {[]string{"drain.j1", "weight.j1"}, "drain.j1", "weight.j1", "ready"},
		"never told":                    {nil, "drain.j1", "", "ready"},
		"no note of its own":            {[]string{"drain.j1"}, "", "drain.j1", "drain"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, note := range tc.told {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "told."+note), []byte("1732082400.100000 1732082400.200000\n"), 0o644))
			}
			script := strings.ReplaceAll(strings.TrimSuffix(untell, tell), "/run/hachaos", dir) + `echo "$1"`
			out, err := exec.CommandContext(t.Context(), "bash", "-c", script, "hachaos-untell", "nodes/j1", tc.take).CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Equal(t, "set server nodes/j1 state "+tc.want+"\n", string(out))
			left, err := filepath.Glob(filepath.Join(dir, "told.*"))
			require.NoError(t, err)
			if tc.left == "" {
				require.Empty(t, left)
				return
			}
			require.Equal(t, []string{filepath.Join(dir, "told."+tc.left)}, left)
		})
	}
}
