package history

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
)

// FromEvents makes a history of literal events, as tests have them. The
// events are numbered from 1 in the order given; a Seq that is set must agree
// with that. A first event of kind Run gives the Meta. The record counts as
// whole. The error names the first event that contradicts the others, as a
// *LineError.
func FromEvents(events []Event) (*History, error) {
	return Collect(slices.Values(events))
}

// Collect is FromEvents for events that are made on the way. An event is not
// used after the next is asked for.
func Collect(events iter.Seq[Event]) (*History, error) {
	b := newBuilder()
	n := uint64(0)
	for e := range events {
		n++
		if e.Seq == 0 {
			e.Seq = n
		}
		if e.Seq != n {
			return nil, &LineError{n, fmt.Errorf("%w: its number is %d", ErrOrder, e.Seq)}
		}
		if err := b.add(&e); err != nil {
			return nil, &LineError{n, err}
		}
	}
	h, err := b.finish()
	if err != nil {
		return nil, err
	}
	h.Integrity = Integrity{State: Whole, Lines: n}
	return h, nil
}

// ErrContradiction: an event that cannot be true beside those before it, as
// an operation that completes twice.
var ErrContradiction = errors.New("contradiction")

func contradiction(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrContradiction, fmt.Sprintf(format, args...))
}

// builder makes a history of events.
type builder struct {
	h     *History
	ops   pairing
	seal  *Seal
	ended *endOf // nil until the End was met
	// open is the phase that runs, an index of h.Phases; -1 is none.
	open int
	// fault gives the place of a fault's number in h.Faults.
	fault map[int]int
	room  estimate
	// str and seen intern the strings that are read by hand.
	str  func([]byte) string
	seen seen
}

func newBuilder() *builder {
	b := &builder{h: &History{Names: &Names{}}, open: -1, fault: map[int]int{}}
	b.ops.names, b.ops.room = b.h.Names, &b.room
	b.str = func(s []byte) string {
		_, text := b.h.Names.internBytes(s)
		return text
	}
	return b
}

// add takes the next event. After an error the event is left out, and more
// can be added.
func (b *builder) add(e *Event) error {
	if b.ended != nil && e.Kind != Sealed {
		return contradiction("a %s after the end", e.Kind)
	}
	b.h.End = max(b.h.End, e.At)
	switch e.Kind {
	case Invoke:
		return b.ops.invoke(e)
	case OK, Fail, Info:
		return b.ops.complete(e)
	case Observed:
		return b.observe(e)
	case PhaseBegin, PhaseEnd:
		return b.phase(e)
	case FaultInject, FaultActive, FaultHeld, FaultHeal, FaultHealed, FaultError:
		return b.injection(e)
	}
	return b.single(e)
}

// single takes the events that stand alone.
func (b *builder) single(e *Event) error {
	switch e.Kind {
	case Run:
		if e.Seq != 1 {
			return contradiction("a run begins on the first line, not here")
		}
		return data(e, &b.h.Meta)
	case Clock:
		var p ClockPair
		err := data(e, &p)
		if err == nil {
			b.h.Clock = append(b.h.Clock, p)
		}
		return err
	case Aborted:
		if b.h.Aborted == "" {
			b.h.Aborted = cmp.Or(e.Err, "no reason was given")
		}
		return nil
	case End:
		return b.end(e)
	case Sealed:
		if b.ended == nil {
			return contradiction("a seal without an end before it")
		}
		b.seal = &Seal{}
		return data(e, b.seal)
	}
	return fmt.Errorf("%w: kind %q is not known to %s", ErrBadLine, e.Kind, Format)
}

// endOf is what the End says.
type endOf struct {
	at    time.Duration
	files []SealedFile
}

func (b *builder) end(e *Event) error {
	b.ended = &endOf{at: e.At}
	if len(e.Data) == 0 {
		return nil
	}
	var m EndMeta
	err := data(e, &m)
	b.ended.files = m.Files
	return err
}

// data decodes an event's payload.
func data(e *Event, v any) error {
	if len(e.Data) == 0 {
		return fmt.Errorf("%w: a %s without data", ErrBadLine, e.Kind)
	}
	if err := json.Unmarshal(e.Data, v); err != nil {
		return fmt.Errorf("%w: data of %s %s: %w", ErrBadLine, e.Kind, e.Name, err)
	}
	return nil
}

