// Command catalogue prints docs/catalogue.md: what is asked of a highly
// available system, and what tests it.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/hachaos/hachaos/catalogue"
	"github.com/hachaos/hachaos/fixtures/mutants"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/zoo"
)

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "catalogue:", err)
		os.Exit(1)
	}
}

func write(w io.Writer) error {
	broken, err := planted()
	if err != nil {
		return err
	}
	return catalogue.WritePage(w, func(scenario, assertion string) bool { return broken[scenario+" "+assertion] })
}

// planted are the scenarios' assertions that a case or a mutant breaks, as
// "scenario assertion".
func planted() (map[string]bool, error) {
	broken := map[string]bool{}
	list, err := zoo.Read(mutants.Files)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		broken[m.Scenario+" "+m.Fails] = true
	}
	for _, s := range scenarios.All() {
		for _, c := range s.Cases {
			for _, assertion := range c.Fails {
				broken[s.Name+" "+assertion] = true
			}
		}
	}
	return broken, nil
}
