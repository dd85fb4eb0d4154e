package historytest

import (
	"cmp"
	"fmt"
	"iter"
	"path/filepath"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Violation is a wrong that can be planted into a random history.
type Violation string

// The violations. Each names the operation at fault and, where that is
// another one, the first that shows it.
const (
	DuplicateOrder  Violation = "duplicate order"  // an acknowledged order stands in the ledger twice
	LostOrder       Violation = "lost order"       // an acknowledged order is not in the ledger
	PhantomOrder    Violation = "phantom order"    // the ledger holds an order that nobody sent; Op is the one that it names, which does not exist
	LostUpdate      Violation = "lost update"      // an acknowledged write is gone from its session
	StaleRead       Violation = "stale read"       // a read answers with the value before the last acknowledged write
	LeakedSession   Violation = "leaked session"   // a read is answered as another user's
	ReplacedSession Violation = "replaced session" // a write is answered by a new session
)

// Planted says where a violation is.
type Planted struct {
	Violation Violation
	// Op is the operation at fault, and Seen the first at which it can be
	// noticed; 0 if only what is read after the load shows it.
	Op, Seen uint64
	Session  uint32
	Key      string
}

// Config is a random history. The zero value of a field means its default.
type Config struct {
	Seed       uint64
	Ops        int      // 10,000
	Rate       int      // operations a second; 200
	Sessions   int      // 100, or half the rate if that is more
	SessionOps int      // operations of a session from login to logout; 20
	Nodes      []string // j1 and j2
	// Kill takes the last node away from 40 % to 70 % of the time: what it
	// works on is of unknown outcome, orders are retried, and for 2 s what
	// its sessions want is refused.
	Kill bool
	// Unknown is the share of writes and orders whose outcome the client
	// never learns, and whose effect is there in half of the cases.
	Unknown float64
	// Receipts and Dispatches add what nodes and balancers log: two to four
	// lines for each operation.
	Receipts, Dispatches bool
	// Plant are violations, one each. Where an operation is needed that the
	// history does not have, nothing is planted.
	Plant []Violation
}

func (c Config) resolved() Config {
	c.Ops = cmp.Or(c.Ops, 10_000)
	c.Rate = cmp.Or(c.Rate, 200)
	c.Sessions = cmp.Or(c.Sessions, max(100, c.Rate/2))
	c.SessionOps = max(3, cmp.Or(c.SessionOps, 20))
	if len(c.Nodes) == 0 {
		c.Nodes = []string{"j1", "j2"}
	}
	c.Kill = c.Kill && len(c.Nodes) > 1
	return c
}

// Random is a large history of a system that works: every answer is right,
// every acknowledged order stands in the ledger once, and sessions hold what
// was acknowledged, but for what was planted. The same Config gives the same
// history. It is not safe for concurrent use.
type Random struct {
	cfg     Config
	planted []Planted
}

// Generate prepares a random history; nothing is kept in memory.
func Generate(c Config) *Random { return &Random{cfg: c.resolved()} }

// Planted says what the last run through Events planted, in the order of the
// operations.
func (r *Random) Planted() []Planted { return r.planted }

// Events makes the events, numbered, in the order in which a run would
// write them. An event may be used only until the next is asked for.
func (r *Random) Events() iter.Seq[history.Event] {
	return func(yield func(history.Event) bool) {
		m := newModel(r.cfg)
		m.run(yield)
		r.planted = m.planted
	}
}

// History makes the history, or ends the test.
func (r *Random) History(t TB) *history.History {
	t.Helper()
	h, err := history.Collect(r.Events())
	if err != nil {
		t.Fatalf("generate history: %v", err)
	}
	return h
}

// Save writes the events into dir as a sealed journal, or ends the test.
func (r *Random) Save(t TB, dir string) {
	t.Helper()
	if err := r.save(dir); err != nil {
		t.Fatalf("save history: %v", err)
	}
}

func (r *Random) save(dir string) error {
	w, err := history.Create(filepath.Join(dir, history.Journal))
	if err != nil {
		return err
	}
	for e := range r.Events() {
		w.Put(e)
	}
	err = w.Seal(dir, nil)
	return cmp.Or(err, w.Close())
}

// meta is what the run was asked for.
func (c Config) meta() history.Meta {
	m := history.Meta{
		Format: history.Format, ID: fmt.Sprintf("random-%d", c.Seed), Scenario: "random", Topology: "random", Seed: c.Seed,
		Load: history.LoadMeta{Rate: c.Rate, Sessions: c.Sessions, Timeout: 10 * time.Second, Retry: true, Late: 5 * time.Millisecond},
	}
	for _, n := range c.Nodes {
		m.Nodes = append(m.Nodes, history.NodeMeta{Name: n, Role: "application", Weight: 100})
	}
	m.Nodes = append(m.Nodes, history.NodeMeta{Name: "lb1", Role: "balancer"}, history.NodeMeta{Name: "db", Role: "database"})
	return m
}
