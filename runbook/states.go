package runbook

import "slices"

// State is a condition of the system that a runbook can name.
type State struct {
	Name  string
	About string // holds when …
}

var states = []State{
	{"nodes-routed", "each balancer holds each application node for up, and neither drains it nor keeps it out"},
	{"service-answers", "a user who looks up an order is answered well, and in time"},
	{"one-version", "all application nodes run one version, with the same settings"},
	{"database-answers", "each application node reaches its database within the limit of its readiness"},
	{"pools-free", "on no application node a request waits for a connection to the database"},
	{"sessions-saved", "a session that is saved where users are is read on each application node"},
	{"orders-settled", "no order is there twice, and no key was taken that led to nothing"},
	{"disk-free", "no file system that the database was given for itself is more than 80 % full; where it was given none, its own"},
	{"writes-taken", "a new transaction of the database may write"},
	{"orders-taken", "an order was written in the last five seconds, as users' are where there are users"},
	{"locks-free", "no transaction has kept a table from those who write it for two seconds"},
	{"vip-one-owner", "one balancer owns the VIP, and another that is well stands by"},
}

// States are those that a runbook can name. The caller owns the result.
func States() []State { return slices.Clone(states) }

func isState(name string) bool {
	return slices.ContainsFunc(states, func(s State) bool { return s.Name == name })
}

// stateNames are in the order of States.
func stateNames() []string {
	var out []string
	for _, s := range states {
		out = append(out, s.Name)
	}
	return out
}
