package trust

import "slices"

// Harness are the harness mutants: hachaos with one thing broken each.
func Harness() []Mutant {
	return slices.Concat(faults(), generators(), observers(), clocks(), disturbances(), records(), judges(), surroundings(), contained())
}
