package report

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/harness"
)

// zooRows are a mutant that was caught, its mended half with a false alarm, and
// one that was not run.
func zooRows() []ZooRow {
	entry := func(name, half string, n int, unlike string, failed ...string) campaign.Entry {
		v := harness.VerdictFail
		if len(failed) == 0 {
			v = harness.VerdictPass
		}
		return campaign.Entry{
			Item:   campaign.Item{Scenario: name, Case: half, Repetition: n},
			Record: &campaign.Record{Verdict: v, Failed: failed, Unlike: unlike},
		}
	}
	quiet := []string{"leftovers", "session-survival"}
	return []ZooRow{
		{
			Name: "no-dedupe", Area: "writes", Title: "no | keys", Bug: "shop#1", Scenario: "unknown-outcome", Fails: "write-ledger", Also: []string{"error-budget"}, Quiet: quiet,
			Entries: []campaign.Entry{entry("no-dedupe", "broken", 1, "", "write-ledger"), entry("no-dedupe", "broken", 2, "", "write-ledger", "error-budget")},
		},
		{
			Name: "no-dedupe-mended", Area: "writes", Title: "no | keys", Scenario: "unknown-outcome", Quiet: append([]string{"write-ledger", "error-budget"}, quiet...),
			Entries: []campaign.Entry{entry("no-dedupe-mended", "mended", 1, "error-budget fails, too", "error-budget")},
		},
		{
			Name: "memory", Area: "sessions", Title: "in memory", Scenario: "instance-kill", Fails: "session-survival", Quiet: []string{"write-ledger"},
			Entries: []campaign.Entry{{Item: campaign.Item{Scenario: "memory", Case: "broken", Repetition: 1}}},
		},
	}
}

func TestZooMarkdownMarksWhatFired(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, ZooMarkdown(&b, zooRows()))
	for _, want := range []string{
		"| area | mutant | scenario | caught | session-survival | write-ledger |\n",
		"| writes | `no-dedupe`: no \\| keys (shop\\#1) | unknown-outcome | 2 of 2 | · | ● |\n",
		"| writes | `no-dedupe-mended`: no \\| keys | unknown-outcome | 0 of 1 | · | · |\n",
		"| sessions | `memory`: in memory | instance-kill | 0 of 1 | ? | ? |\n",
		"- bad: no-dedupe-mended, mended: error-budget fails, too",
		"2 good, 1 bad, 1 missing. Of 6 assertions that had to stay quiet 5 were tested in every run, 0 met no occasion in one of them, 0 could not be judged in one, and 1 fired. ",
	} {
		require.Contains(t, b.String(), want)
	}
}

func TestZooRowMarks(t *testing.T) {
	rows := zooRows()
	require.Equal(t, zooAlso, rows[0].mark("error-budget"))
	require.Equal(t, zooWrong, rows[1].mark("error-budget"))
	require.Equal(t, zooAbsent, rows[2].mark("error-budget"))
	missed := rows[0]
	missed.Fails = "session-survival"
	missed.Quiet = nil
	require.Equal(t, zooWrong, missed.mark("session-survival"), "it must fire and did not")
}

func TestZooTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, ZooTable(&b, zooRows(), TableOptions{}))
	for _, want := range []string{"no-dedupe", "2 of 2", "nothing: it is", "1 missing", "error-budget fails, too"} {
		require.Contains(t, b.String(), want)
	}
}
