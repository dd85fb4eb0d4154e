package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// measuredResult has figures of every unit.
func measuredResult() *harness.Result {
	r := failing()
	r.Measures = map[string]float64{
		"operations": 10, "ok": 7, "fail": 2, "info": 1, "dropped": 0, "late": 3, "good_percent": 99.9, "throughput_per_second": 12.5, "latency_p50_ms": 3, "latency_p99_ms": 250,
		"steady.operations": 4, "steady.ok": 4, "steady.good_percent": 100, "error-budget.operations": 10, "write-ledger": 2,
	}
	r.Assertions[1].Measures = []assert.Measure{
		{Name: "Longest outage", Value: 1500, Unit: "ms", Bound: ptr(2000)},
		{Name: "operations", Value: 10, Unit: "operations"},
		{Name: "burn", Value: 14.4, Unit: "×"},
		{Name: "spent", Value: 3, Unit: "%"},
		{Name: "spent", Value: 4, Unit: "%"},
		{Name: "skew", Value: 5, Unit: "percentage points"},
	}
	return r
}

// parsed reads the text format with Prometheus's own parser.
func parsed(t *testing.T, text string) map[string]*dto.MetricFamily {
	t.Helper()
	var p expfmt.TextParser
	families, err := p.TextToMetricFamilies(strings.NewReader(text))
	require.NoError(t, err, text)
	return families
}

// seriesOf is the value of the one series with these labels.
func seriesOf(t *testing.T, families map[string]*dto.MetricFamily, name string, want ...string) float64 {
	t.Helper()
	require.Contains(t, families, name)
	var found []float64
	for _, m := range families[name].GetMetric() {
		have := map[string]string{}
		for _, l := range m.GetLabel() {
			have[l.GetName()] = l.GetValue()
		}
		matches := true
		for i := 0; i < len(want); i += 2 {
			matches = matches && have[want[i]] == want[i+1]
		}
		if matches {
			found = append(found, m.GetGauge().GetValue())
		}
	}
	require.Len(t, found, 1, "%s %v", name, want)
	return found[0]
}

func TestPrometheusInBaseUnits(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Prometheus(&b, measuredResult()))
	golden(t, "metrics.prom", b.Bytes())
	f := parsed(t, b.String())
	for _, c := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{1, "hachaos_run_info", []string{"scenario", "instance-kill", "profile", "tuned", "topology", "jetty-ha", "verdict", "fail", "seed", "42"}},
		{1, "hachaos_run_verdict", []string{"verdict", "fail"}},
		{0, "hachaos_run_verdict", []string{"verdict", "pass"}},
		{36, "hachaos_run_duration_seconds", nil},
		{1795162500, "hachaos_run_start_timestamp_seconds", nil},
		{1, "hachaos_assertion_verdict", []string{"assertion", "distribution", "verdict", "inconclusive"}},
		{0, "hachaos_assertion_exercised", []string{"assertion", "readiness-gating"}},
		{2, "hachaos_assertion_measured", []string{"assertion", "write-ledger", "unit", "writes"}},
		{0.995, "hachaos_assertion_bound_ratio", []string{"assertion", "error-budget", "op", ">="}},
		{1.5, "hachaos_assertion_measure_seconds", []string{"measure", "longest_outage"}},
		{0.04, "hachaos_assertion_measure_ratio", []string{"measure", "spent"}},
		{0.05, "hachaos_assertion_measure_ratio", []string{"measure", "skew"}},
		{14.4, "hachaos_assertion_measure", []string{"measure", "burn", "unit", "×"}},
		{7, "hachaos_run_operations", []string{"outcome", "ok"}},
		{4, "hachaos_phase_operations", []string{"outcome", "ok", "phase", "steady"}},
		{0.999, "hachaos_run_good_ratio", nil},
		{0.25, "hachaos_run_latency_p99_seconds", nil},
		{1, "hachaos_fault_proven", []string{"fault", "1 instance-kill", "nodes", "j1"}},
	} {
		require.InDelta(t, c.want, seriesOf(t, f, c.name, c.labels...), 1e-9, c.name)
	}
	require.NotContains(t, b.String(), `phase="error-budget"`, "an assertion's figure is no phase's")
}

// wellNamed are promtool's rules of names, as far as gauges have any: see
// client_golang's promlint.
func wellNamed(t *testing.T, families map[string]*dto.MetricFamily) {
	t.Helper()
	for name, f := range families {
		require.True(t, strings.HasPrefix(name, "hachaos_"), name)
		require.Regexp(t, `^[a-z][a-z0-9_]*$`, name)
		require.NotRegexp(t, `_(total|count|sum|bucket)$`, name, "these are not a gauge's")
		require.NotRegexp(t, `(gauge|milliseconds|_ms|percent)`, name)
		require.Equal(t, dto.MetricType_GAUGE, f.GetType(), name)
		require.NotEmpty(t, f.GetHelp(), name)
		seen := map[string]bool{}
		for _, m := range f.GetMetric() {
			require.Nil(t, m.TimestampMs, "the textfile collector and the Pushgateway refuse timestamps")
			labels := ""
			for _, l := range m.GetLabel() {
				require.NotContains(t, []string{"quantile", "le", "job", "instance"}, l.GetName())
				labels += l.String()
			}
			require.False(t, seen[labels], "%s %s is there twice", name, labels)
			seen[labels] = true
		}
	}
}

