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

const (
	minWeight    = 1
	maxWeight    = 256
	maxWarmup    = time.Minute
	maxOrderWork = 10 * time.Second
	weightPrefix = "weight."
)

// jettySet is the switches after validation.
type jettySet struct {
	dedupe, sessions, readiness, redispatch, check string

	weights   map[string]int
	warmup    time.Duration
	orderWork time.Duration
}

func jettySwitches() []Switch {
	return []Switch{
		{Key: "dedupe", Values: []string{"on", "off"}, Default: "on", About: "whether orders look at their idempotency key"},
		{Key: "sessions", Values: []string{"jdbc", "memory"}, Default: "jdbc", About: "where sessions are kept"},
		{Key: "readiness", Values: []string{"check", "constant"}, Default: "check", About: "whether /health/ready looks, or always says 200"},
		{Key: "redispatch", Values: []string{"on", "off"}, Default: "on", About: "whether HAProxy tries another node when a connection fails (profile tuned; documented never does)"},
		{Key: "check", Values: []string{"ready", "liar"}, Default: "ready", About: "whom HAProxy asks for a node's health: the node, or one that always says 200"},
		{Key: weightPrefix + "*", Default: strconv.Itoa(defaultWeight), About: "the node's share of new sessions, 1 to 256"},
		{Key: "warmup", Default: "1.5s", About: "from the opening of the port until the node is warm, up to 1m"},
		{Key: "order-work", Default: "250ms", About: "an order's work between commit and answer, up to 10s"},
	}
}

// parseJettySwitches applies set to the defaults. An unknown key or a bad
// value is an error that names the valid ones.
func parseJettySwitches(set map[string]string, nodes int) (jettySet, error) {
	out := jettySet{
		dedupe: "on", sessions: "jdbc", readiness: "check", redispatch: "on", check: "ready",
		weights:   map[string]int{},
		warmup:    1500 * time.Millisecond,
		orderWork: 250 * time.Millisecond,
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if err := out.apply(key, set[key], nodes); err != nil {
			return jettySet{}, fmt.Errorf("topology %s: %w", jettyName, err)
		}
	}
	return out, nil
}

func (s *jettySet) apply(key, value string, nodes int) (err error) {
	choices := map[string]*string{
		"dedupe": &s.dedupe, "sessions": &s.sessions, "readiness": &s.readiness,
		"redispatch": &s.redispatch, "check": &s.check,
	}
	if target, ok := choices[key]; ok {
		*target, err = choose(key, value)
		return err
	}
	switch node, isWeight := strings.CutPrefix(key, weightPrefix); {
	case isWeight:
		return s.applyWeight(node, value, nodes)
	case key == "warmup":
		s.warmup, err = parseWait(key, value, maxWarmup)
	case key == "order-work":
		s.orderWork, err = parseWait(key, value, maxOrderWork)
	default:
		return fmt.Errorf("unknown switch %q; there are: %s", key, strings.Join(switchKeys(), ", "))
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

func choose(key, value string) (string, error) {
	for _, s := range jettySwitches() {
		if s.Key == key && !slices.Contains(s.Values, value) {
			return "", fmt.Errorf("switch %s=%q: want %s", key, value, strings.Join(s.Values, " or "))
		}
	}
	return value, nil
}

// parseWait reads a duration from 0 to most, in whole milliseconds.
func parseWait(key, value string, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 || d > most || d != d.Truncate(time.Millisecond) {
		return 0, fmt.Errorf("switch %s=%q: want a duration from 0s to %s, in whole milliseconds, such as 1.5s", key, value, most)
	}
	return d, nil
}

func switchKeys() []string {
	var keys []string
	for _, s := range jettySwitches() {
		keys = append(keys, s.Key)
	}
	return keys
}
