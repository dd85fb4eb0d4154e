// Package faulttest is the one conformance suite that every fault passes,
// over nodes in memory and over real containers.
package faulttest

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/topology"
)

// Suite is what a fault is tested with.
type Suite struct {
	// New returns the fault.
	New func() fault.Fault
	// Wrong returns faults that act as New's does, by a wrong amount: a tenth,
	// ten times, one of two parts. They may be wrappers that no JSON carries.
	// None is for a fault that has no magnitude.
	Wrong []func() fault.Fault
	// Nodes returns at least one healthy target, the same or new ones; all
	// of them serve already.
	Nodes func(t *testing.T) []topology.Node
	// Around runs each test, such as synctest.Test; nil runs it as it is.
	Around func(t *testing.T, test func(t *testing.T))
	// Settle is how long a proof that is expected to hold may take; 0 is
	// 10 s. One that is expected not to hold is given a tenth of it.
	Settle time.Duration
	// Restless says that the fault goes on changing its targets by itself, so
	// that only the acts of a proof tell whether it changed anything.
	Restless bool
	// Repeats says that a second of the fault takes the first one's place and is not
	// refused: a deployment.
	Repeats bool
	// Beside is a fault that this one overlaps with; nil is none.
	Beside *Other
	// Notices says that Inject looks at its targets from inside while it acts,
	// so that it fails by itself where its acts have no effect.
	Notices bool
}

// Other is a fault that is in place beside the one that is tested.
type Other struct {
	fault.Fault
	// On are its targets' names, among those of the tested one and the other nodes of
	// their cluster.
	On []string
}

// among finds the targets.
func (o Other) among(t *testing.T, nodes []topology.Node) (on []topology.Node) {
	t.Helper()
	for _, n := range everyone(nodes) {
		if slices.Contains(o.On, n.Name()) {
			on = append(on, n)
		}
	}
	require.Len(t, on, len(o.On), "the other fault's targets")
	return on
}

// Run holds the fault to the contract of package fault.
func (s Suite) Run(t *testing.T) {
	type part struct {
		name string
		test func(Suite, *testing.T)
	}
	parts := []part{
		{"bites and heals, proven", Suite.bites},
		{"writes its undo before it acts", Suite.undoFirst},
		{"does not act without its undo", Suite.noUndoNoAct},
		{"undo may be repeated", Suite.undoTwice},
		{"undo where the act never was", Suite.undoWithoutAct},
		{"undo after a lost reply", Suite.lostReply},
		{"undo under a cancelled context", Suite.cancelled},
		{"undo by another process", Suite.undoFromFile},
		{"refuses zero targets", Suite.noTargets},
		{"refuses a target without the capability", Suite.noCapability},
		{"refuses a target that had ended before", Suite.endedBefore},
		{"proofs change nothing", Suite.readOnly},
		{"notices that nothing happened", Suite.noEffect},
		{"notices that nothing healed", Suite.notHealed},
		{"carried by JSON", Suite.json},
	}
	if !s.Repeats {
		parts = append(parts, part{"refused where it is in place", Suite.inPlace})
	}
	if s.Beside != nil {
		parts = append(parts, part{"overlaps with another", Suite.overlaps})
	}
	if len(s.Wrong) > 0 {
		parts = append(parts, part{"notices a wrong amount", Suite.wrongAmount})
	}
	for _, c := range parts {
		t.Run(c.name, func(t *testing.T) {
			if s.Around == nil {
				c.test(s, t)
				return
			}
			s.Around(t, func(t *testing.T) { c.test(s, t) })
		})
	}
}

func (s Suite) settle() time.Duration {
	if s.Settle > 0 {
		return s.Settle
	}
	return 10 * time.Second
}

// start gives the targets and their script; whatever the test did to them is
// undone after it.
func (s Suite) start(t *testing.T) (fault.Fault, []topology.Node, *script) {
	t.Helper()
	plain := s.Nodes(t)
	require.NotEmpty(t, plain, "the suite needs a target")
	sc := &script{}
	return s.New(), spies(plain, sc), sc
}

func (s Suite) heal(t *testing.T, f fault.Fault, nodes []topology.Node, sc *script) {
	t.Helper()
	sc.lose, sc.mute, sc.onAct = 0, false, nil
	require.NoError(t, fault.UndoAll(context.Background(), everyone(nodes), sc.entries))
	p := s.healed(t, f, nodes, s.settle())
	require.Truef(t, p.OK, "healed: %+v", p)
}

func (s Suite) active(t *testing.T, f fault.Fault, nodes []topology.Node, within time.Duration) fault.Proof {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	p, err := f.Active(ctx, nodes)
	require.NoError(t, err)
	return p
}

func (s Suite) healed(t *testing.T, f fault.Fault, nodes []topology.Node, within time.Duration) fault.Proof {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	p, err := f.Healed(ctx, nodes)
	require.NoError(t, err)
	return p
}

