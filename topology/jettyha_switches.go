package topology

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultWeight leaves room on both sides: HAProxy's weights are 1 to 256,
// and its own default of 1 cannot be halved.
const defaultWeight = 100

// priceLife is how long a node may use a price that it has cached.
const priceLife = 2 * time.Second

const (
	minWeight    = 1
	maxWeight    = 256
	weightPrefix = "weight."
)

// jettySwitch is a row of the table of switches.
type jettySwitch struct {
	Switch
	// env is the application's variable that carries the value, a duration
	// in milliseconds; empty if it is not the application's.
	env string
	// most makes it a duration, from 0 to most.
	most time.Duration
	// top makes it a whole number, from 1 to top.
	top int
}

// ofProfile is the default of a switch whose value the profile sets.
const ofProfile = "profile"

// jettySwitchTable is every switch but the weights. What the application
// reads needs no more than a row here.
var jettySwitchTable = []jettySwitch{
	{Switch: Switch{Key: "dedupe", Values: []string{"on", "off", "late", "unscoped", "unhashed"}, About: "whether orders keep their idempotency key: in their transaction, never, or in one of its own afterwards; as one that all tenants share, or without looking at what was asked"}, env: "DEDUPE"},
	{Switch: Switch{Key: "answer", Values: []string{"after-commit", "before-commit"}, About: "whether an order is answered once it is committed, or already before"}, env: "ANSWER"},
	{Switch: Switch{Key: "sessions", Values: []string{"jdbc", "memory"}, About: "where sessions are kept"}, env: "SESSIONS"},
	{Switch: Switch{Key: "readiness", Values: []string{"check", "constant"}, About: "whether /health/ready looks, or always says 200"}, env: "READINESS"},
	{Switch: Switch{Key: "outbox", Values: []string{"off", "transaction", "memory"}, About: "where the event of an order waits for its delivery: there is none, in a table from the order's transaction on, or in the node's memory"}, env: "OUTBOX"},
	{Switch: Switch{Key: "uploads", Values: []string{"database", "disk"}, About: "where uploaded files are kept: in the database, or on the disk of the node that took them"}, env: "UPLOADS"},
	{Switch: Switch{Key: "price-life", Default: priceLife.String(), About: "how long a node uses a price that it has cached, up to 10m; 0s is for ever"}, env: "PRICE_LIFE_MS", most: 10 * time.Minute},
	{Switch: Switch{Key: "redispatch", Values: []string{"on", "off"}, About: "whether HAProxy tries another node when a connection fails (profile tuned; documented never does)"}},
	{Switch: Switch{Key: "connect-timeout", Values: []string{"profile", "5s"}, About: "how long HAProxy waits for a node to take a connection: as the profile says, or longer than TCP waits before it sends again; the bounds are the profile's"}},
	{Switch: Switch{Key: "l7-retry", Values: []string{"reads", "all"}, About: "what HAProxy sends again after a connection broke without an answer: reads, or writes too (profile tuned; documented never does)"}},
	{Switch: Switch{Key: "check", Values: []string{"ready", "liar", "root", "port"}, About: "whom HAProxy asks for a node's health: the node, one that always says 200, the node's / that looks at nothing, or its port alone"}},
	{Switch: Switch{Key: "feed", Values: []string{"commit", "sequence", "memory"}, About: "where an event gets its number: in the order of commits, from a sequence before the commit, or in one node's memory"}, env: "FEED"},
	{Switch: Switch{Key: "feed-resume", Values: []string{"on", "off"}, About: "whether the event stream heeds Last-Event-ID"}, env: "FEED_RESUME"},
	{Switch: Switch{Key: "cache", Values: []string{"shared", "default", "null"}, About: "a node's cache of sessions: forgets one with its last request and saves over no newer one; Jetty's default, which never looks again; or none (profile tuned; documented has Jetty's default)"}, env: "SESSION_CACHE"},
	{Switch: Switch{Key: "session-save", Values: []string{"first", "lazy"}, About: "whether a session is saved before its answer, or with it, a failure being only logged, as Jetty does (profile tuned)"}, env: "SESSION_SAVE"},
	{Switch: Switch{Key: "fence", Values: []string{"on", "off"}, About: "whether a node saves a session only over what it has read of it, or over anything, as Jetty does (profile tuned; never with cache=default)"}, env: "SESSION_FENCE"},
	{Switch: Switch{Key: "session-work", Default: "0s", About: "a session write's work between reading the session and saving it, up to 1s (profile tuned)"}, env: "SESSION_WORK_MS", most: time.Second},
	{Switch: Switch{Key: "login", Values: []string{"session", "local"}, About: "where a node keeps who is logged in: in the session, or to itself (profile tuned)"}, env: "LOGIN"},
	{Switch: Switch{Key: "affinity", Values: []string{"cookie", "off", "source"}, About: "what binds a session to a node: HAProxy's cookie, nothing, or the client's address, by a hash"}},
	{Switch: Switch{Key: "balance", Values: []string{"random", "roundrobin"}, About: "how HAProxy chooses the node of a new session: by a draw, or each in its turn (profile tuned; documented has turns)"}},
	{Switch: Switch{Key: "jobs", Values: []string{"off", "lease", "every", "unfenced", "own-clock"}, About: "who does the scheduled job: nobody, the holder of a fenced lease, every node, a holder that no token stops, or a holder by its own clock"}, env: "JOBS"},
	{Switch: Switch{Key: "clock", Values: []string{"fixed", "movable"}, About: "whether the fault clock-moved can move the nodes' clocks (libfaketime)"}, env: "CLOCK"},
	{Switch: Switch{Key: "socket-state", Values: []string{"database", "memory"}, About: "where what a WebSocket's client said is kept: in the database or in one node's memory"}, env: "SOCKET_STATE"},
	{Switch: Switch{Key: "socket-goodbye", Values: []string{"on", "off"}, About: "whether a node that stops tells its WebSockets' clients to go elsewhere, or cuts them off"}, env: "SOCKET_GOODBYE"},
	{Switch: Switch{Key: "v2-response", Values: []string{"added", "renamed"}, About: "whether version 2 adds a field to its answers, or gives one a new name"}, env: "V2_RESPONSE"},
	{Switch: Switch{Key: "v2-session", Values: []string{"beside", "instead"}, About: "whether version 2 keeps a session's counter in a new attribute beside the old one, or instead of it"}, env: "V2_SESSION"},
	{Switch: Switch{Key: "v2-row", Values: []string{"old", "new"}, About: "whether version 2 writes an order's quantity into the old column, or into the new one that a migration adds"}, env: "V2_ROW"},
	{Switch: Switch{Key: "liveness", Values: []string{"light", "database"}, About: "whether /health/live speaks of the process alone, or of its database too"}, env: "LIVENESS"},
	{Switch: Switch{Key: "pool-wait", Values: []string{"bounded", "unbounded"}, About: "whether a request waits for a pooled connection as long as the profile says, or a minute"}},
	{Switch: Switch{Key: "db-timeouts", Values: []string{"on", "off"}, About: "whether the driver and the database give up, as the profile says, or never (profile documented never does)"}},
	{Switch: Switch{Key: "warmup", Default: "1.5s", About: "from the opening of the port until the node is warm, up to 1m"}, env: "WARMUP_MS", most: time.Minute},
	{Switch: Switch{Key: "dependency", Values: []string{"off", "on", "unbounded", "critical"}, About: "a price service beside the database: none, one asked with a time limit, a fallback and a circuit breaker, one asked without any of them, or one that readiness depends on"}, env: "DEPENDENCY"},
	{Switch: Switch{Key: "faults", Values: []string{"off", "on"}, About: "whether the application itself can be made to lose connections and threads"}, env: "FAULTS"},
	{Switch: Switch{Key: "small-disk", Values: []string{"off", "orders", "all"}, About: "which tables lie on a small file system of the database's own, in memory: none, the orders, or the sessions and keys too"}},
	{Switch: Switch{Key: "database-disk", Values: []string{"image", "volume"}, About: "where the database's files lie: in its container's own layer, or on a volume of the engine's, where the fault disk-slow can hold its writes back"}},
	{Switch: Switch{Key: "pool", Default: ofProfile, About: "connections of a node's pool at most, 1 to 200; it keeps open what the profile says"}, env: "POOL_SIZE", top: 200},
	{Switch: Switch{Key: "leak", Values: []string{"off", "on"}, About: "whether each order that the database refuses costs the pool a connection for good"}, env: "LEAK"},
	{Switch: Switch{Key: "order-work", Default: "250ms", About: "an order's work between commit and answer, up to 10s"}, env: "ORDER_WORK_MS", most: 10 * time.Second},
	{Switch: Switch{Key: "lame-duck", Default: "1s", About: "unready, yet serving, before a stopping node closes its port (profile tuned), up to 1m"}, env: "LAME_DUCK_MS", most: time.Minute},
	{Switch: Switch{Key: "stop-timeout", Default: "5s", About: "how long a stopping node lets its requests in flight finish (profile tuned), up to 1m"}, env: "STOP_TIMEOUT_MS", most: time.Minute},
	{Switch: Switch{Key: "restart", Values: []string{"profile", "never", "1", "10"}, About: "what the supervisor does after an exit of Java: nothing, or start it again after so many seconds"}},
	{Switch: Switch{Key: "threads", Values: []string{"150", "18"}, About: "how many threads a node has (profile tuned)"}, env: "THREADS"},
	{Switch: Switch{Key: "track", Values: []string{"on", "off", "process"}, About: "how keepalived watches HAProxy, and gives the VIP up without it: by a request to the users' port, not at all, or by whether there is a process"}},
	{Switch: Switch{Key: "advert", Values: []string{"profile", "1s"}, About: "how often keepalived says that it lives; the bounds are the profile's"}},
	{Switch: Switch{Key: "router", Values: []string{"one", "two"}, About: "whether the balancers share a virtual router, or each has one of its own and heeds no other"}},
	{Switch: Switch{Key: "hard-stop", Values: []string{"10s", "50ms"}, About: "how long a worker of HAProxy that a reload replaced may finish what it has (profile tuned)"}},
	{Switch: Switch{Key: "vip-bind", Values: []string{"transparent", "plain"}, About: "whether HAProxy may still answer from the VIP what was under way when the VIP left (profile tuned; documented may not)"}},
	{Switch: Switch{Key: "server-state", Values: []string{"kept", "lost"}, About: "whether what HAProxy knows of its servers, orders about them included, outlives a reload (profile tuned; documented loses it)"}},
	{Switch: Switch{Key: "user-requests", Values: []string{"unlimited", "40"}, About: "how many requests HAProxy has with all nodes at once (profile tuned), the next being answered 503: with few, those that hang on one node leave none for the others"}},
	{Switch: Switch{Key: "vip-fence", Values: []string{"on", "off"}, About: "whether keepalived ends a HAProxy that accepts and does not answer, so that its clients hear of it (profile tuned; documented never does)"}},
}

