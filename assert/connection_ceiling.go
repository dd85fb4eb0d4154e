package assert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// ConnectionCeiling expects that the application cannot use up the
// connections of its database, however many nodes it has:
//
//	nodes × connections of a node ≤ max_connections − reserved
//
// It is judged three times: by the configuration, since a pool that is not
// full today is full on the day when the database is slow; by the number of
// connections that the database was observed to have, of which one must be
// left at any time for whoever comes next; and by the connections
// that the database refused, as its own log has them.
//
// The figures of the formula are values of the run (Meta.Values) under the
// names of the Value… constants. The zero value is ready to use.
type ConnectionCeiling struct{}

// Name implements Checker.
func (ConnectionCeiling) Name() string { return "connection-ceiling" }

// About implements Checker.
func (ConnectionCeiling) About() string {
	return "nodes × connections of a node stay within max_connections less the reserved, by the configuration and as observed, and the database refuses no connection for want of room"
}

// Needs implements Checker.
func (ConnectionCeiling) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedStream, Stream: history.StreamConnections},
		{Kind: NeedStream, Stream: history.StreamRefusal},
	}
}

// Check implements Checker. Measured is the larger of what the configuration
// allows and what was observed, in connections.
func (c ConnectionCeiling) Check(h *history.History) Verdict {
	v := Verdict{Name: c.Name(), Op: "<=", Unit: "connections", Evidence: []Evidence{}}
	a := ceilingAudit{h: h}
	if !a.read() {
		v.Summary = "The ceiling could not be computed."
		v.Reasons = append(v.Reasons, a.missing)
		return v
	}
	v.Bound = figure(float64(a.most))
	objectives := []objective{a.configured(&v), a.observed(&v), a.refused(&v)}
	conclude(&v, objectives)
	limitEvidence(&v)
	return v
}

// ceilingAudit is one judgement of a connection ceiling.
type ceilingAudit struct {
	h                *history.History
	nodes, each      int
	max, reserved    int
	most             int // what ordinary roles may have
	missing, formula string
}

// read takes the figures from the run's values.
func (a *ceilingAudit) read() bool {
	for _, n := range a.h.Meta.Nodes {
		if n.Role == roleApplication {
			a.nodes++
		}
	}
	if a.nodes == 0 {
		a.missing = "the run has no application node"
		return false
	}
	for _, value := range []struct {
		name string
		to   *int
	}{{ValueNodeConnections, &a.each}, {ValueMaxConnections, &a.max}, {ValueReserved, &a.reserved}} {
		i := slices.IndexFunc(a.h.Meta.Values, func(v history.Value) bool { return v.Name == value.name })
		if i < 0 {
			a.missing = fmt.Sprintf("the topology states no value %q", value.name)
			return false
		}
		n, err := strconv.Atoi(a.h.Meta.Values[i].Value)
		if err != nil || n < 0 {
			a.missing = fmt.Sprintf("the value %q is %q, which is no number of connections", value.name, a.h.Meta.Values[i].Value)
			return false
		}
		*value.to = n
	}
	a.most = a.max - a.reserved
	a.formula = fmt.Sprintf("%d nodes × %d = %d, of max_connections %d − %d reserved = %d", a.nodes, a.each, a.nodes*a.each, a.max, a.reserved, a.most)
	return true
}

func (a *ceilingAudit) fix() string {
	words := fmt.Sprintf("let the pool's size be at most (%d / %d nodes) less the probes, or raise max_connections", a.most, a.nodes)
	return valueFix(a.h, words, ValueNodeConnections, ValuePoolSize, ValueMaxConnections)
}

// configured judges what the nodes may come to.
func (a *ceilingAudit) configured(v *Verdict) objective {
	sum := a.nodes * a.each
	v.Measured = figure(float64(sum))
	v.Measures = append(v.Measures, Measure{Name: "by the configuration", Value: float64(sum), Unit: "connections", Bound: figure(float64(a.most)), Note: a.formula})
	o := objective{name: "configuration", text: a.formula, status: Pass, fix: a.fix()}
	if sum > a.most {
		o.status = Fail
		v.Evidence = append(v.Evidence, Evidence{Class: "ceiling", Text: "by the configuration: " + a.formula})
	}
	return o
}

// observed judges the most that the database had. The harness's own stay out:
// it uses the reserved ones.
func (a *ceilingAudit) observed(v *Verdict) objective {
	o := objective{name: "observed", fix: a.fix()}
	known, peak, at := 0, -1, history.At[history.Connections]{}
	for _, s := range a.h.Connections {
		if !s.V.Known {
			continue
		}
		known++
		if used := s.V.Total - s.V.By[harnessName]; used > peak {
			peak, at = used, s
		}
	}
	if known == 0 {
		o.reason = "the database's connections were never observed"
		return o
	}
	v.Measured = figure(max(*v.Measured, float64(peak)))
	o.text = fmt.Sprintf("the database had at most %s", count(peak, "connection"))
	v.Measures = append(v.Measures, Measure{Name: "observed", Value: float64(peak), Unit: "connections", Bound: figure(float64(a.most - 1)), Note: fmt.Sprintf("the most in %d samples, %s", known, sayMoment(at.Time))})
	o.status = Pass
	if peak >= a.most {
		o.status = Fail
		v.Bound = figure(float64(a.most - 1))
		o.text = fmt.Sprintf("the database had %s of %d: there was no room for another", count(peak, "connection"), a.most)
		v.Evidence = append(v.Evidence, Evidence{Seq: at.Seq, At: at.Time, Class: "ceiling", Text: o.text + ": " + sayHolders(at.V.By)})
	}
	return o
}

// harnessName is the session name of whoever observes.
const harnessName = "hachaos"

// sayHolders lists who has connections, most first.
func sayHolders(by map[string]int) string {
	var names []string
	for n := range by {
		if n != harnessName {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, func(x, y string) int {
		if by[x] != by[y] {
			return by[y] - by[x]
		}
		return strings.Compare(x, y)
	})
	for i, n := range names {
		names[i] = fmt.Sprintf("%s %d", n, by[n])
	}
	return strings.Join(names, ", ")
}

// refused judges the connections that the database had no room for.
func (a *ceilingAudit) refused(v *Verdict) objective {
	n := len(a.h.Refusals)
	v.Measures = append(v.Measures, Measure{Name: "refused", Value: float64(n), Unit: "connections", Bound: figure(0)})
	o := objective{name: "refused", status: Pass, text: "the database refused none for want of room", fix: a.fix()}
	if n == 0 {
		return o
	}
	first := a.h.Refusals[0]
	var last time.Duration
	for _, r := range a.h.Refusals {
		last = max(last, r.Time)
	}
	o.status = Fail
	o.text = fmt.Sprintf("the database refused %s for want of room, from %.1f s to %.1f s", count(n, "connection"), first.Time.Seconds(), last.Seconds())
	v.Evidence = append(v.Evidence, Evidence{Seq: first.Seq, At: first.Time, Node: first.V.Node, Class: "refused", Text: o.text + ": " + first.V.Text})
	return o
}
