package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// BlueGreen splits the application nodes among its targets into two halves:
// the first, blue, goes on serving while the second, green, is taken out of
// rotation and given another version. When all of green is ready, and answers
// as that version when asked itself, the balancers are switched: green is
// served and blue, which still runs the old version, is not. The undo switches
// back at once, and only then restores green.
type BlueGreen struct {
	// Version is what green is to name in its answers; required.
	Version string `json:"version"`
	// Set are further variables of green's environment.
	Set map[string]string `json:"set,omitempty"`
	Rollout
}

// Kind is "blue-green".
func (BlueGreen) Kind() string { return "blue-green" }

// Suffers says that the application nodes do; balancers are the means.
func (BlueGreen) Suffers(n topology.Node) bool { return suffers(n) }

// Takes is what taking out twice and one replacement may take: green is
// replaced at once.
func (f BlueGreen) Takes() time.Duration { return f.takes(2) }

// Validate reports a version without a name, and what no environment can
// hold.
func (f BlueGreen) Validate() error {
	if f.NoDrain || f.NoWait || f.GoOn || f.Reverse {
		return fmt.Errorf("%s: it switches halves, and has no use for noDrain, noWait, goOn and reverse", f.Kind())
	}
	if err := validVersion(f.Kind(), f.Version); err != nil {
		return err
	}
	if err := validEnvironment(f.Kind(), f.Set); err != nil {
		return err
	}
	return f.validate(f.Kind())
}

func (f BlueGreen) env() map[string]string { return releaseEnv(f.Version, f.Set) }

// halves are the two environments, blue first.
func (f BlueGreen) halves(nodes []topology.Node) (all, blue, green fleet, err error) {
	all, err = newFleet(f.Kind(), nodes, true)
	if err == nil && len(all.units) < 2 {
		err = fmt.Errorf("%s: %d application node among the targets: it takes two at least: %w", f.Kind(), len(all.units), ErrNoTargets)
	}
	if err != nil {
		return all, blue, green, err
	}
	blue, green = all, all
	half := len(all.units) / 2
	blue.units, green.units = all.units[:half], all.units[half:]
	return all, blue, green, nil
}

// Inject deploys green and switches.
func (f BlueGreen) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if _, err := runningFleet(ctx, f.Kind(), nodes, true); err != nil {
		return err
	}
	_, blue, green, err := f.halves(nodes)
	if err != nil {
		return err
	}
	for _, u := range green.units {
		if err := green.record(log, u, ServerReady); err != nil {
			return err
		}
	}
	for _, u := range blue.units { // undone first: the switch back
		for _, d := range blue.directors {
			e := Entry{Undo: ServerReady, Node: d.name, Params: map[string]string{"server": defaultBackend + "/" + u.Name()}}
			if err := log.Record(e); err != nil {
				return blue.failed(u, err)
			}
		}
	}
	if err := green.takeOutAll(ctx, f.Rollout); err != nil {
		return fmt.Errorf("%s: %w", f.Kind(), err)
	}
	if err := green.atOnce(func(u unit) error { return f.prepare(ctx, green, u) }); err != nil {
		return fmt.Errorf("%s: %w", f.Kind(), err)
	}
	if err := f.turn(ctx, blue, green); err != nil {
		return fmt.Errorf("%s: %w", f.Kind(), err)
	}
	return nil
}

// prepare replaces a unit of green and awaits its readiness.
func (f BlueGreen) prepare(ctx context.Context, green fleet, u unit) error {
	if err := green.replace(ctx, u, f.env()); err != nil {
		return green.failed(u, err)
	}
	return atMost(ctx, 2*readyWithin, u.awaitReady)
}

// turn has the balancers serve green, and then blue no more.
func (f BlueGreen) turn(ctx context.Context, blue, green fleet) error {
	for _, u := range green.units {
		if err := green.all(ctx, u, stateReady); err != nil {
			return err
		}
	}
	for _, u := range green.units {
		if err := atMost(ctx, readyWithin, func(ctx context.Context) error { return green.awaitUp(ctx, u) }); err != nil {
			return err
		}
	}
	return blue.takeOutAll(ctx, f.Rollout)
}

// takeOutAll is takeOut for every unit at the same time.
func (f fleet) takeOutAll(ctx context.Context, how Rollout) error {
	return f.atOnce(func(u unit) error { return f.takeOut(ctx, how, u) })
}

// atOnce does something with every unit at the same time.
func (f fleet) atOnce(do func(unit) error) error {
	errs := make([]error, len(f.units))
	var wg sync.WaitGroup
	for i, u := range f.units {
		wg.Go(func() { errs[i] = do(u) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Active holds when every node of green names the version in its own answer
// and is served, and every node of blue the first one and is not.
func (f BlueGreen) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	all, blue, green, err := f.halves(nodes)
	if err != nil {
		return Proof{}, err
	}
	isGreen := map[string]bool{}
	for _, u := range green.units {
		isGreen[u.Name()] = true
	}
	asked := fmt.Sprintf("version %s on %d nodes served, %s on %d nodes not", f.Version, len(green.units), firstVersion, len(blue.units))
	return all.prove(ctx, asked, func(ctx context.Context, u unit, s *sight) error {
		if isGreen[u.Name()] {
			return u.seeRelease(ctx, s, f.Kind(), f.Version)
		}
		return u.seeRelease(ctx, s, "", firstVersion)
	}, func(s *sight, v ServerView) {
		if isGreen[v.Name] {
			served(s, v)
			return
		}
		s.see(v.InMaintenance() && v.Current == 0, "its view of %s is %s, with %d requests under way", v.Name, v.Status, v.Current)
		switch {
		case !v.InMaintenance():
			s.measured = v.Name + " " + v.Status
		case v.Current > 0:
			s.measured = fmt.Sprintf("%s %s with %d requests under way", v.Name, v.Status, v.Current)
		}
	})
}

// Healed holds when no node has a release left and every balancer serves all
// of them.
func (f BlueGreen) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	all, _, _, err := f.halves(nodes)
	if err != nil {
		return Proof{}, err
	}
	return all.healed(ctx)
}
