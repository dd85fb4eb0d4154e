package fault

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// rolledOrder is an order to balancers about j1, with what it does there.
type rolledOrder struct {
	fault         Fault
	unnamed       Fault // which takes its servers from the targets
	command, undo string
	asked, shown  string
	over          string // asked of Healed
	back          string // the command of the undo
	noted         bool   // the note tells whether it is over
}

func rolledOrdersOf() map[string]rolledOrder {
	return map[string]rolledOrder{
		"drain": {
			Drain{Server: "j1"},
			Drain{},
			"set server nodes/j1 state drain", ServerReady,
			"j1 DRAIN at every balancer", "DRAIN", "j1 with no DRAIN at every balancer", "set server nodes/j1 state ready", true,
		},
		"maintenance": {
			Maintenance{Server: "j1"},
			Maintenance{},
			"set server nodes/j1 state maint", ServerReady,
			"j1 MAINT at every balancer", "MAINT", "j1 with no MAINT at every balancer", "set server nodes/j1 state ready", true,
		},
		"weight": {
			Weight{Server: "j1", Weight: 20},
			Weight{Weight: 20},
			"set weight nodes/j1 20", ServerWeight,
			"20", "20", "the configuration's weight", "set weight nodes/j1 100%", false,
		},
		"health-check-liar": {
			HealthCheckLiar{Server: "j1"},
			HealthCheckLiar{},
			"disable health nodes/j1", ServerChecked,
			"j1: no check", "no check", "j1: checked", "enable health nodes/j1", false,
		},
	}
}

// lbs are the balancers among the nodes, and pair those with the application node j1.
func (s *rolledStack) lbs() []topology.Node  { return s.nodes()[len(s.apps):] }
func (s *rolledStack) pair() []topology.Node { return append(s.lbs(), s.apps[0]) }

// TestAnOrderIsProvenAtEveryBalancerAndTakenBack: it acts on the one server, at each
// balancer after its undo was recorded.
func TestAnOrderIsProvenAtEveryBalancerAndTakenBack(t *testing.T) {
	for name, o := range rolledOrdersOf() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(2, 2)
				require.False(t, rolledProof(t, o.fault.Active, s.lbs()).OK)
				began := time.Now()
				require.NoError(t, o.fault.Inject(t.Context(), s.lbs(), s))
				require.Equal(t, []string{
					"record " + o.undo + " lb1 nodes/j1", "lb1 " + o.command,
					"record " + o.undo + " lb2 nodes/j1", "lb2 " + o.command,
				}, s.words())
				require.Equal(t, name+".j1", s.undos[1].Params["note"])

				p := rolledProof(t, o.fault.Active, s.lbs())
				require.True(t, p.OK, "%+v", p)
				require.Equal(t, o.asked, p.Asked)
				require.Equal(t, "lb1: "+o.shown+"; lb2: "+o.shown, p.Measured)
				require.True(t, p.From.Equal(began) && p.To.Equal(began.Add(time.Millisecond)), "when it was told: %+v", p)
				healed := rolledProof(t, o.fault.Healed, s.lbs())
				require.False(t, healed.OK)
				require.Equal(t, p.Measured, healed.Measured)
				require.Zero(t, healed.From)
				require.Zero(t, healed.To)
				require.True(t, rolledProof(t, o.unnamed.Active, s.pair()).OK, "the same of a server that is aimed at")

				s.acts = nil
				s.undo(t)
				back := []string{"lb2 " + o.back, "lb1 " + o.back}
				require.Equal(t, append(back, back...), s.words())
				p = rolledProof(t, o.fault.Healed, s.lbs())
				require.True(t, p.OK, "%+v", p)
				require.Equal(t, o.over, p.Asked)
				require.False(t, rolledProof(t, o.fault.Active, s.lbs()).OK)
			})
		})
	}
}

// TestAnOrderThatIsHalfDoneIsNone: nor one of another server.
func TestAnOrderThatIsHalfDoneIsNone(t *testing.T) {
	for name, o := range rolledOrdersOf() {
		for what, set := range map[string]func(*rolledStack){
			"at one balancer":   func(s *rolledStack) { s.balancers[0].tell(o.command) },
			"of another server": func(s *rolledStack) { s.both(strings.Replace(o.command, "j1", "j2", 1)) },
			"not at all":        func(*rolledStack) {},
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := rolled(2, 2)
					set(s)
					p := rolledProof(t, o.fault.Active, s.lbs())
					require.False(t, p.OK, "%+v", p)
					require.Contains(t, p.Measured, "lb2: ")
					require.NotContains(t, p.Measured, "lb2: "+o.shown)
					require.Equal(t, what == "at one balancer", strings.Contains(p.Measured, "lb1: "+o.shown))
					require.Equal(t, what != "at one balancer", rolledProof(t, o.fault.Healed, s.lbs()).OK)
				})
			})
		}
	}
}

