package history

import (
	"fmt"
	"math"
	"slices"
)

// maxGap is how far an operation's number may be ahead of the count of those
// met so far: operations are numbered in the schedule's order, so no more
// than are outstanding can lie between.
const maxGap = 1 << 20

// pairing makes operations of invokes and completions.
type pairing struct {
	// ops are placed by their numbers; an ID of 0 is a number not met yet.
	ops   []Op
	met   uint64
	names *Names
	tries map[uint64][]Try
	room  *estimate
	// short caches what the scarce names were lately.
	short [3]struct {
		text string
		name uint16
	}
	// moved are names that got a short number after a long one was in use.
	moved    map[Name]Name
	overflow error
}

func (p *pairing) invoke(e *Event) error {
	c := e.Op
	switch {
	case c == nil || c.ID == 0:
		return fmt.Errorf("%w: an invoke without a number", ErrBadLine)
	case c.ID > p.met+maxGap:
		return contradiction("operation %d is out of range: only %d came before it", c.ID, p.met)
	}
	if n := uint64(len(p.ops)); c.ID > n {
		p.ops = room(p.room, p.ops, int(c.ID-n))[:c.ID]
		clear(p.ops[n:])
	}
	o := &p.ops[c.ID-1]
	if o.ID != 0 {
		return contradiction("operation %d is invoked twice", c.ID)
	}
	p.met++
	*o = Op{
		ID: c.ID, Type: TypeOf(e.Name), Intended: c.Intended, Sent: c.Sent, End: -1,
		Session: c.Session, User: p.names.Intern(c.User), Key: p.names.Intern(c.Key),
		Bound: p.names.Intern(c.Bound),
	}
	return nil
}

func (p *pairing) complete(e *Event) error {
	c := e.Op
	if c == nil || c.ID == 0 {
		return fmt.Errorf("%w: a completion without a number", ErrBadLine)
	}
	if c.ID > uint64(len(p.ops)) || p.ops[c.ID-1].ID == 0 {
		return contradiction("operation %d completes and was never invoked", c.ID)
	}
	o := &p.ops[c.ID-1]
	if o.End >= 0 {
		return contradiction("operation %d completes twice", c.ID)
	}
	if err := p.agree(e, o); err != nil {
		return err
	}
	return p.fill(e, o)
}

// agree holds what a completion repeats to what was invoked. What it leaves
// out is not compared.
func (p *pairing) agree(e *Event, o *Op) error {
	c := e.Op
	switch {
	case c.End < 0:
		return contradiction("operation %d completes at %v", c.ID, c.End)
	case e.Name != "" && TypeOf(e.Name) != o.Type:
		return contradiction("operation %d completes as %s, invoked as %s", c.ID, e.Name, o.Type)
	case c.Session != 0 && c.Session != o.Session:
		return contradiction("operation %d completes in session %d, invoked in %d", c.ID, c.Session, o.Session)
	case c.Key != "" && c.Key != p.names.Get(o.Key):
		return contradiction("operation %d completes with key %q, invoked with %q", c.ID, c.Key, p.names.Get(o.Key))
	case c.User != "" && c.User != p.names.Get(o.User):
		return contradiction("operation %d completes for user %q, invoked for %q", c.ID, c.User, p.names.Get(o.User))
	case c.Intended != 0 && c.Intended != o.Intended:
		return contradiction("operation %d completes with intended time %v, invoked with %v", c.ID, c.Intended, o.Intended)
	case c.Status < 0 || c.Status > math.MaxUint16:
		return contradiction("operation %d has status %d", c.ID, c.Status)
	case c.Attempts < 0 || c.Attempts > math.MaxUint8:
		return contradiction("operation %d has %d attempts, and %d can be kept", c.ID, c.Attempts, math.MaxUint8)
	}
	return nil
}

// fill writes a completion into the operation.
func (p *pairing) fill(e *Event, o *Op) error {
	c := e.Op
	o.Sent, o.Late, o.End, o.Value = c.Sent, c.Late, c.End, c.Value
	o.Status, o.Attempts = uint16(c.Status), uint8(c.Attempts)
	o.Outcome = outcomeOf(e.Kind)
	o.Flags = flagsOf(c)
	o.SessionID = p.names.Intern(c.SessionID)
	o.Owner = p.names.Intern(c.Owner)
	o.Node = p.names.Intern(c.Node)
	if c.Bound != "" {
		o.Bound = p.names.Intern(c.Bound)
	}
	o.Version = p.scarce(0, c.Version)
	o.Balancer = p.scarce(1, c.Balancer)
	o.Error = p.scarce(2, c.Error)
	if len(c.Tries) > 0 {
		if p.tries == nil {
			p.tries = map[uint64][]Try{}
		}
		p.tries[c.ID] = slices.Clone(c.Tries)
	}
	return p.overflow
}

func outcomeOf(k Kind) Outcome {
	switch k {
	case OK:
		return Good
	case Fail:
		return Failed
	}
	return Unknown
}

func flagsOf(c *Call) (f Flags) {
	if c.New {
		f |= New
	}
	if c.Replayed {
		f |= Replayed
	}
	if c.Cold {
		f |= Cold
	}
	return f
}

// scarce interns a name for a field of 16 bits.
func (p *pairing) scarce(field int, s string) uint16 {
	last := &p.short[field]
	if last.text == s {
		return last.name
	}
	n, was, err := p.names.internShort(s)
	if err != nil {
		p.overflow = err
		return 0
	}
	if was != 0 {
		if p.moved == nil {
			p.moved = map[Name]Name{}
		}
		p.moved[was] = n
	}
	last.text, last.name = s, uint16(n)
	return uint16(n)
}

// finish gives the operations in the order of their numbers.
func (p *pairing) finish() []Op {
	if p.met < uint64(len(p.ops)) {
		p.ops = slices.DeleteFunc(p.ops, func(o Op) bool { return o.ID == 0 })
	}
	if len(p.moved) > 0 {
		for i := range p.ops {
			p.rename(&p.ops[i])
		}
	}
	return p.ops
}

// rename gives the fields of an operation the numbers that Find knows.
func (p *pairing) rename(o *Op) {
	for _, f := range []*Name{&o.Key, &o.SessionID, &o.User, &o.Owner, &o.Node, &o.Bound} {
		if n, ok := p.moved[*f]; ok {
			*f = n
		}
	}
}

// estimate foresees how long a slice gets, from how much of the journal has
// been read. The zero value knows nothing.
type estimate struct{ read, total int64 }

// room gives s the capacity for n more elements, and, when it must be grown,
// for those that the rest of the journal is likely to bring.
func room[T any](e *estimate, s []T, n int) []T {
	if len(s)+n <= cap(s) {
		return s
	}
	return slices.Grow(s, e.more(len(s), n))
}

// more says how many elements to make room for when a slice of n is full and
// needs at least least.
func (e *estimate) more(n, least int) int {
	more := max(least, n/4, 16)
	if e.read < 1<<20 || e.total <= e.read {
		return max(more, n)
	}
	rest := float64(n) * float64(e.total-e.read) / float64(e.read)
	return max(more, min(int(rest*1.02), 64*n))
}
