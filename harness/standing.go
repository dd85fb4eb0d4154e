package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/hachaos/hachaos/history"
)

// earlier leaves out of a ledger, and of its reader's account, what was in it
// before the load: on a topology that stands, the orders of the runs before.
type earlier struct {
	to    history.Sink
	known map[int64]bool
	left  uint64 // out
}

// Put implements history.Sink.
func (s *earlier) Put(e history.Event) {
	var row history.LedgerRow
	var account history.Coverage
	switch {
	case e.Name == history.StreamLedger && json.Unmarshal(e.Data, &row) == nil && s.known[row.Order]:
		s.left++
		return
	case e.Name == history.StreamCoverage && json.Unmarshal(e.Data, &account) == nil && account.Stream == history.StreamLedger:
		account.Seen -= min(s.left, account.Seen)
		e.Data = data(account)
	}
	s.to.Put(e)
}

// collector takes the orders of a ledger.
type collector struct {
	mu    sync.Mutex
	known map[int64]bool
}

// Put implements history.Sink.
func (c *collector) Put(e history.Event) {
	var row history.LedgerRow
	if e.Name != history.StreamLedger || json.Unmarshal(e.Data, &row) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[row.Order] = true
}

// rememberLedger reads what a standing topology's ledger holds already.
func (r *run) rememberLedger(ctx context.Context) error {
	if r.opts.On == "" {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, r.budgets.Read)
	defer cancel()
	c := &collector{known: map[int64]bool{}}
	if err := r.suite.Ledger(bounded, r.cluster, c); err != nil {
		return fmt.Errorf("read the ledger before the load: %w", err)
	}
	r.before = c.known
	return nil
}
