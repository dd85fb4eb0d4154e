package trust

import (
	"context"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// clocks are mutants of what dates the things that hachaos hears of.
func clocks() []Mutant {
	nodeKilled := control("node-killed", killed)
	return []Mutant{
		{
			Name: "engine-clock-off", Title: "The engine's clock is two seconds off from hachaos's: behind, ahead.",
			Stands:  "an engine on another machine, or in a virtual one that was suspended, whose time service does not run",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete (engine)", "the clock of the engine is ", "hachaos's", "its times cannot be trusted"},
			Run: each(killed, []string{"-2s", "2s"}, func(m *memory, name string) {
				by, _ := time.ParseDuration(name)
				m.cluster = func(c *fake.Cluster) topology.Cluster {
					return skewed{nodes{c, func(n node) topology.Node { return skewedNode{n, by} }}, by}
				}
			}),
		},
		{
			Name: "component-clock-off", Title: "A component's clock is two seconds off from hachaos's, ahead or behind: a balancer's, a node's.",
			Stands:  "a component on another machine, or one with a clock of its own",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete", "the clock of ", "hachaos's", "its times cannot be trusted"},
			Run: each(killed, []string{"lb1 2s", "lb1 -2s", "j1 2s", "j1 -2s"}, func(m *memory, which string) {
				name, off, _ := strings.Cut(which, " ")
				by, _ := time.ParseDuration(off)
				m.cluster = func(c *fake.Cluster) topology.Cluster {
					return logs{c, name, func(_ context.Context, w io.Writer) io.Writer { return redated{to: w, by: by} }, nil}
				}
			}),
		},
		{
			Name: "component-clock-set-back", Title: "A component's clock is set back by two seconds when the fault comes: a balancer's, a node's.",
			Stands:  "a time service that corrects what a suspended machine had wrong",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete", "the clock of ", "its times cannot be trusted"},
			Run: each(killed, []string{"lb1", "j2"}, func(m *memory, name string) {
				var set atomic.Bool
				m.at = map[string]func(){broken: func() { set.Store(true) }}
				m.cluster = func(c *fake.Cluster) topology.Cluster {
					return logs{c, name, func(_ context.Context, w io.Writer) io.Writer {
						return redated{to: w, by: -2 * time.Second, when: &set}
					}, nil}
				}
			}),
		},
	}
}

// skewed is a cluster whose engine has another clock.
type skewed struct {
	nodes
	by time.Duration
}

func (s skewed) Events(ctx context.Context, since time.Time) (<-chan topology.EngineEvent, func() error) {
	return changed(ctx, s.Cluster, since.Add(-s.by), func(e topology.EngineEvent) (topology.EngineEvent, bool) {
		e.Wall = e.Wall.Add(s.by)
		return e, true
	})
}

// skewedNode is a node of such a cluster.
type skewedNode struct {
	node
	by time.Duration
}

func (s skewedNode) Inspect(ctx context.Context) (topology.State, error) {
	state, err := s.node.Inspect(ctx)
	for _, t := range []*time.Time{&state.StartedAt, &state.FinishedAt} {
		if !t.IsZero() {
			*t = t.Add(s.by)
		}
	}
	return state, err
}

// changed are the engine's events as change has them.
func changed(ctx context.Context, c *fake.Cluster, since time.Time, change func(topology.EngineEvent) (topology.EngineEvent, bool)) (<-chan topology.EngineEvent, func() error) {
	in, err := c.Events(ctx, since)
	out := make(chan topology.EngineEvent)
	go func() {
		defer close(out)
		for e := range in {
			if e, ok := change(e); ok {
				select {
				case out <- e:
				case <-ctx.Done():
				}
			}
		}
	}()
	return out, err
}

// redated moves the times of a log's lines.
type redated struct {
	to   io.Writer
	by   time.Duration
	when *atomic.Bool // nil: always
}

var dated = regexp.MustCompile(`"at":("?)([0-9]+)`)

func (r redated) Write(line []byte) (int, error) {
	if r.when != nil && !r.when.Load() {
		return r.to.Write(line)
	}
	moved := dated.ReplaceAllStringFunc(string(line), func(text string) string {
		m := dated.FindStringSubmatch(text)
		at, _ := strconv.ParseInt(m[2], 10, 64)
		return `"at":` + m[1] + strconv.FormatInt(at+r.by.Microseconds(), 10)
	})
	_, err := io.WriteString(r.to, moved)
	return len(line), err
}
