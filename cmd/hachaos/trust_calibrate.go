package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/calibrate"
	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/trust"
)

// calibrateFlags are those of `trust calibrate`.
type calibrateFlags struct {
	trustFlags
	rates  []int
	repeat int
	budget time.Duration
	status bool
}

func (a *app) trustCalibrate() *cobra.Command {
	var f calibrateFlags
	c := &cobra.Command{
		Use:         "calibrate [POINT…]",
		Annotations: brings("--status"),
		Short:       "Make known truths on containers, and hold what is reported against them",
		Long: `calibrate cuts outages of 100 ms to 10 s by an exact instrument, makes answers slower by
a known time, takes orders out of a real database and doubles others, and takes the VIP
from its owner or gives it to two. Each point is a run of its own, and is repeated; what
was reported is appended to calibration.jsonl in the folder. It ends when every point has
its reports, at the budget, or at an interrupt, and goes on where it was when it is
called again. Reports count as long as nothing changes that they depend on: hachaos's own
sources, the topology and its images.

The reported outage must be within one interval between two operations and 5 ms of the
truth. POINT is a name or a pattern, such as 'outage-*-at-50'.

Exit codes: 0 every point has its reports, all within their bounds, 1 one is not, 2 usage,
3 some are missing, 4 error, 5 a run was dirty.`,
		Example: "  hachaos trust calibrate --budget 20m\n  hachaos trust calibrate --rate 100 'outage-*'\n  hachaos trust calibrate --status --dir docs/trust --markdown",
		RunE: func(c *cobra.Command, names []string) error {
			points, err := f.points(names)
			if err != nil {
				return err
			}
			var failed error
			if !f.status {
				failed = a.calibrate(c.Context(), f, points)
			}
			return a.endSeries(failed, func() error { return a.printCalibration(f, points) })
		},
	}
	f.add(c)
	f.addForms(c)
	c.Flags().IntSliceVar(&f.rates, "rate", calibrate.Rates, "operations a second at which outages are cut, several with commas")
	c.Flags().IntVar(&f.repeat, "repeat", 5, "how many reports each point shall have")
	c.Flags().DurationVar(&f.budget, "budget", 0, "stop between two runs once this long has passed, such as 20m (0: never)")
	c.Flags().BoolVar(&f.status, "status", false, "print the table so far, and run nothing")
	return c
}

// points are those that the names choose at the rates; all without a name.
func (f *calibrateFlags) points(names []string) ([]calibrate.Point, error) {
	if err := budgetOf(f.budget); err != nil {
		return nil, err
	}
	switch {
	case f.repeat < 1:
		return nil, usage("--repeat %d: want at least 1", f.repeat)
	case len(f.rates) == 0:
		return nil, usage("--rate: want one or more, such as 20,50,200")
	}
	for i, r := range f.rates {
		if r < 1 || r > 1000 || slices.Contains(f.rates[:i], r) {
			return nil, usage("--rate %d: want rates from 1 to 1000, each once", r)
		}
	}
	all := calibrate.PointsAt(f.rates...)
	if len(names) == 0 {
		return all, nil
	}
	chosen := map[string]bool{}
	for _, name := range names {
		before := len(chosen)
		for _, p := range all {
			if ok, err := path.Match(name, p.Name); err != nil {
				return nil, usage("point %q: %v", name, err)
			} else if ok {
				chosen[p.Name], chosen[p.Baseline] = true, true // what it is compared with belongs to it
			}
		}
		if len(chosen) == before {
			return nil, usage("no point %q: `hachaos trust calibrate --status` lists those of the rates %s", name, listOf(f.rates))
		}
	}
	return slices.DeleteFunc(all, func(p calibrate.Point) bool { return !chosen[p.Name] }), nil
}

func listOf(rates []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(rates), " ", ","), "[]")
}

// calibrated is a digest of what a report of a calibration depends on: the sources that
// run and judge it, its instrument, and each point's run and topology with its images.
func calibrated() (string, error) {
	d, err := dependencies(runtime.Version())
	if err != nil {
		return "", err
	}
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, p := range calibrate.Points() {
		resolved, err := new(harness.Runner).Resolved(p.Scenario(), p.Options())
		if err != nil {
			return "", fmt.Errorf("point %s: %w", p.Name, err)
		}
		var images []string
		for _, n := range resolved.Spec.Nodes {
			ref, err := d.Images(n.Image)
			if err != nil {
				return "", fmt.Errorf("point %s: %w", p.Name, err)
			}
			images = append(images, ref)
		}
		if err := enc.Encode([]any{resolved, images, d.Sources(resolved.Faults, resolved.Asserts)}); err != nil {
			return "", fmt.Errorf("point %s: %w", p.Name, err)
		}
	}
	return fmt.Sprintf("%x/%d", h.Sum(nil)[:8], calibrate.Instrument), nil
}

func (a *app) calibrate(ctx context.Context, f calibrateFlags, points []calibrate.Point) error {
	program, err := calibrated()
	if err != nil {
		return err
	}
	return a.carryOutSeries(ctx, f.dir, f.budget, func(session *wiring.Session, _ campaign.Store, says func([]string, string)) (*trust.Series, error) {
		// Nothing is shared: what the points do to a topology cannot be taken back.
		return calibrationSeries(f.file(calibrationFile), program, points, f.repeat, &suite.Runner{Run: a.rendered(session)}, says)
	})
}

