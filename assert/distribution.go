package assert

import (
	"fmt"
	"math"
	"time"

	"github.com/hachaos/hachaos/history"
)

// defaultSkew is Distribution's bound in percentage points.
const defaultSkew = 10

// zScore is the two-sided 99.9 % quantile of the normal distribution.
const zScore = 3.2905

// Distribution expects the balancers to share the new sessions among the
// application nodes as they should: before the first fault, among the nodes
// that are left while the balancers have diverted the victim, and after the
// heal, when the restarted node must get new sessions again. A node that is
// marked down must answer nothing.
//
// A window's skew is the largest difference, over its nodes, of the share of
// new sessions from the expected share p, in percentage points. It fails
// above
//
//	MaxSkewPercent + 100 · z · √(p·(1−p)/n),  z = 3.29
//
// where n is the number of new sessions: the second term is what chance alone
// may do at 99.9 % (the normal approximation of a binomial). A window in
// which not even a node that gets nothing would exceed that is too small to
// be judged. Requests follow their sessions, so their shares are measured and
// not judged, unless MaxLoadPercent says so.
type Distribution struct {
	// MaxSkewPercent is in percentage points; 0 means 10.
	MaxSkewPercent float64 `json:"maxSkewPercent,omitempty"`
	// Expect gives a node's weight; a node that is not named has none. Empty
	// means that all application nodes are equal: the balancers' own weights
	// are what is tested, and so are no expectation.
	Expect map[string]float64 `json:"expect,omitempty"`
	// VictimPercent is what the nodes that a fault is aimed at should get
	// together of the new sessions, in percent, as long as it is in place: from
	// its proof to its heal. The others share the rest. It is meant for a fault
	// that changes shares and takes no node away, and is judged in place of
	// the time in which the victims are diverted. A run in which a node could
	// get nothing in that time and not exceed the bound is no proof. 0 asks for
	// nothing.
	VictimPercent float64 `json:"victimPercent,omitempty"`
	// MaxLoadPercent also judges the requests themselves, as the balancers'
	// logs have them, whoever sent them: in no window may a node's share of
	// them differ from the expected one by more percentage points. Requests
	// follow their sessions, so that a single busy one can overload its node
	// although new sessions are shared evenly. 0 leaves them unjudged; a
	// window with fewer than 1000 requests is.
	MaxLoadPercent float64 `json:"maxLoadPercent,omitempty"`
	// Tenant is the user whose requests must be among them, as a companion
	// journalled them: without one the load was never put to the test. Empty
	// asks for nobody.
	Tenant string `json:"tenant,omitempty"`
}

// leastLoad is how many requests a window must have for its load to be
// judged.
const leastLoad = 1000

// Name implements Checker.
func (Distribution) Name() string { return "distribution" }

// About implements Checker.
func (d Distribution) About() string {
	shares := "equal shares"
	if len(d.Expect) > 0 {
		shares = "the stated shares"
	}
	text := fmt.Sprintf("each ready node gets %s of the new sessions, within %g percentage points and chance; a diverted node gets nothing", shares, d.skew())
	if d.VictimPercent > 0 {
		text += fmt.Sprintf("; the fault's node gets %g %% of them while it is in place", d.VictimPercent)
	}
	if d.MaxLoadPercent > 0 {
		text += fmt.Sprintf("; its share of all requests is within %g percentage points", d.MaxLoadPercent)
	}
	return text
}

// Needs implements Checker.
func (d Distribution) Needs() []Need {
	needs := []Need{
		{Kind: NeedFault},
		{Kind: NeedHeal},
		{Kind: NeedGenerator},
		{Kind: NeedClock},
		{Kind: NeedStream, Stream: history.StreamServer},
	}
	if d.MaxLoadPercent > 0 {
		needs = append(needs, Need{Kind: NeedStream, Stream: history.StreamDispatch})
	}
	if d.Tenant != "" {
		needs = append(needs, Need{Kind: NeedStream, Stream: history.StreamTenant})
	}
	return needs
}

func (d Distribution) skew() float64 {
	if d.MaxSkewPercent > 0 {
		return d.MaxSkewPercent
	}
	return defaultSkew
}

// Check implements Checker. Measured is the skew of the window that comes
// nearest to its bound, or exceeds it most, and Bound is that window's.
func (d Distribution) Check(h *history.History) Verdict {
	s := d.newSpread(h)
	s.divide()
	s.count()
	return s.verdict(d.Name())
}

// window is a time in which a set of nodes should share the new sessions.
type window struct {
	name     string
	from, to time.Duration
	expect   []float64 // by node; they add up to 1
	sessions []int     // new sessions, by node
	requests []int     // answers, by node
	load     []int     // requests that the balancers sent, by node
	tenant   []int     // those of the tenant that were answered, by node
	skew     float64   // in percentage points
	bound    float64
	worst    int // the node with that skew
	judged   bool
	fine     bool // a node that got nothing would exceed the bound, whichever it is
}

// total is the number of new sessions.
func (w *window) total() (n int) {
	for _, s := range w.sessions {
		n += s
	}
	return n
}

// judge computes the window's skew and the bound that goes with it.
func (w *window) judge(limit float64) {
	n := float64(w.total())
	if n == 0 {
		return
	}
	excess := math.Inf(-1)
	w.fine = true
	for i, p := range w.expect {
		skew := 100 * math.Abs(float64(w.sessions[i])/n-p)
		bound := limit + 100*zScore*math.Sqrt(p*(1-p)/n)
		if p > 0 && p < 1 {
			shows := bound < 100*p
			w.judged, w.fine = w.judged || shows, w.fine && shows
		}
		short := float64(w.sessions[i]) < p*n // of two nodes, name the one that gets too little
		if over := skew - bound; over > excess+1e-9 || over > excess-1e-9 && short {
			excess, w.skew, w.bound, w.worst = over, skew, bound, i
		}
	}
}

// share is a node's part of the new sessions, in percent.
func (w *window) share(i int) float64 {
	if n := w.total(); n > 0 {
		return 100 * float64(w.sessions[i]) / float64(n)
	}
	return 0
}
