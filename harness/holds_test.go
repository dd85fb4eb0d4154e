package harness_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// TestHolds: a case is what it says only if each assertion that fails is one
// that it names, for the reason that it names.
func TestHolds(t *testing.T) {
	failed := func(name, class, text, summary string) assert.Verdict {
		return assert.Verdict{Name: name, Status: assert.Fail, Summary: summary, Evidence: []assert.Evidence{{Class: class, Text: text}, {Text: "the second piece"}}}
	}
	ledger := failed("write-ledger", "duplicate", "two rows", "1 write violated the ledger.")
	budget := failed("error-budget", "slow", "after 2 s", "All users were without service for 3 s.")
	held := assert.Verdict{Name: "leftovers", Status: assert.Pass}
	verdict := func(v harness.Verdict, of ...assert.Verdict) *harness.Result {
		return &harness.Result{Verdict: v, Reason: "as it was", Assertions: append(of, held)}
	}
	both := verdict(harness.VerdictFail, ledger, budget)
	dirty := verdict(harness.VerdictPass)
	dirty.Dirty = true
	bare := verdict(harness.VerdictFail, assert.Verdict{Name: "write-ledger", Status: assert.Fail})
	for _, tc := range []struct {
		name string
		c    harness.Case
		r    *harness.Result
		err  string
	}{
		{"a pass", harness.Case{}, verdict(harness.VerdictPass), ""},
		{"a pass that is dirty", harness.Case{}, dirty, "it is dirty"},
		{"a failure where a pass is wanted", harness.Case{}, both, "the verdict is fail instead of pass: as it was"},
		{"a pass where a failure is wanted", harness.Case{Fails: []string{"write-ledger"}}, verdict(harness.VerdictPass), "the verdict is pass instead of fail"},
		{"a pass beside a failing assertion", harness.Case{}, verdict(harness.VerdictPass, ledger), "write-ledger fails, too: as it was"},
		{"inconclusive is neither", harness.Case{}, verdict(harness.VerdictInconclusive), "the verdict is inconclusive instead of pass"},
		{"a failure without evidence", harness.Case{Fails: []string{"write-ledger"}}, bare, "write-ledger fails without evidence"},
		{"the failure, for any reason", harness.Case{Fails: []string{"write-ledger"}}, verdict(harness.VerdictFail, ledger), ""},
		{"for its reason, by the class", harness.Case{Fails: []string{"write-ledger"}, Evidence: "duplicate"}, verdict(harness.VerdictFail, ledger), ""},
		{"for its reason, by the summary", harness.Case{Fails: []string{"error-budget"}, Evidence: "without service for 3 s"}, verdict(harness.VerdictFail, budget), ""},
		{"for another reason", harness.Case{Fails: []string{"write-ledger"}, Evidence: "lost"}, verdict(harness.VerdictFail, ledger), `the evidence of write-ledger does not say "lost"`},
		{"not by its second piece", harness.Case{Fails: []string{"write-ledger"}, Evidence: "the second piece"}, verdict(harness.VerdictFail, ledger), "does not say"},
		{"another assertion", harness.Case{Fails: []string{"vip"}}, both, "vip does not fail, but write-ledger, error-budget"},
		{"one more", harness.Case{Fails: []string{"write-ledger"}}, both, "error-budget fails, too"},
		{"one more that may", harness.Case{Fails: []string{"write-ledger"}, Also: []string{"error-budget"}, Evidence: "duplicate"}, both, ""},
		{"both, in whatever order", harness.Case{Fails: []string{"error-budget", "write-ledger"}, Evidence: "slow"}, both, ""},
		{"both, each for its reason", harness.Case{Fails: []string{"write-ledger", "error-budget"}, Evidence: "duplicate", Says: map[string]string{"error-budget": "slow"}}, both, ""},
		{"the second for another reason", harness.Case{Fails: []string{"write-ledger", "error-budget"}, Evidence: "duplicate", Says: map[string]string{"error-budget": "status 503"}}, both, `the evidence of error-budget does not say "status 503"`},
		{"one that may, for another reason", harness.Case{Fails: []string{"write-ledger"}, Also: []string{"error-budget"}, Says: map[string]string{"error-budget": "status 503"}}, both, `the evidence of error-budget does not say "status 503"`},
		{"one that may, and does not", harness.Case{Fails: []string{"write-ledger"}, Also: []string{"error-budget"}, Says: map[string]string{"error-budget": "status 503"}}, verdict(harness.VerdictFail, ledger), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.c.Holds(tc.r)
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
}
