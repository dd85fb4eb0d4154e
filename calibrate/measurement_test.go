package calibrate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// ended is a run that reports an outage of so many milliseconds.
func ended(v harness.Verdict, ms float64) *harness.Result {
	return &harness.Result{
		Verdict: v, Seed: 7, Version: "v1", Dir: "/tmp/runs/x", StartedAt: time.Unix(0, 0), Reason: "why.",
		Assertions: []assert.Verdict{{Name: "error-budget", Status: assert.Fail, Measures: []assert.Measure{{Name: "longest outage of all traffic", Value: ms}}}},
	}
}

func TestMeasurementOf(t *testing.T) {
	p := outagePoint(50, 200*time.Millisecond)
	m := MeasurementOf(p, ended(harness.VerdictFail, 205), false, "m")
	require.Equal(t, 205.0, *m.Reported, "a verdict is no part of a calibration")
	require.Empty(t, m.Folder)
	require.Equal(t, Measurement{
		Point: "outage-200ms-at-50", Truth: 200, Unit: "ms", Reported: m.Reported, Verdict: harness.VerdictFail, Seed: 7,
		Version: "v1", Machine: "m", At: time.Unix(0, 0).UTC(),
	}, m)

	broken, silent, failed := ended(harness.VerdictFail, 205), ended(harness.VerdictPass, 0), ended(harness.VerdictError, 205)
	broken.BrokenOff, silent.Assertions = "cut", nil
	for says, r := range map[string]*harness.Result{"it was broken off: cut": broken, "no assertion error-budget in the result": silent, "why.": failed} {
		m := MeasurementOf(p, r, false, "m")
		require.Nil(t, m.Reported)
		require.Equal(t, says, m.Unread)
		require.Equal(t, "runs/x", m.Folder, "it is kept")
	}
	m = MeasurementOf(p, ended(harness.VerdictFail, 205), true, "m")
	require.True(t, m.Dirty)
	require.Nil(t, m.Reported)
	require.Equal(t, "runs/x", m.Folder)

	unproven := ended(harness.VerdictFail, 205)
	unproven.Faults = []harness.FaultResult{{Kind: "window", Proven: true}, {Kind: "owners", Asked: "500ms", Measured: "480.1 to 530.2"}}
	m = MeasurementOf(p, unproven, false, "m")
	require.Nil(t, m.Reported)
	require.Equal(t, "owners was not as asked: 480.1 to 530.2, where 500ms was asked", m.Unread)
}

// What is amiss beside the class that was made is never taken for it.
func TestCounted(t *testing.T) {
	result := func(lost, all float64) *harness.Result {
		return &harness.Result{
			Measures:   map[string]float64{"write-ledger": all},
			Assertions: []assert.Verdict{{Name: "write-ledger", Status: assert.Fail, Measures: []assert.Measure{{Name: "lost", Value: lost}}}},
		}
	}
	for _, tt := range []struct{ lost, all, want float64 }{{7, 7, 7}, {0, 7, 14}, {7, 8, 9}, {6, 6, 6}} {
		got, err := counted("lost")(result(tt.lost, tt.all))
		require.NoError(t, err)
		require.Equal(t, tt.want, got)
	}
	bare := result(7, 7)
	bare.Measures = nil
	_, err := counted("lost")(bare)
	require.ErrorContains(t, err, "does not say how many")
}

// reports are measurements of a point; a negative one is none.
func reports(p Point, values ...float64) []Measurement {
	var out []Measurement
	for _, v := range values {
		m := Measurement{Point: p.Name, Truth: p.Truth, Reported: &v}
		if v < 0 {
			m.Reported, m.Unread = nil, "nothing"
		}
		out = append(out, m)
	}
	return out
}

// TestPointsCanBeRun: each is a run that the harness takes, at other rates too.
func TestPointsCanBeRun(t *testing.T) {
	for _, p := range PointsAt(1, 50, 1000) {
		require.NoError(t, new(harness.Runner).Validate(p.Scenario(), p.Options()), p.Name)
	}
}

func TestReadingsAreOfThePointAsItIs(t *testing.T) {
	p := Point{Name: "a", Truth: 5}
	all := append(reports(p, 4, -1, 6), reports(Point{Name: "a", Truth: 50}, 50)...)
	require.Equal(t, []Reading{{p, []float64{4, 6}}, {Point: Point{Name: "b"}}}, Readings([]Point{p, {Name: "b"}}, all))
}

// TestPlan: every point once before any again, until each has its reports; one
// that says nothing does not hold the others up.
func TestPlan(t *testing.T) {
	a, b, mute := Point{Name: "a"}, Point{Name: "b"}, Point{Name: "mute"}
	plan := Plan{Points: []Point{a, mute, b}, Repeat: 3, Done: reports(a, 1)}
	var order []string
	for p, more := plan.Next(); more; p, more = plan.Next() {
		order = append(order, p.Name)
		require.Less(t, len(order), 20)
		v := 1.0
		if p.Name == "mute" {
			v = -1
		}
		plan.Note(reports(p, v)[0])
	}
	require.Equal(t, []string{"mute", "b", "a", "mute", "b", "a", "mute", "b"}, order)
	_, more := (&Plan{Points: []Point{a, mute, b}, Repeat: 3, Done: plan.Done}).Next()
	require.True(t, more, "another time it is tried again")
}

func TestExitCode(t *testing.T) {
	p := Point{Name: "p", Truth: 100, Bound: 10}
	base := Point{Name: "base"}
	derived := Point{Name: "derived", Truth: 50, Bound: 5, Baseline: "base"}
	dirty := reports(p, 100, 101)
	dirty[0].Dirty = true
	for name, tc := range map[string]struct {
		points []Point
		all    []Measurement
		code   int
	}{
		"all there":                    {[]Point{p}, reports(p, 100, 109), harness.ExitPass},
		"too few":                      {[]Point{p}, reports(p, 100), harness.ExitInconclusive},
		"none":                         {[]Point{p}, nil, harness.ExitInconclusive},
		"out of bound":                 {[]Point{p}, reports(p, 100, 111), harness.ExitFail},
		"out of bound, and too few":    {[]Point{p, base}, reports(p, 111), harness.ExitFail},
		"too few, then out of bound":   {[]Point{base, p}, reports(p, 111), harness.ExitFail},
		"its baseline was not run":     {[]Point{base, derived}, reports(derived, 50, 51), harness.ExitInconclusive},
		"with its baseline":            {[]Point{base, derived}, append(reports(derived, 53, 54), reports(base, 3, 3)...), harness.ExitPass},
		"dirty":                        {[]Point{p}, dirty, harness.ExitDirty},
		"what is dirty was not chosen": {[]Point{base}, append(dirty, reports(base, 3, 3)...), harness.ExitPass},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.code, ExitCode(Lines(Readings(tc.points, tc.all)), tc.all, 2))
		})
	}
}

func TestNewest(t *testing.T) {
	p := Point{Name: "a"}
	all := reports(p, 1, 2, 3)
	all[0].Program, all[1].Program, all[2].Program = "old", "new", "new"
	now, others := Newest(all)
	require.Equal(t, all[1:], now)
	require.Equal(t, 1, others)
	require.Equal(t, all[:1], OfProgram(all, "old"))
	now, others = Newest(nil)
	require.Empty(t, now)
	require.Zero(t, others)
}