func TestPrometheusOfEveryRun(t *testing.T) {
	for name, r := range runs() {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, Prometheus(&b, r))
			wellNamed(t, parsed(t, b.String()))
			b.Reset()
			require.NoError(t, OpenMetrics(&b, r))
			openMetrics(t, b.String())
		})
	}
	var b bytes.Buffer
	require.NoError(t, SuitePrometheus(&b, several("d")))
	f := parsed(t, b.String())
	wellNamed(t, f)
	require.InDelta(t, 1, seriesOf(t, f, "hachaos_run_verdict", "scenario", "db-slow", "repetition", "2", "verdict", "fail"), 0)
	require.InDelta(t, 1, seriesOf(t, f, "hachaos_run_verdict", "scenario", "drain", "verdict", "inconclusive"), 0, "it was not run")
	b.Reset()
	require.NoError(t, SuiteOpenMetrics(&b, several("d")))
	openMetrics(t, b.String())
	require.ErrorIs(t, SuiteOpenMetrics(failingWriter{}, several("d")), io.ErrShortWrite)
}

// Lines of OpenMetrics 1.0 as gauges have them: its ABNF, without exemplars
// and timestamps.
var (
	omMeta   = regexp.MustCompile(`^# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$`)
	omSample = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? ([-+]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|Inf)|NaN)$`)
	omHelp   = regexp.MustCompile(`^(?:[^"\\\n]|\\["\\n])*$`)
)

// openMetrics holds a text to the specification: metadata before samples and
// once, families in one piece, a unit that ends its name, each series once, and
// the end marked.
func openMetrics(t *testing.T, text string) {
	t.Helper()
	body, ended := strings.CutSuffix(text, "# EOF\n")
	require.True(t, ended, "it ends with # EOF")
	var current string
	meta, families, series := map[string]bool{}, map[string]bool{}, map[string]bool{}
	lines := bufio.NewScanner(strings.NewReader(body))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := omMeta.FindStringSubmatch(line); m != nil {
			if m[2] != current {
				require.False(t, families[m[2]], "%s is interleaved", m[2])
				current, families[m[2]] = m[2], true
				clear(meta)
			}
			require.False(t, meta[m[1]] || meta["sample"], line)
			meta[m[1]] = true
			switch m[1] {
			case "TYPE":
				require.Equal(t, "gauge", m[3])
			case "UNIT":
				require.True(t, strings.HasSuffix(m[2], "_"+m[3]), line)
			case "HELP":
				require.Regexp(t, omHelp, m[3])
			}
			continue
		}
		m := omSample.FindStringSubmatch(line)
		require.NotNil(t, m, "neither metadata nor a sample: %q", line)
		require.Equal(t, current, m[1])
		require.True(t, meta["TYPE"])
		require.Equal(t, strings.HasSuffix(m[1], "_seconds") || strings.HasSuffix(m[1], "_ratio"), meta["UNIT"], line)
		require.False(t, series[m[1]+m[2]], line)
		meta["sample"], series[m[1]+m[2]] = true, true
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, series)
}

func TestOpenMetrics(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, OpenMetrics(&b, measuredResult()))
	golden(t, "metrics.om", b.Bytes())
	openMetrics(t, b.String())
	require.Contains(t, b.String(), "# UNIT hachaos_run_latency_p99_seconds seconds\n")
}

func TestGrafana(t *testing.T) {
	h := planted(t)
	start := time.Date(2026, 11, 20, 8, 15, 0, 0, time.UTC)
	h.Clock = []history.ClockPair{{Mono: 0, Wall: start.UnixNano()}, {Mono: 600 * ms, Wall: start.Add(601 * ms).UnixNano()}}
	r := judged(h)
	r.ID = "1a2b"
	var b bytes.Buffer
	require.NoError(t, Grafana(&b, r, h))
	golden(t, "grafana.jsonl", b.Bytes())
	var got []mark
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		var m mark
		require.NoError(t, d.Decode(&m), "each line is the body of a request")
		require.Contains(t, m.Tags, "hachaos")
		require.NotEmpty(t, m.Text)
		got = append(got, m)
	}
	at := start.UnixMilli()
	require.Len(t, got, 1+4+1)
	require.Contains(t, got[0].Tags, "verdict:fail")
	require.Equal(t, at, got[0].Time)
	require.Contains(t, got[1].Tags, "phase:warm-up")
	killed := got[len(got)-1]
	require.Contains(t, killed.Tags, "fault:instance-kill")
	require.Equal(t, []int64{at + 406, at + 801}, []int64{killed.Time, killed.TimeEnd}, "from the proof's own interval to the proven heal, by the nearer pair")

	h.Faults[0].Healed, h.Clock = -1, nil
	all := marks(r, h)
	require.Contains(t, all[len(all)-1].Text, "not proven to have healed")
	h.Faults[0].Proof = nil
	all = marks(r, h)
	require.Contains(t, all[len(all)-1].Text, "not proven to bite")
	require.Zero(t, all[len(all)-1].TimeEnd)
	require.Len(t, marks(r, nil), 1)
}
