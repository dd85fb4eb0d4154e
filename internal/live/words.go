package live

import (
	"fmt"
	"time"
)

// seconds is a time of which tenths matter only while it is short.
func seconds(d time.Duration) string {
	if d < 100*time.Second {
		return fmt.Sprintf("%.1f s", max(0, d).Truncate(100*time.Millisecond).Seconds())
	}
	return fmt.Sprintf("%d s", int64(d/time.Second))
}

// latency is a quantile; a dash if there is none.
func latency(d time.Duration) string {
	switch {
	case d <= 0:
		return "-"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// left says how long the present phase goes on by plan, or by how much it has
// gone beyond that.
func left(s *Story) string {
	if d := s.now.At - s.now.Ends; d >= 100*time.Millisecond {
		return seconds(d) + " over"
	}
	return seconds(s.now.Ends-s.now.At) + " left"
}

func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}
