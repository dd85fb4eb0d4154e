package history

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesZeroValue(t *testing.T) {
	var n Names
	i, ok := n.Find("j1")
	require.Zero(t, i)
	require.False(t, ok)
	i, ok = n.Find("")
	require.Zero(t, i)
	require.True(t, ok)
	require.Empty(t, n.Get(0))
	require.Empty(t, n.Get(7))
	require.Zero(t, n.Intern(""))
	require.EqualValues(t, 1, n.Intern("j1"))
	require.Equal(t, "j1", n.Get(1))
	require.Empty(t, (*Names)(nil).Get(1))
	for range 2 {
		i, text := n.internBytes(nil)
		require.Zero(t, i)
		require.Empty(t, text)
		short, was, err := n.internShort("")
		require.NoError(t, err)
		require.Zero(t, short)
		require.Zero(t, was)
	}
	i, ok = n.Find("j2")
	require.False(t, ok, "there is another, and not this")
	require.Zero(t, i)
}

// Against a map: every string has one number, and every number its string.
func TestNamesAgainstAMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var n Names
	model := map[string]Name{}
	for range 120_000 {
		s := strings.Repeat("k", rng.IntN(3)) + fmt.Sprint(rng.IntN(60_000))
		var got Name
		switch rng.IntN(3) {
		case 0:
			got = n.Intern(s)
		case 1:
			var text string
			got, text = n.internBytes([]byte(s))
			require.Equal(t, s, text)
		case 2:
			short, was, err := n.internShort(s)
			if err != nil {
				require.Len(t, n.low, lowNames, "refused only when none is left")
				continue
			}
			if short >= lowNames || (was != 0) != (model[s] >= lowNames) || was != 0 && was != model[s] {
				t.Fatalf("%q: short %d, was %d, known as %d", s, short, was, model[s])
			}
			if was != 0 {
				delete(model, s)
			}
			got = short
		}
		if want, ok := model[s]; ok && want != got {
			t.Fatalf("%q is %d and was %d", s, got, want)
		}
		model[s] = got
	}
	seen := map[Name]bool{}
	for s, i := range model {
		found, ok := n.Find(s)
		if !ok || found != i || n.Get(i) != s || seen[i] {
			t.Fatalf("%q: %d, found %d %v, reads %q, seen %v", s, i, found, ok, n.Get(i), seen[i])
		}
		seen[i] = true
	}
	require.Greater(t, len(model), lowNames)
}

func TestNamesKeepShortNumbersInReserve(t *testing.T) {
	var n Names
	for i := range 100_000 {
		n.Intern(fmt.Sprintf("k-%d", i))
	}
	short, was, err := n.internShort("2.0")
	require.NoError(t, err)
	require.Zero(t, was)
	require.Less(t, short, Name(lowNames))
	short, was, err = n.internShort("k-99999")
	require.NoError(t, err)
	require.GreaterOrEqual(t, was, Name(lowNames))
	require.Equal(t, "k-99999", n.Get(was))
	require.Equal(t, "k-99999", n.Get(short))
	found, _ := n.Find("k-99999")
	require.Equal(t, short, found)
}

func BenchmarkIntern(b *testing.B) {
	keys := make([]string, 1<<20)
	for i := range keys {
		keys[i] = fmt.Sprintf("k-%d", i)
	}
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		var n Names
		i := 0
		for b.Loop() {
			if i++; i == len(keys) {
				n, i = Names{}, 0
			}
			n.Intern(keys[i])
		}
	})
	b.Run("known", func(b *testing.B) {
		var n Names
		for _, k := range keys[:1000] {
			n.Intern(k)
		}
		i := 0
		for b.Loop() {
			i = (i + 1) % 1000
			n.Intern(keys[i])
		}
	})
}
