package live

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
)

// TestTheREADMEShowsTheBlock as it is.
func TestTheREADMEShowsTheBlock(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	s := told(22*time.Second, func(t *harness.Tick) { t.Owners = []string{"lb1"} })
	require.Contains(t, string(readme), "```\n"+strings.Join(s.Lines(Look{Width: 80, Rows: 24, Unicode: true}), "\n")+"\n```\n")
}
