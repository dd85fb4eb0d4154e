package fault

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Rollout is how a deployment goes about each node. The zero value is the good
// way: the node is drained at every balancer, what its sessions do moves
// elsewhere, it stops when it is empty, and it is served again when it is ready.
type Rollout struct {
	// NoDrain leaves the balancers to notice by themselves that the node
	// stops, and that it is back.
	NoDrain bool `json:"noDrain,omitempty"`
	// NoWait has the balancers serve a node as soon as its process was
	// started, ready or not, and goes on with the next.
	NoWait bool `json:"noWait,omitempty"`
	// GoOn goes on with the next node although one did not become ready; as a
	// rule the deployment stops there.
	GoOn bool `json:"goOn,omitempty"`
	// Reverse begins with the last of the nodes.
	Reverse bool `json:"reverse,omitempty"`
	// Linger is for how long a drained node keeps the sessions that a cookie
	// binds to it, before they are moved; 0 is 1 s.
	Linger time.Duration `json:"linger,omitempty"`
	// Grace is how long the requests that are then under way may take; 0 is
	// 5 s.
	Grace time.Duration `json:"grace,omitempty"`
	// Pause is the time between two nodes.
	Pause time.Duration `json:"pause,omitempty"`
}

// Limits of a Rollout.
const (
	defaultLinger = time.Second
	defaultGrace  = 5 * time.Second
	maxPatience   = time.Minute
)

func (r Rollout) validate(kind string) error {
	for _, w := range []struct {
		name string
		d    time.Duration
	}{{"linger", r.Linger}, {"grace", r.Grace}, {"pause", r.Pause}} {
		if w.d < 0 || w.d > maxPatience {
			return fmt.Errorf("%s: %s %v: want 0 to %v", kind, w.name, w.d, maxPatience)
		}
	}
	return nil
}

func (r Rollout) linger() time.Duration { return cmp.Or(r.Linger, defaultLinger) }
func (r Rollout) grace() time.Duration  { return cmp.Or(r.Grace, defaultGrace) }

// takes bounds what so many nodes take, one after the other.
func (r Rollout) takes(nodes int) time.Duration {
	each := r.linger() + r.grace() + stopWithin + 2*readyWithin + r.Pause
	return time.Duration(nodes) * each
}

// mostNodes is how many application nodes a topology may have, for Takes,
// which is asked before the targets are known.
const mostNodes = 8

// suffers says that a target of a deployment is replaced, and not merely
// directed.
func suffers(n topology.Node) bool { return n.Role() == topology.Application }

// fleet are a deployment's targets by what they are to it.
type fleet struct {
	kind      string
	units     []unit
	directors []director
	balancers []topology.Node
}

// newFleet sorts the targets, before any act: application nodes get the
// release, balancers are directed. Other roles have no part in it.
func newFleet(kind string, nodes []topology.Node, directed bool) (fleet, error) {
	f := fleet{kind: kind}
	if len(nodes) == 0 {
		return f, fmt.Errorf("%s: %w", kind, ErrNoTargets)
	}
	for _, n := range nodes {
		switch n.Role() {
		case topology.Application:
			u, err := newUnit(n)
			if err != nil {
				return f, fmt.Errorf("%s: %w", kind, err)
			}
			f.units = append(f.units, u)
		case topology.Balancer:
			d, err := newDirector(n)
			if err != nil {
				return f, fmt.Errorf("%s: %w", kind, err)
			}
			f.directors, f.balancers = append(f.directors, d), append(f.balancers, n)
		default:
			return f, fmt.Errorf("%s: node %s is of role %s: aim at application nodes and balancers: %w", kind, n.Name(), n.Role(), ErrCapability)
		}
	}
	switch {
	case len(f.units) == 0:
		return f, fmt.Errorf("%s: no application node among the targets: %w", kind, ErrNoTargets)
	case directed && len(f.directors) == 0:
		return f, fmt.Errorf("%s: no balancer among the targets: it must tell all of them what to do: %w", kind, ErrNoTargets)
	}
	return f, nil
}

// running is newFleet for an act: all of the targets run, or it is an error.
func runningFleet(ctx context.Context, kind string, nodes []topology.Node, directed bool) (fleet, error) {
	f, err := newFleet(kind, nodes, directed)
	if err != nil {
		return f, err
	}
	vs, err := victims(kind, nodes, 0, false)
	if err != nil {
		return f, err
	}
	return f, allRun(ctx, kind, vs)
}

// record keeps the undos of a unit, of which the last is carried out first:
// no balancer sends it anything, it runs as it was made, and is ready, and
// every balancer does the rest with it, the first last: it serves it again.
func (f fleet) record(log Recorder, u unit, rest ...string) error {
	server := map[string]string{"server": defaultBackend + "/" + u.Name()}
	var entries []Entry
	order := func(undo string) {
		for _, d := range f.directors {
			entries = append(entries, Entry{Undo: undo, Node: d.name, Params: server})
		}
	}
	for _, undo := range rest {
		order(undo)
	}
	entries = append(entries, Entry{Undo: Unreleased, Node: u.Name()})
	order(ServerOut)
	for _, e := range entries {
		if err := log.Record(e); err != nil {
			return f.failed(u, err)
		}
	}
	return nil
}

func (f fleet) failed(u unit, err error) error {
	return fmt.Errorf("%s %s: %w", f.kind, u.Name(), err)
}

// roll makes the release on every unit, one after the other.
func (f fleet) roll(ctx context.Context, how Rollout, env map[string]string, log Recorder) error {
	units := slices.Clone(f.units)
	if how.Reverse {
		slices.Reverse(units)
	}
	for i, u := range units {
		if i > 0 {
			if err := pause(ctx, how.Pause); err != nil {
				return f.failed(u, err)
			}
		}
		if err := f.record(log, u, ServerReady); err != nil {
			return err
		}
		if err := f.rollOne(ctx, how, u, env); err != nil {
			return f.failed(u, err)
		}
	}
	return nil
}

