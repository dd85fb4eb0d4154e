package fault

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// Bandwidth limits what each target can send, whatever to: a saturated or a
// slow link. What it is sent is not limited. Two of them on one node are one:
// the later limit counts, and the first heal ends it. KBit must be given.
type Bandwidth struct {
	// KBit is how many thousands of bits it can send in a second, 200 to
	// 200,000: below, a probe takes too long, and beyond, it takes the machine.
	KBit int `json:"kbit"`
}

const (
	leastKBit = 200
	mostKBit  = 200_000
	// shapedDevice is the only one that a container has.
	shapedDevice = "eth0"
	// shapedWait is how long a packet may wait to be sent; a longer queue is
	// cut off (tc-tbf(8), "latency").
	shapedWait = "100ms"
)

// Kind is "bandwidth".
func (Bandwidth) Kind() string { return "bandwidth" }

// Validate reports a rate that cannot be made or not be measured.
func (f Bandwidth) Validate() error {
	if f.KBit < leastKBit || f.KBit > mostKBit {
		return fmt.Errorf("bandwidth: %d kbit/s: want %d to %d", f.KBit, leastKBit, mostKBit)
	}
	return nil
}

// burst is the bucket in bytes: what may be sent at once. It has to hold what
// the rate gives in a tick of the kernel's clock, 10 ms at most, and two
// packets (tc-tbf(8), "burst").
func (f Bandwidth) burst() int { return max(3200, f.KBit*1000/8/100) }

// shape is the command that sets the limit.
func (f Bandwidth) shape() []string {
	return []string{
		"tc", "qdisc", "replace", "dev", shapedDevice, "root", "tbf",
		"rate", strconv.Itoa(f.KBit) + "kbit", "burst", strconv.Itoa(f.burst()), "latency", shapedWait,
	}
}

// Inject limits the targets; the undo takes the limit away.
func (f Bandwidth) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	vs, err := runningVictims(ctx, f.Kind(), nodes, 0, true)
	if err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(ShapingAbsent, nil), func(v victim) error {
		return succeed(v.ns.InNamespace(ctx, f.shape()...))
	})
}

// flood sends datagrams of 1000 bytes to $1's discard port, $2 of them each
// 5 ms, for 0.8 s, and prints what the device's queue had sent after 0.3 s and
// at the end, each time with the time in microseconds. Where there is no tbf
// it sends nothing.
const flood = `tc qdisc show dev ` + shapedDevice + ` root | grep -q ' tbf ' || { echo none; exit 0; }
sent() { set -- $(tc -s qdisc show dev ` + shapedDevice + ` root | grep -m1 Sent); echo "$2 ${EPOCHREALTIME/[.,]/}"; }
exec 3>"/dev/udp/$1/9" 4<> <(:)
printf -v x '%1000s' ''
(
	end=$((${EPOCHREALTIME/[.,]/} + 800000))
	while ((${EPOCHREALTIME/[.,]/} < end)); do
		for ((i = 0; i < $2; i++)); do printf %s "$x" >&3; done 2>/dev/null
		read -t 0.005 -u 4
	done
) &
read -t 0.3 -u 4
sent
wait
sent`

// floods are how many datagrams each 5 ms are twice the rate.
func (f Bandwidth) floods() int { return f.KBit*1000/8/1000/100 + 1 }

// parseFlood reads the two lines that flood prints, and gives the rate in
// kbit/s; 0 if there was no limit.
func parseFlood(text string) (float64, error) {
	if strings.TrimSpace(text) == "none" {
		return 0, nil
	}
	n := make([]int64, 0, 4)
	for _, word := range strings.Fields(text) {
		v, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("rate of what is sent: %q: want bytes and microseconds, twice", text)
		}
		n = append(n, v)
	}
	if len(n) != 4 || n[3] <= n[1] {
		return 0, fmt.Errorf("rate of what is sent: %q: want bytes and microseconds, twice", text)
	}
	return float64(n[2]-n[0]) * 8 * 1000 / float64(n[3]-n[1]), nil
}

// Active holds when each target, made to send twice the rate for less than a
// second, gets the asked rate away, within 10 %.
func (f Bandwidth) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, 0, true)
	if err != nil {
		return Proof{}, err
	}
	sinks := map[string]netip.Addr{}
	for _, n := range nodes {
		to, ok := neighbour(n)
		if !ok {
			return Proof{}, fmt.Errorf("bandwidth: node %s: %w (another node to send to)", n.Name(), ErrCapability)
		}
		sinks[n.Name()] = to
	}
	p, err := prove(ctx, strconv.Itoa(f.KBit), vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		out, err := v.ns.InNamespace(ctx, "bash", "-c", flood, "flood", sinks[v.Name()].String(), strconv.Itoa(f.floods()))
		if err := succeed(out, err); err != nil {
			return s, err
		}
		got, err := parseFlood(string(out.Stdout))
		if err != nil {
			return s, err
		}
		s.measured = fmt.Sprintf("%.0f", got)
		s.see(got >= 0.9*float64(f.KBit) && got <= 1.1*float64(f.KBit), "of twice the rate it got %.0f kbit/s away; 0 stands for no limit", got)
		return s, nil
	})
	p.Unit = "kbit/s"
	return p, err
}

// neighbour is another node's address.
func neighbour(n topology.Node) (netip.Addr, bool) {
	m, ok := n.(topology.Member)
	if !ok {
		return netip.Addr{}, false
	}
	for _, p := range m.Peers() {
		if a, ok := p.(topology.Addressed); ok && p.Name() != n.Name() && a.Addr().IsValid() {
			return a.Addr(), true
		}
	}
	return netip.Addr{}, false
}

// Healed holds when no target's sending is limited.
func (f Bandwidth) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, 0, true)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "no limit", vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true, measured: "no limit"}
		there, err := shaped(ctx, v.ns)
		if err != nil {
			return s, err
		}
		if there {
			s.measured = "limited"
		}
		s.see(!there, "a limit on what it sends is there: %t", there)
		return s, nil
	})
}

// shaped says whether a node's sending is limited.
func shaped(ctx context.Context, ns topology.Namespace) (bool, error) {
	out, err := ns.InNamespace(ctx, "tc", "qdisc", "show", "dev", shapedDevice, "root")
	if err := succeed(out, err); err != nil {
		return false, err
	}
	return strings.Contains(string(out.Stdout), " tbf "), nil
}

// ensureNoShaping needs nothing where the container is down.
func ensureNoShaping(ctx context.Context, n topology.Node, _ map[string]string) error {
	ns, err := namespace(n)
	if err != nil {
		return err
	}
	there, err := shaped(ctx, ns)
	if errors.Is(err, topology.ErrNotRunning) {
		return nil
	}
	if err != nil || !there {
		return err
	}
	return succeed(ns.InNamespace(ctx, "tc", "qdisc", "del", "dev", shapedDevice, "root"))
}
