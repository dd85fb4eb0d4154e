package observe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
	"github.com/stretchr/testify/require"
)

// tells is a source of dates in a fake cluster: an observer, and what its
// component says at a time by its own clock, which is off.
type tells struct {
	observer func(e env, c *fakeCluster, off time.Duration) Observer
	say      func(c *fakeCluster, wall time.Time) // nil: it is asked
	source   string
	streams  []string
	whose    string
}

var sources = map[string]tells{
	"engine": {
		observer: func(e env, _ *fakeCluster, _ time.Duration) Observer { return &engine{e} },
		say: func(c *fakeCluster, wall time.Time) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.events = append(c.events, topology.EngineEvent{Node: "j1", Action: "pause", Wall: wall})
			c.changed()
		},
		streams: []string{history.StreamEngine}, whose: "the engine",
	},
	"node's receipts": {
		observer: func(e env, _ *fakeCluster, _ time.Duration) Observer { return &nodeLog{e, "j1"} },
		say:      func(c *fakeCluster, wall time.Time) { c.say("j1", fmt.Sprintf(receipt, wall.UnixMicro())) },
		source:   "j1", streams: []string{history.StreamReceipt, history.StreamTransition}, whose: "j1",
	},
	"node's transitions": {
		observer: func(e env, _ *fakeCluster, _ time.Duration) Observer { return &nodeLog{e, "j1"} },
		say: func(c *fakeCluster, wall time.Time) {
			c.say("j1", fmt.Sprintf(`{"hachaos":"transition","at":%d,"node":"j1","what":"ready"}`, wall.UnixMicro()))
		},
		source: "j1", streams: []string{history.StreamReceipt, history.StreamTransition}, whose: "j1",
	},
	"node's gauges": {
		observer: func(e env, c *fakeCluster, off time.Duration) Observer {
			c.node("j1").serves(overHTTP(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintf(w, "hachaos_warm 1 %d\n", time.Now().Add(off).UnixMilli())
			}))
			return &truth{e, c.spec.Nodes[0]}
		},
		source: "j1", streams: []string{history.StreamTruth}, whose: "j1",
	},
	"balancer's log, at the end of each request": {
		observer: func(e env, c *fakeCluster, _ time.Duration) Observer {
			c.node("lb1").serves(replies(func(string) string {
				return "Pid: 8\nUptime_sec: 5\nCumReq: 9\nDroppedLogs: 0\n\n# pxname,svname,status,weight,scur,stot,check_status,\napp,j1,UP,100,1,7,L7OK,\n"
			}))
			return &balancer{e, c.spec.Nodes[1]}
		},
		say: func(c *fakeCluster, wall time.Time) {
			c.say("lb1", fmt.Sprintf(`{"hachaos":"dispatch","lb":"lb1","at":"%d","n":"","op":"12.1","st":200,"srv":"j1","retr":"0","term":"--VN","Ta":5000}`,
				wall.Add(-5*time.Second).UnixMicro()))
		},
		source: "lb1", streams: []string{history.StreamDispatch}, whose: "lb1",
	},
	"balancer's report of the VIP": {
		observer: func(e env, c *fakeCluster, off time.Duration) Observer {
			return newVIP(e, reporter{c.node("lb1"), off}, c.spec.VIP)
		},
		source: "lb1", streams: []string{history.StreamVIP}, whose: "lb1",
	},
	"database's log": {
		observer: func(e env, _ *fakeCluster, _ time.Duration) Observer { return &databaseLog{e, "db1"} },
		say: func(c *fakeCluster, wall time.Time) {
			c.say("db1", wall.UTC().Format("2006-01-02 15:04:05.000 MST")+" [31] FATAL:  sorry, too many clients already")
		},
		source: "db1", streams: []string{history.StreamRefusal}, whose: "db1",
	},
}

// reporter is a node whose report of the VIP goes by another clock.
type reporter struct {
	*fakeNode
	off time.Duration
}

// Stream implements topology.Streamer.
func (n reporter) Stream(ctx context.Context, w io.Writer, _ ...string) error {
	for ctx.Err() == nil {
		now := time.Now().Add(n.off)
		stamp := fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000)
		if _, err := fmt.Fprintf(w, "%s %s 1\n", stamp, stamp); err != nil {
			return err
		}
		pause(ctx, 100*time.Millisecond)
	}
	return ctx.Err()
}

