package assert

import (
	"fmt"
	"slices"

	"github.com/hachaos/hachaos/history"
)

// EventDelivery expects the event of each order that is in the ledger to have
// reached whoever waits for it, at least once: an order that is committed and
// answered and whose event is lost is the failure after the response that no
// HTTP status shows. It joins the ledger and the deliveries, both read in the
// end, by the order's number.
//
//	delivered     once or more
//	lost          in the ledger, acknowledged or not, and nobody has its event   violation
//	stuck         its event is kept, and nobody delivered it in time             violation
//	phantom       an event of an order that the ledger does not hold             violation
//
// More than one delivery is what "at least once" promises, and is counted. On
// a topology that outlives the run, what is not in this run's ledger is not
// judged. The violations rest on the database alone, so they stand although a
// need is missing, but not without both streams whole. The zero value is ready
// to use.
type EventDelivery struct{}

// Name implements Checker.
func (EventDelivery) Name() string { return "event-delivery" }

// About implements Checker.
func (EventDelivery) About() string {
	return "the event of each order in the ledger is delivered at least once (0 lost, stuck or phantom events)"
}

// Needs implements Checker.
func (EventDelivery) Needs() []Need {
	return []Need{{Kind: NeedFault}, {Kind: NeedStream, Stream: history.StreamLedger}, {Kind: NeedStream, Stream: history.StreamDelivery}}
}

// Check implements Checker. Measured is the number of orders whose event is
// not as it should be; it is not exercised if no victim of a fault had written
// an order.
func (EventDelivery) Check(h *history.History) Verdict {
	v := Verdict{Bound: figure(0), Op: "<=", Unit: "events"}
	delivered := make(map[int64]*history.Delivery, len(h.Deliveries))
	for i := range h.Deliveries {
		delivered[h.Deliveries[i].V.Order] = &h.Deliveries[i].V
	}
	victims := victimNames(h)
	counts := map[string]int{}
	rows := make(map[int64]bool, len(h.Ledger))
	onVictims := 0
	for _, row := range h.Ledger {
		rows[row.V.Order] = true
		if victims[row.V.Node] {
			onVictims++
		}
		d := delivered[row.V.Order]
		class := "delivered"
		switch {
		case d == nil:
			class = "lost"
		case d.Times == 0:
			class = "stuck"
		case d.Times > 1:
			counts["repeated"]++
		}
		counts[class]++
		if d != nil && d.Times > 0 && !slices.Contains(d.Nodes, row.V.Node) {
			counts["by another node"]++
		}
		if class != "delivered" {
			v.Evidence = append(v.Evidence, Evidence{
				Seq: row.Seq, Op: row.V.Op, At: row.Time, Node: row.V.Node, Class: class,
				Text: fmt.Sprintf("order %d, key %q, written by %s: %s", row.V.Order, row.V.Key, row.V.Node, eventText(class)),
			})
		}
	}
	if !h.Meta.Standing {
		for _, d := range h.Deliveries {
			if !rows[d.V.Order] {
				counts["phantom"]++
				v.Evidence = append(v.Evidence, Evidence{
					Seq: d.Seq, At: d.Time, Class: "phantom",
					Text: fmt.Sprintf("an event of order %d was delivered, which the ledger does not hold", d.V.Order),
				})
			}
		}
	}
	for _, name := range []string{"delivered", "lost", "stuck", "phantom"} {
		m := Measure{Name: name, Value: float64(counts[name]), Unit: "events"}
		if name != "delivered" {
			m.Bound = figure(0)
		}
		v.Measures = append(v.Measures, m)
	}
	v.Measures = append(v.Measures,
		Measure{Name: "delivered more than once", Value: float64(counts["repeated"]), Unit: "events", Note: "at least once is promised"},
		Measure{Name: "delivered by another node", Value: float64(counts["by another node"]), Unit: "events", Note: "than the one that wrote the order"},
	)
	bad := counts["lost"] + counts["stuck"] + counts["phantom"]
	v.Measured = figure(float64(bad))
	for _, s := range []string{history.StreamLedger, history.StreamDelivery} {
		if missing := missingStream(h, s); missing != "" {
			v.Measured = nil
			v.Summary = "Ledger and deliveries were not both read whole, so they settle nothing."
			inconclusive(&v, missing)
		}
	}
	switch {
	case len(v.Reasons) > 0:
	case bad > 0:
		v.Status, v.Safety = Fail, true
		v.Summary = fmt.Sprintf("The events of %s are not as they should be: %d lost, %d stuck, %d phantom.",
			count(bad, "order"), counts["lost"], counts["stuck"], counts["phantom"])
		v.Fix = valueFix(h, "keep the event in an outbox, in the order's own transaction, and deliver it from there", ValueOutbox)
	case len(rows) == 0:
		v.Measured, v.NotExercised = nil, true
		v.Summary = "The ledger holds no order."
		inconclusive(&v, "no order was written")
	default:
		v.Status = Pass
		v.NotExercised = onVictims == 0
		v.Summary = fmt.Sprintf("The events of all %d orders were delivered, %d of them by another node than the order's and %d more than once; victims had written %d.",
			len(rows), counts["by another node"], counts["repeated"], onVictims)
	}
	return v
}

func eventText(class string) string {
	if class == "stuck" {
		return "its event is kept, and nobody delivered it"
	}
	return "its event was neither delivered nor kept"
}
