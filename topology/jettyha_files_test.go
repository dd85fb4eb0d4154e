package topology_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// Files in which numbers stand; those of a profile have the profile's.
const (
	ofProfile    = "topology/jettyha_%s.go"
	switchesFile = "topology/jettyha_switches.go"
	boundsFile   = "topology/jettyha_bounds.go"
	jobFile      = "fixtures/images/jetty/src/hachaos/shop/JobSettings.java"
)

// term is a number that formulas have, after its name. It says in which file
// the number stands, and in which text: {} is the number as the formula has it,
// {go} as Go writes it, {ms} and {s} a duration as a number of those.
type term struct{ name, file, text string }

// terms are all that formulas name. A name that ends another's, such as fall
// and track fall, comes after it.
var terms = []term{
	{"track fall", ofProfile, "trackFall: {go},"},
	{"fall", ofProfile, "fall: {go},"},
	{"rise", ofProfile, "rise: {go},"},
	{"fastinter", ofProfile, "fastInter: {go},"},
	{"inter", ofProfile, "inter: {go},"},
	{"interval", ofProfile, "trackInterval: {go},"},
	{"timeout check", ofProfile, "timeoutCheck: {go},"},
	{"timeout connect", ofProfile, "timeoutConnect: {go},"},
	{"timeout server", ofProfile, "timeoutServer: {go},"},
	{"retries", ofProfile, "retries: {go},"},
	{"the node's look", ofProfile, "readyLimit: {go},"},
	{"restart after", ofProfile, "restart: {go},"},
	{"boot", ofProfile, "boot: {go},"},
	{"with an allowance", ofProfile, "allowance: {go},"},
	{"allowance", ofProfile, "allowance: {go},"},
	{"priority", ofProfile, " {}},"},
	{"advert_int", ofProfile, "advertInt: {go},"},
	{"pool wait", ofProfile, `"POOL_WAIT_MS": "{ms}",`},
	{"socketTimeout", ofProfile, "socketTimeout: {go},"},
	{"warm-up", switchesFile, `Key: "warmup", Default: "{}"`},
	{"order work", switchesFile, `Key: "order-work", Default: "{}"`},
	{"price-life", switchesFile, "priceLife = {go} "},
	{"slot", jobFile, `"JOB_SLOT_MS", {ms})`},
	{"lease", jobFile, `"JOB_LEASE_MS", {ms})`},
	{"poll", jobFile, `"JOB_POLL_MS", {ms})`},
	{"look", "fixtures/images/jetty/src/hachaos/shop/Jobs.java", "LOOK = Duration.ofMillis({ms});"},
	{"a look under way", "fixtures/images/jetty/src/hachaos/shop/Probe.java", `setProperty("socketTimeout", "{s}");`},
	{"the check's patience", "fixtures/images/haproxy/alive", "read -r -t {s} line"},
	{"start and recovery", boundsFile, "databaseBoot = {go} "},
	{"end and start", boundsFile, "databaseBoot = {go} "},
	{"pause", boundsFile, "DatabasePause = {go} "},
	{"TCP's first retransmission of", boundsFile, "firstRetransmission = {go} "},
}

// threads is where each profile has the number of threads: profile tuned
// leaves it to the switch, whose first value is its default.
var threads = map[string]term{
	"tuned":      {"maxThreads", switchesFile, `Key: "threads", Values: []string{"{}",`},
	"documented": {"maxThreads", ofProfile, "threads: {go},"},
}

// arithmetic is what else formulas have, when their terms are taken out:
// numbers that nobody sets, and what was worked out of the others.
var arithmetic = regexp.MustCompile(`[−+] 1\b|× 0 \(refused\)|^0 \(refused, redispatched at once\)` +
	`|\b3 × |\(256 − | / 256 |\b2 waits ×|, 1s\)|\) × (500ms|1s) |skew [0-9.]+ms`)

// isLimit says that a number is the limit of the bound of that name, with its
// allowance or without.
func isLimit(spec topology.Spec, name, number string) bool {
	b, ok := spec.Bound(name)
	d, err := time.ParseDuration(number)
	allowance := 250 * time.Millisecond
	return ok && err == nil && (d == b.Limit || d == b.Limit-allowance)
}