// jettySwitches are the switches for the user. The first of a switch's values
// is its default.
func jettySwitches() []Switch {
	var out []Switch
	for _, row := range jettySwitchTable {
		s := row.Switch
		if len(s.Values) > 0 {
			s.Default = s.Values[0]
		}
		out = append(out, s)
	}
	return append(out, Switch{Key: weightPrefix + "*", Default: strconv.Itoa(defaultWeight), About: "the node's share of new sessions, 1 to 256"})
}

// jettySet is the switches after validation.
type jettySet struct {
	values  map[string]string        // of the choices
	waits   map[string]time.Duration // of the durations
	numbers map[string]int           // of the numbers
	weights map[string]int           // of the nodes that were given one
}

// is says whether a choice has the value.
func (s jettySet) is(key, value string) bool { return s.values[key] == value }

// env are the application's variables. Those that are the profile's are left
// to it.
func (s jettySet) env() map[string]string {
	out := map[string]string{}
	for _, row := range jettySwitchTable {
		if row.env == "" {
			continue
		}
		if wait, ok := s.waits[row.Key]; ok {
			out[row.env] = millis(wait)
		} else if number, ok := s.numbers[row.Key]; ok {
			out[row.env] = strconv.Itoa(number)
		} else if value, ok := s.values[row.Key]; ok {
			out[row.env] = value
		}
	}
	return out
}

