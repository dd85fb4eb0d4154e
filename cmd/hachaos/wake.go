package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/hachaos/hachaos/topology/docker"
)

// dearWake is what a round trip between two threads may take before a run is made of
// little else: a request goes through six programs, and each hands it on by waking
// the next. A machine of its own was measured at 7 to 13 µs. At 54 to 97 µs, where a
// hypervisor is asked at each wait of a processor, 200 operations a second kept two
// processors busy to three quarters.
const dearWake = 40 * time.Microsecond

// haltPoll is how long a processor of a KVM guest looks for work itself before it
// hands itself over (Linux kernel documentation, Guest halt polling).
const haltPoll = "/sys/module/haltpoll/parameters/guest_halt_poll_ns"

// wakeCheck asks how fast this machine's threads wake each other.
func wakeCheck() docker.Check {
	took, err := wakes()
	if err != nil {
		return docker.Check{Name: "wake-ups", Optional: true, Detail: fmt.Sprintf("not measured: %v", err)}
	}
	_, err = os.Stat(haltPoll)
	return toldWake(took, err == nil)
}

func toldWake(took time.Duration, guest bool) docker.Check {
	c := docker.Check{
		Name: "wake-ups", Optional: true, OK: took <= dearWake,
		Detail: fmt.Sprintf("two threads wake each other in %v (at most %v)", took.Round(100*time.Nanosecond), dearWake),
	}
	switch {
	case c.OK:
	case guest:
		c.Mend = "on a virtual machine it costs much to wake a processor that waits: echo 500000 >" + haltPoll + " has it look for work first; or lower the load by --set rate=60"
	default:
		c.Mend = "runs may be short of the machine: lower the load by --set rate=60, or take a machine with less between it and its processors"
	}
	return c
}

// wakes is how long it takes a thread to wake another and be woken by it: the median
// of several batches.
func wakes() (time.Duration, error) {
	const batches, rounds = 9, 200
	var there, back [2]int
	if err := syscall.Pipe(there[:]); err != nil {
		return 0, os.NewSyscallError("pipe", err)
	}
	defer syscall.Close(there[0])
	if err := syscall.Pipe(back[:]); err != nil {
		return 0, errors.Join(os.NewSyscallError("pipe", err), syscall.Close(there[1]))
	}
	defer syscall.Close(back[0])
	other := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer syscall.Close(back[1])
		other <- passes(there[0], back[1])
	}()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	took := make([]time.Duration, 0, batches)
	var err error
	for range batches {
		began := time.Now()
		for range rounds {
			if err = trip(there[1], back[0]); err != nil {
				break
			}
		}
		took = append(took, time.Since(began)/rounds)
	}
	err = errors.Join(err, syscall.Close(there[1]), <-other)
	slices.Sort(took)
	return took[batches/2], err
}

// trip sends a byte and waits for one.
func trip(to, from int) error {
	var b [1]byte
	if _, err := syscall.Write(to, b[:]); err != nil {
		return os.NewSyscallError("write", err)
	}
	n, err := syscall.Read(from, b[:])
	if err == nil && n == 0 {
		return io.ErrUnexpectedEOF
	}
	return os.NewSyscallError("read", err)
}

// passes hands each byte on until there are no more.
func passes(from, to int) error {
	var b [1]byte
	for {
		n, err := syscall.Read(from, b[:])
		if err != nil || n == 0 {
			return os.NewSyscallError("read", err)
		}
		if _, err := syscall.Write(to, b[:]); err != nil {
			return os.NewSyscallError("write", err)
		}
	}
}
