// Package hachaostest runs scenarios under `go test`.
//
//	func TestSurvivesTheLossOfANode(t *testing.T) {
//		hachaostest.Run(t, scenarios.InstanceKill(), hachaostest.Profile("tuned"))
//	}
//
// A run that does not pass fails the test with its evidence. One that stays
// inconclusive, as for want of machine, is made up to three times and says so; a
// fail is never repeated. With -short the test is skipped, since it needs
// containers.
//
// Call it as `go test -count=1 -p 1 -timeout 30m ./...`: a pass that Go has cached
// breaks nothing, two runs at once take each other's machine, and the first builds
// the images, too, which takes minutes. The flags:
//
//	-hachaos.dir DIR    keep the runs' folders there (default: a temporary folder, kept if the test fails)
//	-hachaos.seed N     the seed of all that is drawn (default: a random one, printed)
//
// Importing the package takes over the test binary when hachaos executes it
// again for its own helpers (the reaper that cleans up after a killed test),
// before any test runs.
package hachaostest

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
)

func init() { wiring.Agent() }

var (
	dirFlag  = flag.String("hachaos.dir", "", "keep the folders of hachaos's runs in this folder")
	seedFlag = flag.Uint64("hachaos.seed", 0, "seed of hachaos's runs (0: random)")
)

// Attempts is how often an inconclusive run is made before the test fails.
const Attempts = 3

// grace is what is left of the test's deadline for healing and removing.
const grace = 30 * time.Second

// Option changes a run.
type Option func(*config)

type config struct {
	harness.Options
	skipStarved bool
	decides     []string
	checkers    assert.Table
}

// Set sets a switch of the scenario, the load or the topology.
func Set(key, value string) Option {
	return func(c *config) {
		if c.Set == nil {
			c.Set = map[string]string{}
		}
		c.Set[key] = value
	}
}

// Profile chooses the topology's profile.
func Profile(name string) Option { return func(c *config) { c.Profile = name } }

// Nodes chooses how many application nodes there are.
func Nodes(n int) Option { return func(c *config) { c.Nodes = n } }

// Image uses the image that reference names in the place of the topology's of that
// name: docs/wire.md says what it has to hold, and what it has to answer.
func Image(name, reference string) Option {
	return func(c *config) {
		if c.Images == nil {
			c.Images = map[string]string{}
		}
		c.Images[name] = reference
	}
}

// Short runs the scenario's short form: see harness.Options.
func Short() Option { return func(c *config) { c.Short = true } }

// On uses a standing topology (`hachaos up --name NAME`).
func On(name string) Option { return func(c *config) { c.On = name } }

// Seed fixes what is drawn; the flag -hachaos.seed wins over it.
func Seed(n uint64) Option { return func(c *config) { c.Seed = n } }

// Checkers are assertions of your own, by name: what builds each from its parameters,
// which assert.Typed does for a plain value. The scenario names them in its Asserts. A
// run is judged by them in this test alone: `hachaos check` does not know them.
func Checkers(own assert.Table) Option {
	return func(c *config) {
		if c.checkers == nil {
			c.checkers = assert.Table{}
		}
		maps.Copy(c.checkers, own)
	}
}

// Decides names assertions that the test asks about: a run in which one of them
// is inconclusive counts as inconclusive and is repeated, whatever others say.
func Decides(assertions ...string) Option {
	return func(c *config) { c.decides = append(c.decides, assertions...) }
}

// SkipStarved skips a test whose runs stay inconclusive while the machine was
// short in a fifth of all looks under load or more: its hypervisor took time from it, or its
// processors were 95 % busy. On a shared runner that says nothing of the system.
// Without it such a test fails, as any without a verdict does; and one that has a
// verdict is never skipped.
func SkipStarved() Option { return func(c *config) { c.skipStarved = true } }

// From how busy on, and in which share of the looks, a machine was short.
const (
	busy      = 0.95
	busyShare = 0.2
)

// ForWantOfMachine says whether a run without a verdict may have none because of the
// machine: it was short, by the run's record, as SkipStarved asks, or the reason speaks
// of it or of the generator. It is for a test that makes its runs itself.
func ForWantOfMachine(r *harness.Result) bool {
	return starved(r.Dir) || strings.Contains(r.Reason, "the machine") || strings.Contains(r.Reason, "the generator")
}

// starved says whether the machine was short, by the record of a run.
func starved(dir string) bool {
	h, err := history.Load(dir)
	if err != nil {
		return false
	}
	if _, _, throughout := h.Stolen(); throughout {
		return true
	}
	looks, host := 0, h.HostUnderLoad()
	for i := range host {
		if host[i].V.Busy >= busy {
			looks++
		}
	}
	return looks > 0 && float64(looks) >= busyShare*float64(len(host))
}

// decided says whether the result is one: it has a verdict, and each of the
// assertions that the test asks about has one.
func (c *config) decided(r *harness.Result) bool {
	if r.Verdict == harness.VerdictInconclusive {
		return false
	}
	return !slices.ContainsFunc(r.Assertions, func(v assert.Verdict) bool {
		return v.Status == assert.Inconclusive && slices.Contains(c.decides, v.Name)
	})
}