// both tells both balancers.
func (s *rolledStack) both(command string) {
	for _, b := range s.balancers {
		b.tell(command)
	}
}

// TestABalancerThatIsGoneProvesNothing: neither that the order acts nor that it is
// over; and its undo has nothing to do there.
func TestABalancerThatIsGoneProvesNothing(t *testing.T) {
	for name, o := range rolledOrdersOf() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 2)
				require.NoError(t, o.fault.Inject(t.Context(), s.lbs(), s))
				s.balancers[1].gone = true
				for _, look := range []func(context.Context, []topology.Node) (Proof, error){o.fault.Active, o.fault.Healed} {
					p := rolledProof(t, look, s.lbs())
					require.False(t, p.OK, "%+v", p)
					require.Equal(t, "lb1: "+o.shown+"; lb2: no answer", p.Measured)
					require.Contains(t, p.How, "lb2: nothing listens on HAProxy's runtime socket")
				}
				s.undo(t)
				require.NotContains(t, s.did(), "lb2 "+o.back)
				require.False(t, rolledProof(t, o.fault.Healed, s.lbs()).OK)
			})
		})
	}
}

// TestAnOrderThatIsNotTakenIsAnError: which names the balancer and the server, and no
// further balancer is told.
func TestAnOrderThatIsNotTakenIsAnError(t *testing.T) {
	for name, o := range rolledOrdersOf() {
		look := " " + showServers
		if name == "weight" {
			look = " get weight nodes/j1"
		}
		for what, tc := range map[string]struct {
			breaks, err string
			done        int // acts
		}{
			"the first":         {"lb1 " + o.command, name + " of j1 at lb1: exit status 1: HAProxy: it fails", 2},
			"the second":        {"lb2 " + o.command, name + " of j1 at lb2: exit status 1: HAProxy: it fails", 4},
			"the record":        {"record " + o.undo + " lb2 nodes/j1", name + " of j1 at lb2: " + errRolled.Error(), 3},
			"the look at first": {"lb2" + look, "balancer lb2: ", 0},
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := rolled(1, 2)
					s.breaks = func(w string) bool { return w == tc.breaks }
					require.ErrorContains(t, o.fault.Inject(t.Context(), s.lbs(), s), tc.err)
					require.Len(t, s.acts, tc.done)
				})
			})
		}
		t.Run(name+" of nobody", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 2)
				for _, f := range []func() error{
					func() error { return o.fault.Inject(t.Context(), nil, s) },
					func() error { _, err := o.fault.Active(t.Context(), nil); return err },
					func() error { _, err := o.fault.Healed(t.Context(), nil); return err },
				} {
					require.ErrorIs(t, f(), ErrNoTargets)
				}
				s.balancers[1].served.state = topology.State{}
				err := o.fault.Inject(t.Context(), s.lbs(), s)
				require.ErrorIs(t, err, topology.ErrNotRunning)
				require.ErrorContains(t, err, name+" lb2: it had ended before")
				require.Empty(t, s.acts)
			})
		})
	}
}

// TestALookAtABalancerThatComplainsIsAnError: it is neither proof nor disproof.
func TestALookAtABalancerThatComplainsIsAnError(t *testing.T) {
	for name, o := range rolledOrdersOf() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 2)
				require.NoError(t, o.fault.Inject(t.Context(), s.lbs(), s))
				s.breaks = func(w string) bool { return strings.HasPrefix(w, "lb2 ") }
				for _, look := range []func(context.Context, []topology.Node) (Proof, error){o.fault.Active, o.fault.Healed} {
					ctx, cancel := context.WithTimeout(t.Context(), 3*poll)
					p, err := look(ctx, s.lbs())
					cancel()
					require.ErrorContains(t, err, "lb2: ")
					require.ErrorContains(t, err, "it fails")
					p.Unit = ""
					require.Zero(t, p)
				}
			})
		})
	}
}

// TestAnOrderThatCannotBeTakenBackIsAnError: of its undo.
func TestAnOrderThatCannotBeTakenBackIsAnError(t *testing.T) {
	for name, o := range rolledOrdersOf() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 2)
				require.NoError(t, o.fault.Inject(t.Context(), s.lbs(), s))
				s.breaks = func(w string) bool { return w == "lb2 "+o.back }
				require.EqualError(t, UndoAll(t.Context(), s.nodes(), s.undos), "undo "+o.undo+" on lb2: exit status 1: HAProxy: it fails")
				require.Contains(t, s.did(), "lb1 "+o.back, "the other is taken back all the same")
			})
		})
	}
}

func TestTheVictimOfAnOrderIsTheServerThatIsNamed(t *testing.T) {
	for name, o := range rolledOrdersOf() {
		require.Equal(t, []string{"j1"}, o.fault.(Indirect).Victims(), name)
		require.Empty(t, o.unnamed.(Indirect).Victims(), name)
	}
}

