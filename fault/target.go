package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// container is the node's capability to be killed and started.
func container(n topology.Node) (topology.Container, error) {
	if c, ok := n.(topology.Container); ok {
		return c, nil
	}
	return nil, fmt.Errorf("node %s: %w (a container)", n.Name(), ErrCapability)
}

// namespace is the node's capability to have its packets filtered.
func namespace(n topology.Node) (topology.Namespace, error) {
	if ns, ok := n.(topology.Namespace); ok {
		return ns, nil
	}
	return nil, fmt.Errorf("node %s: %w (a network namespace)", n.Name(), ErrCapability)
}

// theDevice is the only one that a container has beside its loopback.
const theDevice = "eth0"

// victim is a target with what the faults of this package need of it.
type victim struct {
	topology.Container
	ns   topology.Namespace // nil unless asked for
	addr netip.AddrPort     // invalid if the node has none
	dial topology.DialFunc
}

// victims checks, before any act, that there are targets and that each can
// be acted on.
func victims(kind string, nodes []topology.Node, port int, filtered bool) ([]victim, error) {
	if len(nodes) == 0 {
		return nil, fmt.Errorf("%s: %w", kind, ErrNoTargets)
	}
	vs := make([]victim, 0, len(nodes))
	for _, n := range nodes {
		v := victim{addr: address(n, port), dial: dialer(n)}
		var err error
		if v.Container, err = container(n); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		if filtered {
			if v.ns, err = namespace(n); err != nil {
				return nil, fmt.Errorf("%s: %w", kind, err)
			}
		}
		vs = append(vs, v)
	}
	return vs, nil
}

// allRun checks, before any act, that every victim's container runs. The
// engine calls it no error to kill one that has ended, and what it says of the
// end is then the proof of something else.
func allRun(ctx context.Context, kind string, vs []victim) error {
	return inTurn(kind, vs, func(v victim) error {
		state, err := v.Inspect(ctx)
		if err == nil && !state.Running {
			err = fmt.Errorf("it had ended before, at %s with exit status %d: %w",
				state.FinishedAt.UTC().Format(stamp), state.ExitCode, topology.ErrNotRunning)
		}
		return err
	})
}

// has looks whether a path is there in the victim's container. Status 1 is no,
// and more an error (POSIX.1-2017, test).
func (v victim) has(ctx context.Context, path string) (bool, error) {
	out, err := v.Exec(ctx, "test", "-e", path)
	if err == nil && out.Code == 1 {
		return false, nil
	}
	return err == nil && out.Code == 0, succeed(out, err)
}

// stopSlack is what an engine needs on top of a grace: to kill, and to answer.
const stopSlack = 5 * time.Second

// toItsEnd does what the engine does not take back, and waits for its answer also
// if ctx ends meanwhile, within a limit: it carries out a request that was dropped
// all the same, and an undo that came in between would find a container that still
// runs, and leave it to end after that.
func toItsEnd(ctx context.Context, limit time.Duration, act func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	return act(bounded)
}

// stop asks the victim's container to end, and waits until it has: for the grace
// and stopSlack at most.
func (v victim) stop(ctx context.Context, grace time.Duration) error {
	return toItsEnd(ctx, grace+stopSlack, func(ctx context.Context) error { return v.Stop(ctx, grace) })
}

// kill ends the victim's container by SIGKILL, and waits until it has ended.
func (v victim) kill(ctx context.Context) error { return toItsEnd(ctx, stopSlack, v.Kill) }

// pause freezes the victim's container, and waits until it is frozen.
func (v victim) pause(ctx context.Context) error { return toItsEnd(ctx, stopSlack, v.Pause) }

// address is where the node serves: its own word, else the fault's port.
func address(n topology.Node, port int) netip.AddrPort {
	a, ok := n.(topology.Addressed)
	if !ok {
		return netip.AddrPort{}
	}
	if s, ok := n.(topology.Served); ok && port == 0 {
		port = s.Port()
	}
	if port <= 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr(), uint16(port))
}

