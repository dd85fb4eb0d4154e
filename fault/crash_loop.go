package fault

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Defaults of CrashLoop.
const (
	DefaultLife = 3 * time.Second // long enough to get ready and be sent requests
	DefaultRest = time.Second     // RestartSec of a unit that is meant to come back fast
)

// CrashLoop kills the application's process again and again: at once, and
// then each time that it has lived for Life. After Rest it is started again,
// as a supervisor that never gives up does, if the system has not done so
// itself. It goes on until the undo. The zero value is ready to use.
type CrashLoop struct {
	// Life is how long each process lives; 0 is DefaultLife.
	Life time.Duration `json:"life,omitempty"`
	// Rest is the time from a death to the next start; 0 is DefaultRest.
	Rest time.Duration `json:"rest,omitempty"`
	// Port is the TCP port whose answer is part of the proof that it is over;
	// 0 is the one that the node says it serves.
	Port int `json:"port,omitempty"`
}

// loopMark is there for as long as the loop is to go on.
const loopMark = "/run/hachaos/crash-loop"

// leastDeaths is how many deaths are a loop.
const leastDeaths = 2

// Kind is "crash-loop".
func (CrashLoop) Kind() string { return "crash-loop" }

// Validate reports times that make no loop and a port that cannot be.
func (f CrashLoop) Validate() error {
	for _, d := range []struct {
		name string
		v    time.Duration
	}{{"life", f.Life}, {"rest", f.Rest}} {
		if d.v != 0 && (d.v < 100*time.Millisecond || d.v > time.Minute || d.v != d.v.Truncate(time.Millisecond)) {
			return fmt.Errorf("%s: %s %v: want 100ms to 1m in whole milliseconds, or 0 for the default", f.Kind(), d.name, d.v)
		}
	}
	return validPort(f.Kind(), f.Port)
}

func (f CrashLoop) times() (life, rest time.Duration) {
	life, rest = DefaultLife, DefaultRest
	if f.Life > 0 {
		life = f.Life
	}
	if f.Rest > 0 {
		rest = f.Rest
	}
	return life, rest
}

// begin is the act: the loop's mark is there before the loop is, so that an undo
// that comes in between leaves no loop without an end. It returns when the loop
// has written its number down.
func (f CrashLoop) begin() []string {
	return []string{"/bin/sh", "-c", `cd /run/hachaos && rm -f crash-loop.pid && : >crash-loop.log && : >crash-loop || exit 1
setsid -f /bin/sh -c "exec >/dev/null 2>&1 </dev/null
$0"
` + untilWritten("crash-loop.pid", "the loop"), f.loop()}
}

// loop is the program of the act, which runs where its mark is. What it does it
// writes down, a line each: "end", "rested" or "start", and the time.
func (f CrashLoop) loop() string {
	life, rest := f.times()
	seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
	return `echo $$ >crash-loop.pid
while [ -e crash-loop ]; do
	pid=$(cat java.pid 2>/dev/null)
	if [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null; then
		echo "end $(date +%s.%N) $pid" >>crash-loop.log
	fi
	sleep ` + seconds(rest) + `
	echo "rested $(date +%s.%N)" >>crash-loop.log
	[ -e crash-loop ] || exit 0
	` + appStart + ` java >/dev/null 2>&1 && echo "start $(date +%s.%N) $(cat java.pid)" >>crash-loop.log
	sleep ` + seconds(life) + `
done`
}

// noLoop ends the loop, wherever it stands.
const noLoop = `cd /run/hachaos && rm -f crash-loop || exit 1
pid=$(cat crash-loop.pid 2>/dev/null) && rm -f crash-loop.pid && kill -KILL "$pid" 2>/dev/null
exit 0`

func ensureNoCrashLoop(ctx context.Context, n topology.Node, _ map[string]string) error {
	if _, ok := n.(topology.Container); ok {
		if err := ensureContainer(ctx, n, nil); err != nil {
			return err
		}
	}
	if err := succeed(n.Exec(ctx, "/bin/sh", "-c", noLoop)); err != nil {
		return err
	}
	return ensureProcess(ctx, n, nil)
}

// Inject begins the loop in each container; the undo ends it and starts the
// process. One that does not run, or has such a loop, is an error.
func (f CrashLoop) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, f.Port, false)
	if err != nil {
		return err
	}
	if err := without(ctx, f.Kind(), vs, loopMark, "such a loop is in place"); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(CrashLoopOver, nil), func(v victim) error {
		return succeed(v.Exec(ctx, f.begin()...))
	})
}

// paceNoise is how much less than a sleep its two stamps may say, and paceSlack how
// much more at least: what the machine needs to begin a process.
const (
	paceNoise = 10 * time.Millisecond
	paceSlack = 250 * time.Millisecond
)

// paced says whether the median of the times is the asked one, or longer by up to a
// half or 250 ms: a sleep is never shorter, and a busy machine adds to it.
func paced(asked time.Duration, times []time.Duration) bool {
	got := middle(times)
	return len(times) > 0 && got >= asked-paceNoise && got <= asked+max(asked/2, paceSlack)
}

