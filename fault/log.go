package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
)

// Log is a run's undo log: JSON Lines in one file, each on the disk before
// Record returns, so that a healer of another process can carry on where this
// one died. It is safe for concurrent use.
type Log struct {
	mu sync.Mutex
	f  file
}

// file is what a Log needs of an *os.File.
type file interface {
	io.WriteCloser
	Sync() error
	Stat() (os.FileInfo, error)
	Truncate(size int64) error
}

// logLine is one line of the file: an entry, or the note that an equal one
// was undone.
type logLine struct {
	Entry *Entry `json:"entry,omitempty"`
	Done  *Entry `json:"done,omitempty"`
}

// OpenLog opens the undo log at path for appending, and creates it if it is
// missing. A last line that a crash tore is cut off: its act never happened.
func OpenLog(path string) (*Log, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("undo log: %w", err)
	}
	if err := cutTorn(f); err != nil {
		return nil, errors.Join(fmt.Errorf("undo log %s: %w", path, err), f.Close())
	}
	return &Log{f: f}, nil
}

// cutTorn truncates f after its last newline.
func cutTorn(f *os.File) error {
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(b, '\n') + 1
	if whole == len(b) {
		return nil
	}
	return f.Truncate(int64(whole))
}

// Record writes e and waits until the disk has it.
func (l *Log) Record(e Entry) error { return l.write(logLine{Entry: &e}) }

// Done notes that e was undone, so that a later healer need not repeat it.
func (l *Log) Done(e Entry) error { return l.write(logLine{Done: &e}) }

// write appends a line whole. What of one that failed got into the file is cut
// off, or the next line would be joined to it, and be lost with it.
func (l *Log) write(line logLine) error {
	b, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("undo log: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	whole, err := l.f.Stat()
	if err != nil {
		return fmt.Errorf("undo log: %w", err)
	}
	_, err = l.f.Write(append(b, '\n'))
	if err == nil {
		err = l.f.Sync()
	}
	if err != nil {
		return fmt.Errorf("undo log: %w", errors.Join(err, l.f.Truncate(whole.Size())))
	}
	return nil
}

// Close closes the file.
func (l *Log) Close() error { return l.f.Close() }

// ReadLog returns the entries that have not been undone, in the order in
// which they were recorded. A torn last line is left out. A line that cannot
// be read is an error that names it; the entries around it are returned
// nevertheless, since healing most is better than healing nothing. A file
// that does not exist is an empty log.
func ReadLog(path string) ([]Entry, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("undo log: %w", err)
	}
	var open []Entry
	var errs []error
	lines := bytes.Split(b, []byte("\n"))
	for i, text := range lines[:len(lines)-1] {
		var line logLine
		if err := json.Unmarshal(text, &line); err != nil {
			errs = append(errs, fmt.Errorf("undo log %s: line %d: %w", path, i+1, err))
			continue
		}
		open = line.apply(open)
	}
	return open, errors.Join(errs...)
}

// apply adds the line's entry to those that are open, or takes away the
// newest one that it reports done.
func (l logLine) apply(open []Entry) []Entry {
	if l.Entry != nil {
		open = append(open, *l.Entry)
	}
	if l.Done == nil {
		return open
	}
	for i := len(open) - 1; i >= 0; i-- {
		if reflect.DeepEqual(open[i], *l.Done) {
			return append(open[:i:i], open[i+1:]...)
		}
	}
	return open
}
