package suite_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/suite"
)

// pool is a Topologies that lends one name and keeps book.
type pool struct {
	on   string
	used []*harness.Result
	left []history.Leftover
	shut int
}

func (p *pool) Provide(_ context.Context, _ suite.Job, left []suite.Job) (string, []string) {
	if len(left) == 0 {
		return "", []string{"alone"}
	}
	return p.on, nil
}
func (p *pool) Used(r *harness.Result) { p.used = append(p.used, r) }
func (p *pool) Close(ctx context.Context) []history.Leftover {
	p.shut++
	if ctx.Err() != nil {
		panic("it is closed under a cancelled run, too")
	}
	return p.left
}

func jobs(names ...string) []suite.Job {
	var out []suite.Job
	for _, n := range names {
		out = append(out, suite.Job{Scenario: harness.Scenario{Name: n}, Options: harness.Options{Seed: 7, Command: "run " + n}, Repetition: 1, Of: 1})
	}
	return out
}

func TestAllRunsEveryJob(t *testing.T) {
	p := &pool{on: "shared", left: []history.Leftover{{Kind: "network", Name: "n"}}}
	var on, began, ended []string
	r := suite.Runner{
		Topologies: p,
		Run: func(_ context.Context, s harness.Scenario, o harness.Options) (*harness.Result, error) {
			on = append(on, s.Name+" on "+o.On)
			if s.Name == "b" {
				return nil, errors.New("the disk is full")
			}
			return &harness.Result{Verdict: harness.VerdictPass, Reason: "All held.", Seed: o.Seed, Dir: "d/" + s.Name}, nil
		},
		Begins: func(j suite.Job, _, _ int) { began = append(began, j.Name()) },
		Ends:   func(e suite.Entry, _, _ int) { ended = append(ended, e.Word()) },
	}
	res := r.All(t.Context(), jobs("a", "b", "c"))
	require.Equal(t, []string{"a on shared", "b on shared", "c on "}, on)
	require.Equal(t, []string{"a", "b", "c"}, began)
	require.Equal(t, []string{"pass", "error", "pass"}, ended)
	require.Contains(t, res.Entries[1].Reason, "the disk is full")
	require.Equal(t, "shared", res.Entries[0].Shared)
	require.Equal(t, []string{"alone"}, res.Entries[2].Notes)
	require.Len(t, p.used, 2)
	require.Nil(t, p.used[1], "a run without a result is told of, too")
	require.Equal(t, 1, p.shut)
	require.Equal(t, harness.ExitDirty, res.ExitCode(), "what could not be removed")
}

func TestAnInterruptEndsTheSuite(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := &pool{on: "shared"}
	r := suite.Runner{
		Topologies: p,
		Run: func(_ context.Context, s harness.Scenario, _ harness.Options) (*harness.Result, error) {
			if s.Name == "b" {
				cancel()
				return &harness.Result{Verdict: harness.VerdictInconclusive, Reason: "interrupted"}, nil
			}
			return &harness.Result{Verdict: harness.VerdictPass}, nil
		},
	}
	res := r.All(ctx, jobs("a", "b", "c", "d"))
	require.True(t, res.Interrupted)
	require.Len(t, res.Entries, 4)
	require.Equal(t, "1 pass, 1 inconclusive, 2 not run", suite.Counts(res.Entries))
	require.Equal(t, "Not run: interrupted.", res.Entries[3].Reason)
	require.Equal(t, harness.ExitInconclusive, res.ExitCode())
	require.Equal(t, 1, p.shut)
}

// TestASpoiledTopologyIsNotRunOn: the user's own is not replaced as a shared
// one is.
func TestASpoiledTopologyIsNotRunOn(t *testing.T) {
	for name, tc := range map[string]struct {
		on     string
		ends   *harness.Result
		counts string
		code   int
	}{
		"dirty":                 {"blue", &harness.Result{Verdict: harness.VerdictPass, Dirty: true}, "1 pass, 2 not run, 1 pass (dirty)", harness.ExitDirty},
		"dirty, untold":         {"blue", &harness.Result{Verdict: harness.VerdictInconclusive, Reason: "torn"}, "1 pass, 2 not run, 1 inconclusive (dirty)", harness.ExitDirty},
		"no result":             {"blue", nil, "1 pass, 1 error, 2 not run", harness.ExitError},
		"refused":               {"blue", &harness.Result{Reason: "refused"}, "3 pass, 1 error", harness.ExitError},
		"only inconclusive":     {"blue", &harness.Result{Verdict: harness.VerdictInconclusive}, "3 pass, 1 inconclusive", harness.ExitInconclusive},
		"dirty, each its own":   {"", &harness.Result{Verdict: harness.VerdictPass, Dirty: true}, "3 pass, 1 pass (dirty)", harness.ExitDirty},
		"failed, and was clean": {"blue", &harness.Result{Verdict: harness.VerdictFail}, "3 pass, 1 fail", harness.ExitFail},
	} {
		t.Run(name, func(t *testing.T) {
			r := suite.Runner{Run: func(_ context.Context, s harness.Scenario, _ harness.Options) (*harness.Result, error) {
				switch {
				case s.Name != "b":
					return &harness.Result{Verdict: harness.VerdictPass}, nil
				case tc.ends == nil:
					return nil, errors.New("the disk is full")
				case tc.ends.Reason == "refused":
					return nil, fmt.Errorf("%w: it has no small disk", harness.ErrUsage)
				case tc.ends.Reason == "torn":
					return tc.ends, fmt.Errorf("%w: a node is frozen", harness.ErrDirty)
				}
				return tc.ends, nil
			}}
			list := jobs("a", "b", "c", "d")
			for i := range list {
				list[i].Options.On = tc.on
			}
			res := r.All(t.Context(), list)
			require.Equal(t, tc.counts, suite.Counts(res.Entries))
			require.Equal(t, tc.code, res.ExitCode())
			require.False(t, res.Interrupted)
			if res.Entries[3].Verdict == "" {
				require.Equal(t, "Not run: b may have left blue dirty: `hachaos down blue`, and bring it up again.", res.Entries[3].Reason)
			}
		})
	}
}

// TestWhatALentTopologyWasBroughtUpWith: its images and its subnet were chosen then,
// and to choose them for one that stands is refused.
func TestWhatALentTopologyWasBroughtUpWith(t *testing.T) {
	var got []harness.Options
	p := &pool{on: "shared"}
	r := suite.Runner{Topologies: p, Run: func(_ context.Context, s harness.Scenario, o harness.Options) (*harness.Result, error) {
		if got = append(got, o); s.Name == "a" {
			return nil, fmt.Errorf("%w: a setting that is none", harness.ErrUsage)
		}
		return &harness.Result{Verdict: harness.VerdictPass}, nil
	}}
	all := jobs("a", "b", "c")
	for i := range all {
		all[i].Options.Images, all[i].Options.Subnet = map[string]string{"jetty": "own:1"}, netip.MustParsePrefix("198.18.7.0/24")
	}
	r.All(t.Context(), all)
	require.Equal(t, "shared", got[0].On)
	for i, o := range got {
		own := o.On == ""
		require.Equal(t, own, len(o.Images) > 0, "run %d", i)
		require.Equal(t, own, o.Subnet.IsValid(), "run %d", i)
	}
	require.Len(t, p.used, 1, "what was refused has not used it")
}
