package topology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckImages(t *testing.T) {
	s := Spec{Name: "pair", Nodes: []NodeSpec{{Name: "a", Image: "jetty"}, {Name: "b", Image: "jetty"}, {Name: "c", Image: "postgres"}}}
	for name, tc := range map[string]struct {
		images map[string]string
		err    string
	}{
		"none":           {nil, ""},
		"a node's":       {map[string]string{"jetty": "own/app:1"}, ""},
		"the helpers'":   {map[string]string{"net": "own/net:1"}, ""},
		"an unknown one": {map[string]string{"jety": "own/app:1"}, `replace image "jety": pair has none of that name; it has ["jetty" "net" "postgres"]`},
		"by nothing":     {map[string]string{"jetty": ""}, "replace image jetty: by which?"},
	} {
		t.Run(name, func(t *testing.T) {
			err := s.CheckImages(tc.images)
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
}
