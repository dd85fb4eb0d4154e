package calibrate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// Point is one known truth with the run that shall report it.
type Point struct {
	// Name is unique: "outage-200ms-at-50".
	Name string `json:"name"`
	// What is being reported, and in which Unit: "longest outage", "ms".
	What string `json:"what"`
	Unit string `json:"unit"`
	// Truth is the value that was made; of a Derived point it is added to what
	// its baseline reports. Bound is by how much the report may differ.
	Truth float64 `json:"truth"`
	Bound float64 `json:"bound"`
	// Above, if it is not nil, is by how much the report may be above the truth: Bound
	// is by how much it may be below then.
	Above *float64 `json:"above,omitempty"`
	// Why says where Bound comes from.
	Why string `json:"why"`
	// Baseline names the point that this one is compared with; empty is none.
	Baseline string `json:"baseline,omitempty"`

	scenario harness.Scenario
	set      map[string]string
	read     func(*harness.Result) (float64, error)
}

// Scenario is the point's run.
func (p Point) Scenario() harness.Scenario { return p.scenario }

// Options are those of the run.
func (p Point) Options() harness.Options {
	return harness.Options{Set: p.set, Command: "hachaos trust calibrate " + p.Name}
}

// Read is what the run reported.
func (p Point) Read(r *harness.Result) (float64, error) { return p.read(r) }

// Rates are those at which outages are cut if none is named, in operations a
// second.
var Rates = []int{20, 50, 200}

// The outages are cut for these times, and so on.
var (
	outages = []time.Duration{
		100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second,
		2 * time.Second, 5 * time.Second, 10 * time.Second,
	}
	added  = []time.Duration{0, 10 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}
	counts = []int{1, 7, 40}
	// Those of an address are long enough for nothing to be a wrong report, and as
	// far from the bound that the assertion has for them (0.9 s and 0.45 s on tuned)
	// as two looks at each edge may miss: nearer to it there is no verdict, and a
	// report would be one of the runs that came out high.
	unowned = []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 5 * time.Second}
	twice   = []time.Duration{800 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 5 * time.Second}
)

// Points are all of them.
func Points() []Point { return PointsAt(Rates...) }

// PointsAt are all of them, with the outages at these rates instead, from 1 to
// 1000 a second.
func PointsAt(rates ...int) []Point {
	var out []Point
	for _, rate := range rates {
		for _, d := range outages {
			out = append(out, outagePoint(rate, d))
		}
	}
	for _, d := range added {
		out = append(out, latencyPoint(d))
	}
	for _, n := range counts {
		out = append(out, ledgerPoint(n, "lost"), ledgerPoint(n, "duplicate"))
	}
	for i := range unowned {
		out = append(out, ownersPoint(unowned[i], false), ownersPoint(twice[i], true))
	}
	return out
}

func outagePoint(rate int, d time.Duration) Point {
	interval := 1000 / float64(rate)
	return Point{
		Name: fmt.Sprintf("outage-%v-at-%d", d, rate), What: "longest outage of all traffic", Unit: "ms",
		Truth: millis(d), Bound: interval + 5,
		Why: fmt.Sprintf("the interval between two operations at %d a second, and 5 ms", rate),
		scenario: scenario("outage", load.Config{Rate: rate, Reads: 1, NoRetry: true},
			harness.Phase{Name: "cut", Kind: history.PhaseBreak, For: 2 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "window", Fault: Window{After: time.Second, For: d}, Aim: harness.VIPOwner()},
			}}, assert.ErrorBudget{}),
		read: measure("error-budget", "longest outage of all traffic"),
	}
}

func latencyPoint(d time.Duration) Point {
	p := Point{
		Name: fmt.Sprintf("latency-%v", d), What: "median latency of session writes", Unit: "ms",
		Truth: millis(d), Bound: 5, Why: "a timer's slack and a busy processor",
		Baseline: "latency-0s",
		scenario: scenario("latency", load.Config{Rate: 100, Writes: 1},
			harness.Phase{Name: "measured", Kind: history.PhaseSteady, For: 10 * time.Second}, assert.ErrorBudget{Threshold: 2 * time.Second}),
		set: map[string]string{"session-work": d.String()},
		read: func(r *harness.Result) (float64, error) {
			v, ok := r.Measures["measured.latency_p50_ms"]
			if !ok {
				return 0, fmt.Errorf("no median in the result")
			}
			return v, nil
		},
	}
	if d == 0 {
		p.Baseline, p.Bound, p.set = "", 0, nil
		p.Why = "what the others are compared with"
	}
	return p
}

