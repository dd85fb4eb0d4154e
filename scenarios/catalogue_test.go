package scenarios_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/fixtures/mutants"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/zoo"
)

// asked are the items of the seeds, by the page's sections and first cells,
// and how many rows each has at least.
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

// row is a line of the page's tables.
type row struct {
	section string // "Seed 003"
	items   []string
	asks    string
	answer  string
	// claims are what the answer says is judged; none if nothing is. part is
	// what it says of the rest.
	claims []claim
	part   string
}

// claim is a scenario, or a mutant of one, with its assertion that answers
// what the row asks.
type claim struct {
	mutant, held    bool
	name, assertion string
}

// tests says whether the row's scenarios test what it asks.
func (r row) tests() bool { return !strings.HasPrefix(r.answer, "not tested") }

// names says whether the row claims the scenario.
func (r row) names(scenario string) bool {
	return slices.ContainsFunc(r.claims, func(c claim) bool { return !c.mutant && c.name == scenario })
}

var (
	code    = regexp.MustCompile("`([^`]+)`")
	claimed = regexp.MustCompile("^(mutant )?(`[a-z0-9-]+`(?:, `[a-z0-9-]+`)*): ([a-z-]+(?: \\(held\\))?(?:, [a-z-]+(?: \\(held\\))?)*)$")
)

// claims reads what an answer says is judged: "`a`, `b`: x, y (held); mutant
// `c`: z".
func claims(t *testing.T, answer string) []claim {
	t.Helper()
	var out []claim
	for text := range strings.SplitSeq(answer, "; ") {
		m := claimed.FindStringSubmatch(text)
		require.NotNil(t, m, "%q is not: scenarios, a colon, assertions", text)
		for _, name := range code.FindAllStringSubmatch(m[2], -1) {
			for assertion := range strings.SplitSeq(m[3], ", ") {
				assertion, held := strings.CutSuffix(assertion, " (held)")
				out = append(out, claim{mutant: m[1] != "", held: held, name: name[1], assertion: assertion})
			}
		}
	}
	return out
}

// catalogue reads docs/catalogue.md.
func catalogue(t *testing.T) []row {
	page, err := os.ReadFile("../docs/catalogue.md")
	require.NoError(t, err)
	var rows []row
	section := ""
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if head, ok := strings.CutPrefix(line, "## "); ok {
			section, _, _ = strings.Cut(head, ":")
		}
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		require.Len(t, cells, 3, "%q is no row of three cells", line)
		r := row{section: section, asks: strings.TrimSpace(cells[1]), answer: strings.TrimSpace(cells[2])}
		first := strings.TrimSpace(cells[0])
		if first == "item" || strings.HasPrefix(first, "---") {
			continue
		}
		r.items = []string{first}
		if strings.HasPrefix(first, "§") {
			r.items = strings.Split(first, ", ")
		}
		if r.tests() {
			judged, part, _ := strings.Cut(r.answer, "; in part: ")
			r.claims, r.part = claims(t, judged), part
		}
		rows = append(rows, r)
	}
	return rows
}

// The page names each scenario as testing something, and nothing that is not
// there. What nothing tests, and what is tested in part, has its reason.
func TestTheCatalogueIsTrue(t *testing.T) {
	named, seen := map[string]bool{}, map[string]bool{}
	for _, r := range catalogue(t) {
		key := fmt.Sprint(r.section, r.items, r.asks)
		require.False(t, seen[key], "%s is there twice", key)
		seen[key] = true
		for _, c := range r.claims {
			named[c.name] = named[c.name] || !c.mutant
		}
		for _, m := range code.FindAllStringSubmatch(r.part, -1) {
			mentioned(t, r, m[1])
		}
		if !r.tests() {
			for _, m := range code.FindAllStringSubmatch(r.answer, -1) {
				mentioned(t, r, m[1])
			}
			require.Regexp(t, `^not tested: \S+ \S+ \S+|^not tested: another topology$|^not tested yet: nothing stands in the way\b`, r.answer, "no reason is given for %q", r.asks)
			continue
		}
		if strings.Contains(r.answer, "in part") {
			require.Regexp(t, `^\S+ \S+ \S+`, r.part, "what of %q is not tested", r.asks)
		}
	}
	for _, s := range scenarios.All() {
		require.True(t, named[s.Name], "no item of docs/catalogue.md is tested by %s", s.Name)
	}
}

