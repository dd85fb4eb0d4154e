package history

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// kept is a Sink that keeps what it is given.
type kept struct {
	mu     sync.Mutex
	events []Event
}

func (k *kept) Put(e Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, e)
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := StartClock()
		var sink kept
		ctx, cancel := context.WithCancel(t.Context())
		go Pace(ctx, &sink, clock)
		time.Sleep(2500 * time.Millisecond)
		sink.Put(clock.Pair().Event()) // a phase's edge
		cancel()
		synctest.Wait()
		var at []time.Duration
		for _, e := range sink.events {
			require.Equal(t, Clock, e.Kind)
			var p ClockPair
			require.NoError(t, json.Unmarshal(e.Data, &p))
			require.Equal(t, e.At, p.Mono)
			require.Equal(t, clock.Start().Add(p.Mono).UnixNano(), p.Wall)
			at = append(at, e.At)
		}
		const s = time.Second
		require.Equal(t, []time.Duration{0, s, 2 * s, 2500 * time.Millisecond, 2500 * time.Millisecond}, at)
	})
}

func TestPairOfTheRealClock(t *testing.T) {
	clock := StartClock()
	before := clock.Now()
	p := clock.Pair()
	require.GreaterOrEqual(t, p.Mono, before)
	require.LessOrEqual(t, p.Mono, clock.Now())
}

const (
	wall0 = int64(1_700_000_000_000_000_000)
	sec   = time.Second
	msec  = time.Millisecond
)

// pair is one whose wall clock is ahead of the run's start by off.
func pair(mono, off time.Duration) ClockPair {
	return ClockPair{Mono: mono, Wall: wall0 + int64(mono+off)}
}

func TestMapWall(t *testing.T) {
	steady := []ClockPair{pair(0, 0), pair(sec, 0), pair(2*sec, 0)}
	slewed := []ClockPair{pair(0, 0), pair(sec, msec), pair(2*sec, 2*msec)}
	ahead := []ClockPair{pair(0, 0), pair(sec, 0), pair(2*sec, 10*sec), pair(3*sec, 10*sec)}
	back := []ClockPair{pair(0, 0), pair(sec, 0), pair(2*sec, -1500*msec), pair(3*sec, -1500*msec), pair(4*sec, -1500*msec)}
	tests := []struct {
		name       string
		pairs      []ClockPair
		wall       time.Duration // after wall0
		at, within time.Duration
	}{
		{"at a pair", steady, sec, sec, pairSkew},
		{"between two", steady, 1300 * msec, 1300 * msec, pairSkew},
		{"before the first", steady, -2 * sec, -2 * sec, msec + pairSkew},
		{"after the last", steady, 4 * sec, 4 * sec, msec + pairSkew},
		{"by the nearer one before", slewed, 1201 * msec, 1200 * msec, msec + pairSkew},
		{"by the one before, of two that are equally near", slewed, 1501500 * time.Microsecond, 1500500 * time.Microsecond, msec + pairSkew},
		{"by the nearer one after", slewed, 1900 * msec, 1898 * msec, msec + pairSkew},
		{"in a step ahead", ahead, 3 * sec, 3 * sec, 10*sec + pairSkew},
		{"after a step ahead", ahead, 12500 * msec, 2500 * msec, pairSkew},
		{"a time that came twice", back, 700 * msec, 2200 * msec, 1500*msec + pairSkew},
		{"after a step back", back, 2300 * msec, 3800 * msec, pairSkew},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := &History{Clock: tt.pairs}
			at, within, ok := h.MapWall(wall0 + int64(tt.wall))
			require.True(t, ok)
			require.Equal(t, tt.at, at)
			require.Equal(t, tt.within, within)
		})
	}
	_, _, ok := (&History{}).MapWall(wall0)
	require.False(t, ok)
}

func TestClockSteps(t *testing.T) {
	h := &History{Clock: []ClockPair{pair(0, 0), pair(sec, 5*msec), pair(2*sec, 5*msec), pair(3*sec, -time.Microsecond), pair(4*sec, 3*sec)}}
	require.Equal(t, []Step{
		{From: 2 * sec, At: 3 * sec, By: -5*msec - time.Microsecond},
		{From: 3 * sec, At: 4 * sec, By: 3*sec + time.Microsecond},
	}, h.ClockSteps(MaxClockStep))
	require.Len(t, h.ClockSteps(4*msec), 3, "the first two pairs are one of them")
	require.Empty(t, h.ClockSteps(4*sec))
	require.Empty(t, (&History{}).ClockSteps(0))
	require.Contains(t, h.ClockSteps(MaxClockStep)[0].String(), "-5.001ms")
}

func TestMapper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := StartClock()
		m := NewMapper(clock)
		time.Sleep(1500 * msec)
		at, within := m.Map(time.Now().Add(-200 * msec))
		require.Equal(t, 1300*msec, at)
		require.Equal(t, pairSkew, within)
		at, _ = m.Map(clock.Start().Add(-sec))
		require.Equal(t, -sec, at)
		at, within = m.Map(time.Now().Add(sec))
		require.Equal(t, 2500*msec, at, "a wall time of another clock may lie ahead")
		require.Equal(t, 500*time.Microsecond+pairSkew, within)
	})
}

// The pairs that a mapper has are those of the run's start, of its own
// beginning, and of each time it was asked a second or more after the last.
func TestMapperTakesPairs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := StartClock()
		time.Sleep(10 * sec)
		m := NewMapper(clock)
		ask := func(back time.Duration) time.Duration {
			at, within := m.Map(time.Now().Add(-back))
			require.Equal(t, clock.Now()-back, at)
			return within
		}
		require.Equal(t, pairSkew, ask(5*sec), "between the start and the mapper's beginning")
		time.Sleep(400 * msec)
		require.Equal(t, 200*time.Microsecond+pairSkew, ask(0), "too soon for another")
		time.Sleep(PaceInterval - 400*msec)
		require.Equal(t, pairSkew, ask(0), "a second after the last")
		time.Sleep(PaceInterval - 1)
		require.Greater(t, ask(0), pairSkew, "not yet a second")
	})
	synctest.Test(t, func(t *testing.T) {
		clock := StartClock()
		time.Sleep(600 * msec)
		m := NewMapper(clock)
		_, within := m.Map(time.Now().Add(-200 * msec))
		require.Equal(t, pairSkew, within, "a mapper's beginning is a pair, however soon after the start")
	})
}

func TestClockAt(t *testing.T) {
	clock := StartClock()
	require.Equal(t, 3*sec, clock.At(clock.Start().Add(3*sec)))
	require.Equal(t, -sec, clock.At(clock.Start().Add(-sec)))
}

func TestClockEventsAreSortedByTheRunsClock(t *testing.T) {
	h, err := FromEvents([]Event{pair(2*sec, 0).Event(), pair(sec, 0).Event()})
	require.NoError(t, err)
	require.Equal(t, []ClockPair{pair(sec, 0), pair(2*sec, 0)}, h.Clock)
}