func dialer(n topology.Node) topology.DialFunc {
	if d, ok := n.(topology.Dialer); ok {
		return d.DialContext
	}
	var d net.Dialer
	return d.DialContext
}

// connectTimeout is how long a proof waits for a SYN to be answered: far
// above a round trip on one machine, and below the kernel's first
// retransmission after 1 s, so that an attempt is one packet.
const connectTimeout = 300 * time.Millisecond

// Ways in which an attempt to connect ends.
const (
	connected   = "connected"
	refused     = "refused"
	unreachable = "timed out"
)

// connect tries the victim's port once, from where the harness runs. An
// error means that it could not look.
func (v victim) connect(ctx context.Context) (string, error) {
	one, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := v.dial(one, "tcp", v.addr.String())
	if err != nil {
		return ended(ctx, err)
	}
	return connected, conn.Close()
}

// ended names how an attempt to connect ended in an error.
func ended(ctx context.Context, err error) (string, error) {
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused, nil
	}
	// A network that says so itself, where a packet only vanishes elsewhere.
	for _, silence := range []error{context.DeadlineExceeded, os.ErrDeadlineExceeded, syscall.EHOSTUNREACH, syscall.ENETUNREACH} {
		if errors.Is(err, silence) {
			return unreachable, nil
		}
	}
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return unreachable, nil
	}
	return "", fmt.Errorf("an attempt to connect says nothing: %w", err)
}

// port names the victim's port in a proof.
func (v victim) port() string { return "port " + strconv.Itoa(int(v.addr.Port())) }

// poll is how often a proof looks again.
const poll = 20 * time.Millisecond

// await calls look until it says that the proof holds, or ctx ends; then the
// last look that ctx did not break off stands, whether it saw something or
// could not look.
func await(ctx context.Context, look func(context.Context) (Proof, error)) (Proof, error) {
	var last Proof
	lastErr := fmt.Errorf("there was no time for one look: %w", context.DeadlineExceeded)
	for {
		p, err := look(ctx)
		if err == nil && p.OK {
			return p, nil
		}
		if err == nil || !over(ctx) {
			last, lastErr = p, err
		}
		select {
		case <-ctx.Done():
			return last, lastErr
		case <-time.After(poll):
		}
	}
}

// over says whether ctx has ended, or is just about to: a dialer keeps the
// deadline by a timer of its own, which may be the first to go off.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// runningVictims are the victims of a fault that ends containers: all of them
// run, or it is an error.
func runningVictims(ctx context.Context, kind string, nodes []topology.Node, port int, filtered bool) ([]victim, error) {
	vs, err := victims(kind, nodes, port, filtered)
	if err != nil {
		return nil, err
	}
	return vs, allRun(ctx, kind, vs)
}

// actOn acts on all targets at the same time, once the undo of each is safe,
// and says on which ones it failed.
func actOn[T interface{ Name() string }](kind string, targets []T, log Recorder, undo func(T) Entry, act func(T) error) error {
	if err := inTurn(kind, targets, func(t T) error { return log.Record(undo(t)) }); err != nil {
		return err
	}
	return each(targets, func(t T) error {
		if err := act(t); err != nil {
			return fmt.Errorf("%s %s: %w", kind, t.Name(), err)
		}
		return nil
	})
}

// ensures makes, for each target, the entry that an undo of that name has on
// it.
func ensures(undo string, params map[string]string) func(victim) Entry {
	return func(v victim) Entry { return Entry{Undo: undo, Node: v.Name(), Params: params} }
}

// inTurn does something with one target after another, until it fails, and says
// at which one it did.
func inTurn[T interface{ Name() string }](kind string, targets []T, do func(T) error) error {
	for _, t := range targets {
		if err := do(t); err != nil {
			return fmt.Errorf("%s %s: %w", kind, t.Name(), err)
		}
	}
	return nil
}

// each acts on all targets at the same time and returns every error.
func each[T any](targets []T, act func(T) error) error {
	errs := make([]error, len(targets))
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() { errs[i] = act(t) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
