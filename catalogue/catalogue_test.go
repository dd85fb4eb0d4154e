package catalogue_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/catalogue"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/fixtures/mutants"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/zoo"
)

// asked are what the documents ask, by their lists' names and the items'
// places, and how many items each has at least.
var asked = map[string]map[string]int{
	"Seed 000": rowsOf("address", "ARP", "connections", "state", "nodes", "Pacemaker"),
	"Seed 001": merged(map[string]int{"common issues": 6}, rowsOf("pool tuning", "session clean-up", "verify your setup")),
	"Seed 002": rowsOf("health signal", "thresholds", "affinity", "drain order", "graceful drain", "signals",
		"redundant balancers", "planned and unplanned", "protocols", "DNS, anycast"),
	"Seed 003": merged(
		rowsOf("§9.1", "§9.2", "§9.3", "§10.1", "§10.2", "§10.3", "§10.4", "§11", "§12", "§12.1", "§13.1", "§13.2", "§13.3",
			"§14", "§14.1", "§14.2", "§15", "§16", "§17.1", "§17.2", "§17.3", "§18", "§19", "§20", "§21", "§22"),
		map[string]int{"§23": 10}, // its table has ten symptoms
		numbered("§27.", 4), numbered("§28.", 7), numbered("§30 ", 15),
	),
	"Seed 004": rowsOf("releases", "sessions", "versions", "balancer"),
}

// bullets are those of seed 003's lists, by a word of each, in their order.
var bullets = map[string][]string{
	"§12":   {"another machine", "validation", "bounded waiting", "circuit breaker", "read-only", "cache", "maintenance mode"},
	"§12.1": {"ceiling", "reserved", "quota", "leaks", "waiting", "fails fast"},
	"§29.1": {"stateless", "deduplicated", "state of record", "jobs", "file", "cache"},
	"§29.2": {"artifact", "configuration", "resources", "libraries", "properties", "identity"},
	"§29.3": {"readiness", "drain", "thresholds", "timeouts", "affinity", "jvmRoute"},
	"§29.4": {"strategy", "compatible", "schema", "rollback", "smoke", "compares"},
	"§29.5": {"kill", "restart", "slow database", "downstream", "duplicate retry", "drain", "rollback"},
}

func rowsOf(items ...string) map[string]int {
	m := map[string]int{}
	for _, item := range items {
		m[item] = 1
	}
	return m
}

func numbered(prefix string, n int) map[string]int {
	m := map[string]int{}
	for i := range n {
		m[fmt.Sprint(prefix, i+1)] = 1
	}
	return m
}

func merged(all ...map[string]int) map[string]int {
	m := map[string]int{}
	for _, one := range all {
		maps.Copy(m, one)
	}
	return m
}

var code = regexp.MustCompile("`([^`]+)`")

// all are the items of every list, with the list's name.
func all(yield func(string, catalogue.Item) bool) {
	for _, l := range catalogue.Lists() {
		for _, i := range l.Items {
			if !yield(l.Name, i) {
				return
			}
		}
	}
}

// The catalogue names each scenario as answering something, and nothing that is
// not there. What nothing answers, and what is answered in part, has its reason.
func TestTheCatalogueIsTrue(t *testing.T) {
	named, seen := map[string]bool{}, map[string]bool{}
	for list, i := range all {
		key := fmt.Sprint(list, i.Refs, i.Asks)
		require.False(t, seen[key], "%s is there twice", key)
		seen[key] = true
		for _, text := range []string{i.Asks, i.Holds, i.Part, i.Why} {
			require.NotContains(t, text, "|", key)
			require.NotContains(t, text, "\n", key)
		}
		for _, c := range i.Claims() {
			named[c.Scenario] = named[c.Scenario] || c.Mutant == ""
		}
		for _, m := range code.FindAllStringSubmatch(i.Part+i.Why, -1) {
			mentioned(t, i, m[1])
		}
		switch {
		case i.Tested():
			require.Empty(t, i.Why, key)
			require.False(t, i.Yet, key)
			if i.Part != "" {
				require.Regexp(t, `^\S+ \S+ \S+`, i.Part, "what of %q is not asked", i.Asks)
			}
		case i.Yet:
			require.Empty(t, i.Part, key)
		default:
			require.Regexp(t, `^\S+ \S+ \S+|^another topology$`, i.Why, "no reason is given for %q", i.Asks)
		}
	}
	for _, s := range scenarios.All() {
		require.True(t, named[s.Name], "no item of the catalogue is answered by %s", s.Name)
	}
}

