package runbook

import "slices"

// Alert is what sends a person to a runbook. It fires when its state has not held for
// a second, at every look.
type Alert struct {
	Name  string
	State string // the name of a State
}

// jettyHAAlerts are sorted by their names.
var jettyHAAlerts = []Alert{
	{"BalancerDown", "vip-one-owner"},
	{"DatabaseDown", "database-answers"},
	{"DiskFull", "disk-free"},
	{"NodeBehind", "one-version"},
	{"NodeDown", "nodes-routed"},
	{"NodeDrained", "nodes-routed"},
	{"NodeSilent", "nodes-routed"},
	{"NodeUnready", "nodes-routed"},
	{"OrdersTwice", "orders-settled"},
	{"PoolExhausted", "pools-free"},
	{"ServiceSlow", "service-answers"},
	{"SettingsDiffer", "one-version"},
	{"VersionsMixed", "one-version"},
	{"VIPOwners", "vip-one-owner"},
	{"WritersWait", "locks-free"},
	{"WritesRefused", "writes-taken"},
}

// JettyHAAlerts are those of the built-in topology. The caller owns the result.
func JettyHAAlerts() []Alert { return slices.Clone(jettyHAAlerts) }

// AlertNamed is the alert of that name, if there is one.
func AlertNamed(all []Alert, name string) (Alert, bool) {
	i := slices.IndexFunc(all, func(a Alert) bool { return a.Name == name })
	if i < 0 {
		return Alert{}, false
	}
	return all[i], true
}
