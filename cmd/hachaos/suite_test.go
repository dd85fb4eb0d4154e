package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// TestAffordable: `run all` does without what the kernel lacks, and says so; what
// was asked for by its name is refused, and so is all where nothing can be found
// out.
func TestAffordable(t *testing.T) {
	lacks := fmt.Errorf("%w: the kernel has no netem", harness.ErrUsage)
	gone := errors.New("no engine")
	job := func(name string) suite.Job { return suite.Job{Scenario: harness.Scenario{Name: name}} }
	all := []suite.Job{job("kill"), job("slow"), job("kill"), job("slow")}
	for name, tc := range map[string]struct {
		named []string
		errs  map[string]error
		can   int
		left  []error
		err   error
	}{
		"everything":                     {nil, nil, 4, nil, nil},
		"one is lacking":                 {[]string{"all"}, map[string]error{"slow": lacks}, 2, []error{lacks}, nil},
		"one is lacking, asked by name":  {[]string{"slow", "k*"}, map[string]error{"slow": lacks}, 4, nil, lacks},
		"all are lacking":                {nil, map[string]error{"slow": lacks, "kill": lacks}, 4, nil, lacks},
		"it could not be found out once": {nil, map[string]error{"slow": gone}, 4, nil, gone},
	} {
		t.Run(name, func(t *testing.T) {
			asked := map[string]int{}
			can, left, err := affordable(all, tc.named, func(j suite.Job) error {
				asked[j.Scenario.Name]++
				return tc.errs[j.Scenario.Name]
			})
			require.ErrorIs(t, err, tc.err)
			require.Len(t, can, tc.can)
			require.Equal(t, tc.left, left)
			for name, n := range asked {
				require.Equal(t, 1, n, name)
			}
		})
	}
}
