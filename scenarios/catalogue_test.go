package scenarios_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/scenarios"
)

// The page that maps what can go wrong to scenarios names each of them, and
// none that is not there. An item that nothing tests says why.
func TestTheCatalogueIsTrue(t *testing.T) {
	page, err := os.ReadFile("../docs/catalogue.md")
	require.NoError(t, err)
	named, items := map[string]bool{}, 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "item" {
			continue
		}
		items++
		require.NotEmpty(t, strings.TrimSpace(cells[3]), "nothing is said of %q", cells[2])
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[3], -1) {
			_, err := scenarios.Lookup(m[1])
			require.NoError(t, err, "the item %q", cells[2])
			named[m[1]] = true
		}
	}
	require.Greater(t, items, 80, "the page has lost its tables")
	for _, s := range scenarios.All() {
		require.True(t, named[s.Name] || strings.Contains(string(page), "still to come: "+s.Name), "no item of docs/catalogue.md names %s", s.Name)
	}
}
