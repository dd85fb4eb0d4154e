package main

import (
	"cmp"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/live"
	"github.com/hachaos/hachaos/report"
)

const (
	// frame is the time between two drawings at least.
	frame = 250 * time.Millisecond
	// stale is how long a block stands that nothing is told to any more.
	stale = time.Second
	// logged is how often a line is written that is no step's.
	logged = 5 * time.Second
)

// progress shows runs to people: a block of lines on a terminal, below the
// steps; a plain line for each step and every few seconds elsewhere. It is
// safe for concurrent use, and its methods return at once: a terminal that was
// stopped, or a reader that does not read, does not delay a run.
type progress struct {
	screen *live.Screen

	mu    sync.Mutex
	text  []byte // to be written
	story live.Story
	fresh bool      // the story has gone on since it was drawn
	told  time.Time // when it last did
	last  time.Time // of a line that is no step's

	wake, done, over chan struct{}
	close            func() // waits until all is written, and removes the block
}

// progress shows on standard error until it is closed.
func (a *app) progress() *progress {
	outliveReaders()
	return newProgress(a.err)
}

// newProgress shows on w until it is closed.
func newProgress(w io.Writer) *progress {
	s, ok := w.(*live.Screen)
	if !ok {
		s = live.New(w)
	}
	p := &progress{screen: s, wake: make(chan struct{}, 1), done: make(chan struct{}), over: make(chan struct{})}
	p.close = sync.OnceFunc(func() {
		close(p.done)
		<-p.over
	})
	go p.pump()
	return p
}

// next says which run begins; title is its name if it is empty.
func (p *progress) next(title string, s harness.Scenario) {
	plan := live.Plan{Title: cmp.Or(title, s.Name)}
	for _, ph := range s.Phases {
		plan.Phases = append(plan.Phases, ph.Name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.story.Begin(plan)
}

// Step prints a line that stays.
func (p *progress) Step(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print(text)
}

// print has lines written. The caller holds mu.
func (p *progress) print(text string) {
	for l := range strings.SplitSeq(text, "\n") {
		p.text = append(p.text, report.Clean(l)+"\n"...)
	}
	p.stir()
}

// stir has the pump look. The caller holds mu.
func (p *progress) stir() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Tick updates the block.
func (p *progress) Tick(t harness.Tick) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.screen.Live() {
		p.story.See(t)
		p.fresh, p.told = true, time.Now()
		p.stir()
	} else if time.Since(p.last) >= logged {
		p.last = time.Now()
		p.print("  " + live.Line(t))
	}
}

// pump writes what the others leave to it. What cannot be written is lost: the
// run goes on.
func (p *progress) pump() {
	defer close(p.over)
	var drawn time.Time // zero if no block stands
	for {
		select {
		case <-p.wake:
		case <-p.due(drawn):
		case <-p.done:
			p.write()
			_ = p.screen.Clear()
			return
		}
		p.write()
		p.mu.Lock()
		fresh, told := p.fresh, p.told
		p.mu.Unlock()
		switch now := time.Now(); {
		case fresh && now.Sub(drawn) >= frame:
			drawn = now
			_ = p.screen.Show(p.lines)
		case !drawn.IsZero() && now.Sub(told) >= stale:
			drawn = time.Time{}
			_ = p.screen.Clear()
		}
	}
}

// due tells when the block that was drawn then is to be drawn anew, or erased.
func (p *progress) due(drawn time.Time) <-chan time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case drawn.IsZero():
		return nil // a tick wakes the pump
	case p.fresh:
		return time.After(frame - time.Since(drawn))
	}
	return time.After(stale - time.Since(p.told))
}

// lines are the block.
func (p *progress) lines(l live.Look) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fresh = false
	return p.story.Lines(l)
}

// write writes the text that waits.
func (p *progress) write() {
	p.mu.Lock()
	text := p.text
	p.text = nil
	p.mu.Unlock()
	_, _ = p.screen.Write(text)
}
