package assert_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// info is a try that nobody knows the outcome of.
func info(class, node string) history.Try {
	return history.Try{Outcome: history.Info, Error: class, Node: node}
}

func measure(t *testing.T, v assert.Verdict, name string) float64 {
	t.Helper()
	for _, m := range v.Measures {
		if m.Name == name {
			return m.Value
		}
	}
	require.Failf(t, "no such measure", "%q in %v", name, v.Measures)
	return 0
}

func TestWriteLedger(t *testing.T) {
	type want struct {
		status    assert.Status
		violating float64
		class     string // of the first evidence
		op        uint64
		texts     []string // all in the first evidence
		measures  map[string]float64
		idle      bool // not exercised
	}
	order := func(b *historytest.Builder) *historytest.Op { return b.Op(history.OpOrder, 10*ms) }
	tests := []struct {
		name  string
		build func(*historytest.Builder)
		want  want
	}{
		{"once, with no occasion", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).Value(7).OK(), 1, "j1")
		}, want{status: assert.Pass, idle: true, measures: map[string]float64{"once": 1, "orders": 1}}},
		{"once, after a client's retry", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).Value(7).Try(info(history.ErrReset, "j2")).Replayed().OK(), 1, "j2")
		}, want{status: assert.Pass, measures: map[string]float64{
			"once": 1, "client retries": 1, "unknown outcomes": 1, "replayed answers": 1,
		}}},
		{"once, after a balancer's retry", func(b *historytest.Builder) {
			op := order(b).Value(7).OK()
			b.See(20*ms, history.Dispatch{Balancer: "lb1", Op: op, Attempt: 1, Key: "k-1", Server: "j1", Status: 201, Retries: 1, Redispatched: true})
			b.Row(sec, 7, op, 1, "j1")
		}, want{status: assert.Pass, measures: map[string]float64{"balancer retries": 1}}},
		{"recovered after an unknown outcome", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).Info(history.ErrEOF), 1, "j2")
		}, want{status: assert.Pass, measures: map[string]float64{"recovered": 1, "unknown outcomes": 1}}},
		{"applied though refused", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).Status(503).Fail(history.ErrStatus), 1, "j2")
		}, want{
			status: assert.Fail, violating: 1, class: "applied though refused", op: 1, measures: map[string]float64{"recovered": 0},
			texts: []string{"failed (status): the ledger has 1 row", "although its client was told that it was not applied"},
		}},
		{"applied though refused, where a balancer's retry never reached the first node", func(b *historytest.Builder) {
			op := order(b).Status(503).Fail(history.ErrStatus)
			b.See(15*ms, history.Dispatch{Balancer: "lb1", Op: op, Attempt: 1, Key: "k-1", Server: "j1", Status: 503, Retries: 1, Redispatched: true})
			b.See(16*ms, history.Receipt{Node: "j1", What: "arrive", Op: op, Attempt: 1, Key: "k-1"})
			b.Row(sec, 7, op, 1, "j1")
		}, want{status: assert.Fail, violating: 1, class: "applied though refused", op: 1}},
		{"applied though refused twice", func(b *historytest.Builder) {
			op := order(b).Try(history.Try{Outcome: history.Fail, Status: 503, Error: history.ErrStatus}).Status(503).Fail(history.ErrStatus)
			b.Row(sec, 7, op, 1, "j2")
			b.See(15*ms, history.Receipt{Node: "j2", What: "arrive", Op: op, Attempt: 1, Key: "k-1"})
			b.See(25*ms, history.Receipt{Node: "j2", What: "arrive", Op: op, Attempt: 2, Key: "k-1"})
		}, want{status: assert.Fail, violating: 1, class: "applied though refused", op: 1}},
		{"recovered by a refusal after an unknown outcome", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).Try(info(history.ErrReset, "j2")).Status(503).Fail(history.ErrStatus), 1, "j2")
		}, want{status: assert.Pass, measures: map[string]float64{"recovered": 1, "unknown outcomes": 1}}},
		{"recovered: a balancer sent it again, and the second node refused it", func(b *historytest.Builder) {
			op := order(b).Status(503).Fail(history.ErrStatus)
			b.See(15*ms, history.Receipt{Node: "j2", What: "arrive", Op: op, Attempt: 1, Key: "k-1"})
			b.See(25*ms, history.Receipt{Node: "j1", What: "arrive", Op: op, Attempt: 1, Key: "k-1"})
			b.Row(sec, 7, op, 1, "j2")
		}, want{status: assert.Pass, measures: map[string]float64{"recovered": 1, "sent again by a balancer": 1}}},
		{"recovered: a balancer says that it sent it again", func(b *historytest.Builder) {
			op := order(b).Status(503).Fail(history.ErrStatus)
			b.See(20*ms, history.Dispatch{Balancer: "lb1", Op: op, Attempt: 1, Key: "k-1", Server: "j1", Status: 503, Retries: 1})
			b.Row(sec, 7, op, 1, "j2")
		}, want{status: assert.Pass, measures: map[string]float64{"recovered": 1}}},
		{"refused under a key that another order has", func(b *historytest.Builder) {
			op := order(b).Key("k").Info(history.ErrTimeout)
			order(b).Key("k").Status(409).Fail(history.ErrConflict)
			b.Row(sec, 7, op, 1, "j1")
		}, want{status: assert.Pass, measures: map[string]float64{"recovered": 1}}},
		{"indeterminate", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).Value(7).OK(), 1, "j1")
			order(b).Info(history.ErrTimeout)
		}, want{status: assert.Pass, measures: map[string]float64{"indeterminate": 1}}},
		{"recovered, though no byte was seen to leave", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).NotSent().Info(history.ErrReset), 1, "j2")
		}, want{status: assert.Pass, measures: map[string]float64{"recovered": 1}}},
		{"a redispatch is a retry", func(b *historytest.Builder) {
			op := order(b).Value(7).OK()
			b.See(20*ms, history.Dispatch{Balancer: "lb1", Op: op, Attempt: 1, Key: "k-1", Server: "j1", Status: 201, Redispatched: true})
			b.Row(sec, 7, op, 1, "j1")
		}, want{status: assert.Pass, measures: map[string]float64{"balancer retries": 1}}},
		{"never completed, applied", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).Open(), 1, "j1")
		}, want{status: assert.Pass, measures: map[string]float64{"recovered": 1}}},
		{"refused and not sent", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).Value(7).OK(), 1, "j1")
			order(b).Status(503).Fail(history.ErrStatus)
			order(b).NotSent().Fail(history.ErrNotSent)
		}, want{status: assert.Pass, idle: true, measures: map[string]float64{"refused": 1, "not sent": 1}}},
		{"lost", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).Value(7).OK(), 1, "j1")
			order(b).Value(8).On("j2").OK()
		}, want{status: assert.Fail, violating: 1, class: "lost", op: 2, texts: []string{
			`order op 2, key "k-2", acknowledged as order 8 by j2: the ledger has no such row`,
		}}},
		{"lost, though the node logged its commit", func(b *historytest.Builder) {
			op := order(b).Value(8).OK()
			b.See(30*ms, history.Receipt{Node: "j1", What: "commit", Op: op, Attempt: 1, Key: "k-1", Order: 8})
		}, want{
			status: assert.Fail, violating: 1, class: "lost", op: 1, texts: []string{"j1 logged commit of 1.1 as order 8"},
			measures: map[string]float64{"committed but absent": 1},
		}},
		{"duplicate by a client's retry", func(b *historytest.Builder) {
			op := order(b).Value(8).Try(info(history.ErrReset, "j2")).OK()
			b.Row(sec, 7, op, 1, "j2").Row(sec, 8, op, 2, "j1")
			b.See(15*ms, history.Receipt{Node: "j2", What: "commit", Op: op, Attempt: 1, Key: "k-1", Order: 7})
		}, want{status: assert.Fail, violating: 1, class: "duplicate", op: 1, texts: []string{
			"the ledger has 2 rows: order 7 (op 1.1 on j2), order 8 (op 1.2 on j1)",
			"the client made 2 attempts (first 1.1 reset at j2)", "j2 logged commit of 1.1 as order 7",
		}}},
		{"duplicate by the balancer", func(b *historytest.Builder) {
			op := order(b).Value(8).OK()
			b.Row(sec, 7, op, 1, "j2").Row(sec, 8, op, 1, "j1")
			b.See(10*ms, history.Dispatch{Balancer: "lb1", Op: op, Attempt: 1, Key: "k-1", Server: "j1", Status: 201, Retries: 1, Redispatched: true})
		}, want{status: assert.Fail, violating: 1, class: "duplicate", op: 1, texts: []string{"lb1 sent 1.1 again (1 retry), last to j1"}}},
		{"duplicate of an unknown outcome", func(b *historytest.Builder) {
			op := order(b).Info(history.ErrTimeout)
			b.Row(sec, 7, op, 1, "j2").Row(sec, 8, op, 1, "j2").Row(sec, 9, op, 1, "j2")
		}, want{status: assert.Fail, violating: 1, class: "duplicate", op: 1}},
		{"phantom: the operation was never sent", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).NotSent().Fail(history.ErrRefused), 1, "j2")
		}, want{status: assert.Fail, violating: 1, class: "phantom", op: 1, texts: []string{"although nothing of it was sent"}}},
		{"phantom: nobody knows the key", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).Value(7).OK(), 1, "j1")
			b.See(sec, history.LedgerRow{Order: 8, Key: "k-99", Op: 99, Attempt: 1, Node: "j2"})
		}, want{status: assert.Fail, violating: 1, class: "phantom", op: 99, texts: []string{`under key "k-99", which no client sent`}}},
		{"phantom: another key for an operation", func(b *historytest.Builder) {
			op := order(b).Value(7).OK()
			b.Row(sec, 7, op, 1, "j1").See(sec, history.LedgerRow{Order: 8, Key: "other", Op: op, Attempt: 1, Node: "j2"})
		}, want{status: assert.Fail, violating: 1, class: "phantom", op: 1}},
		{"never sent by the client, but a node saw it", func(b *historytest.Builder) {
			op := order(b).NotSent().Fail(history.ErrRefused)
			b.Row(sec, 7, op, 1, "j2").See(15*ms, history.Receipt{Node: "j2", What: "arrive", Op: op, Attempt: 1, Key: "k-1"})
			b.Row(sec, 8, order(b).Value(8).OK(), 1, "j1")
		}, want{status: assert.Inconclusive, measures: map[string]float64{"indeterminate": 1, "phantom": 0}}},
		{"never sent by the client, but a node saw it, and the ledger has nothing of it", func(b *historytest.Builder) {
			op := order(b).NotSent().Fail(history.ErrRefused)
			b.See(15*ms, history.Receipt{Node: "j2", What: "arrive", Op: op, Attempt: 1, Key: "k-1"})
			b.Row(sec, 8, order(b).Value(8).OK(), 1, "j1")
		}, want{status: assert.Pass, measures: map[string]float64{"not sent": 1, "once": 1}}},
		{"a row of another client", func(b *historytest.Builder) {
			b.Row(sec, 7, order(b).Value(7).OK(), 1, "j1").See(sec, history.LedgerRow{Order: 8, Key: "theirs", Node: "j2"})
		}, want{status: assert.Pass, idle: true, measures: map[string]float64{"foreign rows": 1}}},
		{"a row of an earlier run on a standing topology", func(b *historytest.Builder) {
			b.Meta(func(m *history.Meta) { m.Standing = true })
			b.Row(sec, 7, order(b).Value(7).OK(), 1, "j1").See(sec, history.LedgerRow{Order: 3, Key: "old-1", Op: 1, Attempt: 1, Node: "j2"})
		}, want{status: assert.Pass, idle: true, measures: map[string]float64{"foreign rows": 1}}},
		{"conflict: the answer names another order", func(b *historytest.Builder) {
			b.Row(sec, 9, order(b).Value(7).OK(), 1, "j1")
		}, want{status: assert.Fail, violating: 1, class: "conflict", op: 1, texts: []string{"acknowledged as order 7", "order 9 (op 1.1 on j1)"}}},
		{"conflict: two answers to one key", func(b *historytest.Builder) {
			op := order(b).Key("k").Value(7).OK()
			order(b).Key("k").Value(8).OK()
			b.Row(sec, 7, op, 1, "j1")
		}, want{status: assert.Fail, violating: 1, class: "conflict", op: 1}},
		{"the same answer to one key twice", func(b *historytest.Builder) {
			op := order(b).Key("k").Value(7).OK()
			order(b).Key("k").Value(7).Replayed().OK()
			b.Row(sec, 7, op, 1, "j1")
		}, want{status: assert.Pass, idle: true, measures: map[string]float64{"once": 1, "orders": 2}}},
		{"409 to a key in use", func(b *historytest.Builder) {
			op := order(b).Key("k").Value(7).OK()
			order(b).Key("k").Status(409).Fail(history.ErrConflict)
			b.Row(sec, 7, op, 1, "j1")
		}, want{status: assert.Pass, idle: true, measures: map[string]float64{"conflict answers": 1}}},
		{"orders without keys are joined by number", func(b *historytest.Builder) {
			one, two := order(b).Key("").Value(7).OK(), order(b).Key("").Value(8).OK()
			b.Row(sec, 7, one, 1, "j1").Row(sec, 8, two, 1, "j1").Row(sec, 9, two, 1, "j2")
		}, want{status: assert.Fail, violating: 1, class: "duplicate", op: 2}},
		{"no order at all", func(b *historytest.Builder) {
			b.Op(history.OpLogin, 0).New().OK()
		}, want{status: assert.Inconclusive, idle: true}},
		{"no order came through", func(b *historytest.Builder) {
			order(b).Info(history.ErrTimeout)
		}, want{status: assert.Inconclusive, idle: true}},
		{"worst first", func(b *historytest.Builder) {
			order(b).Value(1).OK()
			two, three := order(b).Value(2).OK(), order(b).Value(3).OK()
			b.Row(sec, 2, two, 1, "j1").Row(sec, 4, two, 1, "j1")
			b.Row(sec, 3, three, 1, "j1").Row(sec, 5, three, 1, "j1").Row(sec, 6, three, 1, "j1")
		}, want{status: assert.Fail, violating: 3, class: "duplicate", op: 3, measures: map[string]float64{"lost": 1, "duplicate": 2}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := historytest.New()
			tt.build(b)
			b.Covered(2*sec, history.StreamLedger, history.StreamDispatch, history.StreamReceipt)
			v := assert.WriteLedger{}.Check(b.Build(t))
			require.Equal(t, tt.want.status, v.Status, "%s %v %v", v.Summary, v.Reasons, v.Evidence)
			require.Equal(t, tt.want.idle, v.NotExercised, v.Summary)
			require.Equal(t, tt.want.status == assert.Fail, v.Safety)
			if v.Status != assert.Inconclusive {
				require.Equal(t, tt.want.violating, *v.Measured)
			}
			if tt.want.class != "" {
				require.Equal(t, tt.want.class, v.Evidence[0].Class)
				require.Equal(t, tt.want.op, v.Evidence[0].Op)
			}
			for _, text := range tt.want.texts {
				require.Contains(t, v.Evidence[0].Text, text)
			}
			for name, value := range tt.want.measures {
				require.Equal(t, value, measure(t, v, name), name)
			}
		})
	}
}

