package assert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

func livesOf(t *testing.T, build func(stage)) []incarnation {
	s := newStage()
	build(s)
	by, _ := conditions(s.Build(t))
	return by["j2"].lives
}

func TestLives(t *testing.T) {
	type want struct {
		born, from, by, end time.Duration
		again               bool
	}
	for _, c := range []struct {
		name  string
		build func(stage)
		want  []want
	}{
		{name: "none seen", build: func(s stage) { s.polls("j2", 0, sec, 200) }},
		{
			name: "an engine's start and the log's are one",
			build: func(s stage) {
				s.engine("j2", sec, "start")
				s.logs("j2", 1300*mil, "started")
				s.logs("j2", 2*sec, "ready")
			},
			want: []want{{born: 998 * mil, from: 1999 * mil, by: 2001 * mil, end: 40 * sec}},
		},
		{
			name: "the log's start, and the engine's just after it, are one",
			build: func(s stage) {
				s.logs("j2", 940*mil, "started")
				s.engine("j2", sec, "start")
				s.logs("j2", 2*sec, "ready")
			},
			want: []want{{born: 939 * mil, from: 1999 * mil, by: 2001 * mil, end: 40 * sec}},
		},
		{
			name: "the log's start, and the engine's a good while after it, are two",
			build: func(s stage) {
				s.logs("j2", 747*mil, "started")
				s.engine("j2", sec, "start")
			},
			want: []want{
				{born: 746 * mil, from: 746 * mil, by: -1, end: 998 * mil},
				{born: 998 * mil, from: 998 * mil, by: -1, end: 40 * sec, again: true},
			},
		},
		{
			name: "the log's start, as late before the engine's as can be, is of that",
			build: func(s stage) {
				s.logs("j2", 749*mil, "started")
				s.engine("j2", sec, "start")
			},
			want: []want{{born: 748 * mil, from: 748 * mil, by: -1, end: 40 * sec}},
		},
		{
			name: "two starts of the engine are two, however near",
			build: func(s stage) {
				s.engine("j2", sec, "start")
				s.logs("j2", 1050*mil, "started")
				s.engine("j2", 1200*mil, "start")
			},
			want: []want{
				{born: 998 * mil, from: 998 * mil, by: -1, end: 1198 * mil},
				{born: 1198 * mil, from: 1198 * mil, by: -1, end: 40 * sec, again: true},
			},
		},
		{
			name: "a supervisor starts the process again in the same container",
			build: func(s stage) {
				s.engine("j2", sec, "start")
				s.logs("j2", 1300*mil, "started")
				s.logs("j2", 2*sec, "ready")
				s.logs("j2", 11*sec, "started")
				s.logs("j2", 12*sec, "ready")
			},
			want: []want{
				{born: 998 * mil, from: 1999 * mil, by: 2001 * mil, end: 10999 * mil},
				{born: 10999 * mil, from: 11999 * mil, by: 12001 * mil, end: 40 * sec, again: true},
			},
		},
		{
			name: "the first start in the record, after an end",
			build: func(s stage) {
				s.engine("j2", sec, "die")
				s.engine("j2", 2*sec, "start")
				s.polls("j2", 3*sec, 4*sec, 503)
				s.polls("j2", 4*sec, 5*sec, 200)
			},
			want: []want{{born: 1998 * mil, from: 3900 * mil, by: 4002 * mil, end: 40 * sec, again: true}},
		},
		{
			name: "the last of the sources to say no decides",
			build: func(s stage) {
				s.engine("j2", sec, "start")
				s.logs("j2", 1300*mil, "started")
				s.logs("j2", 2*sec, "ready")
				s.gauges("j2", 1500*mil, 3*sec, false, true)
				s.gauges("j2", 3*sec, 4*sec, true, true)
				s.logs("j2", 2500*mil, "warm")
			},
			want: []want{{born: 998 * mil, from: 2900 * mil, by: 3 * sec, end: 40 * sec}},
		},
		{
			name: "a log that says ready in another life, and not in this",
			build: func(s stage) {
				s.logs("j2", sec, "started")
				s.logs("j2", 2*sec, "ready")
				s.logs("j2", 11*sec, "started")
				s.polls("j2", 12*sec, 13*sec, 200)
			},
			want: []want{
				{born: 999 * mil, from: 1999 * mil, by: 2001 * mil, end: 10999 * mil},
				{born: 10999 * mil, from: 40 * sec, by: -1, end: 40 * sec, again: true},
			},
		},
		{
			name: "a log that never says ready does not use the word",
			build: func(s stage) {
				s.logs("j2", 11*sec, "started")
				s.polls("j2", 12*sec, 13*sec, 200)
			},
			want: []want{{born: 10999 * mil, from: 10999 * mil, by: 12002 * mil, end: 40 * sec}},
		},
		{
			name: "a life whose log was not seen is not held to its words",
			build: func(s stage) {
				s.logs("j2", sec, "started")
				s.logs("j2", 2*sec, "ready")
				s.engine("j2", 11*sec, "start")
				s.polls("j2", 12*sec, 13*sec, 200)
			},
			want: []want{
				{born: 999 * mil, from: 1999 * mil, by: 2001 * mil, end: 10998 * mil},
				{born: 10998 * mil, from: 10998 * mil, by: 12002 * mil, end: 40 * sec, again: true},
			},
		},
		{
			name: "an end no earlier than the start can have been is of no life before it",
			build: func(s stage) {
				s.engine("j2", 1998*mil, "die")
				s.engine("j2", 2*sec, "start")
			},
			want: []want{{born: 1998 * mil, from: 1998 * mil, by: -1, end: 40 * sec}},
		},
		{
			name: "a word at the first moment of a life is of that life",
			build: func(s stage) {
				s.engine("j2", sec, "start")
				s.logs("j2", 998*mil, "ready")
			},
			want: []want{{born: 998 * mil, from: 998 * mil, by: 999 * mil, end: 40 * sec}},
		},
		{
			name: "a word at the first moment of the next life is not of this one",
			build: func(s stage) {
				s.engine("j2", sec, "start")
				s.engine("j2", 11*sec, "start")
				s.logs("j2", 10998*mil, "ready")
			},
			want: []want{
				{born: 998 * mil, from: 998 * mil, by: -1, end: 10998 * mil},
				{born: 10998 * mil, from: 10998 * mil, by: 10999 * mil, end: 40 * sec, again: true},
			},
		},
		{
			name:  "started, and nothing was seen after",
			build: func(s stage) { s.engine("j2", sec, "start") },
			want:  []want{{born: 998 * mil, from: 998 * mil, by: -1, end: 40 * sec}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []want
			for _, l := range livesOf(t, c.build) {
				got = append(got, want{l.born, l.readyFrom, l.readyBy, l.end, l.again})
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestHandedOver(t *testing.T) {
	at := func(d history.Dispatch) *history.At[history.Dispatch] {
		d.Within, d.Balancer = mil, "lb1"
		return &history.At[history.Dispatch]{Time: 10 * sec, V: d}
	}
	x, ok := handedOver(at(history.Dispatch{Op: 3, Attempt: 2, Server: "j1", Wait: 20 * mil, Connect: 5 * mil, Response: -1}))
	require.True(t, ok)
	require.Equal(t, 10019*mil, x.lo)
	require.Equal(t, 10026*mil, x.hi)
	require.Equal(t, request{op: 3, attempt: 2}, x.request)
	require.False(t, x.answered)
	x, ok = handedOver(at(history.Dispatch{Number: 9, Server: "j1"}))
	require.True(t, ok)
	require.Equal(t, request{lb: "lb1", number: 9}, x.request, "it bears no operation")
	require.True(t, x.answered)
	for _, d := range []history.Dispatch{{}, {Server: "j1", Wait: -1}, {Server: "j1", Connect: -1}} {
		_, ok = handedOver(at(d))
		require.False(t, ok, d)
	}
}

func TestFirstRequestAfterReadyIsMeasured(t *testing.T) {
	s := newStage().honest()
	s.arrives("j2", 24*sec, 9)
	s.arrives("j2", 22500*mil, 7)
	s.arrives("j2", 30*sec, 8)
	v := ReadinessGating{}.Check(s.Build(t))
	require.Equal(t, Pass, v.Status)
	m := v.Measures[len(v.Measures)-1]
	require.Equal(t, "first request after ready", m.Name)
	require.Equal(t, 490.0, m.Value, "from 22.009 s to 22.499 s")
	require.Empty(t, v.Notes)
}

// A node that was held back for the whole of its restart, and never served,
// shows nothing of gating, though its restart is a spell of being unready.
func TestARestartIsNoSpellOfItsOwn(t *testing.T) {
	s := newStage().honest()
	for i := range 400 {
		s.Op(history.OpSessionRead, time.Duration(i)*100*mil).OK()
	}
	v := ReadinessGating{}.Check(s.Build(t))
	require.True(t, v.NotExercised)
	require.Contains(t, v.Notes, "no request got to j2 after it was ready again")
}

func TestUnmarked(t *testing.T) {
	view := func(s stage, lb string, at time.Duration, up bool) {
		s.See(at, history.Server{Balancer: lb, Server: "j2", Up: up})
	}
	for _, c := range []struct {
		name  string
		build func(stage)
		want  string
	}{
		{name: "nobody looked", build: func(stage) {}},
		{name: "marked", build: func(s stage) {
			view(s, "lb1", 11*sec, true)
			view(s, "lb1", 12*sec, false)
			view(s, "lb1", 21*sec, true)
		}},
		{name: "marked by one of two", want: "lb2", build: func(s stage) { view(s, "lb1", 12*sec, false); view(s, "lb2", 12*sec, true) }},
		{name: "marked before its death only", want: "lb1", build: func(s stage) { view(s, "lb1", 9*sec, false); view(s, "lb1", 12*sec, true) }},
		{name: "marked after its return only", want: "lb1", build: func(s stage) { view(s, "lb1", 12*sec, true); view(s, "lb1", 30*sec, false) }},
		{name: "another node", build: func(s stage) { s.See(12*sec, history.Server{Balancer: "lb1", Server: "j1", Up: true}) }},
		{name: "its death, not an earlier one nor another's", build: func(s stage) {
			s.engine("j2", 2*sec, "die")
			s.engine("j1", 12*sec, "die")
			view(s, "lb1", 11*sec, false)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage().honest()
			c.build(s)
			h := s.Build(t)
			by, _ := conditions(h)
			require.Equal(t, c.want, unmarked(h, "j2", 0, by["j2"]))
		})
	}
}
