package serve

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// BenchmarkList makes a page of a list of 5,000 runs, whose results are read
// for the first time, or are known. kB is the size of a result.
func BenchmarkList(b *testing.B) {
	r := harness.Result{Schema: harness.ResultSchema, Scenario: "rolling-deploy", Verdict: harness.VerdictFail, Reason: "error-budget was violated.", Measures: map[string]float64{}}
	for i := range 130 {
		r.Measures[fmt.Sprintf("session-survival.figure_%d", i)] = float64(i)
	}
	for i := range 7 {
		v := assert.Verdict{Name: fmt.Sprintf("assertion-%d", i), Summary: strings.Repeat("words ", 30)}
		for op := range 10 {
			v.Evidence = append(v.Evidence, assert.Evidence{Op: uint64(op), Text: strings.Repeat("words ", 30)})
		}
		r.Assertions = append(r.Assertions, v)
	}
	result, err := harness.Encode(&r)
	require.NoError(b, err)
	dir := b.TempDir()
	for i := range 5000 {
		at := filepath.Join(dir, fmt.Sprintf("20261120T080000Z-rolling-deploy-%08x", i))
		require.NoError(b, os.MkdirAll(at, 0o755))
		require.NoError(b, os.WriteFile(filepath.Join(at, harness.ResultFile), result, 0o644))
	}
	list := func(s *Server) {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/", nil))
		require.Equal(b, http.StatusOK, w.Code)
	}
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			s, err := New(dir, nil)
			require.NoError(b, err)
			list(s)
		}
		b.ReportMetric(float64(len(result))/1e3, "kB")
	})
	b.Run("known", func(b *testing.B) {
		s, err := New(dir, nil)
		require.NoError(b, err)
		list(s)
		for b.Loop() {
			list(s)
		}
	})
}