// Without all receipts nobody knows whether a balancer sent an order again
// that was applied and refused.
func TestWriteLedgerWithoutReceipts(t *testing.T) {
	b := historytest.New()
	b.Row(sec, 7, b.Op(history.OpOrder, 10*ms).Status(503).Fail(history.ErrStatus), 1, "j2")
	v := assert.WriteLedger{}.Check(b.Covered(2*sec, history.StreamLedger, history.StreamDispatch).Build(t))
	require.Equal(t, assert.Inconclusive, v.Status, v.Summary)
	require.Contains(t, v.Reasons[0], "1 order refused and in the ledger all the same")
}

// A scenario that is about an occasion has no verdict without it.
func TestWriteLedgerRequires(t *testing.T) {
	plain := func(b *historytest.Builder) {
		op := b.Op(history.OpOrder, 10*ms).Value(7).OK()
		b.See(11*ms, history.Receipt{Node: "j1", What: "arrive", Op: op, Attempt: 1, Key: "k-1"})
		b.Row(sec, 7, op, 1, "j1")
	}
	retried := func(b *historytest.Builder) {
		op := b.Op(history.OpOrder, 10*ms).Value(7).Try(info(history.ErrReset, "j2")).Replayed().OK()
		b.See(11*ms, history.Receipt{Node: "j2", What: "arrive", Op: op, Attempt: 1, Key: "k-1"})
		b.See(200*ms, history.Receipt{Node: "j1", What: "arrive", Op: op, Attempt: 2, Key: "k-1"})
		b.Row(sec, 7, op, 1, "j2")
	}
	resent := func(b *historytest.Builder) {
		op := b.Op(history.OpOrder, 10*ms).Value(7).Replayed().OK()
		b.See(11*ms, history.Receipt{Node: "j2", What: "arrive", Op: op, Attempt: 1, Key: "k-1"})
		b.See(12*ms, history.Receipt{Node: "j1", What: "arrive", Op: op, Attempt: 1, Key: "k-1"})
		b.Row(sec, 7, op, 1, "j2")
	}
	for _, tc := range []struct {
		name, require string
		build         func(*historytest.Builder)
		want          assert.Status
	}{
		{"unknown, none", assert.RequireUnknown, plain, assert.Inconclusive},
		{"unknown, met", assert.RequireUnknown, retried, assert.Pass},
		{"resent, none", assert.RequireResent, plain, assert.Inconclusive},
		{"resent, only by the client", assert.RequireResent, retried, assert.Inconclusive},
		{"resent, met", assert.RequireResent, resent, assert.Pass},
		{"what there is not", "luck", resent, assert.Inconclusive},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := historytest.New()
			tc.build(b)
			b.Covered(2*sec, history.StreamLedger)
			v := assert.WriteLedger{Require: tc.require}.Check(b.Build(t))
			require.Equal(t, tc.want, v.Status, v.Summary)
			require.Equal(t, tc.want == assert.Inconclusive, v.NotExercised)
		})
	}
}

