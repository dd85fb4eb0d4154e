package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// SlowStart has each application node among its targets take long to get
// ready whenever it starts, as one does that scans classes, fills a cache or
// migrates a schema. It restarts their processes in order, all at the same
// time, and what stands until the undo makes every later start as slow. The
// port opens as fast as ever, and answers: what only looks at ports takes the
// node for well. The undo restarts them once more. The zero value is ready to
// use.
//
// The proof is measured by looking at the node while it warms up, so that the
// phase must last for as long.
type SlowStart struct {
	// Delay is the time from the opening of the node's port until it is warm,
	// in the place of its own, than which it should be longer: 1 s to 5 min, in
	// whole milliseconds; 0 is DefaultStart.
	Delay time.Duration `json:"delay,omitempty"`
}

// DefaultStart is how long a SlowStart takes that says nothing else.
const DefaultStart = 10 * time.Second

const (
	leastStart = time.Second
	mostStart  = 5 * time.Minute
	// startSlack is how far a measured start may be off, where a tenth of it
	// is less: the first answer of a process whose code is cold, on a busy
	// machine.
	startSlack = 500 * time.Millisecond
	// startVariable is what the application reads it from, in milliseconds.
	startVariable = "WARMUP_MS"
)

// What the node says of its start, beside its clock.
const (
	gaugeWarm    = "hachaos_warm"
	gaugeStarted = "hachaos_start_time_seconds"
)

// Kind is "slow-start".
func (SlowStart) Kind() string { return "slow-start" }

// Takes is what a process may take to end.
func (SlowStart) Takes() time.Duration { return stopWithin }

// Shows is the longest start that is the asked one.
func (f SlowStart) Shows() time.Duration { return f.delay() + f.tolerance() }

// Validate reports a delay that cannot be made or measured.
func (f SlowStart) Validate() error {
	if d := f.delay(); d < leastStart || d > mostStart || d%time.Millisecond != 0 {
		return fmt.Errorf("%s: delay %v: want %v to %v in whole milliseconds, or 0 for %v", f.Kind(), f.Delay, leastStart, mostStart, DefaultStart)
	}
	return nil
}

func (f SlowStart) delay() time.Duration {
	if f.Delay == 0 {
		return DefaultStart
	}
	return f.Delay
}

// tolerance of a measured start: 10 % of the asked one, or 500 ms.
func (f SlowStart) tolerance() time.Duration { return max(f.delay()/10, startSlack) }

func (f SlowStart) env() map[string]string {
	return map[string]string{startVariable: strconv.FormatInt(f.delay().Milliseconds(), 10)}
}

// alone refuses targets other than application nodes.
func (f SlowStart) alone(fl fleet, err error) (fleet, error) {
	if err == nil && len(fl.balancers) > 0 {
		err = fmt.Errorf("%s: balancer %s has no part in it: aim at application nodes alone: %w", f.Kind(), fl.balancers[0].Name(), ErrCapability)
	}
	return fl, err
}

// Inject restarts the processes with the delay. A node that does not run, does
// not answer or has that delay already is an error, before any act.
func (f SlowStart) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	fl, err := f.alone(runningFleet(ctx, f.Kind(), nodes, false))
	if err != nil {
		return err
	}
	if err := inTurn(f.Kind(), fl.units, func(u unit) error { return u.differs(ctx, f.env()) }); err != nil {
		return err
	}
	undo := func(u unit) Entry { return Entry{Undo: Unreleased, Node: u.Name()} }
	return actOn(f.Kind(), fl.units, log, undo, func(u unit) error { return fl.replace(ctx, u, f.env()) })
}

// Active holds when each node was seen to get warm as long after its port
// opened as was asked, within 10 % or 500 ms; when its process was started by
// this act; and when it says itself that it was told so. Warm is what the
// node's own gauge says, since a health endpoint may say anything. A node that
// was warm when it was first looked at is no proof: nobody saw how long it took.
// To is the last start.
func (f SlowStart) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	fl, err := f.alone(newFleet(f.Kind(), nodes, false))
	if err != nil {
		return Proof{}, err
	}
	watched := make([]watchedStart, len(fl.units))
	for i, u := range fl.units {
		watched[i] = watchedStart{unit: u, seen: &startSeen{}}
	}
	asked := fmt.Sprintf("warm %v after the port opened, within %v", f.delay(), f.tolerance())
	return prove(ctx, asked, watched, f.see)
}

