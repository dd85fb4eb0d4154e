package trust

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/topology"
)

// faults are mutants of what breaks the system and heals it.
func faults() []Mutant {
	nodeKilled := control("node-killed", killed)
	onStanding := control("node-killed-on-standing", standing)
	weightMoved := control("weight-moved", func() *memory { return weighed(asked) })
	clockMoved := control("clock-moved", func() *memory { return moved(ahead) })
	return []Mutant{
		{
			Name: "fault-does-nothing", Title: "The fault reports success and does nothing.",
			Stands:  "a tool that returns 0 where the kernel, the flag or the container is not the one it knows",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"fault proven", "instance-kill on j1 did not bite as asked", "measured j1: running"},
			Run: once(killed, func(m *memory) { m.inject(kill{act: nothing}) }),
		},
		{
			Name: "fault-does-nothing-unasked", Title: "The fault does nothing, and no assertion needs it to have bitten.",
			Stands:  "a scenario whose only assertions hold of any healthy system",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"prove nothing", "instance-kill on j1 did not bite as asked"},
			Run: once(killed, func(m *memory) {
				m.inject(kill{act: nothing})
				m.assertOnly("leftovers")
			}),
		},
		{
			Name: "fault-tenth", Title: "The fault is a tenth of what was asked: a weight of 20 instead of 200.",
			Stands:  "a unit that is taken for another",
			Control: weightMoved, Ends: Inconclusive, Says: []string{"weight on j1 did not bite as asked: asked 200 weight, measured lb1: 20; lb2: 20"},
			Run: once(func() *memory { return weighed(asked) }, func(m *memory) { m.inject(weight{Weight: weightOf(asked), told: asked / 10}) }),
		},
		{
			Name: "fault-tenfold", Title: "The fault is ten times what was asked: a weight of 200 instead of 20.",
			Stands:  "a unit that is taken for another",
			Control: weightMoved, Ends: Inconclusive, Says: []string{"weight on j1 did not bite as asked: asked 20 weight, measured lb1: 200; lb2: 200"},
			Run: once(func() *memory { return weighed(asked / 10) }, func(m *memory) { m.inject(weight{Weight: weightOf(asked / 10), told: asked}) }),
		},
		{
			Name: "clock-fault-tenth", Title: "A node's clock is moved by a tenth of what was asked.",
			Stands:  "seconds that are written in units of ten, or an act that is cut short",
			Control: clockMoved, Ends: Inconclusive, Says: []string{"clock-moved on j1 did not bite as asked: asked +100.000s", "measured j1: +10.0"},
			Run: once(func() *memory { return moved(ahead) }, func(m *memory) { m.inject(clock{ClockMoved: fault.ClockMoved{By: ahead}, by: ahead / 10}) }),
		},
		{
			Name: "clock-fault-tenfold", Title: "A node's clock is moved by ten times what was asked.",
			Stands:  "an act that is repeated by a client library that tries again",
			Control: clockMoved, Ends: Inconclusive, Says: []string{"clock-moved on j1 did not bite as asked: asked +100.000s", "measured j1: +1000.0"},
			Run: once(func() *memory { return moved(ahead) }, func(m *memory) { m.inject(clock{ClockMoved: fault.ClockMoved{By: ahead}, by: 10 * ahead}) }),
		},
		{
			Name: "fault-half-the-targets", Title: "The fault hits one of its two targets.",
			Stands:  "a loop over the targets that ends after the first",
			Control: weightMoved, Ends: Inconclusive, Says: []string{"weight on j1 did not bite as asked", "measured lb1: 200; lb2: 100"},
			Run: once(func() *memory { return weighed(asked) }, func(m *memory) {
				m.inject(weight{Weight: weightOf(asked), told: asked, only: "lb1"})
			}),
		},
		{
			Name: "no-target", Title: "The selection of the targets is empty.",
			Stands:  "a label that no node bears, or a share of two nodes that is rounded down to none",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"instance-kill", "no target"},
			Run: once(killed, func(m *memory) {
				m.aim(harness.Select{Name: "a fifth of the application nodes", Pick: func(*rand.Rand, harness.View) []topology.Node { return nil }})
			}),
		},
		{
			Name: "wrong-target", Title: "The fault hits another node than the one it was aimed at.",
			Stands:  "a name that is resolved twice, or an address that was given to another container",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"instance-kill on j1 did not bite as asked"},
			Run: once(killed, func(m *memory) {
				m.inject(kill{act: func(ctx context.Context, f fault.InstanceKill, _ []topology.Node, log fault.Recorder) error {
					return f.Inject(ctx, []topology.Node{m.node("j2")}, log)
				}})
			}),
		},
		{
			Name: "target-dead-before", Title: "The target had died before the fault came.",
			Stands:  "the leftover of an earlier run, whose death would pass for this one's",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"instance-kill on j1 failed", "it had ended before"},
			Run: once(killed, func(m *memory) {
				m.inject(kill{act: func(ctx context.Context, f fault.InstanceKill, nodes []topology.Node, log fault.Recorder) error {
					if err := m.node("j1").Kill(ctx); err != nil {
						return err
					}
					return f.Inject(ctx, nodes, log)
				}})
			}),
		},
		{
			Name: "act-fails-after-effect", Title: "The act takes effect and reports failure.",
			Stands:  "an engine whose answer is lost",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"instance-kill on j1 failed: connection reset by peer"},
			Run: once(killed, func(m *memory) {
				m.inject(kill{act: func(ctx context.Context, f fault.InstanceKill, nodes []topology.Node, log fault.Recorder) error {
					return errors.Join(f.Inject(ctx, nodes, log), errors.New("connection reset by peer"))
				}})
			}),
		},
		{
			Name: "act-hangs", Title: "The act never returns.",
			Stands:  "a call to an engine that has stopped answering",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"instance-kill on j1 failed: context deadline exceeded"},
			Run: once(killed, func(m *memory) {
				m.inject(kill{act: func(ctx context.Context, _ fault.InstanceKill, _ []topology.Node, _ fault.Recorder) error {
					<-ctx.Done()
					return ctx.Err()
				}})
			}),
		},
		{
			Name: "nobody-can-look", Title: "The fault bites, and the look at it fails.",
			Stands:  "a probe whose tool is missing in the victim's image",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"instance-kill on j1 did not bite as asked", "could not look: exec: no such file"},
			Run: once(killed, func(m *memory) {
				m.inject(kill{look: func(context.Context, []topology.Node) (fault.Proof, error) {
					return fault.Proof{OK: true}, errors.New("exec: no such file")
				}})
			}),
		},
		{
			Name: "the-look-hangs", Title: "The fault bites, and the look at it never ends.",
			Stands:  "a probe that waits for a dead node's answer without a limit",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"instance-kill on j1 did not bite as asked", "could not look: context deadline exceeded"},
			Run: once(killed, func(m *memory) {
				m.inject(kill{look: func(ctx context.Context, _ []topology.Node) (fault.Proof, error) {
					<-ctx.Done()
					return fault.Proof{}, ctx.Err()
				}})
			}),
		},
		{
			Name: "undo-does-nothing", Title: "The undo reports success and does nothing.",
			Stands:  "the clean-up of a fault that looks for what it made under another name",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"instance-kill on j1 did not heal", "measured j1: not running"},
			Run: once(killed, func(m *memory) { m.inject(kill{undo: fault.Unpaused}) }),
		},
		{
			Name: "undo-does-nothing-on-standing", Title: "The undo does nothing, on a topology that outlives the run.",
			Stands:  "an environment that is shared by runs",
			Control: onStanding, Ends: Dirty, Says: []string{"instance-kill on j1 did not heal", "Dirty: fault instance-kill on j1"},
			Run: once(standing, func(m *memory) { m.inject(kill{undo: fault.Unpaused}) }),
		},
		{
			Name: "undo-fails", Title: "The undo fails each time that it is tried.",
			Stands:  "a disk that is full, so that the container does not start again",
			Control: nodeKilled, Ends: Dirty, Says: []string{"instance-kill on j1 failed", "no space left on device", "Dirty: fault instance-kill on j1"},
			Run: once(killed, func(m *memory) {
				m.starts(func(context.Context, topology.Container) error { return errors.New("no space left on device") })
			}),
		},
		{
			Name: "undo-hangs", Title: "The undo never returns.",
			Stands:  "an engine that holds a lock on the container",
			Control: nodeKilled, Ends: Dirty, Says: []string{"instance-kill on j1 failed", "deadline exceeded", "Dirty: fault instance-kill on j1"},
			Run: once(killed, func(m *memory) {
				m.starts(func(ctx context.Context, _ topology.Container) error {
					<-ctx.Done()
					return ctx.Err()
				})
			}),
		},
		{
			Name: "undo-unknown", Title: "The undo log names an undo that this program does not have.",
			Stands:  "a log that another version of the tool has written",
			Control: nodeKilled, Ends: Dirty, Says: []string{"instance-kill on j1 failed", "no such undo", "Dirty: fault instance-kill on j1"},
			Run: once(killed, func(m *memory) { m.inject(kill{undo: "container-reborn"}) }),
		},
		{
			Name: "heal-not-seen", Title: "The undo works, and nobody sees that it did.",
			Stands:  "a check of the recovery that looks at the wrong port",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"instance-kill on j1 did not heal", "measured its port is silent"},
			Run: once(killed, func(m *memory) { m.inject(kill{healed: unseen}) }),
		},
		{
			Name: "heal-not-seen-on-standing", Title: "Nobody sees that the undo worked, on a topology that outlives the run.",
			Stands:  "an environment that is shared by runs",
			Control: onStanding, Ends: Dirty, Says: []string{"Dirty: fault instance-kill on j1"},
			Run: once(standing, func(m *memory) { m.inject(kill{healed: unseen}) }),
		},
	}
}

