package zoo

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fixtures/mutants"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/topology"
)

// TestBuiltIn: every mutant that comes with hachaos can be planted in the
// topology of its scenario, as it is now.
func TestBuiltIn(t *testing.T) {
	all, err := BuiltIn()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 60)
	halves, err := Halves(all, scenarios.Lookup)
	require.NoError(t, err)
	areas, pairs := map[string]int{}, 0
	for _, m := range all {
		areas[m.Area]++
		if m.Fixed != nil {
			pairs++
		}
	}
	for _, a := range Areas {
		require.NotZero(t, areas[a], "no mutant of %s", a)
	}
	require.GreaterOrEqual(t, pairs, 12)
	require.Len(t, halves, len(all)+pairs)
	for _, h := range halves {
		require.NotEmpty(t, h.Quiet(), "%s: something has to stay quiet", h.Name)
	}
}

// TestBugsArePairs: a mutant that is named after a real bug has the half in
// which that is mended, and its thread can be looked up.
func TestBugsArePairs(t *testing.T) {
	all, err := BuiltIn()
	require.NoError(t, err)
	thread := regexp.MustCompile(`^[\w.-]+/[\w.-]+#[1-9]\d*$`)
	of := map[string]string{}
	for _, m := range all {
		if m.Bug == "" {
			continue
		}
		require.Regexp(t, thread, m.Bug, m.Name)
		require.NotNil(t, m.Fixed, "%s: what mends %s?", m.Name, m.Bug)
		require.Empty(t, of[m.Bug], "%s is after %s, too", m.Name, m.Bug)
		of[m.Bug] = m.Name
	}
	require.GreaterOrEqual(t, len(of), 13)
}

// TestBuiltInDiffer: no two mutants of one scenario are the same system.
func TestBuiltInDiffer(t *testing.T) {
	all, err := BuiltIn()
	require.NoError(t, err)
	halves, err := Halves(all, scenarios.Lookup)
	require.NoError(t, err)
	seen := map[string]string{}
	for _, h := range halves {
		if h.Case.Name == Mended {
			continue // many are the scenario as it stands
		}
		r, err := h.Runner(harness.Runner{}).Resolved(h.Scenario, h.Options())
		require.NoError(t, err)
		var key strings.Builder
		key.WriteString(h.Mutant.Scenario)
		for _, n := range r.Spec.Nodes {
			for _, k := range sorted(n.Env) {
				key.WriteString(k + "=" + n.Env[k] + "\n")
			}
			for _, f := range n.Files {
				key.WriteString(f.Path + f.Content)
			}
		}
		for _, v := range r.Spec.Values {
			key.WriteString(v.Name + v.Value)
		}
		for _, k := range sorted(h.Case.Set) {
			key.WriteString(k + "=" + h.Case.Set[k])
		}
		require.Empty(t, seen[key.String()], "%s is the same system", h.Name)
		seen[key.String()] = h.Name
	}
}

// TestPairsDifferInTheDefect: what mends a mutant is set where the defect is, or taken
// away; it brings nothing of its own.
func TestPairsDifferInTheDefect(t *testing.T) {
	all, err := BuiltIn()
	require.NoError(t, err)
	for _, m := range all {
		if m.Fixed == nil {
			continue
		}
		for _, key := range sorted(m.Fixed.Set) {
			require.Contains(t, m.Set, key, "%s: the mended half sets what the broken one does not", m.Name)
		}
		require.True(t, len(m.Fixed.Overlay) == 0 || len(m.Overlay) > 0, "%s: the mended half changes what the broken one does not", m.Name)
	}
}

const good = `title: No redispatch
area: balancer
stands: a habit
scenario: instance-kill
overlay:
- nodes: [lb1]
  files:
  - path: /etc/haproxy/haproxy.cfg
    edits: {"    option redispatch 1\n": ""}
fails: error-budget
says: attempts
`

func TestReadRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ file, text, err string }{
		"unknown key":        {"a.yaml", good + "scenaro: x\n", "field scenaro not found"},
		"no title":           {"a.yaml", strings.Replace(good, "title: No redispatch", "title: ", 1), `say "title: …"`},
		"area":               {"a.yaml", strings.Replace(good, "area: balancer", "area: cats", 1), `area: "cats": want one of sessions`},
		"nothing planted":    {"a.yaml", good[:strings.Index(good, "overlay:")] + "fails: x\nsays: y\n", "nothing is planted"},
		"no nodes":           {"a.yaml", strings.Replace(good, "nodes: [lb1]", "env: {A: b}", 1), "name nodes or roles"},
		"relative path":      {"a.yaml", strings.Replace(good, "/etc/haproxy/haproxy.cfg", "haproxy.cfg", 1), "want an absolute one"},
		"two documents":      {"a.yaml", good + "---\n" + good, "a second document"},
		"also without why":   {"a.yaml", good + "also: {vip: \"\"}\n", "say why"},
		"also the same":      {"a.yaml", good + "also: {error-budget: \"\"}\nbecause: x\n", "is the one that must fire"},
		"name":               {"No Redispatch.yaml", good, "want lower-case letters"},
		"no file":            {"a.yml", good, "no file ends in .yaml"},
		"not YAML":           {"a.yaml", "title: [", "did not find"},
		"mode of an edit":    {"a.yaml", strings.Replace(good, "    edits:", "    mode: 0755\n    edits:", 1), "only of a file whose content is given"},
		"decimal mode":       {"a.yaml", strings.Replace(good, "    edits: {\"    option redispatch 1\\n\": \"\"}", "    mode: 755\n    content: x", 1), "mode: 01363: want permissions, in octal"},
		"name of a variable": {"a.yaml", strings.Replace(good, "- nodes: [lb1]", "- nodes: [lb1]\n  env: {A=b: c}", 1), `env: "A=b": want the name of a variable`},
		"content and append": {"a.yaml", strings.Replace(good, "    edits:", "    content: x\n    edits:", 1), "content is all of the file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(fstest.MapFS{tc.file: {Data: []byte(tc.text)}})
			require.ErrorContains(t, err, tc.err)
		})
	}
}

// TestPlantedOrRefused: a change that would change nothing is an error, so that
// nobody looks for a defect that is not there.
func TestPlantedOrRefused(t *testing.T) {
	for name, tc := range map[string]struct{ old, text, err string }{
		"text":     {"option redispatch 1", "option redispatch 7", "is there 0 times"},
		"twice":    {`"    option redispatch 1\n"`, `"timeout"`, "times: want once"},
		"file":     {"haproxy.cfg", "haproxy.conf", "the topology brings no such file"},
		"node":     {"lb1", "lb9", `no node and no role "lb9"`},
		"scenario": {"scenario: instance-kill", "scenario: instance-kil", "instance-kill"},
		"as it is": {`"    option redispatch 1\n": ""`, `"    option redispatch 1\n": "    option redispatch 1\n"`, "what is planted changes nothing"},
		"fails":    {"fails: error-budget", "fails: budget", `does not have the assertion "budget"`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, good, tc.old)
			all, err := Read(fstest.MapFS{"m.yaml": {Data: []byte(strings.Replace(good, tc.old, tc.text, 1))}})
			require.NoError(t, err)
			_, err = Halves(all, scenarios.Lookup)
			require.ErrorContains(t, err, tc.err)
			require.ErrorContains(t, err, "mutant m")
		})
	}
}

// spec is a small topology.
func spec() topology.Spec {
	return topology.Spec{Name: "s", Nodes: []topology.NodeSpec{
		{Name: "lb1", Role: topology.Balancer, Files: []topology.File{{Path: "/a", Mode: 0o644, Content: "one two"}}},
		{Name: "j1", Role: topology.Application, Env: map[string]string{"URL": "x?a=1"}},
		{Name: "j2", Role: topology.Application},
	}}
}

func TestApply(t *testing.T) {
	base := spec()
	got, err := Planted{Overlay: []Change{
		{Nodes: []string{"lb1"}, Files: []FileChange{
			{Path: "/a", Edits: map[string]string{"two": "2", "one": "1"}, Append: "!"},
			{Path: "/new", Mode: 0o755, Content: "#!"},
		}},
		{Nodes: []string{"application"}, Env: map[string]string{"URL": "${URL}&b=2"}, Cmd: []string{"x"}, Run: "echo"},
	}}.apply(base)
	require.NoError(t, err)
	require.Equal(t, []topology.File{{Path: "/a", Mode: 0o644, Content: "1 2!"}, {Path: "/new", Mode: 0o755, Content: "#!"}}, got.Nodes[0].Files)
	require.Equal(t, "x?a=1&b=2", got.Nodes[1].Env["URL"])
	require.Equal(t, "&b=2", got.Nodes[2].Env["URL"])
	require.Equal(t, []string{"x"}, got.Nodes[2].Cmd)
	require.Equal(t, "echo", got.Values[0].Value, "the record says what was run")
	require.Equal(t, spec(), base, "the topology's own spec is untouched")

	_, err = Planted{Overlay: []Change{{Nodes: []string{"j1"}, Env: map[string]string{"URL": "x?a=1"}}}}.apply(base)
	require.ErrorContains(t, err, `env URL: it is "x?a=1" already`)
}

// node is a node that answers every command alike.
type node struct {
	topology.Node
	name string
	out  topology.Output
	err  error
	ran  *[]string
}

func (n node) Name() string        { return n.name }
func (n node) Role() topology.Role { return topology.Application }
func (n node) Exec(_ context.Context, argv ...string) (topology.Output, error) {
	*n.ran = append(*n.ran, n.name+": "+strings.Join(argv, " "))
	return n.out, n.err
}

