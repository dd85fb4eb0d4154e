package campaign

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// Schema names the version of Record's JSON form.
const Schema = "hachaos.item/1"

// Record is an item's result file.
type Record struct {
	Schema string `json:"schema"`
	Item
	Hash string `json:"hash"`
	// Expected says in words what must be said of it.
	Expected string `json:"expected"`
	// Unlike is what was not as expected; empty if all was.
	Unlike string `json:"unlike,omitempty"`
	// Missed is an assertion that must fail and was tested and held, in a run that has no
	// verdict since others have none: the item is not as expected.
	Missed string `json:"missed,omitempty"`
	// Undecided are the assertions that the item asks about and that had no
	// verdict, where all else was as expected: the item is open.
	Undecided []string `json:"undecided,omitempty"`
	// The last run.
	Verdict harness.Verdict `json:"verdict"`
	Dirty   bool            `json:"dirty,omitempty"`
	Reason  string          `json:"reason"`
	Failed  []string        `json:"failed,omitempty"` // assertions
	// BrokenOff is why the run ended before its time, if it did and so says
	// nothing: the item is open.
	BrokenOff string `json:"brokenOff,omitempty"`
	// Assertions are what each assertion said. Old records of cases have none.
	Assertions []Said        `json:"assertions,omitempty"`
	Seed       uint64        `json:"seed"`
	Command    string        `json:"command"`
	Version    string        `json:"version"`
	Go         string        `json:"go,omitempty"` // the version that built it
	Machine    string        `json:"machine"`
	StartedAt  time.Time     `json:"startedAt"`
	Took       time.Duration `json:"took"` // wall time
	// Held is how long a fault was in place, the longest of them; 0 is not known.
	Held     time.Duration      `json:"held,omitempty"`
	Measures map[string]float64 `json:"measures,omitempty"`
	Shared   string             `json:"shared,omitempty"` // the topology, if it was shared
	// Notes say what was done to the topology before the run, as the suite's do.
	Notes []string `json:"notes,omitempty"`
	// Folder is the run's, if it was kept: it is where the result was not as
	// expected.
	Folder string `json:"folder,omitempty"`
	// Before are the runs before it that gave no verdict.
	Before []Attempt `json:"before,omitempty"`
}

// Said is what an assertion said of a run: its verdict without the evidence.
type Said struct {
	Name   string        `json:"name"`
	Status assert.Status `json:"status"`
	// NotExercised says that it met no occasion to be tested.
	NotExercised bool `json:"notExercised,omitempty"`
	// Summary is kept of an item as it stands alone.
	Summary string `json:"summary,omitempty"`
	// Fix says which value would change it; empty unless it failed.
	Fix string `json:"fix,omitempty"`
}

// Attempt is a run that was inconclusive, broke off, or could not be carried out.
type Attempt struct {
	Verdict   harness.Verdict `json:"verdict"`
	Reason    string          `json:"reason"`
	Seed      uint64          `json:"seed"`
	StartedAt time.Time       `json:"startedAt"`
	Notes     []string        `json:"notes,omitempty"`
	Folder    string          `json:"folder,omitempty"`
	// Assertions are what each assertion said, without the words.
	Assertions []Said `json:"assertions,omitempty"`
}

// State is where an item stands.
type State string

// States of an item. Only a missing and an open one are run: a result that is
// not as expected is never repeated, unless something that it depends on has
// changed.
const (
	Missing State = "missing" // no run with what it depends on now
	Open    State = "open"    // no verdict yet of what the item asks: inconclusive, or it could not be carried out
	Good    State = "good"    // as expected
	Bad     State = "bad"     // not as expected, or dirty
)

// State is where the record's item stands. A nil record is Missing.
func (r *Record) State() State {
	switch {
	case r == nil:
		return Missing
	case r.Dirty, r.Missed != "":
		return Bad
	case r.Verdict != harness.VerdictPass && r.Verdict != harness.VerdictFail, len(r.Undecided) > 0, r.BrokenOff != "":
		return Open
	case r.Unlike != "":
		return Bad
	}
	return Good
}

