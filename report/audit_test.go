package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/audit"
	"github.com/hachaos/hachaos/harness"
)

func audited() []audit.Section {
	return []audit.Section{{Title: "Review questions", Findings: []audit.Finding{
		{Ref: "§30 1", Asks: "which state?", Answer: audit.Yes, Holds: "none: sessions survive", Evidence: []audit.Evidence{
			{Scenario: "no-affinity", Assertion: "session-survival", Answer: audit.Yes, Text: "All 12 sessions are as told"},
		}},
		{Ref: "§30 3", Asks: "every write?", Answer: audit.Yes, Part: "a counter has no key, see `drain`", Evidence: []audit.Evidence{
			{Scenario: "balancer-retry", Assertion: "write-ledger", Answer: audit.Yes, Text: "9 orders."},
			{Scenario: "unknown-outcome", Assertion: "write-ledger", Answer: audit.Yes, Text: "8 orders."},
		}},
		{Ref: "§30 7", Asks: "how many?", Answer: audit.No, Evidence: []audit.Evidence{
			{Scenario: "a", Assertion: "x", Answer: audit.Yes, Text: "fine"},
			{Scenario: "b", Assertion: "y", Answer: audit.No, Text: "40 of 30 <script>", Fix: "max in f.conf"},
		}},
		{Ref: "§30 8", Asks: "jobs?", Answer: audit.NotShown, Evidence: []audit.Evidence{{Scenario: "c", Assertion: "z", Answer: audit.NotShown, Text: "it was not run"}}},
		{Ref: "§30 13", Asks: "admin?", Answer: audit.NotShown, Why: "the stack has none"},
	}}}
}

func TestAuditMarkdown(t *testing.T) {
	var b bytes.Buffer
	runs := []audit.Run{{Scenario: "b", Verdict: harness.VerdictFail, Dirty: true, StartedAt: time.Date(2026, 11, 21, 9, 5, 0, 0, time.UTC), Command: "hachaos run b"}}
	require.NoError(t, SheetMarkdown(&b, AuditSheet("jetty-ha, profile tuned", "hachaos v1", "hachaos audit", audited(), runs)))
	page := b.String()
	require.Contains(t, page, "# Audit: jetty-ha, profile tuned\n")
	require.Contains(t, page, "2 yes, 1 no, 2 not shown")
	for _, row := range []string{
		"| §30 1 | which state? | yes | None: sessions survive. no-affinity, session-survival: All 12 sessions are as told. |",
		"| §30 3 | every write? | yes, in part | balancer-retry, write-ledger: 9 orders. unknown-outcome, write-ledger: 8 orders. Not asked: a counter has no key, see drain. |",
		"| §30 7 | how many? | no | b, y: 40 of 30 &lt;script&gt;. To change it: max in f.conf. |",
		"| §30 8 | jobs? | not shown | c, z: It was not run. |",
		"| §30 13 | admin? | not shown | Not asked: the stack has none. |",
		"| b | fail, dirty | 2026-11-21 09:05 UTC | hachaos run b |",
	} {
		require.Contains(t, page, row)
	}
}

func TestAuditGrid(t *testing.T) {
	require.Equal(t, [][]string{
		{"§30 1", "yes", "which state?", "no-affinity: session-survival"},
		{"§30 3", "yes, in part", "every write?", "balancer-retry: write-ledger; unknown-outcome: write-ledger"},
		{"§30 7", "no", "how many?", "b, y: 40 of 30 <script>"},
		{"§30 8", "not shown", "jobs?", "c, z: it was not run"},
		{"§30 13", "not shown", "admin?", "not asked: the stack has none"},
	}, AuditGrid(audited()).Rows)
}
