package report_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history/historytest"
	"github.com/hachaos/hachaos/report"
)

// BenchmarkHTML renders the page of a million operations. MB is the page's
// size; it must stay under 2.
func BenchmarkHTML(b *testing.B) {
	h := historytest.Generate(historytest.Config{Ops: 1_000_000, Rate: 2000, Kill: true}).History(b)
	r := &harness.Result{Scenario: "instance-kill", Verdict: harness.VerdictPass}
	var page bytes.Buffer
	for b.Loop() {
		page.Reset()
		require.NoError(b, report.HTML(&page, r, h))
	}
	b.ReportMetric(float64(page.Len())/1e6, "MB")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/render")
	require.Less(b, page.Len(), 2<<20)
}
