package harness

import (
	"math"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// Summarise gives the figures of a run by name. Those of the load cover the
// judged phases (all but warm-up) and, behind a dot, each phase by its name:
//
//	operations, ok, fail, info, dropped, late    counts
//	good_percent                                 ok within the default availability threshold
//	throughput_per_second                        good operations
//	latency_p50_ms … _p99_, _p999_, _max_        of what completed, from the intended send
//
// and those of the assertions follow as "<assertion>.<measure>". Names are
// lower-case with underscores. It is pure.
func Summarise(h *history.History, verdicts []assert.Verdict) map[string]float64 {
	all := newFigures(h)
	phases := make([]*figures, len(h.Phases))
	for i := range phases {
		phases[i] = newFigures(h)
	}
	cursor := 0
	for i := range h.Ops {
		o := &h.Ops[i]
		p := history.PhaseIndex(h.Phases, o.Intended, &cursor)
		if p < 0 {
			continue
		}
		phases[p].add(h, o)
		if h.Phases[p].Judged() {
			all.add(h, o)
		}
	}
	out := map[string]float64{}
	var judged time.Duration
	for i, p := range h.Phases {
		phases[i].put(out, FigureName(p.Name)+".", p.To-p.From)
		if p.Judged() {
			judged += p.To - p.From
		}
	}
	all.put(out, "", judged)
	for _, v := range verdicts {
		putVerdict(out, v)
	}
	return out
}

// putVerdict adds an assertion's figures.
func putVerdict(out map[string]float64, v assert.Verdict) {
	if v.Measured != nil {
		out[FigureName(v.Name)] = *v.Measured
	}
	for _, m := range v.Measures {
		out[FigureName(v.Name)+"."+FigureName(m.Name)] = m.Value
		if v.Name == (assert.ErrorBudget{}).Name() && m.Name == assert.GoodInJudgedRun {
			out["good_percent"] = m.Value // its own threshold counts
		}
	}
}

// figures are counts and latencies of a part of a run.
type figures struct {
	operations, ok, fail, info, good, late, dropped int

	dropClass uint16
	limit     time.Duration // of lateness
	latency   *hdrhistogram.Histogram
}

// maxLatency is the largest latency that can be told; longer ones count as
// that.
const maxLatency = 10 * time.Minute

func newFigures(h *history.History) *figures {
	f := &figures{limit: h.Meta.Load.Late, latency: hdrhistogram.New(1, maxLatency.Microseconds(), 3)}
	if n, ok := h.Names.Find(history.ErrDropped); ok && n <= math.MaxUint16 {
		f.dropClass = uint16(n)
	}
	return f
}

func (f *figures) add(h *history.History, o *history.Op) {
	if f.dropClass != 0 && o.Error == f.dropClass {
		f.dropped++
		return
	}
	f.operations++
	latency, done := o.Latency()
	switch o.Outcome {
	case history.Good:
		f.ok++
		if latency <= assert.DefaultThreshold {
			f.good++
		}
	case history.Failed:
		f.fail++
	default:
		f.info++
	}
	if done {
		_ = f.latency.RecordValue(min(max(1, latency.Microseconds()), maxLatency.Microseconds()))
	}
	if o.Lateness() > f.limit {
		f.late++
	}
}

func (f *figures) put(out map[string]float64, prefix string, span time.Duration) {
	for name, v := range map[string]int{
		"operations": f.operations, "ok": f.ok, "fail": f.fail, "info": f.info, "dropped": f.dropped, "late": f.late,
	} {
		out[prefix+name] = float64(v)
	}
	if f.operations > 0 {
		out[prefix+"good_percent"] = 100 * float64(f.good) / float64(f.operations)
	}
	if span > 0 {
		out[prefix+"throughput_per_second"] = float64(f.good) / span.Seconds()
	}
	if f.latency.TotalCount() == 0 {
		return
	}
	ms := func(us int64) float64 { return float64(us) / 1000 }
	out[prefix+"latency_p50_ms"] = ms(f.latency.ValueAtQuantile(50))
	out[prefix+"latency_p99_ms"] = ms(f.latency.ValueAtQuantile(99))
	out[prefix+"latency_p999_ms"] = ms(f.latency.ValueAtQuantile(99.9))
	out[prefix+"latency_max_ms"] = ms(f.latency.Max())
}

// FigureName is the name by which Result.Measures has what words name: lower-case,
// with underscores. Dashes and dots stay.
func FigureName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, s)
}
