package topology_test

import (
	"flag"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fixtures"
	"github.com/hachaos/hachaos/topology"
)

var update = flag.Bool("update", false, "write the golden files anew")

var subnet = netip.MustParsePrefix("198.18.7.0/24")

func plan(t *testing.T, opts topology.Options) topology.Spec {
	t.Helper()
	planner, err := topology.JettyHA().Plan(opts)
	require.NoError(t, err)
	spec, err := planner(subnet)
	require.NoError(t, err)
	return spec
}

func file(t *testing.T, spec topology.Spec, node, path string) string {
	t.Helper()
	n, ok := spec.NodeByName(node)
	require.True(t, ok, "node %s", node)
	for _, f := range n.Files {
		if f.Path == path {
			return f.Content
		}
	}
	require.Fail(t, "no such file", "%s on %s", path, node)
	return ""
}

func TestJettyHARendersItsFiles(t *testing.T) {
	golden := []struct{ profile, node, path string }{
		{"tuned", "lb1", "/etc/haproxy/haproxy.cfg"},
		{"tuned", "lb2", "/etc/keepalived/keepalived.conf"},
		{"tuned", "toxi", "/etc/hachaos/toxiproxy.json"},
		{"documented", "lb1", "/etc/haproxy/haproxy.cfg"},
		{"documented", "lb2", "/etc/keepalived/keepalived.conf"},
	}
	for _, g := range golden {
		name := filepath.Join("testdata", "jetty-ha", g.profile+"."+g.node+"."+filepath.Base(g.path))
		t.Run(name, func(t *testing.T) {
			got := file(t, plan(t, topology.Options{Profile: g.profile}), g.node, g.path)
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
				require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
			}
			want, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Equal(t, string(want), got, "rendered text differs; run the test with -update if that is meant")
		})
	}
}

func TestJettyHASwitchesShowInTheFiles(t *testing.T) {
	const haproxy = "/etc/haproxy/haproxy.cfg"
	tests := []struct {
		profile, key, value string
		has, hasNot         string
	}{
		{"tuned", "redispatch", "off", "\n    no option redispatch\n", "option redispatch 1"},
		{"tuned", "check", "liar", "cookie j1 weight 100 addr 127.0.0.1 port 8407\n", "addr 198"},
		{"documented", "check", "liar", "\nfrontend liar\n    bind 127.0.0.1:8407\n", "addr 198"},
		{"tuned", "affinity", "off", "\n    balance random(1)\n    retries", "cookie"},
		{"tuned", "balance", "roundrobin", "\n    balance roundrobin\n    cookie", "random("},
		{"tuned", "affinity", "source", "\n    balance source\n    retries", "cookie"},
		{"documented", "affinity", "off", ":8080 check\n", "cookie"},
		{"documented", "affinity", "source", "\n    balance source\n    option httpchk", "cookie"},
		{"tuned", "weight.j2", "1", "cookie j2 weight 1\n", "cookie j2 weight 100"},
		{"tuned", "weight.j2", "1", "cookie j1 weight 100\n", "cookie j1 weight 1\n"},
		{"documented", "weight.j2", "7", "check cookie j2 weight 7\n", "cookie j2 weight 100"},
		{"tuned", "check", "root", "meth GET uri / ver", "/health/ready"},
		{"tuned", "check", "port", "fall 3 rise 2 check\n", "httpchk"},
		{"documented", "check", "port", " check cookie j1\n", "httpchk"},
		{"documented", "weight.j2", "7", "check cookie j1 weight 100\n", "cookie j1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.profile+" "+tt.key+"="+tt.value, func(t *testing.T) {
			opts := topology.Options{Profile: tt.profile, Set: map[string]string{tt.key: tt.value}}
			spec := plan(t, opts)
			for _, lb := range []string{"lb1", "lb2"} {
				require.Contains(t, file(t, spec, lb, haproxy), tt.has)
				require.NotContains(t, file(t, spec, lb, haproxy), tt.hasNot)
			}
		})
	}
}

