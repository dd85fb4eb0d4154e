package clean

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// Probes are those of the built-in topologies, one a line.
func Probes() []Probe {
	application, balancer := []topology.Role{topology.Application}, []topology.Role{topology.Balancer}
	database, proxy := []topology.Role{topology.Database}, []topology.Role{topology.Proxy}
	own := []topology.Role{topology.Application, topology.Balancer, topology.Database} // images with a shell
	return []Probe{
		{Name: "container", Where: Here, Ask: container},
		{Name: "network", Where: Beside, Script: networkScript},
		{Name: "files", Roles: own, Where: InNode, Script: filesScript},
		{Name: "limits", Roles: own, Where: InNode, Script: limitsScript},
		{Name: "processes", Roles: []topology.Role{topology.Application, topology.Database}, Where: InNode, Script: processesScript},
		{Name: "application", Roles: application, Where: Beside, Script: applicationScript, Facts: applicationFacts},
		{Name: "servers", Roles: balancer, Where: InNode, Script: serversScript, Facts: serverLines},
		{Name: "proxies", Roles: proxy, Where: Beside, Script: proxiesScript, Facts: proxyLines},
		{Name: "database", Roles: database, Where: InNode, Script: databaseScript},
	}
}

// networkScript lists packet filters, queueing disciplines, addresses (the
// VIP, $1, belongs to exactly one node), routes, and neighbours that were
// entered by hand.
const networkScript = `nft list tables || exit 1
tc qdisc show | sed 's/ refcnt [0-9]*//' || exit 1
ip -o addr show | awk -v vip="$1" '$3 == "inet" { print index($4, vip "/") == 1 ? "sole: the VIP" : "address " $2 " " $4 }'
ip -o link show | sed -n 's/^[0-9]*: \([^:@]*\)[^<]*<\([^>]*\)>.*/\1 \2/p' | awk '{ print "interface " $1 " " ($2 ~ /(^|,)UP(,|$)/ ? "up" : "down") }'
ip route show | sed 's/^/route /'
ip neigh show nud permanent | sed 's/^/neighbour /'
true`

// filesScript tells the files that the node was given by their digests, what
// else lies beside them (an override of the environment, for one), and the
// marks of faults.
const filesScript = `shift 2
for f in "$@"; do sha256sum "$f" || echo "missing $f"; done
for d in /etc/hachaos /etc/haproxy /etc/keepalived; do
	[ -d "$d" ] && find "$d" -type f | sed 's/^/file /'
done
for f in /run/hachaos/crash /tmp/hachaos-*; do [ -e "$f" ] && echo "file $f"; done
true`

// limitsScript tells the cgroup's limits (version 1 or 2), and what is
// mounted.
const limitsScript = `for f in cpu/cpu.cfs_quota_us cpu,cpuacct/cpu.cfs_quota_us memory/memory.limit_in_bytes cpu.max memory.max; do
	[ -r "/sys/fs/cgroup/$f" ] && echo "limit $f $(cat "/sys/fs/cgroup/$f")"
done
awk '{ print "mount " $2 " " $3 }' /proc/self/mounts`

// processesScript tells which programs run, but the look's own.
const processesScript = `for p in /proc/[0-9]*; do
	[ "${p#/proc/}" = "$$" ] && continue
	read -r name 2>/dev/null <"$p/comm" && echo "process $name"
done | grep -vx -e 'process sh' -e 'process bash' -e 'process grep' -e 'process sort' -e 'process cat' | sort -u`

// applicationScript asks a node for its metrics and its readiness.
const applicationScript = `curl -s -m 2 -o /dev/null -w 'readiness %{http_code}\n' "http://127.0.0.1:$2/health/ready"
curl -sf -m 2 "http://127.0.0.1:$2/metrics"`

// idle are the gauges that say that a node has nothing to do: 0 when it is
// settled.
var idle = []string{"hachaos_pool_waiting", "hachaos_threads_queue", "hachaos_requests_in_flight"}

// passing are the gauges that change by themselves.
var passing = []string{
	"hachaos_pool_active", "hachaos_pool_idle", "hachaos_threads_busy", "hachaos_start_time_seconds", "hachaos_database_reachable",
	"hachaos_clock_seconds",
}

// applicationFacts holds a node to be ready, warm and idle. Its other gauges
// tell what it keeps in its memory, and are compared with those when it was
// new; counters are not.
func applicationFacts(printed string) ([]string, error) {
	var lines []string
	for l := range strings.Lines(printed) {
		fields := strings.Fields(l)
		if len(fields) < 2 {
			continue
		}
		name, value := fields[0], fields[1]
		switch {
		case name == "readiness":
			if value != "200" {
				lines = append(lines, Unsettled+"its readiness is "+value)
			}
		case name == "hachaos_warm":
			if zero(value) {
				lines = append(lines, Unsettled+"it is not warm")
			}
		case slices.Contains(idle, name):
			if !zero(value) {
				lines = append(lines, Unsettled+name+" is "+value)
			}
		case !strings.HasPrefix(name, "hachaos_"), slices.Contains(passing, name):
		case strings.HasSuffix(name, "_total") || strings.Contains(name, "_total{"):
		default:
			lines = append(lines, name+" "+value)
		}
	}
	return lines, nil
}

func zero(value string) bool { return strings.Trim(value, "0.") == "" }

// serversScript asks HAProxy, from within its node, for its servers.
const serversScript = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/9999 || exit 1; echo "show servers state" >&3; timeout 2 cat <&3'`

// serverLines tells each server's address, weights and state. It reads the
// reply to `show servers state` (HAProxy's management
// guide, section 9.3): a line that holds the version, a comment that names the
// columns, and a line a server.
func serverLines(out string) ([]string, error) {
	var names, lines []string
	for l := range strings.Lines(out) {
		fields := strings.Fields(l)
		if len(fields) > 1 && fields[0] == "#" {
			names = fields[1:]
			continue
		}
		if len(fields) < 5 || names == nil {
			continue
		}
		f := map[string]string{}
		for i, name := range names[:min(len(names), len(fields))] {
			f[name] = fields[i]
		}
		server := f["be_name"] + "/" + f["srv_name"]
		if f["srv_op_state"] != "2" || f["srv_admin_state"] != "0" {
			lines = append(lines, fmt.Sprintf("%sserver %s is not up (operational state %s, administrative state %s)", Unsettled, server, f["srv_op_state"], f["srv_admin_state"]))
		}
		lines = append(lines, fmt.Sprintf("server %s at %s:%s, weight %s of %s", server, f["srv_addr"], f["srv_port"], f["srv_uweight"], f["srv_iweight"]))
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("show servers state: no server in %.80q", out)
	}
	return lines, nil
}

// proxiesScript asks Toxiproxy for its proxies.
const proxiesScript = `curl -sf -m 2 "http://127.0.0.1:$2/proxies"`

// proxyLines tells each proxy, and every toxic of theirs.
func proxyLines(out string) ([]string, error) {
	var all map[string]struct {
		Listen, Upstream string
		Enabled          bool
		Toxics           []struct{ Name, Type, Stream string }
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		return nil, fmt.Errorf("proxies: %w", err)
	}
	var lines []string
	for name, p := range all {
		lines = append(lines, fmt.Sprintf("proxy %s from %s to %s, enabled %t", name, p.Listen, p.Upstream, p.Enabled))
		for _, t := range p.Toxics {
			lines = append(lines, fmt.Sprintf("toxic %s of %s: %s %s", t.Name, name, t.Type, t.Stream))
		}
	}
	return lines, nil
}
