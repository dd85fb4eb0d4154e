package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hinshun/vt10x"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/topology/fake"
)

// pty is a terminal of the kernel's of this size. What is written to it can be
// read from the function returned, once it is closed.
func pty(t *testing.T, width, rows uint16) (tty *os.File, written func() []byte) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: rows}))
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { tty.Close() })
	all := make(chan []byte, 1)
	go func() {
		b, _ := io.ReadAll(master) // it ends with EIO
		all <- b
	}()
	return tty, func() []byte {
		require.NoError(t, tty.Close())
		return <-all
	}
}

// screens are what an emulated terminal shows after each frame, and at last.
func screens(b []byte, width, rows int) []string {
	term := vt10x.New(vt10x.WithSize(width, rows))
	var all []string
	for part := range bytes.SplitAfterSeq(b, []byte("\x1b[J")) {
		_, _ = term.Write(part)
		var lines []string
		for l := range strings.SplitSeq(term.String(), "\n") {
			lines = append(lines, strings.TrimRight(l, " "))
		}
		all = append(all, strings.TrimRight(strings.Join(lines, "\n"), "\n"))
	}
	return all
}

// TestARunOnATerminal: the block tells of the fault while it is there, and at
// the end each step stands once, and nothing else.
func TestARunOnATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	t.Setenv("LC_ALL", "C.UTF-8")
	t.Setenv("NO_COLOR", "")
	tty, written := pty(t, 90, 60)
	root := t.TempDir()
	var steps noted
	synctest.Test(t, func(t *testing.T) {
		var driver fake.Driver
		steps.progress = newProgress(tty)
		runner, s := inMemory(&driver, root), memoryKill()
		runner.Progress = &steps
		steps.next("", s)
		_, err := runner.Run(t.Context(), s, harness.Options{Seed: 7})
		steps.close()
		driver.Last().Shut()
		time.Sleep(time.Hour) // virtual: what still waits has ended
		require.NoError(t, err)
	})
	b := written()
	require.NotContains(t, string(b), "\x1b[?", "no mode of the terminal is changed")
	all := screens(b, 90, 60)
	require.Equal(t, strings.Join(steps.all, "\n"), all[len(all)-1])
	require.InDelta(t, 12*4, len(all), 12, "some four frames a second, and the steps")
	during := ""
	for _, s := range all {
		if strings.Contains(s, "   fault  instance-kill j") {
			during = s
		}
	}
	require.Contains(t, during, "── memory-kill  8.")
	require.Contains(t, during, "   phases steady › ")
	require.Regexp(t, `   rate   \d+/s  p99 .*[▁-█]{8}\n`, during)
	require.Regexp(t, `   nodes  . j1 .*ready.*   . j2 .*ready`, during)
	require.Contains(t, during, "   VIP    lb1\n")
}

// noted keeps the steps that it passes on.
type noted struct {
	*progress
	all []string
}

func (n *noted) Step(text string) {
	n.all = append(n.all, text)
	n.progress.Step(text)
}

// TestASuiteOnATerminal: the block says which of the runs it is about; their
// steps are in a file, and a line for each that ended stays.
func TestASuiteOnATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	t.Setenv("LC_ALL", "C")
	tty, written := pty(t, 90, 30)
	root := t.TempDir()
	var steps bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		var driver fake.Driver
		lines := newSuiteLines(newProgress(tty), &steps)
		runner, s := inMemory(&driver, root), memoryKill(assert.WriteLedger{})
		runner.Progress = lines
		lines.begins(suite.Job{Scenario: s}, 1, 53)
		r, err := rendered(t.Context(), &runner, s, harness.Options{Seed: 7})
		require.NoError(t, err)
		lines.ends(suite.Entry{Scenario: s.Name, Verdict: r.Verdict, Run: r}, 1, 53)
		lines.close()
		driver.Last().Shut()
		time.Sleep(time.Hour) // virtual: what still waits has ended
	})
	all := screens(written(), 90, 30)
	require.Contains(t, all[len(all)/2], "-- [2/53] memory-kill  ")
	require.Contains(t, all[len(all)/2], "[killed] > restarted")
	require.Regexp(t, `^\[ 2/53\] memory-kill .*pass.*$`, all[len(all)-1])
	require.Contains(t, steps.String(), "[2/53] memory-kill: killed: 4s\n")
}

// TestTheBlockIsNotDrawnTooOften, however often it is told, and is gone once
// it is told nothing.
func TestTheBlockIsNotDrawnTooOften(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	tty, written := pty(t, 90, 30)
	synctest.Test(t, func(t *testing.T) {
		p := newProgress(tty)
		for i := range 500 { // five seconds
			p.Tick(harness.Tick{At: time.Duration(i) * 10 * time.Millisecond, Phase: "steady", Number: 1, Of: 1})
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		p.Step("later")
		synctest.Wait()
		p.close()
	})
	all := screens(written(), 90, 30)
	frames := 0
	for _, s := range all {
		if strings.Contains(s, "steady") {
			frames++
		}
	}
	require.LessOrEqual(t, frames, 5*4+1)
	require.Greater(t, frames, 5*4-3)
	require.Equal(t, "later", all[len(all)-1])
	require.Equal(t, "", all[len(all)-2], "it was gone before the step came")
}

// TestADumbTerminalGetsPlainLines, as a file does.
func TestADumbTerminalGetsPlainLines(t *testing.T) {
	t.Setenv("TERM", "dumb")
	tty, written := pty(t, 90, 30)
	p := newProgress(tty)
	p.Step("one")
	p.Tick(harness.Tick{Phase: "steady"})
	p.close()
	b := string(written())
	require.NotContains(t, b, "\x1b")
	require.Contains(t, b, "one\r\n")
	require.Contains(t, b, "steady")
}
