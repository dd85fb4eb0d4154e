package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
	"github.com/stretchr/testify/require"
)

// dispatchOf is a line of lb1 with that number.
func dispatchOf(n int) string {
	return fmt.Sprintf(`{"hachaos":"dispatch","lb":"lb1","at":"%d","n":%d,"op":"12.1","key":"-","st":200,"srv":"j1","retr":"0","term":"--VN","Tw":0,"Tc":0,"Tr":1,"Ta":1,"bytes":9}`,
		time.Now().UnixMicro(), n)
}

// runtimeSays answers the commands of a look.
func runtimeSays(pid int, requests, dropped *atomic.Int64) func(string) string {
	return func(command string) string {
		if command != showServers {
			return "Unknown command\n"
		}
		return fmt.Sprintf("Pid: %d\nUptime_sec: 5\nCumReq: %d\nDroppedLogs: %d\n\n", pid, requests.Load(), dropped.Load()) +
			"# pxname,svname,status,weight,scur,stot,check_status,\napp,j1,UP,100,1,7,L7OK,\n"
	}
}

func TestBalancerCoverage(t *testing.T) {
	const droppedBefore = "lines that it had dropped before the run"
	tests := []struct {
		name   string
		script func(c *fakeCluster, requests, dropped *atomic.Int64) // nil: nothing listens
		missed uint64
		reason string // of the dispatches; empty: complete
		unsure string // the first time that is unknown, and why; empty: none
	}{
		{"all lines", func(c *fakeCluster, _, _ *atomic.Int64) {
			c.say("lb1", "[NOTICE] Loading success.", dispatchOf(0), dispatchOf(1))
		}, 0, "", ""},
		{"no request at all", func(*fakeCluster, *atomic.Int64, *atomic.Int64) {}, 0, "", ""},
		{"a number left out", func(c *fakeCluster, _, _ *atomic.Int64) { c.say("lb1", dispatchOf(0), dispatchOf(3)) }, 2, "2 left out by their numbers", ""},
		{"the process dropped lines", func(c *fakeCluster, _, dropped *atomic.Int64) {
			c.say("lb1", dispatchOf(0))
			time.Sleep(250 * time.Millisecond)
			dropped.Store(4)
		}, 4, "4 dropped by the process", ""},
		{droppedBefore, func(c *fakeCluster, _, _ *atomic.Int64) { c.say("lb1", dispatchOf(0)) }, 0, "", ""},
		{"dropped lines and their gaps count once", func(c *fakeCluster, _, dropped *atomic.Int64) {
			c.say("lb1", dispatchOf(0), dispatchOf(3))
			time.Sleep(250 * time.Millisecond)
			dropped.Store(2)
		}, 2, "2 left out by their numbers, 2 dropped", ""},
		{"a torn line", func(c *fakeCluster, _, _ *atomic.Int64) { c.say("lb1", `{"hachaos":"dispatch","lb":"lb`) }, 1, "lb1.log: dispatch", ""},
		{"the stream died", func(c *fakeCluster, _, _ *atomic.Int64) { c.tear("lb1", errors.New("reset")) }, 0, "log of lb1: reset", ""},
		{"killed and started again, unseen but for its numbers", func(c *fakeCluster, _, _ *atomic.Int64) {
			c.say("lb1", dispatchOf(0), dispatchOf(1), dispatchOf(0))
		}, 0, "began anew once without being seen to: what its earlier process had not finished has no line", ""},
		{"killed and started again, by its counters", func(c *fakeCluster, requests, _ *atomic.Int64) {
			time.Sleep(250 * time.Millisecond)
			requests.Store(1)
		}, 0, "", "200ms to 300ms: lb1 began anew: what its earlier process had not finished has no line"},
		{"killed and started again, by both", func(c *fakeCluster, requests, _ *atomic.Int64) {
			c.say("lb1", dispatchOf(0), dispatchOf(1))
			time.Sleep(250 * time.Millisecond)
			requests.Store(1)
			c.say("lb1", dispatchOf(0))
		}, 0, "", "200ms to 300ms: lb1 began anew"},
		{"reloaded: the former worker finishes", func(c *fakeCluster, requests, _ *atomic.Int64) {
			time.Sleep(250 * time.Millisecond)
			requests.Store(1)
			time.Sleep(250 * time.Millisecond)
			c.say("lb1", "[NOTICE]   (1) : Former worker (8) exited with code 0 (Exit)")
		}, 0, "", ""},
		{"reloaded: the former worker is killed", func(c *fakeCluster, requests, _ *atomic.Int64) {
			time.Sleep(250 * time.Millisecond)
			requests.Store(1)
			c.say("lb1", "[ALERT]   (1) : Former worker (8) exited with code 137 (Killed)")
		}, 0, "", "lb1 began anew"},
		{"an exit in order of long ago excuses no later death", func(c *fakeCluster, requests, _ *atomic.Int64) {
			time.Sleep(150 * time.Millisecond)
			c.say("lb1", "[NOTICE]   (1) : Former worker (8) exited with code 0 (Exit)")
			time.Sleep(300 * time.Millisecond)
			requests.Store(1)
		}, 0, "", "400ms to 500ms: lb1 began anew"},
		{"killed for good", func(c *fakeCluster, _, _ *atomic.Int64) {
			c.say("lb1", dispatchOf(0))
			time.Sleep(250 * time.Millisecond)
			c.happen("lb1", "die")
		}, 0, "", "200ms to 1.5s: lb1 did not answer at the end: what it had not finished has no line"},
		{"never there", nil, 0, "never answered", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFake()
				var requests, dropped atomic.Int64
				requests.Store(100)
				if tt.name == droppedBefore {
					dropped.Store(4) // before anybody looks
				}
				if tt.script != nil {
					c.node("lb1").serves(replies(runtimeSays(8, &requests, &dropped)))
				}
				e := testEnv(t, c)
				r, err := observe(t, &balancer{e, c.spec.Nodes[1]}, func() {
					if tt.script != nil {
						tt.script(c, &requests, &dropped)
					}
					time.Sleep(950 * time.Millisecond)
				})
				cov := coverage(t, r, history.StreamDispatch, "lb1")
				require.Equal(t, tt.missed, cov.Missed)
				require.Equal(t, tt.reason == "", cov.Complete, cov.Reason)
				require.Contains(t, cov.Reason, tt.reason)
				require.Equal(t, tt.unsure == "", len(cov.Unknown) == 0, "%v", cov.Unknown)
				if tt.unsure != "" {
					w := cov.Unknown[0]
					require.Contains(t, fmt.Sprintf("%v to %v: %s", w.From, w.To, w.Why), tt.unsure)
				}
				require.Equal(t, tt.name == "the stream died", err != nil, "%v", err)
				coverage(t, r, history.StreamServer, "lb1")
				require.True(t, coverage(t, r, history.StreamBalancer, "lb1").Complete)
			})
		})
	}
}

func TestBalancerLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		var requests, dropped atomic.Int64
		requests.Store(100)
		c.node("lb1").serves(replies(runtimeSays(8, &requests, &dropped)))
		r, err := observe(t, &balancer{testEnv(t, c), c.spec.Nodes[1]}, func() {
			time.Sleep(450 * time.Millisecond)
			c.happen("lb1", "die")
			time.Sleep(1100 * time.Millisecond)
		})
		require.NoError(t, err)
		var up, down int
		for _, v := range observed[history.BalancerInfo](t, r, history.StreamBalancer) {
			if v.Up {
				up++
				require.Equal(t, history.BalancerInfo{Balancer: "lb1", Up: true, Pid: 8, Requests: 100}, v)
			} else {
				down++
			}
		}
		require.Equal(t, 5, up)
		require.Equal(t, 6, down, "those that began more than a connect's bound before the end")
		servers := observed[history.Server](t, r, history.StreamServer)
		require.Len(t, servers, 5)
		require.Equal(t, history.Server{Balancer: "lb1", Server: "j1", Status: "UP", Up: true, Check: "L7OK", Weight: 100, Current: 1, Total: 7}, servers[0])
	})
}

// A process that ends while it replies has not answered, as if it had ended
// before; a reply that it never gives is missed.
func TestBalancerEndsWhileItReplies(t *testing.T) {
	const whole = "Pid: 8\nUptime_sec: 5\nCumReq: 9\nDroppedLogs: 0\n\n"
	for reply, want := range map[string]struct{ up, complete bool }{
		"":                                      {false, true},
		"Pid: 8\nUptime":                        {false, true},
		whole:                                   {false, true},
		whole + "# pxname,svname\nnodes,j":      {false, true},
		whole + "# pxname,svname\nnodes,j1\n\n": {true, true},
		whole + "Permission denied\n\n":         {false, false},
		"Permission denied\n\n":                 {false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newFake()
			c.node("lb1").serves(replies(func(string) string { return reply }))
			r, err := observe(t, &balancer{testEnv(t, c), c.spec.Nodes[1]}, func() { time.Sleep(450 * time.Millisecond) })
			require.NoError(t, err)
			require.Equal(t, want.complete, coverage(t, r, history.StreamBalancer, "lb1").Complete, "%q", reply)
			for _, v := range observed[history.BalancerInfo](t, r, history.StreamBalancer) {
				require.Equal(t, want.up, v.Up, "%q", reply)
			}
		})
	}
}

