package assert

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// storm judges how often nodes were started: victims from their heal on, or
// from the fault on where it restarts them itself; others from the fault on.
// Starts are the engine's events and what the nodes log of themselves, so that
// a process that a supervisor starts again counts too.
func (a *recoveryAudit) storm(g reign) objective {
	o := objective{name: "restarts", status: Pass}
	most := 0
	for _, node := range slices.Sorted(maps.Keys(a.nodes)) {
		injected, since, victim := g.aimedAt(node)
		allowed := a.Starts
		switch {
		case !victim:
			since, allowed = g.from, 0
		case a.FromFault:
			since = injected
		}
		again := a.starts(node, since, g)
		if victim {
			most = max(most, len(again))
		}
		if len(again) <= allowed {
			continue
		}
		o.status = Fail
		o.fix = valueFix(a.h, "let nothing that a restart does not mend end a node: liveness is about the process alone", ValueLiveness)
		why := fmt.Sprintf("%s was started %s from %s on (at most %s)", node, times(len(again)), a.since(), times(allowed))
		if !victim {
			why = fmt.Sprintf("%s was started %s, and no fault was aimed at it", node, times(len(again)))
		}
		if o.text != "" {
			o.text += "; "
		}
		o.text += why
		for _, l := range again {
			a.evidence = append(a.evidence, Evidence{Seq: l.seq, At: max(0, l.born), Node: node, Class: "restart", Text: node + " was started " + sayMoment(l.born)})
		}
	}
	switch {
	case o.status == Pass && most == 0:
		o.text = "no node was started again"
	case o.status == Pass:
		o.text = fmt.Sprintf("no node was started more than %s from %s on", times(most), a.since())
	}
	return o
}

// times is "once", "2 times".
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return count(n, "time")
}

// starts are a node's, certainly after since, until the reign's end; of the
// last one, until the record's.
func (a *recoveryAudit) starts(node string, since time.Duration, g reign) []incarnation {
	var out []incarnation
	for _, l := range lives(a.h, a.nodes[node]) {
		if l.born > since && (g.last || l.bornBy < g.until) {
			out = append(out, l)
		}
	}
	return out
}

// ready judges whether each application node was ready at the end: it is not
// if it said so to none of the last looks.
func (a *recoveryAudit) ready(g reign) objective {
	o := objective{name: "readiness at the end", status: Pass, text: "all nodes were ready at the end"}
	var down []string
	for _, n := range a.h.Meta.Nodes {
		if n.Role != roleApplication {
			continue
		}
		looks := a.lastLooks(n.Name, g.until)
		if len(looks) == 0 {
			o.status, o.reason = Inconclusive, fmt.Sprintf("nobody looked at the readiness of %s after the heal", n.Name)
			return o
		}
		if slices.ContainsFunc(looks, func(l history.At[history.Readiness]) bool { return l.V.Up }) {
			continue
		}
		down = append(down, n.Name)
		l := looks[len(looks)-1]
		a.evidence = append(a.evidence, Evidence{Seq: l.Seq, At: l.Time, Node: n.Name, Class: "not ready", Text: fmt.Sprintf("%s: status %d %s", n.Name, l.V.Status, l.V.Reason)})
	}
	if len(down) > 0 {
		o.status, o.text = Fail, list(down, 8)+" was not ready at the end"
		o.fix = a.fix("readiness must come back when what it looks at is back", ValueReadiness, ValueDependency)
	}
	return o
}

// lastLooks are the last ones at a node's readiness before a time: as many as it
// takes to find silentLooks of them, each begun after the one before had its
// answer or gave up. Of a node that is silent many are under way at a time, and
// they are one look.
func (a *recoveryAudit) lastLooks(node string, until time.Duration) []history.At[history.Readiness] {
	s := a.nodes[node]
	if s == nil {
		return nil
	}
	all := s.ready
	for len(all) > 0 && all[len(all)-1].Time >= until {
		all = all[:len(all)-1]
	}
	at := len(all)
	for n, begun := 0, until; at > 0 && n < silentLooks; {
		at--
		if l := &all[at]; n == 0 || l.Time+l.V.Took <= begun {
			n, begun = n+1, l.Time
		}
	}
	return all[at:]
}

// inService judges whether the owner of the VIP held each application node
// for up at the end: it did not if none of its last looks says so. Where two
// own it, each must.
func (a *recoveryAudit) inService(g reign) objective {
	o := objective{name: "service at the end", status: Pass, text: "all nodes were in service at the end"}
	var down []string
	for _, lb := range owners(a.h, g.until, g.until) {
		for _, n := range a.h.Meta.Nodes {
			if n.Role != roleApplication {
				continue
			}
			views := a.lastViews(lb, n.Name, g.until)
			if len(views) == 0 {
				o.status, o.reason = Inconclusive, fmt.Sprintf("%s was not asked for what it holds %s for", lb, n.Name)
				return o
			}
			if slices.ContainsFunc(views, func(v history.At[history.Server]) bool { return v.V.Up }) {
				continue
			}
			last := views[len(views)-1]
			text := fmt.Sprintf("%s held %s for %s at the end", lb, n.Name, last.V.Status)
			down = append(down, text)
			a.evidence = append(a.evidence, Evidence{Seq: last.Seq, At: last.Time, Node: n.Name, Class: "not in service", Text: text})
		}
	}
	switch {
	case len(down) > 0:
		o.status, o.text = Fail, list(down, 8)
		o.fix = a.fix("the balancers must take back a node that is ready", ValueHealthCheck, ValueServerState)
	case len(a.h.Servers) == 0:
		o.status, o.reason = Inconclusive, "no balancer was asked what it holds the nodes for"
	}
	return o
}

// lastViews are a balancer's last silentLooks ones of a server before a time.
func (a *recoveryAudit) lastViews(lb, server string, until time.Duration) []history.At[history.Server] {
	var out []history.At[history.Server]
	for _, s := range a.h.Servers {
		if s.Time < until && s.V.Balancer == lb && s.V.Server == server {
			out = append(out, s)
		}
	}
	return out[max(0, len(out)-silentLooks):]
}

// fix names the values, and with them what bounds the recovery.
func (a *recoveryAudit) fix(words string, names ...string) string {
	fix := valueFix(a.h, words, names...)
	if _, formula, file, reason := a.bound(a.h); reason == "" && file != "" {
		fix += "; " + boundFix(history.Bound{File: file, Formula: formula})
	}
	return fix
}
