//go:build !race

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/topology"
)

// TestTheCampaignsPagesAreOfItsFiles holds docs/campaign.md, and docs/profiles.md
// once it is there, to the files in docs/campaign and to what they depend on.
// A program with the race detector puts an agent with it into its images, for
// which there are no results: it is `make lint` that runs this test.
func TestTheCampaignsPagesAreOfItsFiles(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	f := campaignFlags{dir: filepath.Join("docs", "campaign"), goVersion: lastGo(t, filepath.Join("docs", "campaign"))}
	var a app

	entries, err := a.entries(nil, f)
	require.NoError(t, err)
	var want bytes.Buffer
	require.NoError(t, report.CampaignMarkdown(&want, entries))
	requirePage(t, "campaign.md", want.String())

	if !exists(filepath.Join("docs", "profiles.md")) {
		return
	}
	both, err := a.onEveryProfile(nil, f)
	require.NoError(t, err)
	want.Reset()
	require.NoError(t, report.Profiles(&want, topology.All()[0].Profiles, both))
	requirePage(t, "profiles.md", want.String())
}

func requirePage(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join("docs", name))
	require.NoError(t, err)
	require.True(t, want == string(got), "docs/%s is not what the campaign's files say as things stand; write it anew: make campaign-pages\n%s",
		name, firstUnlike(want, string(got)))
}
