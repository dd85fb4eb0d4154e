package fault

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClockMovedValidates(t *testing.T) {
	for by, want := range map[time.Duration]string{
		time.Minute:             "",
		-time.Second:            "",
		24 * time.Hour:          "",
		0:                       "clock-moved: by 0s: want whole seconds",
		500 * time.Millisecond:  "want whole seconds",
		1500 * time.Millisecond: "want whole seconds",
		25 * time.Hour:          "from 1s to 24h",
	} {
		if err := (ClockMoved{By: by}).Validate(); want == "" {
			require.NoError(t, err, by)
		} else {
			require.ErrorContains(t, err, want, by)
		}
	}
	require.ErrorContains(t, ClockMoved{By: time.Second, Port: -1}.Validate(), "clock-moved: port")
}

func TestMoveClock(t *testing.T) {
	require.Equal(t, []string{"/bin/sh", "-c", "echo +60 >/run/hachaos/clock"}, moveClock(time.Minute))
	require.Equal(t, []string{"/bin/sh", "-c", "echo -3 >/run/hachaos/clock"}, moveClock(-3*time.Second))
	require.Equal(t, []string{"/bin/sh", "-c", "echo +0 >/run/hachaos/clock"}, moveClock(0))
}

func TestParseClock(t *testing.T) {
	for text, want := range map[string]string{
		"# TYPE hachaos_clock_seconds gauge\nhachaos_clock_seconds 1732082400.125\n": "",
		"hachaos_warm 1\n":              "its metrics have no hachaos_clock_seconds",
		"hachaos_clock_seconds soon\n":  `hachaos_clock_seconds "soon" is no time`,
		"hachaos_clock_seconds NaN\n":   "is no time",
		"hachaos_clock_seconds 1e300\n": "is no time",
	} {
		at, err := parseClock(strings.NewReader(text))
		if want != "" {
			require.ErrorContains(t, err, want)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, int64(1732082400125), at.UnixMilli())
	}
}
