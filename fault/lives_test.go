package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// heldLives are faults whose whole life can be imitated on one node.
var heldLives = map[string]func() heldLife{
	"row-lock":                  func() heldLife { return heldLocked(RowLock{}, "orders") },
	"row-lock of another table": func() heldLife { return heldLocked(RowLock{Table: "feed"}, "feed") },
	"connections-used-up": func() heldLife {
		return heldLife{
			fault: ConnectionsUsedUp{}, node: heldOn(heldDB()), sees: true,
			asked: "none left", measured: "db: 97 of 97 in use, 85 by the fault",
			healed: "none of the fault's", over: "db: 12 of 97 in use, 0 by the fault",
			undos: []Entry{{Undo: SessionsEnded, Node: "db", Params: map[string]string{"name": "hachaos-connections"}}},
		}
	},
	"database-read-only": func() heldLife {
		return heldLife{
			fault: DatabaseReadOnly{}, node: heldOn(heldDB()), asked: "read-only", measured: "db: read-only", healed: "read and write", over: "db: read and write",
			undos: []Entry{{Undo: SettingReset, Node: "db", Params: map[string]string{"setting": "default_transaction_read_only"}}},
		}
	},
	"database-slow-inside": func() heldLife {
		return heldLife{
			fault: DatabaseSlowInside{Delay: 60 * time.Millisecond}, node: heldOn(heldDB()),
			asked: "60 within 6", measured: "db: 60.0", unit: "ms", healed: "less than 6", over: "db: 0.0",
			undos: []Entry{{Undo: TriggerAbsent, Node: "db", Params: map[string]string{"table": "orders"}}},
		}
	},
	"session-cleanup": func() heldLife {
		return heldLife{
			fault: SessionCleanup{}, node: heldOn(heldDB()),
			asked: "40 dead sessions removed, of those not used for 4h0m0s", measured: "db: 40 dead sessions removed, of those not used for a time from 3h36m0s to 4h24m0s",
			healed: "no trace", over: "db: no trace",
			undos: []Entry{{Undo: NoCleanupTrace, Node: "db"}},
		}
	},
	"session-cleanup by expiry": func() heldLife {
		return heldLife{
			fault: SessionCleanup{Expired: true, Dead: 7}, node: heldOn(heldDB()),
			asked: "7 dead sessions removed, of those that had expired", measured: "db: 7 dead sessions removed, of those that had expired",
			healed: "no trace", over: "db: no trace",
			undos: []Entry{{Undo: NoCleanupTrace, Node: "db"}},
		}
	},
	"disk-full": func() heldLife {
		return heldLife{
			fault: DiskFull{}, node: heldMounted(&heldDisk{}), asked: "0", measured: "db: 0", unit: "bytes free",
			healed: "at least 8192", over: "db: 32768000",
			undos: []Entry{{Undo: FillerAbsent, Node: "db", Params: map[string]string{"path": topology.SmallDisk}}},
		}
	},
	"transaction-kill":                   func() heldLife { return heldDying(TransactionKill{}, "after-commit") },
	"transaction-kill before the commit": func() heldLife { return heldDying(TransactionKill{Point: BeforeCommit}, "before-commit") },
	"crash-loop": func() heldLife {
		f := CrashLoop{Life: 2 * time.Second, Rest: 500 * time.Millisecond}
		m := heldInside(applicationProcess)
		return heldLife{
			fault: f, node: heldRunning(m), bite: func() { time.Sleep(f.Shows()) },
			asked:    "the process dies again and again, at least 2 times, having lived for 2s and rested for 500ms",
			measured: "n1: died 2 times, started 2 times, lived for 2s and rested for 500ms",
			healed:   "the loop is over, the process runs", over: "n1: died 2 times, started 2 times, port 8080 connected",
			undos: []Entry{{Undo: CrashLoopOver, Node: "n1"}},
		}
	},
	"process-freeze": func() heldLife {
		return heldLife{
			fault: ProcessFreeze{}, node: heldRunning(heldInside(applicationProcess)),
			asked: "java stopped", measured: "n1: java in state TT, port 8080 accepts and does not answer",
			healed: "java running", over: "n1: java in state SS, port 8080 answers",
			undos: []Entry{{Undo: ApplicationThawed, Node: "n1", Params: map[string]string{"process": "java"}}},
		}
	},
	"balancer-freeze": func() heldLife {
		return heldLife{
			fault: BalancerFreeze{}, node: heldRunning(heldInside(haproxyProcess)),
			asked: "haproxy stopped", measured: "n1: haproxy in state TT, port 8080 accepts and does not answer",
			healed: "haproxy running", over: "n1: haproxy in state SS, port 8080 answers",
			undos: []Entry{{Undo: ProcessThawed, Node: "n1", Params: map[string]string{"process": "haproxy"}}},
		}
	},
	"balancer-kill": func() heldLife {
		return heldLife{
			fault: BalancerKill{}, node: heldRunning(heldInside(haproxyProcess)),
			asked: "haproxy gone, container running", measured: "n1: haproxy gone, container running, port 8080 refused",
			healed: "haproxy running", over: "n1: haproxy in state SS, port 8080 connected",
			undos: []Entry{{Undo: ProcessRunning, Node: "n1", Params: map[string]string{"process": "haproxy"}}},
		}
	},
	"keepalived-freeze": func() heldLife {
		return heldLife{
			fault: KeepalivedFreeze{}, node: heldRunning(heldInside(keepalivedProcess)),
			asked: "keepalived stopped", measured: "n1: keepalived in state TT", healed: "keepalived running", over: "n1: keepalived in state SS",
			undos: []Entry{{Undo: ProcessThawed, Node: "n1", Params: map[string]string{"process": "keepalived"}}},
		}
	},
	"keepalived-kill": func() heldLife {
		return heldLife{
			fault: KeepalivedKill{}, node: heldRunning(heldInside(keepalivedProcess)),
			asked: "keepalived gone, container running", measured: "n1: keepalived gone, container running", healed: "keepalived running", over: "n1: keepalived in state SS",
			undos: []Entry{{Undo: ProcessRunning, Node: "n1", Params: map[string]string{"process": "keepalived"}}},
		}
	},
	"balancer-reload": func() heldLife {
		return heldLife{
			fault: BalancerReload{}, node: heldBalancing(heldProxy()), asked: "3999", measured: "lb1: 3999", unit: "maxconn",
			healed: "the first configuration", over: "lb1: 2000",
			undos: []Entry{{Undo: BalancerConfig, Node: "lb1", Params: map[string]string{"maxconn": "3999"}}},
		}
	},
	"balancer-reload by a restart": func() heldLife {
		return heldLife{
			fault: BalancerReload{MaxConn: 150, Restart: true}, node: heldBalancing(heldProxy()), asked: "150", measured: "lb1: 150", unit: "maxconn",
			healed: "the first configuration", over: "lb1: 2000",
			undos: []Entry{{Undo: BalancerConfig, Node: "lb1", Params: map[string]string{"maxconn": "150"}}},
		}
	},
	"out-of-memory": func() heldLife {
		m := heldInside(applicationProcess)
		n := heldRunning(m)
		n.limits = topology.Limits{Memory: 1 << 30, CPU: 0.5}
		return heldLife{
			fault: OutOfMemory{}, node: n, bite: func() { m.oom++; m.end() },
			asked: "killed by the kernel for want of memory", measured: "n1: 1 killed for want of memory, process running: false, port 8080 refused",
			healed: "process running again, limit restored", over: "n1: process running: true, port 8080 connected",
			undos: []Entry{{Undo: ProcessRunning, Node: "n1"}, {Undo: LimitsRestored, Node: "n1", Params: map[string]string{"memory": "1073741824"}}},
		}
	},
	"memory-squeeze": func() heldLife {
		n := heldRunning(heldInside(applicationProcess))
		n.limits = topology.Limits{Memory: 1 << 30, CPU: 0.5}
		return heldLife{
			fault: MemorySqueeze{}, node: n,
			asked: "at most 24.0 MiB above what it holds", measured: "n1: limit 224.0 MiB, holds 200.0 MiB, port 8080 connected",
			healed: "limit restored", over: "n1: limit 1024.0 MiB, port 8080 connected",
			undos: []Entry{{Undo: LimitsRestored, Node: "n1", Params: map[string]string{"memory": "1073741824"}}},
		}
	},
	"cpu-starvation": func() heldLife {
		n := heldRunning(heldInside(applicationProcess))
		n.limits = topology.Limits{Memory: 1 << 30, CPU: 0.5}
		return heldLife{
			fault: CPUStarvation{CPU: 0.1}, node: n, within: starvedFor + time.Second,
			asked: "0.1 of a core, at most", measured: "n1: 0.100 of a core, held back in 20 periods",
			healed: "quota and demand gone", over: "n1: demand of a fault: false, port 8080 connected",
			undos: []Entry{{Undo: LimitsRestored, Node: "n1", Params: map[string]string{"cpu": "0.5"}}},
		}
	},
	"database-restart": func() heldLife {
		n := heldRunning(heldInside(databaseProcess))
		return heldLife{
			fault: DatabaseRestart{Pause: 2 * time.Second}, node: n,
			asked: "container ended and started 2s later, or up to 3s more", measured: "n1: away for 2.05s, port 8080 connected",
			healed: "container running, restart over", over: "n1: running since 00:00:02.150000, port 8080 connected",
			undos: []Entry{{Undo: RestartMarkAbsent, Node: "n1"}},
		}
	},
	"instance-restart":            func() heldLife { return heldAgain(InstanceRestart{}, "itself", 143) },
	"instance-restart by SIGKILL": func() heldLife { return heldAgain(InstanceRestart{Kill: true}, "SIGKILL", 137) },
	"instance-stop": func() heldLife {
		n := heldRunning(heldInside(applicationProcess))
		n.ends = 143
		return heldLife{
			fault: InstanceStop{}, node: n,
			asked: "container ended by itself within 10s", measured: "n1: not running, exit status 143, port 8080 timed out",
			healed: "container running again", over: "n1: running, port 8080 connected",
			undos: []Entry{{Undo: ContainerRunning, Node: "n1"}},
		}
	},
	"pool-leak": func() heldLife {
		m := heldInside(applicationProcess)
		return heldLife{
			fault: PoolLeak{Connections: 3}, node: heldHolding(m), beside: true, sees: true,
			asked: "3", measured: "n1: 3", unit: "connections", healed: "0", over: "n1: 0",
			undos: []Entry{{Undo: HoldAbsent, Node: "n1", Params: map[string]string{"what": "pool"}}},
		}
	},
	"threads-exhausted": func() heldLife {
		m := heldInside(applicationProcess)
		return heldLife{
			fault: ThreadsExhausted{}, node: heldHolding(m), beside: true, sees: true,
			asked: "accepts and answers nothing", measured: "n1: no figures from the node, port 8080 accepts and does not answer", healed: "0", over: "n1: 0",
			undos: []Entry{{Undo: HoldAbsent, Node: "n1", Params: map[string]string{"what": "threads"}}},
		}
	},
	"threads-exhausted in part": func() heldLife {
		m := heldInside(applicationProcess)
		return heldLife{
			fault: ThreadsExhausted{Threads: 40}, node: heldHolding(m), beside: true, sees: true,
			asked: "40 threads", measured: "n1: 40 threads", healed: "0", over: "n1: 0",
			undos: []Entry{{Undo: HoldAbsent, Node: "n1", Params: map[string]string{"what": "threads"}}},
		}
	},
}

