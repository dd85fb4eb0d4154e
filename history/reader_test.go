package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// journal is a small valid journal without a seal.
func journal(t testing.TB, events ...Event) []byte {
	t.Helper()
	var b []byte
	for i, e := range events {
		if plain(&e) {
			b = appendOp(b, uint64(i)+1, &e)
			continue
		}
		rest, err := tail(e)
		require.NoError(t, err)
		b = appendTail(b, uint64(i)+1, rest)
	}
	return b
}

func sample() []Event {
	return []Event{
		{Kind: Run, Data: json.RawMessage(`{"format":"hachaos.journal/1"}`)},
		{At: 1, Kind: Invoke, Name: OpOrder, Op: &Call{ID: 1, Session: 1, User: "u1", Key: "k-1", Intended: 1}},
		{At: 2, Kind: Observed, Name: StreamHost, Data: json.RawMessage(`{"busy":0.5,"steal":0}`)},
		{At: 5, Kind: OK, Name: OpOrder, Op: &Call{ID: 1, Session: 1, User: "u1", Key: "k-1", Intended: 1, Sent: 2, End: 5, Status: 201, Node: "j1"}},
		{At: 6, Kind: PhaseEnd, Name: "steady \"<ü>\""},
	}
}

// readAll gives the events up to the first error.
func readAll(r io.Reader) (events []Event, err error) {
	for e, err := range Read(r) {
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	return events, nil
}

func TestReadGivesWhatWasWritten(t *testing.T) {
	want := sample()
	for i := range want {
		want[i].Seq = uint64(i) + 1
	}
	b := journal(t, sample()...)
	for name, r := range map[string]io.Reader{
		"at once": bytes.NewReader(b), "a byte at a time": iotest.OneByteReader(bytes.NewReader(b)),
		"data with the end": iotest.DataErrReader(bytes.NewReader(b)),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(r)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func TestReadStopsWhenAsked(t *testing.T) {
	n := 0
	for range Read(bytes.NewReader(journal(t, sample()...))) {
		n++
		break
	}
	require.Equal(t, 1, n)
}

func TestReadTornAnywhere(t *testing.T) {
	b := journal(t, sample()...)
	for cut := range b {
		got, err := readAll(bytes.NewReader(b[:cut]))
		whole := bytes.Count(b[:cut], []byte("\n"))
		require.Len(t, got, whole, "cut at %d", cut)
		if cut == 0 || b[cut-1] == '\n' {
			require.NoError(t, err, "cut at %d", cut)
			continue
		}
		require.ErrorIs(t, err, ErrTornLine, "cut at %d", cut)
		var line *LineError
		require.ErrorAs(t, err, &line)
		require.EqualValues(t, whole+1, line.Line)
	}
}

func TestReadRefuses(t *testing.T) {
	split := func() [][]byte { return bytes.SplitAfter(journal(t, sample()...), []byte("\n"))[:5] }
	edit := func(change func([][]byte) [][]byte) []byte { return bytes.Join(change(split()), nil) }
	tests := []struct {
		name string
		in   []byte
		line uint64
		want error
	}{
		{"first line lost", edit(func(l [][]byte) [][]byte { return l[1:] }), 1, ErrOrder},
		{"a line lost", edit(func(l [][]byte) [][]byte { return slices.Delete(l, 2, 3) }), 3, ErrOrder},
		{"a line twice", edit(func(l [][]byte) [][]byte { return slices.Insert(l, 2, l[1]) }), 3, ErrOrder},
		{"two lines swapped", edit(func(l [][]byte) [][]byte { l[1], l[2] = l[2], l[1]; return l }), 2, ErrOrder},
		{"an empty line", edit(func(l [][]byte) [][]byte { return slices.Insert(l, 3, []byte("\n")) }), 4, ErrBadLine},
		{"a blank line at the end", edit(func(l [][]byte) [][]byte { return append(l, []byte("\n")) }), 6, ErrBadLine},
		{"garbage behind the object", edit(func(l [][]byte) [][]byte {
			l[1] = append(bytes.TrimSuffix(l[1], []byte("\n")), "{}\n"...)
			return l
		}), 2, ErrBadLine},
		{"NUL bytes at the end", append(journal(t, sample()...), make([]byte, 100)...), 6, ErrTornLine},
		{"a line of NUL bytes", append(journal(t, sample()...), "\x00\x00\n"...), 6, ErrBadLine},
		{"invalid UTF-8", edit(func(l [][]byte) [][]byte { l[1] = bytes.Replace(l[1], []byte("k-1"), []byte("k\xff1"), 1); return l }), 2, ErrBadLine},
		{"a byte that continues nothing", edit(func(l [][]byte) [][]byte { l[1] = bytes.Replace(l[1], []byte("k-1"), []byte("k\x801"), 1); return l }), 2, ErrBadLine},
		{"a control character", edit(func(l [][]byte) [][]byte { l[1] = bytes.Replace(l[1], []byte("k-1"), []byte("k\x011"), 1); return l }), 2, ErrBadLine},
		{"a number that is too large", edit(func(l [][]byte) [][]byte {
			l[1] = bytes.Replace(l[1], []byte(`"session":1`), []byte(`"session":4294967296`), 1)
			return l
		}), 2, ErrBadLine},
		{"no object", []byte("[]\n"), 1, ErrBadLine},
		{"null", []byte("null\n"), 1, ErrOrder},
		{"only a newline", []byte("\n"), 1, ErrBadLine},
		{"behind the seal", journal(t, Event{Kind: Sealed}, Event{Kind: Clock}), 2, ErrAfterSeal},
		{"torn behind the seal", append(journal(t, Event{Kind: Sealed}), 'x'), 2, ErrAfterSeal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readAll(bytes.NewReader(tt.in))
			require.ErrorIs(t, err, tt.want)
			var line *LineError
			require.ErrorAs(t, err, &line)
			require.Equal(t, tt.line, line.Line)
			require.Len(t, got, int(tt.line)-1)
			require.Contains(t, err.Error(), fmt.Sprintf("line %d: ", tt.line))
		})
	}
}

func TestReadToleratesWhiteSpaceAndUnknownFields(t *testing.T) {
	in := "{\"seq\":1,\"at\":1,\"kind\":\"invoke\",\"op\":{\"id\":1,\"intended\":1}}\r\n" +
		"{ \"kind\": \"ok\", \"later\": [1,{}], \"seq\": 2, \"at\": 3, \"op\": {\"intended\": 1, \"id\": 1} }\n"
	got, err := readAll(strings.NewReader(in))
	require.NoError(t, err)
	require.Equal(t, []Event{
		{Seq: 1, At: 1, Kind: Invoke, Op: &Call{ID: 1, Intended: 1}},
		{Seq: 2, At: 3, Kind: OK, Op: &Call{ID: 1, Intended: 1}},
	}, got)
}

func TestReadLongLines(t *testing.T) {
	long := func(n int) []byte {
		const frame = len(`{"seq":1,"at":0,"kind":"aborted","err":""}`)
		return journal(t, Event{Kind: Aborted, Err: strings.Repeat("x", n-frame)})
	}
	got, err := readAll(bytes.NewReader(long(MaxLine)))
	require.NoError(t, err)
	require.Len(t, got, 1)
	for name, in := range map[string][]byte{"with its end": long(MaxLine + 1), "without": long(MaxLine + 9)[:MaxLine+5]} {
		_, err = readAll(bytes.NewReader(in))
		require.ErrorIs(t, err, ErrBadLine, name)
		require.ErrorContains(t, err, "longer than 4194304 bytes", name)
	}
}

// Every kind and every name is read as it stands, those of operations, which
// are read by hand, and any other.
func TestReadKeepsKindsAndNames(t *testing.T) {
	for _, kind := range []Kind{Invoke, OK, Fail, Info, Observed, Aborted, "odd"} {
		for _, name := range []string{OpLogin, OpLogout, OpSessionWrite, OpSessionRead, OpOrder, "upload", ""} {
			in := fmt.Sprintf(`{"seq":1,"at":2,"kind":%q,"name":%q,"op":{"id":3,"intended":1}}`+"\n", kind, name)
			got, err := readAll(strings.NewReader(in))
			require.NoError(t, err)
			require.Equal(t, []Event{{Seq: 1, At: 2, Kind: kind, Name: name, Op: &Call{ID: 3, Intended: 1}}}, got)
		}
	}
}

func TestReadReportsTheMedium(t *testing.T) {
	b := journal(t, sample()...)
	r := io.MultiReader(bytes.NewReader(b[:len(b)-3]), iotest.ErrReader(io.ErrUnexpectedEOF))
	got, err := readAll(r)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Len(t, got, 4)
	_, err = readAll(stuck{})
	require.ErrorIs(t, err, io.ErrNoProgress)
}

// A medium may give nothing for a while.
func TestReadWaitsForASlowMedium(t *testing.T) {
	b := journal(t, sample()...)
	got, err := readAll(&halting{b: b})
	require.NoError(t, err)
	require.Len(t, got, len(sample()))
}

// halting gives a byte at every second call.
type halting struct {
	b     []byte
	turns int
}

func (s *halting) Read(b []byte) (int, error) {
	if s.turns++; s.turns%2 == 1 {
		return 0, nil
	}
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:1], s.b)
	s.b = s.b[n:]
	return n, nil
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// agrees says that where the short way reads a line, the long way reads it
// alike.
func agrees(t *testing.T, line []byte) {
	t.Helper()
	var e Event
	s := scan{b: line, str: copied}
	if !s.opLine(&e, &Call{}) {
		return
	}
	var want Event
	require.True(t, utf8.Valid(line))
	require.NoError(t, json.Unmarshal(line, &want), "%q", line)
	require.Equal(t, want, e, "%q", line)
}

func FuzzRead(f *testing.F) {
	f.Add(journal(f, sample()...))
	e := Event{Seq: 1, At: 1, Kind: OK, Name: OpOrder, Op: fullCall()}
	f.Add(appendOp(nil, 1, &e))
	f.Add([]byte(`{"seq":1,"at":-0,"kind":"info","op":{"id":18446744073709551615,"session":4294967295,"intended":-9223372036854775808}}` + "\n"))
	f.Add([]byte(`{"seq":01,"at":1,"kind":"ok","op":{"id":1,"intended":00,"cold":true,"tries":[{"end":1,"outcome":"ok"}]}}` + "\n\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		events, err := readAll(bytes.NewReader(in))
		for i, e := range events {
			require.EqualValues(t, i+1, e.Seq)
		}
		if err == nil {
			require.Equal(t, bytes.Count(in, []byte("\n")), len(events))
			require.True(t, len(in) == 0 || in[len(in)-1] == '\n')
		}
		slow, slowErr := readAll(iotest.OneByteReader(bytes.NewReader(in)))
		require.Equal(t, events, slow)
		require.Equal(t, fmt.Sprint(err), fmt.Sprint(slowErr))
		for line := range bytes.SplitSeq(in, []byte("\n")) {
			agrees(t, line)
		}
		// What was read has the same meaning once written again.
		again, err := readAll(bytes.NewReader(journal(t, events...)))
		require.NoError(t, err)
		require.Len(t, again, len(events))
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("order", "k-1", "j1", uint64(1), int64(7), 200, true)
	f.Add("\"\\\n", "<&>", "\u2028", uint64(1<<63), int64(-1), -7, false)
	f.Fuzz(func(t *testing.T, name, a, b string, id uint64, n int64, status int, is bool) {
		for _, s := range []string{name, a, b} {
			if !utf8.ValidString(s) {
				t.Skip("what is not UTF-8 is replaced, see FuzzAppendOp")
			}
		}
		at := time.Duration(n)
		events := []Event{
			{At: at, Kind: Info, Name: name, Op: &Call{ID: id, User: a, Key: b, Intended: at, Sent: at, Status: status, Node: a, Cold: is, SessionID: b, New: !is, Value: n, Bound: name}},
			{At: at, Kind: OK, Name: name, Op: &Call{ID: id, Intended: at, Tries: []Try{{End: at, Outcome: Info, Error: b, Node: a}, {End: at, Outcome: Fail, Status: status}}}},
			{At: at, Kind: FaultError, Name: name, Nodes: []string{a, b}, Fault: status, Err: b},
			Observe(at, Receipt{Node: a, What: b, Op: id, Key: name, Order: n}),
		}
		got, err := readAll(bytes.NewReader(journal(t, events...)))
		require.NoError(t, err)
		for i := range events {
			events[i].Seq = uint64(i) + 1
		}
		require.Equal(t, events, got)
	})
}

func BenchmarkRead(b *testing.B) {
	e := Event{Kind: OK, Name: OpOrder, At: 12445678901, Op: typical()}
	line := appendOp(nil, 1, &e)
	line = line[:len(line)-1]
	b.Run("short way", func(b *testing.B) {
		b.SetBytes(int64(len(line)))
		b.ReportAllocs()
		var names Names
		str := func(b []byte) string { _, s := names.internBytes(b); return s }
		for b.Loop() {
			var e Event
			var c Call
			s := scan{b: line, str: str}
			if !s.opLine(&e, &c) {
				b.Fatal("not read")
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.SetBytes(int64(len(line)))
		b.ReportAllocs()
		for b.Loop() {
			e := Event{Op: &Call{}}
			if err := slow(line, &e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
