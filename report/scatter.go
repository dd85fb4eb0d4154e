package report

import (
	"html"
	"io"
	"math"
	"strings"
)

// Scatter is a picture of what was reported against what was true, both above
// 0, on logarithmic axes. A point on the diagonal is right.
type Scatter struct {
	Title, True, Reported string // of the picture, and of its axes
	Groups                []ScatterGroup
}

// ScatterGroup is drawn by one shape; there are six.
type ScatterGroup struct {
	Name   string
	Points []ScatterPoint
}

// ScatterPoint is one report.
type ScatterPoint struct{ True, Reported float64 }

// The picture's measures, in pixels.
const (
	scatterSide   = 480 // of the square
	scatterLeft   = 72
	scatterTop    = 40
	scatterWidth  = 760
	scatterHeight = scatterTop + scatterSide + 56
)

// scatterShapes are paths around 0,0. They differ in shape, so that nothing is
// said by colour.
var scatterShapes = []string{
	"M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0", // a circle
	"M-4,-4h8v8h-8z",                     // a square
	"M0,-5L5,4H-5z",                      // a triangle
	"M0,-6L5,0L0,6L-5,0z",                // a diamond
	"M-4,-4L4,4M-4,4L4,-4",               // a cross
	"M-5,0H5M0,-5V5",                     // a plus
}

// ScatterSVG writes the picture. Points that are not above 0 are not drawn,
// and the last line says how many.
func ScatterSVG(w io.Writer, s Scatter) error {
	p := &printer{w: w}
	from, to, skipped := s.decades()
	at := func(v float64) float64 {
		return tenth(scatterSide * (math.Log10(v) - float64(from)) / float64(to-from))
	}
	p.line(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" font-family="system-ui, sans-serif" font-size="13">`,
		scatterWidth, scatterHeight, scatterWidth, scatterHeight)
	p.line(`<title>%s</title>`, svgText(s.Title))
	p.line(`<rect width="%d" height="%d" fill="#ffffff"/>`, scatterWidth, scatterHeight)
	p.line(`<text x="%d" y="24" font-size="15" fill="#1b1f24">%s</text>`, scatterLeft, svgText(s.Title))
	p.line(`<g transform="translate(%d,%d)" fill="none" stroke="#d0d7de">`, scatterLeft, scatterTop)
	for d := from; d <= to; d++ {
		x := at(math.Pow10(d))
		y := tenth(scatterSide - x)
		p.line(`<path d="M%g,0V%dM0,%gH%d"/>`, x, scatterSide, y, scatterSide)
		p.line(`<text x="%g" y="%d" text-anchor="middle" fill="#57606a" stroke="none">%s</text>`, x, scatterSide+18, number(math.Pow10(d)))
		p.line(`<text x="-8" y="%g" text-anchor="end" fill="#57606a" stroke="none">%s</text>`, tenth(y+4), number(math.Pow10(d)))
	}
	p.line(`<path d="M0,%dL%d,0" stroke="#57606a" stroke-dasharray="4 4"/>`, scatterSide, scatterSide)
	for i, g := range s.Groups {
		shape := scatterShapes[i%len(scatterShapes)]
		p.line(`<g stroke="#0b4f9e" fill="#0b4f9e" fill-opacity=".35">`)
		for _, point := range g.Points {
			if point.drawn() {
				p.line(`<path transform="translate(%g,%g)" d="%s"/>`, at(point.True), tenth(scatterSide-at(point.Reported)), shape)
			}
		}
		p.line(`<path transform="translate(%d,%d)" d="%s"/></g>`, scatterSide+20, 12+22*i, shape)
		p.line(`<text x="%d" y="%d" fill="#1b1f24" stroke="none">%s</text>`, scatterSide+32, 16+22*i, svgText(g.Name))
	}
	p.line(`<text x="%d" y="%d" text-anchor="middle" fill="#1b1f24" stroke="none">%s</text>`, scatterSide/2, scatterSide+42, svgText(s.True))
	p.line(`<text transform="translate(-56,%d) rotate(-90)" text-anchor="middle" fill="#1b1f24" stroke="none">%s</text>`, scatterSide/2, svgText(s.Reported))
	if skipped > 0 {
		p.line(`<text x="%d" y="%d" fill="#b42318" stroke="none">%d not above 0: not drawn</text>`, scatterSide+14, scatterSide, skipped)
	}
	p.line("</g>\n</svg>")
	return p.err
}

// tenth rounds to a tenth of a pixel.
func tenth(v float64) float64 { return math.Round(10*v) / 10 }

func (p ScatterPoint) drawn() bool { return p.True > 0 && p.Reported > 0 }

// scatterSlack is how far, in decades, points may lie outside the square: 10.1 s
// reported for 10 s takes no decade more.
const scatterSlack = 0.05

// decades are the powers of ten between which all points lie, nearly, and how
// many points lie nowhere.
func (s Scatter) decades() (from, to, skipped int) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, g := range s.Groups {
		for _, p := range g.Points {
			if !p.drawn() {
				skipped++
				continue
			}
			low, high = min(low, p.True, p.Reported), max(high, p.True, p.Reported)
		}
	}
	if low > high {
		return 0, 1, skipped
	}
	from, to = int(math.Floor(math.Log10(low)+scatterSlack)), int(math.Ceil(math.Log10(high)-scatterSlack))
	return from, max(to, from+1), skipped
}

func svgText(s string) string { return strings.ReplaceAll(html.EscapeString(Clean(s)), "\n", " ") }
