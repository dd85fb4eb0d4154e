package docker

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// owner identifies a process beyond its life, so that what it left behind can
// be told from what is in use: a process id alone comes back after a reboot,
// in another container, and when the ids wrap around.
type owner struct {
	machine string // tells hosts that share an engine apart
	boot    string // one boot of it
	space   string // the process id's namespace
	pid     int
	start   string // when the process began, in the kernel's clock ticks
}

// liveness says what became of an owner.
type liveness int

const (
	ownerUnknown liveness = iota // it cannot be told from here
	ownerAlive
	ownerGone
)

// String renders the owner for a label; parseOwner reads it.
func (o owner) String() string {
	return strings.Join([]string{o.machine, o.boot, o.space, strconv.Itoa(o.pid), o.start}, "/")
}

func parseOwner(label string) (owner, error) {
	parts := strings.Split(label, "/")
	if len(parts) != 5 {
		return owner{}, fmt.Errorf("owner %q: not machine/boot/space/pid/start", label)
	}
	pid, err := strconv.Atoi(parts[3])
	if err != nil || pid <= 0 {
		return owner{}, fmt.Errorf("owner %q: bad process id", label)
	}
	return owner{machine: parts[0], boot: parts[1], space: parts[2], pid: pid, start: parts[4]}, nil
}

// self is this process.
func self() owner {
	return owner{
		machine: machineID(),
		boot:    word(os.ReadFile("/proc/sys/kernel/random/boot_id")),
		space:   word2(os.Readlink("/proc/self/ns/pid")),
		pid:     os.Getpid(),
		start:   startTicks(os.Getpid()),
	}
}

// livenessOf compares an owner with what is seen from the process self.
// ticks gives a process's start, "" if there is none of that id, or hidden.
func livenessOf(o, self owner, ticks func(pid int) string) liveness {
	switch {
	case o.machine != self.machine:
		return ownerUnknown
	case o.boot != self.boot:
		return ownerGone
	case o.space != self.space:
		return ownerUnknown
	}
	switch ticks(o.pid) {
	case o.start:
		return ownerAlive
	case hidden:
		return ownerUnknown
	}
	return ownerGone
}

func machineID() string {
	if id := word(os.ReadFile("/etc/machine-id")); id != "" {
		return id
	}
	return word2(os.Hostname())
}

// hidden is the start of a process that exists and does not let itself be
// looked at, as another user's where /proc is mounted with hidepid.
const hidden = "hidden"

// startTicks is the 22nd field of /proc/<pid>/stat, counted behind the command
// name, which may itself hold blanks and parentheses. Where there is no /proc
// it is "alive" for a process that exists.
func startTicks(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return startElsewhere(pid)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fields[19]
}

func startElsewhere(pid int) string {
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return ""
	}
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		return hidden
	}
	return "alive"
}

// word and word2 make a label's part of what a system call gave: nothing if
// it failed, and never with a separator in it.
func word(content []byte, err error) string { return word2(string(content), err) }

func word2(content string, err error) string {
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(strings.TrimSpace(content), "/", "_")
}
