package scenarios_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/scenarios"
)

var code = regexp.MustCompile("`([^`]+)`")

// unusedFaults are the kinds that no scenario, and none of its cases, has.
func unusedFaults(t *testing.T) []string {
	t.Helper()
	unused := fault.Kinds()
	for _, it := range items() {
		var r harness.Runner
		resolved, err := r.Resolved(it.scenario, harness.Options{Set: it.Set, Nodes: it.Nodes})
		require.NoError(t, err, it.name())
		unused = slices.DeleteFunc(unused, func(kind string) bool { return slices.Contains(resolved.Faults, typeOf(t, kind)) })
	}
	return unused
}

// typeOf is the name of a built-in fault's type.
func typeOf(t *testing.T, kind string) string {
	t.Helper()
	f, err := fault.Decode(fmt.Appendf(nil, `{"kind":%q}`, kind))
	require.NoError(t, err)
	return reflect.TypeOf(f).Name()
}

// The page lists the faults that no scenario uses. That each of them is held to
// the conformance suite is a test of package fault.
func TestTheCatalogueListsTheFaultsThatNoScenarioUses(t *testing.T) {
	page, err := os.ReadFile("../docs/catalogue.md")
	require.NoError(t, err)
	_, list, found := strings.Cut(string(page), "These faults are used by no scenario")
	require.True(t, found)
	var listed []string
	for line := range strings.Lines(list) {
		if head, ok := strings.CutPrefix(line, "- "); ok {
			head, _, _ = strings.Cut(head, ":")
			for _, m := range code.FindAllStringSubmatch(head, -1) {
				listed = append(listed, m[1])
			}
		}
	}
	require.Equal(t, unusedFaults(t), listed)
}

// The README says how many scenarios and cases there are.
func TestTheReadmeCountsTheCatalogue(t *testing.T) {
	page, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	cases := 0
	for _, s := range scenarios.All() {
		cases += len(s.Cases)
	}
	require.Contains(t, string(page), fmt.Sprintf("%d scenarios, and %d cases", len(scenarios.All()), cases))
}