func TestJettyHASwitchesReachTheNodes(t *testing.T) {
	spec := plan(t, topology.Options{Nodes: 3, Set: map[string]string{
		"dedupe": "off", "sessions": "memory", "readiness": "constant", "warmup": "2s", "order-work": "0s",
		"cache": "default", "session-save": "lazy", "login": "local", "fence": "off", "session-work": "20ms",
	}})
	for _, name := range []string{"j1", "j2", "j3"} {
		node, ok := spec.NodeByName(name)
		require.True(t, ok)
		require.Equal(t, name, node.Env["NODE"])
		require.Equal(t, "off", node.Env["DEDUPE"])
		require.Equal(t, "memory", node.Env["SESSIONS"])
		require.Equal(t, "constant", node.Env["READINESS"])
		require.Equal(t, "default", node.Env["SESSION_CACHE"])
		require.Equal(t, "lazy", node.Env["SESSION_SAVE"])
		require.Equal(t, "local", node.Env["LOGIN"])
		require.Equal(t, "off", node.Env["SESSION_FENCE"])
		require.Equal(t, "20", node.Env["SESSION_WORK_MS"])
		require.Equal(t, "2000", node.Env["WARMUP_MS"])
		require.Equal(t, "0", node.Env["ORDER_WORK_MS"])
	}
}

func TestJettyHANodesReachTheDatabaseByAProxyOfTheirOwn(t *testing.T) {
	spec := plan(t, topology.Options{Nodes: 3})
	j3, _ := spec.NodeByName("j3")
	require.Contains(t, j3.Env["DB_URL"], "jdbc:postgresql://198.18.7.20:15434/")
	require.Contains(t, file(t, spec, "toxi", "/etc/hachaos/toxiproxy.json"),
		`{"name": "j3", "listen": "0.0.0.0:15434", "upstream": "198.18.7.10:5432", "enabled": true}`)
}

func TestJettyHAHasAPriceServiceOnlyIfAsked(t *testing.T) {
	without := plan(t, topology.Options{})
	_, ok := without.NodeByName("price")
	require.False(t, ok)
	require.NotContains(t, file(t, without, "toxi", "/etc/hachaos/toxiproxy.json"), "price")

	with := plan(t, topology.Options{Set: map[string]string{"dependency": "on"}})
	price, ok := with.NodeByName("price")
	require.True(t, ok)
	require.Equal(t, topology.Service, price.Role)
	require.Contains(t, file(t, with, "price", "/etc/haproxy/price.cfg"), fmt.Sprintf("bind :%d", price.Port))
	require.Contains(t, file(t, with, "toxi", "/etc/hachaos/toxiproxy.json"),
		`{"name": "price", "listen": "0.0.0.0:15400", "upstream": "198.18.7.11:8090", "enabled": true}`)
	j1, _ := with.NodeByName("j1")
	require.Equal(t, "198.18.7.20:15400", j1.Env["DEPENDENCY_ADDR"])
	require.Equal(t, "on", j1.Env["DEPENDENCY"])
}

func TestJettyHASmallDisk(t *testing.T) {
	db, _ := plan(t, topology.Options{}).NodeByName("db")
	require.Empty(t, db.Tmpfs)
	require.NotContains(t, db.Env, "TABLES_ON_DISK")
	db, _ = plan(t, topology.Options{Set: map[string]string{"small-disk": "all"}}).NodeByName("db")
	require.Equal(t, map[string]int64{topology.SmallDisk: 32 << 20}, db.Tmpfs)
	require.Equal(t, "orders jettysessions api_idempotency", db.Env["TABLES_ON_DISK"])
}

func TestJettyHADatabaseDisk(t *testing.T) {
	db, _ := plan(t, topology.Options{}).NodeByName("db")
	require.Empty(t, db.Disks)
	db, _ = plan(t, topology.Options{Set: map[string]string{"database-disk": "volume"}}).NodeByName("db")
	require.Equal(t, []string{topology.DatabaseDisk}, db.Disks)
	image, err := fs.ReadFile(fixtures.FS(), "images/postgres/Dockerfile")
	require.NoError(t, err)
	require.Contains(t, string(image), " PGDATA="+topology.DatabaseDisk+"\n", "all that PostgreSQL writes")
	_, err = topology.JettyHA().Plan(topology.Options{Set: map[string]string{"database-disk": "ssd"}})
	require.ErrorContains(t, err, "want image or volume")
}