// heldLocked is a lock of a table's row.
func heldLocked(f RowLock, table string) heldLife {
	return heldLife{
		fault: f, node: heldOn(heldDB()), asked: "locked", measured: "db: locked", healed: "not locked", over: "db: not locked",
		undos: []Entry{{Undo: SessionsEnded, Node: "db", Params: map[string]string{"name": "hachaos-lock-" + table}}},
	}
}

// heldDying is a kill amid the transaction of an order.
func heldDying(f TransactionKill, point string) heldLife {
	m := heldInside(applicationProcess)
	return heldLife{
		fault: f, node: heldRunning(m), bite: m.order,
		asked: "process died " + point + " of an order", measured: "n1: process died " + point + " of operation 12.1, port 8080 refused",
		healed: "no crash point, process running again", over: "n1: no crash point, process running, port 8080 connected",
		undos: []Entry{{Undo: CrashPointsAbsent, Node: "n1"}},
	}
}

// heldAgain is a restart of a container, which would end by itself with 143.
func heldAgain(f InstanceRestart, by string, status int) heldLife {
	n := heldRunning(heldInside(applicationProcess))
	n.ends = 143
	return heldLife{
		fault: f, node: n, asked: "container ended by " + by + " and started again",
		measured: fmt.Sprintf("n1: ended with exit status %d and started again within 50ms", status),
		healed:   "running, no restart pending", over: "n1: running: true, port 8080 connected",
		undos: []Entry{{Undo: RestartMarkAbsent, Node: "n1"}},
	}
}

