package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
)

// asking are the signals that ask the program to end: of a terminal that is
// closed, too, unless the caller (nohup) has it ignored.
func asking() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// Annotations of commands, of what an interrupt does to them.
const (
	// parting is what a command says that has nothing to heal; "interrupted" unless it is
	// given.
	parting = "parting"
	// ending is what a command says that has something to end first, and hurrying what it
	// says when a second interrupt will not wait for that.
	ending, hurrying = "ending", "hurrying"
	// idle are the flags with which such a command has nothing to end.
	idle = "idle"
)

// brings are the annotations of a command that brings something up, which it heals and
// removes when it is interrupted, unless one of the flags is given.
func brings(unless ...string) map[string]string {
	return map[string]string{
		ending:   "interrupted: stopping the load, healing and removing (again to hurry)",
		hurrying: "hurrying: what is left is removed by the reaper", idle: strings.Join(unless, " "),
	}
}

// acts are the annotations of a command that acts on what stands, unless one of the
// flags is given: an interrupt ends what it is about, and undoes nothing.
func acts(unless ...string) map[string]string {
	return map[string]string{
		ending:   "interrupted: ending what is under way; what was done stays done (again to hurry)",
		hurrying: "hurrying: what is under way in a node may go on there", idle: strings.Join(unless, " "),
	}
}

// offline are the annotations of a command that reads what is recorded: an
// interrupt leaves nothing to be healed or removed.
func offline() map[string]string {
	return map[string]string{parting: "interrupted: nothing was running that needs healing"}
}

// farewell is what a command says at the first interrupt and, if something is to be
// ended first, at the second, which hurries that.
type farewell struct{ first, second string }

// farewellOf is that of the command that the arguments name.
func farewellOf(root *cobra.Command, args []string) farewell {
	c, rest, err := root.Find(args)
	if err != nil {
		return farewell{first: interrupted}
	}
	given := func(flag string) bool {
		return slices.ContainsFunc(rest, func(arg string) bool { return arg == flag || strings.HasPrefix(arg, flag+"=") })
	}
	if says := c.Annotations[ending]; says != "" && !slices.ContainsFunc(strings.Fields(c.Annotations[idle]), given) {
		return farewell{says, c.Annotations[hurrying]}
	}
	return farewell{first: cmp.Or(c.Annotations[parting], interrupted)}
}

// interrupted is what a command says that has nothing of its own to say.
const interrupted = "interrupted"

// signals returns a context that the first interrupt cancels, and a channel
// that the second one closes. A third has the signal's own effect. Of a command
// that has nothing to hurry with, the second has it.
func signals(parent context.Context, stderr io.Writer, f farewell) (ctx context.Context, hurry <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	quick := make(chan struct{})
	c := make(chan os.Signal, 2)
	signal.Notify(c, asking()...)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-c:
		case <-done:
			return
		}
		if f.second == "" {
			signal.Reset(asking()...)
		}
		fmt.Fprintln(stderr, "\nhachaos:", f.first)
		cancel()
		if f.second == "" {
			return
		}
		select {
		case <-c:
		case <-done:
			return
		}
		fmt.Fprintln(stderr, "hachaos:", f.second)
		close(quick)
		signal.Reset(asking()...)
	})
	return ctx, quick, func() {
		signal.Stop(c)
		close(done)
		cancel()
		wg.Wait()
	}
}

// outliveReaders lets a run go on whose output nobody reads any more: without
// it a write to a pipe that was closed ends the process. The write still fails.
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
