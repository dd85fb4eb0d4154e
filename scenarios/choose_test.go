package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
)

func TestChoose(t *testing.T) {
	all := []harness.Scenario{
		{Name: "instance-kill", Tags: []string{"process"}},
		{Name: "db-slow", Tags: []string{"database", "slow"}},
		{Name: "db-down", Tags: []string{"database"}},
		{Name: "slow-network", Tags: []string{"network", "slow"}},
	}
	tests := []struct {
		name        string
		names, tags []string
		want        []string
		err         []string
	}{
		{name: "nothing is all", want: []string{"instance-kill", "db-slow", "db-down", "slow-network"}},
		{name: "all", names: []string{"all"}, want: []string{"instance-kill", "db-slow", "db-down", "slow-network"}},
		{name: "one", names: []string{"db-down"}, want: []string{"db-down"}},
		{name: "in the registry's order, each once", names: []string{"db-down", "db-*", "instance-kill"}, want: []string{"instance-kill", "db-slow", "db-down"}},
		{name: "either tag", tags: []string{"process", "network"}, want: []string{"instance-kill", "slow-network"}},
		{name: "name and tag", names: []string{"db-*"}, tags: []string{"slow"}, want: []string{"db-slow"}},
		{name: "every mistake", names: []string{"db-slo", "db-down", "xyz-*"}, tags: []string{"databse"}, err: []string{
			`no scenario "db-slo": did you mean db-slow?`, `no scenario matches "xyz-*"`, `no scenario has the tag "databse": did you mean database?`,
		}},
		{name: "no choice left", names: []string{"db-*"}, tags: []string{"process"}, err: []string{"no scenario of db-* has the tag process"}},
		{name: "bad pattern", names: []string{"db-["}, err: []string{`pattern "db-["`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chosen, err := choose(all, tt.names, tt.tags)
			for _, text := range tt.err {
				require.ErrorContains(t, err, text)
			}
			if len(tt.err) == 0 {
				require.NoError(t, err)
			}
			var got []string
			for _, s := range chosen {
				got = append(got, s.Name)
			}
			require.Equal(t, tt.want, got)
		})
	}
}