// mentioned holds a name in an item's words to be a scenario's or a fault's.
func mentioned(t *testing.T, i catalogue.Item, name string) {
	t.Helper()
	if slices.Contains(fault.Kinds(), name) {
		return
	}
	_, err := scenarios.Lookup(name)
	require.NoError(t, err, "the item %q", i.Asks)
}

// Each scenario that an item names has, as it stands, the assertion that answers
// it; a mutant that is named breaks it in that scenario.
func TestTheCatalogueNamesWhatJudges(t *testing.T) {
	planted, err := zoo.Read(mutants.Files)
	require.NoError(t, err)
	breaks := map[string]string{}
	for _, m := range planted {
		breaks[m.Name] = m.Scenario + " " + m.Fails
	}
	has := map[string]bool{}
	for _, s := range scenarios.All() {
		for _, c := range s.Asserts {
			has[s.Name+" "+c.Name()] = true
		}
	}
	for _, i := range all {
		for _, c := range i.Claims() {
			pair := c.Scenario + " " + c.Assertion
			require.True(t, has[pair], "%v %q: %s is not judged by %s", i.Refs, i.Asks, c.Scenario, c.Assertion)
			if c.Mutant != "" {
				require.Equal(t, breaks[c.Mutant], pair, "%v %q: what the mutant %s breaks", i.Refs, i.Asks, c.Mutant)
			}
		}
	}
}

// Each item of the documents is in the catalogue.
func TestTheCatalogueIsWhole(t *testing.T) {
	have := map[string]int{}
	for list, i := range all {
		for _, ref := range i.Refs {
			have[list+" "+ref]++
		}
	}
	for list, items := range asked {
		for item, n := range items {
			require.GreaterOrEqual(t, have[list+" "+item], n, "%s: items at %q", list, item)
		}
	}
}

// Each bullet of a list has an item of its own, but for those of §12 and §12.1, of
// which some items answer two.
func TestTheCatalogueAnswersEachBullet(t *testing.T) {
	for place, words := range bullets {
		met := map[string]string{}
		for _, word := range words {
			found := ""
			for list, i := range all {
				if list == "Seed 003" && slices.Contains(i.Refs, place) && strings.Contains(i.Asks, word) {
					found = i.Asks
					break
				}
			}
			require.NotEmpty(t, found, "no item of %s names %q", place, word)
			if strings.HasPrefix(place, "§29.") {
				require.Empty(t, met[found], "%s: %q has no item of its own: %q", place, word, found)
			}
			met[found] = word
		}
	}
}

var (
	foreign  = regexp.MustCompile(`RFC \d+ §[\d.]+`)
	citation = regexp.MustCompile(`(§\d+(?:\.\d+)?)(?:,? question (\d+))?`)
)

// A story that cites a section of seed 003 is named by the catalogue under it.
func TestTheCatalogueKnowsWhatStoriesAreFor(t *testing.T) {
	cited := 0
	for _, s := range scenarios.All() {
		story := strings.Join(strings.Fields(s.Story), " ")
		for _, m := range citation.FindAllStringSubmatch(foreign.ReplaceAllString(story, ""), -1) {
			place := m[1]
			if m[2] != "" {
				place += " " + m[2]
			}
			cited++
			found := false
			for list, i := range all {
				found = found || list == "Seed 003" && slices.Contains(i.Refs, place) && i.Names(s.Name)
			}
			require.True(t, found, "%s says that it is for %s, and the catalogue does not", s.Name, place)
		}
	}
	require.Greater(t, cited, 50, "the stories' citations are not found")
}
