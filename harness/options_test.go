package harness_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

func TestBadInputStartsNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*harness.Scenario, *harness.Options)
		err    string
	}{
		"unknown key":          {set("dedup", "off"), "--set dedup: there is no such key; did you mean dedupe?"},
		"unknown key, far":     {set("zzzzzzzz", "1"), "there are check, client-retry, dedupe"},
		"value":                {set("dedupe", "maybe"), "--set dedupe=maybe: want on or off"},
		"value of a star":      {set("weight.j2", "0"), "--set weight.j2=0: want 1 to 256"},
		"value of the load":    {set("rate", "0"), "rate of 0"},
		"value of the load 2":  {set("client-retry", "perhaps"), "want on or off"},
		"profile":              {func(_ *harness.Scenario, o *harness.Options) { o.Profile = "fast" }, `profile "fast"`},
		"seed":                 {func(_ *harness.Scenario, o *harness.Options) { o.Seed = 1 << 53 }, "--seed 9007199254740992: want at most 9007199254740991"},
		"nodes":                {func(_ *harness.Scenario, o *harness.Options) { o.Nodes = -1 }, "--nodes -1"},
		"no such node":         {aim(harness.Named("j9")), `there is no node "j9": topology memory-ha has db, j1, j2, lb1, lb2`},
		"node of another role": {aim(harness.NamedApplication("lb1")), "node lb1 has the role balancer: name one of the role application"},
		"subnet of a standing one": {func(_ *harness.Scenario, o *harness.Options) {
			o.On, o.Subnet = "blue", netip.MustParsePrefix("198.18.7.0/24")
		}, "--on blue: the topology stands already"},
		"image":        {func(_ *harness.Scenario, o *harness.Options) { o.Images = map[string]string{"tomcat": "t:1"} }, `replace image "tomcat": memory-ha has none of that name`},
		"endless mix":  {set("mix", "1:1:1152921504606846976"), "orders in the mix are too many"},
		"no phase":     {phases(), "it has no phase"},
		"phase's kind": {phases(harness.Phase{Name: "p", Kind: "calm", For: time.Second}), `phase "p" is of the unknown kind "calm"`},
		"no duration":  {phases(harness.Phase{Name: "p", Kind: history.PhaseSteady}), `phase "p" lasts 0s`},
		"heals nothing": {
			phases(harness.Phase{Name: "p", Kind: history.PhaseSteady, For: time.Second, Heal: []string{"x"}}),
			`phase "p" heals "x", which no earlier phase injects`,
		},
		"no fault":                      {inject(harness.Injection{Label: "x"}), `injection "x" has no fault`},
		"no aim":                        {inject(harness.Injection{Label: "x", Fault: fault.PowerLoss{}}), `injection "x" aims at nothing`},
		"no label":                      {inject(harness.Injection{Fault: fault.PowerLoss{}, Aim: harness.OneApplication()}), "give it a name of its own"},
		"same label":                    {inject(one("x"), one("x")), `another one has the label "x"`},
		"bad fault":                     {inject(harness.Injection{Label: "x", Fault: fault.PowerLoss{Port: -1}, Aim: harness.OneApplication()}), "port -1"},
		"same assert":                   {asserts(assert.Leftovers{}, assert.Leftovers{}), "leftovers is there twice"},
		"about what it does not assert": {exercises("drain"), "about assertion drain, which it does not have"},
		"about one twice":               {exercises("write-ledger", "write-ledger"), "about assertion write-ledger twice"},
		"about the leftovers":           {exercises("leftovers"), "leftovers needs no occasion"},
		"no JSON":                       {asserts(untold{}), "plain data"},
		"sessions":                      {set("sessions-count", "1"), "queue behind themselves"},
		"load":                          {func(s *harness.Scenario, _ *harness.Options) { s.Load = load.Config{Rate: -1} }, "rate of -1"},
		"topology":                      {func(s *harness.Scenario, _ *harness.Options) { s.Topology = "none" }, "topology none: not found"},
		"own settings":                  {set("kill", "softly"), "scenario memory-kill: softly is no way to kill"},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := newRig(t), kill()
			s.Settings = []topology.Switch{{Key: "kill", Default: "hard"}}
			s.Apply = func(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
				if set["kill"] == "softly" {
					return s, errSoftly
				}
				return s, nil
			}
			tc.change(&s, &r.opts)
			err := r.runner.Validate(s, r.opts)
			require.ErrorIs(t, err, harness.ErrUsage)
			require.ErrorContains(t, err, tc.err)
			res, err := r.runner.Run(t.Context(), s, r.opts)
			require.ErrorIs(t, err, harness.ErrUsage)
			require.Nil(t, res)
			require.Nil(t, r.driver.Last(), "something was started")
			require.Empty(t, entriesOf(t, r.runner.Dir), "a folder was made")
		})
	}
}

func TestNearest(t *testing.T) {
	names := []string{"instance-kill", "db-outage", "rolling-deploy", "dedupe", "redispatch"}
	for in, want := range map[string][]string{
		"instance-kil":  {"instance-kill"},
		"instancekill":  {"instance-kill"},
		"kill":          {"instance-kill"},
		"db":            {"db-outage"},
		"dedup":         {"dedupe"},
		"Dedupe":        {"dedupe"},
		"rolling":       {"rolling-deploy"},
		"quite another": nil,
		"":              nil,
	} {
		t.Run(in, func(t *testing.T) { require.Equal(t, want, harness.Nearest(in, names)) })
	}
}