// parseJettySwitches applies set to the defaults. An unknown key or a bad
// value is an error that names the valid ones.
func parseJettySwitches(set map[string]string, nodes int) (jettySet, error) {
	out := jettySet{values: map[string]string{}, waits: map[string]time.Duration{}, numbers: map[string]int{}, weights: map[string]int{}}
	all := map[string]string{}
	for _, s := range jettySwitches() {
		if !strings.HasPrefix(s.Key, weightPrefix) {
			all[s.Key] = s.Default
		}
	}
	maps.Copy(all, set)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if err := out.apply(key, all[key], nodes); err != nil {
			return jettySet{}, fmt.Errorf("topology %s: %w", jettyName, err)
		}
	}
	return out, nil
}

func (s *jettySet) apply(key, value string, nodes int) (err error) {
	if node, isWeight := strings.CutPrefix(key, weightPrefix); isWeight {
		return s.applyWeight(node, value, nodes)
	}
	i := slices.IndexFunc(jettySwitchTable, func(row jettySwitch) bool { return row.Key == key })
	if i < 0 {
		return fmt.Errorf("unknown switch %q; there are: %s", key, strings.Join(switchKeys(), ", "))
	}
	switch row := jettySwitchTable[i]; {
	case row.Default == ofProfile && value == ofProfile:
	case row.most > 0:
		s.waits[key], err = parseWait(key, value, row.most)
	case row.top > 0:
		s.numbers[key], err = parseNumber(key, value, row.top)
	case !slices.Contains(row.Values, value):
		err = fmt.Errorf("switch %s=%q: want %s", key, value, strings.Join(row.Values, " or "))
	default:
		s.values[key] = value
	}
	return err
}

