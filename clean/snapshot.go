// Package clean proves that a topology is as it was when it was new, so that
// another scenario can use it. A snapshot is what a table of probes found, as
// lines of text by probe and node; the comparison of two of them is pure. A
// new kind of fault adds a row to the table (see Probes) if what it could
// leave behind is not in a snapshot yet.
package clean

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hachaos/hachaos/topology"
)

// Where a probe looks from.
type Where string

// The places of probes. Those of one place and node are looked at by one
// command.
const (
	InNode Where = "in the node" // a script for sh, run in it
	Beside Where = "beside it"   // one for bash, run in its network namespace
	Here   Where = "from here"   // no script, but Probe.Ask
)

// Probe is one way of looking at the nodes of some roles. It changes nothing.
type Probe struct {
	Name string
	// Roles are those of the nodes that it looks at; none is every one.
	Roles []topology.Role
	Where Where
	// Script prints what it finds; that it fails means that it could not
	// look. Its arguments are the VIP (or "none"), the node's port, and the
	// paths of the files that the node was given.
	Script string
	// Ask is for Here, in place of a script.
	Ask func(context.Context, topology.Node) (string, error)
	// Facts makes facts of what the script printed, one a line, without
	// anything that changes by itself; nil takes each line as it is.
	Facts func(printed string) ([]string, error)
}

// Beginnings of lines that mean more than they say.
const (
	// Unsettled begins a line that says that the node is not ready for a run,
	// whatever it was like when it was new.
	Unsettled = "unsettled: "
	// Sole begins a line that exactly one node must have, whichever it is.
	Sole = "sole: "
)

// Snapshot is what the probes found: lines, sorted, by "<probe> <node>".
type Snapshot map[string][]string

// Take looks at every node with every probe that is for it, all at the same
// time. What could not be looked at is an unsettled line.
func Take(ctx context.Context, c topology.Cluster, probes []Probe) Snapshot {
	var (
		mu  sync.Mutex
		wg  sync.WaitGroup
		out = Snapshot{}
	)
	for _, n := range c.Nodes() {
		for _, where := range []Where{InNode, Beside, Here} {
			chosen := slices.DeleteFunc(slices.Clone(probes), func(p Probe) bool {
				return p.Where != where || len(p.Roles) > 0 && !slices.Contains(p.Roles, n.Role())
			})
			if len(chosen) == 0 {
				continue
			}
			wg.Go(func() {
				found := look(ctx, c, n, where, chosen)
				mu.Lock()
				defer mu.Unlock()
				maps.Copy(out, found)
			})
		}
	}
	wg.Wait()
	if slices.ContainsFunc(probes, Probe.tellsSoles) {
		out.soles()
	}
	return out
}

// tellsSoles says whether it tells facts that exactly one node must have.
func (p Probe) tellsSoles() bool { return strings.Contains(p.Script, Sole) }

// soles moves the lines that exactly one node must have to one place, with
// how many have them.
func (s Snapshot) soles() {
	count := map[string]int{}
	for key, lines := range s {
		s[key] = slices.DeleteFunc(lines, func(l string) bool {
			what, sole := strings.CutPrefix(l, Sole)
			if sole {
				count[what]++
			}
			return sole
		})
	}
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(count)) {
		line := what + ": one node"
		if n := count[what]; n != 1 {
			line = fmt.Sprintf("%s%s: %d nodes", Unsettled, what, n)
		}
		lines = append(lines, line)
	}
	s[soleProbe+" all"] = lines
}

// soleProbe is what facts that exactly one node must have are found by, of all nodes.
const soleProbe = "sole"

// of is s without what the other has not: what only some probes found is compared with
// what they found before.
func (s Snapshot) of(other Snapshot) Snapshot {
	out := Snapshot{}
	for key := range other {
		if lines, ok := s[key]; ok {
			out[key] = lines
		}
	}
	return out
}

// Facts counts the lines.
func (s Snapshot) Facts() int {
	n := 0
	for _, lines := range s {
		n += len(lines)
	}
	return n
}

// Difference is a fact that there was and is no more, or the other way round.
type Difference struct {
	Probe, Node string
	// Was and Is are lines; one of them is empty.
	Was, Is string
}

// String says it in words.
func (d Difference) String() string {
	switch {
	case d.Was == "" && strings.HasPrefix(d.Is, Unsettled):
		return fmt.Sprintf("%s of %s: %s", d.Probe, d.Node, strings.TrimPrefix(d.Is, Unsettled))
	case d.Was == "":
		return fmt.Sprintf("%s of %s: there is %q, which was not there", d.Probe, d.Node, d.Is)
	}
	return fmt.Sprintf("%s of %s: %q is gone", d.Probe, d.Node, d.Was)
}

// Compare returns what differs, in a fixed order; nothing means that now is
// proven to be as fresh was. An unsettled line of now always differs, and so
// does a probe of one that the other lacks. It is pure.
func Compare(fresh, now Snapshot) []Difference {
	keys := maps.Clone(fresh)
	maps.Copy(keys, now)
	var out []Difference
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		probe, node, _ := strings.Cut(key, " ")
		before, was := fresh[key]
		after, is := now[key]
		if !was || !is {
			out = append(out, Difference{Probe: probe, Node: node, Is: Unsettled + "it was looked at only once"})
			continue
		}
		for _, line := range without(before, after) {
			out = append(out, Difference{Probe: probe, Node: node, Was: line})
		}
		for _, line := range after {
			if strings.HasPrefix(line, Unsettled) || !slices.Contains(before, line) {
				out = append(out, Difference{Probe: probe, Node: node, Is: line})
			}
		}
	}
	return out
}

// Unready are the unsettled lines of a snapshot.
func (s Snapshot) Unready() []Difference {
	var out []Difference
	for _, d := range Compare(s, s) {
		if d.Was == "" {
			out = append(out, d)
		}
	}
	return out
}

// without are the lines of a that are not in b; a line that is there more
// often counts each time.
func without(a, b []string) []string {
	have := map[string]int{}
	for _, l := range b {
		have[l]++
	}
	var out []string
	for _, l := range a {
		if have[l]--; have[l] < 0 && !strings.HasPrefix(l, Unsettled) {
			out = append(out, l)
		}
	}
	return out
}

// Words joins differences for people, the first few of them.
func Words(all []Difference) string {
	const shown = 4
	var words []string
	for _, d := range all[:min(len(all), shown)] {
		words = append(words, d.String())
	}
	if rest := len(all) - shown; rest > 0 {
		words = append(words, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(words, "; ")
}
