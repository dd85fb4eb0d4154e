package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

// verdict is what became of a mutant.
type verdict string

const (
	killed     verdict = "killed"
	timedOut   verdict = "timed-out" // counts as killed
	survived   verdict = "survived"
	notCovered verdict = "not-covered" // no test reaches it: survived
)

// result is a line of a package's result file.
type result struct {
	Key     string        `json:"key"` // digest of the package's state and the mutant
	Mutant  string        `json:"mutant"`
	Verdict verdict       `json:"verdict"`
	By      string        `json:"by,omitempty"` // the test that failed, or did not end
	Took    time.Duration `json:"took"`
}

func (r result) String() string { return strings.TrimSpace(string(r.Verdict) + " " + r.By) }

// book is the results of one package, of all its states, in one file of JSON
// lines that is only ever appended to, each line synced. One process at a time
// may write to it.
type book struct {
	p    *pkg
	work string // folder of the binary
	base string // file of the baseline
	file *os.File

	mu      sync.Mutex // guards what follows
	results map[string]result
	killers map[string]string // by mutant, of any state
}

// openBook reads a package's results from dir, which need not be there. A last
// line that was torn is passed over.
func openBook(dir string, p *pkg) (*book, error) {
	name := filepath.Join(dir, strings.ReplaceAll(p.short, "/", "-"))
	if p.short == "." {
		name = filepath.Join(dir, p.name)
	}
	b := &book{p: p, work: name + ".work", base: name + ".baseline.json", results: map[string]result{}, killers: map[string]string{}}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var err error
	if b.file, err = os.OpenFile(name+".jsonl", os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(b.file.Name())
	if err != nil {
		return nil, err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	for n, line := range bytes.Split(bytes.TrimSuffix(text[:whole], []byte("\n")), []byte("\n")) {
		var r result
		if len(line) == 0 {
			continue
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", b.file.Name(), n+1, err)
		}
		b.note(r)
	}
	return b, b.file.Truncate(int64(whole))
}

func (b *book) close() { _ = b.file.Close() } // every line was synced

func (b *book) note(r result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.results[r.Key] = r
	if r.By != "" {
		b.killers[r.Mutant] = r.By
	}
}

// result is the one of a mutant in the package's state now.
func (b *book) result(m *mutant) (result, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.results[digestOf(b.p.state, m)]
	return r, ok
}

// lastKiller is the test that killed the mutant in whatever state, if one did.
func (b *book) lastKiller(m *mutant) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.killers[m.key()]
}

// add appends a result.
func (b *book) add(m *mutant, r result) error {
	r.Key, r.Mutant = digestOf(b.p.state, m), m.key()
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := b.file.Write(append(line, '\n')); err != nil {
		return err
	}
	b.note(r)
	return b.file.Sync()
}

// baseline is the one of the package's state now, or nil.
func (b *book) baseline() (*baseline, error) {
	text, err := os.ReadFile(b.base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var base baseline
	if err := json.Unmarshal(text, &base); err != nil {
		return nil, fmt.Errorf("%s: %w", b.base, err)
	}
	if base.State != b.p.state {
		return nil, nil
	}
	return &base, nil
}

func (b *book) setBaseline(base *baseline) error {
	text, err := json.Marshal(base)
	if err != nil {
		return err
	}
	return renameio.WriteFile(b.base, text, 0o644)
}
