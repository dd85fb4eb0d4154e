package assert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/history"
)

// Factory builds a checker from its parameters as JSON. Empty parameters
// mean the zero value.
type Factory func(params json.RawMessage) (Checker, error)

// Table maps the names of checkers to what builds them. It is how a caller
// hands over checkers of its own.
type Table map[string]Factory

// Typed is the Factory of a checker that is a plain value: its exported
// fields are the parameters, and one that it does not have is an error.
func Typed[T Checker]() Factory {
	return func(params json.RawMessage) (Checker, error) {
		var c T
		if len(params) == 0 {
			return c, nil
		}
		d := json.NewDecoder(bytes.NewReader(params))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, err
		}
		return c, nil
	}
}

// builtIn is the one table of the checkers that come with hachaos.
func builtIn() Table {
	return tableOf(
		known[SessionSurvival](),
		known[WriteLedger](),
		known[ErrorBudget](),
		known[ReadinessGating](),
		known[FailoverAnatomy](),
		known[Distribution](),
		known[Leftovers](),
		known[Recovery](),
		known[StreamContinuity](),
		known[SingleOwner](),
		known[Reconnection](),
		known[BlastRadius](),
		known[EventDelivery](),
		known[UploadDurability](),
		known[Staleness](),
		known[KeyContract](),
		known[OverlappingUpdates](),
		known[Drain](),
		known[VIP](),
		known[VersionSkew](),
		known[OverloadContract](),
		known[ConnectionCeiling](),
		known[Alerts](),
		known[RotationKept](),
		known[TimeoutOrder](),
	)
}

// builder is a checker's name with its Factory.
type builder struct {
	name  string
	build Factory
}

// known is a checker under the name that its zero value bears.
func known[T Checker]() builder {
	var zero T
	return builder{zero.Name(), Typed[T]()}
}

func tableOf(list ...builder) Table {
	t := make(Table, len(list))
	for _, b := range list {
		if _, ok := t[b.name]; ok {
			panic("assert: checker " + b.name + " is there twice")
		}
		t[b.name] = b.build
	}
	return t
}

// Known lists the names of the checkers that come with hachaos, sorted.
func Known() []string { return slices.Sorted(maps.Keys(builtIn())) }

// Decode builds the checker of that name again from its parameters. It looks
// in own first, which may be nil; a name in own that hachaos has itself is an
// error, because a record must mean the same to everyone.
func Decode(name string, params json.RawMessage, own Table) (Checker, error) {
	table := builtIn()
	for n, f := range own {
		if _, taken := table[n]; taken {
			return nil, fmt.Errorf("checker %q comes with hachaos: give your own another name", n)
		}
		table[n] = f
	}
	build, ok := table[name]
	if !ok {
		return nil, fmt.Errorf("checker %q is not known: hachaos has %s; hand your own over in the table", name, strings.Join(slices.Sorted(maps.Keys(table)), ", "))
	}
	c, err := build(params)
	if err != nil {
		return nil, fmt.Errorf("read the parameters of checker %q: %w", name, err)
	}
	return c, nil
}

// DecodeAll builds the checkers of a record, in its order.
func DecodeAll(metas []history.AssertMeta, own Table) ([]Checker, error) {
	out := make([]Checker, 0, len(metas))
	for _, m := range metas {
		c, err := Decode(m.Name, m.Params, own)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Encode makes a checker data, from which Decode builds it again. A checker
// that JSON cannot carry is an error.
func Encode(c Checker) (history.AssertMeta, error) {
	if c == nil {
		return history.AssertMeta{}, fmt.Errorf("encode a checker: it is nil")
	}
	params, err := json.Marshal(c)
	if err != nil {
		return history.AssertMeta{}, fmt.Errorf("encode checker %q: %w; its exported fields must be plain data", c.Name(), err)
	}
	m := history.AssertMeta{Name: c.Name()}
	if string(params) != "{}" {
		m.Params = params
	}
	return m, nil
}