// A connection that brought no request has no time of its own.
func TestBalancerDatesAnUnusedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		r, err := observe(t, &balancer{testEnv(t, c), c.spec.Nodes[1]}, func() {
			time.Sleep(time.Second)
			c.say("lb1", `{"hachaos":"dispatch","lb":"lb1","at":"","n":"","op":"-","key":"-","st":400,"srv":"<NOSRV>","retr":"0","term":"CR--","Tw":-1,"Tc":-1,"Tr":-1,"Ta":0,"bytes":0}`)
			synctest.Wait()
		})
		require.NoError(t, err)
		got := observed[history.Dispatch](t, r, history.StreamDispatch)
		require.Len(t, got, 1)
		require.Equal(t, withinUnused, got[0].Within)
		for _, e := range r.events {
			if e.Name == history.StreamDispatch {
				require.Equal(t, time.Second, e.At)
			}
		}
	})
}

func TestVIPOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		lb := c.node("lb1")
		lb.owner = true
		r, err := observe(t, newVIP(testEnv(t, c), streamNode{lb}, c.spec.VIP), func() {
			time.Sleep(950 * time.Millisecond) // 10 lines: it owns
			c.happen("lb1", "die")
			time.Sleep(time.Second) // 10 answers: a dead container owns nothing
			c.mu.Lock()
			lb.owner = false
			c.mu.Unlock()
			c.happen("lb1", "start")
			time.Sleep(950 * time.Millisecond)
		})
		require.NoError(t, err)
		var owned, not int
		for _, v := range observed[history.VIP](t, r, history.StreamVIP) {
			require.True(t, v.Known)
			if v.Owner {
				owned++
			} else {
				not++
			}
		}
		require.Equal(t, 10, owned)
		require.InDelta(t, 20, not, 1)
		cov := coverage(t, r, history.StreamVIP, "lb1")
		require.True(t, cov.Complete, cov.Reason)
		require.EqualValues(t, owned+not, cov.Seen)
	})
}

// A container that was dead before anybody looked has no event that says so.
func TestVIPOwnerOfAStandingWreck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		lb := c.node("lb1")
		lb.up = false
		r, err := observe(t, newVIP(testEnv(t, c), streamNode{lb}, c.spec.VIP), func() { time.Sleep(3 * time.Second) })
		require.NoError(t, err)
		for _, v := range observed[history.VIP](t, r, history.StreamVIP) {
			require.Equal(t, history.VIP{Balancer: "lb1", Known: true}, v)
		}
		require.True(t, coverage(t, r, history.StreamVIP, "lb1").Complete)
	})
}