// Run runs s and fails t with the evidence unless the verdict is pass. It
// returns the result of the last attempt.
func Run(t testing.TB, s harness.Scenario, opts ...Option) *harness.Result {
	t.Helper()
	r := Try(t, s, opts...)
	if r.Verdict != harness.VerdictPass || r.Dirty {
		t.Fatal(failure(r))
	}
	return r
}

// Try runs s and returns its result, whatever it is: for a test that expects
// a system to fail. It fails t only if there is no verdict to return: the run
// could not be carried out, or stayed inconclusive after its repeats.
func Try(t testing.TB, s harness.Scenario, opts ...Option) *harness.Result {
	t.Helper()
	if testing.Short() {
		t.Skip("hachaostest: a run needs containers and a minute; -short leaves it out")
	}
	var c config
	for _, o := range opts {
		o(&c)
	}
	if *seedFlag != 0 {
		c.Seed = *seedFlag
	}
	ctx, cancel := bounded(t)
	defer cancel()
	dir := runsDir(t)
	for attempt := 1; ; attempt++ {
		r := once(ctx, t, dir, s, c)
		if c.decided(r) || r.Dirty {
			return r
		}
		t.Logf("hachaos: attempt %d of %d is inconclusive: %s (%s)", attempt, Attempts, r.Reason, r.Dir)
		if attempt < Attempts && ctx.Err() == nil {
			continue
		}
		if c.skipStarved && starved(r.Dir) {
			t.Skipf("hachaos: no verdict on this machine, which is short: %s", r.Reason)
		}
		t.Fatal(failure(r))
	}
}

// once makes one run and renders its folder.
func once(ctx context.Context, t testing.TB, dir string, s harness.Scenario, c config) *harness.Result {
	t.Helper()
	session, err := wiring.Open(ctx, dir, "test")
	if err != nil {
		t.Fatalf("hachaos: %v", err)
	}
	defer func() {
		if err := session.Close(); err != nil {
			t.Logf("hachaos: %v", err)
		}
	}()
	log := &logger{t: t}
	defer log.close()
	session.Runner.Progress, session.Runner.Checkers = log, c.checkers
	r, err := session.Runner.Run(ctx, s, c.Options)
	if r == nil {
		t.Fatalf("hachaos: %s: %v", s.Name, err)
	}
	if h, err := history.Load(r.Dir); err == nil {
		if err := report.Write(r.Dir, r, h); err != nil {
			t.Logf("hachaos: %v", err)
		}
	}
	if err != nil || r.Verdict == harness.VerdictError {
		t.Fatalf("hachaos: %s could not be carried out: %v\n%s", s.Name, err, failure(r))
	}
	return r
}

// bounded is the test's context, ended early enough to clean up before the
// test's deadline. One that leaves no time for a run fails the test before
// anything starts.
func bounded(t testing.TB) (context.Context, context.CancelFunc) {
	t.Helper()
	if d, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if at, has := d.Deadline(); has {
			if left := time.Until(at).Round(time.Second); left <= grace {
				t.Fatalf("hachaos: the test's deadline is in %v, and the last %v are kept for healing and removing: give more time (go test -timeout 10m)", left, grace)
			}
			return context.WithDeadline(t.Context(), at.Add(-grace))
		}
	}
	return context.WithCancel(t.Context())
}

// runsDir is where the runs' folders go: the flag's, or a temporary one that
// is removed only if the test passes.
func runsDir(t testing.TB) string {
	t.Helper()
	if *dirFlag != "" {
		return *dirFlag
	}
	dir, err := os.MkdirTemp("", "hachaos-")
	if err != nil {
		t.Fatalf("hachaos: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("hachaos: the runs' folders are in %s", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Logf("hachaos: %v", err)
		}
	})
	return dir
}

// failure is the result in testify's manner: what, measured against expected,
// and the evidence.
func failure(r *harness.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n\tScenario:\t%s\n\tVerdict:\t%s (want pass)\n\tReason:\t\t%s\n\tSeed:\t\t%d\n", r.Scenario, r.Verdict, r.Reason, r.Seed)
	if r.Dirty {
		fmt.Fprintf(&b, "\tDirty:\t\t%d things are left behind\n", len(r.Leftovers))
	}
	fmt.Fprintf(&b, "\tReport:\t\t%s\n\n", filepath.Join(r.Dir, report.HTMLFile))
	if err := report.Table(&b, r, report.TableOptions{}); err != nil {
		fmt.Fprintf(&b, "%v\n", err)
	}
	return b.String()
}

// logger sends the steps of a run to the test's log until the run is over: an
// observer that did not end in time may still speak, and a log after the
// test's end is a panic.
type logger struct {
	t testing.TB

	mu     sync.Mutex
	closed bool
}

// Step implements harness.Progress.
func (l *logger) Step(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.t.Log("hachaos: " + text)
	}
}

// Tick implements harness.Progress.
func (*logger) Tick(harness.Tick) {}

func (l *logger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}
