package serve

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/report"
)

// perPage is how many lines a page of the list has.
const perPage = 100

// query is what a list is asked for.
type query struct {
	report.RunFilter
	page    int // from 1; 0 is the first, too
	checked bool
}

// asked reads a query. What it does not understand it leaves out, but for a
// pattern.
func asked(v url.Values) query {
	q := query{RunFilter: report.RunFilter{
		Scenario: strings.TrimSpace(v.Get("scenario")), Profile: v.Get("profile"), Text: strings.TrimSpace(v.Get("text")), Within: v.Get("in"),
	}, checked: v.Get("check") != ""}
	for _, word := range report.RunVerdicts {
		if slices.Contains(v["verdict"], word) {
			q.Verdicts = append(q.Verdicts, word)
		}
	}
	q.page, _ = strconv.Atoi(v.Get("page")) // what is no number is the first
	return q
}

// listAddress is the address of a list.
func listAddress(q query) string {
	v := url.Values{}
	for name, value := range map[string]string{"scenario": q.Scenario, "profile": q.Profile, "text": q.Text, "in": q.Within} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if len(q.Verdicts) > 0 {
		v["verdict"] = q.Verdicts
	}
	if q.page > 1 {
		v.Set("page", strconv.Itoa(q.page))
	}
	if q.checked {
		v.Set("check", "all")
	}
	if len(v) == 0 {
		return "/"
	}
	return "/?" + v.Encode()
}

// escape makes a folder's path a word that a form sends back as it is, whatever
// bytes the path is of.
func escape(folder string) string { return url.PathEscape(folder) }

// unescape reads it again; what is no path is none that the list has.
func unescape(word string) string {
	folder, err := url.PathUnescape(word)
	if err != nil {
		return ""
	}
	return folder
}

// address is that of a folder's files.
func address(folder string) string {
	if folder == "." {
		return "/files/"
	}
	parts := strings.Split(folder, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "/files/" + strings.Join(parts, "/") + "/"
}

// list answers with the list of runs.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	q, all := asked(r.URL.Query()), s.find()
	p := report.RunList{
		Dir: s.dir, Filter: q.RunFilter, Inside: unescape(q.Within), Notes: all.notes,
		Counts: map[string]int{}, Checked: q.checked,
	}
	status := http.StatusOK
	if _, err := path.Match(q.Scenario, ""); err != nil {
		status = http.StatusBadRequest
		p.Notes = append(p.Notes, fmt.Sprintf("Scenario %s: %v.", q.Scenario, err))
	}
	var (
		matched             []report.RunLine
		scenarios, profiles = map[string]bool{}, map[string]bool{q.Profile: true}
	)
	for i := range all.entries {
		e := &all.entries[i]
		if e.Suite {
			p.Suites++
		} else {
			p.Runs++
		}
		scenarios[report.Clean(e.Scenario)], profiles[report.Clean(e.Profile)] = true, true
		if !matches(&q, e) {
			continue
		}
		for _, v := range report.RunVerdicts {
			if e.Is(v) {
				p.Counts[v]++
			}
		}
		if len(q.Verdicts) == 0 || slices.ContainsFunc(q.Verdicts, e.Is) {
			matched = append(matched, e.RunLine)
		}
	}
	delete(scenarios, "")
	delete(profiles, "")
	p.Scenarios, p.Profiles, p.Matched = slices.Sorted(maps.Keys(scenarios)), slices.Sorted(maps.Keys(profiles)), len(matched)
	turn(&p, q, matched)
	answer(w, status, func(w io.Writer) error { return report.RunsHTML(w, p) })
}

// turn turns to a page of the lines: the last, if there are not so many.
func turn(p *report.RunList, q query, lines []report.RunLine) {
	last := max(1, (len(lines)+perPage-1)/perPage)
	q.page = min(max(1, q.page), last)
	from := (q.page - 1) * perPage
	p.Lines, p.First = lines[from:min(from+perPage, len(lines))], from+1
	if !q.checked {
		check := q
		check.checked = true
		p.Check = listAddress(check)
	}
	beside := query{RunFilter: q.RunFilter}
	if beside.page = q.page - 1; beside.page >= 1 {
		p.Newer = listAddress(beside)
	}
	if beside.page = q.page + 1; beside.page <= last {
		p.Older = listAddress(beside)
	}
}

// matches says whether a query asks for the entry, whatever its verdict.
func matches(q *query, e *entry) bool {
	if q.Scenario != "" {
		if is, err := path.Match(q.Scenario, report.Clean(e.Scenario)); !is || err != nil {
			return false
		}
	}
	if q.Profile != "" && q.Profile != report.Clean(e.Profile) {
		return false
	}
	if q.Within != "" {
		if in := unescape(q.Within); in != "." && e.path != in && !strings.HasPrefix(e.path, in+"/") {
			return false
		}
	}
	return q.Text == "" || strings.Contains(text(e), strings.ToLower(q.Text))
}

// text is what an entry's line says, in lower case.
func text(e *entry) string {
	words := []string{e.Name, e.Scenario, e.Profile, e.Word(), e.Reason, strconv.FormatUint(e.Seed, 10)}
	for _, a := range e.Advice {
		words = append(words, a.Text)
	}
	return strings.ToLower(report.Clean(strings.Join(words, " ")))
}
