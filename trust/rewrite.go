package trust

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// change makes other events of a record's.
type change func([]history.Event) ([]history.Event, error)

// restated judges the control's run as its record would be had other things
// happened: written and sealed anew, by the same writer.
func restated(c change) func(context.Context, string, string) ([]Run, error) {
	return func(_ context.Context, dir, control string) ([]Run, error) {
		var events []history.Event
		f, err := os.Open(filepath.Join(control, harness.JournalFile))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		for e, err := range history.Read(f) {
			if err != nil {
				return nil, err
			}
			if e.Kind != history.End && e.Kind != history.Sealed {
				events = append(events, e)
			}
		}
		if events, err = c(events); err != nil {
			return nil, err
		}
		files, err := copied(control, dir)
		if err != nil {
			return nil, err
		}
		if err := written(dir, events, files); err != nil {
			return nil, err
		}
		return judged("", dir)
	}
}

// written writes and seals a journal.
func written(dir string, events []history.Event, files []string) error {
	path := filepath.Join(dir, harness.JournalFile)
	if err := os.Remove(path); err != nil {
		return err
	}
	w, err := history.Create(path)
	if err != nil {
		return err
	}
	for _, e := range events {
		w.Put(e)
	}
	err = w.Seal(dir, files)
	return errors.Join(err, w.Close())
}

// copied copies a run's folder, and names its files that are under the seal.
func copied(from, to string) ([]string, error) {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return nil, err
	}
	return sealed(to)
}

