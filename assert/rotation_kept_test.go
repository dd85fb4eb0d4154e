package assert_test

import (
	"cmp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

func TestRotationKept(t *testing.T) {
	poll := func(b *historytest.Builder, at time.Duration, lb string, j1, j2 bool) {
		for name, up := range map[string]bool{"j1": j1, "j2": j2} {
			status := map[bool]string{true: "UP", false: "DOWN"}[up]
			b.See(at, history.Server{Balancer: lb, Server: name, Up: up, Status: status, Check: "L7STS/503"})
		}
	}
	tests := []struct {
		name     string
		build    func(*historytest.Builder)
		want     assert.Status
		measured float64
		kept     assert.RotationKept
		says     string // "": the last is down
	}{
		{"never empty", func(b *historytest.Builder) {
			poll(b, 2*sec, "lb1", true, true)
			poll(b, 3*sec, "lb1", true, false)
			poll(b, 4*sec, "lb1", true, true)
			b.Covered(60*sec, history.StreamServer)
		}, assert.Pass, 0, assert.RotationKept{}, ""},
		{"one of two left", func(b *historytest.Builder) {
			poll(b, 2*sec, "lb1", true, true)
			poll(b, 3*sec, "lb1", true, false)
			poll(b, 4*sec, "lb1", true, true)
			b.Covered(60*sec, history.StreamServer)
		}, assert.Fail, 1, assert.RotationKept{Least: assert.EveryServer}, "lb1 had 1 of 2 servers up for 1 s, from 3.0 s: j2 is DOWN (L7STS/503)"},
		{"one of two was out from the first look on", func(b *historytest.Builder) {
			poll(b, 2*sec, "lb1", true, false)
			poll(b, 3*sec, "lb1", true, false)
			poll(b, 4*sec, "lb1", true, true)
			b.Covered(60*sec, history.StreamServer)
		}, assert.Fail, 2, assert.RotationKept{Least: assert.EveryServer}, "lb1 had 1 of 2 servers up for 2 s, from 2.0 s: j2 is DOWN (L7STS/503)"},
		{"one comes while the other goes", func(b *historytest.Builder) {
			poll(b, 2*sec, "lb1", true, false)
			poll(b, 3*sec, "lb1", false, true)
			poll(b, 4*sec, "lb1", true, false)
			b.Covered(60*sec, history.StreamServer)
		}, assert.Pass, 0, assert.RotationKept{}, ""},
		{"none left, by a check that the machine could not answer", func(b *historytest.Builder) {
			poll(b, 2*sec, "lb1", true, true)
			b.See(2500*ms, history.Host{Busy: 1})
			b.See(4*sec, history.Host{Busy: 1})
			b.See(4*sec, history.Server{Balancer: "lb1", Server: "j1", Up: true})
			b.See(4*sec, history.Server{Balancer: "lb1", Server: "j2", Up: true})
			b.See(4100*ms, history.Server{Balancer: "lb1", Server: "j1", Status: "DOWN", Check: "L7TOUT"})
			b.See(4100*ms, history.Server{Balancer: "lb1", Server: "j2", Status: "DOWN", Check: "L7STS/503"})
			poll(b, 5*sec, "lb1", true, true)
			b.Covered(60*sec, history.StreamServer)
		}, assert.Inconclusive, 0.9, assert.RotationKept{}, ""},
		{"two of two are asked for", func(b *historytest.Builder) {
			poll(b, 2*sec, "lb1", true, true)
			poll(b, 3*sec, "lb1", true, false)
			poll(b, 5*sec, "lb1", true, true)
			b.Covered(60*sec, history.StreamServer)
		}, assert.Fail, 2, assert.RotationKept{Least: 2}, "lb1 had 1 of 2 servers up"},
		{"then the other, too", func(b *historytest.Builder) {
			poll(b, 2*sec, "lb1", true, true)
			poll(b, 3*sec, "lb1", true, false)
			b.See(4*sec, history.Server{Balancer: "lb1", Server: "j1", Status: "DOWN", Check: "L7STS/503"})
			poll(b, 5*sec, "lb1", true, true)
			b.Covered(60*sec, history.StreamServer)
		}, assert.Fail, 2, assert.RotationKept{Least: assert.EveryServer}, "lb1 had no server up for 2 s, from 3.0 s: j1, the last, is DOWN (L7STS/503)"},
		{"none left", func(b *historytest.Builder) {
			poll(b, 2*sec, "lb1", true, true)
			poll(b, 3*sec, "lb1", true, true)
			b.Covered(60*sec, history.StreamServer)
		}, assert.Pass, 0, assert.RotationKept{Least: assert.EveryServer}, ""},
		{"one after the other", func(b *historytest.Builder) {
			poll(b, 2*sec, "lb1", true, true)
			b.See(3*sec, history.Server{Balancer: "lb1", Server: "j1"})
			b.See(3*sec+ms, history.Server{Balancer: "lb1", Server: "j1", Up: true})
			b.See(3*sec+2*ms, history.Server{Balancer: "lb1", Server: "j2"})
			b.Covered(60*sec, history.StreamServer)
		}, assert.Pass, 0, assert.RotationKept{}, ""},
		{"both at once, at one of two balancers", func(b *historytest.Builder) {
			for _, lb := range []string{"lb1", "lb2"} {
				poll(b, 2*sec, lb, true, true)
			}
			poll(b, 3*sec, "lb2", false, false)
			poll(b, 5*sec, "lb2", true, true)
			poll(b, 5*sec, "lb1", true, true)
			b.Covered(60*sec, history.StreamServer)
		}, assert.Fail, 2, assert.RotationKept{}, ""},
		{"to the end", func(b *historytest.Builder) {
			poll(b, 2*sec, "lb1", true, true)
			poll(b, 3*sec, "lb1", false, false)
			poll(b, 7*sec, "lb1", false, false)
			b.Covered(60*sec, history.StreamServer)
		}, assert.Fail, 4, assert.RotationKept{}, ""},
		{"only while it warmed up", func(b *historytest.Builder) {
			poll(b, 100*ms, "lb1", false, false)
			poll(b, 2*sec, "lb1", true, true)
			poll(b, 3*sec, "lb1", true, true)
			b.Covered(60*sec, history.StreamServer)
		}, assert.Pass, 0, assert.RotationKept{}, ""},
		{"nobody looked", func(*historytest.Builder) {}, assert.Inconclusive, -1, assert.RotationKept{}, ""},
		{"the observer died", func(b *historytest.Builder) {
			poll(b, 2*sec, "lb1", true, true)
			poll(b, 3*sec, "lb1", true, true)
			b.See(5*sec, history.Coverage{Stream: history.StreamServer, Reason: "killed"})
		}, assert.Inconclusive, 0, assert.RotationKept{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := historytest.New().Meta(func(m *history.Meta) { m.Faultless = true }).
				Phase("warm-up", history.PhaseWarmUp, 0, sec).Phase("break", history.PhaseBreak, sec, 10*sec)
			b.Op(history.OpLogin, 0).New().OK()
			tt.build(b)
			v := assert.Judge(b.Build(t), []assert.Checker{tt.kept})[0]
			require.Equal(t, tt.want, v.Status, "%s %v", v.Summary, v.Reasons)
			if tt.measured < 0 {
				require.Nil(t, v.Measured)
				return
			}
			require.Equal(t, tt.measured, *v.Measured)
			if tt.want == assert.Fail {
				require.Contains(t, v.Evidence[0].Text, cmp.Or(tt.says, "the last, is DOWN (L7STS/503)"))
			}
		})
	}
}
