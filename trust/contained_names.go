package trust

// ContainedNames are those of the harness mutants that take an engine, whether
// this program has them or not.
func ContainedNames() []string {
	return []string{"engine-gone-on-containers", "log-lost-on-containers", "clock-stepped-on-containers"}
}
