package assert

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// disturbedReason: nobody but the run's own faults and heals killed, stopped,
// froze or started a node, by all that the engine tells, and the engine told
// everything. What became of users by another's hand says nothing about the
// system's answer to the faults.
func disturbedReason(h *history.History) string {
	for _, stream := range []string{history.StreamEngine, history.StreamNode} {
		if r := streamReason(h, stream); r != "" {
			return fmt.Sprintf("who else acted is not known (%s): %s", stream, r)
		}
	}
	return cmp.Or(foreign(h), untold(h))
}

// byHand are the engine's actions that somebody orders, and their words.
var byHand = map[string]string{
	"kill": "killed", "stop": "stopped", "pause": "frozen", "unpause": "thawed", "start": "started", "restart": "restarted",
}

// toldSlack is how far apart the run's time of an act and the engine's of its
// event may be, and the engine's two times of one act: its clock may be off by
// so much (observe's limit), it notes a state before it tells, and the machine
// is busy.
const toldSlack = time.Second

// foreign names the first act of the engine that no fault of the run accounts
// for.
func foreign(h *history.History) string {
	for _, e := range h.Engine {
		word, ordered := byHand[e.V.Action]
		if !ordered || e.Time < 0 || !isNode(h, e.V.Node) {
			continue
		}
		if !slices.ContainsFunc(h.Faults, func(f history.Fault) bool { return handles(f, e) }) {
			if e.V.Signal != "" {
				word += " by signal " + e.V.Signal
			}
			return fmt.Sprintf("%s was %s after %s, and no fault of the run did that: who did is not known", e.V.Node, word, sayTime(e.Time))
		}
	}
	return ""
}

// isNode says whether the run knows a node of that name.
func isNode(h *history.History, name string) bool {
	return slices.ContainsFunc(h.Meta.Nodes, func(n history.NodeMeta) bool { return n.Name == name })
}

// handles says whether the act was the fault's: one that its injection orders,
// at a target, from then to its proof, or a start or a thaw, from its undo to
// the proof of the heal. A step that was not reached leaves it open.
func handles(f history.Fault, e history.At[history.Engine]) bool {
	if !slices.Contains(f.Nodes, e.V.Node) {
		return false
	}
	slack := toldSlack + e.V.Within
	within := func(from, to time.Duration) bool {
		return from >= 0 && e.Time >= from-slack && (to < 0 || e.Time <= to+slack)
	}
	over := f.Active
	if over < 0 {
		over = f.Heal // it was given up by then
	}
	return slices.Contains(f.Orders, e.V.Action) && within(f.Injected, over) ||
		slices.Contains(undoOrders, e.V.Action) && within(f.Heal, f.Healed)
}

// undoOrders are what an undo may order of the engine.
var undoOrders = []string{"start", "unpause"}

// exitSignals are the signals that a container is ended by from outside, by
// its status: 128 + 9 and 128 + 15.
var exitSignals = map[string]string{"137": "SIGKILL", "143": "SIGTERM"}

// shotSlack is how long after a signal, or after the kernel killed a process
// for want of memory, a container may end of it: graces are seconds.
const shotSlack = time.Minute

// untold names the first event that the engine did not tell of: a node ended
// twice with no start between, or was started twice with no end, ended by a
// SIGKILL that nobody sent, or was started or ended, by its own times, when
// nothing was told.
func untold(h *history.History) string {
	lives := map[string]course{}
	for _, n := range slices.Backward(h.Nodes) { // the first look counts
		lives[n.V.Node] = course{dead: !n.V.Running && n.V.Finished != 0}
	}
	for _, e := range h.Engine {
		l := lives[e.V.Node]
		if r := l.next(e); r != "" {
			return r
		}
		lives[e.V.Node] = l
	}
	for _, n := range h.Nodes {
		for _, it := range []struct {
			action, word string
			at           time.Duration
		}{{"die", "ended", n.V.Finished}, {"start", "started", n.V.Started}} {
			if it.at > 0 && !told(h, n.V.Node, it.action, it.at) {
				return fmt.Sprintf("%s was %s after %s, and the engine did not tell of it", n.V.Node, it.word, sayTime(it.at))
			}
		}
	}
	return ""
}

// course is what the engine has told of a node so far.
type course struct {
	dead, shot bool
	shotAt     time.Duration
}

// next takes an event, and says what must have come before it and did not.
func (l *course) next(e history.At[history.Engine]) string {
	switch e.V.Action {
	case "kill", "oom", "stop", "restart":
		l.shot, l.shotAt = true, e.Time
	case "die":
		if l.dead {
			return fmt.Sprintf("the engine told of no start of %s before its end after %s", e.V.Node, sayTime(e.Time))
		}
		if by, signalled := exitSignals[e.V.ExitCode]; signalled && (!l.shot || e.Time-l.shotAt > shotSlack) {
			return fmt.Sprintf("%s was ended by %s after %s, and the engine did not tell who sent it", e.V.Node, by, sayTime(e.Time))
		}
		l.dead = true
	case "start":
		if !l.dead {
			return fmt.Sprintf("the engine told of no end of %s before its start after %s", e.V.Node, sayTime(e.Time))
		}
		*l = course{}
	}
	return ""
}

// told says whether the engine told of an action at that node at t or after
// it: whether of this one or a later one, the course of its events shows.
func told(h *history.History, node, action string, t time.Duration) bool {
	return slices.ContainsFunc(h.Engine, func(e history.At[history.Engine]) bool {
		return e.V.Node == node && e.V.Action == action && e.Time >= t-toldSlack-e.V.Within
	})
}
