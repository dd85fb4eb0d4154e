package live

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/harness"
)

// Look is what a terminal is like now.
type Look struct {
	Width, Rows int
	// Colour uses SGR sequences, and Unicode more than ASCII.
	Colour, Unicode bool
}

// Below these a terminal has room for one line only.
const (
	leastWidth = 40
	leastRows  = 6
)

// Lines are the story as a terminal shows it: none wider than it, less the
// last column, which terminals treat each in its own way; and fewer than it
// has rows. There are none before the first tick. It is a pure function of the
// story and the look.
func (s *Story) Lines(l Look) []string {
	if !s.told || l.Width < 2 || l.Rows < 2 {
		return nil
	}
	p := page{Story: s, glyphs: &asciiGlyphs, width: l.Width - 1}
	if l.Unicode {
		p.glyphs = &unicodeGlyphs
	}
	rows := []row{{p.single(), 0}}
	if l.Width >= leastWidth && l.Rows >= leastRows {
		rows = fewer(p.rows(), l.Rows-1)
	}
	var out []string
	for _, r := range rows {
		out = append(out, r.cut(p.width, p.more).paint(l.Colour))
	}
	return out
}

// Line is a tick in words, for a log.
func Line(t harness.Tick) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%6.1fs  %-14s %4d/s  %d bad", t.At.Seconds(), t.Phase, t.Load.LastSecond.Sent, bad(t.Load.Counts))
	if len(t.Nodes) > 0 {
		fmt.Fprintf(&b, "  %d of %d nodes up", t.Ready(), len(t.Nodes))
	}
	if len(t.Owners) > 0 {
		fmt.Fprintf(&b, "  VIP %s", owners(t.Owners))
	}
	if len(t.Faults) > 0 {
		fmt.Fprintf(&b, "  [%s]", strings.Join(t.Faults, ", "))
	}
	return b.String()
}

// row is a line of the block; of the most expendable the last goes first.
type row struct {
	line
	expendable int
}

// fewer are at most so many of the rows.
func fewer(rows []row, most int) []row {
	for len(rows) > most {
		goes := 0
		for i, r := range rows {
			if r.expendable >= rows[goes].expendable {
				goes = i
			}
		}
		rows = slices.Delete(rows, goes, goes+1)
	}
	return rows
}

// page is a story on a terminal of some width.
type page struct {
	*Story
	*glyphs
	width int
}

// rows are the block, from top to bottom.
func (p *page) rows() []row {
	graph := min(window, max(p.width-48, min(30, p.width-42)))
	if graph < 10 {
		graph = 0
	}
	rows := []row{
		{p.head(), 0},
		{p.strip(), 4},
		{p.rate(graph), 0},
		{p.badOnes(graph), 1},
	}
	if len(p.now.Nodes) > 0 {
		rows = append(rows, row{p.nodes(), 2})
	}
	rows = append(rows, row{p.vip(), 3})
	for i, l := range p.inPlace() {
		rows = append(rows, row{l, min(i, 1) * 5})
	}
	return rows
}

// single is the only line of a terminal that has room for no more: what is
// most important comes first.
func (p *page) single() line {
	var l line
	add := func(st style, format string, args ...any) { l = append(l, p.say(st, " "+fmt.Sprintf(format, args...))) }
	last := p.now.Load.LastSecond
	add(plain, "%d/s", last.Sent)
	if n := bad(last); n > 0 {
		add(alarm, "%d bad", n)
	}
	if n := len(p.now.Nodes); n > 0 && p.now.Ready() < n {
		add(alarm, "%d of %d ready", p.now.Ready(), n)
	}
	if len(p.now.Faults) > 0 {
		add(warn, "%s", strings.Join(p.now.Faults, ", "))
	}
	if len(p.now.Owners) != 1 && p.before != "" {
		add(alarm, "VIP: %s", owners(p.now.Owners))
	}
	phase, time := p.say(bold, or(p.now.Phase, "-")), left(p.Story)
	return p.fitting(p.width,
		slices.Concat(line{phase, p.say(plain, ", "+time+",")}, l),
		slices.Concat(line{phase, p.say(plain, " "+strings.TrimSuffix(time, " left"))}, l),
	)
}

