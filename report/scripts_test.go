package report

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestScripts runs the tests of the page's modules, where node is there to
// run them.
func TestScripts(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		require.Empty(t, os.Getenv("HACHAOS_BROWSER"), "node is not here, and HACHAOS_BROWSER asks for it")
		t.Skip("node is not here: the page's scripts are tested by the browser alone")
	}
	if exec.Command(node, "--test", "--version").Run() != nil {
		t.Skip("this node has no test runner: want 18 or later")
	}
	tests, err := filepath.Glob("page/tests/*.test.mjs")
	require.NoError(t, err)
	require.NotEmpty(t, tests)
	c := exec.Command(node, append([]string{"--test", "--test-reporter=tap"}, tests...)...)
	c.Env = append(os.Environ(), "NODE_OPTIONS=")
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "# fail 0")
	require.NotContains(t, string(out), "# pass 0")
}
