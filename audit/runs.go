package audit

import (
	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/suite"
)

// OfSuite are a suite's runs. What was not carried out is none.
func OfSuite(s *suite.Result) []Run {
	var out []Run
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Run == nil {
			continue
		}
		out = append(out, Run{
			Scenario: e.Scenario, Verdict: e.Verdict, Dirty: e.Dirty, Reason: e.Reason, Assertions: e.Run.Assertions,
			StartedAt: e.Run.StartedAt, Command: e.Command, Dir: e.Dir,
		})
	}
	return out
}

// Counts says whether a campaign's entry is a run that an audit can rest on: of a
// scenario as it stands, made whole, with what its assertions said.
func Counts(e campaign.Entry) bool {
	return e.Case == campaign.AsItStands && e.Record != nil && e.Record.BrokenOff == "" && len(e.Record.Assertions) > 0
}

// OfCampaign are the runs of a campaign's entries that count.
func OfCampaign(entries []campaign.Entry) []Run {
	var out []Run
	for _, e := range entries {
		r := e.Record
		if !Counts(e) {
			continue
		}
		run := Run{Scenario: e.Scenario, Verdict: r.Verdict, Dirty: r.Dirty, Reason: r.Reason, StartedAt: r.StartedAt, Command: r.Command}
		for _, s := range r.Assertions {
			run.Assertions = append(run.Assertions, assert.Verdict{Name: s.Name, Status: s.Status, NotExercised: s.NotExercised, Summary: s.Summary, Fix: s.Fix})
		}
		out = append(out, run)
	}
	return out
}
