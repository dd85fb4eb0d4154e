package assert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

func TestOwners(t *testing.T) {
	vip := func(at time.Duration, lb string, known, owner bool) history.At[history.VIP] {
		return history.At[history.VIP]{Time: at, V: history.VIP{Balancer: lb, Known: known, Owner: owner}}
	}
	views := []history.At[history.Server]{{V: history.Server{Balancer: "lb2"}}, {V: history.Server{Balancer: "lb1"}}, {V: history.Server{Balancer: "lb2"}}}
	for _, c := range []struct {
		name string
		vips []history.At[history.VIP]
		want []string
	}{
		{name: "nobody asked", want: []string{"lb1", "lb2"}},
		{name: "nobody answered", vips: []history.At[history.VIP]{vip(5, "lb1", false, true)}, want: []string{"lb1", "lb2"}},
		{name: "before", vips: []history.At[history.VIP]{vip(5, "lb1", true, true), vip(5, "lb2", true, false)}, want: []string{"lb1"}},
		{name: "lost before", vips: []history.At[history.VIP]{vip(4, "lb1", true, true), vip(5, "lb1", true, false), vip(5, "lb2", true, true)}, want: []string{"lb2"}},
		{name: "at the beginning", vips: []history.At[history.VIP]{vip(10, "lb1", true, true)}, want: []string{"lb1"}},
		{name: "taken meanwhile", vips: []history.At[history.VIP]{vip(5, "lb1", true, true), vip(15, "lb2", true, true), vip(16, "lb2", true, true)}, want: []string{"lb1", "lb2"}},
		{name: "at the end", vips: []history.At[history.VIP]{vip(5, "lb1", true, true), vip(20, "lb2", true, true)}, want: []string{"lb1", "lb2"}},
		{name: "after the end", vips: []history.At[history.VIP]{vip(5, "lb1", true, true), vip(21, "lb2", true, true)}, want: []string{"lb1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, owners(&history.History{VIPs: c.vips, Servers: views}, 10, 20))
		})
	}
}

func TestTurned(t *testing.T) {
	view := func(at time.Duration, up bool) history.At[history.Server] {
		return history.At[history.Server]{Seq: uint64(at), Time: at, V: history.Server{Balancer: "lb1", Server: "j2", Up: up, Took: 2}}
	}
	for _, c := range []struct {
		name  string
		views []history.At[history.Server]
		want  change
	}{
		{name: "not looked at", want: change{moment: moment{from: 10, to: unseen}}},
		{name: "turned between two looks", views: []history.At[history.Server]{view(12, true), view(15, false)}, want: change{moment{from: 12, to: 17, seq: 15}, true, 15, false}},
		{name: "turned before the first", views: []history.At[history.Server]{view(8, true), view(15, false)}, want: change{moment{from: 10, to: 17, seq: 15}, true, 15, false}},
		{name: "at the start", views: []history.At[history.Server]{view(10, false)}, want: change{moment{from: 10, to: 12, seq: 10}, true, 10, false}},
		{name: "had turned already", views: []history.At[history.Server]{view(8, false), view(15, false)}, want: change{moment{from: 10, to: 17, seq: 15}, true, 15, true}},
		{name: "never", views: []history.At[history.Server]{view(12, true), view(20, true), view(21, false)}, want: change{moment{from: 20, to: unseen}, true, 20, false}},
		{name: "at the end", views: []history.At[history.Server]{view(20, false)}, want: change{moment{from: 10, to: 22, seq: 20}, true, 20, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := &journey{h: &history.History{Servers: c.views}, node: "j2"}
			require.Equal(t, c.want, j.turned("lb1", false, 10, 20))
			none := change{moment: moment{from: 10, to: unseen}}
			require.Equal(t, none, j.turned("lb2", false, 10, 20), "another balancer's view says nothing")
			j.node = "j1"
			require.Equal(t, none, j.turned("lb1", false, 10, 20), "nor that of another node")
		})
	}
}