// What a node's connections come to follows from its pool, and the limits are
// those of the file that PostgreSQL reads.
func TestJettyHAConnections(t *testing.T) {
	for _, tt := range []struct {
		profile, pool, size, idle, most string
	}{
		{"tuned", "profile", "10", "10", "12"},
		{"tuned", "80", "80", "10", "82"},
		{"documented", "profile", "20", "5", "42"},
	} {
		spec := plan(t, topology.Options{Profile: tt.profile, Set: map[string]string{"pool": tt.pool}})
		j1, _ := spec.NodeByName("j1")
		require.Equal(t, tt.size, j1.Env["POOL_SIZE"])
		require.Equal(t, tt.idle, j1.Env["POOL_IDLE"])
		values := map[string]string{}
		for _, v := range spec.Values {
			values[v.Name] = v.Value
		}
		require.Equal(t, tt.most, values[topology.ValueNodeConnections])
		config, err := fs.ReadFile(fixtures.FS(), "images/postgres/postgresql.conf")
		require.NoError(t, err)
		require.Contains(t, string(config), "max_connections = "+values[topology.ValueMaxConnections]+"\n")
		require.Contains(t, string(config), "reserved_connections = 5\n")
		require.Equal(t, "8", values[topology.ValueReserved])
	}
}

// TestJettyHAThreadsOutlastTheWait: the tuned profile must shed, whatever its
// database takes; what the tutorial waits is more than threads can bear.
func TestJettyHAThreadsOutlastTheWait(t *testing.T) {
	for _, tt := range []struct {
		profile, wait string
		needed        int // 400/s × the wait + the pool + 66/s × 250 ms, rounded up + 8
		enough        bool
	}{
		{"tuned", "bounded", 100 + 10 + 17 + 8, true},
		{"tuned", "unbounded", 24000 + 10 + 17 + 8, false},
		{"documented", "bounded", 12000 + 20 + 17 + 8, false},
	} {
		spec := plan(t, topology.Options{Profile: tt.profile, Set: map[string]string{"pool-wait": tt.wait}})
		needed := ""
		for _, v := range spec.Values {
			if v.Name == topology.ValueThreadsNeeded {
				needed = v.Value
			}
		}
		require.Equal(t, strconv.Itoa(tt.needed), needed)
		bound, ok := spec.Bound(topology.BoundThreads)
		require.True(t, ok)
		require.Equal(t, tt.enough, tt.needed <= bound.Count, "%s, %s: %d needed, %d there are", tt.profile, tt.wait, tt.needed, bound.Count)
	}
}

func TestJettyHAAddressesAreDistinctAndInside(t *testing.T) {
	for nodes := 2; nodes <= 8; nodes++ {
		spec := plan(t, topology.Options{Nodes: nodes})
		require.Len(t, spec.Nodes, nodes+4)
		seen := map[netip.Addr]string{spec.VIP: "the VIP"}
		names := map[string]bool{}
		for _, n := range spec.Nodes {
			require.True(t, subnet.Contains(n.Addr), "%s %s", n.Name, n.Addr)
			require.Empty(t, seen[n.Addr], "%s has the address of another", n.Name)
			require.False(t, names[n.Name], "%s is there twice", n.Name)
			seen[n.Addr], names[n.Name] = n.Name, true
		}
	}
}

func TestJettyHAUsesImagesThatThereAre(t *testing.T) {
	images := map[string]bool{}
	for _, i := range fixtures.Images() {
		images[i.Name] = true
	}
	for _, profile := range topology.JettyHA().Profiles {
		for _, n := range plan(t, topology.Options{Profile: profile}).Nodes {
			require.True(t, images[n.Image], "%s of profile %s wants image %q", n.Name, profile, n.Image)
		}
	}
}

