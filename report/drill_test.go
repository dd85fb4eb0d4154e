package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

func drilled() *gameday.Review {
	return &gameday.Review{
		Runbook: "b.md", Title: "A <node>", Alert: "NodeDown", Incident: "instance-kill", Who: "ann", Closing: gameday.Mended,
		Run: harness.VerdictPass, Reason: "All held.", Began: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), Within: time.Minute,
		Struck: 10 * time.Second, Alerted: 12 * time.Second, Looked: 13 * time.Second, Noticed: -1, Named: -1, Told: -1, Restored: 20 * time.Second,
		Acts: []gameday.Act{
			{At: 20 * time.Second, Kind: gameday.ActState, Good: true, Text: "all holds"},
			{At: 12 * time.Second, Kind: gameday.ActAlert, Text: "NodeDown"},
			{At: 13 * time.Second, Who: "ann", Kind: gameday.ActCommand, Node: "j1", Text: "cat x\nls", Output: "<script>\x1b[31m|\nb\n", Code: 3, Took: 2 * time.Second},
			{At: 14 * time.Second, Who: "ann", Kind: gameday.ActDone},
		},
	}
}

// The timeline is in the order of time, and nothing that was printed is obeyed.
func TestReviewMarkdown(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, ReviewMarkdown(&b, drilled(), nil))
	page := b.String()
	require.Contains(t, page, "# Drill: A &lt;node&gt;\n")
	require.Contains(t, page, "| the alert | 08:00:12 | 2 s |")
	require.Contains(t, page, "| detection | - | - |")
	require.Contains(t, page, "| repair | 08:00:20 | 10 s | when all was there again that the runbook restores: 8 s after the alert, where the runbook promises 60 s |")
	alert, command, state := bytes.Index(b.Bytes(), []byte("alert NodeDown |")), bytes.Index(b.Bytes(), []byte("ann on j1 (status 3, after 2 s)")), bytes.Index(b.Bytes(), []byte("all holds"))
	require.True(t, 0 < alert && alert < command && command < state, page)
	require.Contains(t, page, "| +4.0 s | 08:00:14 |  | ann, done |")
	require.NotContains(t, page, "<script>")
	require.NotContains(t, page, "\x1b")
}

// With a record, the incident and what users saw are on the same clock.
func TestReviewOfARecord(t *testing.T) {
	h := &history.History{End: 30 * time.Second, Faults: []history.Fault{
		{Kind: "instance-kill", Nodes: []string{"j1"}, Injected: 10 * time.Second, Heal: -1, Healed: -1, Proof: &history.Proof{OK: true, Measured: "gone"}},
		{Kind: gameday.ActKind, Injected: 11 * time.Second, Heal: -1, Healed: -1},
	}, Ops: []history.Op{
		{ID: 1, Intended: 9 * time.Second, End: 9*time.Second + time.Millisecond, Outcome: history.Good},
		{ID: 2, Intended: 10 * time.Second, End: -1},
		{ID: 3, Intended: 11 * time.Second, End: -1},
		{ID: 4, Intended: 25 * time.Second, End: -1},
	}}
	v := reviewOf(drilled(), h)
	require.Contains(t, v.Facts, [2]string{"users", "3 of 4 operations went wrong"})
	var said []string
	for _, row := range v.Rows {
		if row.System != "" {
			said = append(said, row.At+" "+row.System)
		}
	}
	require.Equal(t, []string{
		"+0.0 s the incident: instance-kill on j1 (gone)", "+0.0 s 2 operations of the users went wrong, within 1 s",
		"+2.0 s alert NodeDown", "+10.0 s all holds", "+15.0 s an operation of the users went wrong",
	}, said)
	var b bytes.Buffer
	require.NoError(t, ReviewHTML(&b, drilled(), h))
	require.NotContains(t, b.String(), "<script>")
	require.Contains(t, b.String(), "<pre>$ cat x")
}
