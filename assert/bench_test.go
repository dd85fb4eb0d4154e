package assert_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/hachaos/hachaos/assert"
)

// benchSizes are 10⁶ operations, and 10⁷ where HACHAOS_BENCH_LARGE is set:
// the latter take some 5 GB for the history itself.
func benchSizes() []int {
	if os.Getenv("HACHAOS_BENCH_LARGE") != "" {
		return []int{1_000_000, 10_000_000}
	}
	return []int{1_000_000}
}

// BenchmarkCheck reports, beside the time, how many bytes a checker allocates
// for each operation: all that it needs beyond the history.
func BenchmarkCheck(b *testing.B) {
	for _, n := range benchSizes() {
		h := synthesise(n, 1).log().h
		for _, c := range both() {
			b.Run(fmt.Sprintf("%s/ops=%d", c.Name(), n), func(b *testing.B) {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				start := time.Now()
				for b.Loop() {
					if v := c.Check(h); v.Status != assert.Pass {
						b.Fatal(v.Summary)
					}
				}
				took := time.Since(start)
				runtime.ReadMemStats(&after)
				total := float64(n) * float64(b.N)
				b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/total, "B/operation")
				b.ReportMetric(float64(took.Nanoseconds())/total, "ns/operation")
				b.ReportMetric(took.Seconds()/float64(b.N), "s/check")
			})
		}
	}
}

// BenchmarkPlanted plants one violation of each class, of the ledger and of sessions,
// in a whole history, and fails unless exactly that is found, by its operation.
func BenchmarkPlanted(b *testing.B) {
	for _, n := range benchSizes() {
		base := synthesise(n, 1)
		b.Run(fmt.Sprintf("ops=%d", n), func(b *testing.B) {
			violations := 0
			start := time.Now()
			for b.Loop() {
				for _, p := range plants() {
					s := *base
					s.h = sameHistory(base.h)
					if op := p.put(&s); op != 0 {
						found(b, s.h, p, op, fmt.Sprintf("%s in %d operations", p.class, n))
						violations++
					}
				}
			}
			b.ReportMetric(float64(violations)/float64(b.N), "violations-found")
			b.ReportMetric(time.Since(start).Seconds()/float64(max(violations, 1)), "s/violation")
		})
	}
}
