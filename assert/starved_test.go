package assert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// host is how busy the machine was, four looks a second, with less to spare until
// one time than after it.
func host(until time.Duration, busy, after float64) []history.At[history.Host] {
	var out []history.At[history.Host]
	for at := time.Duration(0); at <= 40*sec; at += 250 * mil {
		b := busy
		if at > until {
			b = after
		}
		out = append(out, history.At[history.Host]{Time: at, V: history.Host{Busy: b}})
	}
	return out
}

// TestTimesOnAStarvedMachine: what lasts longer than its bound is not the system's
// if the machine had less than the bound to spare meanwhile. Each builds what
// breaks the bound before 20 s, by a lot, and if asked again after 25 s, by less.
func TestTimesOnAStarvedMachine(t *testing.T) {
	bounded := func(name string, limit time.Duration) stage {
		s := newStage()
		s.Meta(func(m *history.Meta) {
			m.Bounds = append(m.Bounds, history.Bound{Name: name, Limit: limit, Formula: "stated", File: "here"})
		})
		return s
	}
	polled := func(unwell int, again bool) stage {
		s := newStage()
		s.polls("j1", 0, 10*sec, 200)
		s.polls("j1", 10*sec, 20*sec, unwell)
		s.polls("j1", 20*sec, 25*sec, 200)
		s.polls("j1", 25*sec, 30*sec, map[bool]int{true: unwell, false: 200}[again])
		s.polls("j1", 30*sec, 40*sec, 200)
		return s
	}
	for _, c := range []struct {
		name  string
		check Checker
		build func(again bool) stage
		class string
	}{
		{
			name: "vip", check: VIP{}, class: "without an owner that serves",
			build: func(again bool) stage {
				s := boundedStage()
				s.owns("lb1", 0, 10*sec, true, true)
				s.owns("lb1", 10*sec, 15*sec, true, false)
				s.owns("lb1", 15*sec, 30*sec, true, true)
				s.owns("lb1", 30*sec, 32*sec, true, !again)
				s.owns("lb1", 32*sec, 40*sec, true, true)
				return s
			},
		},
		{
			name: "readiness-gating, unready", check: ReadinessGating{}, class: "after unready",
			build: func(again bool) stage {
				s := polled(503, again)
				s.arrives("j1", 15*sec, 7)
				s.arrives("j1", 27*sec, 8)
				return s
			},
		},
		{
			name: "readiness-gating, silent", check: ReadinessGating{}, class: "silent node",
			build: func(again bool) stage {
				s := polled(0, again)
				s.line("j1", 15*sec, 0, -1, 7)
				if again {
					s.line("j1", 27*sec, 0, -1, 8)
				}
				return s
			},
		},
		{
			name: "drain", check: Drain{Grace: sec}, class: "not empty",
			build: func(again bool) stage {
				s := drained("drain")
				s.request("j1", 13*sec, 13010*mil, "--VN")
				if again { // the last one counts
					s.request("j1", 29*sec, 29010*mil, "--VN")
				}
				return s
			},
		},
		{
			name: "breaks", check: Reconnection{Reconnect: sec, Bound: "diverted"}, class: "late",
			build: func(again bool) stage {
				s := bounded("diverted", 500*mil)
				s.See(sec, history.Link{Client: 1, State: history.LinkUp, Node: "j1", Alive: sec})
				away := func(from, to time.Duration) {
					s.See(from, history.Link{Client: 1, State: history.LinkDown, Node: "j1", Alive: from})
					s.See(to, history.Link{Client: 1, State: history.LinkTry, Alive: from})
					s.See(to, history.Link{Client: 1, State: history.LinkUp, Node: "j1", Alive: to})
				}
				away(10*sec, 18*sec)
				if again {
					away(25*sec, 30*sec)
				}
				return s
			},
		},
		{
			name: "single-owner", check: SingleOwner{Bound: "job"}, class: "not done",
			build: func(again bool) stage {
				s := bounded("job", 3*sec)
				for slot := range 40 {
					if slot > 10 && slot < 19 || again && slot > 25 && slot < 32 {
						continue
					}
					s.See(time.Duration(slot)*sec, history.JobEffect{Row: int64(slot) + 1, Slot: int64(slot), Token: 1, Owner: "j1"})
				}
				return s
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			judge := func(again bool, host []history.At[history.Host]) Verdict {
				h := c.build(again).Build(t)
				h.Host = host
				return c.check.Check(h)
			}
			for what, looks := range map[string][]history.At[history.Host]{
				"nobody looked": nil, "a quiet machine": host(0, 0.1, 0.1), "a moment of a quiet machine": host(10250*mil, 1, 0.1),
			} {
				v := judge(false, looks)
				require.Equal(t, Fail, v.Status, "%s: %s %v", what, v.Summary, v.Reasons)
				require.Equal(t, c.class, v.Evidence[0].Class)
			}
			v := judge(false, host(20*sec, 1, 0.1))
			require.Equal(t, Inconclusive, v.Status, v.Summary)
			require.Len(t, v.Reasons, 1)
			require.Contains(t, v.Reasons[0], "and in that time the machine was 95 % busy or more, or its hypervisor took time from it, and had a processor to spare for less than the bound")

			v = judge(true, host(20*sec, 1, 0.1))
			require.Equal(t, Fail, v.Status, "what follows has no excuse: %v", v.Reasons)
			require.Equal(t, c.class, v.Evidence[0].Class)
			require.Greater(t, v.Evidence[0].At, 24*sec, "and comes first")
		})
	}
}
