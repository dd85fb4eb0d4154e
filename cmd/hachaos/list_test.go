package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A list has a line an entry for the tools that read lines, and no line that is
// wider than the terminal for those who read it there.
func TestListFitsTheTerminal(t *testing.T) {
	all := catalogue()
	print := func(width int) []string {
		var b strings.Builder
		require.NoError(t, writeList(&b, all, width))
		return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	}
	words := func(lines []string) []string { return strings.Fields(strings.Join(lines, " ")) }

	plain := print(0)
	require.Len(t, plain, len(all))
	for i, l := range plain {
		assert.Contains(t, l, all[i].Name)
		assert.True(t, strings.HasSuffix(l, all[i].About), l)
	}
	for _, width := range []int{70, 80, 120, 200} {
		wrapped := print(width)
		assert.Greater(t, len(wrapped), len(all))
		assert.Equal(t, words(plain), words(wrapped), "the same words in the same order, on %d columns", width)
		for _, l := range wrapped {
			assert.LessOrEqual(t, utf8.RuneCountInString(l), width, l)
		}
	}
}
