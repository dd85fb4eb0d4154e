package history

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// run writes a sealed run's folder and returns it with its journal's bytes.
func run(t testing.TB, events ...Event) (dir string, b []byte) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "logs"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "logs", "j1.log"), []byte("started\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "empty.log"), nil, 0o600))
	w, err := Create(filepath.Join(dir, Journal))
	require.NoError(t, err)
	for _, e := range events {
		w.Put(e)
	}
	require.NoError(t, w.Seal(dir, []string{"logs/j1.log", "empty.log", "logs/j1.log"}))
	require.NoError(t, w.Close())
	b, err = os.ReadFile(filepath.Join(dir, Journal))
	require.NoError(t, err)
	return dir, b
}

func story() []Event {
	return []Event{
		{Kind: Run, Data: json.RawMessage(`{"format":"hachaos.journal/1","seed":7}`)},
		begin("steady", PhaseSteady, 1),
		invoke(1), invoke(2),
		Observe(15, Receipt{Node: "j1", What: "arrive", Op: 1, Attempt: 1, Key: "k"}),
		done(1, OK, nil),
		Observe(25, LedgerRow{Order: 3, Key: "k", Op: 1, Attempt: 1, Node: "j1"}),
		{At: 30, Kind: PhaseEnd, Name: "steady"},
	}
}

// rewrite puts bytes in the journal's place.
func rewrite(t testing.TB, dir string, b []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, Journal), b, 0o600))
}

func TestLoadWhole(t *testing.T) {
	dir, b := run(t, story()...)
	h, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, Integrity{State: Whole, Lines: 9}, h.Integrity)
	require.EqualValues(t, 7, h.Meta.Seed)
	require.Len(t, h.Ops, 2)
	require.EqualValues(t, 30, h.End)
	require.Equal(t, "k", h.Receipts[0].V.Key)

	lines := bytes.SplitAfter(b, []byte("\n"))
	var seal struct{ Data Seal }
	require.NoError(t, json.Unmarshal(lines[9], &seal))
	require.EqualValues(t, len(b)-len(lines[9]), seal.Data.Length)
	require.Equal(t, []string{"empty.log", "logs/j1.log"}, []string{seal.Data.Files[0].Path, seal.Data.Files[1].Path})
	require.Len(t, seal.Data.Files, 2)

	again, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, h.Ops, again.Ops, "the same bytes give the same history")
}

// At every byte at which a journal can be broken off, it is torn, or ends in
// order and is unsealed; and what stands before is there.
func TestLoadTornAnywhere(t *testing.T) {
	dir, b := run(t, story()...)
	for cut := range b {
		rewrite(t, dir, b[:cut])
		h, err := Load(dir)
		require.NoError(t, err)
		want := Torn
		if cut > 0 && b[cut-1] == '\n' {
			want = Unsealed
		}
		require.Equal(t, want, h.Integrity.State, "cut at %d: %s", cut, h.Integrity.Reason)
		whole := bytes.Count(b[:cut], []byte("\n"))
		require.EqualValues(t, whole, h.Integrity.Lines)
		require.Contains(t, h.Integrity.Reason, Journal)
		if cut > 0 && want == Torn {
			require.Contains(t, h.Integrity.Reason, fmt.Sprintf("line %d:", whole+1))
		}
	}
	rewrite(t, dir, append(b[:len(b):len(b)], 0))
	h, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, Altered, h.Integrity.State)
}

// No byte of a sealed journal can be another without being noticed.
func TestLoadNoticesEveryEditedByte(t *testing.T) {
	dir, b := run(t, story()...)
	for i := range b {
		edited := bytes.Clone(b)
		edited[i] ^= 1
		rewrite(t, dir, edited)
		h, err := Load(dir)
		if err != nil {
			require.ErrorIs(t, err, ErrNotRun, "only the format's name")
			continue
		}
		require.NotEqual(t, Whole, h.Integrity.State, "byte %d as %q", i, edited[i])
		require.NotEmpty(t, h.Integrity.Reason)
	}
}

