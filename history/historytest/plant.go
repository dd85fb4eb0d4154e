package historytest

import (
	"slices"

	"github.com/hachaos/hachaos/history"
)

// plant changes the answer of an operation if a violation waits for one like
// it. One operation takes one at most.
func (m *model) plant(c *client, o *op) {
	for i, w := range m.want {
		if o.c.ID < w.from || !m.calm(c, o) || !m.fits(w.violation, c, o) {
			continue
		}
		m.want = slices.Delete(m.want, i, i+1)
		p := Planted{Violation: w.violation, Op: o.c.ID, Seen: o.c.ID, Session: o.c.Session, Key: o.c.Key}
		m.spoil(&p, c, o)
		m.planted = append(m.planted, p)
		return
	}
}

// calm says that nothing else is odd about the session, and that nothing
// will be before its end.
func (m *model) calm(c *client, o *op) bool {
	far := !m.cfg.Kill || o.c.Intended+2*m.life() < m.down || o.c.Intended > m.up
	return far && !c.unsure && c.lost == 0 && c.sid == m.names.sid(c.session) && o.c.Attempts == 1
}

// fits says whether a violation can be planted at an operation.
func (m *model) fits(v Violation, c *client, o *op) bool {
	early := m.turn(o.c.ID) <= m.cfg.SessionOps/2
	switch v {
	case DuplicateOrder, LostOrder, PhantomOrder:
		return o.e.Name == history.OpOrder
	case LostUpdate:
		return o.e.Name == history.OpSessionWrite && early && m.cfg.Unknown == 0
	case StaleRead:
		return o.e.Name == history.OpSessionRead && c.count > 0
	case LeakedSession:
		return o.e.Name == history.OpSessionRead
	case ReplacedSession:
		return o.e.Name == history.OpSessionWrite && c.count > 1
	}
	return false
}

// spoil plants a violation.
func (m *model) spoil(p *Planted, c *client, o *op) {
	switch p.Violation {
	case DuplicateOrder:
		m.rows = append(m.rows, m.rows[len(m.rows)-1])
		p.Seen = 0
	case LostOrder:
		m.rows[len(m.rows)-1].op = 0
		p.Seen = 0
	case PhantomOrder:
		p.Op, p.Seen, p.Session = uint64(m.cfg.Ops)+1, 0, 0
		p.Key = m.names.key(p.Op)
		m.rows = append(m.rows, row{p.Op, 1, o.c.Node, p.Key})
	case LostUpdate:
		c.count--
		c.ops = c.ops[:len(c.ops)-1]
		p.Seen, c.lost = 0, len(m.planted)+1
	case StaleRead:
		o.c.Value--
	case LeakedSession:
		o.c.Owner = m.slots[o.c.ID%uint64(len(m.slots))].user
	case ReplacedSession:
		c.sid = m.names.sid(c.session + 1<<31)
		c.owner, c.count, c.ops = "", 1, append(c.ops[:0], o.c.ID)
		o.c.Value, o.c.SessionID, o.c.New, o.c.Owner = 1, c.sid, true, ""
	}
}

// shown notes that an answer has shown a lost update.
func (m *model) shown(c *client, o *op) {
	if c.lost == 0 || o.e.Name != history.OpSessionWrite && o.e.Name != history.OpSessionRead {
		return
	}
	m.planted[c.lost-1].Seen = o.c.ID
	c.lost = 0
}