func TestWriteLedgerWithoutAWholeLedger(t *testing.T) {
	b := historytest.New()
	b.Op(history.OpOrder, 0).Value(7).OK()
	dup := b.Op(history.OpOrder, 0).Value(8).OK()
	b.See(sec, history.Coverage{Stream: history.StreamLedger, Reason: "the database went away"})

	v := assert.WriteLedger{}.Check(b.Build(t))
	require.Equal(t, assert.Inconclusive, v.Status, "a write may not be called lost")
	require.Nil(t, v.Measured)
	require.Equal(t, []string{"observer complete (ledger): the database went away"}, v.Reasons)

	b.Row(sec, 8, dup, 1, "j1").Row(sec, 9, dup, 1, "j2")
	v = assert.Judge(b.Build(t), []assert.Checker{assert.WriteLedger{}})[0]
	require.Equal(t, assert.Fail, v.Status, "two rows are positive evidence, however many are missing")
	require.Equal(t, 0.0, measure(t, v, "lost"))
	require.Equal(t, 1.0, measure(t, v, "indeterminate"))
}

func TestWriteLedgerNamesTheSetting(t *testing.T) {
	b := historytest.New()
	b.Meta(func(m *history.Meta) {
		m.Values = []history.Value{{Name: assert.ValueDedupe, Value: "off", File: "application.properties"}}
	})
	op := b.Op(history.OpOrder, 0).Value(7).OK()
	b.Row(sec, 7, op, 1, "j1").Row(sec, 8, op, 1, "j1").Covered(sec, history.StreamLedger)
	v := assert.WriteLedger{}.Check(b.Build(t))
	require.Contains(t, v.Fix, "dedupe = off in application.properties")
}
