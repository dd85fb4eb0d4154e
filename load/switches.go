package load

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// option is a switch with the way that it changes a Config.
type option struct {
	topology.Switch
	apply func(*Config, string) error
}

// options are the switches in the order in which `describe` prints them.
func options() []option {
	d := Default()
	return []option{
		{
			topology.Switch{
				Key: "rate", Default: strconv.Itoa(d.Rate),
				About: "operations a second, sent whatever the system does",
			},
			rate,
		},
		{
			topology.Switch{
				Key: "sessions-count", Default: "half the rate, 50 at the least",
				About: "concurrent client sessions, one outstanding request each",
			},
			func(c *Config, v string) error { return number(&c.Sessions, v, 1) },
		},
		{
			topology.Switch{
				Key: "session-ops", Default: strconv.Itoa(d.SessionOps),
				About: "operations of a session, from its login to its logout",
			},
			func(c *Config, v string) error { return number(&c.SessionOps, v, minSessionOps) },
		},
		{
			topology.Switch{
				Key: "client-retry", Values: []string{"on", "off"}, Default: "on",
				About: "retry an order, with the same key, after an unknown outcome",
			},
			func(c *Config, v string) error { return onOff(&c.NoRetry, v) },
		},
		{
			topology.Switch{
				Key: "timeout", Default: d.Timeout.String(),
				About: "the client's patience: with its turn, and again with the operation and its retries",
			},
			func(c *Config, v string) error { return duration(&c.Timeout, v) },
		},
		{
			topology.Switch{
				Key: "mix", Default: fmt.Sprintf("%d:%d:%d", d.Writes, d.Reads, d.Orders),
				About: "parts of session writes, session reads and orders",
			},
			mix,
		},
	}
}

// Switches are the keys of --set that With understands.
func Switches() []topology.Switch {
	var all []topology.Switch
	for _, o := range options() {
		all = append(all, o.Switch)
	}
	return all
}

// With returns c changed by set. A key that is not one of Switches, a value
// that cannot be read and a workload that Validate refuses are errors.
func (c Config) With(set map[string]string) (Config, error) {
	all := options()
	var valid []string
	for _, o := range all {
		valid = append(valid, o.Key)
	}
	for key := range set {
		if !slices.Contains(valid, key) {
			return Config{}, fmt.Errorf("load: unknown key %q: use one of %s", key, strings.Join(valid, ", "))
		}
	}
	for _, o := range all {
		v, ok := set[o.Key]
		if !ok {
			continue
		}
		if err := o.apply(&c, v); err != nil {
			return Config{}, fmt.Errorf("load: --set %s=%s: %w", o.Key, v, err)
		}
	}
	return c, c.Validate()
}

// rate leaves the range to Validate, which says more.
func rate(c *Config, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil {
		return errors.New("give a whole number of operations a second, such as 200")
	}
	c.Rate = n
	return c.validRate()
}

func number(to *int, v string, least int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < least {
		return fmt.Errorf("give a whole number of at least %d", least)
	}
	*to = n
	return nil
}

func onOff(off *bool, v string) error {
	if v != "on" && v != "off" {
		return errors.New("use on or off")
	}
	*off = v == "off"
	return nil
}

func duration(to *time.Duration, v string) error {
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		return errors.New("give a duration above 0, such as 10s or 500ms")
	}
	*to = d
	return nil
}

func mix(c *Config, v string) error {
	parts := strings.Split(v, ":")
	usage := errors.New("give three whole numbers, not all 0: session writes, session reads and orders, such as 1:1:1")
	if len(parts) != 3 {
		return usage
	}
	var n [3]int
	for i, p := range parts {
		if err := number(&n[i], p, 0); err != nil {
			return usage
		}
	}
	if n[0]+n[1]+n[2] == 0 {
		return usage
	}
	c.Writes, c.Reads, c.Orders = n[0], n[1], n[2]
	return nil
}