// The fault took effect between 10 and 12 s and was healed at 20 s.
func TestDiverted(t *testing.T) {
	line := func(at time.Duration, d history.Dispatch) history.At[history.Dispatch] {
		d.Within = mil
		return history.At[history.Dispatch]{Seq: 7, Time: at, V: d}
	}
	at := func(from, to time.Duration) Step {
		return Step{Seen: true, TookMin: max(0, from-12*sec), TookMax: to - 10*sec}
	}
	here := history.Dispatch{Op: 3, Server: "j1"}
	for _, c := range []struct {
		name string
		line history.At[history.Dispatch]
		want Step
	}{
		{name: "only elsewhere", line: line(13*sec, here), want: at(10*sec, 10*sec)},
		{name: "before the fault", line: line(12*sec-1, history.Dispatch{Server: "j2", Connect: -1, Total: sec}), want: at(10*sec, 10*sec)},
		{name: "as it struck", line: line(12*sec, history.Dispatch{Server: "j2", Connect: -1, Total: sec}), want: at(12*sec-mil, 13*sec+mil)},
		{name: "never connected", line: line(13*sec, history.Dispatch{Server: "j2", Wait: 10 * mil, Connect: -1, Total: sec}), want: at(13009*mil, 14001*mil)},
		{name: "connected: frozen", line: line(13*sec, history.Dispatch{Server: "j2", Wait: 10 * mil, Connect: 5 * mil, Response: -1, Total: 3 * sec}), want: at(13009*mil, 13016*mil)},
		{name: "sent on to another", line: line(13*sec, history.Dispatch{Server: "j1", Redispatched: true, Connect: 200 * mil, Response: mil}), want: at(12999*mil, 13201*mil)},
		{name: "sent on before it was held for down", line: line(15499*mil, history.Dispatch{Balancer: "lb1", Server: "j1", Redispatched: true, Connect: 200 * mil}), want: at(15498*mil, 15700*mil)},
		{name: "sent on when it may just have been", line: line(15500*mil, history.Dispatch{Balancer: "lb1", Server: "j1", Redispatched: true, Connect: 200 * mil}), want: at(15499*mil, 15701*mil)},
		{name: "sent on, and long held for down", line: line(15501*mil, history.Dispatch{Balancer: "lb1", Server: "j1", Redispatched: true, Connect: 200 * mil}), want: at(10*sec, 10*sec)},
		{name: "sent on by one that never held it for down", line: line(18*sec, history.Dispatch{Balancer: "lb2", Server: "j1", Redispatched: true, Connect: 200 * mil}), want: at(17999*mil, 18201*mil)},
		{name: "to it, though long held for down", line: line(18*sec, history.Dispatch{Balancer: "lb1", Server: "j2", Connect: 200 * mil}), want: at(17999*mil, 18201*mil)},
		{name: "refused by the balancer", line: line(13*sec, history.Dispatch{Redispatched: true, Connect: -1, Total: sec}), want: at(10*sec, 10*sec)},
		{name: "never assigned", line: line(13*sec, history.Dispatch{Server: "j2", Wait: -1, Connect: -1, Total: sec}), want: at(10*sec, 10*sec)},
		{name: "after the heal", line: line(20*sec, history.Dispatch{Server: "j2"}), want: at(10*sec, 10*sec)},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &history.History{Dispatches: []history.At[history.Dispatch]{line(12500*mil, here), c.line, line(14*sec, here)}}
			h.Meta.Bounds = []history.Bound{{Name: "diverted", Limit: 490 * mil}}
			for _, x := range []struct {
				lb, node string
				at       time.Duration
				up       bool
			}{{"lb1", "j2", 14 * sec, true}, {"lb2", "j2", 14 * sec, true}, {"lb1", "j1", 14100 * mil, false}, {"lb1", "j2", 15 * sec, false}, {"lb2", "j2", 15 * sec, true}} {
				h.Servers = append(h.Servers, history.At[history.Server]{Time: x.at, V: history.Server{Balancer: x.lb, Server: x.node, Up: x.up, Took: 10 * mil}})
			}
			j := &journey{h: h, names: FailoverAnatomy{}.defaults(), node: "j2", fault: &history.Fault{}, at: moment{from: 10 * sec, to: 12 * sec}, until: 20 * sec}
			j.diverted()
			require.Len(t, j.steps, 1)
			require.Equal(t, c.want, Step{Seen: j.steps[0].Seen, TookMin: j.steps[0].TookMin, TookMax: j.steps[0].TookMax})
		})
	}
}

func TestRouted(t *testing.T) {
	receipt := func(at time.Duration, node, what string, op uint64) history.At[history.Receipt] {
		return history.At[history.Receipt]{Time: at, V: history.Receipt{Node: node, What: what, Op: op}}
	}
	j := &journey{node: "j2", fault: &history.Fault{}, h: &history.History{Receipts: []history.At[history.Receipt]{
		receipt(9, "j2", "arrive", 1), receipt(11, "j1", "arrive", 2), receipt(12, "j2", "commit", 3), receipt(13, "j2", "arrive", 0),
		receipt(15, "j2", "arrive", 4), receipt(16, "j2", "arrive", 5),
	}}}
	ready := moment{from: 10, to: 14}
	j.routed(ready, 20)
	require.True(t, j.steps[0].Seen)
	require.EqualValues(t, 4, j.steps[0].Op)
	require.EqualValues(t, 1, j.steps[0].TookMin)
	require.EqualValues(t, 5, j.steps[0].TookMax)
	j.routed(ready, 15)
	require.False(t, j.steps[1].Seen)
	require.EqualValues(t, 15, j.steps[1].At)
	j.h.Dispatches = []history.At[history.Dispatch]{
		{Time: 11, V: history.Dispatch{Server: "j1", Op: 6}}, {Time: 12, V: history.Dispatch{Server: "j2", Op: 7}},
	}
	j.routed(ready, 20)
	require.EqualValues(t, 7, j.steps[2].Op)
}

func TestReignEndsWithHealOrRestart(t *testing.T) {
	h := &history.History{End: 100}
	for _, c := range []struct {
		heal   time.Duration
		reborn *incarnation
		want   time.Duration
	}{
		{-1, nil, 100}, {50, nil, 50}, {0, nil, 0}, {50, &incarnation{born: 40}, 40}, {50, &incarnation{born: 60}, 50}, {-1, &incarnation{born: 60}, 60},
	} {
		j := &journey{h: h, fault: &history.Fault{Heal: c.heal}, reborn: c.reborn}
		require.Equal(t, c.want, j.ends(), c)
	}
	require.Nil(t, (*condition)(nil).after(0))
	c := &condition{lives: []incarnation{{born: 5}, {born: 10}, {born: 15}}}
	require.EqualValues(t, 15, c.after(10).born, "a life in which the fault struck is not the one after")
	require.Nil(t, c.after(15))
}
