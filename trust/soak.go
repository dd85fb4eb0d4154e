package trust

import (
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	runs "github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/topology"
)

// Harmless are runs in which nothing happens that a user could notice: no fault
// at all, a fault on a spare, a node that gets no new sessions for a while, a node
// that is restarted while it gets nothing at all. On a healthy system each must
// pass; whatever else they say is a false alarm, or a doubt that has to be explained.
func Harmless() []harness.Scenario {
	return []harness.Scenario{
		harmless("soak-nothing", "Nothing happens."),
		harmless("soak-spare-killed", "The balancer that does not own the VIP dies and comes back.",
			harness.Injection{Label: "spare", Fault: fault.BalancerKill{}, Aim: harness.VIPStandby()}),
		harmless("soak-spare-frozen", "The balancer that does not own the VIP stops for a while.",
			harness.Injection{Label: "spare", Fault: fault.BalancerFreeze{}, Aim: harness.VIPStandby()}),
		harmless("soak-keepalived-killed", "keepalived of the balancer that does not own the VIP dies and comes back.",
			harness.Injection{Label: "spare", Fault: fault.KeepalivedKill{}, Aim: harness.VIPStandby()}),
		harmless("soak-drained", "A node gets no new sessions for a while, and is let back.",
			harness.Injection{Label: "drain", Fault: fault.Drain{Server: "j1"}, Aim: harness.All(topology.Balancer)}),
		restartedAside(),
	}
}

// restartedAside restarts a node outside the load: no balancer sends it anything
// until it has been back for so long that it is ready, and has nothing to warm.
func restartedAside() harness.Scenario {
	s := harmless("soak-restarted-aside", "A node is restarted while no balancer sends it anything, and is let back when it is ready.",
		harness.Injection{Label: "aside", Fault: fault.Maintenance{Server: "j1"}, Aim: harness.All(topology.Balancer)})
	restart := harness.Injection{Label: "restart", Fault: fault.InstanceRestart{}, Aim: harness.NamedApplication("j1")}
	s.Phases = slices.Insert(
		s.Phases, 3,
		harness.Phase{Name: "restarted", Kind: history.PhaseBreak, For: time.Second, Await: true, Faults: []harness.Injection{restart}},
		harness.Phase{Name: "starting", Kind: history.PhaseRecover, For: 10 * time.Second, Await: true, Heal: []string{restart.Label}},
	)
	return s
}

// enough is how long each steady phase lasts: 99.9 % takes a thousand operations, of 125
// a second.
const enough = 9 * time.Second

// harmless is a scenario with the assertions that judge what users have and who owns
// the VIP, and an objective without any allowance for a fault.
func harmless(name, about string, faults ...harness.Injection) harness.Scenario {
	s := harness.Scenario{
		Name: name, About: about, Tags: []string{"soak"}, Topology: "jetty-ha", Load: load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: enough},
			{Name: "harmless", Kind: history.PhaseBreak, For: 6 * time.Second, Faults: faults},
			{Name: "after", Kind: history.PhaseRecover, For: 6 * time.Second},
			{Name: "steady again", Kind: history.PhaseSteady, For: enough},
		},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: assert.ExpectSurvive},
			assert.WriteLedger{},
			assert.ErrorBudget{Overall: assert.DefaultSteady},
			assert.ReadinessGating{},
			assert.Distribution{},
			assert.VIP{},
			assert.Leftovers{},
		},
	}
	for _, f := range faults {
		s.Phases[3].Heal = append(s.Phases[3].Heal, f.Label)
	}
	return s
}

// Alarm is the record of one harmless run, a line of the soak's file.
type Alarm struct {
	Scenario string          `json:"scenario"`
	Seed     uint64          `json:"seed"`
	Verdict  harness.Verdict `json:"verdict"`
	Reason   string          `json:"reason,omitempty"` // of what did not pass
	Dirty    bool            `json:"dirty,omitempty"`
	Judged   int             `json:"judged"` // assertions that gave a verdict
	Version  string          `json:"version"`
	Machine  string          `json:"machine"`
	At       time.Time       `json:"at"`
	// Folder is the run's, if it was kept: it did not pass.
	Folder string `json:"folder,omitempty"`
	// Explained is what a person found to be the cause; it is written by hand.
	Explained string `json:"explained,omitempty"`
}

