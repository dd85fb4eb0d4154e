package fake

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Keys of --set that the in-memory topology understands; they are those of
// the built-in one, and are in a node's environment.
const (
	SetDedupe     = "dedupe"
	SetSessions   = "sessions"
	SetReadiness  = "readiness"
	SetRedispatch = "redispatch"
	SetCheck      = "check"
	setWeight     = "weight.*"
)

// Definition is the in-memory topology by name, for a driver with options.
func Definition(o Options) topology.Definition {
	o = o.filled()
	return topology.Definition{
		Name:     "memory-ha",
		About:    "two balancers, application nodes and a database, in memory",
		Profiles: []string{"tuned"},
		Switches: []topology.Switch{
			{Key: SetDedupe, Values: []string{"on", "off"}, Default: "on", About: "orders are deduplicated by their key"},
			{Key: SetSessions, Values: []string{"database", "memory"}, Default: "database", About: "where sessions are kept"},
			{Key: SetReadiness, Values: []string{"honest", "constant"}, Default: "honest", About: "what the health endpoint says"},
			{Key: SetRedispatch, Values: []string{"on", "off"}, Default: "on", About: "a connect that fails is tried on another node"},
			{Key: SetCheck, Values: []string{"honest", "liar"}, Default: "honest", About: "what the balancers' checks ask"},
			{Key: setWeight, Default: "100", About: "a node's weight, 1 to 256"},
		},
		Plan: func(opts topology.Options) (topology.Plan, error) { return plan(o, opts) },
	}
}

// plan validates the options; what it returns is pure.
func plan(o Options, opts topology.Options) (topology.Plan, error) {
	if opts.Profile != "" && opts.Profile != "tuned" {
		return nil, fmt.Errorf("profile %q: memory-ha has tuned only", opts.Profile)
	}
	if opts.Nodes < 0 || opts.Nodes > 20 {
		return nil, fmt.Errorf("--nodes %d: want 1 to 20", opts.Nodes)
	}
	for _, s := range Definition(o).Switches {
		if v, ok := opts.Set[s.Key]; ok && len(s.Values) > 0 && !slices.Contains(s.Values, v) {
			return nil, fmt.Errorf("--set %s=%s: want %s", s.Key, v, strings.Join(s.Values, " or "))
		}
	}
	for k, v := range opts.Set {
		if w, err := strconv.Atoi(v); strings.HasPrefix(k, "weight.") && (err != nil || w < 1 || w > 256) {
			return nil, fmt.Errorf("--set %s=%s: want 1 to 256", k, v)
		}
	}
	set, nodes := maps.Clone(opts.Set), cmp.Or(opts.Nodes, 2)
	return func(subnet netip.Prefix) (topology.Spec, error) { return spec(o, subnet, nodes, set), nil }, nil
}

func spec(o Options, subnet netip.Prefix, apps int, set map[string]string) topology.Spec {
	base := subnet.Masked().Addr().As4()
	at := func(last int) netip.Addr { base[3] = byte(last); return netip.AddrFrom4(base) }
	s := topology.Spec{
		Name: "memory-ha", Profile: "tuned", Subnet: subnet, VIP: at(100), Port: 80, ReadyPath: "/health/ready",
		Set:    topology.Changed(Definition(o).Switches, set),
		Values: []topology.Value{{Name: "check interval", Value: o.Inter.String(), Reason: "as the built-in topology", File: "topology/fake"}},
		Bounds: bounds(o),
	}
	add := func(name string, role topology.Role, last, port int) {
		s.Nodes = append(s.Nodes, topology.NodeSpec{
			Name: name, Role: role, Image: "memory/" + string(role), Addr: at(last), Port: port, Env: maps.Clone(set),
		})
	}
	add("db", topology.Database, 10, 5432)
	for i := 1; i <= apps; i++ {
		add(fmt.Sprintf("j%d", i), topology.Application, 20+i, 8080)
		s.Nodes[len(s.Nodes)-1].Ready = "/health/ready"
	}
	add("lb1", topology.Balancer, 11, 80)
	add("lb2", topology.Balancer, 12, 80)
	return s
}

// allowance is what a bound grants the machine beyond the formula.
const allowance = 250 * time.Millisecond

// bounds follow from the check's interval, its fall and its timeouts.
func bounds(o Options) []topology.Bound {
	fall := time.Duration(o.Fall)
	refused := fall*o.Inter + allowance
	vanished := refused + fall*min(o.Connect, o.Inter)
	frozen := refused + fall*o.Inter
	outage := func(d time.Duration) time.Duration { return d + 2*o.Connect + o.Work }
	list := []struct {
		name    string
		limit   time.Duration
		formula string
	}{
		{topology.BoundDetectRefused, refused, "fall × inter + allowance"},
		{topology.BoundDetectVanished, vanished, "fall × (inter + connect) + allowance"},
		{topology.BoundDetectFrozen, frozen, "fall × 2 inter + allowance"},
		{topology.BoundDivert, o.Connect + o.Work + allowance, "connect + work + allowance"},
		{topology.BoundOutageRefused, outage(refused), "detected + 2 connect + work"},
		{topology.BoundOutageVanished, outage(vanished), "detected + 2 connect + work"},
		{topology.BoundOutageFrozen, outage(frozen) + o.ServerTimeout, "detected + timeout server"},
		{topology.BoundUnready, fall*o.Inter + allowance, "fall × inter + allowance"},
		{topology.BoundReady, time.Duration(o.Rise)*o.Inter + allowance, "rise × inter + allowance"},
		{topology.BoundVIP, allowance, "allowance"},
		{topology.BoundVIPRefused, allowance, "allowance"},
		{topology.BoundVIPFrozen, allowance, "allowance"},
		{topology.BoundVIPTwo, allowance, "allowance"},
		{topology.BoundOutageVIP, allowance + time.Second, "allowance + 1s"},
		{topology.BoundRecovered, o.Boot + o.Warm + allowance, "boot + warm + allowance"},
	}
	var out []topology.Bound
	for _, b := range list {
		out = append(out, topology.Bound{Name: b.name, Limit: b.limit, Formula: b.formula, Source: "topology/fake", File: "topology/fake/definition.go"})
	}
	return out
}