func TestLoadAltered(t *testing.T) {
	_, whole := run(t, story()...)
	lines := func() [][]byte { return bytes.SplitAfter(whole, []byte("\n"))[:10] }
	join := func(l [][]byte) []byte { return bytes.Join(l, nil) }
	replace := func(old, with string) []byte {
		require.Contains(t, string(whole), old)
		return bytes.Replace(whole, []byte(old), []byte(with), 1)
	}
	tests := []struct {
		name   string
		b      []byte
		reason string
		ops    int
	}{
		{"a line deleted", join(slices.Delete(lines(), 3, 4)), "line 4: out of order: its number is 5, and 4 should come", 1},
		{"two lines swapped", func() []byte { l := lines(); l[2], l[3] = l[3], l[2]; return join(l) }(), "line 3: out of order", 0},
		{"a line twice", join(slices.Insert(lines(), 3, lines()[2])), "line 4: out of order", 1},
		{"a value edited", replace(`"end":20`, `"end":21`), "were edited: SHA-256 is", 2},
		{"a value lengthened", replace(`"end":20`, `"end":200`), "bytes stand before its seal", 2},
		{"the outcome edited", replace(`"kind":"ok"`, `"kind":"fail"`), "bytes stand before its seal", 2},
		{"no longer JSON", replace(`"kind":"ok"`, `"kind":ok`), "line 6: not an event", 2},
		{"completed under another number", replace(`"op":{"id":1,"session":3,"user":"u3","key":"k","intended":10,"sent"`, `"op":{"id":9,"session":3,"user":"u3","key":"k","intended":10,"sent"`), "line 6: contradiction: operation 9 completes and was never invoked", 2},
		{"the seal edited", replace(`"data":{"length":`, `"data":{"length":1`), "bytes stand before its seal", 2},
		{"the seal spaced out", replace(`"data":{"length":`, `"data":{"length": `), "line 10: contradiction: the seal was edited", 2},
		{"a file struck off the seal", func() []byte {
			i := bytes.LastIndex(whole, []byte(`,{"path":"logs/j1.log"`))
			return append(bytes.Clone(whole[:i]), "]}}\n"...)
		}(), "line 10: contradiction: the seal was edited: its files are not the end's", 2},
		{"lines end in CR LF", bytes.ReplaceAll(whole, []byte("\n"), []byte("\r\n")), "line 10: contradiction: the seal was edited", 2},
		{"a line after the seal", append(bytes.Clone(whole), `{"seq":11,"at":1,"kind":"clock","data":{}}`+"\n"...), "line 11: something follows the seal", 2},
		{"a blank line after the seal", append(bytes.Clone(whole), '\n'), "line 11: something follows the seal", 2},
		{"no end before the seal", bytes.Replace(join(slices.Delete(lines(), 8, 9)), []byte(`"seq":10`), []byte(`"seq":9`), 1), "line 9: contradiction: a seal without an end", 2},
		{"no run at the beginning", journal(t, invoke(1)), "line 1: contradiction: a journal begins with a run", 1},
		{"an observation at the beginning", journal(t, Observe(1, fullReceipt), invoke(1)), "line 1: contradiction: a journal begins with a run, not with observed", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := run(t, story()...)
			rewrite(t, dir, tt.b)
			h, err := Load(dir)
			require.NoError(t, err)
			require.Equal(t, Altered, h.Integrity.State)
			require.Contains(t, h.Integrity.Reason, tt.reason)
			require.Len(t, h.Ops, tt.ops, "what can be read is there")
		})
	}
}

