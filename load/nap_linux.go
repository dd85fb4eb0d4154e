package load

import (
	"syscall"
	"time"
)

// nap holds the calling thread for d, to some 50 µs. A signal may end it
// early.
func nap(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil) // cut short, the caller waits for the rest
}