// TestAClockThatIsOff: what another clock dates is held against the time at
// which it is heard of, wherever it comes from.
func TestAClockThatIsOff(t *testing.T) {
	for name, s := range sources {
		for off, want := range map[time.Duration]string{
			0:                       "",
			200 * time.Millisecond:  "",
			-900 * time.Millisecond: "",
			300 * time.Millisecond:  "at least 200ms ahead of hachaos's: its times cannot be trusted",
			2 * time.Second:         "at least 1.9s ahead of hachaos's: its times cannot be trusted",
			time.Hour:               "ahead of hachaos's: its times cannot be trusted",
			-2 * time.Second:        "up to 2s behind hachaos's, or what it says comes as late: its times cannot be trusted",
			-time.Hour:              "behind hachaos's, or what it says comes as late: its times cannot be trusted",
		} {
			t.Run(fmt.Sprintf("%s by %v", name, off), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newFake()
					e := testEnv(t, c)
					r, err := observe(t, s.observer(e, c, off), func() {
						for range 12 {
							time.Sleep(300 * time.Millisecond)
							if s.say != nil {
								s.say(c, time.Now().Add(off))
							}
						}
						time.Sleep(300 * time.Millisecond)
					})
					require.NoError(t, err)
					for _, stream := range s.streams {
						cov := coverage(t, r, stream, s.source)
						require.Equal(t, want == "", cov.Complete, cov.Reason)
						if want != "" {
							require.Contains(t, cov.Reason, "the clock of "+s.whose+" is ")
							require.Contains(t, cov.Reason, want)
						}
					}
				})
			})
		}
	}
}

// TestALogThatIsReadLate: that something is heard of late says nothing of the
// clock, as long as anything is heard of as it happens, or could have been.
func TestALogThatIsReadLate(t *testing.T) {
	say := sources["node's receipts"].say
	for name, tc := range map[string]struct {
		before, script func(c *fakeCluster)
		complete       bool
	}{
		"all of it before hachaos read it": {
			before:   func(c *fakeCluster) { say(c, time.Now()) },
			script:   func(*fakeCluster) { time.Sleep(5 * time.Second) },
			complete: true,
		},
		"the rest while it was read": {
			before: func(c *fakeCluster) { say(c, time.Now()) },
			script: func(c *fakeCluster) {
				time.Sleep(5 * time.Second)
				say(c, time.Now())
			},
			complete: true,
		},
		"held up for three seconds, once": {
			script: func(c *fakeCluster) {
				for _, late := range []time.Duration{3, 2, 1, 0} {
					say(c, time.Now().Add(-late*time.Second))
				}
				time.Sleep(5 * time.Second)
				say(c, time.Now().Add(-2*time.Second))
			},
			complete: true,
		},
		"held up each time": {
			script: func(c *fakeCluster) {
				for range 5 {
					time.Sleep(2 * time.Second)
					say(c, time.Now().Add(-1500*time.Millisecond))
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFake()
				if tc.before != nil {
					tc.before(c)
					time.Sleep(30 * time.Second)
				}
				r, err := observe(t, &nodeLog{testEnv(t, c), "j1"}, func() {
					tc.script(c)
					time.Sleep(time.Second)
				})
				require.NoError(t, err)
				cov := coverage(t, r, history.StreamReceipt, "j1")
				require.Equal(t, tc.complete, cov.Complete, cov.Reason)
			})
		})
	}
}

// A clock that was right and is set back is off from then on, whatever it was
// at its best; one that tells seldom is given the benefit of the doubt.
func TestAClockThatIsSetBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		every time.Duration
		back  time.Duration
		off   bool
	}{
		{"often, and far", 50 * time.Millisecond, 2 * time.Second, true},
		{"often, and little", 50 * time.Millisecond, 500 * time.Millisecond, false},
		{"seldom", time.Second, 2 * time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := history.StartClock()
				f, a := env{clock: clock}.foreign("lb1"), &account{stream: history.StreamDispatch}
				for clock.Now() < 20*time.Second {
					at := clock.Now()
					if at > 10*time.Second {
						at -= c.back
					}
					f.dates(at, 0)
					time.Sleep(c.every)
				}
				f.judge(a)
				require.Equal(t, !c.off, a.coverage().Complete, a.coverage().Reason)
			})
		})
	}
}
