package calibrate

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/topology"
)

// Owners takes the VIP off its owner for a time, or gives it to the other
// balancer as well. keepalived is frozen on both before, and stays so: its way
// back would move the address once more. So it is only for a topology that
// ends with its run. What the commands say of their own times is the proof that the
// time was as asked, within 20 ms; another is no truth.
type Owners struct {
	// Two is two owners; else there is none.
	Two bool          `json:"two,omitempty"`
	For time.Duration `json:"for"`
}

// Kind is "calibrated-owners".
func (Owners) Kind() string { return "calibrated-owners" }

// Validate reports a time that cannot be.
func (o Owners) Validate() error {
	if o.For < 50*time.Millisecond || o.For > time.Minute {
		return fmt.Errorf("%s: for %v: want 50ms to 1m", o.Kind(), o.For)
	}
	return nil
}

// Takes implements fault.Lasting.
func (o Owners) Takes() time.Duration { return o.For }

// ownersScript takes the address ($0) away and gives it back after $1 seconds,
// or, with "two" as $2, the other way round. It prints the four times between
// which each command was carried out.
const ownersScript = `dev=eth0; a=$0
now() { date +%s%N; }
first=del; then=add; [ "$2" = two ] && first=add then=del
t1=$(now); ip addr $first $a dev $dev; t2=$(now)
sleep $1
t3=$(now); ip addr $then $a dev $dev; t4=$(now)
echo $t1 $t2 $t3 $t4`

// ownersPath is where a balancer keeps what was done to it.
const ownersPath = "/run/hachaos/calibrated-owners"

// Inject does it all. nodes are both balancers.
func (o Owners) Inject(ctx context.Context, nodes []topology.Node, _ fault.Recorder) error {
	if len(nodes) != 2 {
		return fmt.Errorf("%s: %d targets: want both balancers: %w", o.Kind(), len(nodes), fault.ErrNoTargets)
	}
	for _, n := range nodes {
		if _, err := shell(ctx, n, `pkill -STOP -x keepalived`); err != nil {
			return fmt.Errorf("%s: %s: %w", o.Kind(), n.Name(), err)
		}
	}
	victim, address, err := o.victim(ctx, nodes)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Kind(), err)
	}
	what := ""
	if o.Two {
		what = "two"
	}
	times, err := shell(ctx, victim, ownersScript, address, strconv.FormatFloat(o.For.Seconds(), 'f', 3, 64), what)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", o.Kind(), victim.Name(), err)
	}
	_, err = shell(ctx, victim, `mkdir -p `+"/run/hachaos"+` && echo "$0" >`+ownersPath, times)
	return err
}

// victim is the owner, or with Two the other, and the address with its bits.
func (o Owners) victim(ctx context.Context, nodes []topology.Node) (topology.Node, string, error) {
	address, owner := "", -1
	for i, n := range nodes {
		// keepalived's addresses are second on the interface.
		text, err := shell(ctx, n, `ip -4 -o addr show dev eth0 | awk '{print $4}' | tail -n +2`)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", n.Name(), err)
		}
		if text = strings.TrimSpace(text); text != "" {
			address, owner = text, i
		}
	}
	if owner < 0 {
		return nil, "", fmt.Errorf("nobody owns the address")
	}
	if o.Two {
		return nodes[1-owner], address, nil
	}
	return nodes[owner], address, nil
}

// Active holds when the address was away, or there twice, for as long as was
// asked, within 20 ms: how long exactly is in Measured.
func (o Owners) Active(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
	p := fault.Proof{Asked: o.For.String(), Unit: "ms"}
	for _, n := range nodes {
		text, err := shell(ctx, n, "cat "+ownersPath+" 2>/dev/null || true")
		if err != nil {
			return p, err
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		least, most, err := parseOwners(text)
		if err != nil {
			return p, err
		}
		p.OK = least >= o.For-commandsTake*time.Millisecond && most <= o.For+commandsTake*time.Millisecond
		p.Measured = fmt.Sprintf("%.3f to %.3f", least.Seconds()*1000, most.Seconds()*1000)
	}
	return p, nil
}

// Healed holds: it was over when the act was.
func (Owners) Healed(context.Context, []topology.Node) (fault.Proof, error) {
	return fault.Proof{OK: true, Asked: "over", Measured: "over"}, nil
}

// parseOwners returns how long it lasted, at the least and at the most.
func parseOwners(text string) (least, most time.Duration, err error) {
	var t [4]int64
	f := strings.Fields(text)
	if len(f) != len(t) {
		return 0, 0, fmt.Errorf("%q: want four times", text)
	}
	for i := range t {
		if t[i], err = strconv.ParseInt(f[i], 10, 64); err != nil {
			return 0, 0, err
		}
	}
	if t[0] < 0 || !slices.IsSorted(t[:]) {
		return 0, 0, fmt.Errorf("%q: want times in their order", text)
	}
	return time.Duration(t[2] - t[1]), time.Duration(t[3] - t[0]), nil
}

func shell(ctx context.Context, n topology.Node, script string, args ...string) (string, error) {
	out, err := n.Exec(ctx, append([]string{"/bin/sh", "-c", script}, args...)...)
	if err != nil {
		return "", err
	}
	if out.Code != 0 {
		return "", fmt.Errorf("status %d: %s", out.Code, strings.TrimSpace(string(out.Stderr)))
	}
	return string(out.Stdout), nil
}
