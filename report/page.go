package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// page is what the template shows. Strings are escaped by the template, and
// cleaned of control characters here.
type page struct {
	CSS, UPlotCSS template.CSS
	JS, UPlotJS   template.JS

	Result  *harness.Result
	Meta    history.Meta
	Word    string // PASS, FAIL (DIRTY), …
	Reason  string
	Started string
	Took    string
	Asserts []assertView
	Faults  []faultView
	Steps   []stepView
	Data    pageData
	Rows    []row
	Lanes   []lane
	Facts   []fact
	Bounds  []history.Bound
	Values  []history.Value
	Command string
}

// pageData is what the charts draw.
type pageData struct {
	Series    series    `json:"series"`
	Lanes     []lane    `json:"lanes"`
	Bands     []band    `json:"bands"`
	Phases    []span    `json:"phases"`
	Threshold float64   `json:"threshold"` // milliseconds
	Range     []float64 `json:"range"`
}

type assertView struct {
	Name, Status, Tone        string
	Measured, Bound, Why, Fix string
	Open                      bool
	Reasons, Notes            []string
	Measures                  []measureView
	Evidence                  []evidenceView
	More                      int
}

type measureView struct{ Name, Value, Bound, Note string }

type evidenceView struct {
	Seq, Op         uint64
	At, Node, Class string
	Text            string
}

type faultView struct {
	Kind, Nodes, At, Healed string
	Proven                  bool
	Asked, Measured         string
	How                     []string
}

type stepView struct{ Name, At, After, Bound, Formula, Source, Note, Tone string }

// fact is a line of "can this be believed".
type fact struct {
	Name, Value string
	OK          bool
}

func newPage(r *harness.Result, h *history.History) (*page, error) {
	css, err := asset("uPlot.min.css")
	if err != nil {
		return nil, err
	}
	js, err := asset("uPlot.min.js")
	if err != nil {
		return nil, err
	}
	s := bucketed(h)
	ls := lanes(h)
	return &page{
		CSS: template.CSS(pageCSS), UPlotCSS: template.CSS(css), //nolint:gosec // embedded files of our own and of uPlot
		JS: template.JS(pageJS), UPlotJS: template.JS(js), //nolint:gosec // likewise
		Result: r, Meta: h.Meta, Word: headline(r), Reason: Clean(r.Reason),
		Started: r.StartedAt.UTC().Format("2006-01-02 15:04:05 UTC"), Took: r.Took.Round(100 * time.Millisecond).String(),
		Asserts: assertViews(r), Faults: faultViews(r), Steps: stepViews(h),
		Data: pageData{
			Series: s, Lanes: ls, Bands: bands(h), Phases: ls[0].Spans,
			Threshold: float64(assert.DefaultThreshold.Milliseconds()), Range: []float64{0, h.End.Seconds()},
		},
		Rows: s.rows(), Lanes: ls, Facts: facts(r, h), Bounds: h.Meta.Bounds, Values: h.Meta.Values, Command: Clean(r.Command),
	}, nil
}

// rank puts what needs attention first.
func rank(s assert.Status) int {
	return map[assert.Status]int{assert.Fail: 0, assert.Inconclusive: 1, assert.Pass: 2}[s]
}

func assertViews(r *harness.Result) []assertView {
	var out []assertView
	order := slices.Clone(r.Assertions)
	slices.SortStableFunc(order, func(a, b assert.Verdict) int { return cmp.Compare(rank(a.Status), rank(b.Status)) })
	for i := range order {
		out = append(out, viewAssert(&order[i], i == 0))
	}
	return out
}

func viewAssert(v *assert.Verdict, first bool) assertView {
	a := assertView{
		Name: Clean(v.Name), Status: status(v), Tone: tone(v.Status), Measured: measured(v), Bound: bound(v),
		Why: why(v), Fix: Clean(v.Fix), Open: first && v.Status != assert.Pass, More: v.More,
	}
	for _, s := range v.Reasons {
		a.Reasons = append(a.Reasons, Clean(s))
	}
	for _, s := range v.Notes {
		a.Notes = append(a.Notes, Clean(s))
	}
	for _, m := range v.Measures {
		mv := measureView{Name: Clean(m.Name), Value: withUnit(m.Value, m.Unit), Note: Clean(m.Note)}
		if m.Bound != nil {
			mv.Bound = withUnit(*m.Bound, m.Unit)
		}
		a.Measures = append(a.Measures, mv)
	}
	for _, e := range v.Evidence {
		a.Evidence = append(a.Evidence, evidenceView{e.Seq, e.Op, clock(e.At), Clean(e.Node), Clean(e.Class), Clean(e.Text)})
	}
	return a
}

func tone(s assert.Status) string {
	return map[assert.Status]string{assert.Fail: "bad", assert.Inconclusive: "warn", assert.Pass: "good"}[s]
}

func faultViews(r *harness.Result) []faultView {
	var out []faultView
	for _, f := range r.Faults {
		v := faultView{
			Kind: Clean(f.Kind), Nodes: Clean(strings.Join(f.Nodes, ", ")), At: clock(f.At), Healed: "not proven to have healed",
			Proven: f.Proven, Asked: Clean(f.Asked), Measured: Clean(f.Measured),
		}
		if f.HealedAt >= 0 {
			v.Healed = clock(f.HealedAt)
		}
		for _, s := range f.How {
			v.How = append(v.How, Clean(s))
		}
		out = append(out, v)
	}
	return out
}

// facts are what a sceptic asks of the record itself.
func facts(r *harness.Result, h *history.History) []fact {
	out := []fact{
		{"journal", integrity(h), h.Integrity.State == history.Whole},
		{"operations", fmt.Sprintf("%d", len(h.Ops)), len(h.Ops) > 0},
	}
	for _, f := range r.Faults {
		out = append(out, fact{"fault " + Clean(f.Kind), proof(f), f.Proven})
	}
	for _, c := range h.Coverage {
		name := "observer " + c.V.Stream
		if c.V.Source != "" {
			name += " of " + c.V.Source
		}
		value := fmt.Sprintf("complete, %d seen, longest gap %v", c.V.Seen, c.V.LongGap.Round(time.Millisecond))
		if !c.V.Complete {
			value = fmt.Sprintf("incomplete: %s (%d missed)", c.V.Reason, c.V.Missed)
		}
		for _, w := range c.V.Unknown {
			value += fmt.Sprintf("; not known from %v to %v: %s", w.From.Round(time.Millisecond), w.To.Round(time.Millisecond), w.Why)
		}
		out = append(out, fact{Clean(name), Clean(value), c.V.Complete})
	}
	return append(out, hostFact(h))
}

func integrity(h *history.History) string {
	if h.Integrity.State == history.Whole {
		return fmt.Sprintf("sealed, %d lines", h.Integrity.Lines)
	}
	return Clean(h.Integrity.Reason)
}

func hostFact(h *history.History) fact {
	if len(h.Host) == 0 {
		return fact{"host", "load not observed", false}
	}
	busiest, sum := 0.0, 0.0
	for _, s := range h.Host {
		sum += s.V.Busy
		busiest = max(busiest, s.V.Busy)
	}
	return fact{"host", fmt.Sprintf("%.0f %% busy on average, %.0f %% in the busiest second", 100*sum/float64(len(h.Host)), 100*busiest), true}
}