// heldEach does something with each of them, in a bubble of time of its own.
func heldEach(t *testing.T, do func(t *testing.T, of func() heldLife)) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(heldLives)) {
		t.Run(name, func(t *testing.T) { do(t, heldLives[name]) })
	}
}

// TestAFaultFromItsActToItsEnd: nothing is proven before the act, nothing is healed
// before the undo, and a second undo does no harm.
func TestAFaultFromItsActToItsEnd(t *testing.T) {
	heldEach(t, func(t *testing.T, of func() heldLife) {
		synctest.Test(t, func(t *testing.T) {
			l := of()
			require.NoError(t, l.fault.Validate())
			p, err := l.active(t)
			require.NoError(t, err)
			require.False(t, p.OK, "before the act: %+v", p)
			require.NotEmpty(t, p.How)
			require.NotEqual(t, l.node.name+": ", p.Measured)
			p, err = l.isHealed(t)
			require.NoError(t, err)
			require.True(t, p.OK, "before the act: %+v", p)
			limits, state := l.node.limits, l.node.state.Running

			log := &undos{}
			began := time.Now()
			require.NoError(t, l.inject(t, log))
			require.Equal(t, l.undos, log.all)
			p, err = l.active(t)
			require.NoError(t, err)
			require.True(t, p.OK, "%+v", p)
			require.Equal(t, l.asked, p.Asked)
			require.Equal(t, heldSince(l.measured, began), p.Measured)
			require.Equal(t, l.unit, p.Unit)
			require.NotEmpty(t, p.How)
			require.False(t, p.To.Before(p.From), "%+v", p)
			p, err = l.isHealed(t)
			require.NoError(t, err)
			require.False(t, p.OK, "while it lasts: %+v", p)
			require.Equal(t, l.healed, p.Asked)
			require.NotEmpty(t, p.How)
			require.NotEqual(t, l.node.name+": ", p.Measured)

			for range 2 {
				require.NoError(t, UndoAll(t.Context(), l.nodes(), log.all))
				p, err = l.isHealed(t)
				require.NoError(t, err)
				require.True(t, p.OK, "%+v", p)
				require.Equal(t, heldSince(l.over, began), p.Measured)
				require.NotEmpty(t, p.How)
				require.Equal(t, limits, l.node.limits)
				require.Equal(t, state, l.node.state.Running)
			}
			p, err = l.active(t)
			require.NoError(t, err)
			require.False(t, p.OK, "after its end: %+v", p)
		})
	})
}

