package history

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// fullCall has every field set, with texts that need care.
func fullCall() *Call {
	return &Call{
		ID: 12, Session: 7, User: "u7", Key: "k-\"12\"", Intended: 5 * time.Second,
		Sent: -1, Late: 3, End: 6 * time.Second, Status: 503, Error: ErrStatus, Node: "j1\n", Version: "1<&>",
		Balancer: "lb\u20281", Cold: true, Attempts: 3, Value: -4, SessionID: "s\x00\x7f\t\r\b",
		Owner: "ü\xff", New: true, Replayed: true, Bound: "日本",
		Tries: []Try{{End: 1, Outcome: Info, Error: ErrReset, Node: "j2"}, {End: 2, Outcome: Fail, Status: 503}},
	}
}

// sameMeaning holds a line of ours to the one that encoding/json makes.
func sameMeaning(t *testing.T, e Event) {
	t.Helper()
	require.True(t, plain(&e))
	line := appendOp(nil, e.Seq, &e)
	require.Equal(t, byte('\n'), line[len(line)-1])
	theirs, err := json.Marshal(&e)
	require.NoError(t, err)
	var want, got Event
	require.NoError(t, json.Unmarshal(theirs, &want))
	require.NoError(t, json.Unmarshal(line, &got), "%s", line)
	require.Equal(t, want, got)
	require.NotContains(t, string(line[:len(line)-1]), "\n")
	require.True(t, utf8.Valid(line), "%q", line)
}

// The forms that a line has, byte by byte: a text that the reader refuses, as
// it does what is not UTF-8, would cost the record its seal.
func TestAppendQuoted(t *testing.T) {
	for in, want := range map[string]string{
		"":          `""`,
		"k 1~":      `"k 1~"`,
		`a"b\c`:     `"a\"b\\c"`,
		"a\nb\tc":   `"a\nb\tc"`,
		"\x00\x1f":  `"\u0000\u001f"`,
		"\x7f":      "\"\x7f\"",
		"\x80":      "\"\ufffd\"",
		"a\xc3":     "\"a\ufffd\"",
		"\xff\xfeb": "\"\ufffd\ufffdb\"",
		"ü\ufffd日":  "\"ü\ufffd日\"",
	} {
		require.Equal(t, want, string(appendQuoted(nil, in)), "%q", in)
	}
}

func TestAppendOpLeavesOutWhatIsEmpty(t *testing.T) {
	e := Event{Kind: Invoke, Op: &Call{ID: 1}}
	require.Equal(t, `{"seq":3,"at":0,"kind":"invoke","op":{"id":1,"intended":0}}`+"\n", string(appendOp(nil, 3, &e)))
}

func TestAppendOpMeansWhatEncodingJSONMeans(t *testing.T) {
	tests := map[string]Event{
		"full":      {Seq: 1, At: 1, Kind: OK, Name: OpOrder, Op: fullCall()},
		"empty":     {Seq: 1, Kind: Invoke, Op: &Call{}},
		"largest":   {Seq: math.MaxUint64, At: math.MaxInt64, Kind: Info, Op: &Call{ID: math.MaxUint64, Session: math.MaxUint32, Intended: math.MaxInt64, Value: math.MaxInt64}},
		"smallest":  {Seq: 1, At: math.MinInt64, Kind: Fail, Op: &Call{Intended: math.MinInt64, Sent: math.MinInt64, Value: math.MinInt64, Status: -1}},
		"not UTF-8": {Seq: 1, Kind: OK, Name: "a\x80b", Op: &Call{User: "\ufffd", Key: "\xff\ufffd\xff", Node: "\x80", Owner: "é\xc3"}},
		"late try":  {Seq: 1, Kind: OK, Op: &Call{Tries: []Try{{End: 98 * time.Second}}}},
		"odd try":   {Seq: 1, Kind: OK, Op: &Call{Tries: []Try{{Outcome: "\"\\"}}}},
	}
	for name, e := range tests {
		t.Run(name, func(t *testing.T) { sameMeaning(t, e) })
	}
}

