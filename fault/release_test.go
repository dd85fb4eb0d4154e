package fault

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestEnvironmentIsQuoted(t *testing.T) {
	require.Empty(t, environment(nil))
	require.Equal(t, "NAME='it'\\''s $(here)'\nVERSION='2'\n", environment(map[string]string{"VERSION": "2", "NAME": "it's $(here)"}))
}

func TestReleaseCommands(t *testing.T) {
	require.Equal(t, []string{"/bin/sh", "-c", replace, "hachaos-replace", "VERSION='2'\n", "deploy", "90"},
		replaceWith("deploy", map[string]string{"VERSION": "2"}))
	require.Equal(t, "", replaceWith("roll-back", nil)[4], "a roll back leaves nothing of its own")
}

func TestParseRelease(t *testing.T) {
	at := func(sec, nano int64) time.Time { return time.Unix(sec, nano) }
	for name, tc := range map[string]struct {
		text string
		want release
		err  string
	}{
		"made and started": {"deploy\n1732082400.000000001\n1732082401.000000000\n", release{"deploy", at(1732082400, 1), at(1732082401, 0)}, ""},
		"none":             {"-\n-\n1732082401.000000000\n", release{started: at(1732082401, 0)}, ""},
		"no process":       {"deploy\n1732082400.000000000\n-\n", release{kind: "deploy", noted: at(1732082400, 0)}, ""},
		"too little":       {"deploy\n", release{}, "three lines"},
		"no time":          {"deploy\nnoon\n-\n", release{}, "nine decimals"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseRelease(tc.text)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestDeploymentsAreValidated(t *testing.T) {
	for name, tc := range map[string]struct {
		f   Fault
		err string
	}{
		"whole":            {Deploy{Version: "2"}, ""},
		"no version":       {Deploy{}, `deploy: version ""`},
		"two words":        {Deploy{Version: "2 3"}, "want a word"},
		"a bad name":       {Deploy{Version: "2", Set: map[string]string{"pool-size": "1"}}, "POOL_SIZE"},
		"a line break":     {Deploy{Version: "2", Set: map[string]string{"A": "1\nB=2"}}, "line break"},
		"a negative grace": {Deploy{Version: "2", Rollout: Rollout{Grace: -1}}, "deploy: grace"},
		"a long pause":     {RollBack{Rollout{Pause: time.Hour}}, "roll-back: pause"},
		"no drift":         {ConfigDrift{}, "nothing is set"},
		"a drift":          {ConfigDrift{Set: map[string]string{"POOL_SIZE": "8"}}, ""},
		"a canary":         {Canary{Version: "2", Share: 20}, ""},
		"no share":         {Canary{Version: "2"}, "share 0"},
		"all of it":        {Canary{Version: "2", Share: 100}, "share 100"},
		"not a share":      {Canary{Version: "2", Share: math.NaN()}, "share NaN"},
		"an undrained one": {Canary{Version: "2", Share: 20, Rollout: Rollout{NoDrain: true}}, "without drain"},
		"a switch":         {BlueGreen{Version: "2"}, ""},
		"a rolling switch": {BlueGreen{Version: "2", Rollout: Rollout{Reverse: true}}, "no use for"},
		"expand":           {SchemaChange{Step: StepExpand}, ""},
		"no step":          {SchemaChange{}, "want expand or contract"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.f.Validate()
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
}

// role is a node of a role that can do nothing.
type role topology.Role

func (r role) Name() string        { return string(r) }
func (r role) Role() topology.Role { return topology.Role(r) }
func (r role) Exec(context.Context, ...string) (topology.Output, error) {
	return topology.Output{}, nil
}

func TestAFleetIsSortedBeforeAnyAct(t *testing.T) {
	for name, tc := range map[string]struct {
		nodes []topology.Node
		err   error
	}{
		"nothing":                    {nil, ErrNoTargets},
		"a database":                 {[]topology.Node{role(topology.Database)}, ErrCapability},
		"an application of no use":   {[]topology.Node{role(topology.Application)}, ErrCapability},
		"a balancer without address": {[]topology.Node{role(topology.Balancer)}, ErrCapability},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newFleet("deploy", tc.nodes, true)
			require.ErrorIs(t, err, tc.err)
		})
	}
	require.True(t, suffers(role(topology.Application)))
	require.False(t, suffers(role(topology.Balancer)))
}

func TestADeploymentSaysHowLongItTakes(t *testing.T) {
	require.Equal(t, 2*(time.Second+5*time.Second+stopWithin+2*readyWithin), Rollout{}.takes(2))
	require.Equal(t, 2*(3*time.Second+4*time.Second+time.Second+stopWithin+2*readyWithin),
		Rollout{Linger: 3 * time.Second, Grace: 4 * time.Second, Pause: time.Second}.takes(2))
}

func TestACanarysWeight(t *testing.T) {
	for name, tc := range map[string]struct {
		share  float64
		others int
		weight int
		near   bool
	}{
		"a fifth beside one":        {20, 100, 25, true},
		"a twentieth beside three":  {5, 300, 16, true},
		"half":                      {50, 100, 100, true},
		"too fine for the weights":  {1, 10, 1, false},
		"too much for one server":   {90, 256, 256, false},
		"nobody else is served":     {20, 0, 1, false},
		"hardly more than the step": {10, 9, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			weight, got := weightOf(tc.share, tc.others)
			require.Equal(t, tc.weight, weight)
			require.Equal(t, tc.near, Canary{Share: tc.share}.near(got), "%.2f %%", got)
		})
	}
}

func TestSchemaPlans(t *testing.T) {
	require.Equal(t, []string{
		"psql", "-X", "-q", "-A", "-t", "-U", "postgres", "-d", "jetty_sessions", "-v", "ON_ERROR_STOP=1", "-c", "SELECT 1", "-c", "SELECT 2",
	}, statements("SELECT 1", "SELECT 2"))
	require.Len(t, expand, 2, "the rows are filled in after the lock is let go of")
	require.Equal(t, "columns quantity and units, kept in step", schemaWords(schemaExpanded))
	require.Equal(t, "column units", schemaWords(schemaContracted))
	require.Equal(t, "column quantity", schemaWords(schemaFirst))
	require.Equal(t, SchemaUncontracted, SchemaChange{Step: StepContract}.migration().undo)
	require.Equal(t, SchemaUnexpanded, SchemaChange{Step: StepExpand}.migration().undo)
}
