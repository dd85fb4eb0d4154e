package observe

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
)

// account collects what an observer must say of itself for one stream and
// source. The zero value with both names set is a complete account of
// nothing. It is safe for concurrent use.
type account struct {
	stream, source string

	mu      sync.Mutex
	seen    uint64
	missed  uint64
	gap     time.Duration
	unknown []history.Window
	reasons []string
	more    int // reasons beyond maxReasons
}

// maxReasons is how many different reasons an account keeps.
const maxReasons = 5

// saw counts one observation.
func (a *account) saw() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen++
}

// miss counts n observations that are known to be missing.
func (a *account) miss(n uint64, format string, args ...any) {
	if n == 0 {
		return
	}
	a.lack(format, args...)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.missed += n
}

// lack makes the stream incomplete for the reason given; the same reason is
// kept once.
func (a *account) lack(format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.reasons {
		if r == reason {
			return
		}
	}
	if len(a.reasons) == maxReasons {
		a.more++
		return
	}
	a.reasons = append(a.reasons, reason)
}

// unsure names a time of which is not known whether anything is missing.
func (a *account) unsure(from, to time.Duration, format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unknown = append(a.unknown, history.Window{From: from, To: max(from, to), Why: fmt.Sprintf(format, args...)})
}

// looked takes the longest time between two looks; above limit the stream is
// incomplete.
func (a *account) looked(gap, limit time.Duration) {
	if gap > limit {
		a.lack("no look for %v, more than %v: the machine was too busy", gap.Round(time.Millisecond), limit)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gap = max(a.gap, gap)
}

// coverage is the account as the journal has it.
func (a *account) coverage() history.Coverage {
	a.mu.Lock()
	defer a.mu.Unlock()
	reason := strings.Join(a.reasons, "; ")
	if a.more > 0 {
		reason += fmt.Sprintf("; and %d more", a.more)
	}
	return history.Coverage{
		Stream: a.stream, Source: a.source, Complete: reason == "",
		Seen: a.seen, Missed: a.missed, LongGap: a.gap, Reason: reason, Unknown: a.unknown,
	}
}

// put writes an observation of the stream, at a time of the run's clock.
func put(sink history.Sink, stream string, at time.Duration, node string, v any) {
	e := history.Event{At: at, Kind: history.Observed, Name: stream}
	if node != "" {
		e.Nodes = []string{node}
	}
	data, err := json.Marshal(v)
	if err != nil {
		e.Err = fmt.Sprintf("observation of %s: %v", stream, err)
	}
	e.Data = data
	sink.Put(e)
}

// settle writes the accounts, each as one Coverage, at the time that now
// tells; 0 if it is nil.
func settle(sink history.Sink, now func() time.Duration, accounts ...*account) {
	var at time.Duration
	if now != nil {
		at = now()
	}
	for _, a := range accounts {
		put(sink, history.StreamCoverage, at, a.source, a.coverage())
	}
}

// Stamp returns a sink that gives events without a time that of clock, and
// hands all on to sink. The readers after the load (Ledger, Sessions) know no
// clock.
func Stamp(sink history.Sink, clock history.RunClock) history.Sink { return stamp{sink, clock} }

type stamp struct {
	sink  history.Sink
	clock history.RunClock
}

// Put implements history.Sink.
func (s stamp) Put(e history.Event) {
	if e.At == 0 {
		e.At = s.clock.Now()
	}
	s.sink.Put(e)
}
