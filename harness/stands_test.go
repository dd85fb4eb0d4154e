package harness

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestWantDiffers: only what is asked for can be otherwise.
func TestWantDiffers(t *testing.T) {
	switches := []topology.Switch{{Key: "dedupe", Default: "on"}}
	stands := topology.Spec{
		Name: "jetty-ha", Profile: "tuned", Set: map[string]string{"pool": "5"},
		Nodes: []topology.NodeSpec{{Name: "j1", Role: topology.Application}, {Name: "lb1", Role: topology.Balancer}},
	}
	for _, tc := range []struct {
		name string
		want want
		says []string
	}{
		{"another", want{topology: "tomcat", profile: "documented", nodes: 9}, []string{"it is a jetty-ha, not a tomcat"}},
		{"nothing asked", want{topology: "jetty-ha"}, nil},
		{"as it is", want{"jetty-ha", "tuned", 1, map[string]string{"pool": "5", "dedupe": "on"}}, nil},
		{"all otherwise", want{"jetty-ha", "documented", 2, map[string]string{"pool": "6", "dedupe": "off"}}, []string{
			"profile tuned instead of documented", "1 application nodes instead of 2", "dedupe=on instead of off", "pool=5 instead of 6",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.says, tc.want.differs(stands, switches)) })
	}
	require.Equal(t, "hachaos up jetty-ha --name blue --profile tuned --nodes 3 --set a=1 --set b=2",
		want{"jetty-ha", "tuned", 3, map[string]string{"b": "2", "a": "1"}}.command("blue"))
	require.Equal(t, "hachaos up jetty-ha --name blue", want{topology: "jetty-ha"}.command("blue"))
}