func TestJettyHARefuses(t *testing.T) {
	tests := []struct {
		name string
		opts topology.Options
		want string
	}{
		{"profile", topology.Options{Profile: "fast"}, "tuned, documented"},
		{"one node", topology.Options{Nodes: 1}, "2 to 8"},
		{"nine nodes", topology.Options{Nodes: 9}, "2 to 8"},
		{"key", topology.Options{Set: map[string]string{"dedup": "off"}}, "there are: dedupe, answer, sessions, readiness, "},
		{"choice", topology.Options{Set: map[string]string{"dedupe": "no"}}, "want on or off"},
		{"empty choice", topology.Options{Set: map[string]string{"check": ""}}, "want ready or liar"},
		{"weight 0", topology.Options{Set: map[string]string{"weight.j1": "0"}}, "from 1 to 256"},
		{"weight 257", topology.Options{Set: map[string]string{"weight.j1": "257"}}, "from 1 to 256"},
		{"weight of nobody", topology.Options{Set: map[string]string{"weight.j3": "5"}}, "there are: j1, j2"},
		{"warmup", topology.Options{Set: map[string]string{"warmup": "2"}}, "from 0s to 1m0s"},
		{"negative", topology.Options{Set: map[string]string{"order-work": "-1s"}}, "from 0s to 10s"},
		{"no pool", topology.Options{Set: map[string]string{"pool": "0"}}, "from 1 to 200"},
		{"no number", topology.Options{Set: map[string]string{"pool": "many"}}, "from 1 to 200"},
		{"too fine", topology.Options{Set: map[string]string{"order-work": "1us"}}, "whole milliseconds"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := topology.JettyHA().Plan(tt.opts)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestJettyHARefusesASubnetWithoutRoom(t *testing.T) {
	planner, err := topology.JettyHA().Plan(topology.Options{})
	require.NoError(t, err)
	for _, s := range []string{"198.18.7.0/25", "fd00::/64"} {
		_, err := planner(netip.MustParsePrefix(s))
		require.ErrorContains(t, err, s)
	}
}

func TestLookup(t *testing.T) {
	for _, d := range topology.All() {
		got, err := topology.Lookup(d.Name)
		require.NoError(t, err)
		require.Equal(t, d.Name, got.Name)
	}
	_, err := topology.Lookup("tomcat")
	require.ErrorIs(t, err, topology.ErrNotFound)
	require.ErrorContains(t, err, "jetty-ha")
}

// What the switches of this file's table change beyond the application's
// environment.
func TestSwitchesOfTheProcess(t *testing.T) {
	spec := plan(t, topology.Options{Set: map[string]string{"restart": "1", "threads": "18", "lame-duck": "0s"}})
	n, ok := spec.NodeByName("j1")
	require.True(t, ok)
	require.Equal(t, "1", n.Env["RESTART"])
	require.Equal(t, "0", n.Env["LAME_DUCK_MS"])
	require.Equal(t, "5000", n.Env["STOP_TIMEOUT_MS"])
	require.Equal(t, "18", n.Env["THREADS"])
	b, ok := spec.Bound(topology.BoundRecovered)
	require.True(t, ok)
	require.Equal(t, "restart after 1s + boot 5s + warm-up 1.5s + allowance 250ms", b.Formula)

	spec = plan(t, topology.Options{Profile: "documented", Set: map[string]string{"restart": "never"}})
	n, _ = spec.NodeByName("j1")
	require.Equal(t, "never", n.Env["RESTART"])
	b, _ = spec.Bound(topology.BoundRecovered)
	require.Equal(t, "boot 5s + warm-up 1.5s + allowance 250ms", b.Formula)
}

// A key that is there twice would have the last row's default win, and the
// first row's values refused or obeyed by chance.
func TestJettyHASwitchesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range topology.JettyHA().Switches {
		require.False(t, seen[s.Key], "switch %s is there twice", s.Key)
		seen[s.Key] = true
	}
}
