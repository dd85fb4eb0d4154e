package assert

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/hachaos/hachaos/history"
)

// KeyContract expects an idempotency key that is used again to mean what it says
// (seed 003 §11; draft-ietf-httpapi-idempotency-key-header, 2.7):
//
//	again          the same request is answered with the first one's order
//	other request  another request under the key is refused
//	other tenant   the key is another tenant's own: its request is carried out for itself
//
// and tells what is not so apart:
//
//	placed again            the same request led to another order              violation
//	retry refused           it was refused, so that its client learns nothing  violation
//	other request answered  a request was answered that was not carried out,
//	                        or carried out under the key of another            violation
//	another tenant's order  a tenant was answered with another one's order     violation
//	refused to a tenant     it was refused for another one's key               violation
//
// Refused for the key is a status of 409 or 422. Any other, no answer, one that no node
// gave, and a 2xx that names no order say nothing. The violations rest on the client's
// own record, so they stand although a need is missing. The zero value is ready to use.
type KeyContract struct{}

// Name implements Checker.
func (KeyContract) Name() string { return "key-contract" }

// About implements Checker.
func (KeyContract) About() string {
	return "an idempotency key stands for one request of one tenant (0 uses answered otherwise)"
}

// Needs implements Checker.
func (KeyContract) Needs() []Need {
	return []Need{{Kind: NeedStream, Stream: history.StreamKeyUse}}
}

// Check implements Checker. Measured is the number of uses that violate. It is not
// exercised if a key was never used in one of the ways with an answer, or never at
// another node than the first answer's.
func (KeyContract) Check(h *history.History) Verdict {
	v := Verdict{Bound: figure(0), Op: "<=", Unit: "uses"}
	answered, bad := map[string]int{}, 0
	elsewhere, unanswered, unplaced := 0, 0, 0
	for _, u := range h.KeyUses {
		if u.V.First == 0 {
			unplaced++
			continue
		}
		class, told := keyClass(u.V)
		if !told {
			unanswered++
			continue
		}
		answered[u.V.Asked]++
		if u.V.FirstNode != "" && u.V.Node != u.V.FirstNode {
			elsewhere++
		}
		if class != "" {
			bad++
			v.Evidence = append(v.Evidence, Evidence{Seq: u.Seq, At: u.Time, Node: u.V.Node, Class: class, Text: keyText(u.V)})
		}
	}
	all := answered[history.KeyAgain] + answered[history.KeyOtherRequest] + answered[history.KeyOtherTenant]
	v.Measured = figure(float64(bad))
	v.Measures = []Measure{
		{Name: "violating", Value: float64(bad), Unit: "uses", Bound: figure(0)},
		{Name: "same request", Value: float64(answered[history.KeyAgain]), Unit: "uses"},
		{Name: "other request", Value: float64(answered[history.KeyOtherRequest]), Unit: "uses"},
		{Name: "other tenant", Value: float64(answered[history.KeyOtherTenant]), Unit: "uses"},
		{Name: "at another node", Value: float64(elsewhere), Unit: "uses", Note: "than the one that gave the first answer"},
		{Name: "without an answer", Value: float64(unanswered), Unit: "uses", Note: "that says yes, or no to the key"},
		{Name: "not used again", Value: float64(unplaced), Unit: "keys", Note: "their first order was not acknowledged"},
	}
	switch {
	case bad > 0:
		v.Status, v.Safety = Fail, true
		v.Summary = fmt.Sprintf("Of %s of an idempotency key, %d were answered otherwise than the key says.", count(all, "second use"), bad)
		v.Fix = valueFix(h, "look a key up with its tenant, keep it in the transaction of what it is for, and compare the request with the first one's", ValueDedupe)
	case all == 0:
		v.Measured, v.NotExercised = nil, true
		v.Summary = "No key was used again and answered."
		inconclusive(&v, "no key was used again and answered")
	default:
		v.Status = Pass
		v.NotExercised = elsewhere == 0 || answered[history.KeyAgain] == 0 || answered[history.KeyOtherRequest] == 0 || answered[history.KeyOtherTenant] == 0
		v.Summary = fmt.Sprintf("All %d second uses of a key were answered as it says: %d for the same request, %d for another, %d by another tenant; %d at another node than the first.",
			all, answered[history.KeyAgain], answered[history.KeyOtherRequest], answered[history.KeyOtherTenant], elsewhere)
	}
	return v
}

// keyClass is what is wrong with the answer; told is false if it says nothing.
func keyClass(u history.KeyUse) (class string, told bool) {
	refused := u.Status == http.StatusConflict || u.Status == http.StatusUnprocessableEntity
	placed := u.Status/100 == 2 && u.Order != 0
	if u.Node == "" || !refused && !placed {
		return "", false
	}
	switch u.Asked {
	case history.KeyAgain:
		switch {
		case refused:
			return "retry refused", true
		case u.Order != u.First:
			return "placed again", true
		}
	case history.KeyOtherRequest:
		if placed {
			return "other request answered", true
		}
	case history.KeyOtherTenant:
		switch {
		case refused:
			return "refused to a tenant", true
		case u.Order == u.First:
			return "another tenant's order", true
		}
	default:
		return "", false
	}
	return "", true
}

// keyText is a violation in words.
func keyText(u history.KeyUse) string {
	who := "the same request again"
	switch u.Asked {
	case history.KeyOtherRequest:
		who = "another request under it"
	case history.KeyOtherTenant:
		who = "the same request of another tenant"
	}
	answer := fmt.Sprintf("was refused with %d", u.Status)
	switch {
	case u.Status/100 == 2 && u.Order == u.First:
		answer = fmt.Sprintf("got %d and order %d, too", u.Status, u.Order)
	case u.Status/100 == 2:
		answer = fmt.Sprintf("got %d and order %d", u.Status, u.Order)
	}
	return fmt.Sprintf("key %s stands for order %d, by %s; %s %s, by %s",
		u.Key, u.First, cmp.Or(u.FirstNode, "a node without a name"), who, answer, u.Node)
}
