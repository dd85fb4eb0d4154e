package historytest

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/hachaos/hachaos/history"
)

// detect is how long the balancers take to notice that a node is away.
const detect = 2 * time.Second

// model is the system and its clients, whose answers are right.
type model struct {
	cfg      Config
	rng      *rand.Rand
	interval time.Duration
	end      time.Duration // of the load
	down, up time.Duration // when the victim is away; both 0 if it never is
	sessions uint32
	slots    []client
	rows     []row
	requests uint64 // that the balancer has seen
	out      queue
	want     []wish
	planted  []Planted
	names    texts
}

// client is one of the concurrent users and its session.
type client struct {
	session uint32
	user    string
	sid     string
	owner   string // whom the session names
	bound   string
	count   int64
	ops     []uint64 // the writes that the session holds
	unsure  bool     // one was of unknown outcome
	live    bool
	// lost is a planted loss that no answer has shown yet: its place in
	// planted, from 1.
	lost int
}

// row is an order of the ledger.
type row struct {
	op      uint64
	attempt int
	node    string
	key     string
}

// wish is a violation to be planted at the first fitting operation from a
// number on.
type wish struct {
	violation Violation
	from      uint64
}

func newModel(c Config) *model {
	m := &model{
		cfg: c, rng: rand.New(rand.NewPCG(c.Seed, 0x6861_6368_616f_7301)),
		interval: time.Second / time.Duration(c.Rate), slots: make([]client, c.Sessions),
	}
	m.end = time.Duration(c.Ops+1) * m.interval
	if c.Kill {
		m.down, m.up = m.end*4/10, m.end*7/10
	}
	for _, v := range c.Plant {
		m.want = append(m.want, wish{v, uint64(c.Ops)/5 + m.rng.Uint64N(uint64(c.Ops)/2+1)})
	}
	for i := range m.slots {
		m.slots[i].user = "u" + strconv.Itoa(i+1)
	}
	return m
}

// run makes all events, until yield refuses one.
func (m *model) run(yield func(history.Event) bool) {
	m.out.yield = yield
	m.out.emit(history.Event{Kind: history.Run, Data: data(m.cfg.meta())})
	m.script()
	for n := uint64(1); n <= uint64(m.cfg.Ops) && !m.out.stopped; n++ {
		due := time.Duration(n) * m.interval
		m.out.until(due)
		m.operate(n, due)
	}
	m.out.until(m.end + time.Minute)
	if !m.out.stopped {
		m.after()
	}
}

// operate does operation n of the schedule.
func (m *model) operate(n uint64, due time.Duration) {
	c := &m.slots[(n-1)%uint64(m.cfg.Sessions)]
	name := m.kind(n)
	if name == history.OpLogin {
		m.login(c)
	}
	o := m.out.get()
	o.e.Name = name
	o.c = history.Call{ID: n, Session: c.session, User: c.user, Intended: due, Bound: c.bound}
	if name == history.OpOrder {
		o.c.Key = m.names.key(n)
	}
	m.out.emit(history.Event{At: due, Kind: history.Invoke, Name: name, Op: &o.c})
	o.c.Sent, o.c.Attempts = due+20*time.Microsecond, 1
	o.c.End = o.c.Sent + m.latency(name)
	m.answer(c, o)
	o.e.At = o.c.End
	m.out.push(o)
}

// turn is the place of operation n in its session's life, from 0. The first
// sessions are of different lengths, so that not all end at once.
func (m *model) turn(n uint64) int {
	slot, k := (n-1)%uint64(m.cfg.Sessions), (n-1)/uint64(m.cfg.Sessions)
	if k == 0 {
		return 0
	}
	life := uint64(m.cfg.SessionOps)
	return int((slot%(life-1) + k) % life)
}

// kind is the schedule: a session begins with its login, ends with its
// logout, and has a third each of the others between.
func (m *model) kind(n uint64) string {
	switch m.turn(n) {
	case 0:
		return history.OpLogin
	case m.cfg.SessionOps - 1:
		return history.OpLogout
	}
	return [...]string{history.OpSessionWrite, history.OpSessionRead, history.OpOrder}[m.rng.IntN(3)]
}

func (m *model) login(c *client) {
	m.sessions++
	*c = client{session: m.sessions, user: c.user, owner: c.user, sid: m.names.sid(m.sessions), ops: c.ops[:0], live: true}
}

