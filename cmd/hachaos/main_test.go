package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
)

func TestAPanicIsNoUsageError(t *testing.T) {
	var said strings.Builder
	code := unpanicked(&said, func() int { panic("index out of range") })
	require.Equal(t, harness.ExitError, code)
	require.Contains(t, said.String(), "panic: index out of range")
	require.Contains(t, said.String(), "TestAPanicIsNoUsageError", "where it was")
	require.Equal(t, harness.ExitFail, unpanicked(&said, func() int { return harness.ExitFail }))
}
