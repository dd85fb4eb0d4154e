package harness

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// healAll is the label that stands for every fault.
const healAll = "*"

// injections are the faults of a run under way.
type injections struct {
	wg   sync.WaitGroup
	lost chan error // the engine or the journal was lost: the phases end

	mu  sync.Mutex
	all []*injection
}

// injection is one fault that was aimed.
type injection struct {
	Injection
	number int // from 1
	nodes  []topology.Node
	at     time.Time // the act began
	cancel context.CancelFunc
	acted  chan struct{} // closed when the act and its proof are over

	heals  chan struct{} // has room for one: filled while it is healed
	healAt time.Time     // the undo began

	proven atomic.Bool // it was seen to bite

	mu      sync.Mutex
	entries []fault.Entry // what is still to be undone
	healing bool
}

// Record keeps an undo for the heal and for whoever outlives this process.
type recorder struct {
	in  *injection
	log *fault.Log
}

func (r recorder) Record(e fault.Entry) error {
	if err := r.log.Record(e); err != nil {
		return err
	}
	r.in.mu.Lock()
	defer r.in.mu.Unlock()
	r.in.entries = append(r.in.entries, e)
	return nil
}

// inject aims a fault and injects it in the background: journal, act, proof.
// What it returns is closed when they are over.
func (r *run) inject(ctx context.Context, what Injection) <-chan struct{} {
	in := r.aim(what)
	actCtx, cancel := context.WithCancel(ctx)
	in.cancel = cancel
	r.faults.mu.Lock()
	r.faults.all = append(r.faults.all, in)
	r.faults.mu.Unlock()
	r.put(in, history.FaultInject, &history.Event{Data: data(history.FaultMeta{Orders: orders(what.Fault)})})
	r.watch.fault(in, true)
	r.faults.wg.Go(func() {
		defer close(in.acted)
		defer cancel()
		r.act(ctx, actCtx, in)
	})
	return in.acted
}

// aim chooses the targets: what is drawn depends on the seed and the
// injection's number alone.
func (r *run) aim(what Injection) *injection {
	r.faults.mu.Lock()
	number := len(r.faults.all) + 1
	r.faults.mu.Unlock()
	rng := rand.New(rand.NewPCG(r.seed, uint64(number)))
	view := View{Nodes: r.cluster.Nodes(), Serving: r.gen.Serving(), Users: r.gen.Users(), Owner: r.watch.owner()}
	return &injection{Injection: what, number: number, nodes: what.Aim.Pick(rng, view), at: time.Now(), acted: make(chan struct{}), heals: make(chan struct{}, 1)}
}

// act injects the fault and awaits its proof, within ctx, which the heal ends;
// run is the caller's, whose end is an interruption.
func (r *run) act(run, ctx context.Context, in *injection) {
	r.step("  %s on %s", in.Fault.Kind(), names(in.nodes))
	bounded, cancel := context.WithTimeout(ctx, r.budgets.Act+takes(in.Fault))
	err := in.Fault.Inject(bounded, in.nodes, recorder{in, r.undo})
	cancel()
	if err != nil {
		r.failed(in, err, false)
		return
	}
	bounded, cancel = context.WithTimeout(ctx, r.budgets.Prove+shows(in.Fault))
	defer cancel()
	p, err := in.Fault.Active(bounded, in.nodes)
	r.proof(run, in, history.FaultActive, p, err)
}

// orders are what a fault's act orders of the engine.
func orders(f fault.Fault) []string {
	if o, ok := f.(fault.Ordering); ok {
		return o.Orders()
	}
	return nil
}

// takes is what a fault's act needs beyond any other's.
func takes(f fault.Fault) time.Duration {
	if l, ok := f.(fault.Lasting); ok {
		return l.Takes()
	}
	return 0
}

// shows is what a fault's proof needs beyond any other's.
func shows(f fault.Fault) time.Duration {
	if g, ok := f.(fault.Gradual); ok {
		return g.Shows()
	}
	return 0
}

