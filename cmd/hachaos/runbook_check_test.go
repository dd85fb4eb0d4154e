package main

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/runbook"
)

// checkedItem is an item in which a check of checks.md complains, or not, while its
// state is there, or not.
func checkedItem(name string, control gameday.Control, complains, holds bool) *checkItem {
	truth := gameday.Truth{State: "nodes-routed", Held: 2}
	if !holds {
		truth = gameday.Truth{State: "nodes-routed", Missed: 2, Missing: "j1 is DOWN"}
	}
	said := gameday.Said{Document: "checks.md", Check: "Up", Of: []gameday.Truth{truth}, Took: time.Second}
	if complains {
		said.Complaint = "line 9: down"
	}
	document := &runbook.Runbook{Name: "checks.md", Front: runbook.Front{Title: "Is all well"}}
	return &checkItem{
		name: name, check: gameday.Check{Trial: gameday.Trial{Control: control}, Documents: []*runbook.Runbook{document}},
		result: &checkedFile{
			Checked: gameday.Checked{Run: harness.VerdictPass, Truth: []gameday.Truth{truth}, Said: []gameday.Said{said}},
			Users:   200, Wrong: 7, Version: "v1", Machine: "m", At: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC),
		},
	}
}

func TestChecksCode(t *testing.T) {
	nothing := checkedItem(nameNothing, gameday.OnHealthy, false, true)
	seen, blind := checkedItem("seen", "", true, false), checkedItem("blind", "", false, false)
	alarm := checkedItem(nameNothing, gameday.OnHealthy, true, true)
	open, dirty := checkedItem("open", "", true, false), checkedItem("dirty", "", true, false)
	open.result.NoSymptom = "it did not come"
	dirty.result.Dirty = true
	for _, tt := range []struct {
		want  int
		items []*checkItem
	}{
		{harness.ExitPass, []*checkItem{nothing, seen}},
		{harness.ExitFail, []*checkItem{nothing, seen, blind}},
		{harness.ExitFail, []*checkItem{alarm, seen}},
		{harness.ExitInconclusive, []*checkItem{nothing, blind, open}},
		{harness.ExitInconclusive, []*checkItem{nothing, {name: "none"}}},
		{harness.ExitDirty, []*checkItem{nothing, dirty, open}},
	} {
		require.Equal(t, tt.want, checksCode(tt.items))
	}
}

func TestChecksPage(t *testing.T) {
	open := checkedItem("open", "", true, false)
	open.result.NoSymptom = "line 3: nothing"
	items := []*checkItem{
		checkedItem(nameNothing, gameday.OnHealthy, false, true), checkedItem("seen", "", true, false),
		checkedItem("blind", "", false, false), checkedItem("crying", "", true, true), open,
	}
	sheet := checksSheet(items, []string{"checks.md"})
	require.Len(t, sheet.Sections, 1)
	s := sheet.Sections[0]
	require.Equal(t, "Is all well.", s.About)
	require.Equal(t, "1 of 3 incidents are seen.", s.Said)
	require.Contains(t, s.Provenance, "hachaos v1; m")
	require.Equal(t, [][]string{
		{"nothing-wrong", "-", "7 of 200 operations went wrong", "all is well, which is so", "-", "-"},
		{"seen", "nodes-routed", "7 of 200 operations went wrong", "seen", "Up", "-"},
		{"blind", "nodes-routed", "7 of 200 operations went wrong", "not seen", "-", "Up"},
		{"crying", "-", "7 of 200 operations went wrong", "complains of something else", "-", "-"},
	}, s.Grid.Rows)
	require.Equal(t, []string{
		"seen: Up, after 1s (right): line 9: down", "crying: Up, after 1s (false alarm): line 9: down", "open: no symptom: line 3: nothing",
	}, s.Notes)
	var page bytes.Buffer
	require.NoError(t, report.SheetMarkdown(&page, sheet))
	require.Contains(t, page.String(), "Again: `make checks`")

	items[0].result.Said[0].Complaint = "line 9: down"
	require.Equal(t, "1 of 3 incidents are seen, and it complains where nothing is wrong.", checksSheet(items, []string{"checks.md"}).Sections[0].Said)
}

// A result is read as it was kept, and one of another schema is refused.
func TestItemFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b.json")
	none, err := readItem[checkedFile](path, checkedSchema)
	require.NoError(t, err)
	require.Nil(t, none)
	kept := checkedItem("seen", "", true, false).result
	kept.Schema = checkedSchema
	require.NoError(t, keepItem(path, kept))
	got, err := readItem[checkedFile](path, checkedSchema)
	require.NoError(t, err)
	require.Equal(t, kept, got)
	_, err = readItem[proof](path, proofSchema)
	require.ErrorContains(t, err, "remove it to have the item run again")
}

// The items are the runbooks' incidents, and one in which nothing is wrong; their
// files are named after all that they depend on.
func TestCheckItems(t *testing.T) {
	f := checksFlags{documents: []string{"../../runbooks/checks/cluster-health.md"}, dir: t.TempDir(), short: true}
	items, err := checkItems([]string{"../../runbooks/node-lost.md", "../../runbooks/slow-database.md"}, f)
	require.NoError(t, err)
	require.Len(t, items, 3)
	hashes := map[string]bool{}
	for i, name := range []string{nameNothing, "node-lost", "slow-database"} {
		require.Equal(t, name, items[i].name)
		require.False(t, items[i].decided())
		require.NoError(t, items[i].check.Check())
		hashes[items[i].hash] = true
	}
	require.Len(t, hashes, 3)
	require.Equal(t, gameday.OnHealthy, items[0].check.Control)
	f.documents = append(f.documents, "../../runbooks/checks/common-issues.md")
	again, err := checkItems([]string{"../../runbooks/node-lost.md"}, f)
	require.NoError(t, err)
	require.NotEqual(t, items[1].hash, again[1].hash)
}
