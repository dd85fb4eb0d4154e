//go:build docker

package gameday_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/gameday/gamedaytest"
	"github.com/hachaos/hachaos/harness"
)

// An operator that a script plays goes through a drill: it is paged, looks, names
// the cause, mends it, and the clock has it all.
func TestDockerDrill(t *testing.T) {
	book, incident, session := staged(t, "../runbooks/node-lost.md")
	in, keyboard := io.Pipe()
	screen, out := io.Pipe()
	played := make(chan error, 1)
	go func() {
		played <- gamedaytest.NodeLost(screen, keyboard)
		io.Copy(io.Discard, screen) //nolint:errcheck // what comes after is for nobody
	}()
	r, err := gameday.Drill{
		Book: book, Incident: incident, Runner: *session.Runner, Options: harness.Options{Set: book.Front.Set, Short: true},
		Who: "a script", In: in, Out: out, Window: 2 * time.Second, Limit: 3 * time.Minute,
	}.Run(t.Context())
	require.NoError(t, out.Close())
	require.NoError(t, err)
	require.NoError(t, <-played)
	require.Equal(t, gameday.Mended, r.Closing, r.Missing)
	require.Equal(t, "the process of the node has ended", r.Cause)
	moments := []time.Duration{r.Struck, r.Alerted, r.Noticed, r.Looked, r.Named, r.Told}
	require.IsNonDecreasing(t, moments)
	require.Greater(t, r.Restored, r.Named)
	require.NotEqual(t, harness.VerdictFail, r.Run, r.Reason)
	require.False(t, r.Dirty)
}
