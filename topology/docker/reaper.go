package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hachaos/hachaos/topology/docker/agent"
)

// ReaperOptions say what a reaper does should this process die.
type ReaperOptions struct {
	// RunID is the label's value of what it looks after.
	RunID string
	// UndoLog is carried out first, if the file exists by then; empty is none.
	UndoLog string
	// HealOnly keeps the reaper from removing anything but what this process
	// itself put beside the topology: it stands, and others may use it.
	HealOnly bool
	// Log is where it writes what it did, created only if it has to act. Empty
	// means reaper.log beside the undo log, or nowhere if that is empty, too.
	Log string
}

// reaperOrder is what the reaper process is told, by its environment.
type reaperOrder struct {
	ReaperOptions
	Owner string // the process that it stands in for
}

// reaperEnv holds the order as JSON.
const reaperEnv = "HACHAOS_REAPER"

// reaperStart is how long a reaper may take to say that it watches.
const reaperStart = 10 * time.Second

// released is what the run's process writes before it ends in good order.
const released = 'd'

// ReaperProcess is a process that does what Close would have done, should this one
// be gone: however it died, for the reaper notices the end of a pipe whose
// other end only this process holds. It is a session of its own, so that no
// signal of the terminal reaches it, and it holds neither our standard output
// nor our standard error, so that nobody waits for it.
//
//	run's process                reaper
//	  StartReaper ─────────────▶ ready            (handshake on fd 3)
//	  …                          reads the pipe
//	  Release ──────── 'd' ────▶ exits
//	  ╳ killed ─────── EOF ────▶ carries out the undo log, removes, exits
type ReaperProcess struct {
	cmd   *exec.Cmd
	pipe  *os.File
	ended chan error

	once   sync.Once
	result error
}

// StartReaper starts a reaper and returns once it watches. The executable of
// this process must call agent.Main first of all, with docker.Reaper among the
// programs.
func (d *Driver) StartReaper(ctx context.Context, opts ReaperOptions) (*ReaperProcess, error) {
	if !agent.Installed() {
		return nil, errors.New("start reaper: this program cannot be started again as one: " +
			"call agent.Main first in its main function (in a test binary, in TestMain: package hachaostest does)")
	}
	order, err := completed(opts, d.owner)
	if err != nil {
		return nil, fmt.Errorf("start reaper: %w", err)
	}
	r, err := launch(ctx, order, d.engine.host)
	if err != nil {
		return nil, fmt.Errorf("start reaper: %w", err)
	}
	return r, nil
}

func completed(opts ReaperOptions, by owner) (string, error) {
	if err := checkID("run id", opts.RunID); err != nil {
		return "", err
	}
	if opts.Log == "" && opts.UndoLog != "" {
		opts.Log = filepath.Join(filepath.Dir(opts.UndoLog), "reaper.log")
	}
	for _, path := range []*string{&opts.UndoLog, &opts.Log} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return "", err
		}
		*path = absolute
	}
	order, err := json.Marshal(reaperOrder{ReaperOptions: opts, Owner: by.String()})
	return string(order), err
}

// launch starts the process. All descriptors but the three given ones are
// closed in it, the pipe's writing end among them: Go opens them so.
func launch(ctx context.Context, order, host string) (*ReaperProcess, error) {
	reading, writing, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer reading.Close()
	answer, answering, err := os.Pipe()
	if err != nil {
		writing.Close()
		return nil, err
	}
	defer answer.Close()
	cmd := exec.Command(ownExecutable())
	cmd.Args = []string{"hachaos-" + agent.Reaper}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), agent.Env+"="+agent.Reaper, reaperEnv+"="+order, "DOCKER_HOST="+host)
	cmd.Stdin = reading
	cmd.ExtraFiles = []*os.File{answering} // fd 3
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	answering.Close()
	if err != nil {
		writing.Close()
		return nil, err
	}
	r := &ReaperProcess{cmd: cmd, pipe: writing, ended: make(chan error, 1)}
	go func() { r.ended <- cmd.Wait() }()
	if err := r.handshake(ctx, answer); err != nil {
		return nil, errors.Join(err, r.Release(ctx))
	}
	return r, nil
}

// ownExecutable is the file to start again. On Linux it is the one that runs,
// even if it was replaced or deleted since.
func ownExecutable() string {
	if _, err := os.Stat("/proc/self/exe"); err == nil {
		return "/proc/self/exe"
	}
	own, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return own
}

// handshake awaits the reaper's word that it watches.
func (r *ReaperProcess) handshake(ctx context.Context, answer *os.File) error {
	if err := answer.SetReadDeadline(time.Now().Add(reaperStart)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = answer.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	word, err := io.ReadAll(answer)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("await its word: %w", err)
	case string(word) != reaperReady:
		return fmt.Errorf("it does not watch: %s", strings.TrimSpace(string(word)))
	}
	return nil
}

// Release tells the reaper that there is nothing to do for it, and awaits its
// end within ctx. A reaper that had ended before, so that the run was not
// looked after, is an error. It may be called again.
func (r *ReaperProcess) Release(ctx context.Context) error {
	r.once.Do(func() { r.result = r.release(ctx) })
	return r.result
}

func (r *ReaperProcess) release(ctx context.Context) error {
	_, writeErr := r.pipe.Write([]byte{released})
	closeErr := r.pipe.Close()
	select {
	case err := <-r.ended:
		if err == nil {
			err = errors.Join(writeErr, closeErr)
		}
		if err != nil {
			return fmt.Errorf("the reaper ended before the run did: %w", err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("release reaper, process %d: %w", r.cmd.Process.Pid, ctx.Err())
	}
}
