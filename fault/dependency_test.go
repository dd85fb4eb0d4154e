package fault

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// asker is an application node from which a service answers by its proxy as is said,
// a line for each request, and straight within a millisecond.
func asker(name, line string) *stub {
	return &stub{name: name, role: topology.Application, state: up, beside: func(argv []string) (topology.Output, error) {
		n := 0
		to := argv[len(argv)-1]
		if _, err := fmt.Sscanf(to[strings.Index(to, "["):], "[1-%d]", &n); err != nil {
			return topology.Output{}, errUnasked
		}
		if strings.Contains(to, ":9100/") {
			return text("%s", strings.Repeat("200 0.001\n", n))
		}
		return text("%s", strings.Repeat(line+"\n", n))
	}}
}

// serviceFor is a service whose proxy listens on port 9101, with those who ask it.
func serviceFor(askers ...*stub) *stub {
	toxi := &stub{name: "toxi", role: topology.Proxy, port: 8474, state: up, beside: func(argv []string) (topology.Output, error) {
		if !slices.Contains(argv, "GET") {
			return topology.Output{}, errUnasked
		}
		return text(`{"name":"price","listen":"0.0.0.0:9101","upstream":"198.18.7.50:9100","enabled":true}`)
	}}
	price := &stub{name: "price", role: topology.Service, state: up, peers: []topology.Node{toxi}}
	for _, a := range askers {
		price.peers = append(price.peers, a)
	}
	return price
}

// TestADependencyFailsForEachNode: what one node of two meets is no proof for the
// other, and what nobody meets is none at all.
func TestADependencyFailsForEachNode(t *testing.T) {
	const refusing, well, slow = "000 0.000", "200 0.001", "200 0.201"
	stopped := asker("j3", well)
	stopped.state = topology.State{}
	for name, tc := range map[string]struct {
		fault  Fault
		askers []*stub
		want   bool
		says   string
	}{
		"down for both":     {DependencyDown{}, []*stub{asker("j1", refusing), asker("j2", refusing)}, true, "3 closed from j1, 3 closed from j2"},
		"down for one":      {DependencyDown{}, []*stub{asker("j1", refusing), asker("j2", well)}, false, "3 closed from j1, 3 answered from j2"},
		"one does not run":  {DependencyDown{}, []*stub{asker("j1", refusing), stopped}, true, "price: 3 closed from j1"},
		"nobody runs":       {DependencyDown{}, []*stub{stopped}, false, "nobody to ask it"},
		"slow for both":     {DependencySlow{Delay: 200 * time.Millisecond}, []*stub{asker("j1", slow), asker("j2", slow)}, true, "200.0 from j1, 200.0 from j2"},
		"slow for one":      {DependencySlow{Delay: 200 * time.Millisecond}, []*stub{asker("j1", slow), asker("j2", well)}, false, "200.0 from j1, 0.0 from j2"},
		"nobody runs to it": {DependencySlow{Delay: 200 * time.Millisecond}, nil, false, "nobody to ask it"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 3*poll)
				defer cancel()
				p, err := tc.fault.Active(ctx, []topology.Node{serviceFor(tc.askers...)})
				require.NoError(t, err)
				require.Equal(t, tc.want, p.OK, "%+v", p)
				require.Contains(t, p.Measured, tc.says)
			})
		})
	}
}