// cluster is a cluster of such nodes.
type cluster struct {
	topology.Cluster
	nodes  []topology.Node
	closed error
	closes *int
}

func (c cluster) Nodes() []topology.Node { return c.nodes }
func (c cluster) Close(context.Context) error {
	*c.closes++
	return c.closed
}

type starter struct {
	topology.Driver
	cluster topology.Cluster
}

func (s starter) Start(context.Context, string, topology.Plan, topology.StartOptions) (topology.Cluster, error) {
	return s.cluster, nil
}

func TestDriverRunsScripts(t *testing.T) {
	var ran []string
	closes := 0
	c := cluster{nodes: []topology.Node{node{name: "j1", ran: &ran}, node{name: "j2", ran: &ran}}, closes: &closes}
	p := Planted{Overlay: []Change{{Nodes: []string{"j2"}, Run: "touch /x"}, {Nodes: []string{"application"}, Env: map[string]string{"A": "b"}}}}
	got, err := p.Driver(starter{cluster: c}).Start(context.Background(), "id", nil, topology.StartOptions{})
	require.NoError(t, err)
	require.Equal(t, c, got)
	require.Equal(t, []string{"j2: /bin/sh -ec touch /x"}, ran)
	require.Zero(t, closes)
}

func TestDriverRemovesWhatCannotBePlanted(t *testing.T) {
	var ran []string
	p := Planted{Overlay: []Change{{Nodes: []string{"j1"}, Run: "false"}}}
	for name, tc := range map[string]struct {
		node   node
		closed error
		err    string
	}{
		"status": {node{name: "j1", ran: &ran, out: topology.Output{Code: 1, Stderr: []byte("no")}}, nil, "script in j1: it ended with status 1: no"},
		"error":  {node{name: "j1", ran: &ran, err: errors.New("gone")}, nil, "gone"},
		"left":   {node{name: "j1", ran: &ran, err: errors.New("gone")}, errors.New("stuck"), "stuck"},
	} {
		t.Run(name, func(t *testing.T) {
			closes := 0
			c := cluster{nodes: []topology.Node{tc.node}, closed: tc.closed, closes: &closes}
			_, err := p.Driver(starter{cluster: c}).Start(context.Background(), "id", nil, topology.StartOptions{})
			require.ErrorContains(t, err, tc.err)
			require.Equal(t, tc.closed != nil, errors.Is(err, topology.ErrLeftBehind))
			require.Equal(t, 1, closes)
		})
	}
}

func TestChoose(t *testing.T) {
	all := []Mutant{{Name: "a-one", Area: "sessions"}, {Name: "a-two", Area: "writes"}, {Name: "b", Area: "writes"}}
	for want, names := range map[string][]string{"a-one a-two b": nil, "a-one a-two": {"a-*"}, "a-two b": {"writes"}, "b": {"b", "b"}} {
		got, err := Choose(all, names)
		require.NoError(t, err)
		var have []string
		for _, m := range got {
			have = append(have, m.Name)
		}
		require.Equal(t, want, strings.Join(have, " "))
	}
	_, err := Choose(all, []string{"c", "b"})
	require.ErrorContains(t, err, `no mutant and no area "c"`)
	_, err = Choose(all, []string{"["})
	require.ErrorContains(t, err, "pattern")
}

// TestTopologyErrors: a plan that cannot be made tells which change it was.
func TestTopologyErrors(t *testing.T) {
	inner := topology.Definition{Plan: func(topology.Options) (topology.Plan, error) {
		return func(netip.Prefix) (topology.Spec, error) { return spec(), nil }, nil
	}}
	d := Planted{Overlay: []Change{{Nodes: []string{"db"}, Cmd: []string{"x"}}}}.Topology(inner)
	plan, err := d.Plan(topology.Options{})
	require.NoError(t, err)
	_, err = plan(netip.Prefix{})
	require.ErrorContains(t, err, `overlay 1: there is no node and no role "db" in topology s`)
}

// TestContributingShowsAMutant: the example of CONTRIBUTING.md is a mutant that
// there is, and short.
func TestContributingShowsAMutant(t *testing.T) {
	text, err := os.ReadFile("../CONTRIBUTING.md")
	require.NoError(t, err)
	_, example, ok := strings.Cut(string(text), "```yaml\n")
	require.True(t, ok)
	example, _, _ = strings.Cut(example, "```")
	file, err := mutants.Files.ReadFile("weak-track.yaml")
	require.NoError(t, err)
	require.Equal(t, string(file), example)
}

func TestBuiltInAreShort(t *testing.T) {
	names, err := fs.Glob(mutants.Files, "*.yaml")
	require.NoError(t, err)
	for _, name := range names {
		text, err := mutants.Files.ReadFile(name)
		require.NoError(t, err)
		require.LessOrEqual(t, strings.Count(string(text), "\n"), 25, name)
	}
}
