package runbook

import (
	"slices"
	"strings"
	"time"
)

// present asks whether the front matter says what it must.
func (l *linter) present() {
	f := l.book.Front
	for _, key := range []struct {
		name    string
		missing bool
		want    string
	}{
		{"title", f.Title == "", "say what it is about"},
		{"owner", f.Owner == "", "say which team keeps it"},
		{"alert", f.Alert == "" && !f.Checks, "name the alert that sends a person here"},
		{"restores", len(f.Restores) == 0 && !f.Checks, "name the states that hold when it is done: " + strings.Join(stateNames(), ", ")},
		{"within", f.Within == 0 && !f.Checks, "say how long it may take, such as 5m"},
	} {
		if key.missing {
			l.find(f.Line(key.name), key.name, "no %s: %s", key.name, key.want)
		}
	}
}

// alerts asks whether there is the alert that sends a person here.
func (l *linter) alerts() {
	f := l.book.Front
	if _, known := AlertNamed(l.known.Alerts, f.Alert); known || f.Alert == "" || l.known.Alerts == nil {
		return
	}
	var names []string
	for _, a := range l.known.Alerts {
		names = append(names, a.Name)
	}
	l.find(f.Line("alert"), "alert", "no alert is called %s: there are %s", f.Alert, strings.Join(names, ", "))
}

func (l *linter) reviewed() {
	f := l.book.Front
	line, age := f.Line("reviewed"), l.now.Sub(f.Reviewed)
	switch {
	case f.Reviewed.IsZero():
		l.find(line, "reviewed", "no review: read it against the system, and write the day, such as %s", l.now.Format(time.DateOnly))
	case age < -24*time.Hour: // the day has begun somewhere
		l.find(line, "reviewed", "the review of %s is to come: write the day of the last one", f.Reviewed.Format(time.DateOnly))
	case age >= ReviewLife+24*time.Hour:
		l.find(line, "reviewed", "the last review is %d days ago: read it against the system, and write the day", int(age.Hours()/24))
	}
}

func (l *linter) incident() {
	f := l.book.Front
	if f.Checks {
		for _, key := range []string{"alert", "incident", "restores", "within"} {
			if _, there := f.lines[key]; there {
				l.find(f.Line(key), "check", "checks have no %s: take the line away, or `kind: checks`", key)
			}
		}
		return
	}
	if f.Incident == "" {
		l.find(f.Line("incident"), "incident", "no incident: name the scenario that brings it about: `hachaos list` shows all")
		return
	}
	if l.known.Incident == nil {
		return
	}
	if err := l.known.Incident(f.Incident, f.Set); err != nil {
		l.find(f.Line("incident"), "incident", "it cannot be brought about: %v", err)
	}
}

func (l *linter) restores() {
	for _, s := range l.book.Front.Restores {
		if !isState(s.Name) {
			l.find(s.Line, "restores", "no state %s: there are %s", s.Name, strings.Join(stateNames(), ", "))
		}
	}
}

func (l *linter) inputs() {
	for _, in := range l.book.Front.Inputs {
		switch {
		case !named.MatchString(in.Name):
			l.find(in.Line, "input", "%q is no name of a variable", in.Name)
		case in.About == "":
			l.find(in.Line, "input", "%s: say what it is, for whoever follows the runbook", in.Name)
		case l.known.Inputs != nil && !slices.Contains(l.known.Inputs, in.Name):
			l.find(in.Line, "input", "nobody brings %s: there are %s", in.Name, strings.Join(l.known.Inputs, ", "))
		}
	}
}
