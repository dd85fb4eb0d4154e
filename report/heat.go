package report

import (
	"sort"
	"time"

	"github.com/hachaos/hachaos/history"
)

// heat counts operations by when they were due and how long they took. Cells
// are [column, bin, count], without the empty ones; bin i holds latencies
// from Edges[i], in milliseconds, up to the next edge.
type heat struct {
	Step  float64   `json:"step"` // seconds
	Edges []float64 `json:"edges"`
	Cells [][3]int  `json:"cells"`
}

// maxColumns bounds the heat map.
const maxColumns = 200

// heatEdges are six to a decade, from 1 ms to 50 s, with all that is faster
// below.
func heatEdges() []float64 {
	out := []float64{0.5}
	for decade := 1.0; decade < 1e5; decade *= 10 {
		for _, f := range []float64{1, 1.5, 2, 3, 5, 7} {
			if e := decade * f; e <= 50_000 {
				out = append(out, e)
			}
		}
	}
	return out
}

// heated folds the operations that completed.
func heated(h *history.History) heat {
	edges := heatEdges()
	width := max(2*minBucket, (h.End/maxColumns + 10*time.Millisecond).Truncate(10*time.Millisecond))
	out := heat{Step: width.Seconds(), Edges: edges, Cells: [][3]int{}}
	columns := int(h.End/width) + 1
	counts := make([]int, columns*len(edges))
	for i := range h.Ops {
		o := &h.Ops[i]
		if late, done := o.Latency(); done {
			counts[bucket(o.Intended, width, columns)*len(edges)+binOf(edges, late)]++
		}
	}
	for i, n := range counts {
		if n > 0 {
			out.Cells = append(out.Cells, [3]int{i / len(edges), i % len(edges), n})
		}
	}
	return out
}

// binOf is the last bin whose edge is not above the latency.
func binOf(edges []float64, late time.Duration) int {
	ms := float64(late) / float64(time.Millisecond)
	return max(0, sort.Search(len(edges), func(i int) bool { return edges[i] > ms })-1)
}

// heatRow is a line of the table behind the heat map: how many operations
// took so long.
type heatRow struct {
	From   string
	Counts []int
}

// heatHead names the columns of that table.
var heatHead = []string{"< 10 ms", "10–100 ms", "100–500 ms", "0.5–1 s", "1–10 s", "≥ 10 s"}

// rows folds the map to at most maxHeatRows lines and the columns of
// heatHead.
func (m *heat) rows() []heatRow {
	const maxHeatRows = 40
	limits := []float64{10, 100, 500, 1000, 10_000}
	last := 0
	for _, c := range m.Cells {
		last = max(last, c[0])
	}
	group := 1 + last/maxHeatRows
	var out []heatRow
	for _, c := range m.Cells {
		r := c[0] / group
		for len(out) <= r {
			out = append(out, heatRow{number(float64(len(out)*group)*m.Step) + " s", make([]int, len(heatHead))})
		}
		column := sort.Search(len(limits), func(i int) bool { return limits[i] > m.Edges[c[1]] })
		out[r].Counts[column] += c[2]
	}
	return out
}
