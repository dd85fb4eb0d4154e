package fake

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"
)

// record is an append-only list that can be followed.
type record[T any] struct {
	mu   sync.Mutex
	list []T
	more chan struct{} // closed when something is added
}

func newRecord[T any]() *record[T] { return &record[T]{more: make(chan struct{})} }

func (r *record[T]) add(v T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, v)
	close(r.more)
	r.more = make(chan struct{})
}

// from returns what was added after the first n, and a channel that closes
// when there is more.
func (r *record[T]) from(n int) ([]T, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list[n:len(r.list):len(r.list)], r.more
}

// follow hands every item to f until f fails, ctx ends or stop closes; what
// was there by then has been handed over.
func (r *record[T]) follow(ctx context.Context, stop <-chan struct{}, f func(T) error) error {
	n := 0
	for {
		items, more := r.from(n)
		for _, it := range items {
			if err := f(it); err != nil {
				return err
			}
		}
		n += len(items)
		if len(items) > 0 {
			continue
		}
		select {
		case <-more:
		case <-stop:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// line is one line of a node's output.
type line struct {
	at   time.Time
	text string
}

// say writes a JSON line to the node's output.
func (n *node) say(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		return
	}
	n.out.add(line{time.Now(), string(b) + "\n"})
}

// copyLog copies the node's output from since on.
func (n *node) copyLog(ctx context.Context, since time.Time, w io.Writer) error {
	return n.out.follow(ctx, n.cluster.closed, func(l line) error {
		if l.at.Before(since) {
			return nil
		}
		_, err := io.WriteString(w, l.text)
		return err
	})
}

type receiptLine struct {
	Hachaos string `json:"hachaos"`
	At      int64  `json:"at"`
	Node    string `json:"node"`
	What    string `json:"what"`
	Op      string `json:"op"`
	Key     string `json:"key,omitempty"`
	Path    string `json:"path,omitempty"`
	Order   int64  `json:"order,omitempty"`
}

type transitionLine struct {
	Hachaos string `json:"hachaos"`
	At      int64  `json:"at"`
	Node    string `json:"node"`
	What    string `json:"what"`
	Reason  string `json:"reason,omitempty"`
	Version string `json:"version"`
}

type dispatchLine struct {
	Hachaos string `json:"hachaos"`
	LB      string `json:"lb"`
	At      int64  `json:"at,string"`
	Pid     int    `json:"pid"`
	N       uint64 `json:"n"` // in the order of writing, from 0
	Op      string `json:"op,omitempty"`
	Key     string `json:"key,omitempty"`
	Method  string `json:"m"`
	Path    string `json:"p"`
	Status  int    `json:"st"`
	Server  string `json:"srv"`
	Retries string `json:"retr"`
	Term    string `json:"term"`
	Tw      int64  `json:"Tw"`
	Tc      int64  `json:"Tc"`
	Tr      int64  `json:"Tr"`
	Ta      int64  `json:"Ta"`
	Bytes   int64  `json:"bytes"`
}