// record makes the item's record of a run. before is the item's record until
// now; nil if there is none.
func record(i Item, hash string, r *harness.Result, before *Record) *Record {
	rec := &Record{
		Schema: Schema, Item: i, Hash: hash, Expected: expected(i), Unlike: i.Judge(r),
		Verdict: r.Verdict, Dirty: r.Dirty, Reason: r.Reason, Seed: r.Seed, Command: r.Command, Version: r.Version, Go: runtime.Version(),
		StartedAt: r.StartedAt, Measures: r.Measures,
	}
	if rec.Undecided = i.undecided(r); len(rec.Undecided) > 0 {
		rec.Unlike = ""
	}
	if rec.Missed = i.missed(r); rec.Missed != "" {
		rec.Unlike = rec.Missed + " was tested and held, and must fail; " + r.Reason
	}
	if !i.Stands(r) {
		rec.BrokenOff, rec.Unlike, rec.Undecided, rec.Missed = r.BrokenOff, "", nil, ""
	}
	for _, v := range r.Assertions {
		if v.Status == assert.Fail {
			rec.Failed = append(rec.Failed, v.Name)
		}
		said := Said{Name: v.Name, Status: v.Status, NotExercised: v.NotExercised}
		if i.Case == AsItStands {
			said.Summary, said.Fix = v.Summary, v.Fix
		}
		rec.Assertions = append(rec.Assertions, said)
	}
	for _, f := range r.Faults {
		if f.Proven && f.HealedAt > f.At {
			rec.Held = max(rec.Held, f.HealedAt-f.At)
		}
	}
	if before != nil {
		rec.Before = append(slices.Clone(before.Before), before.attempt())
	}
	return rec
}

// attempt is what is kept of a record that gave no verdict.
func (r *Record) attempt() Attempt {
	a := Attempt{Verdict: r.Verdict, Reason: r.Reason, Seed: r.Seed, StartedAt: r.StartedAt, Notes: r.Notes, Folder: r.Folder}
	for _, s := range r.Assertions {
		a.Assertions = append(a.Assertions, Said{Name: s.Name, Status: s.Status, NotExercised: s.NotExercised})
	}
	return a
}

// Decided are the measures without those of assertions that could not be judged,
// which say nothing; the record is not changed.
func (r *Record) Decided() map[string]float64 {
	return Decided(r.Measures, func(assertion string) bool {
		return slices.ContainsFunc(r.Assertions, func(s Said) bool { return harness.FigureName(s.Name) == assertion && s.Status == assert.Inconclusive })
	})
}

// Decided are the measures of a result that are no inconclusive assertion's; see
// harness.Summarise for their names.
func Decided(measures map[string]float64, inconclusive func(assertion string) bool) map[string]float64 {
	out := map[string]float64{}
	for name, v := range measures {
		if assertion, _, _ := strings.Cut(name, "."); !inconclusive(assertion) {
			out[name] = v
		}
	}
	return out
}

// missed is an assertion of those that must fail that an inconclusive run has shown to
// hold; empty is none.
func (i Item) missed(r *harness.Result) string {
	if r.Verdict != harness.VerdictInconclusive || i.Profile != "" {
		return ""
	}
	for _, v := range r.Assertions {
		if v.Status == assert.Pass && !v.NotExercised && slices.Contains(i.expect.Fails, v.Name) {
			return v.Name
		}
	}
	return ""
}

// undecided are the assertions of those that must fail which a failed run says
// nothing of, as for want of machine; none if anything else is not as expected.
func (i Item) undecided(r *harness.Result) []string {
	var names []string
	for _, v := range r.Assertions {
		switch {
		case v.Status == assert.Inconclusive && slices.Contains(i.expect.Fails, v.Name):
			names = append(names, v.Name)
		case v.Status == assert.Fail && !i.expect.Bears(v.Name):
			return nil
		}
	}
	if len(names) == 0 || r.Dirty || r.Verdict != harness.VerdictFail {
		return nil
	}
	rest := i.expect
	rest.Fails = slices.DeleteFunc(slices.Clone(rest.Fails), func(name string) bool { return slices.Contains(names, name) })
	rest.Also = slices.Concat(rest.Also, names)
	if len(rest.Fails) > 0 && rest.Fails[0] != i.expect.Fails[0] {
		rest.Evidence = rest.Says[rest.Fails[0]]
	}
	if len(rest.Fails) > 0 && rest.Holds(r) != nil {
		return nil
	}
	return names
}