// heldSince has the times of a text, which are from the beginning of a day on, begin
// at another.
func heldSince(text string, began time.Time) string {
	const clock = "00:00:02.150000"
	return strings.ReplaceAll(text, clock, began.Add(2150*time.Millisecond).UTC().Format(stamp))
}

// TestASecondActOfAFaultIsRefused: the undo of one would end both.
func TestASecondActOfAFaultIsRefused(t *testing.T) {
	heldEach(t, func(t *testing.T, of func() heldLife) {
		synctest.Test(t, func(t *testing.T) {
			l := of()
			require.NoError(t, l.inject(t, &undos{}))
			log := &undos{}
			err := l.fault.Inject(t.Context(), l.nodes(), log)
			require.ErrorContains(t, err, l.node.name)
			require.ErrorContains(t, err, l.fault.Kind())
			require.Empty(t, log.all)
		})
	})
}

// heldFailing does something for each way in which calls fail, by the engine's word and
// by an exit status.
func heldFailing(do func(way heldWay, status bool), ways ...heldWay) {
	for _, way := range ways {
		for _, status := range []bool{false, true} {
			do(way, status)
		}
	}
}

// TestWhatCannotBeReadIsAnError: a node that says something else is neither bitten nor
// healed.
func TestWhatCannotBeReadIsAnError(t *testing.T) {
	heldEach(t, func(t *testing.T, of func() heldLife) {
		synctest.Test(t, func(t *testing.T) {
			l := of()
			if kind := l.fault.Kind(); l.beside || kind == "instance-stop" || kind == "database-read-only" {
				return // another look tells, or any word but one is no
			}
			require.NoError(t, l.inject(t, &undos{}))
			l.node.exec = says("some words of another program\n")
			_, err := l.active(t)
			require.ErrorContains(t, err, l.node.name+": ")
			if l.fault.Kind() != "instance-restart" { // a file is there or it is not
				_, err = l.isHealed(t)
				require.ErrorContains(t, err, l.node.name+": ")
			}
		})
	})
}

