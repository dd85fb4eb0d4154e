package fault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// ClockMoved makes the wall clock of each target's application differ from
// its host's, as a machine without time service, a wrong time zone or a step
// of the clock does. The monotonic clock goes on as it was. It takes an
// application that was started under libfaketime with a timestamp file
// (jetty-ha: --set clock=movable): containers share their host's clock, which
// is not moved. The application reads the file each second, so that it takes
// up to two until the fault bites. What the application itself dates, in its
// log and its gauges, is off by as much: assertions that rest on that are
// inconclusive, and say that its clock is off.
type ClockMoved struct {
	// By is how far, ahead or, if negative, back; whole seconds, at least one
	// and at most a day.
	By time.Duration `json:"by"`
	// Port is where the application tells its clock, in its metrics; 0 is
	// the one that the node says it serves.
	Port int `json:"port,omitempty"`
}

const (
	// clockFile holds the offset in seconds, as libfaketime reads it from
	// its FAKETIME_TIMESTAMP_FILE.
	clockFile = "/run/hachaos/clock"
	// clockGauge is the node's own wall clock.
	clockGauge = "hachaos_clock_seconds"
	// clockSlack is how far the measured offset may be off: the answer's way
	// on a busy machine.
	clockSlack = 250 * time.Millisecond
	clockLeast = time.Second
	clockMost  = 24 * time.Hour
	// clockWithin bounds one look.
	clockWithin = time.Second
)

// Kind is "clock-moved".
func (ClockMoved) Kind() string { return "clock-moved" }

// Validate reports an offset that cannot be set or told.
func (f ClockMoved) Validate() error {
	if d := f.By.Abs(); d < clockLeast || d > clockMost || d%time.Second != 0 {
		return fmt.Errorf("%s: by %s: want whole seconds, from 1s to 24h, ahead or back", f.Kind(), f.By)
	}
	return validPort(f.Kind(), f.Port)
}

// moveClock writes an offset, and takes no effect where the application was
// not started for it.
func moveClock(by time.Duration) []string {
	return []string{"/bin/sh", "-c", fmt.Sprintf("echo %+d >%s", int64(by/time.Second), clockFile)}
}

// onTime checks that the application's clock was not moved: by half of the least
// offset that can be asked for. One that does not tell it is taken for right.
func (v victim) onTime(ctx context.Context) error {
	off, err := v.clockOffset(ctx)
	if err == nil && off.Abs() >= clockLeast/2 {
		return already("its clock is " + sayOffset(off))
	}
	return ctx.Err()
}

// Inject moves the clocks; the undo puts them right. One that is off by half a
// second is an error, before any act.
func (f ClockMoved) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, f.Port, false)
	if err != nil {
		return err
	}
	if err := inTurn(f.Kind(), vs, func(v victim) error { return v.onTime(ctx) }); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(ClockRight, nil), func(v victim) error {
		return succeed(v.Exec(ctx, moveClock(f.By)...))
	})
}

// ensureClock puts the node's clock right, in its container, which is started
// if it is down: the file would outlive it.
func ensureClock(ctx context.Context, n topology.Node, _ map[string]string) error {
	if err := ensureContainer(ctx, n, nil); err != nil {
		return err
	}
	return succeed(n.Exec(ctx, moveClock(0)...))
}

// Active holds when each application's own clock is off by what was asked,
// within 250 ms.
func (f ClockMoved) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, f.By)
}

// Healed holds when each application's own clock is right within 250 ms.
func (f ClockMoved) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, 0)
}

func (f ClockMoved) look(ctx context.Context, nodes []topology.Node, by time.Duration) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	p, err := prove(ctx, sayOffset(by), vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		off, err := v.clockOffset(ctx)
		switch {
		case ctx.Err() != nil:
			return s, ctx.Err()
		case err != nil: // a node that does not tell its clock has no proof
			s.measured = "no clock told"
			s.see(false, "asked for its clock: %v", err)
			return s, nil
		}
		s.measured = sayOffset(off)
		s.see((off-by).Abs() <= clockSlack, "its own clock, in %s of its metrics, is %s", clockGauge, s.measured)
		return s, nil
	})
	return p, err
}

// sayOffset is "+60.012s from its host's".
func sayOffset(d time.Duration) string {
	return fmt.Sprintf("%+.3fs from its host's", d.Seconds())
}

// clockOffset asks the application for its clock, and compares it with the
// harness's, which is the host's: half of the time that the question took
// lies before the answer. The answer is cut to milliseconds.
func (v victim) clockOffset(ctx context.Context) (time.Duration, error) {
	if !v.addr.IsValid() {
		return 0, errors.New("it serves no known port")
	}
	one, cancel := context.WithTimeout(ctx, clockWithin)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return v.dial(ctx, network, addr)
		},
	}}
	r, err := http.NewRequestWithContext(one, http.MethodGet, "http://"+v.addr.String()+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	asked := time.Now()
	resp, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read, or is given up
	told, err := parseClock(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return 0, err
	}
	return told.Sub(asked.Add(time.Since(asked) / 2)), nil
}

// parseClock finds the clock among the metrics.
func parseClock(r io.Reader) (time.Time, error) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		text, ok := strings.CutPrefix(lines.Text(), clockGauge+" ")
		if !ok {
			continue
		}
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(seconds) || seconds < 0 || seconds > 1e11 {
			return time.Time{}, fmt.Errorf("%s %q is no time", clockGauge, text)
		}
		return time.UnixMilli(int64(math.Round(seconds * 1e3))), nil
	}
	return time.Time{}, fmt.Errorf("its metrics have no %s", clockGauge)
}
