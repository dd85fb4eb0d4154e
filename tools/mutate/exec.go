package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// addressSpace bounds a test process. A Go program reserves over 1 GiB of
	// it that it does not use.
	addressSpace = 4 << 30
	// softMemory has the collector work harder before that is reached.
	softMemory = "1GiB"
	// noEngine is where a mutant that reaches for a container engine finds none.
	noEngine = "unix:///nonexistent/hachaos-mutation.sock"
	// grace is what a process has to die of its own time limit.
	grace = 2 * time.Second
)

// process is one run of the test binary.
type process struct {
	binary, dir string
	tests       []string // as "TestX", or "TestX/sub"
	mutant      uint32
	hits        string // file to record hits in, if any
	tmp         string // folder for temporary files, if it is not the usual one
	limit       time.Duration
}

// outcome is what became of it.
type outcome struct {
	ok       bool // it ran to its end and all tests passed or were skipped
	timedOut bool
	passed   []string // without subtests, as skipped
	skipped  []string
	failed   string // the first of the process's tests that failed, or was running when it ended
	took     time.Duration
	output   string   // the end of it
	ran      []string // tests and subtests
	bad      []string // those that failed, and what was running when it ended
}

// run starts the process and waits for its end. An error is one of starting
// it, or the context's.
func (pr process) run(ctx context.Context) (outcome, error) {
	var patterns []string
	for _, t := range pr.tests {
		patterns = append(patterns, pattern(t))
	}
	args := []string{
		"-test.run=" + strings.Join(patterns, "|"), "-test.v=test2json", "-test.failfast", "-test.paniconexit0", "-test.short",
		"-test.timeout=" + pr.limit.String(),
	}
	limited, cancel := context.WithTimeout(ctx, pr.limit+grace)
	defer cancel()
	cmd := exec.CommandContext(limited, pr.binary, args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = pr.dir, &out, &out
	cmd.Env = append(os.Environ(), "GOMEMLIMIT="+softMemory, "DOCKER_HOST="+noEngine, "PWD="+pr.dir,
		envMutant+"="+strconv.Itoa(int(pr.mutant)), envHits+"="+pr.hits, envMemory+"="+strconv.Itoa(addressSpace))
	if pr.tmp != "" {
		cmd.Env = append(cmd.Env, "TMPDIR="+pr.tmp)
	}
	// What a test has started dies with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = grace
	began := time.Now()
	err := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // there may be none left
	}
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && limited.Err() == nil && !errors.Is(err, exec.ErrWaitDelay) {
		return outcome{}, fmt.Errorf("starting the tests: %w", err)
	}
	o := read(out.String())
	o.took = time.Since(began)
	o.timedOut = limited.Err() != nil || strings.Contains(o.output, "panic: test timed out after ")
	o.ok = err == nil && pr.accountedFor(o)
	if !o.ok {
		o.failed = pr.blamed(o)
	}
	return o, nil
}

// steadily is run, again where the machine stood still: a process is killed
// at its limit, so that one which took far longer was not judged by its own
// time.
func (pr process) steadily(ctx context.Context) (outcome, error) {
	const stall = 10 * grace
	for {
		if o, err := pr.run(ctx); err != nil || !o.timedOut || o.took < pr.limit+stall {
			return o, err
		}
	}
}

// pattern has -test.run choose a test, or a subtest.
func pattern(test string) string {
	var parts []string
	for p := range strings.SplitSeq(test, "/") {
		parts = append(parts, "^"+regexp.QuoteMeta(p)+"$")
	}
	return strings.Join(parts, "/")
}

// accountedFor says whether each of the process's tests passed or was skipped.
func (pr process) accountedFor(o outcome) bool {
	return !slices.ContainsFunc(pr.tests, func(t string) bool {
		top, _, _ := strings.Cut(t, "/")
		return !slices.Contains(o.passed, top) && !slices.Contains(o.skipped, top)
	})
}

// blamed is the test of the process that failed; all of them if the output
// does not tell.
func (pr process) blamed(o outcome) string {
	for _, t := range pr.tests {
		for _, b := range o.bad {
			if b == t || strings.HasPrefix(b, t+"/") {
				return t
			}
		}
	}
	return strings.Join(pr.tests, "|")
}

// The testing package puts the byte 0x16 before its own lines.
var testLine = regexp.MustCompile(`\x16(=== RUN|--- PASS|--- FAIL|--- SKIP):? +(\S+)`)

// read finds in a test binary's output what became of each test. Those of
// which it says nothing are in no list.
func read(text string) outcome {
	var o outcome
	running := ""
	for _, l := range testLine.FindAllStringSubmatch(text, -1) {
		name := l[2]
		top := !strings.Contains(name, "/")
		switch l[1] {
		case "=== RUN":
			o.ran, running = append(o.ran, name), name
			continue
		case "--- PASS":
			if top {
				o.passed = append(o.passed, name)
			}
		case "--- SKIP":
			if top {
				o.skipped = append(o.skipped, name)
			}
		case "--- FAIL":
			o.bad = append(o.bad, name)
		}
		if top {
			running = ""
		}
	}
	if running != "" {
		o.bad = append(o.bad, running)
	}
	const kept = 8 << 10
	o.output = text[max(0, len(text)-kept):]
	if i := strings.Index(text, "panic: test timed out after "); i >= 0 {
		o.output = text[i:min(len(text), i+kept)]
	}
	return o
}

// listTests asks the binary for its tests, fuzz targets (whose seeds are run)
// and examples.
func listTests(ctx context.Context, binary, dir string) ([]string, error) {
	cmd := exec.CommandContext(ctx, binary, "-test.list=.")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the tests: %w", err)
	}
	var names []string
	for _, n := range strings.Fields(string(out)) {
		if !strings.HasPrefix(n, "Benchmark") {
			names = append(names, n)
		}
	}
	return names, nil
}
