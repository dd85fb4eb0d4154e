//go:build docker

package trust

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker"
)

// contained are the mutants that take an engine. They break what a system in
// memory has not: the engine's socket, the pipe of a component's log, the
// host's clock. A program that runs them must call wiring.Agent first, as any
// that runs scenarios on containers. The last two take root on the engine's
// own machine, and the last one steps its clock, which disturbs whatever else
// runs there.
func contained() []Mutant {
	plain := Control{Name: "instance-kill-on-containers", Run: func(ctx context.Context, dir string) (*harness.Result, error) {
		return new(containers).run(ctx, dir)
	}}
	return []Mutant{
		{
			Name: "engine-gone-on-containers", Title: "The engine's socket refuses connections from the fault on, and those that it had break.",
			Stands:  "an engine that is killed while the containers run on",
			Control: plain, Ends: Dirty, Says: []string{"could not be carried out", "the engine was lost", "Dirty:"},
			Containers: true, Run: withoutEngine,
		},
		{
			Name: "log-lost-on-containers", Title: "Nobody empties the pipe of the balancers' logs for five seconds, so that lines are dropped.",
			Stands:  "a shim or a log driver that hangs",
			Control: plain, Ends: Inconclusive, Says: []string{"observer complete (dispatch)"},
			Containers: true, Run: withoutLog,
		},
		{
			Name: "clock-stepped-on-containers", Title: "The host's clock steps ahead by 50 ms, and back two seconds later.",
			Stands:  "a time service that corrects the clock during the run",
			Control: plain, Ends: Inconclusive, Says: []string{"clock steady", "the wall clock moved by"},
			Containers: true, Run: withAStep,
		},
	}
}

// Phases of instance-kill.
const (
	inTheBaseline = "steady"
	whileDead     = "killed"
)

// containers is a run of instance-kill's short form.
type containers struct {
	// at is called once, when the phase of that name has begun.
	at map[string]func()
	// after is called when the run is over, if it has a result.
	after func(context.Context, *docker.Driver, *harness.Result) error

	mu   sync.Mutex
	last topology.Cluster
}

func (c *containers) run(ctx context.Context, dir string) (*harness.Result, error) {
	session, err := wiring.Open(ctx, dir, "trust")
	if err != nil {
		return nil, err
	}
	defer session.Close()
	session.Runner.Driver = keeping{session.Driver, c}
	session.Runner.Progress = &moments{at: c.at}
	r, err := session.Runner.Run(ctx, scenarios.InstanceKill(), harness.Options{Short: true, Seed: 7, Set: map[string]string{"victim": "j1"}})
	if r != nil && c.after != nil {
		err = errors.Join(err, c.after(context.WithoutCancel(ctx), session.Driver, r))
	}
	return r, err
}

// keeping keeps the cluster that it started last.
type keeping struct {
	*docker.Driver
	c *containers
}

// Start implements topology.Driver.
func (k keeping) Start(ctx context.Context, id string, plan topology.Plan, opts topology.StartOptions) (topology.Cluster, error) {
	cluster, err := k.Driver.Start(ctx, id, plan, opts)
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	k.c.last = cluster
	return cluster, err
}

// cluster is the one that runs.
func (c *containers) cluster() topology.Cluster {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// withoutEngine has hachaos reach the engine through a socket that is shut
// from the fault on, and opened when the run is over, for what it left.
func withoutEngine(ctx context.Context, dir, _ string) (_ []Run, err error) {
	host := os.Getenv(hostVariable)
	s, err := openSocket(host)
	if err != nil {
		return nil, err
	}
	defer s.shut()
	if err := os.Setenv(hostVariable, "unix://"+s.path); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, restored(host)) }()
	c := &containers{
		at: map[string]func(){whileDead: s.shut},
		after: func(ctx context.Context, d *docker.Driver, r *harness.Result) error {
			if err := s.open(); err != nil {
				return err
			}
			_, err := d.Collect(ctx, r.ID)
			return err
		},
	}
	r, err := c.run(ctx, dir)
	return ranOnce(r), err
}

// hostVariable names the engine's address.
const hostVariable = "DOCKER_HOST"

// restored gives the engine's address back, which the driver has set, too.
func restored(host string) error {
	if host == "" {
		return os.Unsetenv(hostVariable)
	}
	return os.Setenv(hostVariable, host)
}

// socket passes connections on to the engine, until it is shut.
type socket struct {
	path, to string

	mu       sync.Mutex
	listener *net.UnixListener // nil while it is shut
	conns    []net.Conn
}