// labelled is a line that begins with what it is about.
func (p *page) labelled(label string, of ...span) line {
	return append(line{p.say(faint, fmt.Sprintf("   %-7s", label))}, of...)
}

// head is the title, the time, and how far the present phase is.
func (p *page) head() line {
	title := line{p.say(faint, p.rule+" ")}
	if p.plan.Title != "" {
		title = append(title, p.say(bold, p.plan.Title), span{"  ", plain})
	}
	at := p.say(plain, seconds(p.now.At))
	phase := line{p.say(plain, "  "), p.say(bold, or(p.now.Phase, "before the first phase"))}
	if p.now.Ends > 0 {
		phase = append(phase, p.say(plain, ", "+left(p.Story)))
	}
	share := 1.0
	if whole := p.now.Ends - p.began; whole > 0 {
		share = float64(p.now.At-p.began) / float64(whole)
	}
	bar := line{span{"  ", plain}, p.say(fine, p.bar(24, share))}
	return p.fitting(p.width,
		slices.Concat(title, line{at}, bar, phase),
		slices.Concat(title, line{at}, phase),
		slices.Concat(line{p.say(faint, p.rule+" "), at}, phase),
	)
}

// strip is the phases in a row, with the present one in brackets. Of a row
// that is too long the part around the present one is shown.
func (p *page) strip() line {
	names, present := p.phases()
	part := func(from, to int) line {
		l := p.labelled("phases")
		arrow := p.say(faint, " "+p.then+" ")
		if from > 0 {
			l = append(l, p.say(faint, p.more), arrow)
		}
		for i := from; i < to; i++ {
			if i > from {
				l = append(l, arrow)
			}
			switch name := or(names[i], "?"); {
			case i < present:
				l = append(l, p.say(faint, name))
			case i == present:
				l = append(l, p.say(bold, "["+name+"]"))
			default:
				l = append(l, p.say(plain, name))
			}
		}
		if more := p.now.Of - to; more > 0 {
			l = append(l, arrow, p.say(faint, fmt.Sprintf("%d more", more)))
		}
		return l
	}
	if present < 0 || present >= len(names) {
		return p.labelled("phases", p.say(plain, "none yet"))
	}
	var parts []line
	for to := len(names); to > present; to-- {
		for _, from := range []int{0, max(0, present-1), present} {
			parts = append(parts, part(from, to))
		}
	}
	return p.fitting(p.width, parts...)
}

// rate is how the load goes, with a graph of what was sent in each second.
func (p *page) rate(graph int) line {
	sent := p.say(plain, p.each(p.now.Load.LastSecond.Sent))
	p99 := p.say(plain, "  p99 "+latency(p.now.Load.Latency.P99))
	waiting := p.say(plain, fmt.Sprintf("  %d under way", p.now.Load.Outstanding))
	var top uint64
	for _, s := range p.seconds {
		top = max(top, s.sent)
	}
	return p.beside(graph, fine, func(s second) string {
		if !s.known || s.sent == 0 {
			return " "
		}
		n := uint64(len(p.bars))
		return string(p.bars[(s.sent*n+top-1)/top-1])
	}, p.labelled("rate", sent, p99, waiting), p.labelled("rate", sent, p99))
}

// each is a number of the last whole second; a dash if there is none yet.
func (p *page) each(n uint64) string {
	if len(p.seconds) == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/s", n)
}

// badOnes is how many operations were bad, with a mark at each second that had
// some: a small one, or a big one if that was half of them or more.
func (p *page) badOnes(graph int) line {
	c := p.now.Load.Counts
	st := plain
	if bad(p.now.Load.LastSecond) > 0 {
		st = alarm
	}
	now := p.say(st, p.each(bad(p.now.Load.LastSecond)))
	lines := []line{p.labelled("bad", now, p.say(plain, "  none so far"))}
	if n := bad(c); n > 0 {
		var kinds []string
		for _, k := range []struct {
			n    uint64
			word string
		}{{c.Failed, "failed"}, {c.Info, "unknown"}, {c.Slow, "slow"}, {c.Dropped, "dropped"}} {
			if k.n > 0 {
				kinds = append(kinds, fmt.Sprintf("%d %s", k.n, k.word))
			}
		}
		lines = []line{
			p.labelled("bad", now, p.say(plain, fmt.Sprintf("  %d so far: %s", n, strings.Join(kinds, ", ")))),
			p.labelled("bad", now, p.say(plain, "  "+strings.Join(kinds, " "))),
			p.labelled("bad", now, p.say(plain, fmt.Sprintf("  %d so far", n))),
		}
	}
	return p.beside(graph, alarm, func(s second) string {
		switch {
		case s.bad == 0:
			return " "
		case 2*s.bad < s.all:
			return "x"
		}
		return "X"
	}, lines...)
}

