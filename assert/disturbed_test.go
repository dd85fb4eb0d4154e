package assert_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// needy is a checker that needs a generator, and holds.
type needy struct{}

func (needy) Name() string         { return "needy" }
func (needy) About() string        { return "nothing" }
func (needy) Needs() []assert.Need { return []assert.Need{{Kind: assert.NeedGenerator}} }

func (needy) Check(*history.History) assert.Verdict { return assert.Verdict{Status: assert.Pass} }

func TestARunThatSomebodyElseDisturbedProvesNothing(t *testing.T) {
	event := func(b *historytest.Builder, at time.Duration, node, action, code string) {
		b.See(at, history.Engine{Node: node, Action: action, ExitCode: code})
	}
	// killed is what a kill of j1 from 4 s to 8 s leaves in the record.
	killed := func(b *historytest.Builder) {
		b.Fault("instance-kill", 4*sec, "j1").Orders("kill").Active(4*sec + 300*ms).Heal(8 * sec).Healed(9 * sec)
		event(b, 4*sec+10*ms, "j1", "kill", "")
		event(b, 4*sec+20*ms, "j1", "die", "137")
		event(b, 8*sec+10*ms, "j1", "start", "")
		b.See(10*sec, history.NodeInfo{Node: "j1", Running: true, Started: 8*sec + 8*ms, Finished: 4*sec + 19*ms})
	}
	tests := []struct {
		name  string
		build func(*historytest.Builder)
		want  string // empty: undisturbed
	}{
		{"nothing happened", func(*historytest.Builder) {}, ""},
		{"what the run did itself", killed, ""},
		{"what a process did to itself", func(b *historytest.Builder) { event(b, 5*sec, "j2", "die", "1") }, ""},
		{"an engine that tells of others", func(b *historytest.Builder) { event(b, 5*sec, "probe", "kill", "") }, ""},
		{"another node is killed meanwhile", func(b *historytest.Builder) {
			killed(b)
			event(b, 4*sec+30*ms, "j2", "kill", "")
		}, "j2 was killed after 4.03 s, and no fault of the run did that: who did is not known"},
		{"the victim is started while the fault is in place", func(b *historytest.Builder) {
			b.Fault("instance-kill", 4*sec, "j1").Orders("kill").Active(4*sec + 300*ms).Heal(8 * sec).Healed(9 * sec)
			event(b, 4*sec+10*ms, "j1", "kill", "")
			event(b, 4*sec+20*ms, "j1", "die", "137")
			event(b, 6*sec, "j1", "start", "")
		}, "j1 was started after 6 s, and no fault"},
		{"before any fault", func(b *historytest.Builder) {
			killed(b)
			event(b, 2*sec, "j2", "pause", "")
		}, "j2 was frozen after 2 s, and no fault"},
		{"after the heal was proven", func(b *historytest.Builder) {
			killed(b)
			event(b, 9900*ms+200*ms, "j1", "start", "")
		}, "j1 was started after 10.1 s, and no fault"},
		{"the victim is started at once, before the kill is known to be proven", func(b *historytest.Builder) {
			b.Fault("instance-kill", 4*sec, "j1").Orders("kill").Active(5 * sec).Heal(8 * sec).Healed(9 * sec)
			event(b, 4*sec+10*ms, "j1", "kill", "")
			event(b, 4*sec+20*ms, "j1", "die", "137")
			event(b, 4*sec+400*ms, "j1", "start", "")
		}, "j1 was started after 4.4 s, and no fault of the run did that"},
		{"the target of a fault that orders nothing is restarted", func(b *historytest.Builder) {
			b.Fault("rollout", 2*sec, "j1", "j2").Active(9 * sec).Heal(9 * sec).Healed(9 * sec)
			event(b, 4*sec, "j2", "stop", "")
		}, "j2 was stopped after 4 s, and no fault of the run did that"},
		{"a fault that restarts", func(b *historytest.Builder) {
			b.Fault("instance-restart", 4*sec, "j1").Orders("kill", "stop", "start").Active(6 * sec).Heal(8 * sec).Healed(9 * sec)
			event(b, 4*sec+10*ms, "j1", "kill", "")
			event(b, 5*sec, "j1", "die", "143")
			event(b, 5*sec, "j1", "stop", "")
			event(b, 5*sec+400*ms, "j1", "start", "")
		}, ""},
		{"a freeze that is thawed", func(b *historytest.Builder) {
			b.Fault("instance-freeze", 4*sec, "j1").Orders("pause").Active(5 * sec).Heal(8 * sec).Healed(9 * sec)
			event(b, 4*sec+10*ms, "j1", "pause", "")
			event(b, 8*sec+10*ms, "j1", "unpause", "")
		}, ""},
		{"an engine that tells late of when it started", func(b *historytest.Builder) {
			b.Fault("instance-kill", 4*sec, "j1").Orders("kill").Active(5 * sec).Heal(6 * sec).Healed(10 * sec)
			event(b, 4*sec+10*ms, "j1", "kill", "")
			event(b, 4*sec+20*ms, "j1", "die", "137")
			event(b, 8*sec, "j1", "start", "")
			b.See(10*sec, history.NodeInfo{Node: "j1", Running: true, Started: 6*sec + 100*ms, Finished: 4*sec + 19*ms})
		}, ""},
		{"a signal of long ago", func(b *historytest.Builder) {
			b.Fault("x", 0, "j2").Orders("kill").Active(ms)
			event(b, 500*ms, "j2", "kill", "")
			event(b, 62*sec, "j2", "die", "143")
		}, "j2 was ended by SIGTERM after 62 s, and the engine did not tell who sent it"},
		{"a kill from outside the engine", func(b *historytest.Builder) { event(b, 5*sec, "j2", "die", "137") }, "j2 was ended by SIGKILL after 5 s, and the engine did not tell who sent it"},
		{"killed for want of memory", func(b *historytest.Builder) {
			event(b, 5*sec-ms, "j2", "oom", "")
			event(b, 5*sec, "j2", "die", "137")
		}, ""},
		{"a start is not told of", func(b *historytest.Builder) {
			event(b, 5*sec, "j2", "die", "1")
			event(b, 6*sec, "j2", "die", "1")
		}, "the engine told of no start of j2 before its end after 6 s"},
		{"an end is not told of", func(b *historytest.Builder) {
			b.Fault("instance-kill", 4*sec, "j1").Orders("kill").Active(4*sec + 300*ms).Heal(8 * sec).Healed(9 * sec)
			event(b, 4*sec+10*ms, "j1", "kill", "")
			event(b, 8*sec+10*ms, "j1", "start", "")
		}, "the engine told of no end of j1 before its start after 8.01 s"},
		{"the last start is not told of", func(b *historytest.Builder) {
			event(b, 5*sec, "j2", "die", "1")
			b.See(10*sec, history.NodeInfo{Node: "j2", Running: true, Started: 7 * sec, Finished: 5 * sec})
		}, "j2 was started after 7 s, and the engine did not tell of it"},
		{"neither end nor start is told of", func(b *historytest.Builder) {
			b.See(10*sec, history.NodeInfo{Node: "j2", Running: true, Started: 7 * sec, Finished: 5 * sec})
		}, "j2 was ended after 5 s, and the engine did not tell of it"},
		{"it did not run when the run began", func(b *historytest.Builder) {
			b.See(0, history.NodeInfo{Node: "j2", Finished: -5 * sec})
			b.Fault("instance-kill", 4*sec, "j2").Orders("kill").Active(4*sec + 300*ms).Heal(8 * sec).Healed(9 * sec)
			event(b, 8*sec+10*ms, "j2", "start", "")
		}, ""},
		{"nobody watched the engine to the end", func(b *historytest.Builder) {
			b.Covered(5*sec, history.StreamEngine)
		}, "who else acted is not known (engine): its observer ended after 5s, and the load after 10s"},
		{"nobody watched the nodes", func(b *historytest.Builder) {
			b.See(10*sec, history.Coverage{Stream: history.StreamNode, Reason: "it panicked"})
		}, "who else acted is not known (node): it panicked"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := historytest.New()
			b.Phase("steady", history.PhaseSteady, 0, 10*sec)
			reads(b, 1000, 0, 0)
			tt.build(b)
			v := assert.Judge(b.Build(t), []assert.Checker{needy{}})[0]
			if tt.want == "" {
				require.Equal(t, assert.Pass, v.Status, v.Reasons)
				return
			}
			require.Equal(t, assert.Inconclusive, v.Status)
			require.Contains(t, strings.Join(v.Reasons, "; "), "undisturbed: "+tt.want)
		})
	}
}
