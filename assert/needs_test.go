package assert_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// reads adds n reads of 10 ms, 10 ms apart; the last bad of them fail, and
// the last slow of them take a second.
func reads(b *historytest.Builder, n, bad, slow int) {
	for i := range n {
		op := b.Op(history.OpSessionRead, time.Duration(i)*10*ms)
		switch {
		case i >= n-bad:
			op.Status(503).Fail(history.ErrStatus)
		case i >= n-bad-slow:
			op.End(time.Duration(i)*10*ms + sec).OK()
		default:
			op.OK()
		}
	}
}

func TestNeeds(t *testing.T) {
	stream := assert.Need{Kind: assert.NeedStream, Stream: history.StreamLedger}
	kill := func(b *historytest.Builder) *historytest.Fault { return b.Fault("instance-kill", sec, "j2") }
	weak := history.Proof{Asked: "100", Measured: "10", Unit: "ms"}
	tests := []struct {
		name  string
		need  assert.Need
		build func(*historytest.Builder)
		want  string // empty: met
	}{
		{"fault: proven", assert.Need{Kind: assert.NeedFault}, func(b *historytest.Builder) { kill(b).Active(sec) }, ""},
		{"fault: none", assert.Need{Kind: assert.NeedFault}, func(*historytest.Builder) {}, "fault proven: no fault was injected"},
		{"fault: never looked at", assert.Need{Kind: assert.NeedFault}, func(b *historytest.Builder) { kill(b) }, "fault proven: instance-kill on j2 was never observed to bite"},
		{"fault: too weak", assert.Need{Kind: assert.NeedFault}, func(b *historytest.Builder) { kill(b).Proof(sec, weak) }, "fault proven: instance-kill on j2 did not bite as asked: asked 100 ms, measured 10 ms"},
		{"fault: the second of two", assert.Need{Kind: assert.NeedFault}, func(b *historytest.Builder) { kill(b).Active(sec); kill(b) }, "fault proven: instance-kill on j2 was never observed to bite"},
		{"fault: still there before the undo", assert.Need{Kind: assert.NeedFault}, func(b *historytest.Builder) { kill(b).Active(sec).Held(2*sec, history.Proof{OK: true}) }, ""},
		{"fault: over before the undo", assert.Need{Kind: assert.NeedFault}, func(b *historytest.Builder) {
			kill(b).Active(sec).Held(2*sec, history.Proof{Asked: "down", Measured: "up"})
		}, "fault proven: instance-kill on j2 did not last until its undo: asked down, measured up"},
		{"fault: no target", assert.Need{Kind: assert.NeedFault}, func(b *historytest.Builder) { b.Fault("instance-kill", sec).Active(sec) }, "fault proven: instance-kill had no target"},
		{"fault: the act failed", assert.Need{Kind: assert.NeedFault}, func(b *historytest.Builder) { kill(b).Active(sec).Error(sec, "no such container", false) }, "fault proven: instance-kill on j2 failed: no such container"},
		{"heal: proven", assert.Need{Kind: assert.NeedHeal}, func(b *historytest.Builder) { kill(b).Active(sec).Heal(sec).Healed(sec) }, ""},
		{"heal: none", assert.Need{Kind: assert.NeedHeal}, func(*historytest.Builder) {}, "heal proven: no fault was injected"},
		{"heal: never", assert.Need{Kind: assert.NeedHeal}, func(b *historytest.Builder) { kill(b).Active(sec) }, "heal proven: instance-kill on j2 was never observed to have healed"},
		{"heal: not yet", assert.Need{Kind: assert.NeedHeal}, func(b *historytest.Builder) { kill(b).Active(sec).HealProof(sec, weak) }, "heal proven: instance-kill on j2 did not heal: asked 100 ms, measured 10 ms"},
		{"heal: the undo failed", assert.Need{Kind: assert.NeedHeal}, func(b *historytest.Builder) {
			kill(b).Active(sec).Heal(sec).Healed(sec).Error(sec, "gone", true)
		}, "heal proven: undoing instance-kill on j2 failed: gone"},

		{"baseline: steady", assert.Need{Kind: assert.NeedBaseline}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, 20*sec)
			reads(b, 1000, 1, 5)
		}, ""},
		{"baseline: no phase", assert.Need{Kind: assert.NeedBaseline}, func(b *historytest.Builder) { reads(b, 100, 0, 0) }, "baseline steady: there is no steady phase"},
		{"baseline: after a fault", assert.Need{Kind: assert.NeedBaseline}, func(b *historytest.Builder) {
			kill(b).Active(sec)
			b.Phase("s", history.PhaseSteady, 2*sec, 20*sec)
			reads(b, 1000, 0, 0)
		}, "baseline steady: instance-kill was injected before the first steady phase, s, had ended: nothing says what the system was like without it"},
		{"baseline: with a fault in it", assert.Need{Kind: assert.NeedBaseline}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, 20*sec)
			kill(b).Active(sec)
			reads(b, 1000, 0, 0)
		}, "baseline steady: instance-kill was injected before the first steady phase, s, had ended: nothing says what the system was like without it"},
		{"baseline: too few", assert.Need{Kind: assert.NeedBaseline}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, 490*ms)
			reads(b, 100, 0, 0)
		}, "baseline steady: phase s holds 49 operations, fewer than 50"},
		{"baseline: bad", assert.Need{Kind: assert.NeedBaseline}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, 20*sec)
			reads(b, 999, 1, 0)
		}, "baseline steady: in phase s, before any fault, 1 of 999 operations were not ok (at most 0.1 %)"},
		{"baseline: wild", assert.Need{Kind: assert.NeedBaseline}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, 20*sec)
			reads(b, 1000, 0, 11)
		}, "baseline steady: in phase s, before any fault, p99 was 1s at a median of 10ms (at most 510ms)"},
		{"baseline: slow", assert.Need{Kind: assert.NeedBaseline, Slow: 500 * ms}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, 20*sec)
			reads(b, 1000, 0, 2)
		}, "baseline steady: in phase s, before any fault, 2 of 1000 operations were not ok or took longer than 500ms (at most 0.1 %)"},
		{"baseline: not slow to the checker", assert.Need{Kind: assert.NeedBaseline, Slow: 2 * sec}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, 20*sec)
			reads(b, 1000, 0, 2)
		}, ""},
		{"baseline: only the first steady phase counts", assert.Need{Kind: assert.NeedBaseline}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, 5*sec).Phase("t", history.PhaseSteady, 5*sec, 20*sec)
			reads(b, 1000, 400, 0)
		}, ""},

		{"generator: on time", assert.Need{Kind: assert.NeedGenerator}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, sec)
			reads(b, 95, 0, 0)
			for range 5 {
				b.Op(history.OpSessionRead, 960*ms).Late(20 * ms).OK()
			}
		}, ""},
		{"generator: late", assert.Need{Kind: assert.NeedGenerator}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, sec)
			reads(b, 94, 0, 0)
			for range 6 {
				b.Op(history.OpSessionRead, 960*ms).Late(6 * ms).OK()
			}
		}, "generator on time: in phase s 6 of 100 operations were sent more than 5ms late (at most 5 %)"},
		{"generator: late while warming up", assert.Need{Kind: assert.NeedGenerator}, func(b *historytest.Builder) {
			b.Phase("w", history.PhaseWarmUp, 0, sec)
			b.Op(history.OpSessionRead, 0).Late(sec).OK()
		}, ""},
		{"generator: a wait behind the session is the system's", assert.Need{Kind: assert.NeedGenerator}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, 10*ms)
			b.Op(history.OpSessionRead, 0).Sent(800 * ms).OK()
		}, ""},
		{"generator: stalled when the load ended", assert.Need{Kind: assert.NeedGenerator}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, sec)
			reads(b, 90, 0, 0)
		}, "generator on time: in phase s 10 of 100 operations were sent more than 5ms late, or never (at most 5 %)"},
		{"generator: a little behind when the load ended", assert.Need{Kind: assert.NeedGenerator}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, sec)
			reads(b, 95, 0, 0)
		}, ""},
		{"generator: began within the phase", assert.Need{Kind: assert.NeedGenerator}, func(b *historytest.Builder) {
			b.Phase("s", history.PhaseSteady, 0, 2*sec)
			for i := range 100 {
				b.Op(history.OpSessionRead, sec+time.Duration(i)*10*ms).OK()
			}
		}, ""},
		{"generator: dropped", assert.Need{Kind: assert.NeedGenerator}, func(b *historytest.Builder) {
			reads(b, 998, 0, 0)
			b.Op(history.OpSessionRead, 10*sec).NotSent().Fail(history.ErrDropped)
		}, "generator on time: the generator dropped 1 of 999 operations (at most 0.1 %)"},
		{"generator: one in a thousand dropped", assert.Need{Kind: assert.NeedGenerator}, func(b *historytest.Builder) {
			reads(b, 999, 0, 0)
			b.Op(history.OpSessionRead, 10*sec).NotSent().Fail(history.ErrDropped)
		}, ""},
		{"generator: nothing sent", assert.Need{Kind: assert.NeedGenerator}, func(*historytest.Builder) {}, "generator on time: nothing was sent"},

		{"clock: steady", assert.Need{Kind: assert.NeedClock}, func(b *historytest.Builder) { b.Clock(0, 0).Clock(sec, int64(sec+5*ms)) }, ""},
		{"clock: one look tells nothing", assert.Need{Kind: assert.NeedClock}, func(b *historytest.Builder) { b.Clock(0, 0) }, "clock steady: the wall clock was not recorded beside the run's"},
		{"clock: a step", assert.Need{Kind: assert.NeedClock}, func(b *historytest.Builder) { b.Clock(0, 0).Clock(sec, int64(sec-6*ms)) }, "clock steady: the wall clock moved by -6ms against the monotonic one between 0s and 1s"},

		{"stream: complete", stream, func(b *historytest.Builder) { b.Covered(sec, history.StreamLedger) }, ""},
		{"stream: no account", stream, func(b *historytest.Builder) { b.Covered(sec, history.StreamSession) }, "observer complete (ledger): no observer gave an account of itself"},
		{"stream: a node without an account", assert.Need{Kind: assert.NeedStream, Stream: history.StreamReceipt}, func(b *historytest.Builder) {
			b.See(sec, history.Coverage{Stream: history.StreamReceipt, Source: "j1", Complete: true})
		}, "observer complete (receipt): receipt of j2: no observer gave an account of it"},
		{"stream: a balancer without an account", assert.Need{Kind: assert.NeedStream, Stream: history.StreamDispatch}, func(b *historytest.Builder) {
			b.See(sec, history.Coverage{Stream: history.StreamDispatch, Source: "lb2", Complete: true})
		}, "observer complete (dispatch): dispatch of lb1: no observer gave an account of it"},
		{"stream: every node has an account", assert.Need{Kind: assert.NeedStream, Stream: history.StreamReadiness}, func(b *historytest.Builder) {
			b.See(sec, history.Coverage{Stream: history.StreamReadiness, Source: "j1", Complete: true})
			b.See(sec, history.Coverage{Stream: history.StreamReadiness, Source: "j2", Complete: true})
		}, ""},
		{"stream: an answer without a receipt", assert.Need{Kind: assert.NeedStream, Stream: history.StreamReceipt}, func(b *historytest.Builder) {
			b.Covered(sec, history.StreamReceipt)
			b.Op(history.OpLogin, 0).On("j1").New().OK()
			b.Op(history.OpSessionRead, 10*ms).On("j1").OK()
			b.Op(history.OpSessionRead, 20*ms).On("").Info(history.ErrReset)
			b.See(0, history.Receipt{Node: "j1", What: "arrive", Op: 1, Attempt: 1})
			b.See(10*ms, history.Receipt{Node: "j1", What: "commit", Op: 2, Attempt: 1})
			b.See(10*ms, history.Receipt{Node: "j2", What: "arrive", Op: 2, Attempt: 1})
			b.See(10*ms, history.Receipt{Node: "j1", What: "arrive", Op: 2, Attempt: 2})
		}, "observer complete (receipt): 1 operation answered, and not in the log of who answered: the first is operation 2, by j1"},
		{"stream: an answer without a line of its balancer", assert.Need{Kind: assert.NeedStream, Stream: history.StreamDispatch}, func(b *historytest.Builder) {
			b.Covered(sec, history.StreamDispatch)
			b.Op(history.OpLogin, 0).Via("lb1").New().OK()
			b.Op(history.OpSessionRead, 10*ms).Via("lb2").OK()
			b.See(0, history.Dispatch{Balancer: "lb1", Op: 1, Attempt: 1})
			b.See(10*ms, history.Dispatch{Balancer: "lb1", Op: 2, Attempt: 1})
		}, "observer complete (dispatch): 1 operation answered, and not in the log of who answered: the first is operation 2, by lb2"},
		{"stream: what was seen is not in the record", stream, func(b *historytest.Builder) {
			b.See(sec, history.LedgerRow{Order: 1, Key: "k"})
			b.See(sec, history.Coverage{Stream: history.StreamLedger, Complete: true, Seen: 2})
		}, "observer complete (ledger): its observers saw 2, and the record holds 1"},
		{"stream: rows of a standing topology were lost, too", stream, func(b *historytest.Builder) {
			b.Meta(func(m *history.Meta) { m.Standing = true })
			b.See(sec, history.Coverage{Stream: history.StreamLedger, Complete: true, Seen: 2})
		}, "observer complete (ledger): its observers saw 2, and the record holds 0"},
		{"stream: one source of two", stream, func(b *historytest.Builder) {
			b.Covered(sec, history.StreamLedger)
			b.See(sec, history.Coverage{Stream: history.StreamLedger, Source: "db2", Missed: 3, Reason: "cut off"})
		}, "observer complete (ledger): ledger of db2: 3 missed: cut off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := historytest.New()
			tt.build(b)
			h := b.Build(t)
			v := assert.Judge(h, []assert.Checker{says{
				verdict: assert.Verdict{Status: assert.Fail}, needs: []assert.Need{tt.need},
			}})[0]
			if tt.want == "" {
				require.Equal(t, assert.Fail, v.Status, v.Reasons)
				return
			}
			require.Equal(t, assert.Inconclusive, v.Status)
			require.Equal(t, []string{tt.want}, v.Reasons)
		})
	}
}
