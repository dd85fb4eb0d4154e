package report

import (
	"cmp"
	"fmt"
	"html/template"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// page is what the template shows. Strings are escaped by the template, and
// cleaned of control characters and cut here.
type page struct {
	CSS, UPlotCSS template.CSS
	JS, UPlotJS   template.JS

	Result   *harness.Result
	Meta     history.Meta
	Word     string // PASS, FAIL (DIRTY), …
	Reason   string
	Lead     *lead
	Set      []setView
	Early    string // that evidence came before any fault; empty if it did not
	Started  string
	Zero     string // what the wall clock showed at 0 s; empty if it is not known
	Shaded   string // what the charts shade, in words
	Dir      string // the run's folder, quoted for a shell
	Took     string
	Asserts  []assertView
	Faults   []faultView
	Steps    []stepView
	Data     pageData
	Rows     []row
	Kinds    []kind
	WorkRows []workRow
	HeatHead []string
	HeatRows []heatRow
	Lanes    []lane
	Shares   []stretch
	Spells   []spell
	Sessions []bar
	Writes   []bar
	Retries  []bar
	Streams  []streamView
	// MoreStreams are the clients beyond those listed; HasEvents says that they
	// received events, and not only a connection.
	MoreStreams int
	HasEvents   bool
	Budget      []measureView
	Facts       []fact
	Parts       []part
	Bounds      []history.Bound
	Values      []history.Value
	Command     string
	Leftovers   []history.Leftover
	// MoreLeft, MoreSpells and MoreFaults are those that are not listed.
	MoreLeft, MoreSpells, MoreFaults int
	// Polled says that anybody asked the nodes whether they were ready.
	Polled bool
}

// pageData is what the scripts draw and list.
type pageData struct {
	Series    series    `json:"series"`
	Origins   []origin  `json:"origins"`
	Heat      heat      `json:"heat"`
	UnderWay  underWay  `json:"underWay"`
	Spent     spent     `json:"spent"`
	Lanes     []lane    `json:"lanes"`
	Bands     []band    `json:"bands"`
	Threshold float64   `json:"threshold"` // milliseconds
	Range     []float64 `json:"range"`     // seconds
	Zero      int64     `json:"zero"`      // the wall clock's at 0 s, in milliseconds since 1970; 0 if not known
	Details   *detailed `json:"details"`
}

type assertView struct {
	Name, Status, Tone        string
	Measured, Bound, Why, Fix string
	Decides                   measureView
	Open                      bool
	Reasons, Notes            []string
	Measures                  []measureView
	Evidence                  []evidenceView
	More                      int
	// HasOp, HasNode and HasSeq say that some evidence names an operation, a
	// node, a line of the journal.
	HasOp, HasNode, HasSeq bool
}

// setView is a value that was set for this run alone.
type setView struct{ Name, Value, Reason string }

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

type stepView struct {
	Name, At, After, Bound, Formula, Source, Note, Tone, Sign string
	Op                                                        uint64
	// Scale says that the step took a time that has a bound, which stands at
	// three quarters of the picture; From and Width are in percent of it.
	Scale       bool
	From, Width float64
}

// Bounds of lists that the record could make long.
const (
	maxListed = 400 // bounds, values, leftovers
	maxNotes  = 40
)

// dataOf is the page's data model: pure, and bounded whatever the number of
// operations.
func dataOf(r *harness.Result, h *history.History) pageData {
	s := bucketed(h)
	return pageData{
		Series: s, Origins: origins(h, &s), Heat: heated(h), UnderWay: underWayOf(h, &s), Spent: spentBy(h, &s),
		Lanes: lanes(h), Bands: bands(h),
		Threshold: float64(gradingOf(h).Threshold.Milliseconds()), Range: []float64{0, h.End.Seconds()}, Zero: zeroOf(r, h),
		Details: detailsOf(r, h),
	}
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
	own, err := bundle(pageFiles, "page")
	if err != nil {
		return nil, err
	}
	data := dataOf(r, h)
	streams, moreStreams := streamViews(h)
	spells, moreSpells := unreadySpells(h)
	asserts := assertViews(r)
	sessions, ledger, budget := assert.SessionSurvival{}.Name(), assert.WriteLedger{}.Name(), assert.ErrorBudget{}.Name()
	return &page{
		CSS: template.CSS(pageCSS), UPlotCSS: template.CSS(css), //nolint:gosec // embedded files of our own and of uPlot
		JS: template.JS(own), UPlotJS: template.JS(js), //nolint:gosec // likewise
		Result: r, Meta: h.Meta, Word: headline(r), Reason: cleanText(r.Reason), Lead: leadOf(asserts), Set: setViews(&h.Meta), Early: early(r),
		Started: r.StartedAt.UTC().Format("2006-01-02 15:04:05 UTC"), Took: r.Took.Round(100 * time.Millisecond).String(),
		Asserts: asserts, Faults: faultViews(r), Steps: stepViews(h),
		Data: data, Rows: data.Series.rows(&data.Spent), Kinds: kindsOf(data.Origins), WorkRows: data.UnderWay.rows(&data.Series), HeatHead: heatHead, HeatRows: data.Heat.rows(), Lanes: data.Lanes,
		Shares: distribution(h), Spells: spells, MoreSpells: moreSpells, Polled: polledNodes(h),
		Sessions: funnel(r, sessions, "sessions"), Writes: funnel(r, ledger, "writes"), Retries: funnel(r, ledger, "operations", "attempts"),
		Streams: streams, MoreStreams: moreStreams, HasEvents: len(h.Received) > 0,
		Budget: measuresOf(r, budget), Facts: facts(r, h), Parts: partsOf(h),
		Bounds: h.Meta.Bounds[:min(len(h.Meta.Bounds), maxListed)], Values: h.Meta.Values[:min(len(h.Meta.Values), maxListed)],
		Leftovers: r.Leftovers[:min(len(r.Leftovers), maxListed)], MoreLeft: max(0, len(r.Leftovers)-maxListed), MoreFaults: max(0, len(r.Faults)-maxBands),
		Command: cleanText(r.Command), Zero: zeroText(data.Zero), Shaded: shaded(data.Bands), Dir: ShellWord(cleanText(filepath.Base(filepath.Clean(r.Dir)))),
	}, nil
}

// zeroOf is what the wall clock showed when the run's began, in milliseconds since
// 1970; 0 if neither the record nor the result says.
func zeroOf(r *harness.Result, h *history.History) int64 {
	if r.StartedAt.IsZero() && len(h.Clock) == 0 {
		return 0
	}
	return wall(r, h, 0).UnixMilli()
}

func zeroText(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("15:04:05.000 UTC")
}

// shaded says which times the charts shade, and which they only frame; those of many
// faults are in the lanes.
func shaded(list []band) string {
	const most = 3
	switch {
	case len(list) == 0:
		return ""
	case len(list) > most:
		return "Shaded are the times in which faults bit, by the lanes below; framed, those of faults that are not proven."
	}
	var all []string
	for _, b := range list {
		verb := "The shaded time is"
		if !b.Proven {
			verb = "The framed time, of a fault that is not proven, is"
		}
		all = append(all, fmt.Sprintf("%s %s, %+.3f s to %+.3f s.", verb, b.Label, b.From, b.To))
	}
	return strings.Join(all, " ")
}

// setViews are the values that are not the profile's, with what the topology
// says of them.
func setViews(m *history.Meta) []setView {
	var out []setView
	for _, name := range sortedKeys(m.Set)[:min(len(m.Set), maxListed)] {
		v := setView{Name: cleanName(name), Value: cleanText(m.Set[name])}
		for _, known := range m.Values {
			if known.Name == name {
				v.Reason = cleanText(known.Reason)
			}
		}
		out = append(out, v)
	}
	return out
}

// early says that what is shown of the first assertion that failed begins
// before any fault, which then need not be its cause; empty if it does not. An
// operation that was under way when the fault came is not meant.
func early(r *harness.Result) string {
	const underWay = time.Second
	i := slices.IndexFunc(r.Assertions, func(v assert.Verdict) bool { return v.Status == assert.Fail })
	if i < 0 || len(r.Faults) == 0 || len(r.Assertions[i].Evidence) == 0 {
		return ""
	}
	fault := slices.MinFunc(r.Faults, func(a, b harness.FaultResult) int { return cmp.Compare(a.At, b.At) }).At
	seen := fault
	for k := range r.Assertions[i].Evidence {
		if e := &r.Assertions[i].Evidence[k]; !timeless(e) {
			seen = min(seen, e.At)
		}
	}
	if seen <= 0 || seen+underWay >= fault {
		return ""
	}
	return fmt.Sprintf("The evidence begins at %s, before any fault: the first came at %s.", clock(seen), clock(fault))
}

// measuresOf are the figures of an assertion.
func measuresOf(r *harness.Result, name string) []measureView {
	for i := range r.Assertions {
		if v := &r.Assertions[i]; v.Name == name {
			return measureViews(v)
		}
	}
	return nil
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
		Name: cleanName(v.Name), Status: status(v), Tone: tone(v.Status), Measured: measured(v), Bound: bound(v),
		Why: cut(why(v), maxText), Fix: cleanText(v.Fix), Open: first && v.Status != assert.Pass, More: v.More,
		Decides: deciding(v), Measures: measureViews(v),
	}
	for _, s := range v.Reasons[:min(len(v.Reasons), maxNotes)] {
		a.Reasons = append(a.Reasons, cleanText(s))
	}
	for _, s := range v.Notes[:min(len(v.Notes), maxNotes)] {
		a.Notes = append(a.Notes, cleanText(s))
	}
	for _, e := range v.Evidence[:min(len(v.Evidence), assert.MaxEvidence)] {
		at := clock(e.At)
		if timeless(&e) {
			at = ""
		}
		a.Evidence = append(a.Evidence, evidenceView{e.Seq, e.Op, at, cleanName(e.Node), cleanName(e.Class), cleanText(e.Text)})
		a.HasOp, a.HasNode, a.HasSeq = a.HasOp || e.Op != 0, a.HasNode || e.Node != "", a.HasSeq || e.Seq != 0
	}
	return a
}

