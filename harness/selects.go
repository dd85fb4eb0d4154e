package harness

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// OneApplication draws one application node by the seed.
func OneApplication() Select {
	return Select{
		Name: "one application node, by the seed",
		Pick: func(r *rand.Rand, v View) []topology.Node {
			apps := v.role(topology.Application)
			if len(apps) == 0 {
				return nil
			}
			return []topology.Node{apps[r.IntN(len(apps))]}
		},
	}
}

// Applications draws n application nodes by the seed. Fewer than n is none:
// what was asked for would not be what happens.
func Applications(n int) Select {
	return Select{
		Name: fmt.Sprintf("%d application nodes, by the seed", n),
		Pick: func(r *rand.Rand, v View) []topology.Node {
			apps := v.role(topology.Application)
			if n < 1 || len(apps) < n {
				return nil
			}
			r.Shuffle(len(apps), func(i, j int) { apps[i], apps[j] = apps[j], apps[i] })
			return apps[:n]
		},
	}
}

// MostSessions takes the application node that most sessions are bound to
// when the fault is injected; among equals, the first in the topology.
func MostSessions() Select {
	return Select{
		Name: "the application node with most sessions",
		Pick: func(_ *rand.Rand, v View) []topology.Node {
			apps := v.role(topology.Application)
			if len(apps) == 0 {
				return nil
			}
			return []topology.Node{slices.MaxFunc(apps, func(a, b topology.Node) int {
				return cmp.Compare(v.Serving[a.Name()], v.Serving[b.Name()])
			})}
		},
	}
}

// ServingUser takes the node that serves the user who is logged in when the
// fault is injected; an empty name draws one of those who are, by the seed. A
// user who is not logged in then is served by no node, and the fault has no
// target.
func ServingUser(user string) Select {
	name := "the node that serves " + user
	if user == "" {
		name = "the node that serves a user who is logged in, by the seed"
	}
	return Select{
		Name: name,
		Pick: func(r *rand.Rand, v View) []topology.Node {
			who := user
			if all := slices.Sorted(maps.Keys(v.Users)); who == "" && len(all) > 0 {
				who = all[r.IntN(len(all))]
			}
			for _, n := range v.Nodes {
				if v.Users[who] == n.Name() {
					return []topology.Node{n}
				}
			}
			return nil
		},
	}
}

// All takes every node of a role.
func All(role topology.Role) Select {
	return Select{
		Name: fmt.Sprintf("every %s node", role),
		Pick: func(_ *rand.Rand, v View) []topology.Node { return v.role(role) },
	}
}

// VIPOwner takes the balancer that owns the shared address when the fault is
// injected.
func VIPOwner() Select {
	return Select{
		Name: "the balancer that owns the VIP",
		Pick: func(_ *rand.Rand, v View) []topology.Node { return v.balancers(true) },
	}
}

// VIPStandby takes the balancers that do not own it.
func VIPStandby() Select {
	return Select{
		Name: "the balancers that do not own the VIP",
		Pick: func(_ *rand.Rand, v View) []topology.Node { return v.balancers(false) },
	}
}

// balancers are the owner of the shared address, or the others; none if there
// is no owner.
func (v View) balancers(owner bool) []topology.Node {
	var out []topology.Node
	for _, n := range v.role(topology.Balancer) {
		if v.Owner != "" && (n.Name() == v.Owner) == owner {
			out = append(out, n)
		}
	}
	return out
}

// JobOwner takes the application node that holds the scheduled job's lease
// when the fault is injected; where nobody ever held it, one by the seed. If
// the database does not answer, or names a node that is not there, there is
// none.
func JobOwner() Select {
	return Select{
		Name: "the node that owns the job",
		Pick: func(r *rand.Rand, v View) []topology.Node {
			owner := ""
			for _, n := range v.role(topology.Database) {
				owner = leaseHolder(n)
			}
			apps := v.role(topology.Application)
			for _, n := range apps {
				if n.Name() == owner {
					return []topology.Node{n}
				}
			}
			if owner != "" || len(apps) == 0 {
				return nil
			}
			return []topology.Node{apps[r.IntN(len(apps))]}
		},
	}
}

// leaseHolder asks the database's node; "?" is no answer.
func leaseHolder(db topology.Node) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := db.Exec(ctx, "psql", "-XAtq", "-U", "hachaos", "-d", "jetty_sessions",
		"-c", "SELECT owner_id FROM cluster_lock WHERE lock_name = 'sample'")
	if err != nil || out.Code != 0 {
		return "?"
	}
	return strings.TrimSpace(string(out.Stdout))
}

// Named takes the node of that name. A topology without it is refused before
// anything starts.
func Named(node string) Select {
	return Select{
		Name: "node " + node,
		Node: node,
		Pick: func(_ *rand.Rand, v View) []topology.Node {
			for _, n := range v.Nodes {
				if n.Name() == node {
					return []topology.Node{n}
				}
			}
			return nil
		},
	}
}

// NamedApplication is Named, and refuses a node that is no application's, such
// as a balancer.
func NamedApplication(node string) Select {
	s := Named(node)
	s.Role = topology.Application
	return s
}

// Together takes what each of the selections takes, in their order: the
// application nodes that a deployment replaces and the balancers that it
// directs. If one of them finds nothing, there is nothing.
func Together(selects ...Select) Select {
	var names []string
	for _, s := range selects {
		names = append(names, s.Name)
	}
	return Select{
		Name: strings.Join(names, " and "),
		Pick: func(r *rand.Rand, v View) []topology.Node {
			var out []topology.Node
			for _, s := range selects {
				picked := s.Pick(r, v)
				if len(picked) == 0 {
					return nil
				}
				out = append(out, picked...)
			}
			return out
		},
	}
}

// role are the nodes of a role, in the topology's order.
func (v View) role(r topology.Role) []topology.Node {
	var out []topology.Node
	for _, n := range v.Nodes {
		if n.Role() == r {
			out = append(out, n)
		}
	}
	return out
}
