package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/topology"
)

// reviewed is a day on which no runbook here is overdue, nor reviewed in time to come:
// that of the latest review.
func reviewed(t *testing.T, files []string) time.Time {
	var latest time.Time
	for _, file := range files {
		book, err := readRunbook(file)
		require.NoError(t, err)
		if at := book.Front.Reviewed; at.After(latest) {
			latest = at
		}
	}
	require.False(t, latest.IsZero())
	return latest
}

// Nothing is to be found in the runbooks that come with hachaos, as long as
// their review holds.
func TestOurRunbooksAreWithoutFindings(t *testing.T) {
	files, err := filepath.Glob("../../runbooks/*.md")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 3)
	checks, err := filepath.Glob("../../runbooks/checks/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, checks)
	files = append(files, checks...)
	day := reviewed(t, files)
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs}
	require.NoError(t, a.lintRunbooks(files, day, false))
	require.Empty(t, out.String())
	require.Zero(t, a.code)
	require.Contains(t, errs.String(), "nothing found in ../../runbooks/")

	out.Reset()
	require.NoError(t, a.lintRunbooks(files, day, true))
	require.Equal(t, "[]\n", out.String())

	require.NoError(t, a.lintRunbooks(files, day.AddDate(2, 0, 0), false))
	require.Equal(t, 1, a.code, "a review does not hold for ever")
}

// Each finding has its file, and links lead from there.
func TestFindingsHaveTheirFile(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile("../../runbook/testdata/good.md")
	require.NoError(t, err)
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, text, 0o600))
		return path
	}
	write("docs/page.md", nil)
	write("here/other.md", []byte("## A heading\n"))
	good := write("here/good.md", text)
	ownerless := write("here/ownerless.md", bytes.Replace(text, []byte("owner: shop operations\n"), nil, 1))
	elsewhere := write("elsewhere/good.md", text)

	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs}
	day := reviewed(t, []string{good})
	require.NoError(t, a.lintRunbooks([]string{good}, day, false))
	require.Zero(t, a.code)
	require.Empty(t, out.String())
	require.Equal(t, "hachaos: nothing found in "+good+"\n", errs.String())
	require.NoError(t, a.lintRunbooks([]string{good}, day, true))
	require.Equal(t, "[]\n", out.String())

	out.Reset()
	require.NoError(t, a.lintRunbooks([]string{good, ownerless, elsewhere}, day, true))
	require.Equal(t, 1, a.code)
	var found []foundIn
	require.NoError(t, json.Unmarshal(out.Bytes(), &found))
	require.Len(t, found, 2)
	require.Equal(t, foundIn{ownerless, runbook.Finding{Line: 1, Rule: "owner", Text: "no owner: say which team keeps it"}}, found[0])
	require.Equal(t, elsewhere, found[1].File)
	require.Equal(t, "other.md#a-heading is not there", found[1].Text)
}

// The places of runbooks are the roles of the topology, and its nodes are
// known.
func TestPlacesAreOfTheTopology(t *testing.T) {
	for place := range runbook.JettyHA() {
		switch topology.Role(place) {
		case runbook.Operator, topology.Application, topology.Balancer, topology.Database, topology.Proxy:
		default:
			t.Errorf("place %s is no role", place)
		}
	}
	require.Subset(t, nodeNames(topology.JettyHA()), []string{"j1", "j8", "lb1", "lb2", "db", "toxi"})
}

// A runbook is tried on the incidents of those that it leads to: it must tell its own
// from them.
func TestNeighboursAreOtherIncidents(t *testing.T) {
	said := func(file string) (out []string) {
		book, err := readRunbook(file)
		require.NoError(t, err)
		for _, i := range otherIncidents(file, book) {
			out = append(out, fmt.Sprint(i.Scenario.Name, " ", i.Set))
		}
		return out
	}
	frozen := said("../../runbooks/node-frozen.md")
	require.Contains(t, frozen, "vip-split-brain map[by:freeze]")
	own, err := readRunbook("../../runbooks/node-frozen.md")
	require.NoError(t, err)
	require.NotContains(t, frozen, fmt.Sprint(own.Front.Incident, " ", own.Front.Set))
	seen := map[string]bool{}
	for _, one := range frozen {
		require.False(t, seen[one], "%s twice", one)
		seen[one] = true
	}
	for _, to := range own.Neighbours() {
		b, err := readRunbook("../../runbooks/" + to)
		require.NoError(t, err, to)
		require.Contains(t, frozen, fmt.Sprint(b.Front.Incident, " ", b.Front.Set))
	}
	require.NotEmpty(t, own.Neighbours())
}

func TestEndingCode(t *testing.T) {
	made, unmade := gameday.Entry{}, gameday.Entry{Unmade: true}
	for _, tt := range []struct {
		ending   gameday.Ending
		last     gameday.Entry
		restored error
		want     int
	}{
		{gameday.Done, made, nil, harness.ExitPass},
		{gameday.Done, made, errors.New("not there"), harness.ExitFail},
		{gameday.Failed, made, nil, harness.ExitFail},
		{gameday.NotThis, made, nil, harness.ExitFail},
		{gameday.Failed, unmade, nil, harness.ExitError},
		{gameday.NotThis, unmade, nil, harness.ExitError},
		{gameday.Declined, made, nil, harness.ExitInconclusive},
		{gameday.Unanswered, made, nil, harness.ExitInconclusive},
		{gameday.Interrupted, unmade, nil, harness.ExitInconclusive},
	} {
		require.Equal(t, tt.want, endingCode(&gameday.Transcript{Ending: tt.ending, Entries: []gameday.Entry{tt.last}}, tt.restored), "%s %v", tt.ending, tt.last.Unmade)
	}
}