// written is a text of the tables with the number put in.
func written(t *testing.T, text, number string) string {
	t.Helper()
	text = strings.ReplaceAll(text, "{}", number)
	if strings.Contains(text, "{go}") {
		text = strings.ReplaceAll(text, "{go}", goLiteral(t, number))
	}
	if !strings.Contains(text, "{ms}") && !strings.Contains(text, "{s}") {
		return text
	}
	d, err := time.ParseDuration(number)
	require.NoError(t, err)
	seconds := strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
	return strings.NewReplacer("{ms}", strconv.FormatInt(d.Milliseconds(), 10), "{s}", seconds).Replace(text)
}

// goLiteral is a whole number or a duration as the profiles write it.
func goLiteral(t *testing.T, number string) string {
	t.Helper()
	if _, err := strconv.Atoi(number); err == nil {
		return number
	}
	d, err := time.ParseDuration(number)
	require.NoError(t, err)
	switch {
	case d == time.Second:
		return "time.Second"
	case d%time.Second == 0:
		return fmt.Sprintf("%d * time.Second", d/time.Second)
	}
	return fmt.Sprintf("%d * time.Millisecond", d/time.Millisecond)
}

// mustStand fails unless the file of the repository has the text with the
// number put in, runs of blanks being one; or has it not, if the text begins
// with "no " or the number is none.
func mustStand(t *testing.T, file, text, number string) {
	t.Helper()
	content, err := os.ReadFile("../" + file)
	require.NoError(t, err)
	text, unset := strings.CutPrefix(text, "no ")
	if number == "0s" {
		name, _, _ := strings.Cut(text, "{")
		text, unset = name, true
	}
	text = written(t, text, number)
	got := strings.Contains(strings.Join(strings.Fields(string(content)), " "), text)
	require.Equal(t, !unset, got, "whether %s has %q", file, text)
}

// inFile puts the profile into the name of a file that is the profile's.
func inFile(file, profile string) string {
	if file == ofProfile {
		return fmt.Sprintf(ofProfile, profile)
	}
	return file
}

// taken takes a term out of a formula, and gives the numbers that it had.
func taken(formula, name string) (rest string, numbers []string) {
	is := regexp.MustCompile(`(^|[ (])` + regexp.QuoteMeta(name) + ` ([0-9][0-9.a-zµ]*)`)
	for _, found := range is.FindAllStringSubmatch(formula, -1) {
		numbers = append(numbers, found[2])
	}
	return is.ReplaceAllString(formula, "$1"), numbers
}

// A verdict says "to change it: FILE: FORMULA" of a bound, so that each number
// must stand in a file that is known, and FILE must be that of one of them: the
// profile's, if one of them is the profile's.
func TestJettyHABoundsNameTheFileOfTheirNumbers(t *testing.T) {
	for _, profile := range topology.JettyHA().Profiles {
		spec := plan(t, topology.Options{Profile: profile})
		for _, b := range spec.Bounds {
			t.Run(profile+" "+b.Name, func(t *testing.T) {
				require.Equal(t, fileOfFormula(t, spec, b), b.File, b.Formula)
			})
		}
	}
}

// fileOfFormula is the file that a bound must name. It fails unless every
// number of the formula stands where the tables say.
func fileOfFormula(t *testing.T, spec topology.Spec, b topology.Bound) string {
	t.Helper()
	rest := b.Formula
	profile := inFile(ofProfile, spec.Profile)
	var files []string
	add := func(name, file string) {
		if !strings.HasSuffix(name, "allowance") { // which all have: it decides only where there is nothing else
			files = append(files, file)
		}
	}
	for _, x := range append([]term{threads[spec.Profile]}, terms...) {
		var numbers []string
		rest, numbers = taken(rest, x.name)
		for _, number := range numbers {
			file := inFile(x.file, spec.Profile)
			mustStand(t, file, x.text, number)
			add(x.name, file)
		}
	}
	for _, named := range spec.Bounds {
		var numbers []string
		rest, numbers = taken(rest, named.Name)
		for _, number := range numbers {
			require.True(t, isLimit(spec, named.Name, number), "%s %s in %s", named.Name, number, b.Formula)
			add(named.Name, named.File)
		}
	}
	require.NotRegexp(t, "[0-9]", arithmetic.ReplaceAllString(rest, ""), "a number of %q that no table here has: say there where it stands", b.Formula)
	if len(files) == 0 || slices.Contains(files, profile) {
		return profile
	}
	return files[0]
}

// place is how a value stands in its file: all of these texts, written as in
// term. One that begins with "no " must not be there: the value is what is
// there without it.
type place []string

