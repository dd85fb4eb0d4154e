package gameday

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/runbook"
)

// The mutants of a runbook of two steps, each with what is wrong with it alone.
func TestMutants(t *testing.T) {
	b := book(t, "", sh("node=j1"), step1+sh("start --now  \necho on", "on=$node")+"\n### 2. Two\n\n"+sh(`stop "$node" "$VIP"`))
	var names []string
	byName := map[string][]*runbook.Command{}
	for _, v := range Mutants(b) {
		names = append(names, v.Name)
		for _, p := range v.Plan {
			for _, block := range p.Blocks {
				if c, ok := block.(*runbook.Command); ok {
					byName[v.Name] = append(byName[v.Name], c)
				}
			}
		}
	}
	require.Equal(t, []string{
		`without step "1. One"`, `without step "2. Two"`, `with step "2. Two" before "1. One"`,
		"the wrong node in line 22", "a wrong value in line 22", "the wrong node in line 29", "a wrong value of node in line 29",
	}, names)
	require.Len(t, byName[names[0]], 2)
	require.Equal(t, "!$node", byName[names[3]][1].On)
	require.Equal(t, "start --now  \necho onx\n", byName[names[4]][1].Text)
	require.Equal(t, "!operator", byName[names[5]][2].On)
	require.Equal(t, "stop \"$node\" \"$VIP\"\n", byName[names[6]][2].Text)
	require.Equal(t, map[int]string{29: "node"}, Mutants(b)[6].Amiss)
	for _, c := range byName[names[5]][:2] {
		require.NotContains(t, c.On+c.Text, "!", "the others are as they were")
	}
	require.Equal(t, "$node", Whole(b)[3].Blocks[0].(*runbook.Command).On, "the runbook is as it was")
}

func TestMisspelt(t *testing.T) {
	for text, want := range map[string]string{
		"app-start java\n":                          "app-start javax\n",
		"psql -c \"SELECT 1\" -c \"SELECT f()\"\n":  "psql -c \"SELECT 1\" -c \"SELECT fx()\"\n",
		"exec 3<>/dev/x\necho 'set a' >&3\ncat <&3": "exec 3<>/dev/x\necho 'set ax' >&3\ncat <&3",
		"for i in 1 2; do\n  rm -- \"$i\"\ndone":    "for i in 1 2; do\n  rm -- \"$ix\"\ndone",
	} {
		got, ok := misspelt(text)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"true", "x=1", "(", ""} {
		_, ok := misspelt(text)
		require.False(t, ok, text)
	}
}
