package observe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzCPU wants a load that is a share, whatever two looks at /proc/stat hold.
func FuzzCPU(f *testing.F) {
	f.Add("cpu  10 0 5 100 3 0 1 2 0 0\ncpu0 1\n", "cpu  20 0 9 180 3 0 1 4 0 0\n")
	f.Add("cpu 1 2 3 4 5 6 7 18446744073709551615", "cpu 18446744073709551615 1 1 1 1 1 1 1")
	f.Add("cpu -1 0 0 0 0 0 0 0", "intr 1")
	f.Fuzz(func(t *testing.T, before, after string) {
		a, err := parseCPU(before)
		if err != nil {
			require.Equal(t, cpuTimes{}, a)
			return
		}
		require.True(t, strings.HasPrefix(strings.TrimLeft(before, " \t\r\v\f\u0085\u00a0"), "cpu"), "%q", before)
		b, err := parseCPU(after)
		if err != nil {
			return
		}
		v, ok := loadBetween(hostTimes{cpuTimes: a}, hostTimes{cpuTimes: b})
		if !ok {
			require.Zero(t, v)
			return
		}
		for _, share := range []float64{v.Busy, v.Steal} {
			require.False(t, math.IsNaN(share), "%q %q", before, after)
			require.GreaterOrEqual(t, share, 0.0, "%q %q", before, after)
			require.LessOrEqual(t, share, 1.0, "%q %q", before, after)
		}
		_, ok = loadBetween(hostTimes{cpuTimes: b}, hostTimes{cpuTimes: b})
		require.False(t, ok, "no time has passed")
	})
}

// FuzzPressure wants a time that is one, whatever /proc/pressure/io holds.
func FuzzPressure(f *testing.F) {
	f.Add("some avg10=1.42 avg60=1.31 avg300=1.74 total=97000000\nfull avg10=0.50 avg60=0.17 avg300=0.42 total=43902921\n")
	f.Add("some total=-5")
	f.Add("some total=9223372036854775807")
	f.Fuzz(func(t *testing.T, text string) {
		waited := parsePressure(text)
		require.GreaterOrEqual(t, waited, time.Duration(0), "%q", text)
		if waited > 0 {
			require.True(t, strings.HasPrefix(text, "some "), "%q", text)
		}
	})
}

// FuzzRefusal wants of each line of the database's log that is one of a refused
// connection its time, to the millisecond, and its message.
func FuzzRefusal(f *testing.F) {
	f.Add([]byte("2026-11-20 10:11:12.345 UTC [77] FATAL:  sorry, too many clients already"))
	f.Add([]byte("2026-11-20 10:11:12.345 UTC [77] hachaos@db FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute"))
	f.Add([]byte("2026-13-45 FATAL: too many clients already"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if !isRefusal(line) {
			return
		}
		at, text, err := parseRefusal(line)
		if err != nil {
			require.Zero(t, at)
			require.Empty(t, text)
			return
		}
		require.True(t, bytes.HasPrefix(line, []byte(at.Format("2006-01-02 15:04:05.000"))), "%q: %v", line, at)
		require.Contains(t, string(line), text)
		require.Equal(t, strings.TrimSpace(text), text)
	})
}

// FuzzExit wants no number of a worker but one that the line has after these
// words.
func FuzzExit(f *testing.F) {
	f.Add([]byte("[NOTICE]   (1) : Former worker (12) exited with code 0 (Exit)"), 12)
	f.Add([]byte("[ALERT]    (1) : Former worker (99999999999999999999) exited with code 0 (Exit)"), 0)
	f.Add([]byte("Former worker (7) exited with code 01"), 3)
	f.Fuzz(func(t *testing.T, line []byte, n int) {
		pid, ok := parseExit(line)
		if ok {
			require.Contains(t, strings.ReplaceAll(string(line), "(0", "("), strings.ReplaceAll(fmt.Sprintf("Former worker (%d) exited with code 0", pid), "(0", "("))
		}
		if n = max(n, 0); n > 0 {
			got, ok := parseExit(fmt.Appendf(nil, "Former worker (%d) exited with code 0", n))
			require.True(t, ok)
			require.Equal(t, n, got)
		}
	})
}

// FuzzHealth wants a reason only of an answer that says no and gives one.
func FuzzHealth(f *testing.F) {
	f.Add(503, []byte(`{"reason":"warming up"}`))
	f.Add(200, []byte(`{"reason":"none"}`))
	f.Add(500, []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		reason := healthReason(answer{status: status, body: body})
		if reason == "" {
			return
		}
		require.NotEqual(t, 200, status)
		require.True(t, json.Valid(body))
	})
}

// FuzzCutOff wants a whole reply not to be called cut off, and each that lacks
// its end to be: at the end of a line, of one that is empty, or within one.
func FuzzCutOff(f *testing.F) {
	f.Add(int64(8), uint16(3))
	f.Add(int64(1), uint16(60))
	f.Fuzz(func(t *testing.T, pid int64, keep uint16) {
		if pid < 0 {
			return
		}
		whole := fmt.Sprintf("Pid: %d\nUptime_sec: 1\nCumReq: 2\nDroppedLogs: 0\n\n# pxname,svname,status\nb,j1,UP\n\n", pid)
		require.False(t, cutOff(whole))
		_, rows, err := parseReply(whole)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		part := whole[:min(int(keep), len(whole))]
		table := strings.Index(whole, "# pxname")
		if len(part) <= table && len(part) > 0 && strings.HasSuffix(part, "\n\n") || part != "" && !strings.HasSuffix(part, "\n") {
			require.True(t, cutOff(part), "%q", part)
		}
	})
}

// FuzzOp wants an operation's number and attempt to be read as they are
// written, and nothing else to be taken for one.
func FuzzOp(f *testing.F) {
	f.Add("12.1", uint64(12), uint16(1))
	f.Add("-", uint64(0), uint16(0))
	f.Add("1.-1", uint64(1<<63), uint16(65535))
	f.Fuzz(func(t *testing.T, s string, number uint64, try uint16) {
		op, attempt, err := parseOp(s)
		if err != nil {
			require.Zero(t, op)
			require.Zero(t, attempt)
		} else if s != "" && s != "-" {
			require.Equal(t, 1, strings.Count(s, "."))
			require.GreaterOrEqual(t, attempt, 0)
		}
		op, attempt, err = parseOp(fmt.Sprintf("%d.%d", number, try))
		require.NoError(t, err)
		require.Equal(t, number, op)
		require.Equal(t, int(try), attempt)
		again, err := parseOpNumber(fmt.Sprintf("%d.%d", number, try))
		require.NoError(t, err)
		require.Equal(t, number, again)
	})
}

// FuzzOwnerReport writes a line as ownerScript does, and wants its times back.
func FuzzOwnerReport(f *testing.F) {
	f.Add(int64(1795159126), uint32(2745), uint32(188), true)
	f.Fuzz(func(t *testing.T, sec int64, micro, took uint32, owner bool) {
		sec, micro = max(0, sec%(1<<33)), micro%1_000_000
		began := time.Unix(sec, int64(micro)*1000)
		ended := began.Add(time.Duration(took) * time.Microsecond)
		stamp := func(at time.Time) string { return fmt.Sprintf("%d.%06d", at.Unix(), at.Nanosecond()/1000) }
		line := fmt.Sprintf("%s %s %d", stamp(began), strings.Replace(stamp(ended), ".", ",", 1), map[bool]int{true: 1}[owner])
		got, err := parseOwnerLine(line)
		require.NoError(t, err)
		require.Equal(t, ownerLine{began, ended, owner}, got)
	})
}
