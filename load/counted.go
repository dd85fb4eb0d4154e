package load

import (
	"sync"

	"github.com/hachaos/hachaos/history"
)

// counted is a sink that counts a companion's observations by their stream, so that its
// account tells of each that does not get into the record. Safe for concurrent use.
type counted struct {
	history.Sink
	mu   sync.Mutex
	seen map[string]uint64
}

func count(sink history.Sink) *counted { return &counted{Sink: sink, seen: map[string]uint64{}} }

// Put implements history.Sink.
func (c *counted) Put(e history.Event) {
	if e.Kind == history.Observed {
		c.mu.Lock()
		c.seen[e.Name]++
		c.mu.Unlock()
	}
	c.Sink.Put(e)
}

// cover puts the companion's accounts of its streams, which are whole.
func (c *counted) cover(clock history.RunClock, source string, streams ...string) {
	for _, stream := range streams {
		c.mu.Lock()
		seen := c.seen[stream]
		c.mu.Unlock()
		c.Sink.Put(history.Observe(clock.Now(), history.Coverage{Stream: stream, Source: source, Complete: true, Seen: seen}))
	}
}
