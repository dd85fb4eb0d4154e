package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// limited is the node's capability to have its limits changed.
func limited(n topology.Node) (topology.Limited, error) {
	if l, ok := n.(topology.Limited); ok {
		return l, nil
	}
	return nil, fmt.Errorf("node %s: %w (limits of memory and processor)", n.Name(), ErrCapability)
}

// limitedVictims are running victims whose limits can be changed, and that of
// which no other fault has changed.
func limitedVictims(ctx context.Context, kind string, nodes []topology.Node, port int, what string) ([]victim, error) {
	vs, err := victims(kind, nodes, port, false)
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if _, err := limited(n); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
	}
	if err := allRun(ctx, kind, vs); err != nil {
		return nil, err
	}
	return vs, unpressed(ctx, kind, vs, what)
}

// What can be limited: the keys of LimitsRestored's parameters.
const (
	ofMemory = "memory"
	ofCPU    = "cpu"
)

// unpressed checks that no fault has changed that limit of any victim: the undo
// of a second would take the first one's limit for what was there before, and
// end what makes demand for both.
func unpressed(ctx context.Context, kind string, vs []victim, what string) error {
	return inTurn(kind, vs, func(v victim) error {
		there, err := v.has(ctx, pressureDir(what))
		if err == nil && there {
			err = fmt.Errorf("another fault has changed its limit of %s already, or was not healed while it was down (%s is there): "+
				"heal that first, or aim at another node", what, pressureDir(what))
		}
		return err
	})
}

// limitsEntry is the undo that gives a victim the limit of that back which it
// has now, and leaves the other one to whoever set it.
func limitsEntry(ctx context.Context, v victim, what string) (Entry, topology.Limits, error) {
	l, err := limited(v.Container)
	if err != nil {
		return Entry{}, topology.Limits{}, err
	}
	now, err := l.Limits(ctx)
	if err != nil {
		return Entry{}, now, err
	}
	before := strconv.FormatInt(now.Memory, 10)
	if what == ofCPU {
		before = strconv.FormatFloat(now.CPU, 'f', -1, 64)
	}
	return Entry{Undo: LimitsRestored, Node: v.Name(), Params: map[string]string{what: before}}, now, nil
}

// pressureDir is where a fault of that limit keeps, in the container, what it was
// asked for and the number of the process that makes demand.
func pressureDir(what string) string { return "/run/hachaos-pressure-" + what }

// noPressure ends that process, whatever it has begun, and takes the folder, $0,
// away. It needs no memory to speak of. (dash takes a group's number behind -s
// alone.) A process that has not yet written its
// number down ends by itself once the folder is gone; one that did so meanwhile
// keeps the folder from going.
const noPressure = `i=0
while [ -d "$0" ]; do
	pid=$(cat "$0/pid" 2>/dev/null)
	[ -z "$pid" ] || { kill -s KILL -- "-$pid" 2>/dev/null; rm -f "$0/pid"; }
	rm -f "$0/asked" "$0/killed"
	rmdir "$0" 2>/dev/null && break
	i=$((i + 1))
	[ $i -le 500 ] || { echo "what makes demand does not end" >&2; exit 1; }
	sleep 0.01
done`

// ensureLimits restores the limits first: in a container without memory
// nothing can be run. It reads back that they are in force, since no look from
// outside knows what they were. Where the container is down, what ran in it
// went with it; the folder stays, and Healed finds it when it runs again.
func ensureLimits(ctx context.Context, n topology.Node, params map[string]string) error {
	l, err := limited(n)
	if err != nil {
		return err
	}
	if err := restoreLimits(ctx, l, params); err != nil {
		return err
	}
	for _, what := range slices.Sorted(maps.Keys(params)) {
		err := succeed(n.Exec(ctx, "/bin/sh", "-c", noPressure, pressureDir(what)))
		if err != nil && !errors.Is(err, topology.ErrNotRunning) {
			return err
		}
	}
	return nil
}

// restoreLimits puts those limits in force that the parameters name, and leaves
// the others as they are.
func restoreLimits(ctx context.Context, l topology.Limited, params map[string]string) error {
	want, err := l.Limits(ctx)
	if err != nil {
		return err
	}
	if len(params) == 0 {
		return errors.New("the entry names no limit")
	}
	for what, value := range params {
		switch what {
		case ofMemory:
			want.Memory, err = strconv.ParseInt(value, 10, 64)
		case ofCPU:
			want.CPU, err = strconv.ParseFloat(value, 64)
		default:
			err = fmt.Errorf("%q is no limit", what)
		}
		if err != nil {
			return err
		}
	}
	if err := l.Limit(ctx, want); err != nil {
		return err
	}
	got, err := l.Limits(ctx)
	if err == nil && (got.Memory != want.Memory || math.Abs(got.CPU-want.CPU) > 1e-4) {
		err = fmt.Errorf("the engine says that the limits are %+v, want %+v", got, want)
	}
	return err
}

// press runs a program in the victim until the undo ends it, and notes in the
// folder of the limit what was asked. In its environment, limit is the limit of
// memory as it was then. It returns when the program has its number in the
// folder, by which the undo ends it. One at a time makes demand.
func press(ctx context.Context, v victim, what, asked, program string) error {
	return succeed(v.Exec(ctx, "/bin/sh", "-c", pressScript(program), pressureDir(what), asked))
}