// TestNothingIsProvenWhereALookFails: whichever of the looks it is, and whether the
// engine or the command fails.
func TestNothingIsProvenWhereALookFails(t *testing.T) {
	heldEach(t, func(t *testing.T, of func() heldLife) {
		heldFailing(func(way heldWay, status bool) {
			for _, over := range []bool{false, true} {
				var calls []string
				for from := 0; from <= len(calls); from++ {
					synctest.Test(t, func(t *testing.T) {
						l := of()
						log := &undos{}
						require.NoError(t, l.inject(t, log))
						look := l.active
						if over {
							require.NoError(t, UndoAll(t.Context(), l.nodes(), log.all))
							look = l.isHealed
						}
						l.node.fail(way, from, calls, status)
						p, err := look(t)
						switch {
						case from == 0:
							require.NoError(t, err)
							require.True(t, p.OK)
							calls = l.node.calls
						case !status:
							require.ErrorIs(t, err, errEngine, "call %d of %q", from, calls)
							require.ErrorContains(t, err, l.node.name)
							require.False(t, p.OK)
						case l.sees:
							require.True(t, err != nil || p.Measured != "", "call %d of %q", from, calls)
						default:
							require.ErrorContains(t, err, "exit status 9: no such luck", "call %d of %q", from, calls)
							require.ErrorContains(t, err, l.node.name)
						}
					})
				}
			}
		}, heldFrom, heldLike)
	})
}

// TestAnActThatFailsIsToldWithItsNode: whichever step of it fails; and what had an
// effect until then has an undo.
func TestAnActThatFailsIsToldWithItsNode(t *testing.T) {
	heldEach(t, func(t *testing.T, of func() heldLife) {
		heldFailing(func(way heldWay, status bool) {
			var calls []string
			for from := 0; from <= len(calls); from++ {
				synctest.Test(t, func(t *testing.T) {
					l := of()
					l.node.fail(way, from, calls, status)
					log := &undos{}
					err := l.fault.Inject(t.Context(), l.nodes(), log)
					if from == 0 {
						require.NoError(t, err)
						calls = l.node.calls
						return
					}
					if status {
						require.ErrorContains(t, err, "exit status 9: no such luck", "call %d of %q", from, calls)
					} else {
						require.ErrorIs(t, err, errEngine, "call %d of %q", from, calls)
					}
					require.ErrorContains(t, err, l.node.name)
					require.ErrorContains(t, err, l.fault.Kind())
					l.node.from = 0
					require.NoError(t, UndoAll(t.Context(), l.nodes(), log.all))
					p, err := l.isHealed(t)
					require.NoError(t, err)
					require.True(t, p.OK, "after call %d of %q failed: %+v", from, calls, p)
				})
			}
		}, heldFrom, heldOnce)
	})
}

// TestAnUndoThatFailsIsNotTakenForDone: whichever step of it fails.
func TestAnUndoThatFailsIsNotTakenForDone(t *testing.T) {
	heldEach(t, func(t *testing.T, of func() heldLife) {
		heldFailing(func(way heldWay, status bool) {
			var calls []string
			for from := 0; from <= len(calls); from++ {
				synctest.Test(t, func(t *testing.T) {
					l := of()
					log := &undos{}
					require.NoError(t, l.inject(t, log))
					l.node.fail(way, from, calls, status)
					err := UndoAll(t.Context(), l.nodes(), log.all)
					if from == 0 {
						require.NoError(t, err)
						calls = l.node.calls
						return
					}
					require.Error(t, err, "call %d of %q", from, calls)
					if !status {
						require.ErrorIs(t, err, errEngine)
					}
				})
			}
		}, heldFrom, heldOnce)
	})
}

