package observe

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// Paths of the wire contract that observers ask for.
const (
	livePath    = "/health/live"
	readyPath   = "/health/ready"
	metricsPath = "/metrics"
	appPort     = 8080
)

// answerWithin bounds one look at a node.
const answerWithin = time.Second

// health polls a node's two health endpoints, as a balancer would.
type health struct {
	env  env
	node topology.NodeSpec
}

// Name implements Observer.
func (h *health) Name() string { return "health " + h.node.Name }

// Observe implements Observer.
func (h *health) Observe(ctx context.Context, sink history.Sink) error {
	a := &account{stream: history.StreamReadiness, source: h.node.Name}
	p := poller{every: healthEvery, within: answerWithin}
	ready := cmp.Or(h.node.Ready, readyPath)
	live := make(chan time.Duration)
	go func() {
		live <- p.run(ctx, func(ctx context.Context) { h.look(ctx, sink, a, "live", livePath) })
	}()
	gap := p.run(ctx, func(ctx context.Context) { h.look(ctx, sink, a, "ready", ready) })
	a.looked(max(gap, <-live), p.limit())
	settle(sink, h.env.clock.Now, a)
	return nil
}

// look asks once. A look that the run's end broke off says nothing.
func (h *health) look(ctx context.Context, sink history.Sink, a *account, probe, path string) {
	began := time.Now()
	got, err := get(ctx, h.env.dial(), addr(h.node, h.node.Port, appPort), path)
	if brokenOff(ctx) {
		return
	}
	r := history.Readiness{Node: h.node.Name, Probe: probe, Took: time.Since(began)}
	if err != nil {
		r.Reason = why(err)
	} else {
		r.Status, r.Up = got.status, got.status == 200
		r.Reason = healthReason(got)
	}
	a.saw()
	put(sink, history.StreamReadiness, h.env.clock.At(began), h.node.Name, r)
}

// healthReason is why a health answer says no; empty if it says yes or gives
// no reason.
func healthReason(got answer) string {
	var body struct{ Reason string }
	if got.status == 200 || json.Unmarshal(got.body, &body) != nil {
		return ""
	}
	return body.Reason
}
