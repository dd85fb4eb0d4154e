package observe

import (
	"bytes"
	"os"
	"testing"
	"unicode/utf8"

	"github.com/hachaos/hachaos/history"

	"github.com/stretchr/testify/require"
)

// Each target asserts what every reader of the result relies on, whatever
// the bytes.

func FuzzMetrics(f *testing.F) {
	f.Add([]byte("# HELP a b\na{b=\"c}\\\"\"} 1 2\nhachaos_warm 1 1732082400123\n"))
	f.Add([]byte("a{ 1\n\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		samples, err := parseMetrics(text)
		require.LessOrEqual(t, len(samples), bytes.Count(text, []byte("\n"))+1)
		for _, s := range samples {
			require.NotEmpty(t, s.name)
			require.NotContains(t, s.name, "{")
		}
		if err != nil {
			require.ErrorContains(t, err, "metrics line")
		}
		_ = truthOf(gauges(samples))
	})
}

func FuzzReply(f *testing.F) {
	text, err := os.ReadFile("testdata/show-servers.txt")
	require.NoError(f, err)
	f.Add(string(text))
	f.Add("Pid: 1\n# pxname,svname\na,\"b\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, rows, err := parseReply(text)
		if err == nil {
			require.GreaterOrEqual(t, got.pid, 0)
		}
		for _, r := range rows {
			_ = serverOf("lb", r, 0)
		}
	})
}

func FuzzDispatch(f *testing.F) {
	f.Add([]byte(`{"hachaos":"dispatch","lb":"lb1","at":"1795158258114752","n":64,"pid":8,"op":"12.1","key":"k","st":201,"srv":"j1","retr":"+1","term":"--NI","Tw":0,"Tc":1,"Tr":252,"Ta":-1,"bytes":210}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		got, ok, err := parseDispatch(line)
		if err != nil || !ok {
			return
		}
		require.GreaterOrEqual(t, got.v.Attempt, 0)
		require.GreaterOrEqual(t, got.v.Retries, 0)
		require.GreaterOrEqual(t, got.v.Wait.Nanoseconds(), int64(-1))
		require.NotEqual(t, "-", got.v.Server)
	})
}

func FuzzNodeLine(f *testing.F) {
	f.Add([]byte(`{"hachaos":"receipt","at":1732082400123456,"node":"j1","what":"commit","op":"12.1","key":"k-12","order":31}`))
	f.Add([]byte(`{"hachaos":"transition","at":1,"node":"j1","what":"warm","version":"1"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		got, err := parseNodeLine(line)
		require.False(t, got.receipt != nil && got.transition != nil)
		if err != nil {
			require.Equal(t, nodeLine{}, got)
		}
		if got.receipt != nil {
			require.NotEmpty(t, got.receipt.Node)
		}
	})
}

// FuzzNodeLog: a line of the node's is an observation that one of its accounts counts,
// is counted as missed by both, or is of a kind that nobody knows; any other is left
// alone.
func FuzzNodeLog(f *testing.F) {
	f.Add([]byte(`{"hachaos":"receipt","at":1732082400123456,"node":"j1","what":"commit","op":"12.1","key":"k-12","order":31}`))
	f.Add([]byte(`{"hachaos":"transition","at":1,"node":"j1","what":"warm","version":"1"}`))
	f.Add([]byte(`{"hachaos":"receipt"`))
	f.Add([]byte("WARN: a line of Jetty's"))
	f.Fuzz(func(t *testing.T, line []byte) {
		n := &nodeLog{newEnv(newFake(), history.StartClock(), t.TempDir()), "j1"}
		receipts, transitions, got := &account{stream: history.StreamReceipt}, &account{stream: history.StreamTransition}, &recorder{}
		n.read(line, got, n.env.foreign("j1"), receipts, transitions)
		seen := receipts.seen + transitions.seen
		require.Len(t, got.events, int(seen))
		require.Equal(t, receipts.missed, transitions.missed)
		require.LessOrEqual(t, seen+receipts.missed, uint64(1))
		if !ours(line) {
			require.Zero(t, seen+receipts.missed)
		}
	})
}

func FuzzAddrs(f *testing.F) {
	text, err := os.ReadFile("testdata/ip-addr.json")
	require.NoError(f, err)
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		addrs, err := parseAddrs(text)
		if err != nil {
			require.Empty(t, addrs)
		}
		for _, a := range addrs {
			require.True(t, a.IsValid())
		}
	})
}

func FuzzOwnerLine(f *testing.F) {
	f.Add("1795159126.002745 1795159126.002933 1")
	f.Fuzz(func(t *testing.T, line string) {
		got, err := parseOwnerLine(line)
		if err == nil {
			require.False(t, got.began.IsZero())
		}
	})
}

// FuzzLines writes bytes in pieces and wants the lines that whole text has.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\r\n\nc"), uint8(2))
	f.Add([]byte("\n\n"), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, piece uint8) {
		var (
			kept  bytes.Buffer
			lines [][]byte
		)
		w := &lineWriter{file: &kept, line: func(l []byte) { lines = append(lines, bytes.Clone(l)) }}
		for rest := text; len(rest) > 0; {
			n := min(len(rest), int(piece)+1)
			_, err := w.Write(rest[:n])
			require.NoError(t, err)
			rest = rest[n:]
		}
		w.finish()
		require.Equal(t, string(text), kept.String())
		var want [][]byte
		for l := range bytes.Lines(text) {
			l = bytes.TrimSuffix(bytes.TrimSuffix(l, []byte("\n")), []byte("\r"))
			want = append(want, l)
		}
		require.Len(t, lines, len(want))
		for i := range want {
			require.True(t, bytes.Equal(want[i], lines[i]))
		}
	})
}

// FuzzSessionBody wants nothing known of a body that is not understood.
func FuzzSessionBody(f *testing.F) {
	f.Add([]byte(`{"id":"abc","user":"u7","count":2,"ops":["12","40.2"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := history.SessionState{}
		if sessionBody(body, &s) != nil {
			require.Equal(t, history.SessionState{}, s)
			return
		}
		require.True(t, s.Known && s.Found)
		require.NotEmpty(t, s.ID)
		require.True(t, utf8.ValidString(s.ID))
	})
}
