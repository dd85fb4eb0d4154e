package clean

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
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
		{Name: "processes", Roles: own, Where: InNode, Script: processesScript},
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
// marks of faults. Notes of when a fault acted (crashed, frozen.*, told.*) do
// nothing by themselves, and every run leaves some: they are left out. A clock
// that was put right leaves its file with an offset of 0.
const filesScript = `shift 2
for f in "$@"; do sha256sum "$f" || echo "missing $f"; done
for d in /etc/hachaos /etc/haproxy /etc/keepalived; do
	[ -d "$d" ] && find "$d" -type f | sed 's/^/file /'
done
for f in /run/hachaos/crash /run/hachaos/crash-loop /run/hachaos/crash-loop.pid /run/hachaos/hold.* /run/hachaos/address-removed /run/hachaos-* /tmp/hachaos-*; do
	[ -e "$f" ] && echo "file $f"
done
[ -e /run/hachaos/clock ] && read -r off </run/hachaos/clock && case $off in 0 | [+-]0) ;; *) echo "clock moved by $off s" ;; esac
true`

// limitsScript tells the cgroup's limits (version 1 or 2), those of its disks
// among them, and what is mounted.
const limitsScript = `for f in cpu/cpu.cfs_quota_us cpu,cpuacct/cpu.cfs_quota_us memory/memory.limit_in_bytes cpu.max memory.max; do
	[ -r "/sys/fs/cgroup/$f" ] || continue
	v=$(cat "/sys/fs/cgroup/$f")
	case $v in -1|max*|???????????????????*) v=none ;; esac
	echo "limit $f $v"
done
cat /sys/fs/cgroup/blkio/blkio.throttle.write_iops_device /sys/fs/cgroup/io.max 2>/dev/null | sed 's/^/limit of a disk /'
awk '{ print "mount " $2 " " $3 }' /proc/self/mounts`

// processesScript tells which programs run, and which of them are stopped.
const processesScript = `cat /proc/[0-9]*/stat 2>/dev/null | ` + processesFilter

// processesFilter reads what /proc says of each process (proc_pid_stat(5)): its
// number, its name in brackets, its state, its parent, its group and its session.
// The look's own processes are left out by their session, which each command that the
// engine runs in a container has of its own; so are those that keepalived runs
// to check HAProxy, which come and go, and dead ones that nobody has reaped.
const processesFilter = `awk -v look="$$" '
{
	rest = named = $0
	sub(/^[0-9]+ \(/, "", named); sub(/\) [^)]*$/, "", named)
	sub(/.*\) /, "", rest); split(rest, field, " ")
	name[$1] = named; state[$1] = field[1]; parent[$1] = field[2]; session[$1] = field[4]
}
END {
	for (pid in name) {
		if (session[pid] == session[look] || state[pid] == "Z") continue
		check = 0
		for (p = parent[pid]; p in name; p = parent[p]) if (name[p] == "keepalived") check = 1
		if (check && name[pid] != "keepalived") continue
		print "process " name[pid]; seen++
		if (state[pid] == "T") print "unsettled: process " name[pid] " is stopped"
	}
	if (!seen) print "unsettled: no program but the look is seen"
}' | sort -u`

// applicationScript asks a node for its readiness and its metrics, and tells the
// clock before and after.
const applicationScript = `curl -s -m 2 -o /dev/null -w 'readiness %{http_code}\n' "http://127.0.0.1:$2/health/ready"
before=$EPOCHREALTIME
curl -sf -m 2 "http://127.0.0.1:$2/metrics" || exit
echo "asked $before $EPOCHREALTIME"`

// idle are the gauges that say that a node has nothing to do: 0 when it is
// settled.
var idle = []string{"hachaos_pool_waiting", "hachaos_threads_queue", "hachaos_requests_in_flight"}

// passing are the gauges that change by themselves.
var passing = []string{
	"hachaos_pool_active", "hachaos_pool_idle", "hachaos_threads_busy", "hachaos_start_time_seconds", "hachaos_database_reachable",
	clockGauge,
}