// sealed are the files of a run's folder that are under its seal.
func sealed(dir string) ([]string, error) {
	var files []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && path != harness.JournalFile && path != harness.ResultFile {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

// judged judges a folder as `hachaos check` does.
func judged(which, dir string) ([]Run, error) {
	r, _, err := harness.Judge(dir)
	if err != nil {
		return nil, err
	}
	return []Run{{which, r}}, nil
}

// edited judges the control's folder with another journal, once for each name.
// An edit that changes nothing is an error.
func edited(names []string, edit func(journal []byte, n int) []byte) func(context.Context, string, string) ([]Run, error) {
	return func(_ context.Context, dir, control string) ([]Run, error) {
		if _, err := copied(control, dir); err != nil {
			return nil, err
		}
		path := filepath.Join(dir, harness.JournalFile)
		whole, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var all []Run
		for n, name := range names {
			other := edit(bytes.Clone(whole), n)
			if bytes.Equal(other, whole) {
				return all, fmt.Errorf("edit %s: it changes nothing", name)
			}
			if err := os.WriteFile(path, other, 0o644); err != nil {
				return all, err
			}
			run, err := judged(name, dir)
			if err != nil {
				return all, err
			}
			all = append(all, run...)
		}
		return all, nil
	}
}

// inLine is the place, or the nearest before it, at which a cut leaves a part of
// a line: one that falls between two lines leaves a journal that lacks its seal.
func inLine(journal []byte, at int) int {
	for at > 1 && (journal[at-1] == '\n' || journal[at] == '\n') {
		at--
	}
	return at
}

// truncated cuts the journal off at every byte of its last lines, from the
// first byte of the first of them to the last but one of the last.
func truncated(last int) func(context.Context, string, string) ([]Run, error) {
	return func(ctx context.Context, dir, control string) ([]Run, error) {
		whole, err := os.ReadFile(filepath.Join(control, harness.JournalFile))
		if err != nil {
			return nil, err
		}
		l := lines(whole)
		from := len(bytes.Join(l[:len(l)-last], nil))
		var names []string
		for at := from; at < len(whole); at++ {
			names = append(names, fmt.Sprintf("the first %d of %d bytes", at, len(whole)))
		}
		return edited(names, func(journal []byte, n int) []byte { return journal[:from+n] })(ctx, dir, control)
	}
}

// eachFile does something to each file under the seal of the control's folder,
// in turn.
func eachFile(do func(path string) error) func(context.Context, string, string) ([]Run, error) {
	return func(_ context.Context, dir, control string) ([]Run, error) {
		files, err := sealed(control)
		if err != nil {
			return nil, err
		}
		var all []Run
		for n, name := range files {
			one := filepath.Join(dir, fmt.Sprint(n))
			if _, err := copied(control, one); err != nil {
				return all, err
			}
			if err := do(filepath.Join(one, filepath.FromSlash(name))); err != nil {
				return all, err
			}
			run, err := judged(name, one)
			if err != nil {
				return all, err
			}
			all = append(all, run...)
		}
		return all, nil
	}
}

// assertedOn are the streams that the assertions in memory rest on.
var assertedOn = []string{
	history.StreamReadiness, history.StreamTruth, history.StreamTransition, history.StreamReceipt, history.StreamDispatch,
	history.StreamServer, history.StreamVIP, history.StreamEngine, history.StreamLedger, history.StreamSession, history.StreamLeftover,
}

// eachAccount judges the control's record without what the first source of a
// stream told, and its account, for each stream in turn.
func eachAccount(streams []string) func(context.Context, string, string) ([]Run, error) {
	return func(ctx context.Context, dir, control string) ([]Run, error) {
		h, err := history.Load(control)
		if err != nil {
			return nil, err
		}
		var all []Run
		for _, stream := range streams {
			n := slices.IndexFunc(h.Coverage, func(c history.At[history.Coverage]) bool { return c.V.Stream == stream })
			if n < 0 {
				return all, fmt.Errorf("the control's record has no account of %s", stream)
			}
			c, one := h.Coverage[n], filepath.Join(dir, stream)
			run, err := restated(func(events []history.Event) ([]history.Event, error) {
				return without(events, func(e *history.Event) bool { return told(e, c) }), nil
			})(ctx, one, control)
			if err != nil {
				return all, err
			}
			run[0].Which = strings.TrimSpace(c.V.Stream + " " + c.V.Source)
			all = append(all, run...)
		}
		return all, nil
	}
}

// told says whether an event is the account, or of what it accounts for. What
// has no source has no node.
func told(e *history.Event, c history.At[history.Coverage]) bool {
	return e.Seq == c.Seq || e.Kind == history.Observed && e.Name == c.V.Stream && (c.V.Source == "" || slices.Contains(e.Nodes, c.V.Source))
}

// stepped has the wall clock of the record's pairs step when the phase begins.
func stepped(phase string, by time.Duration) change {
	return func(events []history.Event) ([]history.Event, error) {
		from, err := beginning(events, phase)
		if err != nil {
			return nil, err
		}
		for i := range events {
			e := &events[i]
			if e.Kind != history.Clock || e.At <= from {
				continue
			}
			var p history.ClockPair
			if err := json.Unmarshal(e.Data, &p); err != nil {
				return nil, err
			}
			p.Wall += int64(by)
			*e = p.Event()
		}
		return events, nil
	}
}

// without leaves events out.
func without(events []history.Event, out func(*history.Event) bool) []history.Event {
	var kept []history.Event
	for i := range events {
		if !out(&events[i]) {
			kept = append(kept, events[i])
		}
	}
	return kept
}

// lines are a journal's, each with its end.
func lines(journal []byte) [][]byte {
	l := bytes.SplitAfter(journal, []byte("\n"))
	return l[:len(l)-1]
}

// first is the index of the first line that holds the text.
func first(l [][]byte, text string) int {
	for i := range l {
		if bytes.Contains(l[i], []byte(text)) {
			return i
		}
	}
	return 0
}

// numbered is a line with another number.
func numbered(line []byte, n int) []byte {
	_, rest, _ := strings.Cut(string(line), ",")
	return fmt.Appendf(nil, `{"seq":%d,%s`, n, rest)
}

// places names n places.
func places(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("place %d of %d", i+1, n))
	}
	return out
}
