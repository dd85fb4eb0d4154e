package compare_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/compare"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// FuzzReadSuite wants nothing to be read of a suite's file but runs below its
// own folder, whatever it names.
func FuzzReadSuite(f *testing.F) {
	for _, dir := range []string{"run", "../other", "/etc", "a/../../b", ""} {
		b, err := json.Marshal(suite.Result{Schema: suite.Schema, Entries: []suite.Entry{{Scenario: "instance-kill", Dir: dir, Verdict: harness.VerdictPass}}})
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte(`{"schema":"another"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		top := t.TempDir()
		dir := filepath.Join(top, "suite")
		for _, name := range []string{dir, filepath.Join(dir, "run"), filepath.Join(top, "other"), filepath.Join(top, "b")} {
			require.NoError(t, os.MkdirAll(name, 0o755))
			if name != dir {
				require.NoError(t, os.WriteFile(filepath.Join(name, harness.JournalFile), nil, 0o644))
			}
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, suite.File), b, 0o644))
		r := compare.Reader{Judge: func(run string) (*harness.Result, error) {
			below, err := filepath.Rel(dir, run)
			require.NoError(t, err)
			require.True(t, filepath.IsLocal(below), "%s is not below the suite", run)
			return &harness.Result{Scenario: "instance-kill"}, nil
		}}
		runs, err := r.Read(dir)
		if err != nil {
			require.Empty(t, runs)
			return
		}
		var s suite.Result
		require.NoError(t, json.Unmarshal(b, &s))
		if len(s.Entries) > 0 { // else its folders are read
			require.Len(t, runs, len(s.Entries))
		}
	})
}

// FuzzReadCampaign wants of a folder of records those that are records, and no
// error for the others.
func FuzzReadCampaign(f *testing.F) {
	b, err := json.Marshal(campaign.Record{Schema: campaign.Schema, Item: campaign.Item{Scenario: "instance-kill", Case: campaign.AsItStands, Repetition: 1}, Verdict: harness.VerdictPass})
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"schema":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := filepath.Join(t.TempDir(), "items", "instance-kill")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "one.json"), b, 0o644))
		runs, err := compare.Reader{}.Read(filepath.Dir(filepath.Dir(dir)))
		var rec campaign.Record
		if json.Unmarshal(b, &rec) != nil || rec.Schema != campaign.Schema {
			require.ErrorIs(t, err, compare.ErrNoRuns)
			return
		}
		require.NoError(t, err)
		require.Len(t, runs, 1+len(rec.Before))
	})
}
