package topology

import (
	"fmt"
	"slices"
	"time"
)

// The profiles of jetty-ha.
const (
	profileTuned      = "tuned"
	profileDocumented = "documented"
)

// jettyProfile is the numbers that configurations are rendered from and that
// bounds follow from. Each profile has a file of its own for them: see file.
type jettyProfile struct {
	name    string
	image   string // of the application nodes
	haproxy string // the template

	timeoutConnect time.Duration
	timeoutServer  time.Duration
	timeoutCheck   time.Duration // 0 is unset: HAProxy then takes inter
	inter          time.Duration
	fastInter      time.Duration // equal to inter where unset
	fall, rise     int
	retries        int
	redispatch     bool
	checkPath      string // what HAProxy asks a node for

	advertInt     time.Duration
	priorities    [2]int // of lb1 and lb2
	trackInterval time.Duration
	trackFall     int
	fence         bool // keepalived ends a HAProxy that accepts and does not answer

	readyLimit time.Duration // of the node's own look at the database
	restart    time.Duration // from a crash of Java to its restart; 0 is never
	boot       time.Duration // allowance from the start of Java to its open port
	allowance  time.Duration // for the noise of a small machine, in every bound

	threads       int           // the most worker threads of a node; 0 is the switch's
	poolWait      time.Duration // for a pooled connection
	socketTimeout time.Duration // of the driver: the longest that it waits for the database; 0 is for ever
	// pools counts those of a node that are of POOL_SIZE; each node has two
	// probes beside them, for readiness and for the ground truth.
	pools int

	databaseOptions string // appended to the JDBC address
	env             map[string]string
	values          []Value
}

// file is where the profile's numbers are.
func (p jettyProfile) file() string { return "topology/jettyha_" + p.name + ".go" }

func jettyProfileByName(name string) (jettyProfile, error) {
	switch name {
	case "", profileTuned:
		return jettyTuned(), nil
	case profileDocumented:
		return jettyDocumented(), nil
	}
	return jettyProfile{}, fmt.Errorf("topology %s: unknown profile %q; there are: %s, %s",
		jettyName, name, profileTuned, profileDocumented)
}

// values lists the profile's settings with those that switches can change.
func (p jettyPlan) values() []Value {
	return slices.Concat([]Value{
		{"warm-up", p.set.waits["warmup"].String(), "a node answers slowly until its classes and connections are there; readiness waits for it", jettySwitchesFile},
		{ValueLameDuck, p.set.waits["lame-duck"].String(), "unready, yet serving, for longer than the balancers take to notice (profile tuned; documented has none)", jettySwitchesFile},
		{ValueStopTimeout, p.set.waits["stop-timeout"].String(), "what requests in flight may take when a node stops (profile tuned; documented does not wait)", jettySwitchesFile},
		{"order work", p.set.waits["order-work"].String(), "work between an order's commit and its answer, during which a kill leaves the outcome unknown", jettySwitchesFile},
		{"allowance", p.profile.allowance.String(), "for the noise of a small, shared machine; part of every bound, and named in its formula", p.profile.file()},
		{"boot", p.profile.boot.String(), "allowance from the start of Java to its open port; part of the bound on recovery", p.profile.file()},
	}, p.connectionValues(), p.profile.values, p.judgedValues())
}

// Where a user changes a value.
const (
	jettySwitchesFile = "topology/jettyha_switches.go"
	jettyBaseDir      = "fixtures/images/jetty-base/"
	postgresDir       = "fixtures/images/postgres/"
)
