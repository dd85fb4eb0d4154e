package topology

import (
	"maps"
	"slices"
	"strconv"
)

// judgedSwitches are the switches that a failed assertion may hang on, as
// values of that name.
var judgedSwitches = []string{
	ValueAffinity, ValueBalance, ValueHealthCheck, ValueRedispatch, ValueResending, ValueServerState, ValueTotalRequests,
	ValueReadiness, ValueLiveness, ValueDependency, ValueTimeouts,
	ValueDedupe, ValueOutbox, ValueUploads, ValuePriceLife, ValueJobs, ValueFeed, ValueFeedResume, ValueSocketState, ValueSocketGoodbye,
	ValueSessions, ValueSessionCache, ValueSessionSave, ValueSessionFence, ValueLogin,
	ValueSharedResponse, ValueSharedSession, ValueSharedRow,
}

// judgedValues are those that a failed assertion may name and that are not
// among the profile's own: switches, and what the profile leaves as it is.
func (p jettyPlan) judgedValues() []Value {
	out := []Value{
		{ValueVersion, jettyFirstVersion, "what every node runs at the start; a deployment gives it another", "topology/jettyha.go"},
	}
	instead := map[string]Value{}
	if p.profile.name == profileDocumented {
		for _, v := range p.profile.documentedValues() {
			instead[v.Name] = v
		}
	}
	for _, key := range judgedSwitches {
		if _, left := instead[key]; !left {
			out = append(out, p.switchValue(key))
		}
	}
	for _, node := range slices.Sorted(maps.Keys(p.set.weights)) {
		out = append(out, Value{weightPrefix + node, strconv.Itoa(p.set.weights[node]), "the node's own share of new sessions", jettySwitchesFile})
	}
	for _, name := range slices.Sorted(maps.Keys(instead)) {
		out = append(out, instead[name])
	}
	return out
}

// switchValue is a switch as it stands, with what it is about as the reason.
func (p jettyPlan) switchValue(key string) Value {
	v := Value{Name: key, Value: p.set.values[key], File: jettySwitchesFile}
	if wait, ok := p.set.waits[key]; ok {
		v.Value = wait.String()
	}
	i := slices.IndexFunc(jettySwitchTable, func(row jettySwitch) bool { return row.Key == key })
	v.Reason = "a switch: " + jettySwitchTable[i].About
	return v
}

// documentedValues are what the tutorial leaves at a default that the tuned
// profile sets, and what it does whatever the switch of that name says, where
// one would change it.
func (p jettyProfile) documentedValues() []Value {
	const haproxy = jettyDir + "haproxy.documented.cfg.tmpl"
	return []Value{
		{ValueWeight, "1", "not printed: HAProxy's default", haproxy},
		{ValueBalance, "roundrobin", "as printed", haproxy},
		{ValueRedispatch, "off", "not printed: HAProxy's default", haproxy},
		{ValueResending, "never", "not printed: HAProxy's default sends only what found no connection again", haproxy},
		{ValueServerState, "lost", "not printed: HAProxy's default", haproxy},
		{ValueTotalRequests, "unlimited", "not printed: HAProxy's default", haproxy},
		{ValueTakeBack, "on", "the tutorial has one balancer and no VIP", jettyDir + "keepalived.conf.tmpl"},
		{ValueStatementTime, "none", "not printed: the driver's default", p.file()},
		{ValueTimeouts, "off", "not printed: the driver's and the database's default", p.file()},
		{ValueDurability, "on", "not printed: PostgreSQL's default", postgresDir + "postgresql.conf"},
		{ValueSessionCache, "default", "not printed: Jetty's default, which never looks again", jettyBaseDir + "sessions.ini"},
		{ValueSessionSave, "lazy", "not printed: Jetty's default, jetty.session.flushOnResponseCommit=false", jettyBaseDir + "sessions.ini"},
		{ValueSessionFence, "off", "the module session-store-jdbc updates a row by its id alone", jettyBaseDir + "build"},
	}
}