// deadStream is a node whose streams end at once.
type deadStream struct{ streamNode }

func (deadStream) Stream(ctx context.Context, w io.Writer, _ ...string) error {
	return errors.New("helper is gone")
}

func TestVIPOwnerUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		r, err := observe(t, newVIP(testEnv(t, c), deadStream{streamNode{c.node("lb1")}}, c.spec.VIP), func() { time.Sleep(3 * time.Second) })
		require.NoError(t, err)
		seen := observed[history.VIP](t, r, history.StreamVIP)
		require.NotEmpty(t, seen)
		require.Equal(t, history.VIP{Balancer: "lb1"}, seen[0])
		cov := coverage(t, r, history.StreamVIP, "lb1")
		require.False(t, cov.Complete)
		require.Equal(t, 3*time.Second, cov.LongGap)
	})
}

// namespaceNode answers each question with a command of its own.
type namespaceNode struct{ *fakeNode }

func (n namespaceNode) InNamespace(_ context.Context, argv ...string) (topology.Output, error) {
	if argv[0] != "ip" {
		return topology.Output{}, fmt.Errorf("unexpected %v", argv)
	}
	text, err := os.ReadFile("testdata/ip-addr.json")
	return topology.Output{Stdout: text}, err
}

func TestVIPOwnerByCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		c.spec.VIP = c.spec.Nodes[1].Addr.Next() // not in the file
		r, err := observe(t, newVIP(testEnv(t, c), namespaceNode{c.node("lb1")}, c.spec.VIP), func() { time.Sleep(2250 * time.Millisecond) })
		require.NoError(t, err)
		require.Equal(t, []history.VIP{{Balancer: "lb1", Known: true}, {Balancer: "lb1", Known: true}, {Balancer: "lb1", Known: true}},
			observed[history.VIP](t, r, history.StreamVIP))
	})
}

func TestVIPOwnerWithoutANamespace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		r, err := observe(t, newVIP(testEnv(t, c), c.node("lb1"), c.spec.VIP), func() {})
		require.ErrorIs(t, err, errNoNamespace)
		require.False(t, coverage(t, r, history.StreamVIP, "lb1").Complete)
	})
}

// Every stream that a checker may need has an account for each source, even
// if a run ends at once; and nothing goes on afterwards, or the bubble would
// not end.
func TestAllGiveAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		c.add("toxi", topology.Proxy, "198.18.0.41", 0)
		for i, n := range c.nodes {
			if n.Role() == topology.Balancer {
				c.nodes[i] = streamNode{n.(*fakeNode)}
			}
		}
		var r recorder
		names := map[string]bool{}
		for _, o := range All(c, history.StartClock(), t.TempDir()) {
			require.False(t, names[o.Name()], o.Name())
			names[o.Name()] = true
			_, err := observe(t, into{o, &r}, func() {})
			require.NoError(t, err, o.Name())
		}
		sources := map[string][]string{
			history.StreamReadiness: {"j1"}, history.StreamTruth: {"j1"}, history.StreamReceipt: {"j1"},
			history.StreamTransition: {"j1"}, history.StreamDispatch: {"lb1"}, history.StreamServer: {"lb1"},
			history.StreamBalancer: {"lb1"}, history.StreamVIP: {"lb1"}, history.StreamConnections: {"db1"},
			history.StreamEngine: {""}, history.StreamHost: {""}, history.StreamNode: {"j1", "lb1", "db1", "toxi"},
			StreamLog: {"db1", "toxi"},
		}
		for stream, from := range sources {
			for _, s := range from {
				coverage(t, &r, stream, s)
			}
		}
	})
}

// into runs an observer with another sink.
type into struct {
	Observer
	sink history.Sink
}

func (i into) Observe(ctx context.Context, _ history.Sink) error {
	return i.Observer.Observe(ctx, i.sink)
}
