package assert_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
)

// oracles are the tests that hold each checker against another way to decide
// the same.
var oracles = map[string][]string{
	"alerts":              {"TestAlertsAgreeWithBruteForce"},
	"blast-radius":        {"TestBlastRadiusAgreesWithBruteForce"},
	"connection-ceiling":  {"TestConnectionCeilingAgreesWithBruteForce"},
	"distribution":        {"TestDistributionAgreesWithBruteForce"},
	"drain":               {"TestDrainAgreesWithBruteForce"},
	"error-budget":        {"TestErrorBudgetAgreesWithBruteForce", "TestVictimsOutageAgreesWithBruteForce", "TestOutageAgreesWithOracle"},
	"event-delivery":      {"TestEventDeliveryAgreesWithBruteForce"},
	"failover-anatomy":    {"TestFailoverAnatomyAgreesWithBruteForce"},
	"key-contract":        {"TestKeyContractAgreesWithBruteForce"},
	"leftovers":           nil, // it counts the lines of a record
	"overlapping-updates": {"TestOverlappingUpdatesAgreeWithBruteForce"},
	"overload-contract":   {"TestOverloadContractAgreesWithBruteForce"},
	"readiness-gating":    {"TestReadinessGatingAgreesWithBruteForce", "TestRestartedNodesAgreeWithBruteForce"},
	"reconnection":        {"TestReconnectionAgreesWithBruteForce"},
	"recovery":            {"TestRecoveryAgreesWithBruteForce"},
	"rotation-kept":       {"TestRotationKeptAgreesWithBruteForce"},
	"session-survival":    {"TestSessionsAgreeWithBruteForce", "TestSessionsAgreeWithPorcupine", "TestSessionsAgreeWithEachRepeatedAttempt", "TestSessionLivesAgreeWithAllWorlds", "TestLostSessionsAgreeWithTheirFates"},
	"single-owner":        {"TestSingleOwnerAgreesWithBruteForce", "TestSingleOwnerAgreesWithPorcupine"},
	"staleness":           {"TestStalenessAgreesWithBruteForce"},
	"stream-continuity":   {"TestStreamContinuityAgreesWithBruteForce"},
	"timeout-order":       {"TestTimeoutOrderAgreesWithBruteForce"},
	"upload-durability":   {"TestUploadDurabilityAgreesWithBruteForce"},
	"version-skew":        {"TestVersionSkewAgreesWithBruteForce"},
	"vip":                 {"TestVIPAgreesWithBruteForce"},
	"write-ledger":        {"TestLedgerAgreesWithBruteForce", "TestLedgerAgreesWithWhatAnOrderCanComeTo", "TestLedgerAgreesWithPorcupine"},
}

// The table of docs/oracles.md is what there is. UPDATE=1 writes it anew.
func TestOraclesPageIsTrue(t *testing.T) {
	const path = "../docs/oracles.md"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	const begin, end = "| checker | oracle | planted in whole runs |\n", "\n\n"
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok, "%s holds no table", path)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := before + begin + strings.TrimSuffix(oracleRows(t), "\n") + end + after
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(text), "write it anew with UPDATE=1 go test ./assert -run OraclesPage")
}

func oracleRows(t *testing.T) string {
	t.Helper()
	tests := testsOf(t, ".")
	planted := map[string][]string{}
	for _, p := range wholePlants() {
		planted[p.checker] = append(planted[p.checker], p.class)
	}
	rows := "|---|---|---|\n"
	for _, name := range assert.Known() {
		held, known := oracles[name]
		require.True(t, known, "checker %s has no place among the oracles", name)
		require.NotEmpty(t, planted[name], "no violation of %s is planted", name)
		for _, test := range held {
			require.Contains(t, tests, test, "the oracle of %s", name)
		}
		slices.Sort(planted[name])
		rows += fmt.Sprintf("| `%s` | %s | %s |\n", name, strings.Join(held, ", "), strings.Join(slices.Compact(planted[name]), ", "))
	}
	require.Len(t, oracles, len(assert.Known()))
	return rows
}

// testsOf are the test functions of a folder.
func testsOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	for _, path := range paths {
		file, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}