func (s Suite) bites(t *testing.T) {
	f, nodes, sc := s.start(t)
	require.NoError(t, f.Validate())
	before := time.Now()
	require.NoError(t, f.Inject(context.Background(), nodes, sc))
	p := s.active(t, f, nodes, s.settle())
	require.Truef(t, p.OK, "active: %+v", p)
	require.NotEmpty(t, p.Asked)
	require.NotEmpty(t, p.Measured)
	require.NotEmpty(t, p.How, "a proof says what was observed")
	if !p.To.IsZero() {
		require.WithinRange(t, p.To, before.Add(-time.Second), time.Now().Add(time.Second), "the effect lies in the test's time")
	}
	require.False(t, p.From.After(p.To) && !p.To.IsZero(), "From is not after To")
	s.heal(t, f, nodes, sc)
}

func (s Suite) undoFirst(t *testing.T) {
	f, nodes, sc := s.start(t)
	require.NoError(t, f.Inject(context.Background(), nodes, sc))
	require.Empty(t, sc.actsBeforeRecord(), "acts that precede the undo of their node")
	require.NotEmpty(t, sc.entries)
	s.heal(t, f, nodes, sc)
}

func (s Suite) noUndoNoAct(t *testing.T) {
	f, nodes, sc := s.start(t)
	sc.refuse = true
	require.Error(t, f.Inject(context.Background(), nodes, sc))
	require.Empty(t, sc.lines, "an act although its undo could not be kept")
}

func (s Suite) undoTwice(t *testing.T) {
	f, nodes, sc := s.start(t)
	require.NoError(t, f.Inject(context.Background(), nodes, sc))
	s.heal(t, f, nodes, sc)
	s.heal(t, f, nodes, sc)
}

// undoWithoutAct: a harness that died between the undo's record and the act
// leaves an undo of something that never was.
func (s Suite) undoWithoutAct(t *testing.T) {
	f, nodes, sc := s.start(t)
	s.injectMute(t, f, nodes, sc)
	before := states(t, nodes)
	require.NoError(t, fault.UndoAll(context.Background(), everyone(nodes), sc.entries))
	require.Equal(t, before, states(t, nodes))
}

func (s Suite) lostReply(t *testing.T) {
	f, nodes, sc := s.start(t)
	require.NoError(t, f.Inject(context.Background(), nodes, sc))
	acts := sc.acts
	s.heal(t, f, nodes, sc)
	for lost := 1; lost <= acts; lost++ {
		f, nodes, sc := s.start(t)
		sc.lose = lost
		require.ErrorIsf(t, f.Inject(context.Background(), nodes, sc), errLost, "act %d", lost)
		s.heal(t, f, nodes, sc)
	}
}

