package main

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAnInterruptEndsAJudgement: one that would never end, and one that has
// ended.
func TestAnInterruptEndsAJudgement(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	never := make(chan struct{})
	defer close(never)
	_, err := unlessInterrupted(ctx, func() (int, error) {
		cancel()
		<-never
		return 1, nil
	})
	require.ErrorIs(t, err, context.Canceled)
	for range 100 {
		got, err := unlessInterrupted(ctx, func() (int, error) { return 1, nil })
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, got)
	}
}

func TestAJudgementIsReturned(t *testing.T) {
	broken := errors.New("broken")
	got, err := unlessInterrupted(t.Context(), func() (int, error) { return 1, broken })
	require.Equal(t, 1, got)
	require.ErrorIs(t, err, broken)
}
