package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker/agent"
)

// Heal carries out the undo log at that path on the nodes, and may be called
// again. late is how long after the run's end the engine may still carry out
// what the run had asked of it, such as a stop with a grace; 0 is no longer than
// any request. It is given to Reaper by those who know what an undo log is.
type Heal func(ctx context.Context, nodes []topology.Node, undoLog string) (late time.Duration, err error)

// reaperReady is the reaper's word that it watches.
const reaperReady = "watching\n"

// How long a reaper tries. What will be removed anyway is healed only
// briefly, so that all of it is gone within five seconds.
const (
	healStanding = 60 * time.Second
	healDoomed   = 1500 * time.Millisecond
	settling     = time.Second     // in which the engine may carry out the dead run's last requests
	reapPatience = 5 * time.Minute // in which an engine that does not answer may come back
)

// Reaper returns the program that StartReaper starts. It ignores the signals
// that ask a process to end: it ends by itself when the run's process does.
func Reaper(heal Heal) agent.Program {
	return func(ctx context.Context, _ []string) error {
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE)
		ctx = context.WithoutCancel(ctx)
		answer := os.NewFile(3, "answer")
		if answer == nil {
			return errors.New("start it with StartReaper")
		}
		order, err := readOrder()
		if err != nil {
			fmt.Fprintln(answer, err)
			return errors.Join(err, answer.Close())
		}
		undo := holdUndo(order.UndoLog)
		defer undo.close()
		_, writeErr := io.WriteString(answer, reaperReady)
		if err := errors.Join(writeErr, answer.Close()); err != nil {
			return err
		}
		if runEnded(os.Stdin) {
			return nil
		}
		order.UndoLog = undo.path()
		return reap(ctx, order, heal)
	}
}

// heldUndo is an undo log that is read even if the run's folder is removed
// while the run goes on.
type heldUndo struct {
	name string
	file *os.File // nil if the log was not there yet
}

func holdUndo(name string) heldUndo {
	file, err := os.Open(name)
	if err != nil {
		return heldUndo{name: name} // it may come later
	}
	return heldUndo{name, file}
}

// path is where the log can be read now: its name, or else, where the system
// has that, the descriptor that is held.
func (h heldUndo) path() string {
	if _, err := os.Stat(h.name); err == nil || h.file == nil {
		return h.name
	}
	held := fmt.Sprintf("/proc/self/fd/%d", h.file.Fd())
	if _, err := os.Stat(held); err != nil {
		return h.name
	}
	return held
}

func (h heldUndo) close() {
	if h.file != nil {
		_ = h.file.Close() // it was only read
	}
}

func readOrder() (reaperOrder, error) {
	var order reaperOrder
	if err := json.Unmarshal([]byte(os.Getenv(reaperEnv)), &order); err != nil {
		return order, fmt.Errorf("%s: %w", reaperEnv, err)
	}
	_, err := parseOwner(order.Owner)
	return order, err
}

// runEnded waits for the run's process: true if it took its leave, false if
// it is gone without a word.
func runEnded(pipe io.Reader) bool {
	word := make([]byte, 1)
	_, err := io.ReadFull(pipe, word)
	return err == nil && word[0] == released
}

// reap does what the run can no longer do.
func reap(ctx context.Context, order reaperOrder, heal Heal) error {
	say, closeLog := reaperLog(order.Log)
	defer closeLog()
	say("the process of run %s is gone (%s)", order.RunID, order.Owner)
	var d *Driver
	err := patiently(ctx, reapPatience, func() (err error) {
		d, err = Open(ctx, Options{})
		return err
	})
	if err != nil {
		say("engine: %v", err)
		return err
	}
	defer d.Close()
	var late time.Duration
	carryOut := func() error {
		return patiently(ctx, reapPatience, func() (err error) {
			late, err = healBriefly(ctx, d, order, heal)
			return err
		})
	}
	healErr := carryOut()
	say("undo log carried out: %v", outcome(healErr))
	if order.HealOnly {
		free := func() error { return d.checkUnclaimed(ctx, order.RunID) }
		// What heals puts helpers of its own beside the nodes, by names that the
		// next heal gives to its own.
		tidy := func() error {
			return patiently(ctx, reapPatience, func() error {
				return d.removeLeftBy(ctx, order.RunID, order.Owner, d.owner.String())
			})
		}
		afresh := func() error {
			if err := tidy(); err != nil {
				return err
			}
			return carryOut()
		}
		healErr = again(ctx, passes(late), free, afresh, healErr, say)
		err = tidy()
	} else {
		healErr = nil // what it concerned is removed
		err = patiently(ctx, reapPatience, func() error { return d.removeAndSettle(ctx, order.RunID) })
	}
	say("removed: %v", outcome(err))
	return errors.Join(healErr, err)
}