// A line that is no pair of the clocks is none, and those behind it count.
func TestLoadLeavesABadClockOut(t *testing.T) {
	dir, _ := run(t, story()...)
	rewrite(t, dir, journal(t, story()[0], Event{Kind: Clock, Data: json.RawMessage(`[1]`)}, pair(2*sec, 0).Event()))
	h, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, Altered, h.Integrity.State)
	require.Contains(t, h.Integrity.Reason, "line 2: ")
	require.Equal(t, []ClockPair{pair(2*sec, 0)}, h.Clock)
}

// The two last lines are of the time of the latest before them.
func TestLoadKnowsWhenTheRecordEnded(t *testing.T) {
	dir, b := run(t, append(story(), Observe(5, fullRow))...)
	events, err := readAll(bytes.NewReader(b))
	require.NoError(t, err)
	for i, kind := range []Kind{End, Sealed} {
		e := events[len(events)-2+i]
		require.Equal(t, kind, e.Kind)
		require.EqualValues(t, 30, e.At)
	}
	lines := bytes.SplitAfter(b, []byte("\n"))
	for lost, reason := range map[int]string{
		1: "ends after line 10 with its end, but without a seal",
		2: "ends after line 9, without an end and a seal: its run was broken off",
	} {
		rewrite(t, dir, bytes.Join(lines[:11-lost], nil))
		h, err := Load(dir)
		require.NoError(t, err)
		require.Equal(t, Integrity{State: Unsealed, Reason: Journal + " " + reason, Lines: uint64(11 - lost)}, h.Integrity)
	}
}

// sealedRun is a sealed journal that was read, with what its seal says.
func sealedRun(t *testing.T) (dir string, l *loader, good tailSum) {
	t.Helper()
	dir, b := run(t, story()...)
	l = newLoader(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, l.run())
	return dir, l, tailSum{length: l.b.seal.Length, sum: l.b.seal.SHA256}
}

// What cannot be compared with the seal is an error, and no finding of an
// edit, nor of a record that is whole.
func TestLoadErrorsAtTheSeal(t *testing.T) {
	dir, l, good := sealedRun(t)
	i, err := l.verdict(dir, good)
	require.NoError(t, err)
	require.Equal(t, Whole, i.State)
	for name, c := range map[string]struct {
		dir   string
		ahead tailSum
		says  string
	}{
		"the journal could not be summed": {dir, tailSum{err: errLost}, errLost.Error()},
		"the journal grew":                {dir, tailSum{length: good.length + 1, sum: good.sum}, "changed while it was read"},
		"the folder is gone":              {filepath.Join(dir, "gone"), good, "no such file"},
	} {
		i, err := l.verdict(c.dir, c.ahead)
		require.ErrorContains(t, err, c.says, name)
		require.NotEqual(t, Whole, i.State, name)
	}
}

// lostMedium cannot be read.
type lostMedium struct{}

func (lostMedium) ReadAt([]byte, int64) (int, error) { return 0, errLost }

// A medium that cannot be read is no record that was broken off.
func TestLoadReportsTheMedium(t *testing.T) {
	_, err := load(t.TempDir(), lostMedium{}, 100)
	require.ErrorIs(t, err, errLost)
	_, err = lastLine(lostMedium{}, 100)
	require.ErrorIs(t, err, errLost)
	require.ErrorIs(t, sumAhead(t.Context(), lostMedium{}, 100).err, errLost)

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = Load(file)
	require.ErrorContains(t, err, "not a directory")
	require.NotErrorIs(t, err, ErrNotRun, "it is not known what is there")
}

func TestReadingAheadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, sumAhead(ctx, strings.NewReader("a\nb\n"), 4).err, context.Canceled)
}

