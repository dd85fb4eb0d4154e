package gameday

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/topology"
)

// OperatorRole is the role of the container in which the operator's commands
// run.
const OperatorRole topology.Role = runbook.Operator

// OperatorImage is the image of that container: hachaos's own tools are in it.
const OperatorImage = "net"

// System is what a runbook is executed on.
type System struct {
	topology.Cluster
	spec topology.Spec
	// lookers are the states that can be looked at.
	lookers map[string]looker
}

// NewSystem is a cluster with what runbooks ask of one. Without an operator's
// container, a runbook can do nothing there: see WithOperator.
func NewSystem(c topology.Cluster) *System { return &System{c, c.Spec(), lookers} }

// WithOperator adds a container to a topology from which an operator reaches
// the nodes and the VIP. It is of the image that hachaos's own tools are in.
func WithOperator(def topology.Definition) topology.Definition {
	inner := def.Plan
	def.Plan = func(opts topology.Options) (topology.Plan, error) {
		plan, err := inner(opts)
		if err != nil {
			return nil, err
		}
		return func(subnet netip.Prefix) (topology.Spec, error) {
			spec, err := plan(subnet)
			if err != nil {
				return spec, err
			}
			addr, err := free(spec)
			if err != nil {
				return spec, err
			}
			spec.Nodes = append(slices.Clone(spec.Nodes), topology.NodeSpec{
				Name: runbook.Operator, Role: OperatorRole, Image: OperatorImage, Addr: addr,
				Confined: true, Caps: []string{"NET_RAW"}, Memory: operatorMemory, // NET_RAW: arping
			})
			return spec, nil
		}, nil
	}
	return def
}

// operatorMemory bounds what the operator's commands may take.
const operatorMemory = 256 << 20

// free is an address of the subnet that nothing of the topology has: the last
// below the broadcast address, or before that.
func free(spec topology.Spec) (netip.Addr, error) {
	taken := map[netip.Addr]bool{spec.VIP: true}
	for _, n := range spec.Nodes {
		taken[n.Addr] = true
	}
	first := spec.Subnet.Masked().Addr()
	last := first
	for a := first; spec.Subnet.Contains(a); a = a.Next() {
		last = a
	}
	for a := last.Prev(); a.IsValid() && spec.Subnet.Contains(a) && a != first; a = a.Prev() {
		if !taken[a] {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("subnet %s has no address left for the operator's container", spec.Subnet)
}

// Inputs are the variables that whoever uses the system knows: where users
// reach it.
func (s *System) Inputs() map[string]string {
	if !s.spec.VIP.IsValid() {
		return map[string]string{}
	}
	vip := s.spec.VIP.String()
	if s.spec.Port != 0 && s.spec.Port != 80 {
		vip = fmt.Sprintf("%s:%d", vip, s.spec.Port)
	}
	return map[string]string{"VIP": vip}
}

// Role are the nodes of a role, in the topology's order.
func (s *System) Role(role topology.Role) []topology.Node {
	var out []topology.Node
	for _, n := range s.Nodes() {
		if n.Role() == role {
			out = append(out, n)
		}
	}
	return out
}

// Node is the node of that name.
func (s *System) Node(name string) (topology.Node, bool) {
	for _, n := range s.Nodes() {
		if n.Name() == name {
			return n, true
		}
	}
	return nil, false
}

// places are the nodes where a command runs, in their order.
func (s *System) places(on string, vars map[string]string) ([]topology.Node, error) {
	if right, wrong := strings.CutPrefix(on, elsewhere); wrong {
		return s.others(right, vars)
	}
	if name, ok := strings.CutPrefix(on, "$"); ok {
		value, set := vars[name]
		if !set {
			return nil, fmt.Errorf("on=%s: no command gave %s a value", on, name)
		}
		n, found := s.Node(value)
		if !found {
			return nil, fmt.Errorf("on=%s: %s is %q, and there is no such node", on, name, value)
		}
		return []topology.Node{n}, nil
	}
	if on == runbook.Operator {
		if all := s.Role(OperatorRole); len(all) > 0 {
			return all[:1], nil
		}
		return nil, fmt.Errorf("on=%s: the topology has no operator's container: bring it up with `hachaos up --operator`", on)
	}
	if n, found := s.Node(on); found {
		return []topology.Node{n}, nil
	}
	if all := s.Role(topology.Role(on)); len(all) > 0 {
		return all, nil
	}
	return nil, fmt.Errorf("on=%s: the topology has no node of this name or role", on)
}

// another is a value that may be taken for this one: of a node's name the name of
// another of its role.
func (s *System) another(value string) string {
	if n, ok := s.Node(value); ok {
		for _, other := range s.Role(n.Role()) {
			if other.Name() != value {
				return other.Name()
			}
		}
	}
	return "1" + value
}

// others are nodes that are not the right ones: see elsewhere.
func (s *System) others(on string, vars map[string]string) ([]topology.Node, error) {
	right, err := s.places(on, vars)
	if err != nil {
		return nil, err
	}
	if len(right) > 1 {
		return right[1:], nil
	}
	for _, role := range []topology.Role{right[0].Role(), topology.Application} {
		for _, n := range s.Role(role) {
			if n.Name() != right[0].Name() {
				return []topology.Node{n}, nil
			}
		}
	}
	return nil, fmt.Errorf("on=%s: there is no other node", on)
}

// secrets are values of the nodes' environment that no transcript may show. One that
// is a value of another variable, too, is none, such as a password that is the
// account's name.
func (s *System) secrets() []string {
	var out []string
	known := map[string]bool{}
	for _, n := range s.spec.Nodes {
		for key, value := range n.Env {
			known[value] = known[value] || !secret(key)
		}
	}
	for _, n := range s.spec.Nodes {
		for key, value := range n.Env {
			if secret(key) && len(value) > 3 && !known[value] && !slices.Contains(out, value) {
				out = append(out, value)
			}
		}
	}
	longestFirst(out)
	return out
}

// longestFirst sorts secrets so that one which is part of another leaves no rest.
func longestFirst(secrets []string) {
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
}

// secret says whether a variable's name is that of a secret.
func secret(name string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc([]string{"PASSW", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "API_KEY", "APIKEY", "ACCESS_KEY", "PRIVATE_KEY"}, func(word string) bool { return strings.Contains(name, word) })
}

// output is what argv prints on a node; a status that is not 0 is an error.
func output(ctx context.Context, n topology.Node, argv ...string) (string, error) {
	out, err := n.Exec(ctx, argv...)
	if err != nil {
		return "", asUnseen(err)
	}
	if out.Code != 0 {
		return "", fmt.Errorf("%s on %s: exit status %d: %s", argv[0], n.Name(), out.Code, shortened(strings.TrimSpace(string(out.Stderr))))
	}
	return string(out.Stdout), nil
}
