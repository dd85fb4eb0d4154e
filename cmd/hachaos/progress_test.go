package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
)

// TestALogHasEachStepAndALineNowAndThen, and nothing that only a terminal
// understands.
func TestALogHasEachStepAndALineNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		p := newProgress(&log)
		p.next("", harness.Scenario{Name: "instance-kill"})
		p.Step("ready: 20 operations a second")
		for i := range 60 { // a quarter of a minute
			p.Tick(harness.Tick{At: time.Duration(i) * 250 * time.Millisecond, Phase: "steady"})
			time.Sleep(250 * time.Millisecond)
		}
		p.Step("it said \x1b[2J\nand more")
		p.close()
		p.close()
		lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
		require.Len(t, lines, 6, log.String())
		require.Equal(t, "ready: 20 operations a second", lines[0])
		for i, at := range []string{"0.0s", "5.0s", "10.0s"} {
			require.Contains(t, lines[1+i], at+"  steady")
		}
		require.Equal(t, []string{`it said \u001b[2J`, "and more"}, lines[4:])
	})
}

// TestAReaderThatDoesNotReadDelaysNothing: a terminal that was stopped is one.
func TestAReaderThatDoesNotReadDelaysNothing(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	p := newProgress(w)
	const steps = 1000 // more than a pipe holds
	for i := range steps {
		p.Step(fmt.Sprintf("step %d %s", i, strings.Repeat(".", 500)))
		p.Tick(harness.Tick{Phase: "steady"})
	}
	read := make(chan string)
	go func() {
		all, _ := io.ReadAll(r)
		read <- string(all)
	}()
	p.close()
	require.NoError(t, w.Close())
	require.Equal(t, steps, strings.Count(<-read, "step "))
}

// unreadEnv makes the test binary a program that goes on once nobody reads
// its standard error.
const unreadEnv = "HACHAOS_TEST_UNREAD"

func unread() int {
	p := (&app{err: os.Stderr}).progress()
	p.Step("begins")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the reader is gone
	p.Step("nobody reads this")
	p.close()
	fmt.Println("went on")
	return 7
}

func TestARunOutlivesItsReader(t *testing.T) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), unreadEnv+"=1")
	var out bytes.Buffer
	c.Stdout = &out
	in, err := c.StdinPipe()
	require.NoError(t, err)
	errs, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	first, err := bufio.NewReader(errs).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "begins\n", first)
	require.NoError(t, errs.Close())
	require.NoError(t, in.Close())
	require.ErrorContains(t, c.Wait(), "exit status 7")
	require.Equal(t, "went on\n", out.String())
}
