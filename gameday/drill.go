package gameday

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/topology"
)

// Drill is a game day for people: the incident comes at a moment that nobody is
// told, whoever is on duty mends the system by hand in a shell that is recorded,
// and the clock runs. Everything is required but what says otherwise.
type Drill struct {
	Book     *runbook.Runbook
	Incident harness.Scenario
	Runner   harness.Runner
	Options  harness.Options
	// Who is on duty.
	Who string
	// In is what they type, a line each, and Out what they see. The reader of In
	// ends with it.
	In  io.Reader
	Out io.Writer
	// Window is the time in which the incident comes, at a moment that is drawn;
	// zero is at once.
	Window time.Duration
	// Hints are when they are told more of the runbook, since the alert. None: they
	// are told what they ask for.
	Hints []time.Duration
	// Limit is how long after the incident the drill ends by itself.
	Limit time.Duration
	// Unpaged keeps the alert from them: they have to notice by themselves.
	Unpaged bool
}

// Closing is how a drill ended.
type Closing string

// The closings.
const (
	// Mended: what the runbook restores was there again.
	Mended Closing = "mended"
	// ByItself: it was there again, and nobody had done anything.
	ByItself Closing = "came back by itself"
	// Unseen: all that the runbook restores was there all the time.
	Unseen Closing = "nothing was missing"
	// Unmended: it was not, when they said that they were done.
	Unmended Closing = "not mended"
	// OutOfTime: the limit had passed.
	OutOfTime Closing = "out of time"
	// Aborted: somebody ended it.
	Aborted Closing = "aborted"
	// Unbegun: the run ended before the incident.
	Unbegun Closing = "not begun"
)

// Kinds of acts.
const (
	ActCommand = "command" // of whoever is on duty
	ActNoticed = "noticed"
	ActCause   = "cause"
	ActNote    = "note"
	ActDone    = "done"
	ActAbort   = "abort"
	ActAlert   = "alert" // of hachaos: the alert, a hint, the states that are to be restored
	ActHint    = "hint"
	ActState   = "state"
)

// Act is something that was done or said. At is on the run's clock.
type Act struct {
	At   time.Duration `json:"at"`
	Took time.Duration `json:"took,omitempty"`
	// Who did it; empty is hachaos. Secrets of the nodes' environments are masked in
	// what they typed and saw.
	Who  string `json:"who,omitempty"`
	Kind string `json:"kind"`
	Node string `json:"node,omitempty"` // where a command ran
	Text string `json:"text"`
	// Output is a command's, its standard error after the rest, and Code how it
	// ended.
	Output string `json:"output,omitempty"`
	Code   int    `json:"code,omitempty"`
	// Good says of a state that it holds.
	Good bool `json:"good,omitempty"`
}

// Review is what came of a drill. Moments are on the run's clock, and negative if
// they did not come.
type Review struct {
	Runbook  string  `json:"runbook"`
	Title    string  `json:"title"`
	Alert    string  `json:"alert,omitempty"`
	Incident string  `json:"incident"`
	Who      string  `json:"who"`
	Closing  Closing `json:"closing"`
	// Missing is what was not there at the end.
	Missing string `json:"missing,omitempty"`
	// Dir is the folder of the run's record, whose verdict is Run: of the data, and
	// of what was left behind.
	Dir    string          `json:"dir"`
	Run    harness.Verdict `json:"run"`
	Reason string          `json:"reason"`
	Dirty  bool            `json:"dirty,omitempty"`
	// Began is when the run's clock did.
	Began time.Time `json:"began"`
	// Within is what the runbook promises, from the alert on.
	Within time.Duration `json:"within"`

	Struck   time.Duration `json:"struck"`   // the incident began
	Alerted  time.Duration `json:"alerted"`  // the runbook's alert fired
	Looked   time.Duration `json:"looked"`   // their first command after the incident
	Noticed  time.Duration `json:"noticed"`  // they said that they saw it
	Named    time.Duration `json:"named"`    // they said what the cause is
	Told     time.Duration `json:"told"`     // they said that they were done
	Restored time.Duration `json:"restored"` // all states held from here on
	Cause    string        `json:"cause,omitempty"`

	Acts []Act `json:"acts"`
}

// errAborted ends a drill before its incident.
var errAborted = errors.New("the drill was aborted")