// rollOne makes the release on one unit and awaits that it is served again.
func (f fleet) rollOne(ctx context.Context, how Rollout, u unit, env map[string]string) error {
	if !how.NoDrain {
		if err := f.takeOut(ctx, how, u); err != nil {
			return err
		}
	}
	if err := f.replace(ctx, u, env); err != nil {
		return err
	}
	return f.takeIn(ctx, how, u)
}

// takeIn awaits that the unit is ready, has the balancers serve it if they
// were told not to, and awaits that they do.
func (f fleet) takeIn(ctx context.Context, how Rollout, u unit) error {
	if !how.NoWait {
		if err := atMost(ctx, readyWithin, u.awaitReady); err != nil && !how.GoOn {
			return err
		}
	}
	if !how.NoDrain {
		if err := f.all(ctx, u, stateReady); err != nil {
			return err
		}
	}
	if how.NoWait {
		return nil
	}
	err := atMost(ctx, readyWithin, func(ctx context.Context) error { return f.awaitUp(ctx, u) })
	if how.GoOn {
		return nil
	}
	return err
}

func (f fleet) replace(ctx context.Context, u unit, env map[string]string) error {
	return succeed(u.Exec(ctx, replaceWith(f.kind, env)...))
}

func atMost(ctx context.Context, d time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return do(ctx)
}

// all gives every balancer the same order about a unit.
func (f fleet) all(ctx context.Context, u unit, state string) error {
	for _, d := range f.directors {
		if err := d.state(ctx, u.Name(), state); err != nil {
			return err
		}
	}
	return nil
}

// takeOut keeps new sessions from the unit, then all requests, and waits
// until none is under way. A cookie binds sessions to a server that drains for
// as long as they last, so that they must be moved in the end.
func (f fleet) takeOut(ctx context.Context, how Rollout, u unit) error {
	if err := f.all(ctx, u, stateDrain); err != nil {
		return err
	}
	if err := pause(ctx, how.linger()); err != nil {
		return err
	}
	if err := f.all(ctx, u, stateMaint); err != nil {
		return err
	}
	return atMost(ctx, how.grace(), func(ctx context.Context) error { return f.awaitEmpty(ctx, u) })
}

// awaitEmpty waits until no balancer has a request under way to the unit.
// What is left when the grace ends is left to the unit's own stop.
func (f fleet) awaitEmpty(ctx context.Context, u unit) error {
	for {
		busy := 0
		for _, d := range f.directors {
			s, err := d.server(ctx, u.Name())
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			busy += s.Current + s.Queued
		}
		if busy == 0 {
			return nil
		}
		if pause(ctx, lookEvery) != nil {
			return nil
		}
	}
}

// awaitUp waits until every balancer serves the unit.
func (f fleet) awaitUp(ctx context.Context, u unit) error {
	says := "no balancer was asked"
	for {
		up := true
		for _, d := range f.directors {
			s, err := d.server(ctx, u.Name())
			if ctx.Err() != nil {
				up = false
				break // a look that was broken off says nothing
			}
			if err != nil {
				return err
			}
			if !s.Serves() {
				up, says = false, fmt.Sprintf("%s holds it for %s", d.name, s.Status)
			}
		}
		if up {
			return nil
		}
		if err := pause(ctx, lookEvery); err != nil {
			return fmt.Errorf("%s is not served again (%s): %w", u.Name(), says, err)
		}
	}
}

// prove looks at every unit and every balancer until the proof holds or ctx
// ends.
func (f fleet) prove(ctx context.Context, asked string, unitLook func(context.Context, unit, *sight) error, serverLook func(*sight, ServerView)) (Proof, error) {
	return await(ctx, func(ctx context.Context) (Proof, error) {
		p := Proof{OK: true, Asked: asked}
		words := []string{}
		for _, u := range f.units {
			s := sight{ok: true}
			if err := unitLook(ctx, u, &s); err != nil {
				return Proof{}, fmt.Errorf("%s: %w", u.Name(), err)
			}
			p.add(u.Name(), s)
			words = append(words, u.Name()+": "+s.measured)
		}
		for _, d := range f.directors {
			s := sight{ok: true}
			if err := f.look(ctx, d, &s, serverLook); err != nil {
				return Proof{}, err
			}
			p.add(d.name, s)
			if s.measured != "" {
				words = append(words, d.name+": "+s.measured)
			}
		}
		p.Measured = strings.Join(words, "; ")
		return p, nil
	})
}

// look has a balancer's view of each unit judged.
func (f fleet) look(ctx context.Context, d director, s *sight, judge func(*sight, ServerView)) error {
	if judge == nil {
		return nil
	}
	for _, u := range f.units {
		v, err := d.server(ctx, u.Name())
		if err != nil {
			s.measured = "no answer"
			s.see(false, "its runtime socket: %v", err)
			return ctx.Err()
		}
		judge(s, v)
	}
	return nil
}

// served judges that a balancer sends a server new sessions.
func served(s *sight, v ServerView) {
	s.see(v.Serves(), "its view of %s is %s, weight %d", v.Name, v.Status, v.Weight)
	if !v.Serves() {
		s.measured = v.Name + " " + v.Status
	}
}

// healed proves that each unit runs as its container was made, without a note
// of a release, and that every balancer serves it.
func (f fleet) healed(ctx context.Context) (Proof, error) {
	return f.prove(ctx, "no release left, served again", func(ctx context.Context, u unit, s *sight) error {
		return u.seeRelease(ctx, s, "", "")
	}, served)
}
