package fault

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// probe connects to a PostgreSQL, or to what leads to one, asks whether it
// speaks TLS (PostgreSQL 17 Documentation, 53.2.10), which costs it no login,
// and takes the time from the question to the one letter of the answer. It
// makes $3 of them, dealt to $4 workers, each for at most $5 seconds, and
// prints a line for each: "ok" and microseconds, "refused", "silent" (no
// answer within the limit) or "closed". A worker is one process: on a machine
// that is short of time, a process for each probe would be most of the time.
const probe = `one() {
	if ! { exec 3<>"/dev/tcp/$1/$2"; } 2>/dev/null; then
		case $( { exec 4<>"/dev/tcp/$1/$2"; } 2>&1) in
		*refused*) echo refused ;;
		*) echo closed ;;
		esac
		return
	fi
	t=${EPOCHREALTIME/[.,]/}
	printf '\0\0\0\10\4\322\26\57' >&3
	if IFS= read -t "$3" -r -N1 <&3; then
		echo "ok $((${EPOCHREALTIME/[.,]/} - t))"
	elif (($? > 128)); then
		echo silent
	else
		echo closed
	fi 2>/dev/null
	exec 3<&-
}
for ((w = 0; w < $4; w++)); do
	for ((i = w; i < $3; i += $4)); do one "$1" "$2" "$5"; done &
done
wait`

// How a probe can end.
const (
	probeRefused = "refused"
	probeSilent  = "silent"
	probeClosed  = "closed"
	// probeUnwilling is an answer that is not what was asked for.
	probeUnwilling = "answered otherwise"
)

// probes are the ends of several: the times of those that were answered, and
// the others by how they ended.
type probes struct {
	answered []time.Duration
	ended    map[string]int
}

// probeCommand is the command for n probes, some at a time.
func probeCommand(to netip.AddrPort, n, parallel int, limit time.Duration) []string {
	return []string{
		"bash", "-c", probe, "probe", to.Addr().String(), strconv.Itoa(int(to.Port())),
		strconv.Itoa(n), strconv.Itoa(parallel), strconv.FormatFloat(limit.Seconds(), 'f', 3, 64),
	}
}

// probeDatabase asks from beside a node.
func probeDatabase(ctx context.Context, from topology.Namespace, to netip.AddrPort, n, parallel int, limit time.Duration) (probes, error) {
	out, err := from.InNamespace(ctx, probeCommand(to, n, parallel, limit)...)
	if err := succeed(out, err); err != nil {
		return probes{}, fmt.Errorf("ask %s from %s: %w", to, from.Name(), err)
	}
	return parseProbes(string(out.Stdout), n)
}

// parseProbes reads the lines that probe prints; fewer or more than were made
// is an error.
func parseProbes(text string, made int) (probes, error) {
	p := probes{ended: map[string]int{}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		word, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word != "ok" {
			p.ended[word]++
			continue
		}
		us, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return p, fmt.Errorf("probe of the database: %q: want ok and microseconds", line)
		}
		p.answered = append(p.answered, time.Duration(us)*time.Microsecond)
	}
	if n != made {
		return p, fmt.Errorf("probe of the database: %d of %d probes ended", n, made)
	}
	slices.Sort(p.answered)
	return p, nil
}

// median is the middle of the answered ones; 0 if there are none.
func (p probes) median() time.Duration {
	n := len(p.answered)
	if n == 0 {
		return 0
	}
	return (p.answered[(n-1)/2] + p.answered[n/2]) / 2
}

// quartiles is the range between the quartiles of the answered ones, without
// the quarter below and the quarter above; 0 if there are none.
func (p probes) quartiles() time.Duration {
	n := len(p.answered)
	if n == 0 {
		return 0
	}
	return p.answered[n-1-n/4] - p.answered[n/4]
}

// all says whether every one of n ended so.
func (p probes) all(n int, how string) bool { return p.ended[how] == n }

// String says how they ended: "3 answered, 1 refused".
func (p probes) String() string {
	var parts []string
	if n := len(p.answered); n > 0 {
		parts = append(parts, fmt.Sprintf("%d answered", n))
	}
	for _, how := range []string{probeUnwilling, probeRefused, probeSilent, probeClosed} {
		if n := p.ended[how]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, how))
		}
	}
	return strings.Join(parts, ", ")
}
