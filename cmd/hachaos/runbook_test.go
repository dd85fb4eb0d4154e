package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/topology"
)

// reviewed is a day on which no runbook here is overdue.
var reviewed = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

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
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs}
	require.NoError(t, a.lintRunbooks(files, reviewed, false))
	require.Empty(t, out.String())
	require.Zero(t, a.code)
	require.Contains(t, errs.String(), "nothing found in ../../runbooks/")

	out.Reset()
	require.NoError(t, a.lintRunbooks(files, reviewed, true))
	require.Equal(t, "[]\n", out.String())

	require.NoError(t, a.lintRunbooks(files, reviewed.AddDate(2, 0, 0), false))
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
	require.NoError(t, a.lintRunbooks([]string{good}, reviewed, false))
	require.Zero(t, a.code)
	require.Empty(t, out.String())
	require.Equal(t, "hachaos: nothing found in "+good+"\n", errs.String())
	require.NoError(t, a.lintRunbooks([]string{good}, reviewed, true))
	require.Equal(t, "[]\n", out.String())

	out.Reset()
	require.NoError(t, a.lintRunbooks([]string{good, ownerless, elsewhere}, reviewed, true))
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
