package assert_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

func TestLeftovers(t *testing.T) {
	clean := func() *historytest.Builder {
		b := historytest.New()
		b.Op(history.OpLogin, 0).New().OK()
		return b
	}
	thing := history.Leftover{Kind: "container", Name: "hachaos-1-j1", Detail: "running", Remove: "docker rm -f hachaos-1-j1"}
	tests := []struct {
		name     string
		build    func(*historytest.Builder)
		want     assert.Status
		measured float64
		evidence string
	}{
		{"nothing is left", func(b *historytest.Builder) { b.Covered(sec, history.StreamLeftover) }, assert.Pass, 0, ""},
		{"nobody looked", func(*historytest.Builder) {}, assert.Inconclusive, 0, ""},
		{"the look was broken off", func(b *historytest.Builder) {
			b.See(sec, history.Coverage{Stream: history.StreamLeftover, Reason: "the engine went away"})
		}, assert.Inconclusive, 0, ""},
		{"a container is left", func(b *historytest.Builder) {
			b.See(sec, thing).Covered(sec, history.StreamLeftover)
		}, assert.Fail, 1, "container hachaos-1-j1 (running); remove it with: docker rm -f hachaos-1-j1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := clean()
			tt.build(b)
			v := assert.Judge(b.Build(t), []assert.Checker{assert.Leftovers{}})[0]
			require.Equal(t, tt.want, v.Status, v.Reasons)
			require.Equal(t, tt.measured, *v.Measured)
			if tt.evidence != "" {
				require.Equal(t, tt.evidence, v.Evidence[0].Text)
			}
		})
	}
}
