package assert_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// stage is a kill of j2 at 10 s, seen down from 11 s to 19 s and healed at
// 20 s, between two steady phases of 10 s.
func stage() *historytest.Builder {
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, 10*sec)
	b.Phase("killed", history.PhaseBreak, 10*sec, 20*sec)
	b.Phase("restarted", history.PhaseRecover, 20*sec, 22*sec)
	b.Phase("steady again", history.PhaseSteady, 22*sec, 32*sec)
	b.Fault("instance-kill", 10*sec, "j2").Active(10*sec + 10*ms).Heal(20 * sec).Healed(21 * sec)
	b.Clock(0, 0).Clock(sec, int64(sec))
	b.Covered(33*sec, history.StreamServer, history.StreamDispatch)
	return b
}

func look(b *historytest.Builder, status string, from, to time.Duration) {
	for at := from; at <= to; at += sec {
		b.See(at, history.Server{Balancer: "lb1", Server: "j2", Status: status, Up: status == "UP"})
	}
}

// logins spreads new sessions over [from, from+10 s): so many on each node.
func logins(b *historytest.Builder, from time.Duration, on map[string]int) {
	for _, node := range []string{"j1", "j2", "j3"} {
		for i := range on[node] {
			b.Op(history.OpLogin, from+time.Duration(i)*10*sec/time.Duration(on[node])).On(node).New().OK()
		}
	}
}

