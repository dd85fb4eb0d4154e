package fault

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// Weight changes the share of new sessions that a server gets: its targets,
// all the balancers, are told another weight (`set weight`, HAProxy 3.0
// Management Guide, 9.3).
type Weight struct {
	// Server is the name of the application node, and the balancers alone are the
	// targets. Empty, it is the application nodes among the targets, such as the
	// one that serves a user: aim at them together with every balancer.
	Server string `json:"server,omitempty"`
	// Weight is 1 to 256. A weight of 0 is what Drain is for.
	Weight int `json:"weight"`
	// Backend is the balancers' name of the group that it is in; "nodes" by
	// default.
	Backend string `json:"backend,omitempty"`
}

// Kind is "weight".
func (Weight) Kind() string { return "weight" }

// Victims is the server that is named, if one is.
func (f Weight) Victims() []string { return f.order().victims() }

// Suffers says that application nodes do; balancers are the means.
func (Weight) Suffers(n topology.Node) bool { return suffers(n) }

// Validate reports a name that no server can have, and a weight that HAProxy
// has not.
func (f Weight) Validate() error {
	if f.Weight < 1 || f.Weight > 256 {
		return fmt.Errorf("%s: weight %d: want 1 to 256; to take a server out there is drain", f.Kind(), f.Weight)
	}
	return f.order().validate()
}

func (f Weight) order() serverOrder { return serverOrder{f.Kind(), f.Backend, f.Server} }

// Inject tells the balancers; the undo gives the server the weight of the
// configuration again. A balancer that gives it that weight already is an error,
// before any act: nothing would change, and seem proven. So is one that gives it
// another weight than its configuration says: that is another fault's.
func (f Weight) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	if err := f.differs(ctx, nodes); err != nil {
		return err
	}
	return f.order().inject(ctx, nodes, log, "set weight %s "+strconv.Itoa(f.Weight), ServerWeight, nil)
}

// differs checks that each balancer runs, and that its weight is another one, by its
// configuration.
func (f Weight) differs(ctx context.Context, nodes []topology.Node) error {
	all, err := f.order().running(ctx, nodes)
	if err != nil {
		return err
	}
	for _, t := range all {
		now, initial, err := t.weight(ctx, f.command(f.order().path(t.server)))
		switch {
		case err != nil:
		case now == f.Weight:
			err = fmt.Errorf("balancer %s: its weight is %d already: nothing would change", t.victim.Name(), now)
		case now != initial:
			err = fmt.Errorf("balancer %s: %w", t.victim.Name(), already(fmt.Sprintf("its weight is %d in place of %d", now, initial)))
		}
		if err != nil {
			return fmt.Errorf("%s of %s: %w", f.Kind(), t.server, err)
		}
	}
	return nil
}

// command asks a balancer for the weight of the server of that path.
func (Weight) command(path string) string { return "get weight " + path }

// weight asks the balancer, from outside.
func (t ordered) weight(ctx context.Context, command string) (now, initial int, err error) {
	d, err := newDirector(t.Container)
	if err != nil {
		return 0, 0, err
	}
	reply, err := d.ask(ctx, command)
	if err != nil {
		return 0, 0, err
	}
	if now, initial, err = parseWeight(reply); err != nil {
		return 0, 0, fmt.Errorf("balancer %s: %w", d.name, err)
	}
	return now, initial, nil
}

// Active holds when every balancer itself says that the server has the
// weight.
func (f Weight) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	p, err := f.order().prove(ctx, nodes, question{strconv.Itoa(f.Weight), f.command, true, func(s *sight, server string, replies [2]string) error {
		now, initial, err := parseWeight(replies[1])
		if err != nil {
			return err
		}
		s.measured = strconv.Itoa(now)
		s.see(now == f.Weight, "its weight of %s is %d, by its configuration %d", server, now, initial)
		return nil
	}})
	p.Unit = "weight"
	return p, err
}

// Healed holds when every balancer says that the server has the weight of
// its configuration.
func (f Weight) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.order().prove(ctx, nodes, question{"the configuration's weight", f.command, false, func(s *sight, server string, replies [2]string) error {
		now, initial, err := parseWeight(replies[1])
		if err != nil {
			return err
		}
		s.measured = strconv.Itoa(now)
		s.see(now == initial, "its weight of %s is %d, by its configuration %d", server, now, initial)
		return nil
	}})
}

var weightReply = regexp.MustCompile(`^(\d+) \(initial (\d+)\)$`)

// parseWeight reads the reply to `get weight`: "100 (initial 100)".
func parseWeight(text string) (now, initial int, err error) {
	m := weightReply.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return 0, 0, fmt.Errorf("get weight: %.80q: want a weight and the initial one", text)
	}
	now, err = strconv.Atoi(m[1])
	if err != nil {
		return 0, 0, fmt.Errorf("get weight: %w", err)
	}
	initial, err = strconv.Atoi(m[2])
	return now, initial, err
}