func TestLoadSealedFiles(t *testing.T) {
	tests := []struct {
		name   string
		act    func(t *testing.T, dir string)
		reason string
	}{
		{"changed", func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "logs", "j1.log"), []byte("Started\n"), 0o600))
		}, "file logs/j1.log was changed after it was sealed"},
		{"longer", func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "empty.log"), []byte("x"), 0o600))
		}, "file empty.log has 1 bytes, and 0 when it was sealed"},
		{"missing", func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "logs", "j1.log")))
		}, "file logs/j1.log is sealed and missing"},
		{"its folder is missing", func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "logs")))
		}, "file logs/j1.log is sealed and missing"},
		{"a folder in its place", func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "empty.log")))
			require.NoError(t, os.Mkdir(filepath.Join(dir, "empty.log"), 0o755))
		}, "file empty.log is sealed and cannot be read: not a regular file"},
		{"a link out of the folder", func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "empty.log")))
			require.NoError(t, os.Symlink(os.DevNull, filepath.Join(dir, "empty.log")))
		}, "file empty.log is sealed and cannot be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := run(t, story()...)
			tt.act(t, dir)
			h, err := Load(dir)
			require.NoError(t, err)
			require.Equal(t, Altered, h.Integrity.State)
			require.Contains(t, h.Integrity.Reason, tt.reason)
		})
	}
}

func TestLoadTheOnlySealedFile(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "j1.log")
	require.NoError(t, os.WriteFile(log, []byte("started\n"), 0o600))
	w, err := Create(filepath.Join(dir, Journal))
	require.NoError(t, err)
	for _, e := range story() {
		w.Put(e)
	}
	require.NoError(t, w.Seal(dir, []string{"j1.log"}))
	require.NoError(t, w.Close())
	h, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, Whole, h.Integrity.State)
	require.NoError(t, os.WriteFile(log, []byte("Started\n"), 0o600))
	h, err = Load(dir)
	require.NoError(t, err)
	require.Equal(t, Integrity{State: Altered, Reason: "file j1.log was changed after it was sealed", Lines: h.Integrity.Lines}, h.Integrity)
}

func TestSealRefusesWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o755))
	w, err := Create(filepath.Join(dir, Journal))
	require.NoError(t, err)
	for _, name := range []string{"missing.log", "folder", "../" + filepath.Base(dir) + "/" + Journal} {
		require.ErrorContains(t, w.Seal(dir, []string{name}), name)
	}
	require.Error(t, w.Seal(filepath.Join(dir, "nowhere"), []string{"x"}))
	// The memory of the process is a regular file to open, of which nothing
	// stands at its beginning to read.
	if info, err := os.Stat("/proc/self/mem"); err == nil && info.Mode().IsRegular() {
		require.ErrorContains(t, w.Seal("/proc/self", []string{"mem"}), "file mem: ")
	}
	require.NoError(t, w.Err(), "it can be sealed over the others")
	require.NoError(t, w.Seal(dir, nil))
	require.NoError(t, w.Close())
}

func TestLoadRefuses(t *testing.T) {
	empty := t.TempDir()
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, Journal), 0o755))
	future := t.TempDir()
	rewrite(t, future, journal(t, Event{Kind: Run, Data: json.RawMessage(`{"format":"hachaos.journal/99"}`)}))
	for name, dir := range map[string]string{"no journal": empty, "no folder": filepath.Join(empty, "x"), "a folder": folder, "another format": future} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(dir)
			require.ErrorIs(t, err, ErrNotRun)
			require.False(t, strings.HasPrefix(err.Error(), "failed to"))
		})
	}
	_, err := Load(future)
	require.ErrorContains(t, err, "hachaos.journal/99")
}

// An edit whose author also computes the seal again is not noticed: the seal
// has no key. This states the limit.
func TestLoadIsNotProofAgainstForgery(t *testing.T) {
	forged := story()
	forged[5].Op.Value = 99
	dir, _ := run(t, forged...)
	h, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, Whole, h.Integrity.State)
}

func TestLastLine(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	for in, want := range map[string]int64{
		"": 0, "\n": 0, "a": 0, "a\n": 0, "a\nb": 2, "a\nb\n": 2, "\n\n": 1,
		long + "\n" + long + "\n": 200_001, long + "\nb": 200_001, long: 0,
	} {
		got, err := lastLine(strings.NewReader(in), int64(len(in)))
		require.NoError(t, err)
		require.Equal(t, want, got, "%.20q", in)
	}
}

