package report

import (
	"slices"
	"strconv"
	"time"

	"github.com/hachaos/hachaos/history"
)

// maxBuckets bounds what a chart draws, whatever the number of operations.
const maxBuckets = 600

// minBucket is the finest bucket; below it a bucket of the default load would
// hold too few operations for a percentile.
const minBucket = 100 * time.Millisecond

// series are the operations of a run by buckets of intended time. Times are
// seconds, latencies milliseconds; a nil latency is a bucket with none.
type series struct {
	Step float64    `json:"step"`
	Time []float64  `json:"t"`
	OK   []float64  `json:"ok"`   // operations a second
	Slow []float64  `json:"slow"` // ok, but later than the threshold
	Fail []float64  `json:"fail"`
	Info []float64  `json:"info"`
	P50  []*float64 `json:"p50"`
	P99  []*float64 `json:"p99"`
	Max  []*float64 `json:"max"`

	width time.Duration
}

// bucketed folds the operations; they are in the order of their intended time.
func bucketed(h *history.History) series {
	width := max(minBucket, (h.End/maxBuckets + time.Millisecond).Truncate(time.Millisecond))
	n := int(h.End/width) + 1
	if len(h.Ops) == 0 {
		n = 0
	}
	s := series{Step: width.Seconds(), width: width}
	s.grow(n)
	for i := range s.Time {
		s.Time[i] = (time.Duration(i) * width).Seconds()
	}
	perSecond := 1 / width.Seconds()
	latencies, g := make([][]time.Duration, n), gradingOf(h)
	for i := range h.Ops {
		o := &h.Ops[i]
		b := bucket(o.Intended, width, n)
		s.count(g, o, b, perSecond)
		if late, done := o.Latency(); done {
			latencies[b] = append(latencies[b], late)
		}
	}
	for b, l := range latencies {
		s.P50[b], s.P99[b], s.Max[b] = percentiles(l)
	}
	return s
}

func (s *series) grow(n int) {
	s.Time = make([]float64, n)
	s.OK, s.Slow, s.Fail, s.Info = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	s.P50, s.P99, s.Max = make([]*float64, n), make([]*float64, n), make([]*float64, n)
}

func (s *series) count(g grading, o *history.Op, b int, perSecond float64) {
	switch {
	case o.Outcome == history.Good && g.bad(o):
		s.Slow[b] += perSecond
	case o.Outcome == history.Good:
		s.OK[b] += perSecond
	case o.Outcome == history.Failed:
		s.Fail[b] += perSecond
	default:
		s.Info[b] += perSecond
	}
}

// percentiles sorts l and returns its median, 99th percentile (nearest rank)
// and maximum in milliseconds.
func percentiles(l []time.Duration) (p50, p99, top *float64) {
	if len(l) == 0 {
		return nil, nil, nil
	}
	slices.Sort(l)
	at := func(q float64) *float64 {
		ms := float64(rankOf(l, q).Microseconds()) / 1000
		return &ms
	}
	return at(0.50), at(0.99), at(1)
}

// row is a line of the table behind the charts.
type row struct {
	From                string
	OK, Slow, Fail      string
	Info, P50, P99, Max string
	Bad                 string // so far
}

// maxRows bounds the table behind the charts.
const maxRows = 90

// rows folds the series once more, for people who read a table.
func (s *series) rows(spent *spent) []row {
	group := s.group()
	var out []row
	for i := 0; i < len(s.Time); i += group {
		j := min(i+group, len(s.Time))
		out = append(out, row{
			From: number(s.Time[i]) + " s",
			OK:   number(mean(s.OK[i:j])), Slow: number(mean(s.Slow[i:j])),
			Fail: number(mean(s.Fail[i:j])), Info: number(mean(s.Info[i:j])),
			Bad: strconv.Itoa(spent.Bad[j-1]),
			P50: largest(s.P50[i:j]), P99: largest(s.P99[i:j]), Max: largest(s.Max[i:j]),
		})
	}
	return out
}

// group is how many buckets a line of a table holds: a second or more.
func (s *series) group() int {
	group := 1 + len(s.Time)/maxRows
	if s.Step > 0 {
		group = max(group, int(1/s.Step+0.5))
	}
	return group
}

func mean(l []float64) float64 {
	sum := 0.0
	for _, f := range l {
		sum += f
	}
	return sum / float64(max(1, len(l)))
}

func largest(l []*float64) string {
	var top *float64
	for _, f := range l {
		if f != nil && (top == nil || *f > *top) {
			top = f
		}
	}
	if top == nil {
		return "-"
	}
	return number(*top)
}
