package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// origin is one way to tell where errors come from: for each name the count
// in each bucket of the series.
type origin struct {
	By     string   `json:"by"`
	Label  string   `json:"label"`
	Names  []string `json:"names"`
	Counts [][]int  `json:"counts"`
}

// kind is a line of the table behind the errors.
type kind struct{ Origin, Name, Total string }

// kindsOf are the totals of all origins.
func kindsOf(origins []origin) []kind {
	var out []kind
	for _, o := range origins {
		for i, name := range o.Names {
			total := 0
			for _, n := range o.Counts[i] {
				total += n
			}
			out = append(out, kind{o.Label, name, strconv.Itoa(total)})
		}
	}
	return out
}

// maxKinds bounds the names of an origin; the rest is summed as "others".
const maxKinds = 6

// tally counts by name and bucket.
type tally struct {
	origin
	width   time.Duration
	buckets int
	by      map[string][]int
}

func newTally(by, label string, s *series) *tally {
	return &tally{
		origin:  origin{By: by, Label: label, Names: []string{}, Counts: [][]int{}},
		width:   s.width,
		buckets: len(s.Time), by: map[string][]int{},
	}
}

func (t *tally) add(name string, at time.Duration) {
	if t.buckets == 0 {
		return
	}
	if t.by[name] == nil {
		t.by[name] = make([]int, t.buckets)
	}
	t.by[name][bucket(at, t.width, t.buckets)]++
}

// done orders the names by how often they were met, and folds the rare ones.
func (t *tally) done() origin {
	names := sortedKeys(t.by)
	sum := func(name string) (n int) {
		for _, c := range t.by[name] {
			n += c
		}
		return n
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(sum(b), sum(a)) })
	for i, name := range names {
		if i < maxKinds {
			t.Names, t.Counts = append(t.Names, cleanName(name)), append(t.Counts, t.by[name])
			continue
		}
		if i == maxKinds {
			t.Names, t.Counts = append(t.Names, "others"), append(t.Counts, make([]int, t.buckets))
		}
		for b, c := range t.by[name] {
			t.Counts[maxKinds][b] += c
		}
	}
	return t.origin
}

// origins tell the errors by what the client saw, by the balancer's
// termination code, by the last answer's status and by instance. The
// balancer's count requests, at the time when it accepted them; the others
// operations, at the time when they were due.
func origins(h *history.History, s *series) []origin {
	client := newTally("client", "What the client saw", s)
	balancer := newTally("balancer", "The balancer's termination code", s)
	status := newTally("status", "The answer's status", s)
	instance := newTally("instance", "The instance", s)
	g := gradingOf(h)
	for i := range h.Ops {
		o := &h.Ops[i]
		if !g.bad(o) {
			continue
		}
		client.add(seenAs(h, o), o.Intended)
		status.add(answeredWith(h, o), o.Intended)
		instance.add(whose(h, o), o.Intended)
	}
	for i := range h.Dispatches {
		d := &h.Dispatches[i]
		if term := d.V.Term; len(term) >= 2 && term[:2] != "--" {
			balancer.add(cut(term, maxName)[:2]+": "+termination(term), d.Time)
		}
	}
	return []origin{client.done(), balancer.done(), status.done(), instance.done()}
}

// seenAs is the class of a bad operation: slow if it was answered well.
func seenAs(h *history.History, o *history.Op) string {
	if o.Outcome == history.Good {
		return "slow"
	}
	return cmp.Or(cut(h.ErrorOf(o), maxName), "unknown")
}

func answeredWith(h *history.History, o *history.Op) string {
	switch {
	case o.Status == 0:
		return "no answer"
	case h.NodeOf(o) == "":
		return fmt.Sprintf("%d, from a balancer", o.Status)
	}
	return fmt.Sprintf("%d, from the application", o.Status)
}

func whose(h *history.History, o *history.Op) string {
	if n := h.NodeOf(o); n != "" {
		return "answered by " + cut(n, maxName)
	}
	if n := h.BoundOf(o); n != "" {
		return "no node answered, session on " + cut(n, maxName)
	}
	return "no node answered, session on none"
}

// termination puts HAProxy's two first characters of the session state at
// disconnection into words (HAProxy Configuration Manual, 8.5).
func termination(term string) string {
	who := map[byte]string{
		'C': "the client broke it off", 'S': "the server broke it off or refused it", 'P': "the balancer refused it",
		'L': "the balancer answered itself", 'R': "a resource of the balancer was exhausted", 'I': "an internal error",
		'D': "killed because the server was marked down", 'U': "killed because another server came up", 'K': "killed by an operator",
		'c': "the client was silent too long", 's': "the server was silent too long",
	}[term[0]]
	when := map[byte]string{
		'R': "in the request", 'Q': "in the queue", 'C': "while connecting", 'H': "before the answer's headers",
		'D': "in the answer's data", 'L': "in the last data", 'T': "in a tarpit",
	}[term[1]]
	return strings.TrimSpace(cmp.Or(who, "unknown") + " " + when)
}

// bucket is the bucket of a time, of n of that width.
func bucket(at, width time.Duration, n int) int { return min(max(0, int(at/width)), n-1) }

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