// finish completes the history: the open ends, and the order by time.
func (b *builder) finish() (*History, error) {
	h := b.h
	if b.open >= 0 {
		h.Phases[b.open].To = h.End
	}
	h.Ops = b.ops.finish()
	h.Tries = b.ops.tries
	slices.SortStableFunc(h.Clock, func(x, y ClockPair) int { return cmp.Compare(x.Mono, y.Mono) })
	b.sort()
	return h, b.ops.overflow
}

// phase takes a phase's beginning or end. Phases do not overlap.
func (b *builder) phase(e *Event) error {
	h := b.h
	if e.Kind == PhaseEnd {
		if b.open < 0 || h.Phases[b.open].Name != e.Name || e.At < h.Phases[b.open].From {
			return contradiction("phase %q ends and does not run", e.Name)
		}
		h.Phases[b.open].To = e.At
		b.open = -1
		return nil
	}
	if b.open >= 0 {
		return contradiction("phase %q begins while %q runs", e.Name, h.Phases[b.open].Name)
	}
	if n := len(h.Phases); n > 0 && e.At < h.Phases[n-1].To {
		return contradiction("phase %q begins before %q ended", e.Name, h.Phases[n-1].Name)
	}
	var m PhaseMeta
	if err := data(e, &m); err != nil {
		return err
	}
	switch m.Kind {
	case PhaseWarmUp, PhaseSteady, PhaseBreak, PhaseRecover:
	default:
		return fmt.Errorf("%w: phase %q is of the unknown kind %q", ErrBadLine, e.Name, m.Kind)
	}
	b.open = len(h.Phases)
	h.Phases = append(h.Phases, Phase{Name: e.Name, From: e.At, Kind: m.Kind})
	return nil
}

// injection takes the steps of a fault's life.
func (b *builder) injection(e *Event) error {
	h := b.h
	i, known := b.fault[e.Fault]
	switch {
	case e.Kind == FaultError:
		return b.failure(e, known && h.Faults[i].Heal >= 0)
	case e.Kind == FaultInject && (known || e.Fault <= 0):
		return contradiction("fault %d is injected twice, or has no number", e.Fault)
	case e.Kind == FaultInject:
		var m FaultMeta
		if len(e.Data) > 0 {
			if err := data(e, &m); err != nil {
				return err
			}
		}
		b.fault[e.Fault] = len(h.Faults)
		h.Faults = append(h.Faults, Fault{
			ID: e.Fault, Kind: e.Name, Nodes: slices.Clone(e.Nodes), Orders: m.Orders,
			Injected: e.At, Active: -1, Heal: -1, Healed: -1,
		})
		return nil
	case !known:
		return contradiction("fault %d was never injected", e.Fault)
	}
	f := &h.Faults[i]
	switch e.Kind {
	case FaultActive:
		return proven(e, &f.Proof, &f.Active)
	case FaultHeld:
		f.Held = &Proof{}
		return data(e, f.Held)
	case FaultHealed:
		return proven(e, &f.HealProof, &f.Healed)
	}
	if f.Heal < 0 {
		f.Heal = e.At
	}
	return nil
}

// proven takes a proof; the last counts. The time is set if it says that the
// step was reached.
func proven(e *Event, proof **Proof, at *time.Duration) error {
	p := &Proof{}
	if err := data(e, p); err != nil {
		return err
	}
	*proof, *at = p, -1
	if p.OK {
		*at = e.At
	}
	return nil
}

// failure takes an act or undo that failed. Without data it is an undo if
// the fault's heal had begun.
func (b *builder) failure(e *Event, healing bool) error {
	m := FaultErrorMeta{Undo: healing}
	if len(e.Data) > 0 {
		if err := data(e, &m); err != nil {
			return err
		}
	}
	b.h.Errors = append(b.h.Errors, FaultFailure{
		Seq: e.Seq, At: e.At, Fault: e.Fault, Kind: e.Name,
		Nodes: slices.Clone(e.Nodes), Err: e.Err, Undo: m.Undo,
	})
	return nil
}
