package assert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// held has a balancer's view of a server change at a time.
func held(h *history.History, lb, server string, at time.Duration, up bool) {
	status := "DOWN"
	if up {
		status = "UP"
	}
	h.Servers = append(h.Servers, history.At[history.Server]{Seq: 7000 + uint64(len(h.Servers)), Time: at, V: history.Server{Balancer: lb, Server: server, Status: status, Up: up}})
}

// hang has the session first, and those below 20 that j1 serves, be one user's
// to whom nothing is answered from 11 s to 14 s.
func hang(h *history.History, first uint32) {
	user := h.Names.Intern("u1")
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Session != first && (o.Session >= 20 || o.Session%2 == 0) {
			continue
		}
		o.User = user
		if o.Intended >= 11*sec && o.Intended < 14*sec {
			o.End = 14 * sec
		}
	}
}

// queue has one user of j1, whose first operation after the fault is bound to
// no node and hangs, wait for it with the others, each of which then takes a
// time of its own.
func queue(h *history.History, hang, each time.Duration) {
	user, end := h.Names.Intern("u1"), time.Duration(0)
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Session != 7 {
			continue
		}
		o.User = user
		if o.Intended < 10*sec || o.Intended >= 20*sec {
			continue
		}
		o.Sent = max(o.Intended, end)
		o.End = o.Sent + each
		if end == 0 {
			o.Bound, o.End = 0, o.Sent+hang
		}
		end = o.End
	}
}

func TestBlastRadius(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*history.History)
		check  BlastRadius
		status Status
		says   string
		class  string
	}{
		{name: "the others are served on", status: Pass, says: "j1 served on"},
		{
			name: "the victim's users do not count", status: Pass,
			change: func(h *history.History) { spoil(h, 10*sec, 20*sec, onVictim) },
		},
		{
			name: "not even where they are served now", status: Pass,
			change: func(h *history.History) { spoil(h, 12*sec, 14*sec, onVictim) },
		},
		{
			name: "a user whose last session hung on the victim", status: Pass,
			change: func(h *history.History) { hang(h, 2) },
		},
		{
			name: "a user who hung on nothing", status: Fail, says: "the share of the users of j1", class: "slow",
			change: func(h *history.History) { hang(h, 1) },
		},
		{
			name: "a user who was held up once, and the healthy node served what had waited", status: Pass,
			change: func(h *history.History) { queue(h, 5*sec, 300*mil) },
		},
		{
			name: "a user who was held up once, and hangs on the healthy node since", status: Fail, says: "the share of the users of j1", class: "slow",
			change: func(h *history.History) { queue(h, 700*mil, 700*mil) },
		},
		{
			name: "as many bad as the others may have", status: Pass, // 5 of 1,000
			change: func(h *history.History) { spoil(h, 12*sec, 12050*mil, elsewhere) },
		},
		{
			name: "one more", status: Fail, says: "99.4 % of 1000 operations in the share of the users of j1 during instance-kill", class: "reset",
			change: func(h *history.History) { spoil(h, 12*sec, 12060*mil, elsewhere) },
		},
		{
			name: "another objective", status: Pass, check: BlastRadius{Percent: 90},
			change: func(h *history.History) { spoil(h, 12*sec, 13*sec, elsewhere) },
		},
		{
			name: "after the heal it is no longer the fault's", status: Pass,
			change: func(h *history.History) { spoil(h, 20*sec, 22*sec, elsewhere) },
		},
		{
			name: "before it neither", status: Pass,
			change: func(h *history.History) { spoil(h, 8*sec, 9*sec, elsewhere) },
		},
		{
			name: "a session that is bound to none", status: Pass,
			change: func(h *history.History) {
				for i := range h.Ops {
					if o := &h.Ops[i]; o.Session == 7 {
						o.Bound, o.Outcome = 0, history.Failed
					}
				}
			},
		},
		{
			name: "too few operations", status: Inconclusive, says: "too few operations",
			change: func(h *history.History) { h.Ops = h.Ops[:2300] },
		},
		{
			name: "another node restarted", status: Fail, says: "J1 was restarted at 15.000 s", class: "restart",
			change: func(h *history.History) { begin(h, "j1", 5*sec); begin(h, "j1", 15*sec) },
		},
		{
			name: "another node marked down", status: Fail, says: "Lb1 held j1 for DOWN at 15.000 s", class: "marked down",
			change: func(h *history.History) {
				held(h, "lb1", "j1", 14*sec, true)
				held(h, "lb1", "j1", 15*sec, false)
				held(h, "lb1", "j1", 16*sec, false)
			},
		},
		{
			name: "another node marked down by a check that the machine could not answer", status: Inconclusive,
			says: "lb1 held j1 for DOWN at 15.000 s, for its check was not answered in time while the machine was 95 % busy or more",
			change: func(h *history.History) {
				held(h, "lb1", "j1", 14500*mil, true)
				held(h, "lb1", "j1", 15*sec, false)
				held(h, "lb1", "j1", 16*sec, true)
				for i := range h.Servers {
					h.Servers[i].V.Check = "L7TOUT"
				}
				h.Host = append(h.Host, history.At[history.Host]{Time: 13 * sec}, history.At[history.Host]{Time: 15 * sec, V: history.Host{Busy: 1}})
			},
		},
		{
			name: "it was down before", status: Pass,
			change: func(h *history.History) { held(h, "lb1", "j1", 9*sec, false); held(h, "lb1", "j1", 15*sec, false) },
		},
		{
			name: "the victim marked down", status: Pass,
			change: func(h *history.History) { held(h, "lb1", "j2", 9*sec, true); held(h, "lb1", "j2", 11*sec, false) },
		},
		{
			name: "what a standby believes routes nothing", status: Pass,
			change: func(h *history.History) {
				h.VIPs = append(h.VIPs, history.At[history.VIP]{V: history.VIP{Balancer: "lb1", Known: true, Owner: true}})
				held(h, "lb2", "j1", 9*sec, true)
				held(h, "lb2", "j1", 15*sec, false)
			},
		},
		{
			name: "a fault that was never healed reigns to the end", status: Fail, says: "in the share of the users of j1",
			change: func(h *history.History) { h.Faults[0].Heal = -1; spoil(h, 25*sec, 26*sec, elsewhere) },
		},
		{
			name: "all nodes are victims", status: Pass, says: "No application node is outside",
			change: func(h *history.History) { h.Faults[0].Nodes = []string{"j1", "j2"} },
		},
		{
			name: "what they share is the victim", status: Pass, says: "No application node is outside",
			change: func(h *history.History) { h.Faults[0].Nodes = []string{"lb1"}; spoil(h, 12*sec, 14*sec, anySession) },
		},
		{name: "no fault", status: Inconclusive, says: "no fault was injected", change: func(h *history.History) { h.Faults = nil }},
		{name: "nothing", status: Inconclusive, says: "no fault was injected", change: func(h *history.History) { *h = history.History{} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := killed()
			if c.change != nil {
				c.change(h)
			}
			v := c.check.Check(h)
			require.Equal(t, c.status, v.Status, "%s %v", v.Summary, v.Reasons)
			require.Contains(t, v.Summary+" "+list(v.Reasons, 9), c.says)
			if c.class != "" {
				require.Equal(t, c.class, v.Evidence[0].Class)
			}
			require.Equal(t, c.status == Fail, len(v.Evidence) > 0)
		})
	}
}