// openSocket listens for the engine at host; empty is the system's.
func openSocket(host string) (*socket, error) {
	if host == "" {
		host = "unix:///var/run/docker.sock"
	}
	to, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		return nil, fmt.Errorf("engine at %s: this mutant takes one at a socket of this machine", host)
	}
	dir, err := os.MkdirTemp("", "engine") // a socket's path must be short
	if err != nil {
		return nil, err
	}
	s := &socket{path: filepath.Join(dir, "sock"), to: to}
	return s, s.open()
}

// open begins to listen.
func (s *socket) open() error {
	if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: s.path, Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false) // a dead engine's socket is still there
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listener = l
	go s.accept(l)
	return nil
}

// shut ends the listening and all connections.
func (s *socket) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return
	}
	s.listener.Close()
	for _, c := range s.conns {
		c.Close()
	}
	s.listener, s.conns = nil, nil
}

func (s *socket) accept(l *net.UnixListener) {
	for {
		near, err := l.AcceptUnix()
		if err != nil {
			return
		}
		far, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: s.to, Net: "unix"})
		if err != nil {
			near.Close()
			continue
		}
		if !s.keep(near, far) {
			return
		}
		go pass(near, far)
		go pass(far, near)
	}
}

// keep notes connections to be ended when it is shut; if it is they end now.
func (s *socket) keep(near, far net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		near.Close()
		far.Close()
		return false
	}
	s.conns = append(s.conns, near, far)
	return true
}

// pass copies one way, and hands the end on.
func pass(to, from *net.UnixConn) {
	_, _ = io.Copy(to, from) // either end may go at any time
	_ = to.CloseWrite()
}

// withoutLog freezes, in the baseline, what empties the pipes of the balancers'
// logs: the parents of their first processes.
func withoutLog(ctx context.Context, dir, _ string) ([]Run, error) {
	var frozen error
	c := &containers{}
	c.at = map[string]func(){inTheBaseline: func() { frozen = c.freeze(ctx, topology.Balancer, 5*time.Second) }}
	r, err := c.run(ctx, dir)
	return ranOnce(r), errors.Join(err, frozen)
}

// freeze stops the shims of a role's containers for a time.
func (c *containers) freeze(ctx context.Context, role topology.Role, d time.Duration) error {
	for _, n := range c.cluster().Nodes() {
		box, ok := n.(topology.Container)
		if !ok || n.Role() != role {
			continue
		}
		state, err := box.Inspect(ctx)
		if err != nil {
			return err
		}
		shim, err := parent(state.Pid)
		if err != nil {
			return err
		}
		if err := syscall.Kill(shim, syscall.SIGSTOP); err != nil {
			return fmt.Errorf("freeze the shim of %s: %w", n.Name(), err)
		}
		time.AfterFunc(d, func() { _ = syscall.Kill(shim, syscall.SIGCONT) }) // it may have ended
	}
	return nil
}

// parent is the number of a process's parent, which must be a shim.
func parent(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0, fmt.Errorf("state of process %d: %q", pid, text)
	}
	shim, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0, err
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", shim))
	if err != nil {
		return 0, err
	}
	if !strings.HasPrefix(string(name), "containerd-shim") {
		return 0, fmt.Errorf("the parent of process %d is %s, and no shim: nothing is frozen", pid, strings.TrimSpace(string(name)))
	}
	return shim, nil
}

// withAStep steps the host's clock in the baseline, and back. Both steps are
// relative, so that what the clock gains meanwhile is kept.
func withAStep(ctx context.Context, dir, _ string) ([]Run, error) {
	const by = 50 * time.Millisecond
	began, done := false, make(chan error, 1)
	c := &containers{at: map[string]func(){inTheBaseline: func() {
		began = true
		if err := step(by); err != nil {
			done <- err
			return
		}
		time.AfterFunc(2*time.Second, func() { done <- step(-by) })
	}}}
	r, err := c.run(ctx, dir)
	if began {
		err = errors.Join(err, <-done)
	}
	return ranOnce(r), err
}

// step moves the host's clock.
func step(by time.Duration) error {
	to := syscall.NsecToTimeval(time.Now().Add(by).UnixNano())
	if err := syscall.Settimeofday(&to); err != nil {
		return fmt.Errorf("step the clock: %w", err)
	}
	return nil
}

// ranOnce is one run, if it has a result.
func ranOnce(r *harness.Result) []Run {
	if r == nil {
		return nil
	}
	return []Run{{Result: r}}
}