func (s Suite) cancelled(t *testing.T) {
	f, nodes, sc := s.start(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sc.onAct = cancel
	_ = f.Inject(ctx, nodes, sc) // it may finish or not
	require.Error(t, ctx.Err())
	sc.onAct = nil
	require.NoError(t, fault.UndoAll(ctx, everyone(nodes), sc.entries), "an undo that a cancelled run cancels")
	p := s.healed(t, f, nodes, s.settle())
	require.Truef(t, p.OK, "healed: %+v", p)
}

func (s Suite) undoFromFile(t *testing.T) {
	f, nodes, _ := s.start(t)
	path := filepath.Join(t.TempDir(), "undo.jsonl")
	log, err := fault.OpenLog(path)
	require.NoError(t, err)
	require.NoError(t, f.Inject(context.Background(), nodes, log))
	require.NoError(t, log.Close())
	entries, err := fault.ReadLog(path)
	require.NoError(t, err)
	require.NoError(t, fault.UndoAll(context.Background(), everyone(nodes), entries))
	p := s.healed(t, f, nodes, s.settle())
	require.Truef(t, p.OK, "healed: %+v", p)
}

func (s Suite) noTargets(t *testing.T) {
	f, _, sc := s.start(t)
	require.ErrorIs(t, f.Inject(context.Background(), nil, sc), fault.ErrNoTargets)
	_, err := f.Active(context.Background(), nil)
	require.ErrorIs(t, err, fault.ErrNoTargets)
	_, err = f.Healed(context.Background(), nil)
	require.ErrorIs(t, err, fault.ErrNoTargets)
}

func (s Suite) noCapability(t *testing.T) {
	f, nodes, sc := s.start(t)
	last := nodes[len(nodes)-1]
	targets := append(nodes[:len(nodes)-1:len(nodes)-1], nodes[0], bare{last})
	require.ErrorIs(t, f.Inject(context.Background(), targets, sc), fault.ErrCapability)
	require.Empty(t, sc.lines, "an act although a target could not be acted on")
}

// endedBefore: a death that came before the fault must not become its proof.
func (s Suite) endedBefore(t *testing.T) {
	f, nodes, sc := s.start(t)
	for _, n := range nodes {
		require.NoError(t, n.(topology.Container).Kill(context.Background()))
		sc.entries = append(sc.entries, fault.Entry{Undo: fault.ContainerRunning, Node: n.Name()})
	}
	require.ErrorIs(t, f.Inject(context.Background(), nodes, sc), topology.ErrNotRunning)
	s.heal(t, f, nodes, sc)
}

// inPlace: of two faults that share an undo, the first heal would end both.
func (s Suite) inPlace(t *testing.T) {
	f, nodes, sc := s.start(t)
	require.NoError(t, f.Inject(context.Background(), nodes, sc))
	require.True(t, s.active(t, f, nodes, s.settle()).OK)
	lines := len(sc.lines)
	require.Error(t, f.Inject(context.Background(), nodes, sc), "it is in place, and was injected again")
	require.Len(t, sc.lines, lines, "a record or an act of what was refused")
	p := s.active(t, f, nodes, s.settle())
	require.Truef(t, p.OK, "what was refused ended what was there: %+v", p)
	s.heal(t, f, nodes, sc)
}

// overlaps: each of two faults is seen beside the other and outlasts the other's
// heal, whichever is healed first.
func (s Suite) overlaps(t *testing.T) {
	for _, last := range []bool{false, true} {
		f, nodes, sc := s.start(t)
		on, theirs := s.Beside.among(t, nodes), &script{}
		holds := func(f fault.Fault, nodes []topology.Node, when string) {
			p := s.active(t, f, nodes, s.settle())
			require.Truef(t, p.OK, "%s %s: %+v", f.Kind(), when, p)
		}
		require.NoError(t, s.Beside.Inject(context.Background(), on, theirs))
		holds(s.Beside.Fault, on, "before the other")
		require.NoError(t, f.Inject(context.Background(), nodes, sc))
		holds(f, nodes, "with the other in place")
		holds(s.Beside.Fault, on, "with the other in place")
		if last {
			s.heal(t, s.Beside.Fault, on, theirs)
			holds(f, nodes, "after the other's heal")
			s.heal(t, f, nodes, sc)
			continue
		}
		s.heal(t, f, nodes, sc)
		holds(s.Beside.Fault, on, "after the other's heal")
		s.heal(t, s.Beside.Fault, on, theirs)
	}
}

func (s Suite) readOnly(t *testing.T) {
	f, nodes, sc := s.start(t)
	healthy := states(t, nodes)
	s.active(t, f, nodes, s.settle()/10)
	require.Equal(t, healthy, states(t, nodes), "Active changed a healthy node")
	require.NoError(t, f.Inject(context.Background(), nodes, sc))
	require.True(t, s.active(t, f, nodes, s.settle()).OK)
	broken, lines := states(t, nodes), len(sc.changing())
	s.active(t, f, nodes, s.settle())
	s.healed(t, f, nodes, s.settle()/10)
	if !s.Restless {
		require.Equal(t, broken, states(t, nodes), "a proof changed a node")
	}
	require.Len(t, sc.changing(), lines, "a proof acted")
	s.heal(t, f, nodes, sc)
}

func (s Suite) noEffect(t *testing.T) {
	f, nodes, sc := s.start(t)
	s.injectMute(t, f, nodes, sc)
	p := s.active(t, f, nodes, s.settle()/10)
	require.Falsef(t, p.OK, "a fault that did nothing is proven: %+v", p)
	require.NotEmpty(t, p.Measured)
}

// wrongAmount has as long to be taken for the right one as that has to be
// proven, however often Active looks.
func (s Suite) wrongAmount(t *testing.T) {
	for _, wrong := range s.Wrong {
		f, nodes, sc := s.start(t)
		other := wrong()
		require.NotEqual(t, f, other, "that is the right amount")
		require.NoErrorf(t, other.Inject(context.Background(), nodes, sc), "%+v", other)
		p := s.active(t, f, nodes, s.settle())
		require.Falsef(t, p.OK, "%+v is proven by %+v: %+v", f, other, p)
		require.NotEmpty(t, p.Measured)
		s.heal(t, f, nodes, sc)
	}
}

// injectMute injects while acts report success and have no effect.
func (s Suite) injectMute(t *testing.T, f fault.Fault, nodes []topology.Node, sc *script) {
	t.Helper()
	sc.mute = true
	err := f.Inject(context.Background(), nodes, sc)
	sc.mute = false
	if s.Notices {
		require.Error(t, err, "it does not notice that its acts have no effect")
		return
	}
	require.NoError(t, err)
}

func (s Suite) notHealed(t *testing.T) {
	f, nodes, sc := s.start(t)
	require.NoError(t, f.Inject(context.Background(), nodes, sc))
	require.True(t, s.active(t, f, nodes, s.settle()).OK)
	p := s.healed(t, f, nodes, s.settle()/10)
	require.Falsef(t, p.OK, "a heal that did nothing is proven: %+v", p)
	s.heal(t, f, nodes, sc)
}

func (s Suite) json(t *testing.T) {
	f := s.New()
	b, err := fault.Encode(f)
	require.NoError(t, err)
	require.True(t, json.Valid(b))
	back, err := fault.Decode(b)
	require.NoError(t, err)
	require.Equal(t, f, back)
}
