package fake

import (
	"errors"
	"fmt"
	"sync"
)

// Row is an order as the database keeps it.
type Row struct {
	ID      int64
	Key     string
	Op      uint64
	Attempt int
	Node    string
	Version string
}

// errStore: the database does not answer.
var errStore = errors.New("database: connection refused")

// store is the shared database: orders with their idempotency rows, and
// sessions.
type store struct {
	mu       sync.Mutex
	up       func() bool
	rows     []Row
	keys     map[string]answered
	sessions sessions
}

// answered is an idempotency row: what was asked, and the order it made.
type answered struct {
	body  string
	order int64
}

// session is one user's state.
type session struct {
	user  string
	count int64
	ops   []string
}

// sessions by id; a node with sessions=memory has its own.
type sessions map[string]*session

func newStore(up func() bool) *store {
	return &store{up: up, keys: map[string]answered{}, sessions: sessions{}}
}

// with runs f on the sessions under the store's lock; local ones need no
// database.
func (s *store) with(local sessions, f func(sessions)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if local != nil {
		f(local)
		return nil
	}
	if !s.up() {
		return errStore
	}
	f(s.sessions)
	return nil
}

// errConflict: the key was used for another request.
var errConflict = errors.New("the idempotency key was used for another request")

// order commits a row, unless alive says that its process has ended. With
// dedupe a key that was seen gives its first order again.
func (s *store) order(r Row, body string, dedupe bool, alive func() bool) (id int64, replayed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up() {
		return 0, false, errStore
	}
	if !alive() {
		return 0, false, errors.New("the process has ended")
	}
	if a, ok := s.keys[r.Key]; ok && dedupe {
		if a.body != body {
			return 0, false, errConflict
		}
		return a.order, true, nil
	}
	r.ID = int64(len(s.rows)) + 1
	s.rows = append(s.rows, r)
	s.keys[r.Key] = answered{body, r.ID}
	return r.ID, false, nil
}

func sessionID(n int) string { return fmt.Sprintf("s%06d", n) }
