package calibrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/topology"
)

// Window resets what users send to its targets, which are balancers, between
// two times that are armed beforehand: the kernel compares each packet's own
// time with them, so that the truth does not depend on when a command was
// carried out. The times are those of CLOCK_REALTIME, to 512 ns.
//
// It does not drop them: what waits for a lost packet when the window ends is
// served after all if the client has the patience, as users have it, and the
// outage that users have is shorter than the window by as much as that.
type Window struct {
	// After is from the arming to the first reset, and For how long packets are
	// answered so; both are required.
	After time.Duration `json:"after"`
	For   time.Duration `json:"for"`
}

// windowTable is the filter's; its prefix is that of all of hachaos's.
const windowTable = "hachaos_window"

// Kind is "calibrated-window".
func (Window) Kind() string { return "calibrated-window" }

// Validate reports times that cannot be.
func (w Window) Validate() error {
	if w.After < 100*time.Millisecond || w.For < time.Millisecond || w.After+w.For > time.Minute {
		return fmt.Errorf("%s: after %v for %v: want after at least 100ms, for at least 1ms, and a minute together at most", w.Kind(), w.After, w.For)
	}
	return nil
}

// Takes implements fault.Lasting: the act is over when the window is.
func (w Window) Takes() time.Duration { return w.After + w.For }

// Inject arms the window; the undo removes the filter. It returns when the
// window is over.
func (w Window) Inject(ctx context.Context, nodes []topology.Node, log fault.Recorder) error {
	if len(nodes) == 0 {
		return fmt.Errorf("%s: %w", w.Kind(), fault.ErrNoTargets)
	}
	for _, n := range nodes {
		if _, ok := n.(topology.Namespace); !ok {
			return fmt.Errorf("%s: %s: %w", w.Kind(), n.Name(), fault.ErrCapability)
		}
	}
	from := time.Now().Add(w.After)
	for _, n := range nodes {
		if err := log.Record(fault.Entry{Undo: fault.FilterAbsent, Node: n.Name(), Params: map[string]string{"table": windowTable}}); err != nil {
			return err
		}
		if err := run(ctx, n.(topology.Namespace), w.arm(from)...); err != nil {
			return fmt.Errorf("%s: %s: %w", w.Kind(), n.Name(), err)
		}
	}
	if time.Until(from) <= 0 {
		return fmt.Errorf("%s: it was armed %v late: nothing is known of when packets were reset", w.Kind(), -time.Until(from))
	}
	select {
	case <-time.After(time.Until(from) + w.For):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// arm is the command. The rule's comment carries the times, for the proof.
func (w Window) arm(from time.Time) []string {
	a, b := tick(from), tick(from.Add(w.For))
	return []string{"nft", strings.Join([]string{
		"add table inet " + windowTable,
		"add chain inet " + windowTable + " input { type filter hook input priority -400; policy accept; }",
		fmt.Sprintf(`add rule inet %s input iifname != lo tcp dport 80 tcp flags & rst == 0 meta time >= %d meta time < %d counter reject with tcp reset comment "%d %d"`,
			windowTable, seconds(a), seconds(b), a, b),
	}, "; ")}
}

// tick is the time in nanoseconds since 1970, rounded down to one that nft can
// be told: see seconds.
func tick(t time.Time) uint64 { return uint64(t.UnixNano()) &^ 511 }

// odd is the part of a thousand million that is not a power of two, and
// inverse its inverse modulo 2^55.
const odd = 1_953_125 // 5^9; 10^9 is 5^9 · 2^9

// seconds is what to tell nft for a time in nanoseconds. nft takes a whole
// number of seconds and multiplies it by 10^9 modulo 2^64, so that a multiple n
// of 2^9 is reached by n/2^9 times the inverse of 5^9 modulo 2^55.
func seconds(ns uint64) uint64 {
	const mask = 1<<55 - 1
	inverse := uint64(1)
	for range 6 { // Newton's iteration doubles the bits that are right
		inverse *= 2 - odd*inverse
	}
	return ns >> 9 * inverse & mask
}

// Active holds when the filter has reset something. From and To are when the window
// began, by the filter's own text: it takes effect at once.
func (w Window) Active(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
	p := fault.Proof{Asked: fmt.Sprintf("packets reset for %v", w.For)}
	packets := uint64(0)
	for _, n := range nodes {
		seen, err := w.look(ctx, n)
		if err != nil {
			return p, err
		}
		packets += seen.packets
		if seen.from > 0 {
			p.From, p.To = time.Unix(0, int64(seen.from)), time.Unix(0, int64(seen.from))
		}
		p.How = append(p.How, fmt.Sprintf("%s: %d packets reset from %d to %d", n.Name(), seen.packets, seen.from, seen.to))
	}
	p.OK = packets > 0
	p.Measured = fmt.Sprintf("%d packets reset", packets)
	return p, nil
}

// Healed holds when no filter is left.
func (w Window) Healed(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
	p := fault.Proof{Asked: "no filter", Measured: "no filter", OK: true}
	for _, n := range nodes {
		seen, err := w.look(ctx, n)
		if err != nil {
			return p, err
		}
		if seen.from > 0 {
			p.OK, p.Measured = false, "a filter on "+n.Name()
		}
	}
	return p, nil
}

// armed is a window as its filter says it was made; the zero value is none.
type armed struct{ packets, from, to uint64 }

func (w Window) look(ctx context.Context, n topology.Node) (armed, error) {
	ns, ok := n.(topology.Namespace)
	if !ok {
		return armed{}, fmt.Errorf("%s: %s: %w", w.Kind(), n.Name(), fault.ErrCapability)
	}
	out, err := ns.InNamespace(ctx, "nft", "-j", "list", "ruleset")
	if err != nil {
		return armed{}, err
	}
	return parseWindow(out.Stdout)
}

// parseWindow finds the rule in nft's JSON.
func parseWindow(text []byte) (armed, error) {
	var list struct {
		Nftables []struct {
			Rule *struct {
				Table, Comment string
				Expr           []struct {
					Counter *struct{ Packets uint64 }
				}
			}
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return armed{}, fmt.Errorf("nft: %w", err)
	}
	for _, item := range list.Nftables {
		if item.Rule == nil || item.Rule.Table != windowTable {
			continue
		}
		a, b, ok := strings.Cut(item.Rule.Comment, " ")
		from, err1 := strconv.ParseUint(a, 10, 64)
		to, err2 := strconv.ParseUint(b, 10, 64)
		if !ok || err1 != nil || err2 != nil {
			return armed{}, fmt.Errorf("nft: comment %q: want two times", item.Rule.Comment)
		}
		out := armed{from: from, to: to}
		for _, e := range item.Rule.Expr {
			if e.Counter != nil {
				out.packets = e.Counter.Packets
			}
		}
		return out, nil
	}
	return armed{}, nil
}

// run carries a command out in a namespace, which must succeed.
func run(ctx context.Context, n topology.Namespace, argv ...string) error {
	out, err := n.InNamespace(ctx, argv...)
	if err != nil {
		return err
	}
	if out.Code != 0 {
		return errors.New(strings.TrimSpace(string(out.Stderr)))
	}
	return nil
}
