package docker

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/stretchr/testify/require"
)

// FuzzEngineEvents reads the engine's messages, in any order and more than
// once: each that is of a node is handed on once, and none of before the run.
func FuzzEngineEvents(f *testing.F) {
	f.Add([]byte(`{"Type":"container","Action":"die","Actor":{"ID":"a","Attributes":{"hachaos.node":"j1","exitCode":"137"}},"timeNano":1795159126002745123}`), int64(1795159126))
	f.Add([]byte(`{"Type":"container","Action":"kill","Actor":{"ID":"a","Attributes":{"hachaos.node":"j1","signal":"9"}},"timeNano":1795159126002745123}`), int64(1795159127))
	f.Add([]byte(`{"Actor":{"Attributes":null},"timeNano":-1}`), int64(0))
	f.Fuzz(func(t *testing.T, b []byte, since int64) {
		var m events.Message
		if json.Unmarshal(b, &m) != nil {
			return
		}
		e, ok := eventOf(m)
		require.Equal(t, m.Actor.Attributes[labelNode] != "", ok)
		require.Equal(t, string(m.Action), e.Action)
		require.Equal(t, m.TimeNano, e.Wall.UnixNano())
		c := newCursor(time.Unix(since%(1<<33), 0))
		fresh := c.fresh(m)
		require.Equal(t, !time.Unix(0, m.TimeNano).Before(c.since), fresh)
		require.False(t, c.fresh(m), "it was handed on already, or is too old")
		require.False(t, c.from().Before(c.since))
		later := m
		later.TimeNano++
		if fresh && later.TimeNano > m.TimeNano {
			require.True(t, c.fresh(later))
		}
	})
}

// FuzzOwner wants an owner's label to be read as it was written.
func FuzzOwner(f *testing.F) {
	f.Add("m/b/pid:[4026531836]/77/1234")
	f.Add("m/b/s/-1/2")
	f.Add("////")
	f.Fuzz(func(t *testing.T, label string) {
		o, err := parseOwner(label)
		if err != nil {
			require.Equal(t, owner{}, o)
			return
		}
		again, err := parseOwner(o.String())
		require.NoError(t, err)
		require.Equal(t, o, again)
		require.Positive(t, o.pid)
		require.Equal(t, ownerAlive, livenessOf(o, o, func(int) string { return o.start }))
	})
}

// FuzzRoutes wants prefixes that overlap something, and no default route.
func FuzzRoutes(f *testing.F) {
	f.Add([]byte("Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\neth0\t000012C6\t00000000\t0001\t0\t0\t0\t0000FEFF\n"))
	f.Add([]byte("a b c d e f g h\n"))
	f.Add([]byte("eth0 000012C6 0 0 0 0 0 00FF00FF"))
	f.Fuzz(func(t *testing.T, text []byte) {
		used, err := parseRoutes(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, u := range used {
			require.True(t, u.prefix.IsValid(), "%q", text)
			require.Positive(t, u.prefix.Bits())
			require.Equal(t, u.prefix.Masked(), u.prefix)
			require.True(t, u.prefix.Contains(u.prefix.Addr()))
			require.True(t, strings.HasPrefix(u.by, "the route through "))
		}
	})
}

// FuzzAddress writes an address as the kernel does, and wants it back.
func FuzzAddress(f *testing.F) {
	f.Add(byte(198), byte(18), byte(0), byte(1))
	f.Fuzz(func(t *testing.T, a, b, c, d byte) {
		const digits = "0123456789ABCDEF"
		text := make([]byte, 0, 8)
		for _, octet := range []byte{d, c, b, a} {
			text = append(text, digits[octet>>4], digits[octet&15])
		}
		got, err := hexAddr(string(text))
		require.NoError(t, err)
		require.Equal(t, netip.AddrFrom4([4]byte{a, b, c, d}), got)
	})
}

// FuzzMemory wants what Linux says is available, in bytes, and nothing else.
func FuzzMemory(f *testing.F) {
	f.Add([]byte("MemTotal: 5 kB\nMemAvailable:    1024 kB\n"))
	f.Add([]byte("MemAvailable: -1 kB"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, ok := parseAvailable(text); ok {
			require.Contains(t, string(text), "MemAvailable:")
		}
		n, ok := parseAvailable(append([]byte("MemFree: 3 kB\nMemAvailable: 2048 kB\n"), text...))
		require.True(t, ok)
		require.Equal(t, uint64(2<<20), n)
	})
}

// FuzzDiskLimit wants a limit that a line of that disk has, and else none.
func FuzzDiskLimit(f *testing.F) {
	f.Add("254:0\n254:0 20\n8:0 7\n")
	f.Add("8:0\n254:0 rbps=max wbps=max riops=max wiops=9\n8:0 rbps=1 wbps=2 riops=3 wiops=max\n")
	f.Add("254:0")
	f.Add("254:0\n254:0 -1\n")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseDiskLimit(text)
		if err != nil {
			require.Zero(t, l)
			return
		}
		require.True(t, strings.HasPrefix(text, l.Device))
		require.GreaterOrEqual(t, l.Writes, 0)
		if l.Writes > 0 {
			require.Greater(t, strings.Count(text, l.Device), 1, "%q", text)
		}
	})
}

// FuzzLogLine: a line of a log is the text behind the engine's time, and one
// without a time is an error that shows it.
func FuzzLogLine(f *testing.F) {
	for _, s := range []string{"2026-11-20T08:15:00.000000001Z a line", "2026-11-20T08:15:00Z ", "2026-11-20T08:15:00Z", "", " ", "yesterday a line"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		at, text, err := splitLine(line)
		if err != nil {
			require.Zero(t, at)
			require.Nil(t, text)
			return
		}
		require.True(t, bytes.HasSuffix(line, append([]byte(" "), text...)))
		stamp, err := time.Parse(time.RFC3339Nano, string(line[:len(line)-len(text)-1]))
		require.NoError(t, err)
		require.True(t, stamp.Equal(at))
	})
}