func FuzzLoad(f *testing.F) {
	dir, b := run(f, story()...)
	f.Add(b)
	f.Add(b[:len(b)-10])
	f.Add(journal(f, story()...))
	f.Fuzz(func(t *testing.T, in []byte) { loadsAlike(t, dir, in) })
}

// Journals with a few random edits, most of which leave them readable.
func TestLoadEditedJournalsAlike(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	dir, b := run(t, append(story(), done(2, Info, func(c *Call) { *c = *fullCall(); c.ID, c.Session, c.User, c.Key, c.Intended = 2, 3, "u3", "k", 10 }))...)
	const bytesOfJSON = `0123456789-"\\{}[],: .eEtfn` + "\n\r\x00\x7f\xff\u00fc"
	for range 1_500 {
		in := bytes.Clone(b)
		for range 1 + rng.IntN(3) {
			from := rng.IntN(len(in))
			to := min(len(in), from+rng.IntN(12))
			switch rng.IntN(4) {
			case 0:
				in = slices.Delete(in, from, to)
			case 1:
				in = slices.Insert(in, rng.IntN(len(in)), bytes.Clone(in[from:to])...)
			default:
				in[from] = bytesOfJSON[rng.IntN(len(bytesOfJSON))]
			}
		}
		loadsAlike(t, dir, in)
	}
}

// loadsAlike holds the reading by hand to encoding/json, and what is read to
// the promises of History.
func loadsAlike(t *testing.T, dir string, in []byte) {
	t.Helper()
	h, err := load(dir, bytes.NewReader(in), int64(len(in)))
	if err != nil {
		require.ErrorIs(t, err, ErrNotRun)
		return
	}
	if (h.Integrity.State == Whole) != (h.Integrity.Reason == "") {
		t.Fatalf("%v: %q", h.Integrity.State, h.Integrity.Reason)
	}
	want := longWay(in)
	alike := len(want.Ops) == len(h.Ops) && want.End == h.End && slices.Equal(want.Receipts, h.Receipts) &&
		slices.Equal(want.Dispatches, h.Dispatches) && slices.Equal(want.Ledger, h.Ledger)
	for i := 0; alike && i < len(h.Ops); i++ {
		alike = h.Ops[i].ID != 0 && (i == 0 || h.Ops[i-1].ID < h.Ops[i].ID) &&
			spelled(want, want.Ops[i]) == spelled(h, h.Ops[i])
	}
	if !alike {
		t.Fatalf("%q\nis read as %+v\nand by encoding/json as %+v", in, h, want)
	}
}

// longWay reads a journal by encoding/json alone.
func longWay(in []byte) *History {
	b := newBuilder()
	whole := bytes.Split(in, []byte("\n"))
	for n, line := range whole[:len(whole)-1] { // behind the last newline it is torn
		var call Call
		e := Event{Op: &call}
		if slow(line, &e) != nil || e.Seq != uint64(n)+1 || b.seal != nil {
			break
		}
		e.Data = append(e.Data, ' ')
		_ = b.add(&e) // what contradicts is left out, as Load does
	}
	h, _ := b.finish()
	return h
}

// spelled is an operation with its names in words.
func spelled(h *History, o Op) any {
	words := [...]string{
		h.KeyOf(&o), h.NodeOf(&o), h.BoundOf(&o), h.UserOf(&o), h.OwnerOf(&o),
		h.SessionIDOf(&o), h.VersionOf(&o), h.BalancerOf(&o), h.ErrorOf(&o),
	}
	o.Key, o.Node, o.Bound, o.User, o.Owner, o.SessionID = 0, 0, 0, 0, 0, 0
	o.Version, o.Balancer, o.Error = 0, 0, 0
	return struct {
		Op
		words [9]string
	}{o, words}
}
