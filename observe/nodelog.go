package observe

import (
	"context"

	"github.com/hachaos/hachaos/history"
)

// nodeLog follows an application node's log: its receipts and transitions.
type nodeLog struct {
	env  env
	node string
}

// Name implements Observer.
func (n *nodeLog) Name() string { return "log " + n.node }

// Observe implements Observer. What a killed node had not yet written never
// happened for it: a receipt is written before the work, so that the stream
// stays complete.
func (n *nodeLog) Observe(ctx context.Context, sink history.Sink) error {
	receipts := &account{stream: history.StreamReceipt, source: n.node}
	transitions := &account{stream: history.StreamTransition, source: n.node}
	clock := n.env.foreign(n.node)
	err := follow(ctx, n.env, n.node, func(line []byte) {
		n.read(line, sink, clock, receipts, transitions)
	}, receipts, transitions)
	clock.judge(receipts, transitions)
	settle(sink, n.env.clock.Now, receipts, transitions)
	return err
}

// read takes one line. One that is ours and not understood may have been of
// either stream.
func (n *nodeLog) read(line []byte, sink history.Sink, clock *foreign, receipts, transitions *account) {
	if !ours(line) {
		return
	}
	got, err := parseNodeLine(line)
	switch {
	case err != nil:
		receipts.miss(1, "%s.log: %v", n.node, err)
		transitions.miss(1, "%s.log: %v", n.node, err)
	case got.receipt != nil:
		receipts.saw()
		at, span := n.env.span(got.at, withinLog)
		clock.dates(at, span.Within)
		got.receipt.Span = span
		put(sink, history.StreamReceipt, at, n.node, got.receipt)
	case got.transition != nil:
		transitions.saw()
		at, span := n.env.span(got.at, withinLog)
		clock.dates(at, span.Within)
		got.transition.Span = span
		put(sink, history.StreamTransition, at, n.node, got.transition)
	}
}

// plainLog keeps the log of a component that says nothing of the wire
// contract.
type plainLog struct {
	env  env
	node string
}

// Name implements Observer.
func (p *plainLog) Name() string { return "log " + p.node }

// Observe implements Observer.
func (p *plainLog) Observe(ctx context.Context, sink history.Sink) error {
	a := &account{stream: StreamLog, source: p.node}
	err := follow(ctx, p.env, p.node, func([]byte) { a.saw() }, a)
	settle(sink, p.env.clock.Now, a)
	return err
}
