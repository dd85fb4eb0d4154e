package assert

import (
	"fmt"

	"github.com/hachaos/hachaos/history"
)

// Leftovers expects that nothing of the run is left once it was torn down:
// what bears the run's label, and what hachaos can create, compared with a
// snapshot from before. The zero value is ready to use.
type Leftovers struct{}

// Name implements Checker.
func (Leftovers) Name() string { return "leftovers" }

// About implements Checker.
func (Leftovers) About() string { return "nothing that the run created is left behind (0)" }

// Needs implements Checker.
func (Leftovers) Needs() []Need {
	return []Need{{Kind: NeedStream, Stream: history.StreamLeftover}}
}

// Check implements Checker. Measured is the number of things left.
func (l Leftovers) Check(h *history.History) Verdict {
	n := len(h.Leftovers)
	v := Verdict{
		Name: l.Name(), Measured: figure(float64(n)), Bound: figure(0), Op: "<=", Unit: "leftovers",
		Summary: "Nothing of the run is left.", Status: Pass,
	}
	if n == 0 {
		return v
	}
	v.Status = Fail
	v.Summary = fmt.Sprintf("%s of the run remained after the teardown.", count(n, "thing"))
	v.Fix = "`hachaos gc` removes what runs left behind"
	for _, o := range h.Leftovers {
		v.Evidence = append(v.Evidence, Evidence{
			Seq: o.Seq, At: o.Time, Class: o.V.Kind, Text: leftoverText(o.V),
		})
	}
	return v
}

func leftoverText(l history.Leftover) string {
	text := l.Kind + " " + l.Name
	if l.Detail != "" {
		text += " (" + l.Detail + ")"
	}
	if l.Remove != "" {
		text += "; remove it with: " + l.Remove
	}
	return text
}
