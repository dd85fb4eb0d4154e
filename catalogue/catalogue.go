// Package catalogue lists what the documents that hachaos was made for ask of a
// highly available system, item by item, and what answers each: the assertions
// of scenarios, or the reason why nothing does. docs/catalogue.md is generated
// of it, and an audit fills it in.
package catalogue

import (
	"slices"
	"strings"
)

// Item is something that is asked.
type Item struct {
	// Refs say where, as the page does: "§17.2", "§30 3" (section and number),
	// "drain order". Empty: what no document asks.
	Refs []string
	// Asks is what is asked, and Holds what is so where the answer is yes. An
	// empty Holds is Asks.
	Asks, Holds string
	// By is what answers it: every assertion of every scenario that is named. If
	// it is empty, nothing does, and Why says why.
	By  []Judge
	Why string
	// Part says what of it By does not ask.
	Part string
	// Yet says that nothing stands in the way of a test: only nobody has written
	// it.
	Yet bool
}

// Judge names assertions that answer an item, each in each of the scenarios.
type Judge struct {
	Scenarios, Assertions Names
	// Mutant is a planted defect of the zoo, of this one scenario, without which
	// nobody would ask: it is what shows that the assertion can say no.
	Mutant string
}

// Names are names with spaces between them.
type Names string

// List are the names, one by one.
func (n Names) List() []string { return strings.Fields(string(n)) }

// Claim is one assertion in one scenario.
type Claim struct{ Scenario, Assertion, Mutant string }

// Claims are those of the item's judges, in their order.
func (i Item) Claims() []Claim {
	var out []Claim
	for _, j := range i.By {
		for _, s := range j.Scenarios.List() {
			for _, a := range j.Assertions.List() {
				out = append(out, Claim{s, a, j.Mutant})
			}
		}
	}
	return out
}

// Tested says whether anything answers the item.
func (i Item) Tested() bool { return len(i.By) > 0 }

// Names says whether the scenario, as it stands, answers some of the item.
func (i Item) Names(scenario string) bool {
	return slices.ContainsFunc(i.By, func(j Judge) bool {
		return j.Mutant == "" && slices.Contains(j.Scenarios.List(), scenario)
	})
}

// List is all that one document asks.
type List struct {
	Name, About string
	Items       []Item
}

// Lists are all of them, in the page's order.
func Lists() []List {
	return []List{
		{"Seed 003", "high availability of a web service", seed003},
		{"Seed 001", "a Jetty cluster with sessions in a database", seed001},
		{"Seed 002", "steering clients to healthy nodes", seed002},
		{"Seed 000", "a server and its address, moved by Pacemaker", seed000},
		{"Seed 004", "Tomcat behind Apache", seed004},
		{"Beyond the seeds", "what the field has met", field},
	}
}