// passes are the waits before each further heal of what stands: what the dead
// run had asked for, a pause or a kill, may come about after the first.
func passes(late time.Duration) []time.Duration {
	if late <= settling {
		return []time.Duration{settling}
	}
	return []time.Duration{settling, late - settling}
}

// again heals after each of the waits, and returns the last heal's error, or
// first if there was none. It ends when somebody else has taken the topology
// into use: free says so by an error. Their faults are not ours to undo.
func again(ctx context.Context, waits []time.Duration, free, heal func() error, first error, say func(string, ...any)) error {
	last := first
	for _, wait := range waits {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return last
		}
		if err := free(); err != nil {
			say("not carried out again: %v", err)
			return last
		}
		last = heal()
		say("carried out again, for what came late: %v", outcome(last))
	}
	return last
}

// patiently acts again while no engine answers: it may be about to restart, and
// that may be what took the run's process along.
func patiently(ctx context.Context, patience time.Duration, act func() error) error {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval, policy.MaxInterval = 100*time.Millisecond, 2*time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := act()
		if err != nil && !errors.Is(err, topology.ErrNoEngine) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(policy), backoff.WithMaxElapsedTime(patience))
	return err
}

// healBriefly carries out the undo log, and lets it be when its time is over.
// late is Heal's.
func healBriefly(ctx context.Context, d *Driver, order reaperOrder, heal Heal) (late time.Duration, err error) {
	if _, err := os.Stat(order.UndoLog); order.UndoLog == "" || errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	budget := healDoomed
	if order.HealOnly {
		budget = healStanding
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	c, err := d.attach(ctx, "run "+order.RunID, ofRun(order.RunID))
	if err != nil {
		return 0, err
	}
	type healed struct {
		late time.Duration
		err  error
	}
	done := make(chan healed, 1)
	go func() {
		late, err := heal(ctx, c.Nodes(), order.UndoLog)
		done <- healed{late, err}
	}()
	select {
	case h := <-done:
		return h.late, h.err
	case <-ctx.Done():
		return 0, fmt.Errorf("undo log: %w", ctx.Err())
	}
}

// removeAndSettle removes the run, and once more what the engine made of
// requests that were under way when nobody waited for them any more.
func (d *Driver) removeAndSettle(ctx context.Context, id string) error {
	first := d.engine.removeRun(ctx, id)
	time.Sleep(settling)
	if err := d.engine.removeRun(ctx, id); err != nil {
		return errors.Join(first, err)
	}
	return nil
}

// removeLeftBy removes the helpers of processes, given as their labels.
func (d *Driver) removeLeftBy(ctx context.Context, id string, owners ...string) error {
	var errs []error
	for _, label := range owners {
		by, err := parseOwner(label)
		if err == nil {
			err = d.engine.removeHelpers(ctx, id, by)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// reaperLog opens the log that the reaper writes instead of to a terminal.
func reaperLog(path string) (say func(format string, args ...any), closeLog func()) {
	if path == "" {
		return func(string, ...any) {}, func() {}
	}
	file, err := os.OpenFile(filepath.Clean(path), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return func(string, ...any) {}, func() {}
	}
	say = func(format string, args ...any) {
		fmt.Fprintf(file, "%s %s\n", time.Now().UTC().Format(time.RFC3339Nano), fmt.Sprintf(format, args...))
	}
	return say, func() { _ = file.Close() }
}

func outcome(err error) string {
	if err == nil {
		return "done"
	}
	return err.Error()
}