func measureViews(v *assert.Verdict) []measureView {
	var out []measureView
	for _, m := range v.Measures[:min(len(v.Measures), maxListed)] {
		mv := measureView{Name: cleanName(m.Name), Value: ofMeasure(&m, m.Value), Note: cleanText(m.Note)}
		if m.Bound != nil {
			mv.Bound = ofMeasure(&m, *m.Bound)
		}
		out = append(out, mv)
	}
	return out
}

// deciding is the figure that an assertion failed by: its own or, where that
// is within its bound, the first of its measures that is not.
func deciding(v *assert.Verdict) measureView {
	own := measureView{Name: "measured", Value: measured(v), Bound: bound(v)}
	if v.Status == assert.Fail && v.Measured == nil {
		own.Value = "nothing" // in the time that there was
	}
	breaks := func(value, limit float64, atLeast bool) bool {
		return atLeast && value < limit || !atLeast && value > limit
	}
	if v.Status != assert.Fail || v.Measured == nil || v.Bound == nil || breaks(*v.Measured, *v.Bound, v.Op == ">=") {
		return own
	}
	for _, m := range v.Measures {
		atLeast := strings.HasPrefix(m.Unit, "%") && v.Op == ">="
		if m.Bound == nil || !breaks(m.Value, *m.Bound, atLeast) {
			continue
		}
		sign := "≤ "
		if atLeast {
			sign = "≥ "
		}
		return measureView{Name: cleanName(m.Name), Value: ofMeasure(&m, m.Value), Bound: sign + ofMeasure(&m, *m.Bound), Note: cleanText(m.Note)}
	}
	return own
}

func tone(s assert.Status) string {
	return map[assert.Status]string{assert.Fail: "bad", assert.Inconclusive: "warn", assert.Pass: "good"}[s]
}

func faultViews(r *harness.Result) []faultView {
	var out []faultView
	for _, f := range r.Faults[:min(len(r.Faults), maxBands)] {
		v := faultView{
			Kind: cleanName(f.Kind), Nodes: cleanText(strings.Join(f.Nodes, ", ")), At: clock(f.At), Healed: "not proven to have healed",
			Proven: f.Proven, Asked: cleanText(f.Asked), Measured: cleanText(f.Measured),
		}
		if f.HealedAt >= 0 {
			v.Healed = clock(f.HealedAt)
		}
		for _, s := range f.How[:min(len(f.How), maxNotes)] {
			v.How = append(v.How, cleanText(s))
		}
		out = append(out, v)
	}
	return out
}