// TestAnActWaitsForItsUndoToBeSafe: without one nothing is done.
func TestAnActWaitsForItsUndoToBeSafe(t *testing.T) {
	torn := errors.New("the disk is full")
	heldEach(t, func(t *testing.T, of func() heldLife) {
		synctest.Test(t, func(t *testing.T) {
			l := of()
			limits := l.node.limits
			err := l.fault.Inject(t.Context(), l.nodes(), &undos{fails: torn})
			require.ErrorIs(t, err, torn)
			require.ErrorContains(t, err, l.node.name)
			require.ErrorContains(t, err, l.fault.Kind())
			require.Empty(t, l.node.acts)
			require.Equal(t, limits, l.node.limits)
			p, err := l.isHealed(t)
			require.NoError(t, err)
			require.True(t, p.OK, "%+v", p)
		})
	})
}

// TestOneOfTwoTargetsIsHalfAProof: what bites one node is not what was asked for two.
func TestOneOfTwoTargetsIsHalfAProof(t *testing.T) {
	heldEach(t, func(t *testing.T, of func() heldLife) {
		synctest.Test(t, func(t *testing.T) {
			bitten, whole := of(), of()
			whole.node.name = "n2"
			both := append(bitten.nodes(), whole.target())
			log := &undos{}
			require.NoError(t, bitten.inject(t, log))
			p, err := heldLook(t, bitten.within, bitten.fault.Active, both...)
			require.NoError(t, err)
			require.False(t, p.OK, "%+v", p)
			require.Contains(t, p.Measured, bitten.node.name+": ")
			require.Contains(t, p.Measured, "n2: ")
			p, err = heldLook(t, bitten.within, bitten.fault.Healed, both...)
			require.NoError(t, err)
			require.False(t, p.OK, "%+v", p)
			require.NoError(t, whole.inject(t, log))
			p, err = heldLook(t, bitten.within, bitten.fault.Active, both...)
			require.NoError(t, err)
			require.True(t, p.OK, "%+v", p)
		})
	})
}

// heldNothing is a node that cannot be acted on.
type heldNothing struct{}

func (heldNothing) Name() string        { return "n1" }
func (heldNothing) Role() topology.Role { return topology.Database }
func (heldNothing) Exec(context.Context, ...string) (topology.Output, error) {
	return topology.Output{}, errUnasked
}

// TestAFaultHasTargetsThatCanSufferIt: none, or what is no container, is told apart
// from what does not run, before any act.
func TestAFaultHasTargetsThatCanSufferIt(t *testing.T) {
	heldEach(t, func(t *testing.T, of func() heldLife) {
		synctest.Test(t, func(t *testing.T) {
			l := of()
			looks := map[string]func(context.Context, []topology.Node) (Proof, error){"active": l.fault.Active, "healed": l.fault.Healed}
			for want, nodes := range map[error][]topology.Node{ErrNoTargets: nil, ErrCapability: {heldNothing{}}} {
				log := &undos{}
				err := l.fault.Inject(t.Context(), nodes, log)
				require.ErrorIs(t, err, want)
				require.ErrorContains(t, err, l.fault.Kind())
				require.Empty(t, log.all)
				for name, look := range looks {
					p, err := heldLook(t, 0, look, nodes...)
					require.ErrorIs(t, err, want, name)
					p.Unit = ""
					require.Zero(t, p, name)
				}
			}
			l.node.state = topology.State{ExitCode: 1, FinishedAt: time.Now()}
			log := &undos{}
			err := l.fault.Inject(t.Context(), l.nodes(), log)
			require.ErrorIs(t, err, topology.ErrNotRunning)
			require.ErrorContains(t, err, l.fault.Kind()+" "+l.node.name)
			require.Empty(t, log.all)
			require.Equal(t, []string{"inspect"}, l.node.calls, "the engine is asked, and nobody else")
			for name, look := range looks {
				p, err := heldLook(t, 0, look, l.nodes()...)
				require.True(t, err != nil || !p.OK || l.fault.Kind() == "instance-stop" && name == "active", "%s: %+v", name, p)
			}
		})
	})
}

// TestANodeWithoutANamespaceIsToldBeforeAnyAct: the node's figures are read from
// beside it.
func TestANodeWithoutANamespaceIsToldBeforeAnyAct(t *testing.T) {
	heldEach(t, func(t *testing.T, of func() heldLife) {
		synctest.Test(t, func(t *testing.T) {
			l := of()
			if !l.beside {
				return
			}
			bare := []topology.Node{heldBare{l.node}}
			log := &undos{}
			require.ErrorIs(t, l.fault.Inject(t.Context(), bare, log), ErrCapability)
			require.Empty(t, log.all)
			_, err := l.fault.Active(t.Context(), bare)
			require.ErrorIs(t, err, ErrCapability)
			_, err = l.fault.Healed(t.Context(), bare)
			require.ErrorIs(t, err, ErrCapability)
		})
	})
}

