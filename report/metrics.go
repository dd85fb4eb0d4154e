package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// Prometheus writes the run's measures in Prometheus's text format 0.0.4, for
// node_exporter's textfile collector or a Pushgateway: without timestamps,
// which both refuse, in base units (seconds, and ratios instead of per cent),
// and each series once. Everything is a gauge, since a run's counts end with
// it. All series have the labels scenario, profile, topology and repetition.
func Prometheus(w io.Writer, r *harness.Result) error {
	return writeText(w, []measuredRun{{r, 1}})
}

// OpenMetrics writes the same as OpenMetrics 1.0, with units.
func OpenMetrics(w io.Writer, r *harness.Result) error {
	return writeOpenMetrics(w, []measuredRun{{r, 1}})
}

// SuitePrometheus writes the measures of a suite's runs; the label repetition
// tells those of a scenario apart.
func SuitePrometheus(w io.Writer, s *suite.Result) error { return writeText(w, runsOf(s)) }

// SuiteOpenMetrics writes the same as OpenMetrics.
func SuiteOpenMetrics(w io.Writer, s *suite.Result) error { return writeOpenMetrics(w, runsOf(s)) }

type measuredRun struct {
	*harness.Result
	repetition int
}

func runsOf(s *suite.Result) []measuredRun {
	var out []measuredRun
	for i := range s.Entries {
		out = append(out, measuredRun{resultOf(&s.Entries[i]), max(1, s.Entries[i].Repetition)})
	}
	return out
}

func writeText(w io.Writer, runs []measuredRun) error {
	for _, f := range families(runs) {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return fmt.Errorf("prometheus: %w", err)
		}
	}
	return nil
}

func writeOpenMetrics(w io.Writer, runs []measuredRun) error {
	for _, f := range families(runs) {
		if _, err := expfmt.MetricFamilyToOpenMetrics(w, f, expfmt.WithUnit()); err != nil {
			return fmt.Errorf("openmetrics: %w", err)
		}
	}
	if _, err := expfmt.FinalizeOpenMetrics(w); err != nil {
		return fmt.Errorf("openmetrics: %w", err)
	}
	return nil
}

// Units of a metric, by the end of its name; counts have none.
const (
	inSeconds = "seconds"
	inRatio   = "ratio"
)

// base gives a figure in its base unit.
func base(value float64, unit string) (v float64, in string) {
	switch {
	case unit == "ms":
		return value / 1000, inSeconds
	case unit == "s":
		return value, inSeconds
	case strings.HasPrefix(unit, "%"), unit == "percentage points":
		return value / 100, inRatio
	}
	return value, ""
}

// collected are metrics by their names.
type collected struct {
	order []string
	by    map[string]*dto.MetricFamily
	at    map[string]*dto.Metric // by name and labels: a series is there once
}

// families are the metrics of runs, in an order of their own.
func families(runs []measuredRun) []*dto.MetricFamily {
	c := &collected{by: map[string]*dto.MetricFamily{}, at: map[string]*dto.Metric{}}
	for _, r := range runs {
		c.run(r)
	}
	var out []*dto.MetricFamily
	for _, name := range c.order {
		out = append(out, c.by[name])
	}
	return out
}

// labels are names and values in turn.
type labels []string

// put sets a gauge. Of two values of the same series the last one counts, as
// in harness.Result.Measures.
func (c *collected) put(name, unit, help string, value float64, l labels) {
	if unit != "" {
		name += "_" + unit
	}
	f := c.by[name]
	if f == nil {
		gauge := dto.MetricType_GAUGE
		f = &dto.MetricFamily{Name: &name, Help: &help, Type: &gauge}
		if unit != "" {
			f.Unit = &unit
		}
		c.by[name] = f
		c.order = append(c.order, name)
	}
	clean := make(labels, len(l))
	for i, s := range l {
		clean[i] = cleanName(s)
	}
	key := name + "\n" + strings.Join(clean, "\n")
	m := c.at[key]
	if m == nil {
		m = &dto.Metric{Gauge: &dto.Gauge{}}
		for i := 0; i+1 < len(clean); i += 2 {
			m.Label = append(m.Label, &dto.LabelPair{Name: &clean[i], Value: &clean[i+1]})
		}
		c.at[key] = m
		f.Metric = append(f.Metric, m)
	}
	m.Gauge.Value = &value
}

