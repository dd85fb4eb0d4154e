package gameday

import (
	"context"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/runbook"
)

// pager watches for a runbook's alert. One that it does not know fires with the
// runbook's symptom, for then nothing else says when it would.
type pager struct {
	book  *runbook.Runbook
	alert runbook.Alert
	known bool
	// missing is since when its state has not held, at every look.
	missing time.Time
}

func pagerOf(book *runbook.Runbook) *pager {
	p := &pager{book: book}
	p.alert, p.known = runbook.AlertNamed(runbook.JettyHAAlerts(), book.Front.Alert)
	return p
}

// fires looks once, and says whether the alert fires. A look that was cut off says
// nothing.
func (p *pager) fires(ctx context.Context, sys *System) bool {
	if !p.known {
		return showing(ctx, p.book, sys).Ending == Done
	}
	began := time.Now()
	err := sys.Look(ctx, p.alert.State)
	switch {
	case ctx.Err() != nil:
		return false
	case err == nil:
		p.missing = time.Time{}
		return false
	case p.missing.IsZero():
		p.missing = began
	}
	return time.Since(p.missing) >= settled
}

// silent says in words that it does not fire.
func (p *pager) silent() string {
	return fmt.Sprintf("the alert %s does not fire, for %s has not been missing for %s", p.alert.Name, p.alert.State, sayTime(settled))
}
