//go:build !docker

package trust

// contained are the mutants that take an engine: they are built with the tag
// docker.
func contained() []Mutant { return nil }
