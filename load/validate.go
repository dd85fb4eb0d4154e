package load

import (
	"fmt"
	"time"
)

// Margin is what Validate allows an operation on a healthy system beyond the
// work of an order, before its session is due again.
const Margin = 100 * time.Millisecond

// minSessionOps is a login, one operation and a logout.
const minSessionOps = 3

// Validate says what is wrong with the workload and what to change. It also
// refuses one whose sessions would queue behind themselves on a healthy
// system, because its latencies would be the generator's own.
func (c Config) Validate() error {
	if err := c.validRate(); err != nil {
		return err
	}
	c = c.Resolved()
	for _, v := range []struct {
		what string
		got  int
		min  int
		key  string
	}{
		{"sessions", c.Sessions, 1, "sessions-count"},
		{"operations of a session", c.SessionOps, minSessionOps, "session-ops"},
		{"session writes in the mix", c.Writes, 0, "mix"},
		{"session reads in the mix", c.Reads, 0, "mix"},
		{"orders in the mix", c.Orders, 0, "mix"},
		{"retries", c.MaxRetries, 0, "client-retry"},
		{"outstanding operations as the ceiling", c.Ceiling, 1, ""},
	} {
		if v.got < v.min {
			return fmt.Errorf("load: %d %s are too few: at least %d%s", v.got, v.what, v.min, hint(v.key))
		}
	}
	for _, v := range []struct {
		what string
		got  time.Duration
		key  string
	}{
		{"timeout", c.Timeout, "timeout"},
		{"limit of lateness", c.Late, ""},
		{"work of an order", c.OrderWork, ""},
	} {
		if v.got < 0 {
			return fmt.Errorf("load: the %s is %v: it must be above 0%s", v.what, v.got, hint(v.key))
		}
	}
	if err := c.validLimits(); err != nil {
		return err
	}
	return c.validPeriod()
}

// validLimits refuses what would exhaust the generator or never end.
func (c Config) validLimits() error {
	for _, v := range []struct {
		what      string
		got, most int
		key       string
	}{
		{"sessions", c.Sessions, MaxSessions, "sessions-count"},
		{"session writes in the mix", c.Writes, MaxMix, "mix"},
		{"session reads in the mix", c.Reads, MaxMix, "mix"},
		{"orders in the mix", c.Orders, MaxMix, "mix"},
	} {
		if v.got > v.most {
			return fmt.Errorf("load: %d %s are too many: at most %d%s", v.got, v.what, v.most, hint(v.key))
		}
	}
	if c.Timeout > MaxTimeout {
		return fmt.Errorf("load: the timeout is %v: it must be at most %v%s", c.Timeout, MaxTimeout, hint("timeout"))
	}
	return nil
}

func (c Config) validRate() error {
	switch {
	case c.Rate == 0:
		return fmt.Errorf("load: a rate of 0 operations a second would send nothing, and nothing could be judged: "+
			"give a whole number from 1 to %d (--set rate=%d)", MaxRate, Default().Rate)
	case c.Rate < 0 || c.Rate > MaxRate:
		return fmt.Errorf("load: a rate of %d operations a second is out of range: "+
			"give a whole number from 1 to %d (--set rate=%d)", c.Rate, MaxRate, Default().Rate)
	}
	return nil
}

// validPeriod compares the time between two operations of one session with
// the time that a healthy system takes for one.
func (c Config) validPeriod() error {
	need, why := Margin, fmt.Sprintf("%v are allowed to an operation", Margin)
	if c.Orders > 0 {
		need += c.OrderWork
		why = fmt.Sprintf("an order alone is %v of work, and %v are allowed beside it", c.OrderWork, Margin)
	}
	period := time.Duration(c.Sessions) * c.Interval()
	if period >= need {
		return nil
	}
	sessions := ceil(int64(need), int64(c.Interval()))
	rate := max(1, int64(c.Sessions)*int64(time.Second)/int64(need))
	return fmt.Errorf("load: %d sessions at %d operations a second are each due again after %v (%d ÷ %d), but %s: "+
		"they would queue behind themselves on a healthy system. "+
		"Use at least %d sessions (--set sessions-count=%d) or at most %d operations a second (--set rate=%d)",
		c.Sessions, c.Rate, period.Round(time.Millisecond), c.Sessions, c.Rate, why, sessions, sessions, rate, rate)
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

func hint(key string) string {
	if key == "" {
		return ""
	}
	return " (--set " + key + "=…)"
}