// Run holds the drill. What cannot be held is an error that wraps
// harness.ErrUsage, and nothing was started.
func (d Drill) Run(ctx context.Context) (*Review, error) {
	front := d.Book.Front
	r := &Review{
		Runbook: d.Book.Name, Title: front.Title, Alert: front.Alert, Incident: front.Incident, Who: d.Who, Within: front.Within, Closing: Unbegun,
		Struck: -1, Alerted: -1, Looked: -1, Noticed: -1, Named: -1, Told: -1, Restored: -1, Acts: []Act{},
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	act := &drilling{acting: acting{d.Book.Name}, drill: d, review: r, abort: cancel, said: make(chan string, 1), screen: newScreen(d.Out)}
	defer act.screen.close()
	t := Trial{Book: d.Book, Incident: d.Incident, Runner: d.Runner, Options: d.Options}
	if d.Window > 0 {
		t.quiet = time.Millisecond + rand.N(d.Window)
	}
	over := make(chan struct{})
	shell := &shell{drilling: act, lines: linesOf(d.In, over), over: over}
	var people sync.WaitGroup
	w := &witness{sees: func(sys *System, clock history.RunClock) {
		act.begin(sys, clock)
		people.Go(func() { shell.run(ctx, sys) })
	}}
	act.closed = sync.OnceFunc(func() { close(over) })
	res, err := t.on(ctx, w, act)
	act.closed()
	people.Wait()
	if res == nil {
		return nil, err
	}
	r.Dir, r.Run, r.Reason, r.Dirty = res.Dir, res.Verdict, res.Reason, res.Dirty || errors.Is(err, harness.ErrDirty)
	r.struckAt(res.Faults)
	if errors.Is(context.Cause(ctx), errAborted) {
		r.Closing = Aborted
	}
	return r, err
}

// struckAt takes the moment of the incident from the record: the drill knows of it
// only when it has been proven.
func (r *Review) struckAt(faults []harness.FaultResult) {
	if r.Struck < 0 {
		return // it did not come
	}
	for _, f := range faults {
		if f.Kind != ActKind && f.At >= 0 {
			r.Struck = f.At
			r.answered()
			return
		}
	}
}

// answered takes from the acts what people did and said between the incident and its
// proof, before which the drill did not know of it.
func (r *Review) answered() {
	for kind, moment := range map[string]*time.Duration{ActCommand: &r.Looked, ActNoticed: &r.Noticed, ActCause: &r.Named} {
		for _, act := range r.Acts {
			if act.Who != "" && act.Kind == kind && act.At >= r.Struck && (*moment < 0 || act.At < *moment) {
				*moment = act.At
				if kind == ActCause && r.Cause == "" {
					r.Cause = act.Text
				}
			}
		}
	}
}

// drilling is the act of a run in which people mend the system.
type drilling struct {
	acting
	drill Drill
	abort context.CancelCauseFunc
	// said is "done" or "abort", once.
	said chan string
	// closed ends the shell.
	closed func()
	screen *screen

	mu     sync.Mutex // guards the rest
	review *Review
	sys    *System
	clock  history.RunClock
	hints  int // that were given

	// lost says whether the last looks saw something missing.
	lost atomic.Bool
}

var (
	_ fault.Lasting  = (*drilling)(nil)
	_ fault.Directed = (*drilling)(nil)
)

// Takes implements fault.Lasting.
func (a *drilling) Takes() time.Duration { return a.drill.Limit + time.Minute }

// Active implements fault.Fault: the drill was held.
func (a *drilling) Active(context.Context, []topology.Node) (fault.Proof, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return fault.Proof{OK: true, Asked: "a drill", Measured: string(a.review.Closing)}, nil
}

func (a *drilling) begin(sys *System, clock history.RunClock) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sys, a.clock, a.review.Began = sys, clock, clock.Start()
}

// note adds an act at this moment, and returns the moment.
func (a *drilling) note(act Act) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	secrets := a.sys.secrets()
	act.Text, act.Output = mask(act.Text, secrets), mask(act.Output, secrets)
	if act.At == 0 {
		act.At = a.clock.Now()
	}
	a.review.Acts = append(a.review.Acts, act)
	return act.At
}

// mark sets a moment of the review, the first time that it comes.
func (a *drilling) mark(moment *time.Duration, at time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if *moment < 0 {
		*moment = at
	}
}

// tell shows lines to whoever is on duty.
func (a *drilling) tell(format string, args ...any) { a.screen.show(fmt.Sprintf(format, args...)) }

// Inject implements fault.Fault: the incident is there, and it returns when the
// drill is over.
func (a *drilling) Inject(ctx context.Context, _ []topology.Node, _ fault.Recorder) error {
	if a.sys == nil {
		return errors.New("the system was never looked at")
	}
	defer a.closed()
	a.mark(&a.review.Struck, a.clock.Now())
	look := &looking{drilling: a, states: states(a.drill.Book)}
	watching, done := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { a.watch(watching) })
	defer watch.Wait()
	defer done()
	limit := time.NewTimer(a.drill.Limit)
	defer limit.Stop()
	every := time.NewTicker(lookEvery)
	defer every.Stop()
	for {
		look.at(ctx)
		select {
		case <-ctx.Done():
			return a.over(Aborted, look)
		case word := <-a.said:
			if word == ActAbort {
				return a.over(Aborted, look)
			}
			return a.finished(ctx, look)
		case <-limit.C:
			if look.holds {
				return a.over(Mended, look)
			}
			return a.over(OutOfTime, look)
		default:
		}
		if look.holds && a.clock.Now()-look.since >= grace {
			return a.over(Mended, look)
		}
		select {
		case <-every.C:
		case <-ctx.Done():
		}
	}
}

