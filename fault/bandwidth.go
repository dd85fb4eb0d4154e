package fault

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Bandwidth limits what each target can send, whatever to: a saturated or a
// slow link. What it is sent is not limited. KBit must be given.
type Bandwidth struct {
	// KBit is how many thousands of bits it can send in a second, 200 to
	// 50,000: below, a probe takes too long, and beyond, its socket does not
	// hold enough to keep the link busy.
	KBit int `json:"kbit"`
}

const (
	leastKBit = 200
	mostKBit  = 50_000
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
		"tc", "qdisc", "add", "dev", theDevice, "root", "tbf",
		"rate", strconv.Itoa(f.KBit) + "kbit", "burst", strconv.Itoa(f.burst()), "latency", shapedWait,
	}
}

// Inject limits the targets; the undo takes the limit away. A target whose
// sending is limited or delayed already is an error, before any act.
func (f Bandwidth) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	vs, err := runningVictims(ctx, f.Kind(), nodes, 0, true)
	if err != nil {
		return err
	}
	if err := inTurn(f.Kind(), vs, func(v victim) error { return unshaped(ctx, v.ns) }); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(ShapingAbsent, nil), func(v victim) error {
		return succeed(v.ns.InNamespace(ctx, f.shape()...))
	})
}

// busyFor is how much of the link's time the datagrams of a look may make
// others wait for: a quarter of what the queue holds, so that nothing of
// theirs is dropped, and several times as long as it takes to add more.
const busyFor = 25 * time.Millisecond

// floodFor is how long flood keeps the link busy. What else the node sends has
// to wait busyFor for each of its packets meanwhile: that holds up a node which
// asks its database three times for an answer by 75 ms, and so, at 100 answers a
// second, takes 7 or 8 connections more of its pool (L = λW). A quarter of a
// second lets no queue of note come of it, and the rate is known to a few
// percent by then.
const floodFor = 250 * time.Millisecond

// flood keeps the link busy for $4 microseconds and changes nothing else:
// whenever less than $3 bytes wait to be sent, it adds datagrams of $2 bytes to
// $1's discard port. It prints the bytes that were sent and the time in microseconds, at
// the beginning and at the end, how often it looked meanwhile and how often it
// found nothing waiting: then it was not the limit that was measured. Where
// there is no tbf it sends nothing.
const flood = `dev=` + theDevice + `
tc qdisc show dev $dev root | grep -q ' tbf ' || { echo none; exit 0; }
exec 3>"/dev/udp/$1/9" 4<> <(:)
size=$2 want=$3 looks=0 dry=0
printf -v datagram "%${size}s" ''
keep() {
	[[ $(tc -s -j qdisc show dev $dev root) =~ \"bytes\":([0-9]+).*\"backlog\":([0-9]+) ]] || exit
	bytes=${BASH_REMATCH[1]} waiting=${BASH_REMATCH[2]} now=${EPOCHREALTIME/[.,]/}
	for ((n = (want - waiting) / (size + 42); n > 0; n--)); do printf %s "$datagram" >&3; done 2>/dev/null
	read -r -t 0.005 -u 4
}
for ((i = 0; i < 50; i++)); do keep; ((waiting > 0)) && break; done
echo "$bytes $now"
end=$((now + $4))
while ((now < end)); do
	keep
	looks=$((looks + 1))
	((waiting > 0)) || dry=$((dry + 1))
done
echo "$bytes $now $looks $dry"`

const (
	// frameBytes are what a datagram has beside its payload: Ethernet, IP, UDP.
	frameBytes = 42
	// mostDatagram is a payload in bytes.
	mostDatagram = 1000
)

// flooded are the size of a datagram and how many bytes are to wait: at least
// three frames, small ones on a slow link.
func (f Bandwidth) flooded() (size, want int) {
	want = f.KBit * int(busyFor.Milliseconds()) / 8
	return min(mostDatagram, want/3-frameBytes), want
}

// flow is what flood measured.
type flow struct {
	kbit       float64 // 0 if there was no limit
	looks, dry int     // how often it looked, and nothing waited
}

// busy says whether there was something to send all the time but a tenth.
func (f flow) busy() bool { return 10*f.dry <= f.looks }

// parseFlood reads the two lines that flood prints.
func parseFlood(text string) (flow, error) {
	if strings.TrimSpace(text) == "none" {
		return flow{}, nil
	}
	n := make([]int64, 0, 6)
	for _, word := range strings.Fields(text) {
		v, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			break
		}
		n = append(n, v)
	}
	if len(n) != 6 || n[3] <= n[1] {
		return flow{}, fmt.Errorf("rate of what is sent: %.80q: want bytes and microseconds, twice, and two numbers", text)
	}
	return flow{float64(n[2]-n[0]) * 8 * 1000 / float64(n[3]-n[1]), int(n[4]), int(n[5])}, nil
}

// Active holds when each target, made to have something to send all the time
// for a quarter of a second, gets the asked rate away, within 10 %.
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
		size, want := f.flooded()
		out, err := v.ns.InNamespace(ctx, "bash", "-c", flood, "flood", sinks[v.Name()].String(), strconv.Itoa(size), strconv.Itoa(want), strconv.FormatInt(floodFor.Microseconds(), 10))
		if err := succeed(out, err); err != nil {
			return s, err
		}
		got, err := parseFlood(string(out.Stdout))
		if err != nil {
			return s, err
		}
		s.measured = fmt.Sprintf("%.0f", got.kbit)
		s.see(got.kbit >= 0.9*float64(f.KBit) && got.kbit <= 1.1*float64(f.KBit), "with something to send all the time it got %.0f kbit/s away; 0 stands for no limit", got.kbit)
		s.see(got.busy(), "looks that found nothing waiting to be sent: %d of %d", got.dry, got.looks)
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

// shaped says whether a node's sending is limited or delayed.
func shaped(ctx context.Context, ns topology.Namespace) (bool, error) {
	out, err := ns.InNamespace(ctx, "tc", "qdisc", "show", "dev", theDevice, "root")
	if err := succeed(out, err); err != nil {
		return false, err
	}
	text := string(out.Stdout)
	return strings.Contains(text, " tbf ") || strings.Contains(text, " netem "), nil
}

// unshaped checks that nothing limits or delays what a node sends: its device
// has one place for that, and the first heal would take away whatever is there.
// (Of two faults that look at the same time, the kernel refuses the later: `tc
// qdisc add` does not replace, tc(8).)
func unshaped(ctx context.Context, ns topology.Namespace) error {
	there, err := shaped(ctx, ns)
	if err == nil && there {
		err = errors.New("what it sends is limited or delayed already, by bandwidth or link-latency: " +
			"heal that first, aim at another node, or use latency, which delays the database's answers beside it")
	}
	return err
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
	return succeed(ns.InNamespace(ctx, "tc", "qdisc", "del", "dev", theDevice, "root"))
}
