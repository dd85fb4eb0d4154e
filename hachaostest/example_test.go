package hachaostest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/hachaostest"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/scenarios"
)

// A team's own test: the stack is brought up, a node is killed under load,
// and the test fails, with the evidence, if users would have noticed.
func Example() {
	_ = func(t *testing.T) { // TestSurvivesTheLossOfANode
		hachaostest.Run(t, scenarios.InstanceKill(), hachaostest.Nodes(3))
	}
	// Output:
}

// An application that keeps a part of docs/wire.md: what it cannot show is left out.
func ExampleImage() {
	_ = func(t *testing.T) { // TestTheShopSurvivesTheLossOfANode
		s := scenarios.InstanceKill()
		s.Load.Writes, s.Load.Reads = 1, 1 // and no orders
		s.Asserts = slices.DeleteFunc(s.Asserts, func(c assert.Checker) bool {
			return slices.Contains([]string{"write-ledger", "readiness-gating", "failover-anatomy"}, c.Name())
		})
		s.Exercises = []string{"session-survival"}
		hachaostest.Run(t, s, hachaostest.Image("jetty", "shop:1.2"))
	}
	// Output:
}

// Logins is an assertion of a team's own: each login is answered well within Most, in
// seconds.
type Logins struct {
	Most float64 `json:"most"`
}

func (Logins) Name() string    { return "logins" }
func (l Logins) About() string { return fmt.Sprintf("each login is answered well within %v s", l.Most) }

// Needs says that a generator which is late makes a login late, too.
func (Logins) Needs() []assert.Need { return []assert.Need{{Kind: assert.NeedGenerator}} }

func (l Logins) Check(h *history.History) assert.Verdict {
	longest, seen := time.Duration(0), 0
	v := assert.Verdict{Name: l.Name(), Status: assert.Pass, Op: "<=", Unit: "s", Bound: &l.Most}
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Type != history.Login {
			continue
		}
		seen++
		took, done := o.Latency()
		longest = max(longest, took)
		if !done || o.Outcome != history.Good || took.Seconds() > l.Most {
			v.Status = assert.Fail
			v.Evidence = append(v.Evidence, assert.Evidence{Op: o.ID, At: o.Intended, Class: "login", Text: fmt.Sprintf("after %v: %s", took, h.ErrorOf(o))})
		}
	}
	measured := longest.Seconds()
	v.Measured, v.NotExercised = &measured, seen == 0
	v.Summary = fmt.Sprintf("%d logins, of which the longest took %v.", seen, longest)
	return v
}

// An assertion of one's own: it is judged with those of the scenario.
func ExampleCheckers() {
	_ = func(t *testing.T) { // TestLoginsStayFast
		s := scenarios.InstanceKill()
		s.Asserts = append(s.Asserts, Logins{Most: 1})
		hachaostest.Run(t, s, hachaostest.Checkers(assert.Table{"logins": assert.Typed[Logins]()}))
	}
	// Output:
}
