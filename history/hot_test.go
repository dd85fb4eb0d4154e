package history

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	fullReceipt  = Receipt{Span{1}, "j1", "arrive", 2, 3, "k-ü", -4}
	fullDispatch = Dispatch{Span{1}, "lb1", 2, 3, 4, "k-3", "j1", 5, 6, true, "--NI", 7, -1, 9, 10, 11}
	fullRow      = LedgerRow{1, "k-1", 2, 3, "j1", "1"}
)

// Whatever encoding/json writes of these types is read by hand: a field that
// is added to one of them and not to its reader is found here.
func TestHotStreamsAreReadByHand(t *testing.T) {
	for name, e := range map[string]Event{
		"receipt": Observe(5, fullReceipt), "zero receipt": Observe(5, Receipt{}),
		"dispatch": Observe(5, fullDispatch), "zero dispatch": Observe(5, Dispatch{}),
		"row": Observe(5, fullRow), "zero row": Observe(5, LedgerRow{}),
	} {
		for _, nodes := range [][]string{nil, {"j1"}, {"j1", "j2"}} {
			e.Nodes = nodes
			line := bytes.TrimSuffix(journal(t, Event{Kind: End}, e), []byte("\n"))
			line = line[bytes.IndexByte(line, '\n')+1:]
			l := newLoader(bytes.NewReader(nil), 0)
			l.r.line = 2
			_, taken, err := l.event(line, &Call{})
			require.NoError(t, err)
			require.True(t, taken, "%s: %s", name, line)
			got := []any{l.b.h.Receipts, l.b.h.Dispatches, l.b.h.Ledger, l.b.h.End, l.good}

			slow := newBuilder()
			slow.h.End = e.At
			e.Data = append(json.RawMessage(" "), e.Data...) // white space goes the long way
			e.Seq = 2
			require.False(t, slow.hot(&e))
			require.NoError(t, slow.observe(&e))
			require.Equal(t, []any{slow.h.Receipts, slow.h.Dispatches, slow.h.Ledger, slow.h.End, uint64(1)}, got)
		}
	}
}

func TestHotLinesKeepTheirPlace(t *testing.T) {
	line := journal(t, Observe(1, fullReceipt), Observe(1, fullReceipt))
	line = bytes.TrimSuffix(line[bytes.IndexByte(line, '\n')+1:], []byte("\n"))
	for name, change := range map[string]func(*loader){
		"another line": func(l *loader) { l.r.line = 3 },
		"past the end": func(l *loader) { l.b.ended = &endOf{} },
	} {
		l := newLoader(bytes.NewReader(nil), 0)
		l.r.line = 2
		change(l)
		_, taken, _ := l.event(line, &Call{})
		require.False(t, taken, name)
		require.Empty(t, l.b.h.Receipts)
	}
}

// FuzzHot holds the readers by hand to encoding/json: for whatever they
// read, that reads the same.
func FuzzHot(f *testing.F) {
	for _, v := range []any{fullReceipt, fullDispatch, fullRow, Receipt{}, Dispatch{}, LedgerRow{}} {
		b, err := json.Marshal(v)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		str := func(b []byte) string { return string(b) }
		same(t, in, (&scan{b: in, str: str}).read(func(s *scan) any { r := s.receipt(); return &r }), &Receipt{})
		same(t, in, (&scan{b: in, str: str}).read(func(s *scan) any { d := s.dispatch(); return &d }), &Dispatch{})
		same(t, in, (&scan{b: in, str: str}).read(func(s *scan) any { r := s.ledgerRow(); return &r }), &LedgerRow{})
	})
}

func (s *scan) read(how func(*scan) any) any {
	if v := how(s); s.atEnd() {
		return v
	}
	return nil
}

func same(t *testing.T, in []byte, got, want any) {
	t.Helper()
	if got == nil {
		return
	}
	require.NoError(t, json.Unmarshal(in, want), "%q", in)
	require.Equal(t, want, got, "%q", in)
}

func FuzzHotValues(f *testing.F) {
	f.Add("j1", "arrive", uint64(1), int64(-1), 2, true)
	f.Fuzz(func(t *testing.T, a, b string, n uint64, i int64, k int, is bool) {
		a, b = string([]rune(a)), string([]rune(b)) // what is not UTF-8 is replaced
		d := time.Duration(i)
		h, err := FromEvents([]Event{
			Observe(1, Receipt{Span{d}, a, b, n, k, b, i}),
			Observe(1, Dispatch{Span{d}, a, n, n, k, b, a, k, k, is, b, d, d, d, d, i}),
			Observe(1, LedgerRow{i, a, n, k, b, a}),
		})
		require.NoError(t, err)
		for want, got := range map[any]any{
			Receipt{Span{d}, a, b, n, k, b, i}:                              h.Receipts[0].V,
			Dispatch{Span{d}, a, n, n, k, b, a, k, k, is, b, d, d, d, d, i}: h.Dispatches[0].V,
			LedgerRow{i, a, n, k, b, a}:                                     h.Ledger[0].V,
		} {
			x, err := json.Marshal(want)
			require.NoError(t, err)
			y, err := json.Marshal(got)
			require.NoError(t, err)
			require.Equal(t, string(x), string(y))
		}
	})
}