// latency is a few milliseconds, and 250 more of an order, but a client is
// done before its next turn.
func (m *model) latency(name string) time.Duration {
	d := time.Millisecond + time.Duration(m.rng.Int64N(int64(9*time.Millisecond)))
	if name == history.OpOrder {
		d += 250 * time.Millisecond
	}
	return min(d, m.interval*time.Duration(m.cfg.Sessions)*9/10)
}

func (m *model) victim() string { return m.cfg.Nodes[len(m.cfg.Nodes)-1] }

// answer decides what becomes of an operation.
func (m *model) answer(c *client, o *op) {
	node := c.bound
	if node == "" {
		node = m.cfg.Nodes[m.rng.IntN(len(m.cfg.Nodes))]
	}
	effect := o.e.Name == history.OpSessionWrite || o.e.Name == history.OpOrder
	ends := o.e.Name == history.OpLogin || o.e.Name == history.OpLogout
	away := m.cfg.Kill && node == m.victim() && o.c.End > m.down && o.c.Intended < m.up
	switch {
	case away && (ends || o.c.Intended >= m.down+detect):
		m.good(c, o, m.cfg.Nodes[0])
	case away && o.c.Intended >= m.down:
		o.e.Kind, o.c.Error, o.c.Sent = history.Fail, history.ErrRefused, -1
		o.c.End = o.c.Intended + time.Millisecond
	case away && o.e.Name == history.OpOrder:
		m.retried(c, o, node)
	case away, effect && m.cfg.Unknown > 0 && m.rng.Float64() < m.cfg.Unknown:
		m.unknown(c, o, node)
	default:
		m.good(c, o, node)
	}
}

// unknown loses the answer.
func (m *model) unknown(c *client, o *op, node string) {
	o.e.Kind, o.c.Error = history.Info, history.ErrReset
	applied := m.rng.IntN(2) == 0
	switch o.e.Name {
	case history.OpSessionWrite:
		c.unsure = true
		if applied {
			m.write(c, o.c.ID)
		}
	case history.OpOrder:
		m.ordered(o, node, applied)
	}
	m.logs(o, node, 1, 0)
}

// ordered enters an order into the ledger, if it was applied, and notes that
// its node committed it.
func (m *model) ordered(o *op, node string, applied bool) {
	o.commits = 0
	if applied {
		m.rows = append(m.rows, row{o.c.ID, o.c.Attempts, node, o.c.Key})
		o.commits = int64(len(m.rows))
	}
}

// retried loses the first answer of an order, and gets the second.
func (m *model) retried(c *client, o *op, node string) {
	applied := m.rng.IntN(2) == 0
	m.ordered(o, node, applied)
	m.logs(o, node, 1, 0)
	o.c.Tries = []history.Try{{End: o.c.End, Outcome: history.Info, Error: history.ErrReset}}
	o.c.Value, o.c.Replayed = o.commits, applied
	o.c.Attempts = 2
	o.c.End += m.latency(history.OpSessionRead)
	m.good(c, o, m.cfg.Nodes[0])
}

// good gives the right answer, or what was planted.
func (m *model) good(c *client, o *op, node string) {
	o.e.Kind, o.c.Status = history.OK, 200
	o.c.Node, o.c.Version, o.c.Balancer = node, "1", "lb1"
	o.c.SessionID, o.c.Owner = c.sid, c.owner
	switch o.e.Name {
	case history.OpLogin:
		o.c.New = true
	case history.OpLogout:
		c.live = false
	case history.OpSessionWrite:
		m.write(c, o.c.ID)
		o.c.Value = c.count
	case history.OpSessionRead:
		o.c.Value = c.count
	case history.OpOrder:
		m.ordered(o, node, !o.c.Replayed)
		if !o.c.Replayed {
			o.c.Status, o.c.Value = 201, o.commits
		}
	}
	m.logs(o, node, o.c.Attempts, o.c.Status)
	m.shown(c, o)
	m.plant(c, o)
	c.bound = node
}

func (m *model) write(c *client, id uint64) {
	c.count++
	c.ops = append(c.ops, id)
}

func data(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a programming error: the types are this package's choice
	}
	return slices.Clip(b)
}

// texts makes the strings of a history.
type texts struct{ buf []byte }

func (t *texts) key(n uint64) string {
	t.buf = strconv.AppendUint(append(t.buf[:0], "k-"...), n, 10)
	return string(t.buf)
}

func (t *texts) sid(n uint32) string {
	t.buf = strconv.AppendUint(append(t.buf[:0], "node0"...), uint64(n)*2654435761, 36)
	return string(t.buf)
}