// proof journals what a fault was observed to do.
func (r *run) proof(ctx context.Context, in *injection, kind history.Kind, p fault.Proof, err error) {
	e := history.Event{At: r.clock.Now()} // before the engine is asked when it began
	if err != nil {
		e.Err = fmt.Sprintf("could not look: %v", err)
		p.OK, p.Measured, p.Unit = false, e.Err, ""
	}
	hp := recorded(p)
	hp.From, hp.To = r.bracket(ctx, in, kind, p)
	e.Data = data(hp)
	r.put(in, kind, &e)
	switch {
	case kind == history.FaultActive && p.OK:
		in.proven.Store(true)
		r.step("  %s bites: %s", in.Fault.Kind(), p.Measured)
	case kind == history.FaultActive:
		r.step("  %s is not proven to bite: %s", in.Fault.Kind(), p.Measured)
	case p.OK:
		r.step("  %s healed: %s", in.Fault.Kind(), p.Measured)
	default:
		r.step("  %s is not proven to have healed: %s", in.Fault.Kind(), p.Measured)
	}
	r.engineGone(ctx, err)
}

// recorded is a fault's proof as the journal has it, without its times.
func recorded(p fault.Proof) history.Proof {
	return history.Proof{OK: p.OK, Asked: cmp.Or(p.Asked, "a look"), Measured: p.Measured, Unit: p.Unit, How: p.How}
}

// bracket maps the time in which a fault took effect, or healed, to the run's
// clock. A proof that knows only the end begins with the engine's event, or
// else with the act.
func (r *run) bracket(ctx context.Context, in *injection, kind history.Kind, p fault.Proof) (from, to time.Duration) {
	if p.To.IsZero() || !p.OK {
		return 0, 0
	}
	m := history.NewMapper(r.clock)
	to, _ = m.Map(p.To)
	from = r.clock.At(in.at)
	if kind == history.FaultHealed {
		from = r.clock.At(in.healAt)
	}
	if !p.From.IsZero() {
		from, _ = m.Map(p.From)
	} else if kind == history.FaultActive {
		if wall, ok := r.engineEvent(ctx, in); ok {
			from, _ = m.Map(wall)
		}
	}
	return min(from, to), to
}

// eventWait is how long an engine's event is waited for: it is older than
// the proof that needs it.
const eventWait = 2 * time.Second

// engineEvent finds the first event with which the fault began.
func (r *run) engineEvent(ctx context.Context, in *injection) (time.Time, bool) {
	f, ok := in.Fault.(fault.Eventful)
	if !ok {
		return time.Time{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, eventWait)
	defer cancel()
	events, _ := r.cluster.Events(ctx, in.at.Add(-time.Millisecond))
	first, found := time.Time{}, false
	for e := range events {
		if !found && e.Action == f.Begins() && slices.ContainsFunc(in.nodes, func(n topology.Node) bool { return n.Name() == e.Node }) {
			first, found = e.Wall, true
			cancel()
		}
	}
	return first, found
}

// failed journals an act or an undo that failed. Without an engine the run
// cannot go on.
func (r *run) failed(in *injection, err error, undo bool) {
	r.step("  %s on %s: %v", in.Fault.Kind(), names(in.nodes), err)
	if undo {
		r.dirty.add("%s on %s: %v", in.Fault.Kind(), names(in.nodes), err)
	}
	r.put(in, history.FaultError, &history.Event{Err: err.Error(), Data: data(history.FaultErrorMeta{Undo: undo})})
	if lost := engineLost(err); lost != nil {
		r.lose(lost)
	}
}

// lose ends the phases: without what was lost the run cannot go on.
func (r *run) lose(err error) {
	select {
	case r.faults.lost <- err:
	default:
	}
}

// put journals a step of a fault's life, of now if e has no time.
func (r *run) put(in *injection, kind history.Kind, e *history.Event) {
	if e == nil {
		e = &history.Event{}
	}
	if e.At == 0 {
		e.At = r.clock.Now()
	}
	e.Kind, e.Name, e.Fault = kind, in.Fault.Kind(), in.number
	e.Nodes = in.victims()
	r.journal.Put(*e)
}

// victims are the nodes that suffer: the targets, unless these are only the
// means.
func (in *injection) victims() []string {
	if f, ok := in.Fault.(fault.Indirect); ok && len(in.nodes) > 0 && len(f.Victims()) > 0 {
		return f.Victims()
	}
	directed, _ := in.Fault.(fault.Directed)
	var all []string
	for _, n := range in.nodes {
		if directed == nil || directed.Suffers(n) {
			all = append(all, n.Name())
		}
	}
	return all
}
