package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// baseline is what the tests do with no mutant active.
type baseline struct {
	State string     `json:"state"`
	Build string     `json:"build"` // the binary's name
	Tests []testInfo `json:"tests"` // the fastest first
	// Refused are tests that do not pass, each with what became of it: they
	// are not used.
	Refused []string `json:"refused,omitempty"`
}

// testInfo is a test that passes, alone and with the others. Of a long test
// each subtest is one, and the test itself counts for what none of them
// reaches.
type testInfo struct {
	Name string        `json:"name"` // as "TestX", or "TestX/sub"
	Took time.Duration `json:"took"` // of a process of its own
	// Hits has a byte for each mutant: 1 if the test reaches it in a state in
	// which it could make a difference. What is reached when the program
	// starts is reached by all.
	Hits []byte `json:"hits"`
}

// reaches says whether the test reaches the mutant.
func (t testInfo) reaches(m *mutant) bool { return int(m.id) < len(t.Hits) && t.Hits[m.id] == 1 }

// firstLimit bounds a test whose time is not known yet.
const firstLimit = 5 * time.Minute

// measure runs each test alone, recording what it reaches, and then all that
// passed together.
func (s *session) measure(ctx context.Context, binary string) (*baseline, error) {
	names, err := listTests(ctx, binary, s.p.dir)
	if err != nil {
		return nil, err
	}
	b := &baseline{State: s.p.state, Build: filepath.Base(binary)}
	var mu sync.Mutex
	err = inParallel(ctx, s.workers, names, func(ctx context.Context, name string) error {
		tests, o, err := s.alone(ctx, binary, name)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if !o.ok {
			b.refuse(name, "alone", o)
		}
		b.Tests = append(b.Tests, tests...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.together(ctx, binary, b); err != nil {
		return nil, err
	}
	slices.SortFunc(b.Tests, func(x, y testInfo) int {
		return cmp.Or(cmp.Compare(x.Took, y.Took), strings.Compare(x.Name, y.Name))
	})
	slices.Sort(b.Refused)
	return b, nil
}

// splitAt is how long a test takes of which the subtests are measured.
const splitAt = 500 * time.Millisecond

// alone measures one test, and a long one by its subtests. The test that was
// skipped is none.
func (s *session) alone(ctx context.Context, binary, name string) ([]testInfo, outcome, error) {
	all, o, err := s.record(ctx, binary, name)
	if err != nil || !o.ok || len(o.passed) == 0 {
		return nil, o, err
	}
	subs := subtests(o.ran, name)
	if o.took < splitAt || len(subs) < 2 {
		return []testInfo{all}, o, nil
	}
	rest := all
	rest.Hits = slices.Clone(all.Hits)
	var tests []testInfo
	for _, sub := range subs {
		t, of, err := s.record(ctx, binary, sub)
		if err != nil {
			return nil, o, err
		}
		if !of.ok { // it needs another
			return []testInfo{all}, o, nil
		}
		tests = append(tests, t)
		for i := range min(len(t.Hits), len(rest.Hits)) {
			rest.Hits[i] &^= t.Hits[i]
		}
	}
	if slices.Contains(rest.Hits, 1) {
		tests = append(tests, rest)
	}
	return tests, o, nil
}

// subtests are those of a test that are no subtests of another.
func subtests(ran []string, of string) []string {
	var out []string
	for _, name := range ran {
		inner := slices.ContainsFunc(out, func(o string) bool { return strings.HasPrefix(name, o+"/") })
		if strings.HasPrefix(name, of+"/") && !inner {
			out = append(out, name)
		}
	}
	return out
}

// record runs one test and notes what it reaches.
func (s *session) record(ctx context.Context, binary, name string) (testInfo, outcome, error) {
	tmp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return testInfo{}, outcome{}, err
	}
	defer os.RemoveAll(tmp)
	hits := filepath.Join(tmp, "hits")
	o, err := process{binary: binary, dir: s.p.dir, tests: []string{name}, hits: hits, limit: firstLimit}.run(ctx)
	if err != nil {
		return testInfo{}, o, err
	}
	reached, err := os.ReadFile(hits)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return testInfo{}, o, err
	}
	return testInfo{Name: name, Took: o.took, Hits: reached}, o, nil
}

// together runs all tests in one process, without those that fail in it, until
// none does.
func (s *session) together(ctx context.Context, binary string, b *baseline) error {
	for len(b.Tests) > 0 {
		var all []string
		for _, t := range b.Tests {
			all = append(all, t.Name)
		}
		o, err := process{binary: binary, dir: s.p.dir, tests: all, limit: firstLimit}.run(ctx)
		if err != nil {
			return err
		}
		if o.ok {
			return nil
		}
		was := len(b.Tests)
		b.Tests = slices.DeleteFunc(b.Tests, func(t testInfo) bool { return t.Name == o.failed || strings.HasPrefix(t.Name, o.failed+"/") })
		if len(b.Tests) == was {
			return fmt.Errorf("the tests pass alone and not together, and none is to blame: %s", o.output)
		}
		b.refuse(o.failed, "with the others", o)
	}
	return nil
}

func (b *baseline) refuse(name, how string, o outcome) {
	what := "fails"
	if o.timedOut {
		what = "does not end"
	}
	b.Refused = append(b.Refused, fmt.Sprintf("%s %s with no mutant, run %s", name, what, how))
}

// inParallel calls do for each item, by so many workers, until one fails.
func inParallel[T any](ctx context.Context, workers int, items []T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan T)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for item := range queue {
				if err := do(ctx, item); err != nil {
					cancel(err)
				}
			}
		})
	}
feed:
	for _, item := range items {
		select {
		case queue <- item:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	wg.Wait()
	return context.Cause(ctx)
}
