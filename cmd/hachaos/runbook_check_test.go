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

// checksMD is the document of checkedItem.
var checksMD = []*runbook.Runbook{{Name: "checks.md", Front: runbook.Front{Title: "Is all well"}}}

// checkedItem is an item in which a check of checks.md says something, while its
// state is as looks saw it.
func checkedItem(name, complaint string, truth gameday.Truth) *checkItem {
	truth.State = "nodes-routed"
	incident := "instance-kill"
	if name == nameNothing {
		incident = ""
	}
	return &checkItem{
		itemFile: itemFile{name: name, path: name + ".json"}, check: gameday.Check{Documents: checksMD},
		result: &checkedFile{
			Checked: gameday.Checked{Incident: incident, Run: harness.VerdictPass, Rounds: []gameday.Round{{
				Document: "checks.md", Truth: []gameday.Truth{truth},
				Said: []gameday.Said{{Check: "Up", Of: []gameday.Truth{truth}, Took: time.Second, Complaint: complaint}},
			}}},
			Users: []usersCount{{Wrong: 7, Of: 200}}, Version: "v1", Machine: "m", At: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC),
		},
	}
}

// What looks saw.
var (
	held   = gameday.Truth{Held: 2}
	missed = gameday.Truth{Missed: 2, Missing: "j1 is DOWN"}
	hidden = gameday.Truth{Unseen: 2, Missing: "refused"}
)

func TestChecksCode(t *testing.T) {
	nothing, alarm := checkedItem(nameNothing, "", held), checkedItem(nameNothing, "x", held)
	seen, blind := checkedItem("seen", "x", missed), checkedItem("blind", "", missed)
	open, dirty, unread := checkedItem("open", "x", missed), checkedItem("dirty", "x", missed), checkedItem("unread", "x", missed)
	open.result.NoSymptom = "it did not come"
	dirty.result.Dirty = true
	unread.result.Users = nil
	starved := checkedItem("starved", "x", missed)
	starved.result.Short = "the machine was short"
	for _, tt := range []struct {
		want  int
		items []*checkItem
	}{
		{harness.ExitPass, []*checkItem{nothing, seen}},
		{harness.ExitFail, []*checkItem{nothing, seen, blind}},
		{harness.ExitFail, []*checkItem{alarm, seen}},
		{harness.ExitInconclusive, []*checkItem{nothing, blind, open}},
		{harness.ExitInconclusive, []*checkItem{nothing, unread}},
		{harness.ExitInconclusive, []*checkItem{nothing, starved}},
		{harness.ExitInconclusive, []*checkItem{nothing, {itemFile: itemFile{name: "none"}}}},
		{harness.ExitDirty, []*checkItem{nothing, dirty, open}},
	} {
		require.Equal(t, tt.want, checksCode(tt.items))
	}
	require.True(t, dirty.decided(), "it is not run again before somebody has looked")
	require.False(t, dirty.judged())
	require.False(t, open.decided())
	require.False(t, unread.decided())
}

func TestChecksPage(t *testing.T) {
	open, dirty := checkedItem("open", "x", missed), checkedItem("dirty", "x", missed)
	open.result.NoSymptom = "line 3: nothing"
	dirty.result.Dirty, dirty.result.Reason = true, "a rule is left"
	repeated := checkedItem("hidden", "", hidden)
	repeated.result.Before = 2
	hung := checkedItem("hung", "", missed)
	hung.result.Rounds[0].Said[0].Hung = "line 9: it took more than its 10s"
	items := []*checkItem{
		checkedItem(nameNothing, "", held), checkedItem("seen", "line 9: down", missed), checkedItem("blind", "", missed),
		checkedItem("crying", "line 9: down", held), repeated, hung, open, dirty,
	}
	sheet := checksSheet(items, checksMD, "hachaos runbook check")
	require.Len(t, sheet.Sections, 1)
	s := sheet.Sections[0]
	require.Equal(t, "Is all well.", s.About)
	require.Equal(t, "1 of 5 incidents are seen, with 1 false alarms. Of 2 there is no result yet.", s.Said)
	require.Contains(t, s.Provenance, "hachaos v1; m")
	users := "7 of 200 operations went wrong"
	require.Equal(t, [][]string{
		{"nothing-wrong", "-", "-", users, "all is well, and so it is", "-", "-", "-"},
		{"seen", "nodes-routed", "-", users, "seen", "Up", "-", "-"},
		{"blind", "nodes-routed", "-", users, "not seen", "-", "Up", "-"},
		{"crying", "-", "-", users, "complains of what is well", "-", "-", "-"},
		{"hidden", "-", "nodes-routed", users, "not seen", "-", "-", "Up"},
		{"hung", "nodes-routed", "-", users, "hangs, and says nothing", "-", "-", "-"},
	}, s.Grid.Rows)
	require.Equal(t, []string{
		"seen: Up, after 1s (right): line 9: down", "crying: Up, after 1s (false alarm): line 9: down",
		"hidden: 2 runs before could not be judged by, and were repeated", "hung: Up, after 1s (hangs): line 9: it took more than its 10s",
		"open: no result yet: no symptom: line 3: nothing",
		"dirty: it left something behind: a rule is left; `hachaos gc`, then remove dirty.json to have it run again",
	}, s.Notes)
	var page bytes.Buffer
	require.NoError(t, report.SheetMarkdown(&page, sheet))
	require.Contains(t, page.String(), "Again: `hachaos runbook check`")
}

// A result is read as it was kept, and one of another schema is refused.
func TestItemFiles(t *testing.T) {
	i := itemIn(filepath.Join(t.TempDir(), "a"), "seen", "0123")
	none, err := readItem[checkedFile](i, checkedSchema)
	require.NoError(t, err)
	require.Nil(t, none)
	kept := checkedItem("seen", "x", missed).result
	kept.Schema, kept.Item, kept.Hash = checkedSchema, i.name, i.hash
	require.NoError(t, i.keep(kept))
	got, err := readItem[checkedFile](i, checkedSchema)
	require.NoError(t, err)
	require.Equal(t, kept, got)
	_, err = readItem[proof](i, proofSchema)
	require.ErrorContains(t, err, "remove it to have the item run again")
	kept.Item = "Seen"
	require.NoError(t, i.keep(kept))
	_, err = readItem[checkedFile](i, checkedSchema)
	require.ErrorContains(t, err, "is the result of another item, Seen")
}

// The items are the runbooks' incidents, and one in which nothing is wrong; their
// files are named after all that they depend on.
func TestCheckItems(t *testing.T) {
	f := checksFlags{itemsFlags{dir: t.TempDir(), short: true}, []string{"../../runbooks/checks/cluster-health.md"}}
	items, err := checkItems([]string{"../../runbooks/node-lost.md", "../../runbooks/slow-database.md"}, f)
	require.NoError(t, err)
	require.Len(t, items, 3)
	hashes := map[string]bool{}
	for i, name := range []string{nameNothing, "node-lost", "slow-database"} {
		require.Equal(t, name, items[i].name)
		require.False(t, items[i].decided())
		hashes[items[i].hash] = true
	}
	require.Len(t, hashes, 3)
	require.True(t, items[0].check.Healthy)
	require.False(t, items[1].check.Healthy)
	f.documents = append(f.documents, "../../runbooks/checks/common-issues.md")
	again, err := checkItems([]string{"../../runbooks/node-lost.md"}, f)
	require.NoError(t, err)
	require.NotEqual(t, items[1].hash, again[1].hash)
}
