package load

import (
	"os"
	"strconv"
	"syscall"
)

// niceness of the generator's threads: a booting JVM takes every core, and a
// generator that waits for it would blame the system for its own lateness.
const niceness = -10

// prioritise puts the process's threads before the containers', where it may
// (as root); threads that come later inherit it. Where it may not, the
// lateness that follows is journalled and judged as ever.
func prioritise() {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range tasks {
		if tid, err := strconv.Atoi(t.Name()); err == nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, tid, niceness) // refused or gone: it stays as it is
		}
	}
}
