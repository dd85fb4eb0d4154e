package historytest_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

const million = 1_000_000

// BenchmarkLoad reads the journal of a million operations, with the ledger.
// B/retained is what a loaded history holds for each operation, with its
// names and its part of the ledger; B/beyond is without the operation itself.
func BenchmarkLoad(b *testing.B) {
	for name, c := range map[string]historytest.Config{
		"ops":  {Ops: million, Rate: 2000, Kill: true},
		"logs": {Ops: million, Rate: 2000, Kill: true, Receipts: true, Dispatches: true},
	} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			historytest.Generate(c).Save(b, dir)
			info, err := os.Stat(filepath.Join(dir, history.Journal))
			require.NoError(b, err)
			b.SetBytes(info.Size())
			before := heap()
			var h *history.History
			for b.Loop() {
				h, err = history.Load(dir)
				require.NoError(b, err)
			}
			retained := float64(heap()-before) / million
			require.Equal(b, history.Whole, h.Integrity.State)
			b.ReportMetric(retained, "B/retained")
			b.ReportMetric(retained-float64(unsafe.Sizeof(history.Op{})), "B/beyond")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/operation")
			runtime.KeepAlive(h)
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		historytest.Generate(historytest.Config{Ops: million / 10, Rate: 2000, Kill: true}).History(b)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(million/10), "ns/operation")
}
