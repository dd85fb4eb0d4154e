package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
)

// What is left behind outweighs a failure, a failure what is still to come, and
// that the share of refused mutants.
func TestTheExitCodeOfProofs(t *testing.T) {
	item := func(v harness.Verdict, mutant, dirty bool) *proofItem {
		return &proofItem{proof: &proof{Verdict: v, Mutant: mutant, Dirty: dirty}}
	}
	pass, fail, none := item(harness.VerdictPass, false, false), item(harness.VerdictFail, false, false), &proofItem{}
	dirty := item(harness.VerdictPass, false, true)
	refused, taken := item(harness.VerdictFail, true, false), item(harness.VerdictPass, true, false)
	nine := []*proofItem{refused, refused, refused, refused, refused, refused, refused, refused, refused}
	for name, c := range map[string]struct {
		items []*proofItem
		code  int
	}{
		"all pass":                   {[]*proofItem{pass, pass}, harness.ExitPass},
		"nothing yet":                {[]*proofItem{none}, harness.ExitInconclusive},
		"one fails":                  {[]*proofItem{pass, fail}, harness.ExitFail},
		"one fails, others to come":  {[]*proofItem{none, fail, none}, harness.ExitFail},
		"dirty after a failure":      {[]*proofItem{fail, none, dirty}, harness.ExitDirty},
		"no verdict":                 {[]*proofItem{pass, item(harness.VerdictInconclusive, false, false)}, harness.ExitInconclusive},
		"nine of ten refused":        {append([]*proofItem{pass, taken}, nine...), harness.ExitPass},
		"eight of nine refused":      {append([]*proofItem{pass, taken}, nine[1:]...), harness.ExitFail},
		"some mutants still to come": {append([]*proofItem{pass, taken, none}, nine[5:]...), harness.ExitInconclusive},
	} {
		require.Equal(t, c.code, proofsCode(c.items), name)
	}
}
