package fault

import (
	"context"
	"errors"
	"fmt"
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

// limitedVictims are running victims whose limits can be changed.
func limitedVictims(ctx context.Context, kind string, nodes []topology.Node, port int) ([]victim, error) {
	vs, err := victims(kind, nodes, port, false)
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if _, err := limited(n); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
	}
	return vs, allRun(ctx, kind, vs)
}

// limitsEntry is the undo that gives a victim the limits back that it has now.
func limitsEntry(ctx context.Context, v victim) (Entry, topology.Limits, error) {
	l, err := limited(v.Container)
	if err != nil {
		return Entry{}, topology.Limits{}, err
	}
	now, err := l.Limits(ctx)
	if err != nil {
		return Entry{}, now, err
	}
	return Entry{Undo: LimitsRestored, Node: v.Name(), Params: map[string]string{
		"memory": strconv.FormatInt(now.Memory, 10),
		"cpu":    strconv.FormatFloat(now.CPU, 'f', -1, 64),
	}}, now, nil
}

// pressureDir is where the faults of limits keep, in the container, what they
// were asked for and the number of the process that makes demand.
const pressureDir = "/run/hachaos-pressure"

// noPressure ends that process, whatever it has begun, and takes the folder
// away. It needs no memory to speak of.
const noPressure = `cd ` + pressureDir + ` 2>/dev/null || exit 0
pid=$(cat pid 2>/dev/null) && kill -KILL -- "-$pid" 2>/dev/null
cd / && rm -rf ` + pressureDir

// ensureLimits restores the limits first: in a container without memory
// nothing can be run. Where the container is down, what ran in it went with
// it; the folder goes when it runs again.
func ensureLimits(ctx context.Context, n topology.Node, params map[string]string) error {
	l, err := limited(n)
	if err != nil {
		return err
	}
	var was topology.Limits
	var errs [2]error
	was.Memory, errs[0] = strconv.ParseInt(params["memory"], 10, 64)
	was.CPU, errs[1] = strconv.ParseFloat(params["cpu"], 64)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if err := l.Limit(ctx, was); err != nil {
		return err
	}
	err = succeed(n.Exec(ctx, "/bin/sh", "-c", noPressure))
	if errors.Is(err, topology.ErrNotRunning) {
		return nil
	}
	return err
}

// press runs a program in the victim until the undo ends it, and notes in the
// folder what was asked. In its environment, limit is the limit of memory as it
// was then.
func press(ctx context.Context, v victim, asked, program string) error {
	script := `mkdir -p ` + pressureDir + ` && cd ` + pressureDir + ` && echo "$0" >asked || exit 1
` + cgroupScript + `
echo "$killed" >killed
export limit
setsid -f /bin/sh -c 'echo $$ >pid; exec >/dev/null 2>&1 </dev/null; ` + program + `'`
	return succeed(v.Exec(ctx, "/bin/sh", "-c", script, asked))
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

// pressing prints what the cgroup says, one word a line, then what was asked
// and what the kernel had killed before; "-" stands for what is not there.
const pressing = cgroupScript + `
echo "$limit $used $held $killed $nanos $throttled $(date +%s%N)"
cd ` + pressureDir + ` 2>/dev/null && echo "$(cat asked) $(cat killed) $(stat -c %.9Y asked)" || echo "- - -"`

// pressure is what a victim says of its limits.
type pressure struct {
	limit              int64 // 0 is none
	used, held, killed int64
	nanos, throttled   int64
	at                 time.Time
	asked              string // empty if no fault of limits is in place
	killedBefore       int64
	since              time.Time // the act
}

// seePressure asks the container.
func seePressure(ctx context.Context, v victim) (pressure, error) {
	out, err := v.Exec(ctx, "/bin/sh", "-c", pressing)
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

// seeReleased looks whether nothing of a fault of limits is left: neither a
// limit other than before, which the engine tells, nor the demand.
func seeReleased(ctx context.Context, s *sight, v victim) (pressure, error) {
	p, err := seePressure(ctx, v)
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