func (s *jettySet) applyWeight(node, value string, nodes int) error {
	var names []string
	for i := 1; i <= nodes; i++ {
		names = append(names, jettyNode(i))
	}
	if !slices.Contains(names, node) {
		return fmt.Errorf("switch %s%s: no such node; there are: %s", weightPrefix, node, strings.Join(names, ", "))
	}
	weight, err := strconv.Atoi(value)
	if err != nil || weight < minWeight || weight > maxWeight {
		return fmt.Errorf("switch %s%s=%q: want a whole number from %d to %d", weightPrefix, node, value, minWeight, maxWeight)
	}
	s.weights[node] = weight
	return nil
}

// parseWait reads a duration from 0 to most, in whole milliseconds.
func parseWait(key, value string, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 || d > most || d != d.Truncate(time.Millisecond) {
		return 0, fmt.Errorf("switch %s=%q: want a duration from 0s to %s, in whole milliseconds, such as 1.5s", key, value, most)
	}
	return d, nil
}

// parseNumber reads a whole number from 1 to top.
func parseNumber(key, value string, top int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > top {
		return 0, fmt.Errorf("switch %s=%q: want a whole number from 1 to %d", key, value, top)
	}
	return n, nil
}

func switchKeys() []string {
	var keys []string
	for _, s := range jettySwitches() {
		keys = append(keys, s.Key)
	}
	return keys
}
