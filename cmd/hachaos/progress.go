package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/hachaos/hachaos/harness"
)

// progress shows a run to people: one live line on a terminal, a plain line
// for each step and every few seconds elsewhere. It is safe for concurrent use.
type progress struct {
	w     io.Writer
	live  bool
	width int
	every time.Duration

	mu    sync.Mutex
	drawn bool
	last  time.Time
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, every: 5 * time.Second}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.live = true
		p.width, _, _ = term.GetSize(int(f.Fd()))
	}
	return p
}

// Step prints a line that stays.
func (p *progress) Step(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.w, "%s\n", text)
}

// Tick updates the live line.
func (p *progress) Tick(t harness.Tick) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.live {
		if time.Since(p.last) < p.every {
			return
		}
		p.last = time.Now()
		fmt.Fprintf(p.w, "  %s\n", tickLine(t))
		return
	}
	line := tickLine(t)
	if p.width > 1 && len(line) >= p.width {
		line = line[:p.width-1]
	}
	p.clear()
	fmt.Fprint(p.w, line)
	p.drawn = true
}

func tickLine(t harness.Tick) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%6.1fs  %-14s %4.0f/s  %d errors", t.At.Seconds(), t.Phase, t.Rate, t.Errors)
	if t.Nodes > 0 {
		fmt.Fprintf(&b, "  %d of %d nodes up", t.Up, t.Nodes)
	}
	if t.Fault != "" {
		fmt.Fprintf(&b, "  [%s]", t.Fault)
	}
	return b.String()
}

// clear removes the live line.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}

func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}