// watchedStart is a unit, and what was seen of its start so far.
type watchedStart struct {
	unit
	seen *startSeen
}

func (f SlowStart) see(ctx context.Context, w watchedStart) (sight, error) {
	s := sight{ok: true}
	if err := w.seen.look(ctx, w.unit); err != nil {
		return s, err
	}
	if f.judge(&s, *w.seen); !s.ok {
		return s, nil
	}
	measured := s.measured
	if err := w.seeRelease(ctx, &s, f.Kind(), ""); err != nil || !s.ok {
		return s, err
	}
	if err := w.seeSettings(ctx, &s, f.env()); err != nil {
		return s, err
	}
	s.measured = measured + ", " + s.measured
	return s, nil
}

// judge compares what was seen of a start with what was asked.
func (f SlowStart) judge(s *sight, seen startSeen) {
	least, most := seen.took()
	switch {
	case seen.process == 0:
		s.measured = "no answer"
		s.see(false, "it has not answered yet, so that it is not known to have started")
	case seen.warm.IsZero():
		s.measured = fmt.Sprintf("not warm %v after the port opened", least)
		s.see(false, "its own gauge %s is 0", gaugeWarm)
	case seen.cold.IsZero():
		s.measured = "warm when it was first looked at"
		s.see(false, "its own gauge %s was 1 at the first look, %v after the port opened at most: how long it took was not seen", gaugeWarm, most)
	default:
		s.measured = fmt.Sprintf("warm %v to %v after the port opened", least, most)
		within := least >= f.delay()-f.tolerance() && most <= f.delay()+f.tolerance()
		s.see(within, "its own gauge %s was 0 for at least %v and became 1 within %v of the opening of the port", gaugeWarm, least, most)
	}
}

// startSeen is what was seen of a process's start, by the clock of who looks.
// The zero value is that nothing was.
type startSeen struct {
	shut    time.Time    // the last attempt to connect that was refused began
	process float64      // by its own word on when it started; 0 if none answered
	opened  [2]time.Time // its port opened in between
	cold    time.Time    // the last look that found it cold began
	warm    time.Time    // the first that found it warm ended
}

// look asks the unit once.
func (w *startSeen) look(ctx context.Context, u unit) error {
	from := time.Now()
	status, _, body, err := u.get(ctx, "/metrics")
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, syscall.ECONNREFUSED):
		*w = startSeen{shut: from}
	case err == nil && status == http.StatusOK:
		w.told(parseGauges(string(body)), from, time.Now())
	}
	return nil // what did not answer told nothing
}

// told takes in an answer to a question that was asked at from and answered by
// to. A process that was not met before, and that was not seen to open its
// port, says how long ago it began to.
func (w *startSeen) told(gauges map[string]float64, from, to time.Time) {
	warm, known := gauges[gaugeWarm]
	started, now := gauges[gaugeStarted], gauges[clockGauge]
	if !known || !(started > 0 && now >= started) {
		return
	}
	if started != w.process {
		age := time.Duration((now - started) * float64(time.Second))
		opened := [2]time.Time{from.Add(-age), to.Add(-age)}
		if w.process == 0 && !w.shut.IsZero() {
			opened = [2]time.Time{w.shut, to}
		}
		*w = startSeen{process: started, opened: opened}
	}
	switch {
	case warm == 0:
		w.cold, w.warm = from, time.Time{}
	case w.warm.IsZero():
		w.warm = to
	}
}

// took brackets the time from the opening of the port until it was warm.
func (w startSeen) took() (least, most time.Duration) {
	least, most = w.cold.Sub(w.opened[1]), w.warm.Sub(w.opened[0])
	return max(0, least).Round(time.Millisecond), max(0, most).Round(time.Millisecond)
}

// Healed holds when each node runs as its container was made, says that it has
// other settings than the fault's, and is ready.
func (f SlowStart) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	fl, err := f.alone(newFleet(f.Kind(), nodes, false))
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "no slow start left, ready", fl.units, func(ctx context.Context, u unit) (sight, error) {
		s := sight{ok: true}
		if err := u.seeRelease(ctx, &s, "", ""); err != nil || !s.ok {
			return s, err
		}
		err := u.differs(ctx, f.env())
		s.see(err == nil, "its settings are others than the fault's: %t", err == nil)
		ready, says := u.ready(ctx)
		s.measured = fmt.Sprintf("ready: %t", ready)
		s.see(ready, "its own readiness: %s", says)
		return s, ctx.Err()
	})
}