func FuzzAppendOp(f *testing.F) {
	f.Add(uint64(1), int64(2), "order", "k-1", "j1", int64(-1), 200, true, uint8(2))
	f.Add(uint64(1), int64(-2), "\x00\xff\"\\\u2028", "\xc0\x80", "\ud7ff", int64(math.MinInt64), -1, false, uint8(0))
	f.Fuzz(func(t *testing.T, id uint64, at int64, name, a, b string, n int64, status int, is bool, tries uint8) {
		c := &Call{
			ID: id, Session: uint32(n), User: a, Key: b, Intended: time.Duration(at), Sent: time.Duration(n),
			Late: time.Duration(at), End: time.Duration(n), Status: status, Error: a + b, Node: b + a, Version: a,
			Balancer: b, Cold: is, Attempts: status, Value: n, SessionID: b, Owner: a, New: !is, Replayed: is, Bound: name,
		}
		for range tries % 4 {
			c.Tries = append(c.Tries, Try{End: time.Duration(n), Outcome: Kind(a), Status: status, Error: b, Node: name})
		}
		sameMeaning(t, Event{Seq: id, At: time.Duration(at), Kind: OK, Name: name, Op: c})
	})
}

func TestPlainLeavesTheRestToEncodingJSON(t *testing.T) {
	c := &Call{ID: 1}
	tests := map[string]Event{
		"no call":    {Kind: OK},
		"other kind": {Kind: Observed, Op: c},
		"nodes":      {Kind: OK, Op: c, Nodes: []string{"j1"}},
		"fault":      {Kind: OK, Op: c, Fault: 1},
		"error":      {Kind: OK, Op: c, Err: "x"},
		"data":       {Kind: OK, Op: c, Data: json.RawMessage("{}")},
	}
	for name, e := range tests {
		t.Run(name, func(t *testing.T) { require.False(t, plain(&e)) })
	}
}

func TestTail(t *testing.T) {
	e := Event{Seq: 99, At: 3, Kind: Observed, Name: StreamHost, Data: json.RawMessage("{\"a\":\"\xff\"}")}
	b, err := tail(e)
	require.NoError(t, err)
	require.Equal(t, `{"seq":5,"at":3,"kind":"observed","name":"host","data":{"a":"`+"\ufffd"+`"}}`+"\n", string(appendTail(nil, 5, b)))
	_, err = tail(Event{Data: json.RawMessage(`{"a":`)})
	require.Error(t, err)
}

func TestAppendOpDoesNotAllocate(t *testing.T) {
	e := Event{Seq: 1, At: 1, Kind: OK, Name: OpOrder, Op: fullCall()}
	buf := make([]byte, 0, 4096)
	require.Zero(t, testing.AllocsPerRun(100, func() { buf = appendOp(buf[:0], 1, &e) }))
}

func TestOpLineReadsWhatAppendOpWrites(t *testing.T) {
	c := fullCall()
	c.Key, c.Node, c.SessionID, c.Owner = "k-12", "j1", "s\x7f1", "ü" // no escapes
	e := Event{Seq: 3, At: -1, Kind: OK, Name: OpOrder, Op: c}
	line := appendOp(nil, 3, &e)
	var got Event
	s := scan{b: line[:len(line)-1], str: copied}
	require.True(t, s.opLine(&got, &Call{}))
	require.Equal(t, e, got)
	require.Positive(t, strings.Count(string(line), "tries"))
}

func BenchmarkAppendOp(b *testing.B) {
	invoke := Event{Kind: Invoke, Name: OpOrder, At: 12345678901, Op: &Call{ID: 123456, Session: 77, User: "u77", Key: "k-123456", Intended: 12345678901, Bound: "j1"}}
	done := Event{Kind: OK, Name: OpOrder, At: 12445678901, Op: typical()}
	for name, e := range map[string]*Event{"invoke": &invoke, "ok": &done} {
		b.Run(name, func(b *testing.B) {
			buf := make([]byte, 0, 4096)
			b.ReportAllocs()
			for b.Loop() {
				buf = appendOp(buf[:0], 1234567, e)
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}

// typical is an order's completion as a run has them.
func typical() *Call {
	return &Call{
		ID: 123456, Session: 77, User: "u77", Key: "k-123456", Intended: 12345678901, Sent: 12345700000,
		End: 12445678901, Status: 201, Node: "j1", Version: "1", Balancer: "lb1", Attempts: 1, Value: 4711,
		SessionID: "node01a2b3c4d5e6f7g8h9i0j77", Owner: "u77", Bound: "j1",
	}
}
