package fault

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// text is what a command prints.
func text(format string, args ...any) (topology.Output, error) {
	return topology.Output{Stdout: fmt.Appendf(nil, format, args...)}, nil
}

// measured are faults with a magnitude, each with a node on which so many times
// the asked amount can be measured. None of them has an effect on a node in
// memory, so that it is what scripts print that is imitated.
var measured = map[string]func(times float64) (Fault, *stub){
	"bandwidth": func(times float64) (Fault, *stub) {
		return Bandwidth{KBit: 4000}, &stub{
			peers:  []topology.Node{&stub{name: "j2"}},
			beside: func([]string) (topology.Output, error) { return text("0 1\n%.0f 1000001 80 0\n", times*500_000) },
		}
	},
	"cpu-starvation": func(times float64) (Fault, *stub) {
		return CPUStarvation{CPU: 0.09}, &stub{exec: func([]string) (topology.Output, error) {
			now := time.Now().UnixNano()
			return text("max 1 1 0 %.0f %d %d\n0.09 0 1732082399.500000000\n", times*0.09*float64(now), now/1e8, now)
		}}
	},
	"memory-squeeze": func(times float64) (Fault, *stub) {
		const held = 200 << 20
		limit := held + int64(times*DefaultRoom)
		return MemorySqueeze{}, &stub{exec: func([]string) (topology.Output, error) {
			return text("%d 1 %d 0 1 0 1\n%d-%d 0 1732082399.500000000\n", limit, held, limit, held)
		}}
	},
	"disk-slow": func(times float64) (Fault, *stub) {
		return DiskSlow{Writes: 40}, &stub{
			disk: topology.DiskLimit{Device: "8:0", Writes: 40},
			exec: func([]string) (topology.Output, error) {
				return text("1000 %.0f 1000000000 3000000000 %.0f\n", 1000+times*80, times*50)
			},
		}
	},
	"pool-leak": func(times float64) (Fault, *stub) {
		return PoolLeak{Connections: 10}, &stub{port: 8080, beside: func([]string) (topology.Output, error) {
			return text("%s %.0f\n%s 200\n", gaugeHeldConnections, 10*times, gaugePoolActive)
		}}
	},
	"threads-exhausted": func(times float64) (Fault, *stub) {
		return ThreadsExhausted{Threads: 40}, &stub{port: 8080, beside: func([]string) (topology.Output, error) {
			return text("%s %.0f\n", gaugeHeldThreads, 40*times)
		}}
	},
	"database-slow-inside": func(times float64) (Fault, *stub) {
		f := DatabaseSlowInside{Delay: 300 * time.Millisecond}
		return f, &stub{exec: func(argv []string) (topology.Output, error) {
			took := 1 + 300*times
			if strings.Contains(strings.Join(argv, " "), "unhurried = on") {
				took = 1
			}
			return text("%s", strings.Repeat(fmt.Sprintf("%.1f\n", took), f.share()*f.parallel()))
		}}
	},
	"dependency-slow": func(times float64) (Fault, *stub) {
		asks := &stub{name: "j2", role: topology.Application, state: up, beside: func(argv []string) (topology.Output, error) {
			if strings.Contains(argv[len(argv)-1], ":5433/") {
				return text("%s", strings.Repeat(fmt.Sprintf("200 %.4f\n", 0.001+0.2*times), latencyProbes))
			}
			return text("%s", strings.Repeat("200 0.0010\n", latencyProbes))
		}}
		return DependencySlow{Delay: 200 * time.Millisecond}, &stub{peers: []topology.Node{slowedProxy("j1"), asks}}
	},
	"slow-start": func(times float64) (Fault, *stub) {
		n := starting{started: time.Now(), boot: 600 * time.Millisecond, warmUp: time.Duration(2 * times * float64(time.Second)), told: "2000"}
		return SlowStart{Delay: 2 * time.Second}, n.stub()
	},
	"latency": func(times float64) (Fault, *stub) {
		return Latency{Delay: 60 * time.Millisecond}, &stub{
			peers: []topology.Node{slowedProxy("j1")},
			beside: func(argv []string) (topology.Output, error) {
				if slices.Contains(argv, "5433") {
					return text("%s", strings.Repeat(fmt.Sprintf("ok %.0f\n", 900+60_000*times), latencyProbes))
				}
				return text("%s", strings.Repeat("ok 900\n", latencyProbes))
			},
		}
	},
	"link-latency": func(times float64) (Fault, *stub) {
		toxi := slowedProxy("j1")
		state := toxi.beside
		toxi.beside = func(argv []string) (topology.Output, error) {
			if argv[0] == "curl" {
				return state(argv)
			}
			return text("%s", strings.Repeat("ok 900\n", latencyProbes))
		}
		return LinkLatency{Delay: 60 * time.Millisecond}, &stub{
			peers: []topology.Node{toxi},
			beside: func([]string) (topology.Output, error) {
				return text("%s", strings.Repeat(fmt.Sprintf("ok %.0f\n", 900+60_000*times), latencyProbes))
			},
		}
	},
	"crash-loop": func(times float64) (Fault, *stub) {
		return CrashLoop{Life: 2 * time.Second, Rest: 500 * time.Millisecond}, loopOf(2*times, 0.5)
	},
	"the rest of a crash-loop": func(times float64) (Fault, *stub) {
		return CrashLoop{Life: 2 * time.Second, Rest: 500 * time.Millisecond}, loopOf(2, 0.5*times)
	},
	"packet-loss": func(times float64) (Fault, *stub) {
		f := PacketLoss{Peers: []string{"lb1"}, Percent: 5, Way: Incoming}
		var arrived int64 // of what it sends
		return f, &stub{
			peers: []topology.Node{&stub{name: "lb1", role: topology.Balancer, state: up, beside: func(argv []string) (topology.Output, error) {
				if argv[0] != "cat" {
					return topology.Output{}, errUnasked
				}
				return text("%s", snmp(arrived))
			}}},
			beside: func(argv []string) (topology.Output, error) {
				switch {
				case slices.Equal(argv, listTables()):
					return text("table inet %s\n", toxicName(f))
				case slices.Contains(argv, "datagrams"):
					arrived += cutDatagrams
					return topology.Output{}, nil
				}
				return text(`{"nftables":[{"counter":{"name":"input_all","packets":10000}},{"counter":{"name":"input","packets":%.0f}}]}`, 500*times)
			},
		}
	},
}