// TestADrainedServerIsChosenForNothing: the requests that a cookie binds to it are no
// matter.
func TestADrainedServerIsChosenForNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		set      func(*rolledStack)
		ok       bool
		measured string
		how      string
	}{
		"nothing":          {func(*rolledStack) {}, true, "lb1: DRAIN; lb2: DRAIN", "lb2: between two looks it chose j1 for 0 requests"},
		"only bound ones":  {func(s *rolledStack) { s.server(2, 1).sends = 5 }, true, "lb1: DRAIN; lb2: DRAIN", "lb2: between two looks it chose j1 for 0 requests"},
		"chosen":           {func(s *rolledStack) { s.server(2, 1).chooses = 1 }, false, "lb1: DRAIN; lb2: DRAIN", "lb2: between two looks it chose j1 for 1 requests"},
		"maintained since": {func(s *rolledStack) { s.server(1, 1).state = stateMaint }, true, "lb1: MAINT; lb2: DRAIN", "lb1: its view of j1 is MAINT"},
		"maintained only": {func(s *rolledStack) {
			s.server(1, 1).state = stateMaint
			delete(s.balancers[0].notes, "drain.j1")
		}, false, "lb1: MAINT; lb2: DRAIN", "lb1: its view of j1 is MAINT"},
		"made ready by hand": {func(s *rolledStack) { s.server(1, 1).state = stateReady }, false, "lb1: UP; lb2: DRAIN", "lb1: its view of j1 is UP"},
		"down":               {func(s *rolledStack) { s.server(1, 1).status = "DOWN" }, false, "lb1: DOWN; lb2: DRAIN", "lb1: its view of j1 is DOWN"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 2)
				require.NoError(t, Drain{}.Inject(t.Context(), s.pair(), s))
				tc.set(s)
				p := rolledProof(t, Drain{}.Active, s.pair())
				require.Equal(t, tc.ok, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.Contains(t, p.How, tc.how)
			})
		})
	}
}

// TestAnOrderWhoseNoteIsLeftIsNotOver: a balancer that was told otherwise by hand goes
// back to it by the undo of another.
func TestAnOrderWhoseNoteIsLeftIsNotOver(t *testing.T) {
	for name, o := range rolledOrdersOf() {
		if !o.noted {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 2)
				require.NoError(t, o.fault.Inject(t.Context(), s.lbs(), s))
				s.both("set server nodes/j1 state ready")
				p := rolledProof(t, o.fault.Healed, s.lbs())
				require.False(t, p.OK, "%+v", p)
				require.Equal(t, "lb1: UP; lb2: UP", p.Measured)
				require.Contains(t, p.How, "lb1: its view of j1 is UP")
				require.Contains(t, p.How, "lb1: the note of the order is there: true")
			})
		})
	}
}

// TestADrainAndAMaintenanceOutliveEachOther: what is undone leaves the other.
func TestADrainAndAMaintenanceOutliveEachOther(t *testing.T) {
	for name, tc := range map[string]struct{ first, left Fault }{
		"the maintenance goes": {Maintenance{}, Drain{}},
		"the drain goes":       {Drain{}, Maintenance{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 2)
				undos := map[string][]Entry{}
				for _, f := range []Fault{Drain{}, Maintenance{}} {
					s.undos = nil
					require.NoError(t, f.Inject(t.Context(), s.pair(), s))
					undos[f.Kind()] = s.undos
				}
				for _, f := range []Fault{Drain{}, Maintenance{}} {
					require.True(t, rolledProof(t, f.Active, s.pair()).OK, f.Kind())
				}
				require.ErrorContains(t, Drain{}.Inject(t.Context(), s.pair(), s), "its view of j1 is MAINT already")
				s.undos = undos[tc.first.Kind()]
				s.undo(t)
				require.True(t, rolledProof(t, tc.first.Healed, s.pair()).OK)
				require.True(t, rolledProof(t, tc.left.Active, s.pair()).OK)
				s.undos = undos[tc.left.Kind()]
				s.undo(t)
				require.Equal(t, "UP", s.server(1, 1).shown())
			})
		})
	}
}

// TestAnOrderOfAServerThatIsNotThereIsRefused: by the balancer that has it not.
func TestAnOrderOfAServerThatIsNotThereIsRefused(t *testing.T) {
	for name, f := range map[string]Fault{
		"drain": Drain{Server: "j9"}, "maintenance": Maintenance{Server: "j9"}, "health-check-liar": HealthCheckLiar{Server: "j9"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 2)
				require.EqualError(t, f.Inject(t.Context(), s.lbs(), s), name+` lb1: balancer lb1: it has no server "j9"`)
				require.Empty(t, s.acts)
				for _, look := range []func(context.Context, []topology.Node) (Proof, error){f.Active, f.Healed} {
					ctx, cancel := context.WithTimeout(t.Context(), 3*poll)
					_, err := look(ctx, s.lbs())
					cancel()
					require.EqualError(t, err, `lb1: show stat: the balancer has no server "j9"`)
				}
			})
		})
	}
}