// placesOfBoth are the values of either profile.
var placesOfBoth = map[string]place{
	"warm-up":                   {`Key: "warmup", Default: "{}"`},
	"jetty: lame duck":          {`Key: "lame-duck", Default: "{}"`},
	"jetty: stop timeout":       {`Key: "stop-timeout", Default: "{}"`},
	"order work":                {`Key: "order-work", Default: "{}"`},
	"allowance":                 {"allowance: {go},"},
	"boot":                      {"boot: {go},"},
	"pool: size":                {`"POOL_SIZE": "{}",`},
	"pool: idle":                {`"POOL_IDLE": "{}",`},
	"pool: wait":                {`"POOL_WAIT_MS": "{ms}",`},
	"threads: needed":           {`"POOL_WAIT_MS":`, `"POOL_SIZE":`}, // worked out of them
	"connections: of a node":    {"pools:", `"POOL_SIZE":`},          // worked out of them
	"postgres: max_connections": {"max_connections = {}"},
	"postgres: reserved":        {"reserved_connections = 5", "no superuser_reserved_connections"},
	"haproxy: timeout connect":  {"timeoutConnect: {go},"},
	"haproxy: timeout server":   {"timeoutServer: {go},"},
	"haproxy: retries":          {"retries: {go},"},
	"haproxy: cookie":           {"cookie {}"},
	"keepalived: advert_int":    {"advertInt: {go},"},
	"keepalived: nopreempt":     {"nopreempt"},
	"version":                   {`jettyFirstVersion = "{}"`},
	"price-life":                {"priceLife = {go} "},
	"postgres: fsync, synchronous_commit, full_page_writes": {"no fsync", "no synchronous_commit", "no full_page_writes"},
}

// switchesOfBoth are values that are switches, in either profile, and those
// that only profile tuned heeds.
var (
	switchesOfBoth = []string{
		"affinity", "check", "readiness", "liveness", "dependency", "dedupe", "outbox", "uploads", "jobs", "feed", "feed-resume",
		"socket-state", "socket-goodbye", "sessions", "login", "v2-response", "v2-session", "v2-row",
	}
	switchesOfTuned = []string{"balance", "redispatch", "l7-retry", "server-state", "user-requests", "db-timeouts", "cache", "session-save", "fence"}
)

// placesOf are those of all values of a profile.
func placesOf(profile string) map[string]place {
	all := maps.Clone(placesOfBoth)
	maps.Copy(all, places[profile])
	switches := switchesOfBoth
	if profile == "tuned" {
		switches = slices.Concat(switches, switchesOfTuned)
	}
	for _, key := range switches {
		all[key] = place{`Key: "` + key + `", Values: []string{"{}",`}
	}
	return all
}

