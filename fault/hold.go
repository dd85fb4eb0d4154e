package fault

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// holdAll is more than any pool holds.
const holdAll = 1000

// lose asks the application to lose something of its own: docs/wire.md says
// how. what is "pool" or "threads". One that was asked already is an error,
// before any act: the later number would count, and the first heal end both.
func lose(ctx context.Context, f Fault, nodes []topology.Node, log Recorder, what string, number int) error {
	if err := f.Validate(); err != nil {
		return err
	}
	vs, err := runningHolders(ctx, f.Kind(), nodes)
	if err != nil {
		return err
	}
	err = inTurn(f.Kind(), vs, func(v victim) error {
		there, err := v.has(ctx, "/run/hachaos/hold."+what)
		if err == nil && there {
			err = already("another fault of this kind is in place")
		}
		return err
	})
	if err != nil {
		return err
	}
	const put = `cd /run/hachaos && echo "$2" >"hold.$1.new" && mv "hold.$1.new" "hold.$1"`
	return actOn(f.Kind(), vs, log, ensures(HoldAbsent, map[string]string{"what": what}), func(v victim) error {
		return succeed(v.Exec(ctx, "/bin/sh", "-c", put, "sh", what, strconv.Itoa(number)))
	})
}

// holders are targets whose gauges can be read from beside them.
func holders(kind string, nodes []topology.Node) ([]victim, error) {
	vs, err := victims(kind, nodes, 0, true)
	if err != nil {
		return nil, err
	}
	for _, v := range vs {
		if !v.addr.IsValid() {
			return nil, fmt.Errorf("%s: node %s: %w (a port)", kind, v.Name(), ErrCapability)
		}
	}
	return vs, nil
}

func runningHolders(ctx context.Context, kind string, nodes []topology.Node) ([]victim, error) {
	vs, err := holders(kind, nodes)
	if err != nil {
		return nil, err
	}
	return vs, allRun(ctx, kind, vs)
}

// gauges reads the node's own figures, without labels; nil if it does not
// answer within a second.
func (v victim) gauges(ctx context.Context) (map[string]float64, error) {
	out, err := v.ns.InNamespace(ctx, "curl", "-sS", "--max-time", "1", fmt.Sprintf("http://%s/metrics", v.addr))
	if err != nil {
		return nil, err
	}
	if out.Code != 0 {
		return nil, nil
	}
	return parseGauges(string(out.Stdout)), nil
}

// parseGauges reads Prometheus's text format as far as `name value` goes.
func parseGauges(text string) map[string]float64 {
	all := map[string]float64{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] == "#" {
			continue
		}
		if v, err := strconv.ParseFloat(f[1], 64); err == nil {
			all[f[0]] = v
		}
	}
	return all
}

// seeReturned looks whether the node answers and has nothing lost any more.
func seeReturned(ctx context.Context, v victim, gauge string) (sight, error) {
	s := sight{ok: true}
	g, err := v.gauges(ctx)
	if err != nil {
		return s, err
	}
	if g == nil {
		s.measured = "no answer"
		s.see(false, "the node's figures: no answer")
		return s, nil
	}
	s.measured = fmt.Sprintf("%.0f", g[gauge])
	s.see(g[gauge] == 0, "the node says %s %.0f", gauge, g[gauge])
	return s, nil
}

// ensureNoHold takes the request back. The file outlives the container's end,
// so that one that is down is started for it.
func ensureNoHold(ctx context.Context, n topology.Node, params map[string]string) error {
	what := params["what"]
	if what != "pool" && what != "threads" {
		return fmt.Errorf("%q is nothing that a node can be asked to lose", what)
	}
	if _, ok := n.(topology.Container); ok {
		if err := ensureContainer(ctx, n, nil); err != nil {
			return err
		}
	}
	return succeed(n.Exec(ctx, "rm", "-f", "/run/hachaos/hold."+what, "/run/hachaos/hold."+what+".new"))
}
