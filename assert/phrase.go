package assert

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// sayTime writes a duration for people: "208 ms", "1.21 s", "10 s".
func sayTime(d time.Duration) string {
	a := d.Abs()
	switch {
	case a == 0:
		return "0 s"
	case a < 10*time.Millisecond:
		return trimZeros(float64(d)/float64(time.Millisecond), 2) + " ms"
	case a < time.Second:
		return trimZeros(float64(d)/float64(time.Millisecond), 0) + " ms"
	}
	return trimZeros(d.Seconds(), 2) + " s"
}

// sayPercent writes a percentage rounded down, so that 99.9996 is never said
// to be 100.
func sayPercent(x float64) string {
	return trimZeros(math.Floor(x*1000+1e-6)/1000, 3) + " %"
}

func trimZeros(x float64, digits int) string {
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// millis is a duration as verdicts carry it.
func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sayMoment writes a time of the run: "at 12.345 s".
func sayMoment(t time.Duration) string { return fmt.Sprintf("at %.3f s", t.Seconds()) }
