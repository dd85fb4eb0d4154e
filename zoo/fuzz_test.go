package zoo

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fixtures/mutants"
	"github.com/hachaos/hachaos/scenarios"
)

// FuzzRead: a file is a mutant that can be planted or refused in words, or is refused
// itself by its name; and what is planted is not written into the topology's own spec.
func FuzzRead(f *testing.F) {
	names, err := mutants.Files.ReadDir(".")
	require.NoError(f, err)
	for _, name := range names {
		if text, err := mutants.Files.ReadFile(name.Name()); err == nil {
			f.Add(text)
		}
	}
	f.Add([]byte(good))
	f.Add([]byte("- nodes: [lb1, j2]\n  files: [{path: /a, edits: {one: two, two: one}, append: ${X}}]\n  env: {URL: \"${URL}${\"}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := Read(fstest.MapFS{"m.yaml": {Data: text}})
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "m.yaml: "), err)
			require.Empty(t, all)
			return
		}
		require.Len(t, all, 1)
		m := all[0]
		require.Equal(t, "m", m.Name)
		require.NoError(t, m.validate())
		base := spec()
		for _, p := range []Planted{m.Planted, mended(m)} {
			got, err := p.apply(base)
			require.Equal(t, spec(), base)
			if err == nil {
				require.Len(t, got.Nodes, len(base.Nodes))
			} else {
				require.Regexp(t, `^overlay [1-9]`, err.Error())
			}
		}
		if s, err := scenarios.Lookup(m.Scenario); err == nil {
			if halves, err := m.Halves(s); err == nil {
				require.True(t, halves[0].Case.Bears(m.Fails))
				require.NotContains(t, halves[0].Quiet(), m.Fails)
			}
		}
	})
}

// mended is what is planted in the mended half; nothing if there is none.
func mended(m Mutant) Planted {
	if m.Fixed == nil {
		return Planted{}
	}
	return *m.Fixed
}