func TestDistribution(t *testing.T) {
	even := map[string]int{"j1": 50, "j2": 50}
	downtime := func(b *historytest.Builder) {
		look(b, "UP", 0, 10*sec)
		look(b, "DOWN", 11*sec, 19*sec)
		look(b, "UP", 20*sec, 32*sec)
	}
	third := func(b *historytest.Builder) {
		b.Meta(func(m *history.Meta) { m.Nodes = append(m.Nodes, history.NodeMeta{Name: "j3", Role: "application"}) })
	}
	tests := []struct {
		name    string
		checker assert.Distribution
		build   func(*historytest.Builder)
		want    assert.Status
		summary string
		class   string
	}{
		{"even", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, even)
			logins(b, 22*sec, even)
		}, assert.Pass, "New sessions were shared within 0.0 percentage points (before, at most 26.5).", ""},
		{"what chance may do", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, map[string]int{"j1": 76, "j2": 24})
			logins(b, 22*sec, even)
		}, assert.Pass, "within 26.0 percentage points (before, at most 26.5)", ""},
		{"what chance may not do", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, map[string]int{"j1": 77, "j2": 23})
			logins(b, 22*sec, even)
		}, assert.Fail, "Before the fault j2 got 23.0 % of 100 new sessions, 50.0 expected.", "skew before"},
		{"a weight of 1 in 100", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, map[string]int{"j1": 99, "j2": 1})
			logins(b, 22*sec, map[string]int{"j1": 99, "j2": 1})
		}, assert.Fail, "j2 got 1.0 %", "skew before"},
		{"a weight of 1 in 100 that is expected", assert.Distribution{Expect: map[string]float64{"j1": 100, "j2": 1}}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, map[string]int{"j1": 990, "j2": 10})
			logins(b, 22*sec, map[string]int{"j1": 990, "j2": 10})
		}, assert.Pass, "", ""},
		{"the restarted node gets nothing", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, even)
			logins(b, 22*sec, map[string]int{"j1": 100})
		}, assert.Fail, "After the heal no new session reached j2 again (of 100).", "skew after"},
		{"too few sessions to tell", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, map[string]int{"j1": 16})
			logins(b, 22*sec, map[string]int{"j1": 16})
		}, assert.Inconclusive, "Too few sessions began to tell a skew from chance.", ""},
		{"too few after the heal", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, even)
		}, assert.Inconclusive, "", ""},
		{"a node that is down answers", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, even)
			logins(b, 22*sec, even)
			b.Op(history.OpOrder, 15*sec).On("j2").OK()
		}, assert.Fail, "1 request answered by a node that was marked down.", "diverted"},
		{"a request of nobody's reaches a node that is down", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, even)
			logins(b, 22*sec, even)
			b.See(15*sec, history.Dispatch{Balancer: "lb1", Server: "j2", Status: 200})
		}, assert.Fail, "", "diverted"},
		{"it answers through a balancer that has not marked it down", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, even)
			logins(b, 22*sec, even)
			b.Op(history.OpOrder, 15*sec).On("j2").Via("lb2").OK()
		}, assert.Pass, "", ""},
		{"it answers through a balancer that was away since", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, even)
			logins(b, 22*sec, even)
			b.See(14300*ms, history.BalancerInfo{Balancer: "lb1"})
			b.Op(history.OpOrder, 14500*ms).On("j2").OK()
		}, assert.Pass, "", ""},
		{"it answers through a balancer that began anew since", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, even)
			logins(b, 22*sec, even)
			b.See(14*sec, history.BalancerInfo{Balancer: "lb1", Up: true, Pid: 7})
			b.See(15*sec, history.BalancerInfo{Balancer: "lb1", Up: true, Pid: 8})
			b.Op(history.OpOrder, 14500*ms).On("j2").OK()
		}, assert.Pass, "", ""},
		{"it answers through a balancer that is there all the time", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, even)
			logins(b, 22*sec, even)
			b.See(14*sec, history.BalancerInfo{Balancer: "lb1", Up: true, Pid: 7})
			b.See(15*sec, history.BalancerInfo{Balancer: "lb1", Up: true, Pid: 7})
			b.See(14300*ms, history.BalancerInfo{Balancer: "lb2"})
			b.Op(history.OpOrder, 14500*ms).On("j2").OK()
		}, assert.Fail, "", "diverted"},
		{"it answers while that is not certain", assert.Distribution{}, func(b *historytest.Builder) {
			downtime(b)
			logins(b, 0, even)
			logins(b, 22*sec, even)
			b.Op(history.OpOrder, 10500*ms).On("j2").OK()
			b.Op(history.OpOrder, 19500*ms).On("j2").OK()
		}, assert.Pass, "", ""},
		{"a drained node serves the sessions that it has", assert.Distribution{}, func(b *historytest.Builder) {
			look(b, "DRAIN", 11*sec, 19*sec)
			logins(b, 0, even)
			logins(b, 22*sec, even)
			b.Op(history.OpOrder, 15*sec).On("j2").OK()
		}, assert.Pass, "", ""},
		{"three nodes: the two that are left share", assert.Distribution{}, func(b *historytest.Builder) {
			third(b)
			downtime(b)
			logins(b, 0, map[string]int{"j1": 33, "j2": 33, "j3": 33})
			logins(b, 11*sec, map[string]int{"j1": 100, "j3": 4})
			logins(b, 22*sec, map[string]int{"j1": 33, "j2": 33, "j3": 33})
		}, assert.Fail, "During the fault j3 got 4.8 % of 84 new sessions, 50.0 expected.", "skew during"},
		{"a node that was down before for a moment", assert.Distribution{}, func(b *historytest.Builder) {
			third(b)
			for _, at := range []time.Duration{2 * sec, 2500 * ms} {
				b.See(at, history.Server{Balancer: "lb2", Server: "j2", Status: "DOWN 1/2"})
			}
			b.See(3*sec, history.Server{Balancer: "lb2", Server: "j2", Status: "UP", Up: true})
			downtime(b)
			logins(b, 0, map[string]int{"j1": 33, "j2": 33, "j3": 33})
			logins(b, 11*sec, map[string]int{"j1": 100, "j3": 4})
			logins(b, 22*sec, map[string]int{"j1": 33, "j2": 33, "j3": 33})
		}, assert.Fail, "During the fault j3 got 4.8 % of 84 new sessions, 50.0 expected.", "skew during"},
		{"balancers that never agreed", assert.Distribution{}, func(b *historytest.Builder) {
			third(b)
			look(b, "DOWN", 11*sec, 14*sec)
			look(b, "UP", 15*sec, 32*sec)
			for _, at := range []time.Duration{16 * sec, 19 * sec} {
				b.See(at, history.Server{Balancer: "lb2", Server: "j2", Status: "DOWN"})
			}
			logins(b, 0, map[string]int{"j1": 33, "j2": 33, "j3": 33})
			logins(b, 11*sec, map[string]int{"j1": 100, "j3": 4})
			logins(b, 22*sec, map[string]int{"j1": 33, "j2": 33, "j3": 33})
		}, assert.Pass, "", ""},
		{"a fault that gives a fifth", assert.Distribution{MaxSkewPercent: 3, VictimPercent: 20}, func(b *historytest.Builder) {
			logins(b, 0, even)
			logins(b, 10100*ms, map[string]int{"j1": 80, "j2": 20})
			logins(b, 22*sec, even)
		}, assert.Pass, "New sessions were shared within", ""},
		{"a fault that gives half in the place of a fifth", assert.Distribution{MaxSkewPercent: 3, VictimPercent: 20}, func(b *historytest.Builder) {
			logins(b, 0, even)
			logins(b, 10100*ms, even)
			logins(b, 22*sec, even)
		}, assert.Fail, "During the fault j1 got 50.0 % of 100 new sessions, 80.0 expected.", "skew during"},
		{"a fault that gives nothing", assert.Distribution{MaxSkewPercent: 3, VictimPercent: 20}, func(b *historytest.Builder) {
			logins(b, 0, even)
			logins(b, 10100*ms, map[string]int{"j1": 100})
			logins(b, 22*sec, even)
		}, assert.Fail, "During the fault j2 got 0.0 % of 99 new sessions, 20.0 expected.", "skew during"},
		{"a fifth of too few to tell from nothing", assert.Distribution{VictimPercent: 20}, func(b *historytest.Builder) {
			logins(b, 0, even)
			logins(b, 10100*ms, map[string]int{"j1": 80, "j2": 20})
			logins(b, 22*sec, even)
		}, assert.Inconclusive, "New sessions were shared within", ""},
		{"nothing began while it was in place", assert.Distribution{VictimPercent: 20}, func(b *historytest.Builder) {
			logins(b, 0, even)
			logins(b, 22*sec, even)
		}, assert.Inconclusive, "New sessions were shared within", ""},
		{"one node alone", assert.Distribution{}, func(b *historytest.Builder) {
			b.Meta(func(m *history.Meta) { m.Nodes = m.Nodes[:1] })
			logins(b, 0, map[string]int{"j1": 100})
		}, assert.Inconclusive, "With fewer than two application nodes there is nothing to share.", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := stage()
			tt.build(b)
			v := assert.Judge(b.Build(t), []assert.Checker{tt.checker})[0]
			require.Equal(t, tt.want, v.Status, "%s %v %v", v.Summary, v.Reasons, v.Measures)
			require.Contains(t, v.Summary, tt.summary)
			if tt.class != "" {
				require.Equal(t, tt.class, v.Evidence[0].Class, v.Evidence)
			}
		})
	}
}

