package historytest_test

import (
	"fmt"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// always is a test that ends with a panic; yours passes its t.
type always struct{}

func (always) Helper()                      {}
func (always) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }

// A history of three operations around the death of a node.
func Example() {
	const ms = time.Millisecond
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, 100*ms)
	b.Phase("break", history.PhaseBreak, 100*ms, 200*ms)
	order := b.Op(history.OpOrder, 20*ms).Value(7).OK()
	b.Op(history.OpSessionWrite, 110*ms).Bound("j2").Info(history.ErrReset)
	b.Op(history.OpSessionRead, 150*ms).Value(1).OK()
	b.Fault("instance-kill", 100*ms, "j2").Active(105 * ms)
	b.Row(200*ms, 7, order, 1, "j1")

	h := b.Build(always{})
	for i := range h.Ops {
		o := &h.Ops[i]
		p, _ := h.PhaseOf(o)
		fmt.Printf("%d %v %v in %s %q\n", o.ID, o.Type, o.Outcome, p.Name, h.ErrorOf(o))
	}
	fmt.Println("victims:", h.Victims())
	// Output:
	// 1 order ok in steady ""
	// 2 session-write info in break "reset"
	// 3 session-read ok in break ""
	// victims: [j2]
}