func expected(i Item) string {
	switch {
	case i.Profile != "":
		return "a verdict"
	case len(i.expect.Fails) > 0:
		return "fail by " + strings.Join(i.expect.Fails, " and ")
	}
	return "pass"
}

// Store is the folder of a campaign:
//
//	items/<scenario>/<case>.<profile>.<repetition>.<hash>.json
//	runs/                                                       what is kept of the runs
//
// A record of another hash is of another state of things; it stays, and is not
// looked at.
type Store struct{ Dir string }

// Runs is where the runs' folders go.
func (s Store) Runs() string { return filepath.Join(s.Dir, "runs") }

func (s Store) path(i Item, hash string) string {
	profile := i.Profile
	if profile == "" {
		profile = "default"
	}
	return filepath.Join(s.Dir, "items", Slug(i.Scenario), fmt.Sprintf("%s.%s.%d.%s.json", Slug(i.Case), Slug(profile), i.Repetition, hash))
}

// ErrInUse: another process works on the folder.
var ErrInUse = errors.New("another hachaos is at work in the same folder")

// Lock makes the folder, if it is missing, and takes it for this process alone
// until unlock is called or the process ends, however it does. If another
// process has it, the error wraps ErrInUse.
func (s Store) Lock() (unlock func() error, err error) {
	if err := os.MkdirAll(s.Runs(), 0o755); err != nil {
		return nil, fmt.Errorf("campaign's folder: %w", err)
	}
	dir, err := os.Open(s.Dir)
	if err != nil {
		return nil, fmt.Errorf("campaign's folder: %w", err)
	}
	err = syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w: await its end, or interrupt it", ErrInUse)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", s.Dir, err), dir.Close())
	}
	return dir.Close, nil
}

// Get returns the record of an item with this hash; nil if there is none.
func (s Store) Get(i Item, hash string) (*Record, error) {
	path := s.path(i, hash)
	r, err := read(path, i)
	if err == nil && r != nil && r.Hash != hash {
		return nil, notOf(path, i)
	}
	return r, err
}

// earlier returns the last record of an item, whatever its hash; nil if there
// is none. A file that is no record of it counts for nothing.
func (s Store) earlier(i Item) (*Record, error) {
	dir, pattern := filepath.Split(s.path(i, "*"))
	names, err := fs.Glob(os.DirFS(dir), pattern)
	if err != nil {
		return nil, fmt.Errorf("campaign's folder %s: %w", s.Dir, err)
	}
	var last *Record
	for _, name := range names {
		if r, err := read(filepath.Join(dir, name), i); err == nil && r != nil && (last == nil || r.StartedAt.After(last.StartedAt)) {
			last = r
		}
	}
	return last, nil
}

// read reads a record of an item; nil if there is no such file.
func read(path string, i Item) (*Record, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r Record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%s: %w: remove it to have the item run again", path, err)
	}
	if r.Schema != Schema || r.Scenario != i.Scenario || r.Case != i.Case || r.Repetition != i.Repetition || r.Profile != i.Profile {
		return nil, notOf(path, i)
	}
	return &r, nil
}

func notOf(path string, i Item) error {
	return fmt.Errorf("%s is not the record of %s that its name says: remove it to have the item run again", path, i.Name())
}

// ErrFinal: the item has a verdict already, which nothing replaces.
var ErrFinal = errors.New("the item has a verdict already")

// Put writes a record, whole or not at all. One that is there is replaced only
// if it is open: a verdict is final, and the error then wraps ErrFinal. The
// caller holds the folder's lock.
func (s Store) Put(r *Record) error {
	there, err := s.Get(r.Item, r.Hash)
	if err != nil {
		return err
	}
	path := s.path(r.Item, r.Hash)
	if state := there.State(); state == Good || state == Bad {
		return fmt.Errorf("record of %s: %w (%s): %s", r.Name(), ErrFinal, state, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("record of %s: %w", r.Name(), err)
	}
	return renameio.WriteFile(path, append(b, '\n'), 0o644)
}

// Slug makes a file's name of words, in which words that differ in other than
// letters, digits, dashes and underscores alone are the same.
func Slug(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, s)
}
