//go:build !linux

package load

import "time"

// nap does nothing: timers are exact enough, or nothing better is at hand.
func nap(time.Duration) {}