// grace is how long all states must have held for the drill to end without
// anybody's word.
const grace = 20 * time.Second

// finished is what is there a moment after they said that they are done.
func (a *drilling) finished(ctx context.Context, look *looking) error {
	until := a.clock.Now() + settled
	for {
		look.at(ctx)
		if ctx.Err() != nil || look.holds && a.clock.Now()-look.since >= settled {
			break
		}
		if !look.holds && a.clock.Now() > until {
			break
		}
		rest(ctx)
	}
	if look.holds && ctx.Err() == nil {
		return a.over(Mended, look)
	}
	return a.over(Unmended, look)
}

// over ends the drill.
func (a *drilling) over(how Closing, look *looking) error {
	a.mu.Lock()
	switch {
	case how == Aborted:
	case !look.everLost:
		how = Unseen
	case how == Mended && a.review.Looked < 0:
		how = ByItself
	}
	a.review.Closing = how
	if look.holds {
		a.review.Restored = look.since
	} else {
		a.review.Missing = look.missing
	}
	a.mu.Unlock()
	a.tell("\n%s\nThe drill is over: %s. What was broken is healed now, and the review is written.\n", strings.Repeat("-", 72), how)
	return nil
}

// states are what a runbook restores.
func states(book *runbook.Runbook) []string {
	var out []string
	for _, s := range book.Front.Restores {
		out = append(out, s.Name)
	}
	return out
}

// looking is what is seen of the system during a drill.
type looking struct {
	*drilling
	states []string
	// misses counts the looks in a row that saw something missing; missing is what.
	// One look that failed is none: two are.
	misses  int
	missing string
	// holds says whether all states do again, since since; everLost whether they ever
	// did not.
	holds, everLost bool
	since           time.Duration
}

// at looks once, and tells what is due.
func (l *looking) at(ctx context.Context) {
	began := l.clock.Now()
	err := l.sys.all(ctx, l.states)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		l.misses = 0
		l.lost.Store(false)
		if l.everLost && !l.holds {
			l.holds, l.since = true, began
			l.note(Act{At: began, Kind: ActState, Good: true, Text: "all holds that is to be restored: " + strings.Join(l.states, ", ")})
		}
	} else if l.misses++; l.misses >= 2 {
		l.missing = oneLine(err.Error())
		l.lost.Store(true)
		if l.holds || !l.everLost {
			l.note(Act{At: began, Kind: ActState, Text: l.missing})
		}
		l.holds, l.everLost = false, true
	}
	l.hint()
}

// watch waits until the runbook's alert fires while something is missing, and tells
// whoever is on duty.
func (a *drilling) watch(ctx context.Context) {
	for alert := pagerOf(a.drill.Book); ctx.Err() == nil; {
		if alert.fires(ctx, a.sys) && a.lost.Load() {
			a.mark(&a.review.Alerted, a.note(Act{Kind: ActAlert, Text: a.drill.Book.Front.Alert}))
			if !a.drill.Unpaged {
				a.tell("\n*** ALERT %s at %s\n", a.drill.Book.Front.Alert, time.Now().UTC().Format("15:04:05 UTC"))
			}
			return
		}
		rest(ctx)
	}
}

// hint gives the hint that is due.
func (l *looking) hint() {
	l.mu.Lock()
	n, alerted := l.hints, l.review.Alerted
	l.mu.Unlock()
	if alerted >= 0 && n < len(l.drill.Hints) && l.clock.Now()-alerted >= l.drill.Hints[n] {
		l.giveHint("")
	}
}

// giveHint tells the next hint; who asked for it, or empty.
func (a *drilling) giveHint(who string) {
	a.mu.Lock()
	n := a.hints
	a.hints++
	a.mu.Unlock()
	all := Hints(a.drill.Book)
	if n >= len(all) {
		if who != "" {
			a.tell("There is no more to tell than %s says.\n", a.drill.Book.Name)
		}
		return
	}
	a.note(Act{Who: who, Kind: ActHint, Text: all[n]})
	a.tell("\n*** HINT %d of %d: %s\n", n+1, len(all), all[n])
}

// Hints are what a drill tells of a runbook, more and more of it.
func Hints(book *runbook.Runbook) []string {
	hints := []string{fmt.Sprintf("The alert is that of the runbook %q.", book.Front.Title)}
	for _, title := range []string{runbook.Diagnosis, runbook.Steps} {
		s := book.Section(title)
		if s == nil {
			continue
		}
		var parts []string
		for _, p := range s.Parts {
			parts = append(parts, p.Title)
		}
		if len(parts) > 0 {
			hints = append(hints, fmt.Sprintf("Its %s: %s.", strings.ToLower(title), strings.Join(parts, "; ")))
		}
	}
	return append(hints, fmt.Sprintf("Follow %s, line by line.", book.Name))
}

// oneLine is a text in one line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
