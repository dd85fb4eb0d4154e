// Command drill goes through a drill of runbooks/node-lost.md with a script that
// plays the operator, and prints the folder of the run, which has its review.
//
//	drill HACHAOS DIR      runs the program HACHAOS; the run's folder goes to DIR
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/hachaos/hachaos/gameday/gamedaytest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: drill HACHAOS DIR")
		os.Exit(2)
	}
	dir, err := play(ctx, os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "drill:", err)
		os.Exit(1)
	}
	fmt.Println(dir)
}

// play holds the drill and returns its run's folder.
func play(ctx context.Context, hachaos, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, hachaos, "runbook", "drill", "--json", "--dir", dir, "--window", "10s", "--limit", "5m",
		"--as", "a script that plays the operator", "runbooks/node-lost.md")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it takes everything down itself
	cmd.WaitDelay = time.Minute
	keyboard, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	screen, err := cmd.StderrPipe()
	if err != nil {
		return "", err
	}
	answer, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	played := make(chan error, 1)
	go func() {
		seen := io.TeeReader(screen, os.Stderr)
		err := gamedaytest.NodeLost(seen, keyboard)
		io.Copy(io.Discard, seen) //nolint:errcheck // up to its end
		played <- err
	}()
	var review struct {
		Dir     string `json:"dir"`
		Closing string `json:"closing"`
	}
	decoded := json.NewDecoder(answer).Decode(&review)
	if err := <-played; err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("%s: %w (%s)", hachaos, err, review.Closing)
	}
	return review.Dir, decoded
}
