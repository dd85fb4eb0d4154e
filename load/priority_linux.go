package load

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The generator shares its machine with the system that it loads: a booting
// JVM takes every core, and a generator that waits for it would blame the
// system for its own lateness. Its threads therefore come first, where they
// may (as root): by the kernel's real-time class at its lowest priority, which
// is run at once and whose share the kernel bounds (sched(7), "Limiting the
// CPU usage of real-time and deadline processes"). Being nice by a negative
// number is not enough: the fair class lets the one that runs finish its
// slice, and weighs sessions, not threads, where it groups them
// (sched_autogroup_enabled).
const (
	realTime = 1   // the lowest of 1 to 99
	niceness = -10 // where the real-time class is refused
)

// prioritise puts the process's threads before the containers' until the
// returned function is called; threads that come meanwhile inherit it. Where
// it may not, the lateness that follows is journalled and judged as ever.
func prioritise() (relax func()) {
	first := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: realTime}
	eachThread(func(tid int) {
		if unix.SchedSetAttr(tid, &first, 0) != nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, tid, niceness) // refused or gone: it stays as it is
		}
	})
	return func() {
		ordinary := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}
		eachThread(func(tid int) {
			_ = unix.SchedSetAttr(tid, &ordinary, 0) // refused or gone: it stays as it is
		})
	}
}

// eachThread calls f with the number of each of the process's threads, and
// again while there are some that it did not meet: a thread that is made
// meanwhile may still have the old class.
func eachThread(f func(tid int)) {
	met := map[string]bool{}
	for range 3 {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return
		}
		for _, t := range tasks {
			if tid, err := strconv.Atoi(t.Name()); err == nil && !met[t.Name()] {
				met[t.Name()] = true
				f(tid)
			}
		}
	}
}
