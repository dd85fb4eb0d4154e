package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// A mutant's time limit is that many times what its tests take without it,
// and the margin.
const (
	limitFactor = 5
	limitMargin = 3 * time.Second
)

// session runs mutants of one package.
type session struct {
	p       *pkg
	book    *book
	workers int
	log     io.Writer
	// margin is limitMargin if it is 0.
	margin time.Duration
}

// run builds and measures what is not there yet, then runs the mutants in
// their order, and writes down each result as it comes. It ends early, and
// without an error, if the context does: what was run is written down.
func (s *session) run(ctx context.Context, mutants []*mutant) error {
	if len(mutants) == 0 || ctx.Err() != nil {
		return nil
	}
	err := s.work(ctx, mutants)
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, s.unchanged())
}

func (s *session) work(ctx context.Context, mutants []*mutant) error {
	began := time.Now()
	binary, err := s.p.build(ctx, s.book.work)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.log, "%s: built after %s\n", s.p.short, time.Since(began).Round(time.Second))
	base, err := s.book.baseline()
	if err != nil {
		return err
	}
	if base == nil || !strings.HasSuffix(binary, base.Build) {
		if base, err = s.measure(ctx, binary); err != nil {
			return err
		}
		if err := s.book.setBaseline(base); err != nil {
			return err
		}
		fmt.Fprintf(s.log, "%s: %d tests measured after %s\n", s.p.short, len(base.Tests), time.Since(began).Round(time.Second))
	}
	for _, r := range base.Refused {
		fmt.Fprintf(s.log, "%s: refused: %s\n", s.p.short, r)
	}
	var mu sync.Mutex
	done := 0
	err = inParallel(ctx, s.workers, mutants, func(ctx context.Context, m *mutant) error {
		r, err := s.try(ctx, binary, base, m)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if done++; done%200 == 0 {
			fmt.Fprintf(s.log, "%s: %d of %d after %s\n", s.p.short, done, len(mutants), time.Since(began).Round(time.Second))
		}
		return s.book.add(m, r)
	})
	fmt.Fprintf(s.log, "%s: %d of %d mutants run in %s\n", s.p.short, done, len(mutants), time.Since(began).Round(time.Second))
	return err
}

// unchanged says whether the package is still what was loaded.
func (s *session) unchanged() error {
	now, err := state(s.p.dir)
	if err == nil && now != s.p.state {
		err = errors.New("its files changed while its mutants ran: results of either state may be under the old one")
	}
	return err
}

// try runs one mutant against the tests that reach it, until one fails.
func (s *session) try(ctx context.Context, binary string, base *baseline, m *mutant) (result, error) {
	began := time.Now()
	batches := batch(base.Tests, m, s.book.lastKiller(m))
	if len(batches) == 0 {
		return result{Verdict: notCovered}, nil
	}
	tmp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(tmp)
	r := result{Verdict: survived}
	for _, tests := range batches {
		pr := process{binary: binary, dir: s.p.dir, mutant: m.id, limit: cmp.Or(s.margin, limitMargin), tmp: tmp}
		for _, t := range tests {
			pr.tests = append(pr.tests, t.Name)
			pr.limit += limitFactor * t.Took
		}
		o, err := pr.steadily(ctx)
		if err != nil {
			return result{}, err
		}
		if o.ok {
			continue
		}
		r.Verdict, r.By = killed, o.failed
		if o.timedOut {
			r.Verdict = timedOut
		}
		break
	}
	r.Took = time.Since(began).Round(time.Millisecond)
	return r, nil
}

// batch is the tests that reach a mutant, the fastest first, in processes that
// get longer: a mutant is mostly killed by a fast test, and one that survives
// should not pay for a process each. The test that killed it before, if it is
// known, is first and alone.
func batch(tests []testInfo, m *mutant, before string) [][]testInfo {
	const first = 100 * time.Millisecond
	var out [][]testInfo
	var now []testInfo
	sum, room := time.Duration(0), first
	for _, t := range tests {
		if !t.reaches(m) {
			continue
		}
		if t.Name == before {
			out = slices.Insert(out, 0, []testInfo{t})
			continue
		}
		if len(now) > 0 && sum+t.Took > room {
			out, now, sum, room = append(out, now), nil, 0, 4*room
		}
		now, sum = append(now, t), sum+t.Took
	}
	if len(now) > 0 {
		out = append(out, now)
	}
	return out
}
