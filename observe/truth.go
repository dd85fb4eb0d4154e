package observe

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// Names of gauges in the wire contract.
const (
	gaugeWarm     = "hachaos_warm"
	gaugeDatabase = "hachaos_database_reachable"
	gaugeActive   = "hachaos_pool_active"
	gaugeWaiting  = "hachaos_pool_waiting"
	gaugeThreads  = "hachaos_threads_busy"
	gaugeInFlight = "hachaos_requests_in_flight"
)

// staleAfter is how old the node's last look at its database may be when it
// says that it reaches it.
const staleAfter = time.Second

// truth polls a node's own gauges: what it is, whatever its health endpoint
// says.
type truth struct {
	env  env
	node topology.NodeSpec
}

// Name implements Observer.
func (t *truth) Name() string { return "truth " + t.node.Name }

// Observe implements Observer.
func (t *truth) Observe(ctx context.Context, sink history.Sink) error {
	a, clock := &account{stream: history.StreamTruth, source: t.node.Name}, t.env.foreign(t.node.Name)
	p := poller{every: truthEvery, within: answerWithin}
	var told atomic.Bool
	gap := p.run(ctx, func(ctx context.Context) {
		if t.look(ctx, sink, clock, a) {
			told.Store(true)
		}
	})
	if !told.Load() {
		a.lack("%s never told its gauges", t.node.Name)
	}
	a.looked(gap, p.limit())
	clock.judge(a)
	settle(sink, t.env.clock.Now, a)
	return nil
}

// look asks once and says whether the node told its gauges. One that answers
// otherwise, as while it stops, is up and not warm.
func (t *truth) look(ctx context.Context, sink history.Sink, clock *foreign, a *account) (told bool) {
	began := time.Now()
	got, err := get(ctx, t.env.dial(), addr(t.node, t.node.Port, appPort), metricsPath)
	if brokenOff(ctx) {
		return false
	}
	at, v := t.env.clock.At(began), history.Truth{Up: err == nil}
	if err == nil && got.status == 200 {
		samples, err := parseMetrics(got.body)
		if err != nil {
			a.miss(1, "%s: %v", t.node.Name, err)
		}
		by := gauges(samples)
		if _, ok := by[gaugeWarm]; !ok {
			a.miss(1, "%s: %s has no %s; see docs/wire.md", t.node.Name, metricsPath, gaugeWarm)
			return false
		}
		at, v, told = t.asOf(by, began, clock), truthOf(by), true
	}
	v.Node = t.node.Name
	a.saw()
	put(sink, history.StreamTruth, at, t.node.Name, v)
	return told
}

// asOf is when the node looked: the time of its warm gauge, if that lies
// before the end of our own look, else when our look began.
func (t *truth) asOf(by map[string]sample, began time.Time, clock *foreign) time.Duration {
	ms := by[gaugeWarm].millis
	if ms == 0 {
		return t.env.clock.At(began)
	}
	at, within := t.env.wall.Map(time.UnixMilli(ms))
	clock.dates(at, within)
	return min(at, t.env.clock.Now())
}

// truthOf reads the gauges. The database counts as reached only if the node
// looked within staleAfter of its look at warm.
func truthOf(by map[string]sample) history.Truth {
	warm, database := by[gaugeWarm], by[gaugeDatabase]
	age := time.Duration(warm.millis-database.millis) * time.Millisecond
	fresh := warm.millis == 0 || database.millis == 0 || age <= staleAfter
	return history.Truth{
		Up: true, Warm: warm.value == 1, Database: database.value == 1 && fresh,
		Active: int(by[gaugeActive].value), Waiting: int(by[gaugeWaiting].value),
		Threads: int(by[gaugeThreads].value), InFlight: int(by[gaugeInFlight].value),
	}
}