// TestAProofTriesThePortOfTheFault: the one that it names, else the node's; where
// there is none, none is tried.
func TestAProofTriesThePortOfTheFault(t *testing.T) {
	const own = 4321
	named := map[string]Fault{
		"transaction-kill": TransactionKill{Port: own}, "crash-loop": CrashLoop{Life: 2 * time.Second, Rest: 500 * time.Millisecond, Port: own},
		"process-freeze": ProcessFreeze{Port: own}, "balancer-freeze": BalancerFreeze{Port: own}, "balancer-kill": BalancerKill{Port: own},
		"out-of-memory": OutOfMemory{Port: own}, "memory-squeeze": MemorySqueeze{Port: own}, "cpu-starvation": CPUStarvation{CPU: 0.1, Port: own},
		"database-restart": DatabaseRestart{Pause: 2 * time.Second, Port: own}, "instance-restart": InstanceRestart{Port: own}, "instance-stop": InstanceStop{Port: own},
	}
	quiet := []string{"cpu-starvation", "instance-restart"} // their effect is none that a port tells
	silent := []string{"crash-loop"}                        // whose port comes and goes
	for name, f := range named {
		for _, port := range []int{own, 8080, 0} {
			t.Run(fmt.Sprintf("%s on %d", name, port), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := heldLives[name]()
					switch port {
					case own:
						l.fault = f
					case 0:
						l.node.port = 0
					}
					log := &undos{}
					require.NoError(t, l.inject(t, log))
					for _, look := range []func(*testing.T) (Proof, error){l.active, l.isHealed} {
						l.node.dials = nil
						p, err := look(t)
						require.NoError(t, err)
						require.True(t, p.OK, "%+v", p)
						switch proves := strings.Join(p.How, "\n"); {
						case p.Asked != l.healed && (slices.Contains(quiet, name) || slices.Contains(silent, name)):
							require.Empty(t, l.node.dials)
						case port == 0:
							require.Empty(t, l.node.dials)
							require.Contains(t, proves, "it serves no known port, so none was tried")
						default:
							require.Equal(t, []string{fmt.Sprintf("198.18.7.21:%d", port)}, l.node.dials)
							require.Contains(t, proves, fmt.Sprintf("port %d", port))
						}
						require.NoError(t, UndoAll(t.Context(), l.nodes(), log.all))
					}
				})
			})
		}
	}
}

// TestAPortThatSaysOtherwiseSpoilsTheProof: the process is one witness, its port
// another.
func TestAPortThatSaysOtherwiseSpoilsTheProof(t *testing.T) {
	all := []string{refused, unreachable, silent, answered}
	for name, tc := range map[string]struct{ active, healed []string }{
		"transaction-kill": {[]string{refused}, []string{silent, answered}},
		"crash-loop":       {all, []string{silent, answered}},
		"process-freeze":   {[]string{silent, unreachable}, []string{answered}},
		"balancer-freeze":  {[]string{silent}, []string{answered}},
		"balancer-kill":    {[]string{refused}, []string{silent, answered}},
		"out-of-memory":    {[]string{refused}, []string{silent, answered}},
		"memory-squeeze":   {[]string{silent, answered}, []string{silent, answered}},
		"cpu-starvation":   {all, []string{silent, answered}},
		"database-restart": {[]string{silent, answered}, []string{silent, answered}},
		"instance-restart": {all, []string{silent, answered}},
		"instance-stop":    {[]string{refused, unreachable}, []string{silent, answered}},
		"keepalived-kill":  {all, all},
		"balancer-reload":  {all, all},
	} {
		for _, how := range all {
			t.Run(name+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := heldLives[name]()
					log := &undos{}
					require.NoError(t, l.inject(t, log))
					l.node.serves = func() string { return how }
					p, err := l.active(t)
					require.NoError(t, err)
					require.Equal(t, slices.Contains(tc.active, how), p.OK, "%+v", p)
					require.NoError(t, UndoAll(t.Context(), l.nodes(), log.all))
					p, err = l.isHealed(t)
					require.NoError(t, err)
					require.Equal(t, slices.Contains(tc.healed, how), p.OK, "%+v", p)
				})
			})
		}
	}
}
