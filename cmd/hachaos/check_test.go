package main

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
)

// TestAnInterruptEndsAJudgement: nobody writes the journal that it reads.
func TestAnInterruptEndsAJudgement(t *testing.T) {
	dir := t.TempDir()
	journal := filepath.Join(dir, harness.JournalFile)
	require.NoError(t, syscall.Mkfifo(journal, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := judge(ctx, dir)
	require.ErrorIs(t, err, context.Canceled)
	f, err := os.OpenFile(journal, os.O_RDWR, 0) // lets the reader go
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