func TestDistributionMeasuresEachNode(t *testing.T) {
	b := stage()
	look(b, "DOWN", 11*sec, 19*sec)
	logins(b, 0, map[string]int{"j1": 60, "j2": 40})
	logins(b, 22*sec, map[string]int{"j1": 50, "j2": 50})
	for i := range 10 {
		b.Op(history.OpSessionRead, time.Duration(i)*sec).On("j1").OK()
	}
	v := assert.Distribution{}.Check(b.Build(t))
	for name, want := range map[string]float64{
		"new sessions of j1 before": 60, "new sessions of j2 before": 40, "new sessions of j2 after": 50,
		"requests of j2 before": 40 * 100 / 110.0, "skew before": 10, "skew after": 0, "new sessions of j2 during": 0,
	} {
		require.InDelta(t, want, measure(t, v, name), 1e-9, name)
	}
	require.Equal(t, fmt.Sprintf("%.1f", 10+100*3.2905*0.05), fmt.Sprintf("%.1f", *v.Bound))
}

// requests has the balancer send so many to each node over the first 10 s.
func requests(b *historytest.Builder, on map[string]int) {
	n := uint64(0)
	for _, node := range []string{"j1", "j2"} {
		for i := range on[node] {
			n++
			b.See(time.Duration(i)*10*sec/time.Duration(on[node]), history.Dispatch{Balancer: "lb1", Number: n, Server: node, Status: 200})
		}
	}
}

func TestDistributionOfTheLoad(t *testing.T) {
	load := assert.Distribution{MaxLoadPercent: 10}
	tenant := assert.Distribution{MaxLoadPercent: 10, Tenant: "big"}
	tests := []struct {
		name    string
		checker assert.Distribution
		on      map[string]int
		tenant  int // answered by j1
		want    assert.Status
		text    string
		idle    bool
	}{
		{"not judged", assert.Distribution{}, map[string]int{"j1": 1900, "j2": 100}, 0, assert.Pass, "shared within 0.0", false},
		{"within", load, map[string]int{"j1": 600, "j2": 400}, 0, assert.Pass, "shared within 0.0", false},
		{"beyond", load, map[string]int{"j1": 601, "j2": 399}, 0, assert.Fail, "In the steady phases j1 got 60.1 % of 1000 requests, 50.0 expected.", false},
		{"too few", load, map[string]int{"j1": 900, "j2": 99}, 0, assert.Inconclusive, "", false},
		{"the tenant is named", tenant, map[string]int{"j1": 1500, "j2": 500}, 1000, assert.Fail, "in the steady phases j1 got 75.0 % of 2000 requests, 50.0 expected; skew 25.0, at most 10 percentage points; 1000 of them are of big", false},
		{"the tenant was there", tenant, map[string]int{"j1": 550, "j2": 500}, 50, assert.Pass, "", false},
		{"the tenant never came", tenant, map[string]int{"j1": 500, "j2": 500}, 0, assert.Inconclusive, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := historytest.New()
			b.Meta(func(m *history.Meta) { m.Faultless = true })
			b.Phase("steady", history.PhaseSteady, 0, 10*sec)
			b.Clock(0, 0).Clock(sec, int64(sec))
			logins(b, 0, map[string]int{"j1": 50, "j2": 50})
			requests(b, tt.on)
			b.See(5*sec, history.Tenant{User: "big", Sent: tt.tenant, By: map[string]int{"j1": tt.tenant}})
			b.See(5*sec, history.Tenant{User: "other", Sent: 9, By: map[string]int{"j1": 9}})
			b.Covered(11*sec, history.StreamServer, history.StreamDispatch, history.StreamTenant)
			v := tt.checker.Check(b.Build(t))
			require.Equal(t, tt.want, v.Status, "%s %v %v", v.Summary, v.Reasons, v.Evidence)
			require.Equal(t, tt.idle, v.NotExercised)
			said := v.Summary
			for _, e := range v.Evidence {
				require.Equal(t, "load before", e.Class)
				said += e.Text
			}
			require.Contains(t, said, tt.text)
		})
	}
}