var places = map[string]map[string]place{
	"tuned": {
		"haproxy: inter":                            {"inter: {go},"},
		"haproxy: fastinter":                        {"fastInter: {go},"},
		"haproxy: fall":                             {"fall: {go},"},
		"haproxy: rise":                             {"rise: {go},"},
		"haproxy: timeout check":                    {"timeoutCheck: {go},"},
		"haproxy: option redispatch":                {"option redispatch {}"},
		"haproxy: retry-on":                         {"retry-on {}"},
		"haproxy: disable-l7-retry":                 {"disable-l7-retry unless METH_GET || METH_HEAD"},
		"haproxy: observe layer4":                   {"no observe layer4"},
		"haproxy: on-marked-down shutdown-sessions": {"no on-marked-down"},
		"haproxy: option http-server-close":         {"option http-server-close"},
		"haproxy: option httpchk":                   {`checkPath: "/health/ready",`},
		"haproxy: nbthread":                         {"nbthread {}"},
		"haproxy: weight":                           {"defaultWeight = {}"},
		"haproxy: balance":                          {"{{else if .Random}}{}{{"},
		"keepalived: priority":                      {"priorities: [2]int{200, 190},"},
		"keepalived: vrrp_garp_master_refresh":      {"no vrrp_garp_master_refresh"},
		"keepalived: vrrp_higher_prio_send_advert":  {"vrrp_higher_prio_send_advert {}"},
		"keepalived: track interval × fall":         {"trackInterval: 250 * time.Millisecond,", "trackFall: 2,"},
		"keepalived: a frozen HAProxy":              {"kill -KILL"},
		"haproxy: bind":                             {"bind {{.VIP}}:80 transparent"},
		"haproxy: option idle-close-on-response":    {"option idle-close-on-response"},
		"haproxy: server-state-file":                {"server-state-file"},
		"jetty: evictionPolicy":                     {`"SESSION_EVICTION": "{}",`},
		"jetty: session store":                      {"class FencedStore"},
		"jetty: savePeriod":                         {`"SESSION_SAVE_PERIOD_S": "{s}",`},
		"jetty: flushOnResponseCommit":              {"setFlushOnResponseCommit({})"},
		"jetty: workerName":                         {"setWorkerName(config.node())"},
		"jetty: threads":                            {`Key: "threads", Values: []string{"{}",`},
		"jdbc: socketTimeout":                       {"socketTimeout: {go},", "&socketTimeout={s}&"},
		"jdbc: lock_timeout":                        {"lock_timeout={ms}%20"},
		"jdbc: idle_in_transaction_session_timeout": {`idle_in_transaction_session_timeout={ms}"`},
		"java": {"-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1", "-XX:ArchiveClassesAtExit"},
	},
	"documented": {
		"haproxy: timeout client":               {"timeout client {}"},
		"haproxy: option httpchk":               {`checkPath: "/",`},
		"haproxy: inter, fall, rise":            {"inter: 2 * time.Second,", "fall: 3,", "rise: 2,"},
		"haproxy: chroot, daemon, user, group":  {"no chroot /", "no daemon ", "no user haproxy", "no group haproxy"},
		"haproxy: log, runtime socket":          {"log stdout", "stats socket"},
		"haproxy: log-format, names in answers": {"log-format", "X-Hachaos-Balancer"},
		"keepalived":                            {"vrrp_instance"},
		"keepalived: priority":                  {"priorities: [2]int{100, 100},"},
		"jetty: modules":                        {"--add-modules=server,http,ee10-deploy,", "--add-modules=session-store-jdbc"},
		"jetty: savePeriod":                     {"savePeriod.seconds={s}"},
		"jetty: gracePeriod":                    {"gracePeriod.seconds=3600"},
		"jetty: idleSavePeriod":                 {"no idleSavePeriod."},
		"jetty: evictionPolicy":                 {"evictionPolicy is not printed and stays at {}"},
		"jetty: datasource":                     {`"maximumPoolSize" type="int">20<`, `"minimumIdle" type="int">5<`, `"idleTimeout" type="long">300000<`},
		"jetty: schema and table":               {"schema.table=JettySessions"},
		"jetty: workerName":                     {`workerName=\"\$NODE\"`},
		"jetty: acceptors, selectors":           {"acceptors=2", "selectors=4"},
		"java":                                  {`"JAVA_OPTS": "{}",`},
		"restart":                               {"restart: {go},", `"RESTART": "{s}",`},
		"postgres: rights":                      {"CREATE DATABASE jetty_sessions OWNER jetty_user"},
		"haproxy: weight":                       {"{{if $.Weighted}} weight {{.Weight}}"},
		"balance":                               {"{{else}}{}{{end}}"},
		"redispatch":                            {"no redispatch"},
		"l7-retry":                              {"no retry-on"},
		"server-state":                          {"no server-state-file"},
		"user-requests":                         {"no maxconn"},
		"jdbc: socketTimeout":                   {"no socketTimeout"},
		"db-timeouts":                           {"no databaseOptions"},
		"cache":                                 {"evictionPolicy is not printed"},
		"session-save":                          {"no flushOnResponseCommit="},
		"fence":                                 {"--add-modules=session-store-jdbc"},
	},
}

func TestJettyHAValuesStandInTheirFiles(t *testing.T) {
	for _, profile := range topology.JettyHA().Profiles {
		left := placesOf(profile)
		for _, v := range plan(t, topology.Options{Profile: profile}).Values {
			where, ok := left[v.Name]
			require.True(t, ok, "say in the table how %q of profile %s stands in %s", v.Name, profile, v.File)
			delete(left, v.Name)
			t.Run(profile+" "+v.Name, func(t *testing.T) {
				for _, text := range where {
					mustStand(t, v.File, text, v.Value)
				}
			})
		}
		require.Empty(t, left, "no value of profile %s", profile)
	}
}

// The bound follows the switch where the node does, and only there.
func TestJettyHAThreadsAreThoseOfTheSwitch(t *testing.T) {
	for profile, want := range map[string]int{"tuned": 17, "documented": 199} {
		b, ok := plan(t, topology.Options{Profile: profile, Set: map[string]string{"threads": "18"}}).Bound(topology.BoundThreads)
		require.True(t, ok)
		require.Equal(t, want, b.Count, profile)
	}
}
