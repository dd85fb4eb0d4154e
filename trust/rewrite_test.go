package trust

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A cut between two lines is another mutant's: what is left then is whole lines.
func TestInLine(t *testing.T) {
	journal := []byte("ab\ncd\nef")
	for at, want := range []int{0, 1, 1, 1, 4, 4, 4, 7} {
		require.Equal(t, want, inLine(journal, at), "of %d", at)
	}
}
