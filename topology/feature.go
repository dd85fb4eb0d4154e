package topology

import "context"

// Feature is something that not every kernel has.
type Feature string

// Netem delays what an interface sends (tc-netem(8); the kernel's module
// sch_netem).
const Netem Feature = "netem"

// Featured is the capability of a driver that can tell what the kernel under
// its nodes has, before there is any node.
type Featured interface {
	// Has says whether the kernel has the feature. What it starts to find
	// out, it removes.
	Has(ctx context.Context, f Feature) (bool, error)
}
