package fault

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// rolledSocket is a director whose runtime socket behaves as told, once it has read
// the line; ended says that it saw the connection's end.
func rolledSocket(behave func(c net.Conn, line string)) (d director, ended chan struct{}) {
	ended = make(chan struct{})
	d = director{name: "lb1", addr: address(rolledBare{}, runtimePort)}
	d.dial = func(_ context.Context, network, address string) (net.Conn, error) {
		if network != "tcp" || address != "198.18.7.9:9999" {
			return nil, errUnasked
		}
		here, there := net.Pipe()
		go func() {
			defer close(ended)
			defer there.Close()
			line, err := bufio.NewReader(there).ReadString('\n')
			if err == nil {
				behave(there, line)
			}
			_, _ = io.Copy(io.Discard, there)
		}()
		return socket{here}, nil
	}
	return d, ended
}

func TestADirectorAsksOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got string
		d, ended := rolledSocket(func(c net.Conn, line string) {
			got = line
			_, _ = io.WriteString(c, "a reply\n\n")
			c.Close()
		})
		reply, err := d.ask(t.Context(), "show info")
		require.NoError(t, err)
		require.Equal(t, "a reply\n\n", reply)
		<-ended
		require.Equal(t, "show info\n", got)
	})
}

// TestADirectorWaitsForSoLong: a socket that is silent is an error after a time, and
// the connection is closed.
func TestADirectorWaitsForSoLong(t *testing.T) {
	for name, tc := range map[string]struct {
		after  time.Duration // of the reply
		within time.Duration // of the caller
		err    string
		took   time.Duration
	}{
		"in time":           {1999 * time.Millisecond, time.Minute, "", 1999 * time.Millisecond},
		"too late":          {2001 * time.Millisecond, time.Minute, "balancer lb1: reply: read pipe: i/o timeout", 2 * time.Second},
		"a hurried caller":  {2001 * time.Millisecond, time.Second, "balancer lb1: reply: read pipe: i/o timeout", time.Second},
		"a caller who left": {time.Second, 0, "i/o timeout", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, ended := rolledSocket(func(c net.Conn, _ string) {
					time.Sleep(tc.after)
					_, _ = io.WriteString(c, "\n")
					c.Close()
				})
				ctx, cancel := context.WithTimeout(t.Context(), tc.within)
				defer cancel()
				began := time.Now()
				reply, err := d.ask(ctx, "show info")
				if tc.err == "" {
					require.NoError(t, err)
					require.Equal(t, "\n", reply)
				} else {
					require.ErrorContains(t, err, tc.err)
				}
				require.Equal(t, tc.took, time.Since(began))
				<-ended
			})
		})
	}
}

// TestAnOrderThatWasNotReadIsNotTaken: though nothing is complained of.
func TestAnOrderThatWasNotReadIsNotTaken(t *testing.T) {
	d := director{name: "lb1", addr: address(rolledBare{}, runtimePort)}
	d.dial = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		return here, there.Close()
	}
	require.EqualError(t, d.state(t.Context(), "j1", stateMaint), "balancer lb1: send: io: read/write on closed pipe")
}

func TestADirectorReadsSoMuch(t *testing.T) {
	for length, want := range map[int]int{maxAnswer: maxAnswer, maxAnswer + 1: maxAnswer} {
		d := director{name: "lb1", addr: address(rolledBare{}, runtimePort)}
		d.dial = func(context.Context, string, string) (net.Conn, error) {
			return replying(strings.Repeat("x", length))("")
		}
		reply, err := d.ask(t.Context(), "show info")
		require.NoError(t, err)
		require.Len(t, reply, want)
	}
}

func TestADirectorsOrdersAreHAProxys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(1, 1)
		d, err := newDirector(s.balancers[0])
		require.NoError(t, err)
		require.Equal(t, "lb1", d.name)
		require.Equal(t, "198.18.7.21:9999", d.addr.String())
		require.NoError(t, d.state(t.Context(), "j1", stateDrain))
		require.NoError(t, d.weigh(t.Context(), "j1", 0))
		require.Equal(t, []string{"lb1 set server nodes/j1 state drain", "lb1 set weight nodes/j1 0"}, s.did())
		require.EqualError(t, d.state(t.Context(), "j9", stateDrain), "balancer lb1: set server nodes/j9 state drain: No such server.")

		view, err := d.server(t.Context(), "j1")
		require.NoError(t, err)
		require.Equal(t, ServerView{Name: "j1", Status: "DRAIN"}, view)
		view, err = d.server(t.Context(), "j9")
		require.EqualError(t, err, `balancer lb1: it has no server "j9"`)
		require.Zero(t, view)

		s.balancers[0].gone = true
		all, err := d.servers(t.Context())
		require.ErrorContains(t, err, "balancer lb1: dial tcp: connect: connection refused")
		require.Empty(t, all)
		require.ErrorContains(t, d.weigh(t.Context(), "j1", 1), "balancer lb1: dial tcp")
	})
	_, err := newDirector(role(topology.Balancer))
	require.EqualError(t, err, "balancer balancer: "+ErrCapability.Error()+" (an address for its runtime socket)")
	require.ErrorIs(t, err, ErrCapability)
}

// TestAServerIsKeptOutWhileMoreIsUndone: whatever its state was. A balancer that is
// gone sends it nothing.
func TestAServerIsKeptOutWhileMoreIsUndone(t *testing.T) {
	out := Entry{Undo: ServerOut, Node: "lb1", Params: map[string]string{"server": "nodes/j1"}}
	synctest.Test(t, func(t *testing.T) {
		s := rolled(1, 1)
		for range 2 {
			require.NoError(t, Undo(t.Context(), s.nodes(), out))
			require.Equal(t, stateMaint, s.server(1, 1).state)
		}
		s.breaks = func(string) bool { return true }
		require.EqualError(t, Undo(t.Context(), s.nodes(), out), "undo server-out on lb1: exit status 1: HAProxy: it fails")
		s.balancers[0].gone = true
		require.NoError(t, Undo(t.Context(), s.nodes(), out))
	})
	for name, tc := range map[string]struct {
		err, want error
	}{
		"a container that has ended": {topology.ErrNotRunning, nil},
		"one that cannot be asked":   {errRolled, errRolled},
	} {
		t.Run(name, func(t *testing.T) {
			n := &stub{name: "lb1", exec: func([]string) (topology.Output, error) { return topology.Output{}, tc.err }}
			err := Undo(t.Context(), []topology.Node{n}, out)
			if tc.want == nil {
				require.NoError(t, err)
				return
			}
			require.True(t, errors.Is(err, tc.want))
		})
	}
}
