package assert_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// jobRun is a run of 10 s, whose job is to be done each second.
func jobRun() *historytest.Builder {
	b := faultless(historytest.New(), 10*sec)
	for at := time.Duration(0); at <= 11*sec; at += sec {
		b.Clock(at, int64(time.Hour+at))
	}
	return b.Meta(func(m *history.Meta) {
		m.Bounds = []history.Bound{{Name: "job", Limit: 3 * sec, Formula: "lease", File: "here"}}
	}).Covered(11*sec, history.StreamJob)
}

// effects adds one effect a second, from the second of the first slot on.
func effects(b *historytest.Builder, token int64, owner string, slots ...int64) {
	for _, slot := range slots {
		b.See(time.Duration(slot)*sec+token1(token), history.JobEffect{Row: slot*10 + token, Slot: slot, Token: token, Owner: owner})
	}
}

func token1(token int64) time.Duration { return time.Duration(token) * ms }

func TestSingleOwner(t *testing.T) {
	for _, tt := range []struct {
		name      string
		build     func(*historytest.Builder)
		want      assert.Status
		measured  float64
		exercised bool
		text      string
	}{
		{"handed over", func(b *historytest.Builder) {
			effects(b, 1, "j1", 1, 2, 3)
			effects(b, 2, "j2", 5, 6, 7, 8, 9)
		}, assert.Pass, 2001, true, ""},
		{"one owner all the time", func(b *historytest.Builder) { effects(b, 1, "j1", 1, 2, 3, 4, 5, 6, 7, 8, 9) }, assert.Pass, 1001, false, ""},
		{"a slot done twice", func(b *historytest.Builder) {
			effects(b, 1, "j1", 1, 2, 3, 4)
			effects(b, 2, "j2", 4, 5, 6, 7, 8, 9)
		}, assert.Fail, 1, true, "j2 did slot 4 (token 2), which j1 had done (token 1)"},
		{"a zombie writes", func(b *historytest.Builder) {
			effects(b, 1, "j1", 1, 2, 5)
			effects(b, 2, "j2", 3, 4, 6, 7, 8, 9)
		}, assert.Fail, 1, true, "j1 wrote slot 5 under token 1 after j2 wrote slot 4 under token 2"},
		{"a token of two", func(b *historytest.Builder) {
			effects(b, 1, "j1", 1, 2, 3)
			effects(b, 1, "j2", 4, 5, 6, 7, 8, 9)
		}, assert.Fail, 6, true, "j2 wrote slot 4 under token 1, which j1 holds"},
		{"nobody for too long", func(b *historytest.Builder) {
			effects(b, 1, "j1", 1, 2, 3)
			effects(b, 2, "j2", 7, 8, 9)
		}, assert.Fail, 4001, true, "nobody did the job for 4 s, from 3.001 s on, when j1 did it last"},
		{"nobody any more", func(b *historytest.Builder) { effects(b, 1, "j1", 1, 2, 3, 4, 5, 6) }, assert.Fail, 3999, true, "nobody did the job for 4 s, from 6.001 s on, when j1 did it last; nobody did it again"},
		{"nobody ever", func(*historytest.Builder) {}, assert.Fail, 10000, true, "nobody did the job for 10 s, from 0.000 s on; nobody did it again"},
		{"not read whole", func(b *historytest.Builder) {
			effects(b, 1, "j1", 1, 2, 3)
			effects(b, 2, "j2", 5, 6, 7, 8, 9)
			b.See(11*sec, history.Coverage{Stream: history.StreamJob, Reason: "psql"})
		}, assert.Inconclusive, 0, true, ""},
		{"not read whole, and yet twice", func(b *historytest.Builder) {
			effects(b, 1, "j1", 1, 2, 3)
			effects(b, 2, "j2", 3)
			b.See(11*sec, history.Coverage{Stream: history.StreamJob, Reason: "psql"})
		}, assert.Fail, 1, true, "j2 did slot 3 (token 2), which j1 had done (token 1)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := jobRun()
			tt.build(b)
			v := assert.Judge(b.Build(t), []assert.Checker{assert.SingleOwner{Bound: "job"}})[0]
			require.Equal(t, tt.want, v.Status, "%v %s", v.Reasons, v.Summary)
			if tt.want == assert.Inconclusive {
				return
			}
			require.Equal(t, !tt.exercised, v.NotExercised)
			require.InDelta(t, tt.measured, *v.Measured, 1e-6)
			if tt.text != "" {
				require.Equal(t, tt.text, v.Evidence[0].Text)
			}
		})
	}
}

func TestSingleOwnerOfNothing(t *testing.T) {
	v := assert.Judge(historytest.New().Build(t), []assert.Checker{assert.SingleOwner{Bound: "job"}})[0]
	require.Equal(t, assert.Inconclusive, v.Status)
	require.Contains(t, v.Reasons[0], `the topology states no bound "job"`)
}