// middle is the median of times; 0 if there are none.
func middle(times []time.Duration) time.Duration {
	return probes{answered: slices.Sorted(slices.Values(times))}.median()
}

// Shows implements Gradual: from the first death to the second are a rest and a life,
// each longer by up to a half.
func (f CrashLoop) Shows() time.Duration {
	life, rest := f.times()
	return (life + rest) * 3 / 2
}

// Active holds when the loop goes on, the process has died at least twice, with a
// start between, and the medians of how long it lived and how long it rested are the
// asked ones, or longer by up to a half or 250 ms. From and To are the first death,
// which is when the fault takes effect.
func (f CrashLoop) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	life, rest := f.times()
	asked := fmt.Sprintf("the process dies again and again, at least %d times, having lived for %v and rested for %v", leastDeaths, life, rest)
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s, l, err := seeLoop(ctx, v)
		if err != nil || !s.ok {
			return s, err
		}
		s.see(l.on, "the loop goes on: %t", l.on)
		s.see(len(l.ends) >= leastDeaths && l.starts >= leastDeaths-1, "it died %d times and was started %d times", len(l.ends), l.starts)
		s.see(paced(life, l.lives), "it lived for %v, the median of %d lives", middle(l.lives).Round(time.Millisecond), len(l.lives))
		s.see(paced(rest, l.rests), "it rested for %v, the median of %d rests", middle(l.rests).Round(time.Millisecond), len(l.rests))
		if len(l.lives) > 0 {
			s.measured += fmt.Sprintf(", lived for %v and rested for %v", middle(l.lives).Round(time.Millisecond), middle(l.rests).Round(time.Millisecond))
		}
		if len(l.ends) > 0 {
			s.from, s.to = l.ends[0], l.ends[0]
		}
		return s, nil
	})
}

// Healed holds when the loop is over, a process runs and its port answers.
func (f CrashLoop) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "the loop is over, the process runs", vs, func(ctx context.Context, v victim) (sight, error) {
		s, l, err := seeLoop(ctx, v)
		if err != nil || !s.ok {
			return s, err
		}
		s.see(!l.left, "anything of the loop is left: %t", l.left)
		s.see(l.pid != 0, "process %d runs", l.pid)
		if !s.ok {
			return s, nil
		}
		return s, seeConnect(ctx, &s, v, connected)
	})
}

// looping prints whether the loop goes on ("on" with its mark and its process,
// "part" with one of them), the process's number while it
// lives, and what the loop wrote down.
const looping = `cd /run/hachaos
loop=$(cat crash-loop.pid 2>/dev/null)
if [ -n "$loop" ] && kill -0 "$loop" 2>/dev/null; then
	[ -e crash-loop ] && echo on || echo part
elif [ -e crash-loop ]; then echo part; else echo off; fi
pid=$(cat java.pid 2>/dev/null)
if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then echo "$pid"; else echo -; fi
cat crash-loop.log 2>/dev/null || :`

// seeLoop asks the engine whether the container runs, and the container about
// the loop.
func seeLoop(ctx context.Context, v victim) (sight, loopState, error) {
	s, text, err := seeInside(ctx, v, looping)
	if err != nil || !s.ok {
		return s, loopState{}, err
	}
	l, err := parseLoop(text)
	s.measured = fmt.Sprintf("died %d times, started %d times", len(l.ends), l.starts)
	return s, l, err
}

// loopState is what a victim says of the loop.
type loopState struct {
	on     bool // its mark is there, and its process runs
	left   bool // one of them is there
	pid    int  // 0 if none runs
	ends   []time.Time
	starts int
	// lives are from a start to the end that came next, rests from an end on.
	lives, rests []time.Duration
}

// parseLoop reads what looping prints.
func parseLoop(text string) (loopState, error) {
	var l loopState
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) < 2 {
		return l, fmt.Errorf("state of the crash loop: %q: want at least two lines", text)
	}
	l.on, l.left = lines[0] == "on", lines[0] != "off"
	if lines[1] != "-" {
		pid, err := strconv.Atoi(lines[1])
		if err != nil {
			return l, fmt.Errorf("state of the crash loop: %w", err)
		}
		l.pid = pid
	}
	var before string
	var then time.Time
	for _, line := range lines[2:] {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue // it is being written
		}
		at, err := parseStamp(f[1])
		if err != nil {
			return l, fmt.Errorf("state of the crash loop: %w", err)
		}
		switch f[0] {
		case "end":
			l.ends = append(l.ends, at)
			if before == "start" {
				l.lives = append(l.lives, at.Sub(then))
			}
		case "rested":
			if before == "end" {
				l.rests = append(l.rests, at.Sub(then))
			}
		case "start":
			l.starts++
		default:
			return l, fmt.Errorf("state of the crash loop: %q: want end, rested or start", line)
		}
		before, then = f[0], at
	}
	return l, nil
}