// kill is an instance-kill with one of its parts replaced; nil, or empty, is
// its own.
type kill struct {
	fault.InstanceKill
	act    func(context.Context, fault.InstanceKill, []topology.Node, fault.Recorder) error
	undo   string // the name of the undo that is recorded
	look   func(context.Context, []topology.Node) (fault.Proof, error)
	healed func(context.Context, []topology.Node) (fault.Proof, error)
}

// Inject implements fault.Fault.
func (k kill) Inject(ctx context.Context, nodes []topology.Node, log fault.Recorder) error {
	if k.undo != "" {
		log = renamed{log, k.undo}
	}
	if k.act != nil {
		return k.act(ctx, k.InstanceKill, nodes, log)
	}
	return k.InstanceKill.Inject(ctx, nodes, log)
}

// Active implements fault.Fault.
func (k kill) Active(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
	if k.look != nil {
		return k.look(ctx, nodes)
	}
	return k.InstanceKill.Active(ctx, nodes)
}

// Healed implements fault.Fault.
func (k kill) Healed(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
	if k.healed != nil {
		return k.healed(ctx, nodes)
	}
	return k.InstanceKill.Healed(ctx, nodes)
}

// nothing is an act that records its undo, and does not happen.
func nothing(_ context.Context, _ fault.InstanceKill, nodes []topology.Node, log fault.Recorder) error {
	var errs []error
	for _, n := range nodes {
		errs = append(errs, log.Record(fault.Entry{Undo: fault.ContainerRunning, Node: n.Name()}))
	}
	return errors.Join(errs...)
}