// calibrationSeries is the series of runs until each point has so many reports of that
// program; their records go to the file.
func calibrationSeries(file, program string, points []calibrate.Point, repeat int, runner *suite.Runner, says func([]string, string)) (*trust.Series, error) {
	all, err := trust.ReadFile[calibrate.Measurement](file)
	if err != nil {
		return nil, err
	}
	plan := calibrate.Plan{Points: points, Repeat: repeat, Done: calibrate.OfProgram(all, program)}
	var now calibrate.Point
	return &trust.Series{
		Runner: runner,
		Next: func() (suite.Job, bool) {
			var more bool
			if now, more = plan.Next(); !more {
				return suite.Job{}, false
			}
			return suite.Job{Scenario: now.Scenario(), Options: now.Options(), Repetition: 1, Of: 1}, true
		},
		Keep: func(_ suite.Job, run suite.Entry) (bool, error) {
			m := calibrate.MeasurementOf(now, run.Run, run.Dirty, wiring.Machine())
			m.Program = program
			if err := trust.AppendLine(file, m); err != nil {
				return true, err
			}
			plan.Note(m)
			run.Scenario = m.Point
			says(run.Notes, lineOf(run, reported(m)))
			return m.Folder != "", nil
		},
	}, nil
}

// reported is what a run said of its truth, in words.
func reported(m calibrate.Measurement) string {
	if m.Reported == nil {
		return "nothing reported: " + m.Unread
	}
	return fmt.Sprintf("truth %g %s, reported %g", m.Truth, m.Unit, *m.Reported)
}

func (a *app) printCalibration(f calibrateFlags, points []calibrate.Point) error {
	all, err := trust.ReadFile[calibrate.Measurement](f.file(calibrationFile))
	if err != nil {
		return err
	}
	all, _ = calibrate.Newest(all)
	lines := calibrate.Lines(calibrate.Readings(points, all))
	a.code = calibrate.ExitCode(lines, all, f.repeat)
	switch {
	case f.asJSON:
		return writeJSON(a.out, jsonLines(lines))
	case f.markdown:
		return calibrate.Markdown(a.out, lines)
	}
	if err := report.GridTable(a.out, calibrationGrid(lines), a.tableOptions(), 22, 22, 8, 10, 13, 8, 8, 6); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, calibrationCount(lines))
	return err
}

// jsonLine is a line of the table; what is unknown is missing.
type jsonLine struct {
	calibrate.Point
	Reported []float64 `json:"reported"`
	Base     float64   `json:"base"`
	Worst    *float64  `json:"worstError,omitempty"`
	Spread   *float64  `json:"spread,omitempty"`
	Good     bool      `json:"good"`
}

func jsonLines(lines []calibrate.Line) []jsonLine {
	var out []jsonLine
	for _, l := range lines {
		j := jsonLine{Point: l.Point, Reported: orEmpty(l.Reported), Good: l.Good}
		if len(l.Reported) > 0 && !math.IsNaN(l.Base) {
			j.Base, j.Worst, j.Spread = l.Base, &l.Worst, &l.Spread
		}
		out = append(out, j)
	}
	return out
}

func calibrationGrid(lines []calibrate.Line) report.Grid {
	g := report.Grid{Head: calibrate.Columns}
	for _, l := range lines {
		g.Rows = append(g.Rows, l.Cells())
	}
	return g
}

// calibrationCount says how many points were measured, and how well.
func calibrationCount(lines []calibrate.Line) string {
	run, good, reports, of := 0, 0, 0, 0
	for _, l := range lines {
		if !l.HasTruth() {
			continue // what others are compared with is held against nothing
		}
		of++
		reports += len(l.Reported)
		if len(l.Reported) > 0 {
			run++
		}
		if l.Good {
			good++
		}
	}
	return fmt.Sprintf("%d of %d points were measured, by %d reports; of %d every report is within its bound", run, of, reports, good)
}

// families are what the picture tells apart, by the beginning of the points'
// names.
var families = []struct{ prefix, name string }{
	{"outage-", "outages"},
	{"latency-", "added latencies"},
	{"no-owner-", "VIP without an owner"},
	{"two-owners-", "VIP with two owners"},
	{"lost-", "lost writes"},
	{"duplicate-", "doubled writes"},
}

// calibrationPicture draws every report against its truth.
// A baseline has no truth of its own.
func calibrationPicture(lines []calibrate.Line) report.Scatter {
	s := report.Scatter{
		Title: "What hachaos reported against what was true",
		True:  "true (ms; writes: number)", Reported: "reported (ms; writes: number)",
	}
	for _, family := range families {
		g := report.ScatterGroup{Name: family.name}
		for _, l := range lines {
			if !strings.HasPrefix(l.Name, family.prefix) || l.Truth == 0 || math.IsNaN(l.Base) {
				continue
			}
			for _, v := range l.Reported {
				g.Points = append(g.Points, report.ScatterPoint{True: l.Truth, Reported: v - l.Base})
			}
		}
		s.Groups = append(s.Groups, g)
	}
	return s
}