func pressScript(program string) string {
	return `mkdir -p "$0" && cd "$0" || exit 1
pid=$(cat pid 2>/dev/null)
if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then echo "another fault makes demand here already" >&2; exit 1; fi
rm -f pid; echo "$1" >asked || exit 1
` + cgroupScript + `
echo "$killed" >killed
export limit
setsid -f /bin/sh -c 'echo $$ >pid || exit; exec >/dev/null 2>&1 </dev/null; ` + program + `'
` + untilWritten("pid", "what makes demand")
}

// untilWritten is a script that waits until the file has something in it, which
// its writer, the name of a program, writes when it has begun.
func untilWritten(file, writer string) string {
	return `i=0
until [ -s ` + file + ` ]; do
	i=$((i + 1))
	[ $i -le 500 ] || { echo "` + writer + ` did not begin" >&2; exit 1; }
	sleep 0.01
done`
}

// cgroupScript reads the container's own cgroup, of version 1 or 2: the limit
// of memory in bytes ("max" is none), what is used, what of it cannot be given
// back, how many processes the kernel has killed for want of it, the
// processor time used in nanoseconds, and in how many periods it was held
// back.
const cgroupScript = `c=/sys/fs/cgroup
of() { while read -r k v; do [ "$k" = "$1" ] && echo "$v" && return; done <"$2"; echo 0; }
if [ -e $c/memory/memory.limit_in_bytes ]; then
	limit=$(cat $c/memory/memory.limit_in_bytes) used=$(cat $c/memory/memory.usage_in_bytes)
	held=$(of total_rss $c/memory/memory.stat) killed=$(of oom_kill $c/memory/memory.oom_control)
	nanos=$(cat $c/cpuacct/cpuacct.usage) throttled=$(of nr_throttled $c/cpu/cpu.stat)
else
	limit=$(cat $c/memory.max) used=$(cat $c/memory.current)
	held=$(of anon $c/memory.stat) killed=$(of oom_kill $c/memory.events)
	nanos=$(of usage_usec $c/cpu.stat)000 throttled=$(of nr_throttled $c/cpu.stat)
fi`

// pressing prints what the cgroup says, one word a line, then what was asked by
// the folder $0 and what the kernel had killed before; "-" stands for what is
// not there.
const pressing = cgroupScript + `
echo "$limit $used $held $killed $nanos $throttled $(date +%s%N)"
cd "$0" 2>/dev/null && echo "$(cat asked) $(cat killed) $(stat -c %.9Y asked)" || echo "- - -"`

// pressure is what a victim says of its limits.
type pressure struct {
	limit              int64 // 0 is none
	used, held, killed int64
	nanos, throttled   int64
	at                 time.Time
	asked              string // empty if no fault of that limit is in place
	killedBefore       int64
	since              time.Time // the act
}

// seePressure asks the container about that limit. Not having been able to look
// is an error, as is an answer that says nothing.
func seePressure(ctx context.Context, v victim, what string) (pressure, error) {
	out, err := v.Exec(ctx, "/bin/sh", "-c", pressing, pressureDir(what))
	if err := succeed(out, err); err != nil {
		return pressure{}, err
	}
	return parsePressure(string(out.Stdout))
}

// parsePressure reads the two lines that pressing prints.
func parsePressure(text string) (pressure, error) {
	f := strings.Fields(text)
	if len(f) != 10 {
		return pressure{}, fmt.Errorf("state of the limits: %q: want ten words", text)
	}
	var p pressure
	var errs []error
	number := func(to *int64, word string) {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			errs = append(errs, err)
		}
		*to = n
	}
	if f[0] != "max" {
		number(&p.limit, f[0])
	}
	if p.limit >= 1<<60 {
		p.limit = 0
	}
	number(&p.used, f[1])
	number(&p.held, f[2])
	number(&p.killed, f[3])
	number(&p.nanos, f[4])
	number(&p.throttled, f[5])
	var now int64
	number(&now, f[6])
	p.at = time.Unix(0, now)
	if f[7] != "-" {
		p.asked = f[7]
		number(&p.killedBefore, f[8])
		var err error
		p.since, err = parseStamp(f[9])
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return pressure{}, fmt.Errorf("state of the limits: %w", err)
	}
	return p, nil
}

// seeReleased looks whether nothing in the container makes demand any more, nor
// notes a fault of that limit. That the limit is what it was the undo itself has
// read back: nobody else knows it.
func seeReleased(ctx context.Context, s *sight, v victim, what string) (pressure, error) {
	p, err := seePressure(ctx, v, what)
	if err != nil {
		return p, err
	}
	s.see(p.asked == "", "demand of a fault in the container: %t", p.asked != "")
	return p, nil
}

// megabytes writes bytes for a proof.
func megabytes(n int64) string { return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB" }

// within says whether a measured magnitude is the asked one, give or take a
// tenth.
func within(measured, asked float64) bool {
	return measured >= 0.9*asked && measured <= 1.1*asked
}
