package harness

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// ErrUsage: the run was asked for in a way that cannot be; nothing was
// started. It is wrapped with what to change.
var ErrUsage = errors.New("usage")

// usageError says what is wrong, and is ErrUsage without saying so.
type usageError struct{ error }

func (usageError) Is(target error) bool { return target == ErrUsage }
func (e usageError) Unwrap() error      { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Options are what a user chooses about a run. The zero value is the default.
type Options struct {
	// Set are switches of the scenario, the load and the topology by key.
	Set map[string]string
	// Seed of all that is drawn, at most 1<<53 - 1; 0 draws one.
	Seed uint64
	// Profile of the topology; empty is its first.
	Profile string
	// Nodes counts the application nodes; 0 is the topology's default.
	Nodes int
	// Images replace the fixtures': "jetty" → "registry/app:1".
	Images map[string]string
	// Subnet pins the network; the zero Prefix is any that is free.
	Subnet netip.Prefix
	// On is the name of a standing topology to use; empty starts one that
	// ends with the run.
	On string
	// Short runs the scenario's short form: each phase lasts 60 % of its
	// time, but at least 3 s, a steady one 1100 operations, and any as long
	// as the bounds that it covers demand. In either form a rate that is set
	// lower makes the steady phases longer, up to a minute, since they need
	// their operations to be judged.
	Short bool
	// Command is what repeats the run, without the seed.
	Command string
}

// maxSeed keeps seeds exact in readers whose numbers are floating-point.
const maxSeed = 1<<53 - 1

// seed is the one asked for, or one that is drawn.
func (o Options) seed() uint64 {
	if o.Seed != 0 {
		return o.Seed
	}
	return 1 + rand.Uint64N(maxSeed)
}

// settings are the values of --set, by who understands them.
type settings struct {
	scenario, load, topology map[string]string
	// changed are those that differ from their defaults.
	changed map[string]string
}

// split deals the keys among the scenario, the load and the topology. A key
// that none understands, and a value that its switch does not allow, are
// usage errors.
func split(set map[string]string, s Scenario, def topology.Definition) (settings, error) {
	out := settings{map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}}
	owners := []struct {
		switches []topology.Switch
		to       map[string]string
	}{{s.Settings, out.scenario}, {load.Switches(), out.load}, {def.Switches, out.topology}}
	for _, key := range slices.Sorted(mapKeys(set)) {
		value, known := set[key], false
		for _, o := range owners {
			i := slices.IndexFunc(o.switches, func(w topology.Switch) bool { return w.Matches(key) })
			if i < 0 {
				continue
			}
			w := o.switches[i]
			if len(w.Values) > 0 && !slices.Contains(w.Values, value) {
				return out, usage("--set %s=%s: want %s", key, value, strings.Join(w.Values, " or "))
			}
			o.to[key], known = value, true
			if value != w.Default {
				out.changed[key] = value
			}
			break
		}
		if !known {
			return out, unknownKey(key, s.Settings, load.Switches(), def.Switches)
		}
	}
	return out, nil
}

func unknownKey(key string, lists ...[]topology.Switch) error {
	var keys []string
	for _, list := range lists {
		for _, w := range list {
			keys = append(keys, w.Key)
		}
	}
	slices.Sort(keys)
	if near := Nearest(key, keys); len(near) > 0 {
		return usage("--set %s: there is no such key; did you mean %s?", key, strings.Join(near, " or "))
	}
	return usage("--set %s: there is no such key; there are %s", key, strings.Join(keys, ", "))
}
