package assert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// TestWhatAStartedNodeLogs: a node that served in a life has logged a state of
// its own in that life, if the engine's word for the life can be relied on.
func TestWhatAStartedNodeLogs(t *testing.T) {
	const ms, sec = time.Millisecond, time.Second
	started := func(b *historytest.Builder, node string, at time.Duration) {
		b.See(at, history.Engine{Node: node, Action: "start"})
	}
	for _, tt := range []struct {
		name  string
		build func(*historytest.Builder)
		want  string
	}{
		{"a started node that was seen ready and logged nothing", func(b *historytest.Builder) {
			started(b, "j2", 3*sec)
			b.See(2*sec, history.Transition{Node: "j2", What: "ready"})
			b.See(4*sec, history.Transition{Node: "j1", What: "ready"})
			b.See(4*sec, history.Readiness{Node: "j2", Probe: "live", Up: true})
			b.See(4500*ms, history.Readiness{Node: "j2", Probe: "ready"})
			b.See(5*sec, history.Readiness{Node: "j2", Probe: "ready", Up: true})
		}, "j2 was started at 3 s and was seen ready at 5 s, and in that life it logged no state of its own"},
		{"a started node that answered and logged nothing", func(b *historytest.Builder) {
			started(b, "j2", 3*sec)
			b.Op(history.OpLogin, 2*sec).On("j2").New().OK()
			b.Op(history.OpSessionRead, 4*sec).On("j1").OK()
			b.Op(history.OpSessionRead, 4*sec).On("j2").Status(503).Fail(history.ErrStatus)
			b.Op(history.OpSessionRead, 5*sec).On("j2").OK()
		}, "j2 was started at 3 s and answered operation 4 at 5.01 s, and in that life it logged no state of its own"},
		{"a life whose end alone was logged", func(b *historytest.Builder) {
			started(b, "j2", 3*sec)
			b.See(5*sec, history.Readiness{Node: "j2", Probe: "ready", Up: true})
			b.See(6*sec, history.Transition{Node: "j2", What: "stopping"})
			b.See(6*sec+ms, history.Transition{Node: "j2", What: "stopped"})
			b.See(6*sec+2*ms, history.Engine{Node: "j2", Action: "die"})
			started(b, "j2", 8*sec)
			b.See(9*sec, history.Transition{Node: "j2", What: "started"})
		}, "j2 was started at 3 s and was seen ready at 5 s, and in that life it logged no state of its own"},
		{"a started node that logged it before the engine did", func(b *historytest.Builder) {
			started(b, "j2", 3*sec)
			b.See(2900*ms, history.Transition{Node: "j2", What: "started"})
			b.See(5*sec, history.Readiness{Node: "j2", Probe: "ready", Up: true})
		}, ""},
		{"a started node that died before it served", func(b *historytest.Builder) {
			started(b, "j2", 3*sec)
			b.See(4*sec, history.Engine{Node: "j2", Action: "die"})
			started(b, "j2", 5*sec)
			b.See(5500*ms, history.Transition{Node: "j2", What: "started"})
			b.See(6*sec, history.Readiness{Node: "j2", Probe: "ready", Up: true})
		}, ""},
		{"what the engine said is not to be trusted", func(b *historytest.Builder) {
			started(b, "j2", 3*sec)
			b.See(5*sec, history.Readiness{Node: "j2", Probe: "ready", Up: true})
			b.See(20*sec, history.Coverage{Stream: history.StreamEngine, Reason: "its clock is off"})
		}, ""},
		{"what is started is no application", func(b *historytest.Builder) {
			started(b, "lb1", 3*sec)
			b.Op(history.OpLogin, 4*sec).On("lb1").New().OK()
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := historytest.New()
			tt.build(b)
			require.Equal(t, tt.want, unwitnessed(b.Build(t), history.StreamTransition))
		})
	}
}