// unseen is a look that sees no heal.
func unseen(context.Context, []topology.Node) (fault.Proof, error) {
	return fault.Proof{Asked: "all as before", Measured: "its port is silent"}, nil
}

// renamed records another undo than the fault's.
type renamed struct {
	fault.Recorder
	undo string
}

// Record implements fault.Recorder.
func (r renamed) Record(e fault.Entry) error {
	e.Undo = r.undo
	return r.Recorder.Record(e)
}

// weight is a change of weight that tells the balancers another one, or only
// the balancer of that name.
type weight struct {
	fault.Weight
	told int
	only string // empty: all
}

// Inject implements fault.Fault.
func (w weight) Inject(ctx context.Context, nodes []topology.Node, log fault.Recorder) error {
	f := w.Weight
	f.Weight = w.told
	var hit []topology.Node
	for _, n := range nodes {
		if w.only == "" || n.Name() == w.only {
			hit = append(hit, n)
		}
	}
	return f.Inject(ctx, hit, log)
}

// asked is the weight that the runs with one ask for; the configuration's is
// 100.
const asked = 200

func weightOf(n int) fault.Weight { return fault.Weight{Server: "j1", Weight: n} }

// weighed is a run in which both balancers are told a weight of j1.
func weighed(n int) *memory {
	m := suffering(weightOf(n), harness.All(topology.Balancer))
	m.assertOnly("session-survival", "error-budget", "leftovers")
	return m
}

// clock is a clock that is moved by something else than was asked.
type clock struct {
	fault.ClockMoved
	by time.Duration
}

// Inject implements fault.Fault.
func (c clock) Inject(ctx context.Context, nodes []topology.Node, log fault.Recorder) error {
	return fault.ClockMoved{By: c.by}.Inject(ctx, nodes, log)
}

// ahead is by how much the runs with a moved clock ask for.
const ahead = 100 * time.Second

// moved is a run in which j1's clock is moved.
func moved(by time.Duration) *memory {
	m := suffering(fault.ClockMoved{By: by}, harness.Named("j1"))
	m.assertOnly("session-survival", "error-budget", "leftovers")
	return m
}
