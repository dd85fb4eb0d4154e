package hachaos_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/hachaos/hachaos/"

// layers lists, for each package, which packages of the module it may import
// itself. Data flows one way: nothing downstream is imported upstream.
var layers = map[string][]string{
	"history":               {},
	"history/historytest":   {"history"},
	"fixtures":              {},
	"topology":              {"fixtures"},
	"topology/docker":       {"topology", "fixtures", "topology/docker/agent"},
	"topology/docker/agent": {},
	"topology/fake":         {"topology", "history", "observe"},
	"fault":                 {"topology"},
	"fault/faulttest":       {"fault", "topology"},
	"assert":                {"history"},
	"load":                  {"history", "topology"},
	"observe":               {"history", "topology"},
	"harness":               {"history", "topology", "fault", "assert", "load", "observe"},
	"clean":                 {"topology"},
	"suite":                 {"harness", "history", "topology", "clean"},
	"campaign":              {"harness", "history", "assert", "suite"},
	"fixtures/example":      {},
	"fixtures/mutants":      {},
	"zoo":                   {"harness", "topology", "fixtures/mutants"},
	"calibrate":             {"harness", "history", "fault", "assert", "load", "topology"},
	"catalogue":             {},
	"audit":                 {"assert", "harness", "catalogue", "suite", "campaign"},
	"compare":               {"harness", "assert", "suite", "campaign"},
	"runbook":               {},
	"gameday":               {"runbook", "harness", "history", "observe", "fault", "assert", "topology"},
	"gameday/gamedaytest":   {},
	"report":                {"harness", "history", "assert", "suite", "campaign", "compare", "audit", "gameday"},
	"scenarios":             {"harness", "history", "fault", "assert", "load", "topology"},
	"trust":                 {"harness", "history", "fault", "assert", "load", "observe", "suite", "topology", "topology/fake"},
	"hachaostest":           {"assert", "harness", "history", "internal/wiring", "report"},
	"internal/live":         {"harness", "load", "report"},
	"internal/serve":        {"harness", "suite", "compare", "report"},
	"internal/wiring":       {"harness", "fault", "topology", "topology/docker", "topology/docker/agent"},
}

// onlyIn names packages of others that a single package of ours may import.
var onlyIn = map[string]string{
	"github.com/testcontainers/testcontainers-go": "topology/docker",
	"github.com/moby/moby/":                       "topology/docker",
	"testing":                                     "hachaostest",
}

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

// TestLayers holds the tree to architecture's directions of imports.
func TestLayers(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		allowed, known := layers[name]
		if !known {
			require.Truef(t, isMain(name), "%s is in no layer: add it to layers, in the direction of the data", name)
			continue
		}
		for _, imp := range p.Imports {
			if own, ok := strings.CutPrefix(imp, module); ok {
				require.Containsf(t, allowed, own, "%s must not import %s", name, own)
			}
			for prefix, owner := range onlyIn {
				if imp == prefix || strings.HasPrefix(imp, prefix+"/") || strings.HasSuffix(prefix, "/") && strings.HasPrefix(imp, prefix) {
					require.Truef(t, name == owner || strings.HasSuffix(name, "test"), "%s imports %s: only %s may", name, imp, owner)
				}
			}
		}
	}
}

// TestPureLayersUseOnlyTheStandardLibrary: what must be judged anywhere
// depends on nothing that could change under it.
func TestPureLayersUseOnlyTheStandardLibrary(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}",
		"./history", "./topology", "./assert").Output()
	require.NoError(t, err, "go list -deps")
	got := strings.Fields(string(out))
	slices.Sort(got)
	require.Equal(t, []string{module + "assert", module + "fixtures", module + "history", module + "topology"}, got)
}

func isMain(name string) bool {
	return strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "tools/") || name == "github.com/hachaos/hachaos"
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Standard", "./...")
	out, err := cmd.Output()
	require.NoError(t, err, "go list")
	dec := json.NewDecoder(strings.NewReader(string(out)))
	var all []listed
	for {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}
