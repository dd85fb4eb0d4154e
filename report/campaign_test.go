package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/harness"
)

// entries are a campaign with one of each state.
func entries() []campaign.Entry {
	at := time.Date(2026, 11, 20, 8, 15, 0, 0, time.UTC)
	rec := func(v harness.Verdict, unlike string, outage float64) *campaign.Record {
		return &campaign.Record{
			Verdict: v, Unlike: unlike, Reason: "The host was busy.", Version: "v0-3-gabc", Machine: "2 processors", StartedAt: at, Took: 62 * time.Second,
			Measures: map[string]float64{"error-budget.longest_outage_of_the_victim_s_share": outage, "session-survival": 0, "error-budget.budget_spent": 1.234},
		}
	}
	item := func(scenario, name string, n int) campaign.Item {
		return campaign.Item{Scenario: scenario, Case: name, Repetition: n}
	}
	repeated := rec(harness.VerdictPass, "", 8)
	repeated.Before = []campaign.Attempt{{Verdict: harness.VerdictInconclusive}}
	return []campaign.Entry{
		{Item: item("db-slow", campaign.AsItStands, 1), Record: rec(harness.VerdictPass, "", 10)},
		{Item: item("db-slow", campaign.AsItStands, 2), Record: repeated},
		{Item: item("db-slow", "no | timeout", 1), Record: rec(harness.VerdictPass, "the verdict is pass instead of fail", 10)},
		{Item: item("drain", campaign.AsItStands, 1), Earlier: rec(harness.VerdictPass, "", 9)},
		{Item: item("drain", "hard stop", 1), Record: rec(harness.VerdictInconclusive, "the verdict is inconclusive", 10)},
	}
}

func TestCampaignTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, CampaignTable(&b, entries(), TableOptions{}))
	for _, want := range []string{
		"│ db-slow", "2 of 2", "0 of 1", "62 s", "1 not as expected; repeated for want of a", "│ drain", "1 missing (1 good before a change); 1 without", "open: drain, hard stop",
		"bad: db-slow, no | timeout: the verdict is pass instead of fail", "2 good, 1 bad, 1 open, 1 missing (1 of them good before a change)",
	} {
		require.Contains(t, b.String(), want)
	}
}

func TestCampaignMarkdown(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, CampaignMarkdown(&b, entries()))
	require.Contains(t, b.String(), "hachaos v0-3-gabc; 2 processors; last run 2026-11-20 08:15 UTC.")
	require.Contains(t, b.String(), "| db-slow | 2 of 2 | 0 of 1 | 62 s |")
	require.Contains(t, b.String(), `db-slow, no \| timeout`)
	b.Reset()
	require.NoError(t, CampaignMarkdown(&b, nil))
	require.Contains(t, b.String(), "Nothing has been run yet.")
}

func TestProfiles(t *testing.T) {
	tuned := entries()
	documented := []campaign.Entry{{Item: campaign.Item{Scenario: "db-slow", Case: campaign.AsItStands, Profile: "documented", Repetition: 1}, Record: &campaign.Record{
		Verdict: harness.VerdictFail, Version: "v0-3-gabc", Machine: "2 processors", StartedAt: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
		Measures: map[string]float64{"error-budget.longest_outage_of_the_victim_s_share": 20100, "write-ledger.duplicate": 4},
	}}}
	var b bytes.Buffer
	require.NoError(t, Profiles(&b, []string{"tuned", "documented"}, map[string][]campaign.Entry{"tuned": tuned, "documented": documented}))
	require.Contains(t, b.String(), "hachaos v0-3-gabc; 2 processors; last run 2026-11-20 09:00 UTC.")
	require.Contains(t, b.String(), "what 99.9 % leaves over 30 days")
	require.NotContains(t, b.String(), "Without a verdict", "a case counts no more here than in the table")
	require.Contains(t, b.String(), "| db-slow | 2 pass | - | 10 ms | 0 | - | 1.23 % | 1 fail | - | 20.1 s | - | 4 | - |")
	require.Contains(t, b.String(), "| drain | not run | - | - | - | - | - | not run | - | - | - | - | - |", "its case does not count")
}

// TestProfilesGolden has a scenario that cannot be judged on one profile, one
// that could not be carried out on the other, and one that has a verdict on both.
func TestProfilesGolden(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	entry := func(scenario, profile string, n int, v harness.Verdict, reason string, measures map[string]float64) campaign.Entry {
		return campaign.Entry{
			Item:   campaign.Item{Scenario: scenario, Case: campaign.AsItStands, Profile: profile, Repetition: n},
			Record: &campaign.Record{Verdict: v, Reason: reason, Version: "v0-3-gabc", Machine: "2 processors", StartedAt: at, Measures: measures},
		}
	}
	outage := map[string]float64{"error-budget.longest_outage_of_the_victim_s_share": 480}
	var b bytes.Buffer
	require.NoError(t, Profiles(&b, []string{"tuned", "documented"}, map[string][]campaign.Entry{
		"tuned": {
			entry("instance-kill", "", 1, harness.VerdictPass, "All held.", outage),
			entry("instance-kill", "", 2, harness.VerdictError, "j2 | never became ready.", outage),
			entry("websocket-reconnect", "", 1, harness.VerdictPass, "All held.", nil),
		},
		"documented": {
			entry("instance-kill", "documented", 1, harness.VerdictFail, "error-budget was violated.", map[string]float64{"error-budget.longest_outage_of_the_victim_s_share": 20100}),
			entry("websocket-reconnect", "documented", 1, harness.VerdictInconclusive, "reconnection: client 1 never had a connection.", nil),
		},
	}))
	golden(t, "profiles.md", b.Bytes())
}

func TestACampaignTellsWhichTopologyWasReplaced(t *testing.T) {
	list := entries()
	list[0].Record.Notes = []string{"topology suite-1 could not be put back (files) and is replaced: lb1: *one* file more", "topology suite-2 is new (jetty-ha)"}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"before db-slow (1): topology suite-1 could not be put back (files) and is replaced: lb1: *one* file more\n":       func(b *bytes.Buffer) error { return CampaignTable(b, list, TableOptions{}) },
		"- before db-slow (1): topology suite-1 could not be put back (files) and is replaced: lb1: \\*one\\* file more\n": func(b *bytes.Buffer) error { return CampaignMarkdown(b, list) },
	} {
		var b bytes.Buffer
		require.NoError(t, write(&b))
		require.Contains(t, b.String(), name)
		require.NotContains(t, b.String(), "suite-2", "a new one is nothing to look into")
	}
}