func ledgerPoint(n int, class string) Point {
	d := Damage{Lost: n}
	if class == "duplicate" {
		d = Damage{Doubled: n}
	}
	return Point{
		Name: fmt.Sprintf("%s-%d", class, n), What: "orders " + class, Unit: "writes", Truth: float64(n), Why: "a count is right or wrong",
		scenario: scenario("ledger", load.Default(),
			harness.Phase{Name: "damaged", Kind: history.PhaseBreak, For: 3 * time.Second, Faults: []harness.Injection{
				{Label: "damage", Fault: d, Aim: harness.Named("db")},
			}}, assert.WriteLedger{}),
		read: counted(class),
	}
}

// counted reads how many orders are of a class. What the ledger finds beside them
// counts twice, so that no damage of another class passes for this one.
func counted(class string) func(*harness.Result) (float64, error) {
	read := measure("write-ledger", class)
	return func(r *harness.Result) (float64, error) {
		n, err := read(r)
		if err != nil {
			return 0, err
		}
		all, ok := r.Measures["write-ledger"]
		if !ok {
			return 0, errors.New("write-ledger does not say how many orders are amiss")
		}
		return n + 2*(all-n), nil
	}
}

// looks is between two looks at the VIP's owner, of which both edges of a time
// may miss one.
const looks = 100

// commandsTake is how much longer or shorter a truth may be, in milliseconds, that
// commands make: see Owners.Active.
const commandsTake = 20

func ownersPoint(d time.Duration, two bool) Point {
	name, what := "no-owner", "without an owner"
	if two {
		name, what = "two-owners", "with two owners"
	}
	return Point{
		Name: fmt.Sprintf("%s-%v", name, d), What: "longest " + what, Unit: "ms", Truth: millis(d), Bound: 2*looks + commandsTake, Above: new(float64(commandsTake)),
		Why: "what is reported is what is certain: up to one look of 100 ms at each edge below the truth, and 20 ms for the commands that make it either way",
		scenario: scenario("owners", load.Config{Rate: 50, Reads: 1},
			harness.Phase{Name: "moved", Kind: history.PhaseBreak, For: 2 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "owners", Fault: Owners{Two: two, For: d}, Aim: harness.All(topology.Balancer)},
			}}, assert.VIP{}),
		read: measure("vip", "longest "+what),
	}
}

// scenario is a run with one phase of interest.
func scenario(name string, l load.Config, p harness.Phase, judge assert.Checker) harness.Scenario {
	return harness.Scenario{
		Name: "calibrate-" + name, About: "A known truth is made, and what hachaos reports is compared with it.", Topology: "jetty-ha", Load: l,
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 6 * time.Second},
			p,
			{Name: "after", Kind: history.PhaseRecover, For: 3 * time.Second},
		},
		Asserts: []assert.Checker{judge, assert.Leftovers{}},
	}
}

// measure reads a figure of an assertion.
func measure(assertion, name string) func(*harness.Result) (float64, error) {
	return func(r *harness.Result) (float64, error) {
		i := slices.IndexFunc(r.Assertions, func(v assert.Verdict) bool { return v.Name == assertion })
		if i < 0 {
			return 0, fmt.Errorf("no assertion %s in the result", assertion)
		}
		if v := r.Assertions[i]; v.Status == assert.Inconclusive {
			return 0, fmt.Errorf("%s is inconclusive: %s", assertion, v.Summary)
		}
		for _, m := range r.Assertions[i].Measures {
			if m.Name == name {
				return m.Value, nil
			}
		}
		return 0, fmt.Errorf("%s has no figure %q", assertion, name)
	}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