// run puts all that is known of a run.
func (c *collected) run(r measuredRun) {
	of := labels{"scenario", r.Scenario, "profile", r.Profile, "topology", r.Topology, "repetition", strconv.Itoa(r.repetition)}
	with := func(more ...string) labels { return append(slices.Clone(of), more...) }
	c.put("hachaos_run_info", "", "What the run was: always 1.", 1,
		with("version", r.Version, "id", r.ID, "seed", strconv.FormatUint(r.Seed, 10), "verdict", string(r.Verdict)))
	for _, v := range []harness.Verdict{harness.VerdictPass, harness.VerdictFail, harness.VerdictInconclusive, harness.VerdictError} {
		c.put("hachaos_run_verdict", "", "1 for the verdict of the run, 0 for the others.", truth(r.Verdict == v), with("verdict", string(v)))
	}
	c.put("hachaos_run_dirty", "", "Whether something could not be healed or removed.", truth(r.Dirty), of)
	c.put("hachaos_run_leftovers", "", "What could not be removed, in pieces.", float64(len(r.Leftovers)), of)
	if !r.StartedAt.IsZero() {
		c.put("hachaos_run_start_timestamp", inSeconds, "When the run was asked for, in Unix time.", float64(r.StartedAt.UnixMilli())/1000, of)
	}
	c.put("hachaos_run_duration", inSeconds, "Time from the readiness of the system to the end of the record.", r.Took.Seconds(), of)
	for i := range r.Assertions {
		c.assertion(&r.Assertions[i], with("assertion", r.Assertions[i].Name))
	}
	c.load(r.Result, of)
	for i := range r.Faults {
		f := &r.Faults[i]
		c.put("hachaos_fault_proven", "", "Whether the fault was seen to bite, by the amount asked for.", truth(f.Proven),
			with("fault", strconv.Itoa(i+1)+" "+f.Kind, "nodes", strings.Join(f.Nodes, ",")))
	}
}

// assertion puts a verdict with its figures.
func (c *collected) assertion(v *assert.Verdict, of labels) {
	with := func(more ...string) labels { return append(slices.Clone(of), more...) }
	for _, s := range []assert.Status{assert.Pass, assert.Fail, assert.Inconclusive} {
		c.put("hachaos_assertion_verdict", "", "1 for the verdict of the assertion, 0 for the others.", truth(v.Status == s), with("verdict", s.String()))
	}
	c.put("hachaos_assertion_exercised", "", "Whether the assertion met an occasion to be tested.", truth(!v.NotExercised), of)
	if v.Measured != nil {
		value, unit := base(*v.Measured, v.Unit)
		c.put("hachaos_assertion_measured", unit, "What the assertion rests on, "+in(unit), value, counted(unit, v.Unit, of))
	}
	if v.Bound != nil {
		value, unit := base(*v.Bound, v.Unit)
		c.put("hachaos_assertion_bound", unit, "What it is held to, by the label op, "+in(unit), value, append(counted(unit, v.Unit, of), "op", v.Op))
	}
	for _, m := range v.Measures {
		value, unit := base(m.Value, m.Unit)
		c.put("hachaos_assertion_measure", unit, "A figure of the assertion, "+in(unit), value, counted(unit, m.Unit, with("measure", harness.FigureName(m.Name))))
	}
}

// in says what a unit is, for a metric's help.
func in(unit string) string {
	switch unit {
	case inSeconds:
		return "in seconds."
	case inRatio:
		return "as a ratio: 1 is 100 %."
	}
	return "in what the label unit says."
}

// counted adds what is counted to the labels of a metric that has no unit in
// its name.
func counted(unit, what string, l labels) labels {
	l = slices.Clone(l)
	if unit == "" {
		l = append(l, "unit", what)
	}
	return l
}

// loadFigures are those of harness.Summarise, with the metric that each goes to.
var loadFigures = []struct {
	figure, metric, unit, help string
	labels                     labels
}{
	{"ok", "operations", "", "Operations by outcome; info is an unknown one.", labels{"outcome", "ok"}},
	{"fail", "operations", "", "", labels{"outcome", "fail"}},
	{"info", "operations", "", "", labels{"outcome", "info"}},
	{"dropped", "operations_dropped", "", "Operations that were never sent.", nil},
	{"late", "operations_late", "", "Operations that were sent late.", nil},
	{"good_percent", "good", inRatio, "Good operations as a ratio; of a whole run by the threshold of its error budget.", nil},
	{"throughput_per_second", "good_operations_per_second", "", "Good operations a second.", nil},
	{"latency_p50_ms", "latency_p50", inSeconds, "Median latency of what completed, from when it was due.", nil},
	{"latency_p99_ms", "latency_p99", inSeconds, "99th percentile of the latency.", nil},
	{"latency_p999_ms", "latency_p999", inSeconds, "99.9th percentile of the latency.", nil},
	{"latency_max_ms", "latency_max", inSeconds, "Largest latency.", nil},
}

// load puts the figures of the load: of the judged phases together, and of
// each phase by itself.
func (c *collected) load(r *harness.Result, of labels) {
	asserted := map[string]bool{}
	for i := range r.Assertions {
		asserted[harness.FigureName(r.Assertions[i].Name)] = true
	}
	phases := map[string]bool{}
	for name := range r.Measures {
		if i := strings.LastIndexByte(name, '.'); i > 0 && name[i+1:] == "operations" && !asserted[name[:i]] {
			phases[name[:i]] = true
		}
	}
	for _, f := range loadFigures {
		put := func(kind, figure string, l labels) {
			value, has := r.Measures[figure]
			if !has {
				return
			}
			if f.unit != "" {
				value, _ = base(value, map[string]string{inSeconds: "ms", inRatio: "%"}[f.unit])
			}
			c.put("hachaos_"+kind+"_"+f.metric, f.unit, f.help, value, append(slices.Clone(l), f.labels...))
		}
		put("run", f.figure, of)
		for _, phase := range slices.Sorted(maps.Keys(phases)) {
			put("phase", phase+"."+f.figure, append(slices.Clone(of), "phase", phase))
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
