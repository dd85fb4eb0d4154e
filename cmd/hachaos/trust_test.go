package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/calibrate"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/trust"
)

// staged is a runner whose runs take a minute and end as of says.
func staged(t *testing.T, of func(nth int, r *harness.Result) error) *suite.Runner {
	dir, nth := t.TempDir(), 0
	return &suite.Runner{Run: func(_ context.Context, s harness.Scenario, o harness.Options) (*harness.Result, error) {
		time.Sleep(time.Minute)
		nth++
		r := &harness.Result{Scenario: s.Name, Seed: o.Seed, Verdict: harness.VerdictPass, Version: "v1", StartedAt: time.Now(), Dir: filepath.Join(dir, s.Name+"-run")}
		err := of(nth, r)
		return r, err
	}}
}

// heard collects what is said.
type heard []string

func (h *heard) says(_ []string, line string) { *h = append(*h, line) }

func TestASoakAppendsEachVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), soakFile)
		runner := staged(t, func(nth int, r *harness.Result) error {
			switch nth {
			case 2:
				r.Verdict, r.Reason = harness.VerdictFail, "error-budget was violated."
			case 3:
				r.Verdict, r.Reason = harness.VerdictInconclusive, "the host was busy."
			case 4:
				return harness.ErrDirty
			}
			return nil
		})
		var said heard
		for _, verdicts := range []int{2, 5} { // broken off, and taken up again
			s, err := soakSeries(path, 7, verdicts, runner, said.says)
			require.NoError(t, err)
			_, err = s.Run(t.Context())
			require.NoError(t, err)
		}
		all, err := trust.ReadFile[trust.Alarm](path)
		require.NoError(t, err)
		require.Len(t, all, 6, "five verdicts, and one run that gave none")
		require.Equal(t, trust.Soak{Runs: 6, Passed: 3, False: 2, Doubts: 1, Unexplained: 3}, trust.SumUp(all))
		require.Equal(t, "runs/"+all[1].Scenario+"-run", all[1].Folder)
		require.Empty(t, all[0].Folder)
		require.True(t, all[3].Dirty, "the error says so, and the result does not")
		require.Equal(t, trust.Harmless()[4].Name, all[4].Scenario, "each as often as the others")
		require.Equal(t, trust.Harmless()[5%len(trust.Harmless())].Name, all[5].Scenario)
		require.NotEqual(t, all[0].Seed, all[4].Seed)
		require.Len(t, said, 6)
		require.Contains(t, said[1], "error-budget was violated.")
		require.Contains(t, said[0], "seed 7 ")

		require.NoError(t, os.WriteFile(path, []byte("{"), 0o644))
		_, err = soakSeries(path, 7, 2, runner, said.says)
		require.ErrorContains(t, err, "line 1: ", "what cannot be read is not appended to")
	})
}

func TestACalibrationGoesOnUntilEachPointHasItsReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := calibrateFlags{rates: []int{50}, repeat: 2}
		points, err := f.points([]string{"outage-1*-at-50"})
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), calibrationFile)
		runner := staged(t, func(nth int, r *harness.Result) error {
			if nth != 2 {
				r.Assertions = []assert.Verdict{{Name: "error-budget", Status: assert.Fail, Measures: []assert.Measure{{Name: "longest outage of all traffic", Value: 105}}}}
			}
			return nil
		})
		var said heard
		s, err := calibrationSeries(path, "p", points, f.repeat, runner, said.says)
		require.NoError(t, err)
		s.Budget = 90 * time.Second
		out, err := s.Run(t.Context())
		require.NoError(t, err)
		require.True(t, out.Spent)
		s, err = calibrationSeries(path, "p", points, f.repeat, runner, said.says)
		require.NoError(t, err)
		out, err = s.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, trust.Ended{Ran: 5}, out, "three points twice, less the first that was there")
		all, err := trust.ReadFile[calibrate.Measurement](path)
		require.NoError(t, err)
		require.Len(t, all, 7)
		require.Equal(t, []string{"outage-100ms-at-50", "outage-1s-at-50"}, []string{all[0].Point, all[1].Point})
		require.Contains(t, said[0], "truth 100 ms, reported 105")
		require.Contains(t, said[1], "nothing reported: no assertion error-budget")
		lines := calibrate.Lines(calibrate.Readings(points, all))
		require.True(t, lines[0].Good)
		require.False(t, lines[1].Good, "105 ms is not 1 s")
		require.Len(t, calibrationPicture(lines).Groups[0].Points, 6)
	})
}

func TestPointsThatAreChosen(t *testing.T) {
	points, err := (&calibrateFlags{rates: []int{50}, repeat: 1}).points([]string{"latency-50ms"})
	require.NoError(t, err)
	require.Len(t, points, 2)
	require.Equal(t, "latency-0s", points[0].Name, "what it is compared with belongs to it")
}

// TestTheZooIsShownAsItWasLastRun, whatever has changed since.
func TestTheZooIsShownAsItWasLastRun(t *testing.T) {
	dir := t.TempDir()
	record := func(file, verdict, at string) {
		path := filepath.Join(dir, zooFolder, "items", "memory", file)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(`{"schema":"hachaos.item/1","scenario":"memory-sessions","case":"broken","repetition":1,"hash":"h","verdict":"`+
			verdict+`","startedAt":"`+at+`","version":"v-`+verdict+`"}`), 0o644))
	}
	record("a.json", "pass", "2026-11-19T08:00:00Z")
	record("b.json", "fail", "2026-11-20T08:00:00Z")
	last, err := lastRecords(filepath.Join(dir, zooFolder))
	require.NoError(t, err)
	require.Len(t, last, 1)
	require.EqualValues(t, "fail", last["memory-sessions, broken"].Verdict)

	require.NoError(t, os.WriteFile(filepath.Join(dir, zooFolder, "items", "x.json"), []byte(`{"schema":"hachaos.item/0"}`), 0o644))
	_, err = lastRecords(filepath.Join(dir, zooFolder))
	require.ErrorContains(t, err, `x.json: schema "hachaos.item/0": want hachaos.item/1`)
}

// TestTheTrustPageIsOfItsFiles holds docs/trust.md and its picture to the files
// in docs/trust.
func TestTheTrustPageIsOfItsFiles(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	f := trustFlags{dir: filepath.Join("docs", "trust")}
	page, picture, err := trustSheet(f)
	require.NoError(t, err)
	var want bytes.Buffer
	require.NoError(t, report.SheetMarkdown(&want, page))
	got, err := os.ReadFile(filepath.Join("docs", "trust.md"))
	require.NoError(t, err)
	require.True(t, want.String() == string(got), "docs/trust.md is not what its files say; write it anew: make trust-page\n%s", firstUnlike(want.String(), string(got)))
	if picture == nil {
		require.NoFileExists(t, f.file(pictureFile))
		return
	}
	var drawn bytes.Buffer
	require.NoError(t, report.ScatterSVG(&drawn, *picture))
	got, err = os.ReadFile(f.file(pictureFile))
	require.NoError(t, err)
	require.True(t, drawn.String() == string(got), "the picture is not what its file says; draw it anew: make trust-page")
}

// firstUnlike is the first line of two texts that differs.
func firstUnlike(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "want: " + a[i] + "\ngot:  " + b[i]
		}
	}
	return "one is longer"
}
