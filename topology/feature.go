package topology

import "context"

// Feature is something that not every kernel has.
type Feature string

// Netem delays what an interface sends (tc-netem(8); the kernel's module
// sch_netem).
const Netem Feature = "netem"

// BlockThrottle limits how often a control group writes to a disk (Linux,
// admin-guide/cgroup-v1/blkio-controller.rst, blkio.throttle.write_iops_device;
// admin-guide/cgroup-v2.rst, io.max; CONFIG_BLK_DEV_THROTTLING). It takes an
// engine that may set it, and that keeps its volumes on a block device.
const BlockThrottle Feature = "blk-throttle"

// Featured is the capability of a driver that can tell what the kernel under
// its nodes has, before there is any node.
type Featured interface {
	// Has says whether the kernel has the feature. What it starts to find
	// out, it removes.
	Has(ctx context.Context, f Feature) (bool, error)
}
