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

// OfCampaign are the runs of a campaign's records of scenarios as they stand.
// One that was written before records kept what assertions said shows nothing,
// and is none.
func OfCampaign(entries []campaign.Entry) []Run {
	var out []Run
	for _, e := range entries {
		r := e.Record
		if e.Case != campaign.AsItStands || r == nil || len(r.Assertions) == 0 {
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
