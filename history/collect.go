package history

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// StreamOf names the stream of an observation's type, given as a value; the
// second result is false if the type is none.
func StreamOf(v any) (string, bool) {
	switch v.(type) {
	case Readiness:
		return StreamReadiness, true
	case Truth:
		return StreamTruth, true
	case Transition:
		return StreamTransition, true
	case Receipt:
		return StreamReceipt, true
	case Dispatch:
		return StreamDispatch, true
	case Server:
		return StreamServer, true
	case BalancerInfo:
		return StreamBalancer, true
	case VIP:
		return StreamVIP, true
	case Engine:
		return StreamEngine, true
	case NodeInfo:
		return StreamNode, true
	case Connections:
		return StreamConnections, true
	case Refusal:
		return StreamRefusal, true
	case LedgerRow:
		return StreamLedger, true
	case Delivery:
		return StreamDelivery, true
	case Upload:
		return StreamUpload, true
	case Download:
		return StreamDownload, true
	case Price:
		return StreamPrice, true
	case KeyUse:
		return StreamKeyUse, true
	case Overlap:
		return StreamOverlap, true
	case Crossing:
		return StreamCrossing, true
	case SessionState:
		return StreamSession, true
	case Leftover:
		return StreamLeftover, true
	case Coverage:
		return StreamCoverage, true
	case Host:
		return StreamHost, true
	case Published:
		return StreamPublished, true
	case Received:
		return StreamReceived, true
	case Link:
		return StreamLink, true
	case FeedRow:
		return StreamFeed, true
	case Tenant:
		return StreamTenant, true
	case JobEffect:
		return StreamJob, true
	case Resumed:
		return StreamResumed, true
	}
	return "", false
}

// Observation are the types that observers report.
type Observation interface {
	Readiness |
		Truth |
		Transition |
		Receipt |
		Dispatch |
		Server |
		BalancerInfo |
		VIP |
		Engine |
		NodeInfo |
		Connections |
		LedgerRow |
		Delivery |
		Upload |
		Download |
		Price |
		KeyUse |
		Overlap |
		Crossing |
		SessionState |
		Leftover |
		Coverage |
		Host |
		Published |
		Received |
		Link |
		FeedRow |
		Tenant |
		JobEffect |
		Resumed |
		Refusal
}

// Observe is the event of an observation at a time of the run. A value that
// JSON cannot carry, as a Host with a NaN, gives an event with Err and no
// data, which makes its stream incomplete.
func Observe[T Observation](at time.Duration, v T) Event {
	stream, _ := StreamOf(v)
	e := Event{At: at, Kind: Observed, Name: stream}
	b, err := json.Marshal(v)
	if err != nil {
		e.Err = fmt.Sprintf("encode %s: %v", stream, err)
		return e
	}
	e.Data = b
	return e
}

// observe takes an observation. One that has an error and no data is the
// observer's confession that it lost something.
func (b *builder) observe(e *Event) error {
	if len(e.Data) == 0 && e.Err != "" {
		c := Coverage{Stream: e.Name, Missed: 1, Reason: e.Err}
		b.h.Coverage = append(b.h.Coverage, At[Coverage]{e.Seq, e.At, c})
		return nil
	}
	if b.hot(e) {
		return nil
	}
	h := b.h
	switch e.Name {
	case StreamReadiness:
		return collect(e, &h.Readiness)
	case StreamTruth:
		return collect(e, &h.Truth)
	case StreamTransition:
		return collect(e, &h.Transitions)
	case StreamReceipt:
		return collect(e, &h.Receipts)
	case StreamDispatch:
		return collect(e, &h.Dispatches)
	case StreamServer:
		return collect(e, &h.Servers)
	case StreamBalancer:
		return collect(e, &h.Balancers)
	case StreamVIP:
		return collect(e, &h.VIPs)
	case StreamEngine:
		return collect(e, &h.Engine)
	}
	return b.observeMore(e)
}

func (b *builder) observeMore(e *Event) error {
	h := b.h
	switch e.Name {
	case StreamNode:
		return collect(e, &h.Nodes)
	case StreamConnections:
		return collect(e, &h.Connections)
	case StreamRefusal:
		return collect(e, &h.Refusals)
	case StreamLedger:
		return collect(e, &h.Ledger)
	case StreamDelivery:
		return collect(e, &h.Deliveries)
	case StreamUpload:
		return collect(e, &h.Uploads)
	case StreamDownload:
		return collect(e, &h.Downloads)
	case StreamPrice:
		return collect(e, &h.Prices)
	case StreamKeyUse:
		return collect(e, &h.KeyUses)
	case StreamOverlap:
		return collect(e, &h.Overlaps)
	case StreamSession:
		return collect(e, &h.Sessions)
	case StreamLeftover:
		return collect(e, &h.Leftovers)
	case StreamCoverage:
		return collect(e, &h.Coverage)
	case StreamHost:
		return collect(e, &h.Host)
	}
	return b.observeClients(e)
}

// observeClients takes what companions of the load see and read.
func (b *builder) observeClients(e *Event) error {
	h := b.h
	switch e.Name {
	case StreamPublished:
		return collect(e, &h.Published)
	case StreamReceived:
		return collect(e, &h.Received)
	case StreamLink:
		return collect(e, &h.Links)
	case StreamFeed:
		return collect(e, &h.Feed)
	case StreamTenant:
		return collect(e, &h.Tenants)
	case StreamJob:
		return collect(e, &h.Jobs)
	case StreamResumed:
		return collect(e, &h.Resumed)
	case StreamCrossing:
		return collect(e, &h.Crossings)
	}
	return fmt.Errorf("%w: stream %q is not known to %s", ErrBadLine, e.Name, Format)
}

func collect[T any](e *Event, to *[]At[T]) error {
	o := At[T]{Seq: e.Seq, Time: e.At}
	if err := data(e, &o.V); err != nil {
		return err
	}
	*to = append(*to, o)
	return nil
}

// sort puts all observations into the order of their times.
func (b *builder) sort() {
	h := b.h
	byTime(h.Readiness)
	byTime(h.Truth)
	byTime(h.Transitions)
	byTime(h.Receipts)
	byTime(h.Dispatches)
	byTime(h.Servers)
	byTime(h.Balancers)
	byTime(h.VIPs)
	byTime(h.Engine)
	byTime(h.Nodes)
	byTime(h.Connections)
	byTime(h.Refusals)
	byTime(h.Ledger)
	byTime(h.Deliveries)
	byTime(h.Uploads)
	byTime(h.Downloads)
	byTime(h.Prices)
	byTime(h.KeyUses)
	byTime(h.Overlaps)
	byTime(h.Sessions)
	byTime(h.Leftovers)
	byTime(h.Coverage)
	byTime(h.Host)
	byTime(h.Published)
	byTime(h.Received)
	byTime(h.Links)
	byTime(h.Feed)
	byTime(h.Tenants)
	byTime(h.Jobs)
	byTime(h.Resumed)
	byTime(h.Crossings)
}

// byTime sorts by time, and by line where the times are equal.
func byTime[T any](s []At[T]) {
	slices.SortFunc(s, func(x, y At[T]) int {
		return cmp.Or(cmp.Compare(x.Time, y.Time), cmp.Compare(x.Seq, y.Seq))
	})
}
