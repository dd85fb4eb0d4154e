package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
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

// parting is the annotation of a command that brings nothing up: what it says
// when it is interrupted.
const parting = "parting"

// offline are the annotations of a command that reads what is recorded: an
// interrupt leaves nothing to be healed or removed.
func offline() map[string]string {
	return map[string]string{parting: "interrupted: nothing was running that needs healing"}
}

// partingOf is that of the command that the arguments name; empty if it has
// none.
func partingOf(root *cobra.Command, args []string) string {
	c, _, err := root.Find(args)
	if err != nil {
		return ""
	}
	return c.Annotations[parting]
}

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
