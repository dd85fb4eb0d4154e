package load

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// A server that stands still for two seconds must not slow the load down, or
// its latencies would look good: the 100 operations due meanwhile end with
// the stall, and the longest-waiting percent of all 500 waited above 1.9 s.
func TestStallIsSeenWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const from, to = 4 * time.Second, 6 * time.Second
		a, begin := newApp(), time.Now()
		a.before = func(http.ResponseWriter, *http.Request) bool {
			if at := time.Since(begin); at >= from && at < to {
				time.Sleep(to - at)
			}
			return false
		}
		ops, g := drive(t, Config{Rate: 50, Sessions: 25}, a, seconds(10))
		require.Len(t, ops, 500)
		require.Equal(t, map[string]int{"ok": 500}, outcomes(ops))
		for _, op := range ops {
			want := op.Intended
			if want >= from {
				want = max(want, to)
			}
			require.Equal(t, want, op.End, "operation %d", op.ID)
			require.Zero(t, op.Late, "the wait is the system's doing %+v", op)
		}
		require.InDelta(t, 1.9, g.Snapshot().Latency.P99.Seconds(), 0.01)
		require.Zero(t, g.Snapshot().Counts.Late)
	})
}

// If half of the sessions hang, half of the operations are bad: the load may
// not move to the sessions that answer.
func TestHalfOfTheSessionsHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, begin := newApp(), time.Now()
		a.before = func(_ http.ResponseWriter, r *http.Request) bool {
			op, _ := numberOf(r)
			return time.Since(begin) > 5*time.Second && op%2 == 0 && hang(r)
		}
		ops, _ := drive(t, small(), a, seconds(30))
		require.Len(t, ops, 600)
		bad, judged := 0, 0
		for _, op := range ops {
			if op.Intended <= 5*time.Second {
				continue
			}
			judged++
			if op.Outcome != history.OK {
				bad++
			}
		}
		require.Equal(t, 500, judged)
		require.Equal(t, judged/2, bad)
		by := outcomes(ops)
		require.Equal(t, 5*4, by["info timeout"], "5 sessions, one request of 10 s at a time until 45 s")
		require.Equal(t, bad-5*4, by["fail not-sent"])
	})
}

// The operations of one session, while it hangs: the first is sent and times
// out; those that are due in the meantime wait, and give up at the end of
// their own patience.
func TestWaitBehindABusySession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp()
		a.before = func(_ http.ResponseWriter, r *http.Request) bool {
			op, _ := numberOf(r)
			return op == 11 && hang(r) // the second operation of the first client
		}
		cfg := small()
		cfg.Timeout = 1200 * time.Millisecond
		ops, _ := drive(t, cfg, a, seconds(5))
		own := ofClient(ops, 0, 10)
		require.Equal(t, map[string]int{"ok": 9, "info timeout": 1}, outcomes(own))
		first := own[1].Intended
		require.Equal(t, first+cfg.Timeout, own[1].End)
		require.Equal(t, first+500*time.Millisecond, own[2].Intended)
		require.Equal(t, first+cfg.Timeout, own[2].Sent, "its turn came, with its intended time kept")
		require.Equal(t, first+cfg.Timeout, own[3].Sent)
		require.Equal(t, own[4].Intended, own[4].Sent, "the queue is empty again")
		require.Equal(t, "iWRBWoiRBW", names(own), "in the order of the schedule")
	})
}

func TestNotSentIsTheUsersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp()
		a.before = func(_ http.ResponseWriter, r *http.Request) bool {
			op, _ := numberOf(r)
			return op == 1 && hang(r) || op == 11 && hang(r)
		}
		cfg := small()
		cfg.Timeout = 1200 * time.Millisecond
		ops, g := drive(t, cfg, a, seconds(5))
		own := ofClient(ops, 0, 10)
		require.Equal(t, "info timeout", string(own[1].Outcome)+" "+own[1].Error)
		missed := own[2]
		require.Equal(t, history.ErrNotSent, missed.Error)
		require.Equal(t, history.Fail, missed.Outcome)
		require.Equal(t, time.Duration(-1), missed.Sent)
		require.Equal(t, missed.Intended+cfg.Timeout, missed.End)
		require.Zero(t, missed.Attempts)
		require.Zero(t, missed.Late)
		require.Zero(t, g.Snapshot().Counts.Dropped)
	})
}

func TestCeilingDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, begin := newApp(), time.Now()
		a.before = func(_ http.ResponseWriter, r *http.Request) bool {
			return time.Since(begin) < 2*time.Second && hang(r)
		}
		cfg := small()
		cfg.Ceiling, cfg.Timeout = 4, 3*time.Second
		ops, g := drive(t, cfg, a, seconds(8))
		dropped := 0
		for _, op := range ops {
			if op.Error == history.ErrDropped {
				dropped++
				require.Equal(t, history.Fail, op.Outcome)
				require.Equal(t, op.Intended, op.End, "it is lost at once")
			}
		}
		require.Positive(t, dropped)
		require.EqualValues(t, dropped, g.Snapshot().Counts.Dropped)
		last := ops[len(ops)-20:]
		require.Equal(t, map[string]int{"ok": 20}, outcomes(last), "the turns of the dropped are passed on")
	})
}

// slowSink holds the first events up, as a starved machine would.
type slowSink struct {
	journal
	once sync.Once
	hold time.Duration
}

func (s *slowSink) Put(e history.Event) {
	if e.Op != nil && e.Op.ID == 10 && e.Kind == history.Invoke {
		s.once.Do(func() { time.Sleep(s.hold) })
	}
	s.journal.Put(e)
}

// Of the operations that one client's held up, each is as late as the generator
// made it, and no later for waiting its turn.
func TestLatenessIsTheGeneratorsOwn(t *testing.T) {
	for hold, late := range map[time.Duration]uint64{70 * time.Millisecond: 1, 1200 * time.Millisecond: 3} {
		t.Run(hold.String(), func(t *testing.T) { heldUp(t, hold, late) })
	}
}

func heldUp(t *testing.T, hold time.Duration, late uint64) {
	synctest.Test(t, func(t *testing.T) {
		sink := &slowSink{hold: hold}
		p := serve(t, newApp())
		g, err := New(small(), Target{URL: "http://app", Dial: p.DialContext}, history.StartClock(), sink)
		require.NoError(t, err)
		time.AfterFunc(seconds(2), g.Stop)
		require.NoError(t, g.Run(t.Context()))
		clients := uint64(small().Sessions)
		for _, op := range sink.ops(t) {
			want := time.Duration(0)
			if op.ID%clients == 10%clients && op.ID >= 10 {
				want = max(0, hold-time.Duration((op.ID-10)/clients)*time.Second/2)
			}
			require.Equal(t, want, op.Late, "operation %d", op.ID)
			require.Equal(t, op.Intended+want, op.Sent)
		}
		require.EqualValues(t, late, g.Snapshot().Counts.Late)
		require.Equal(t, hold, g.Snapshot().Lateness.Max.Round(time.Millisecond))
	})
}