// beside is the first of lines that fits beside a graph of so many columns,
// which stands at the right, with it. The latest second is the last.
func (p *page) beside(graph int, st style, glyph func(second) string, lines ...line) line {
	if graph == 0 {
		return p.fitting(p.width, lines...)
	}
	shown := p.seconds[max(0, len(p.seconds)-graph):]
	var b strings.Builder
	for _, s := range shown {
		b.WriteString(glyph(s))
	}
	text := p.fitting(p.width-graph-1, lines...)
	if marks := strings.TrimRight(b.String(), " "); marks != "" {
		text = append(text.to(p.width-len(shown)), span{marks, st})
	}
	return text
}

// nodes says of each whether it is ready; in less room, which are not.
func (p *page) nodes() line {
	words, marks, not := p.labelled("nodes"), p.labelled("nodes"), []string{}
	for i, n := range p.now.Nodes {
		mark, st, word := p.good, fine, "ready"
		if !n.Ready {
			mark, st, word = p.ill, alarm, "not ready for "+seconds(p.now.At-p.unready[n.Name])
			not = append(not, n.Name)
		}
		gap := span{"", plain}
		if i > 0 {
			gap.text = "   "
		}
		words = append(words, gap, p.say(st, mark+" "+n.Name+" "+word))
		marks = append(marks, gap, p.say(st, mark+" "+n.Name))
	}
	short := p.labelled("nodes", p.say(plain, fmt.Sprintf("%d of %d ready", p.now.Ready(), len(p.now.Nodes))))
	if len(not) > 0 {
		short = append(short, p.say(alarm, ", not: "+strings.Join(not, " ")))
	}
	return p.fitting(p.width, words, marks, short)
}

// vip says who owns the shared address.
func (p *page) vip() line {
	now := p.now.Owners
	since := seconds(p.now.At - p.owned)
	switch {
	case len(now) == 0 && p.before == "":
		return p.labelled("VIP", p.say(plain, "no owner seen yet"))
	case len(now) == 0:
		short := p.labelled("VIP", p.say(alarm, "no owner for "+since))
		return p.fitting(p.width, append(slices.Clone(short), p.say(plain, ", "+p.before+" before")), short)
	case len(now) > 1:
		short := p.labelled("VIP", p.say(alarm, owners(now)))
		return p.fitting(p.width, append(slices.Clone(short), p.say(plain, ", for "+since)), short)
	}
	short := p.labelled("VIP", p.say(plain, now[0]))
	if p.before == "" || p.before == now[0] {
		return short
	}
	return p.fitting(p.width, append(slices.Clone(short), p.say(plain, ", from "+p.before+" "+since+" ago")), short)
}

// owners says in words who they are, if that is not just one.
func owners(list []string) string {
	switch n := len(list); n {
	case 0:
		return "no owner"
	case 1:
		return list[0]
	case 2:
		return list[0] + " and " + list[1] + ": two owners"
	default:
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1] + fmt.Sprintf(": %d owners", n)
	}
}

// mostFaults are told one by one.
const mostFaults = 3

// inPlace are the faults, each with how long it has been there.
func (p *page) inPlace() []line {
	label, out := "fault", []line{}
	for i, f := range p.now.Faults {
		if n := len(p.now.Faults) - i; i == mostFaults-1 && n > 1 {
			return append(out, p.labelled("", p.say(warn, fmt.Sprintf("and %d more", n))))
		}
		end := p.say(plain, ", for "+seconds(p.now.At-p.faults[f]))
		l := p.labelled(label, p.say(warn, f)).cut(p.width-Columns(end.text), p.more)
		out, label = append(out, append(l, end)), ""
	}
	if len(out) == 0 {
		out = append(out, p.labelled("fault", p.say(plain, "none")))
	}
	return out
}