// AlarmOf is the record of a result.
func AlarmOf(r *harness.Result, machine string) Alarm {
	a := Alarm{Scenario: r.Scenario, Seed: r.Seed, Verdict: r.Verdict, Dirty: r.Dirty, Version: r.Version, Machine: machine, At: r.StartedAt.UTC()}
	if r.Verdict != harness.VerdictPass || r.Dirty {
		a.Reason = r.Reason
	}
	for _, v := range r.Assertions {
		if v.Status == assert.Pass || v.Status == assert.Fail {
			a.Judged++
		}
	}
	return a
}

// Append adds a record to the file: see AppendLine.
func (a Alarm) Append(path string) error { return AppendLine(path, a) }

// ReadAlarms reads such a file: see ReadLines.
func ReadAlarms(r io.Reader) ([]Alarm, error) { return ReadLines[Alarm](r) }

// Soak sums harmless runs up.
type Soak struct {
	Runs, Passed int
	// False are those that failed or were dirty; Doubts had no verdict. Of
	// both, Unexplained have no cause written down.
	False, Doubts, Unexplained int
	Judged                     int // assertions that gave a verdict, over all runs
}

// SumUp counts records.
func SumUp(all []Alarm) Soak {
	s := Soak{Runs: len(all)}
	for _, a := range all {
		s.Judged += a.Judged
		switch {
		case a.Dirty || a.Verdict == harness.VerdictFail:
			s.False++
		case a.Verdict == harness.VerdictPass:
			s.Passed++
			continue
		default:
			s.Doubts++
		}
		if a.Explained == "" {
			s.Unexplained++
		}
	}
	return s
}

// Given counts the runs that gave a verdict.
func (s Soak) Given() int { return s.Passed + s.False }

// String says it in words, with the bound.
func (s Soak) String() string {
	text := fmt.Sprintf("runs: %d; passed: %d; false alarms: %d; without a verdict: %d", s.Runs, s.Passed, s.False, s.Doubts)
	if s.Unexplained > 0 {
		text += fmt.Sprintf("; not explained yet: %d", s.Unexplained)
	}
	if s.Given() == 0 {
		return text + "; no bound yet"
	}
	return text + fmt.Sprintf("; %d in %d: fewer than %.2f %% of such verdicts are false, at 95 %%", s.False, s.Given(), 100*UpperBound(s.False, s.Given()))
}

// ExitCode is the worst of what nobody has explained: dirty, a failure, no
// verdict. Without any verdict it is that of none.
func ExitCode(all []Alarm) int {
	code := harness.ExitPass
	if SumUp(all).Given() == 0 {
		code = harness.ExitInconclusive
	}
	for _, a := range all {
		switch {
		case a.Explained != "":
		case a.Dirty:
			return harness.ExitDirty
		case a.Verdict == harness.VerdictFail:
			code = harness.ExitFail
		case a.Verdict != harness.VerdictPass && code == harness.ExitPass:
			code = harness.ExitInconclusive
		}
	}
	return code
}

// NextHarmless is the run to be made after those of the file: the scenario that
// has the fewest, with the seed that follows from base and how many there are,
// so that a soak that is taken up again goes on with others.
func NextHarmless(all []Alarm, base uint64) runs.Job {
	n := map[string]int{}
	for _, a := range all {
		n[a.Scenario]++
	}
	s := slices.MinFunc(Harmless(), func(x, y harness.Scenario) int { return n[x.Name] - n[y.Name] })
	return runs.Job{Scenario: s, Options: harness.Options{Seed: runs.Seed(base, len(all)+1), Command: "hachaos trust soak"}, Repetition: 1, Of: 1}
}

// UpperBound is the share of false alarms that is not exceeded with 95 %
// confidence after k of n: the exact bound of Clopper and Pearson (Biometrika
// 26, 1934), found by bisection of the binomial distribution. For k = 0 it is
// 1 − 0.05^(1/n). Of no runs it is 1.
func UpperBound(k, n int) float64 {
	if n <= 0 || k >= n {
		return 1
	}
	low, high := 0.0, 1.0
	for range 60 {
		p := (low + high) / 2
		if atMost(k, n, p) > 0.05 {
			low = p
		} else {
			high = p
		}
	}
	return high
}

// atMost is the probability of k or fewer of n at p each.
func atMost(k, n int, p float64) float64 {
	sum := 0.0
	for i := range k + 1 {
		logC := lgamma(n+1) - lgamma(i+1) - lgamma(n-i+1)
		sum += math.Exp(logC + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

func lgamma(n int) float64 {
	v, _ := math.Lgamma(float64(n))
	return v
}
