package assert_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// endless is a checker that takes a day, and holds.
type endless struct{ needy }

func (endless) Name() string { return "endless" }

func (endless) Check(*history.History) assert.Verdict {
	time.Sleep(24 * time.Hour)
	return assert.Verdict{Status: assert.Pass}
}

func TestACheckerWithoutAnEndIsInconclusiveAndTheOthersCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := historytest.New()
		b.Phase("steady", history.PhaseSteady, 0, 10*sec)
		reads(b, 1000, 0, 0)
		began := time.Now()
		all := assert.Judge(b.Build(t), []assert.Checker{endless{}, needy{}})
		require.Less(t, time.Since(began), time.Hour)
		require.Equal(t, "endless", all[0].Name)
		require.Equal(t, assert.Inconclusive, all[0].Status)
		require.Equal(t, []string{"the checker did not end within 5m0s"}, all[0].Reasons)
		require.Equal(t, assert.Pass, all[1].Status, all[1].Reasons)
		time.Sleep(24 * time.Hour) // virtual: it has ended
	})
}

func TestWhatTheClientsSentAndTheRecordLacksSettlesNothing(t *testing.T) {
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, 10*sec)
	reads(b, 1000, 0, 0)
	b.See(10*sec, history.Coverage{Stream: history.StreamClient, Complete: true, Seen: 1001})
	h := b.Build(t)
	v := assert.Judge(h, []assert.Checker{needy{}})
	require.Equal(t, assert.Inconclusive, v[0].Status)
	require.Equal(t, []string{"the clients began 1001 operations, and the record holds 1000"}, v[0].Reasons)
	require.Equal(t, assert.Overall{
		Conclusion: assert.ConcludeInconclusive, Reason: "The record is not whole: the clients began 1001 operations, and the record holds 1000.",
	}, assert.Combine(whole(h), v))
}

func TestALoadPastTheBalancersIsNoLoad(t *testing.T) {
	judge := func(entry, balancer string) assert.Verdict {
		b := historytest.New()
		b.Meta(func(m *history.Meta) { m.Entry = entry })
		b.See(10*sec, history.Coverage{Stream: history.StreamClient, Complete: true, Seen: 1000})
		b.Phase("steady", history.PhaseSteady, 0, 10*sec)
		for i := range 1000 {
			op := b.Op(history.OpSessionRead, time.Duration(i)*10*ms)
			if balancer == "" {
				op.Bare()
			}
			op.Via(balancer).OK()
		}
		return assert.Judge(b.Build(t), []assert.Checker{needy{}})[0]
	}
	require.Equal(t, assert.Pass, judge("http://vip", "lb1").Status)
	require.Equal(t, []string{"generator on time: 1000 of 1000 good answers came through no balancer: the load went past them"}, judge("http://vip", "").Reasons)
}

// whole is h with a seal that holds.
func whole(h *history.History) *history.History {
	h.Integrity.State = history.Whole
	return h
}

// uneven is a checker that fails, with safety or without.
type uneven struct {
	needy
	safety bool
}

func (u uneven) Check(*history.History) assert.Verdict {
	return assert.Verdict{Status: assert.Fail, Safety: u.safety}
}

func TestAFailureOnAShortMachineDoesNotStand(t *testing.T) {
	// 20 looks at the machine in the steady phase, and 20 after it.
	judge := func(c assert.Checker, host func(i int) history.Host) assert.Verdict {
		b := historytest.New()
		b.Phase("steady", history.PhaseSteady, 0, 5*sec)
		b.Phase("breaking", history.PhaseBreak, 5*sec, 10*sec)
		reads(b, 1000, 0, 0)
		for i := range 41 {
			b.See(time.Duration(i)*250*ms, host(i))
		}
		return assert.Judge(b.Build(t), []assert.Checker{c})[0]
	}
	stolen := func(n int) func(int) history.Host {
		return func(i int) history.Host {
			if i < n {
				return history.Host{Busy: 0.6, Steal: 0.02}
			}
			return history.Host{Busy: 0.6}
		}
	}
	saturated := func(from, to int) func(int) history.Host {
		return func(i int) history.Host {
			if i > from && i <= to {
				return history.Host{Busy: 0.95}
			}
			return history.Host{Busy: 0.94}
		}
	}
	require.Equal(t, assert.Fail, judge(uneven{}, stolen(8)).Status)
	require.Equal(t, assert.Inconclusive, judge(uneven{}, stolen(9)).Status)
	require.Equal(t, assert.Fail, judge(uneven{safety: true}, stolen(9)).Status, "a violation of safety is no machine's doing")
	require.Equal(t, assert.Pass, judge(needy{}, stolen(41)).Status)

	require.Equal(t, assert.Fail, judge(uneven{}, saturated(0, 10)).Status, "half of the phase is not most of it")
	require.Equal(t, assert.Fail, judge(uneven{}, saturated(20, 41)).Status, "a fault may take all of the machine")
	v := judge(uneven{}, saturated(9, 20))
	require.Equal(t, assert.Inconclusive, v.Status)
	require.Contains(t, v.Reasons[0], "the machine was short before any fault: the machine was 95 % busy or more, or its hypervisor took time from it, in 11 of 21 looks of phase steady")
	require.Equal(t, assert.Fail, judge(uneven{safety: true}, saturated(0, 41)).Status)
	require.Equal(t, assert.Pass, judge(needy{}, saturated(0, 41)).Status)
}