// mentioned holds a name in a row's words to be a scenario's or a fault's.
func mentioned(t *testing.T, r row, name string) {
	t.Helper()
	if slices.Contains(fault.Kinds(), name) {
		return
	}
	_, err := scenarios.Lookup(name)
	require.NoError(t, err, "the item %q", r.asks)
}

// Each scenario that the page names has the assertion that the page says
// answers the item, as it stands, and a case or a mutant of that scenario
// breaks it, or the page says "held". An item of which every assertion was only
// seen to hold is tested in part, or not at all.
func TestTheCatalogueNamesWhatJudges(t *testing.T) {
	planted, err := zoo.Read(mutants.Files)
	require.NoError(t, err)
	broken, breaks := map[string]bool{}, map[string]string{}
	for _, m := range planted {
		broken[m.Scenario+" "+m.Fails], breaks[m.Name] = true, m.Fails
	}
	has := map[string]bool{}
	for _, s := range scenarios.All() {
		for _, c := range s.Asserts {
			has[s.Name+" "+c.Name()] = true
		}
		for _, c := range s.Cases {
			for _, assertion := range c.Fails {
				broken[s.Name+" "+assertion] = true
			}
		}
	}
	for _, r := range catalogue(t) {
		shown := false
		for _, c := range r.claims {
			if c.mutant {
				require.Equal(t, breaks[c.name], c.assertion, "%v %q: what the mutant %s breaks", r.items, r.asks, c.name)
				shown = true
				continue
			}
			pair := c.name + " " + c.assertion
			require.True(t, has[pair], "%v %q: %s is not judged by %s", r.items, r.asks, c.name, c.assertion)
			require.Equal(t, !broken[pair], c.held, "%v %q: whether no case and no mutant of %s breaks %s", r.items, r.asks, c.name, c.assertion)
			shown = shown || !c.held
		}
		require.True(t, shown || r.part != "" || !r.tests(), "%v %q: no planted defect shows that it can fail, so that it is tested in part", r.items, r.asks)
	}
}

// Each item of the seeds is on the page.
func TestTheCatalogueIsWhole(t *testing.T) {
	have := map[string]int{}
	for _, r := range catalogue(t) {
		for _, item := range r.items {
			have[r.section+" "+item]++
		}
	}
	for section, items := range asked {
		for item, n := range items {
			require.GreaterOrEqual(t, have[section+" "+item], n, "%s: rows of %q", section, item)
		}
	}
}

// Each bullet of a list has a row of its own on the page, but for those of §12
// and §12.1, of which some rows answer two.
func TestTheCatalogueAnswersEachBullet(t *testing.T) {
	rows := catalogue(t)
	for item, words := range bullets {
		met := map[string]string{}
		for _, word := range words {
			at := slices.IndexFunc(rows, func(r row) bool {
				return r.section == "Seed 003" && slices.Contains(r.items, item) && strings.Contains(r.asks, word)
			})
			require.GreaterOrEqual(t, at, 0, "no row of %s names %q", item, word)
			if strings.HasPrefix(item, "§29.") {
				require.Empty(t, met[rows[at].asks], "%s: %q has no row of its own: %q", item, word, rows[at].asks)
			}
			met[rows[at].asks] = word
		}
	}
}

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

var (
	foreign  = regexp.MustCompile(`RFC \d+ §[\d.]+`)
	citation = regexp.MustCompile(`(§\d+(?:\.\d+)?)(?:,? question (\d+))?`)
)

// A story that cites a section of seed 003 is named by the page under it.
func TestTheCatalogueKnowsWhatStoriesAreFor(t *testing.T) {
	rows, cited := catalogue(t), 0
	for _, s := range scenarios.All() {
		story := strings.Join(strings.Fields(s.Story), " ")
		for _, m := range citation.FindAllStringSubmatch(foreign.ReplaceAllString(story, ""), -1) {
			item := m[1]
			if m[2] != "" {
				item += " " + m[2]
			}
			cited++
			require.True(t, slices.ContainsFunc(rows, func(r row) bool {
				return r.section == "Seed 003" && r.tests() && slices.Contains(r.items, item) && r.names(s.Name)
			}), "%s says that it is for %s, and docs/catalogue.md does not", s.Name, item)
		}
	}
	require.Greater(t, cited, 50, "the stories' citations are not found")
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
