package calibrate

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/hachaos/hachaos/harness"
)

// Measurement is the record of one run of a point, a line of the file of them.
type Measurement struct {
	Point    string   `json:"point"`
	Truth    float64  `json:"truth"`
	Unit     string   `json:"unit"`
	Reported *float64 `json:"reported,omitempty"` // nil if the run reported none
	// Unread says why not.
	Unread  string          `json:"unread,omitempty"`
	Verdict harness.Verdict `json:"verdict"`
	Dirty   bool            `json:"dirty,omitempty"`
	Seed    uint64          `json:"seed"`
	// Program is a digest of what made the truth and reported it; a report of another
	// one says nothing of this.
	Program string    `json:"program,omitempty"`
	Version string    `json:"version"`
	Machine string    `json:"machine"`
	At      time.Time `json:"at"`
	// Folder is the run's, if it was kept: it reported nothing, or was dirty.
	Folder string `json:"folder,omitempty"`
}

// MeasurementOf is the record of a point's run.
func MeasurementOf(p Point, r *harness.Result, dirty bool, machine string) Measurement {
	m := Measurement{
		Point: p.Name, Truth: p.Truth, Unit: p.Unit, Verdict: r.Verdict, Dirty: dirty || r.Dirty, Seed: r.Seed,
		Version: r.Version, Machine: machine, At: r.StartedAt.UTC(),
	}
	v, err := p.Read(r)
	switch {
	case r.BrokenOff != "":
		m.Unread = "it was broken off: " + r.BrokenOff
	case r.Verdict == harness.VerdictError:
		m.Unread = r.Reason
	case m.Dirty:
		m.Unread = "it left something behind: " + r.Reason
	case unmade(r) != "":
		m.Unread = unmade(r)
	case err != nil:
		m.Unread = err.Error()
	default:
		m.Reported = &v
	}
	if m.Unread != "" || m.Dirty {
		m.Folder = filepath.Join("runs", filepath.Base(r.Dir))
	}
	return m
}

// unmade says which truth was not made as it was to be; empty is none.
func unmade(r *harness.Result) string {
	for _, f := range r.Faults {
		if !f.Proven {
			return fmt.Sprintf("%s was not as asked: %s, where %s was asked", f.Kind, f.Measured, f.Asked)
		}
	}
	return ""
}

// Instrument is a number that changes whenever what makes the truths does.
const Instrument = 1

// OfProgram are the measurements of that program.
func OfProgram(all []Measurement, program string) []Measurement {
	return slices.DeleteFunc(slices.Clone(all), func(m Measurement) bool { return m.Program != program })
}

// Newest are the measurements of the program that made the last one, and how many
// there are of others, which say nothing of it.
func Newest(all []Measurement) (now []Measurement, others int) {
	if len(all) == 0 {
		return nil, 0
	}
	now = OfProgram(all, all[len(all)-1].Program)
	return now, len(all) - len(now)
}

// Readings are the points with what their runs reported. A measurement of
// another truth than the point has by now is not among them.
func Readings(points []Point, all []Measurement) []Reading {
	out := make([]Reading, 0, len(points))
	for _, p := range points {
		r := Reading{Point: p}
		for _, m := range all {
			if m.of(p) && m.Reported != nil {
				r.Reported = append(r.Reported, *m.Reported)
			}
		}
		out = append(out, r)
	}
	return out
}

func (m Measurement) of(p Point) bool { return m.Point == p.Name && m.Truth == p.Truth }

// attempts is how often a point is run in one go that reports nothing.
const attempts = 3

// Plan says which point is to be run next: of those that have fewer than Repeat
// reports the one that has the fewest, so that every point is run once before
// any is repeated. One that has reported nothing three times since the plan was
// made is passed over.
type Plan struct {
	Points []Point
	Repeat int
	Done   []Measurement // those of the file, and those that Note added

	unread map[string]int
}

// Next is the point to be run now; false if there is none any more.
func (p *Plan) Next() (Point, bool) {
	readings := Readings(p.Points, p.Done)
	left := slices.DeleteFunc(readings, func(r Reading) bool { return len(r.Reported) >= p.Repeat || p.unread[r.Name] >= attempts })
	if len(left) == 0 {
		return Point{}, false
	}
	return slices.MinFunc(left, func(a, b Reading) int {
		return len(a.Reported) + p.unread[a.Name] - len(b.Reported) - p.unread[b.Name]
	}).Point, true
}

// Note adds what a run came to.
func (p *Plan) Note(m Measurement) {
	p.Done = append(p.Done, m)
	if m.Reported == nil {
		if p.unread == nil {
			p.unread = map[string]int{}
		}
		p.unread[m.Point]++
	}
}

// ExitCode is the worst of the lines': dirty, out of bound, fewer reports than
// wanted, good. all are the records that the lines were made of.
func ExitCode(lines []Line, all []Measurement, repeat int) int {
	code := harness.ExitPass
	for _, l := range lines {
		if slices.ContainsFunc(all, func(m Measurement) bool { return m.Dirty && m.of(l.Point) }) {
			return harness.ExitDirty
		}
		switch enough := len(l.Reported) >= repeat; {
		case len(l.Reported) > 0 && !l.Good && l.judged():
			code = harness.ExitFail
		case !enough && code == harness.ExitPass, !l.Good && code == harness.ExitPass:
			code = harness.ExitInconclusive
		}
	}
	return code
}
