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
	// heals is of a command that brings something up, which it heals and removes when it is
	// interrupted. Its value are the flags with which it brings nothing up.
	heals = "heals"
)

// brings are the annotations of a command that brings something up, unless one of the
// flags is given.
func brings(unless ...string) map[string]string {
	return map[string]string{heals: strings.Join(unless, " ")}
}

// offline are the annotations of a command that reads what is recorded: an
// interrupt leaves nothing to be healed or removed.
func offline() map[string]string {
	return map[string]string{parting: "interrupted: nothing was running that needs healing"}
}

// partingOf is that of the command that the arguments name; empty if it brings
// something up.
func partingOf(root *cobra.Command, args []string) string {
	c, rest, err := root.Find(args)
	if err != nil {
		return interrupted
	}
	said := cmp.Or(c.Annotations[parting], interrupted)
	unless, does := c.Annotations[heals]
	for _, flag := range strings.Fields(unless) {
		does = does && !slices.ContainsFunc(rest, func(arg string) bool { return arg == flag || strings.HasPrefix(arg, flag+"=") })
	}
	if does {
		return ""
	}
	return said
}

// interrupted is what a command says that has nothing of its own to say.
const interrupted = "interrupted"

// signals returns a context that the first interrupt cancels, and a channel
// that the second one closes. A third has the signal's own effect. A command
// that has said its parting has nothing to hurry with: there the second
// interrupt has that effect.
func signals(parent context.Context, stderr io.Writer, said string) (ctx context.Context, hurry <-chan struct{}, stop func()) {
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
		if said != "" {
			signal.Reset(asking()...)
			fmt.Fprintln(stderr, "\nhachaos:", said)
			cancel()
			return
		}
		fmt.Fprintln(stderr, "\nhachaos: interrupted: stopping the load, healing and removing (again to hurry)")
		cancel()
		select {
		case <-c:
		case <-done:
			return
		}
		fmt.Fprintln(stderr, "hachaos: hurrying: what is left is removed by the reaper")
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
