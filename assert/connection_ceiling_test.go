package assert_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
	"github.com/hachaos/hachaos/topology"
)

// The names that the topology states are those that the checker reads.
func TestConnectionCeilingReadsTheTopologysValues(t *testing.T) {
	require.Equal(t, topology.ValueNodeConnections, assert.ValueNodeConnections)
	require.Equal(t, topology.ValueMaxConnections, assert.ValueMaxConnections)
	require.Equal(t, topology.ValueReserved, assert.ValueReserved)
}

func TestConnectionCeiling(t *testing.T) {
	values := func(each, most, reserved string) func(*history.Meta) {
		return func(m *history.Meta) {
			m.Faultless = true
			m.Values = []history.Value{
				{Name: assert.ValueNodeConnections, Value: each, File: "pool.go"},
				{Name: assert.ValueMaxConnections, Value: most, File: "postgresql.conf"},
				{Name: assert.ValueReserved, Value: reserved},
			}
		}
	}
	covered := func(b *historytest.Builder) {
		b.Covered(9*sec, history.StreamConnections, history.StreamRefusal)
	}
	sample := func(total int, by map[string]int) history.Connections {
		return history.Connections{Known: true, Total: total, Max: 30, By: by}
	}
	tests := []struct {
		name     string
		build    func(*historytest.Builder)
		want     assert.Status
		measured float64
		says     string
	}{
		{"within, both ways", func(b *historytest.Builder) {
			b.Meta(values("12", "30", "5")).See(sec, sample(20, map[string]int{"j1": 10, "j2": 9, "hachaos": 1}))
			covered(b)
		}, assert.Pass, 24, "refused none"},
		{"exactly at the ceiling by the configuration", func(b *historytest.Builder) {
			b.Meta(values("12", "30", "6")).See(sec, sample(20, nil))
			covered(b)
		}, assert.Pass, 24, ""},
		{"one above by the configuration, and nothing happened yet", func(b *historytest.Builder) {
			b.Meta(values("12", "30", "7")).See(sec, sample(4, nil))
			covered(b)
		}, assert.Fail, 24, "2 nodes × 12 = 24, of max_connections 30 − 7 reserved = 23"},
		{"no room left, as observed", func(b *historytest.Builder) {
			b.Meta(values("12", "30", "5")).See(sec, sample(4, nil)).See(2*sec, sample(26, map[string]int{"j1": 3, "cron": 22, "hachaos": 1}))
			covered(b)
		}, assert.Fail, 25, "cron 22, j1 3"},
		{"refused between two samples", func(b *historytest.Builder) {
			b.Meta(values("12", "30", "5")).See(sec, sample(4, nil)).
				See(3*sec, history.Refusal{Node: "db", Text: "sorry, too many clients already"}).
				See(3*sec, history.Coverage{Stream: history.StreamConnections, Complete: true}).
				See(3*sec, history.Coverage{Stream: history.StreamRefusal, Complete: true, Seen: 1})
		}, assert.Fail, 24, "refused 1 connection for want of room, from 3.0 s to 3.0 s: sorry"},
		{"nobody looked", func(b *historytest.Builder) { b.Meta(values("12", "30", "5")) }, assert.Inconclusive, 24, ""},
		{"the database was never reached", func(b *historytest.Builder) {
			b.Meta(values("12", "30", "5")).See(sec, history.Connections{})
			covered(b)
		}, assert.Inconclusive, 24, ""},
		{"the database's log was lost", func(b *historytest.Builder) {
			b.Meta(values("12", "30", "5")).See(sec, sample(4, nil)).Covered(sec, history.StreamConnections)
		}, assert.Inconclusive, 24, ""},
		{"a topology that states nothing", func(b *historytest.Builder) {
			b.Meta(func(m *history.Meta) { m.Faultless = true }).See(sec, sample(4, nil))
			covered(b)
		}, assert.Inconclusive, -1, ""},
		{"a value that is no number", func(b *historytest.Builder) {
			b.Meta(values("many", "30", "5")).See(sec, sample(4, nil))
			covered(b)
		}, assert.Inconclusive, -1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := historytest.New()
			b.Op(history.OpLogin, 0).New().OK()
			tt.build(b)
			v := assert.Judge(b.Build(t), []assert.Checker{assert.ConnectionCeiling{}})[0]
			require.Equal(t, tt.want, v.Status, "%s %v", v.Summary, v.Reasons)
			if tt.measured < 0 {
				require.Nil(t, v.Measured)
				return
			}
			require.Equal(t, tt.measured, *v.Measured)
			if v.Status == assert.Pass {
				require.LessOrEqual(t, *v.Measured, *v.Bound)
			}
			if tt.name == "no room left, as observed" {
				require.Equal(t, 24.0, *v.Bound, "one must be left")
			}
			if tt.want == assert.Fail {
				require.Contains(t, v.Evidence[0].Text, tt.says)
				require.Contains(t, v.Fix, "pool.go")
			} else {
				require.Contains(t, v.Summary, tt.says)
			}
		})
	}
}
