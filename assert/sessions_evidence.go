package assert

import (
	"fmt"

	"github.com/hachaos/hachaos/history"
)

// evidence words the worst findings, MaxEvidence of them, and counts the
// rest.
func (r *register) evidence() ([]Evidence, int) {
	shown := r.findings[:min(len(r.findings), MaxEvidence)]
	out := make([]Evidence, 0, len(shown))
	for _, f := range shown {
		out = append(out, r.witness(f))
	}
	return out, len(r.findings) - len(shown)
}

func (r *register) witness(f finding) Evidence {
	l := &r.lives[f.life]
	e := Evidence{Class: f.class.String()}
	var op *history.Op
	if f.op != 0 {
		op = &r.h.Ops[f.op-1]
		e.Op, e.At, e.Node = op.ID, max(op.End, op.Intended), r.h.Names.Get(op.Node)
	}
	where := ""
	if f.state != 0 {
		s := &r.h.Sessions[f.state-1]
		e.Seq = s.Seq
		where = "read via " + s.V.Via + " after the load"
		if op == nil {
			e.At = s.Time
			if s.V.Via != viaVIP {
				e.Node = s.V.Via
			}
			e.Op = r.blamed(f, l)
		}
	}
	e.Text = fmt.Sprintf("session %d%s: %s", r.number(f.life), r.userText(l), r.tell(f, l, op, where))
	return e
}

// blamed is the operation that a read after the load is about: the one that
// its list should not hold, or else the session's last acknowledged write.
func (r *register) blamed(f finding, l *life) uint64 {
	switch {
	case f.class == phantomUpdate:
		return uint64(f.got)
	case l.lastAck != 0:
		return r.h.Ops[l.lastAck-1].ID
	}
	return 0
}

func (r *register) userText(l *life) string {
	if u := r.h.Names.Get(l.user); u != "" {
		return " of " + u
	}
	return ""
}

// tell says in words what was found. Op may be nil; where is empty unless it
// was seen after the load.
func (r *register) tell(f finding, l *life, op *history.Op, where string) string {
	by := where
	if op != nil && (by == "" || f.class == unstableRead) {
		by = r.opText(op)
	}
	switch f.class {
	case leaked:
		return fmt.Sprintf("%s was answered as the session of %s", by, r.ownerText(f, op))
	case lostUpdate:
		return r.lostText(f, l, op, by, where)
	case appliedTwice:
		if op != nil && where != "" {
			return fmt.Sprintf("the write op %d stands twice in its list, %s", op.ID, where)
		}
		return fmt.Sprintf("%s gave %d, but at most %d writes were sent", by, f.got, highest(f, op))
	case resurrected:
		return fmt.Sprintf("%s found it, although its logout was acknowledged", by)
	case replaced:
		return fmt.Sprintf("%s found a new session in its place (count %d)%s", by, f.got, r.boundText(f))
	case lostSession:
		return fmt.Sprintf("%s was told that it does not exist, although it was never logged out%s", by, r.boundText(f))
	case halfLogin:
		return fmt.Sprintf("%s named no user, although the login was acknowledged", by)
	case forcedLogin:
		return fmt.Sprintf("%s: the user had to log in again without having logged out", by)
	case staleRead:
		return fmt.Sprintf("%s gave %d, but at least %d was acknowledged or read before%s", by, f.got, lowest(f, op), r.lastText(f, l))
	case unstableRead:
		return fmt.Sprintf("%s gave %d, but some of those updates, of unknown outcome, are gone from its list, %s", by, f.got, where)
	case phantomUpdate:
		return fmt.Sprintf("its list holds op %d, which this session never sent, %s", uint64(f.got), where)
	case refusedUpdate:
		if op != nil && where != "" {
			return fmt.Sprintf("its list holds the write op %d, whose answer said that it was not applied, %s", op.ID, where)
		}
		return fmt.Sprintf("%s gave %d, which counts a write whose answer said that it was not applied", by, f.got)
	case survived:
		return fmt.Sprintf("%s found it whole, although it was bound to a victim and is documented to die with it", by)
	}
	return by
}

func (r *register) lostText(f finding, l *life, op *history.Op, by, where string) string {
	if where != "" && op != nil {
		text := fmt.Sprintf("the write op %d was acknowledged as count %d by %s, but its list lacks it, %s", op.ID, f.got, r.nodeText(op), where)
		if f.more > 0 {
			text += fmt.Sprintf(", and lacks %d more", f.more)
		}
		return text
	}
	return fmt.Sprintf("%s gave %d, but at least %d was acknowledged before, and it was never seen again%s", by, f.got, lowest(f, op), r.lastText(f, l))
}

// lowest and highest are the possible answers: those of a write count it.
func lowest(f finding, op *history.Op) int64  { return int64(f.lo) + ownWrite(op) }
func highest(f finding, op *history.Op) int64 { return int64(f.hi) + ownWrite(op) }

func ownWrite(op *history.Op) int64 {
	if op != nil && op.Type == history.SessionWrite {
		return 1
	}
	return 0
}

func (r *register) opText(op *history.Op) string {
	return fmt.Sprintf("op %d (%s, answered by %s)", op.ID, op.Type, r.nodeText(op))
}

func (r *register) nodeText(op *history.Op) string {
	if s := r.h.Names.Get(op.Node); s != "" {
		return s
	}
	return "no named node"
}

func (r *register) ownerText(f finding, op *history.Op) string {
	if op != nil {
		if o := r.h.Names.Get(op.Owner); o != "" && op.Owner != op.User {
			return o
		}
		return "another user (same session id)"
	}
	return r.h.Sessions[f.state-1].V.User
}

// boundText names the node that the session was bound to, if a fault had hit it
// by then.
func (r *register) boundText(f finding) string {
	if f.lost == 0 {
		return ""
	}
	return "; it was bound to a victim (" + r.h.Names.Get(f.lost) + ") when the fault began"
}

func (r *register) lastText(f finding, l *life) string {
	if f.op != 0 || l.lastAck == 0 {
		return ""
	}
	op := &r.h.Ops[l.lastAck-1]
	return fmt.Sprintf(" (last by op %d as %d)", op.ID, op.Value)
}
