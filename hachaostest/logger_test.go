package hachaostest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// ended is a test that is over once it has said so.
type ended struct {
	testing.TB
	over bool
	said int
}

func (e *ended) Log(...any) {
	if e.over {
		panic("Log in goroutine after the test has completed")
	}
	e.said++
}

func TestALateStepIsNotLogged(t *testing.T) {
	e := &ended{}
	l := &logger{t: e}
	l.Step("in time")
	l.close()
	e.over = true
	require.NotPanics(t, func() { l.Step("late") })
	require.Equal(t, 1, e.said)
}