const (
	// clockGauge is the node's own clock, in seconds.
	clockGauge = "hachaos_clock_seconds"
	// clockSlack is how far, in seconds, it may be off: it is told in whole
	// milliseconds, and whole seconds are the least that it is moved by.
	clockSlack = 0.25
)

// applicationFacts holds a node to be ready, warm and idle, and its clock to be
// right. Its other gauges
// tell what it keeps in its memory, and are compared with those when it was
// new; counters are not.
func applicationFacts(printed string) ([]string, error) {
	var lines, asked []string
	clock := ""
	for l := range strings.Lines(printed) {
		fields := strings.Fields(l)
		if len(fields) < 2 {
			continue
		}
		name, value := fields[0], fields[1]
		if name == clockGauge {
			clock = value
		}
		switch {
		case name == "asked":
			asked = fields[1:]
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
	off, err := clockOff(clock, asked)
	if off != 0 {
		lines = append(lines, fmt.Sprintf("%sits clock is off by %+.3f s", Unsettled, off))
	}
	return lines, err
}

// clockOff is by how many seconds a clock was off that was asked for between
// two times, beyond clockSlack; 0 where the node tells none.
func clockOff(clock string, asked []string) (float64, error) {
	if clock == "" {
		return 0, nil
	}
	if len(asked) != 2 {
		return 0, fmt.Errorf("its clock: asked at %q: want two times", asked)
	}
	var t [3]float64
	for i, word := range []string{clock, asked[0], asked[1]} {
		var err error
		if t[i], err = strconv.ParseFloat(word, 64); err != nil {
			return 0, fmt.Errorf("its clock: %w", err)
		}
	}
	switch now, before, after := t[0], t[1], t[2]; {
	case now < before-clockSlack:
		return now - before, nil
	case now > after+clockSlack:
		return now - after, nil
	}
	return 0, nil
}

func zero(value string) bool { return strings.Trim(value, "0.") == "" }

// serversScript asks HAProxy, from within its node, about itself and its servers.
const serversScript = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/9999 || exit 1; echo "show info;show servers state" >&3; timeout 2 cat <&3'`

// Bits of srv_check_state (HAProxy 3.0, include/haproxy/check-t.h, CHK_ST_*).
const (
	checkConfigured = 2
	checkEnabled    = 4
)

// serverLines tells the maxconn that the process runs with, and each server's
// address, weights, state and whether it is checked. It reads the replies to
// `show info` and `show servers state` (HAProxy's management guide, section
// 9.3): a line that holds the version, a comment that names the columns, and a
// line a server.
func serverLines(out string) ([]string, error) {
	var names, lines []string
	servers, limits := 0, 0
	for l := range strings.Lines(out) {
		fields := strings.Fields(l)
		if len(fields) == 2 && fields[0] == "Maxconn:" {
			limits++
			lines = append(lines, "maxconn "+fields[1])
		}
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
		servers++
		server := f["be_name"] + "/" + f["srv_name"]
		if f["srv_op_state"] != "2" || f["srv_admin_state"] != "0" {
			lines = append(lines, fmt.Sprintf("%sserver %s is not up (operational state %s, administrative state %s)", Unsettled, server, f["srv_op_state"], f["srv_admin_state"]))
		}
		check, err := strconv.Atoi(f["srv_check_state"])
		if err != nil {
			return nil, fmt.Errorf("show servers state: check of %s: %w", server, err)
		}
		if check&checkConfigured != 0 && check&checkEnabled == 0 {
			lines = append(lines, fmt.Sprintf("%sserver %s is not checked (check state %d)", Unsettled, server, check))
		}
		lines = append(lines, fmt.Sprintf("server %s at %s:%s, weight %s of %s", server, f["srv_addr"], f["srv_port"], f["srv_uweight"], f["srv_iweight"]))
	}
	if servers == 0 {
		return nil, fmt.Errorf("show servers state: no server in %.80q", out)
	}
	if limits != 1 {
		return nil, fmt.Errorf("show info: %d lines of Maxconn in %.80q: want one", limits, out)
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
