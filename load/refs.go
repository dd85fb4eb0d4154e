package load

import (
	"sync"

	"github.com/hachaos/hachaos/history"
)

// MaxRefs is how many ended sessions Refs remembers, beside the live ones.
// The oldest are forgotten first; at 200 operations a second and 20 a session
// that is after almost three hours.
const MaxRefs = 100_000

// refs remembers ended sessions in a ring. The zero value remembers MaxRefs;
// it is safe for concurrent use.
type refs struct {
	mu   sync.Mutex
	ring []history.SessionRef
	next int // the place of the oldest, once the ring is full
}

func (r *refs) add(s history.SessionRef) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) < MaxRefs {
		r.ring = append(r.ring, s)
		return
	}
	r.ring[r.next] = s
	r.next = (r.next + 1) % MaxRefs
}

// all returns the sessions, oldest first.
func (r *refs) all() []history.SessionRef {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append([]history.SessionRef(nil), r.ring[r.next:]...), r.ring[:r.next]...)
}