// loopOf is a node whose process lives and rests for so many seconds.
func loopOf(life, rest float64) *stub {
	at := 1732082400.0
	lines := "on\n-\n"
	for range 3 {
		for _, act := range []struct {
			name  string
			after float64
		}{{"end", life}, {"rested", rest}, {"start", 0.1}} {
			at += act.after
			lines += fmt.Sprintf("%s %.9f\n", act.name, at)
		}
	}
	return &stub{exec: func([]string) (topology.Output, error) { return text("%s", lines) }}
}

// TestAWrongAmountIsNoticed: a fault is proven by what was asked, neither by a
// tenth of it nor by ten times as much nor by nothing.
func TestAWrongAmountIsNoticed(t *testing.T) {
	for name, of := range measured {
		for _, times := range []float64{1, 0, 0.1, 10} {
			t.Run(fmt.Sprintf("%s/%v", name, times), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f, n := of(times)
					require.NoError(t, f.Validate())
					n.name, n.state = "j1", up
					ctx, cancel := context.WithTimeout(t.Context(), 3*starvedFor)
					defer cancel()
					p, err := f.Active(ctx, []topology.Node{n})
					require.NoError(t, err)
					require.Equal(t, times == 1, p.OK, "%+v", p)
					require.NotEmpty(t, p.Measured)
				})
			})
		}
	}
}
