package fault

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// PacketLoss drops packets between each target and its peers at random, at a
// rate: a bad cable, a saturated link, a weak radio. Peers and Percent must
// be given.
type PacketLoss struct {
	// Peers are names of nodes, roles, or Clients. The target itself is never
	// one.
	Peers []string `json:"peers"`
	// Percent of the packets are dropped, each way that is meant, 0.1 to 90,
	// in thousandths.
	Percent float64 `json:"percent"`
	// Way is Both, Incoming or Outgoing, as seen from the target; empty is
	// Both.
	Way string `json:"way,omitempty"`
}

const (
	leastLoss = 0.1
	mostLoss  = 90
	// lossUnit: nft draws a whole number below it for each packet.
	lossUnit = 100000
	// z99 is the normal distribution's for an interval of 99 %.
	z99 = 2.5758
)

// Kind is "packet-loss".
func (PacketLoss) Kind() string { return "packet-loss" }

// Validate reports peers, a way or a rate that cannot be.
func (f PacketLoss) Validate() error {
	if err := validPeers(f.Kind(), f.Peers); err != nil {
		return err
	}
	if !(f.Percent >= leastLoss && f.Percent <= mostLoss) {
		return fmt.Errorf("packet-loss: %v %%: want %v to %v; network-cut drops everything", f.Percent, leastLoss, mostLoss)
	}
	return validWay(f.Kind(), f.Way)
}

// Between are the peers' names.
func (f PacketLoss) Between() []string { return f.Peers }

// Inject drops the packets, on each target in one transaction.
func (f PacketLoss) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	return filter(ctx, f, nodes, log, f.Peers, f.Way, lossRule(int(math.Round(f.Percent/100*lossUnit))))
}

// wilson is the interval of 99 % for a rate of which so many of n were seen:
// E. B. Wilson, Probable inference, the law of succession, and statistical
// inference, 1927.
func wilson(seen, n uint64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	p, m := float64(seen)/float64(n), float64(n)
	mid := (p + z99*z99/(2*m)) / (1 + z99*z99/m)
	half := z99 / (1 + z99*z99/m) * math.Sqrt(p*(1-p)/m+z99*z99/(4*m*m))
	return max(0, mid-half), min(1, mid+half)
}

// lossOK says whether a rate was measured: the asked one lies within the
// interval, and that is narrower than from half to double of it.
func lossOK(asked float64, dropped, all uint64) bool {
	low, high := wilson(dropped, all)
	return low <= asked && asked <= high && low >= asked/2 && high <= 2*asked
}

// sample is how many packets make the interval narrow enough, with a half to
// spare: its half-width, about z × √(p(1 − p)/n), has to be below half of p.
func (f PacketLoss) sample() int {
	p := f.Percent / 100
	return max(300, int(1.5*4*z99*z99*(1-p)/p))
}

// Active holds when, each way that is meant, of the packets that each target
// and its peers exchanged since it began, their own and datagrams that are
// sent for the purpose, the asked share was dropped: the asked rate lies
// within the measured one's interval of 99 %, and that is narrower than from
// half to double. Of a way that is not meant, datagrams arrive.
func (f PacketLoss) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	ls, err := links(f.Kind(), nodes, f.Peers)
	if err != nil {
		return Proof{}, err
	}
	asked := f.Percent / 100
	return prove(ctx, fmt.Sprintf("%g %% of the packets dropped", f.Percent), ls, func(ctx context.Context, l link) (sight, error) {
		s := sight{ok: true}
		before, err := countPackets(ctx, l.ns, toxicName(f))
		if err != nil {
			return s, err
		}
		if before == nil {
			s.measured = "nothing is dropped"
			s.see(false, "packet filter %s in its namespace: false", toxicName(f))
			return s, nil
		}
		if n := f.missing(before); n > 0 {
			if _, err := l.exchange(ctx, f.Way, n/max(1, len(l.peers))+1); err != nil {
				return s, err
			}
		}
		now, err := countPackets(ctx, l.ns, toxicName(f))
		if err != nil {
			return s, err
		}
		var parts []string
		for _, c := range chains(f.Way) {
			low, high := wilson(now[c], now[c+"_all"])
			parts = append(parts, fmt.Sprintf("%s %.3g %%", c, 100*float64(now[c])/float64(max(1, now[c+"_all"]))))
			s.see(lossOK(asked, now[c], now[c+"_all"]), "%s: %d of %d packets dropped, an interval of %.3g to %.3g %%", c, now[c], now[c+"_all"], 100*low, 100*high)
		}
		s.measured = strings.Join(parts, ", ")
		return s, l.seeOtherWay(ctx, &s, f.Way, now)
	})
}

// missing is how many packets the scarcest way still needs.
func (f PacketLoss) missing(now counts) int {
	n := 0
	for _, c := range chains(f.Way) {
		n = max(n, f.sample()-int(min(now[c+"_all"], uint64(f.sample()))))
	}
	return n
}

// Healed holds when no filter is left and connections are made both ways.
func (f PacketLoss) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return unfiltered(ctx, f, nodes, f.Peers)
}
