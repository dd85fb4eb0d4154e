package fault

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// heldCgroup is a node that says this of its process and of its limits.
func heldCgroup(process, pressure string) *heldNode {
	n := heldRunning(heldInside(applicationProcess))
	n.exec = func(argv []string) (topology.Output, error) {
		if argv[2] == pressing {
			return text("%s", pressure)
		}
		if argv[2] == crashed {
			return text("%s", process)
		}
		return topology.Output{}, errUnasked
	}
	return n
}

// TestWhoDiesForWantOfMemoryDiesOfTheKernel: since the act, and it is the application
// that died.
func TestWhoDiesForWantOfMemoryDiesOfTheKernel(t *testing.T) {
	const (
		dead   = "-\n1732082400.700000000\n-\n"
		living = "-\n1732082400.000000000\n30\n"
	)
	for name, tc := range map[string]struct {
		process, pressure string
		active            bool
		measured          string
	}{
		"killed":                 {dead, "217055232 1 200 1 0 0 1\n217055232 0 1732082400.500000000\n", true, "n1: 1 killed for want of memory, process running: false, port 8080 refused"},
		"with others":            {dead, "217055232 1 200 9 0 0 1\n217055232 7 1732082400.500000000\n", true, "n1: 2 killed for want of memory, process running: false, port 8080 refused"},
		"before the act":         {dead, "217055232 1 200 7 0 0 1\n217055232 7 1732082400.500000000\n", false, "n1: 0 killed for want of memory, process running: false"},
		"another process":        {living, "217055232 1 200 1 0 0 1\n217055232 0 1732082400.500000000\n", false, "n1: 1 killed for want of memory, process running: true"},
		"another's, number 1":    {"-\n-\n1\n", "217055232 1 200 1 0 0 1\n217055232 0 1732082400.500000000\n", false, "n1: 1 killed for want of memory, process running: true"},
		"without an act":         {dead, "max 1 200 1 0 0 1\n- - -\n", false, "n1: 1 killed for want of memory, process running: false"},
		"it died of itself":      {dead, "217055232 1 200 0 0 0 1\n217055232 0 1732082400.500000000\n", false, "n1: 0 killed for want of memory, process running: false"},
		"nothing of it happened": {living, "max 1 200 0 0 0 1\n- - -\n", false, "n1: 0 killed for want of memory, process running: true"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := heldCgroup(tc.process, tc.pressure)
				n.serves = func() string { return refused }
				p, err := heldLook(t, 0, OutOfMemory{}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				if !tc.active {
					require.Zero(t, p.From)
					return
				}
				require.True(t, p.From.Equal(time.Unix(1732082400, 5e8)), "the act")
				require.True(t, p.To.Equal(time.Unix(1732082400, 7e8)), "the end")
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		n := heldCgroup("-\n1732082400.300000000\n-\n", "1 1 200 1 0 0 1\n1 0 1732082400.500000000\n")
		n.serves = func() string { return refused }
		p, err := heldLook(t, 0, OutOfMemory{}.Active, n)
		require.NoError(t, err)
		require.True(t, p.To.Equal(p.From), "an end that was noticed before the act is no earlier than it")
		require.Contains(t, p.How[1], "the limit is 0.0 MiB, asked 1 bytes")
	})
}

// TestAfterWantOfMemoryTheProcessRunsWithoutDemand: each of the two is looked at.
func TestAfterWantOfMemoryTheProcessRunsWithoutDemand(t *testing.T) {
	for name, tc := range map[string]struct {
		process, pressure string
		want              bool
	}{
		"healed":          {"-\n-\n31\n", "max 1 200 1 0 0 1\n- - -\n", true},
		"number 1":        {"-\n-\n1\n", "max 1 200 1 0 0 1\n- - -\n", true},
		"no process":      {"-\n-\n-\n", "max 1 200 1 0 0 1\n- - -\n", false},
		"demand is left":  {"-\n-\n31\n", "max 1 200 1 0 0 1\n1 0 1732082400.500000000\n", false},
		"neither of both": {"-\n-\n-\n", "max 1 200 1 0 0 1\n1 0 1732082400.500000000\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := heldCgroup(tc.process, tc.pressure)
				p, err := heldLook(t, 0, OutOfMemory{}.Healed, n)
				require.NoError(t, err)
				require.Equal(t, tc.want, p.OK, "%+v", p)
				require.Equal(t, tc.want, len(n.dials) == 1)
			})
		})
	}
}

// TestWantOfMemoryIsMadeByALimitAndADemand: 16 MiB more than what is held, of which
// three times as much is taken; the limit of the processor stays.
func TestWantOfMemoryIsMadeByALimitAndADemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heldInside(applicationProcess)
		n := heldRunning(m)
		n.limits.CPU = 0.5
		require.NoError(t, OutOfMemory{}.Inject(t.Context(), []topology.Node{n}, &undos{}))
		require.Equal(t, topology.Limits{Memory: 216 << 20, CPU: 0.5}, n.limits)
		require.Equal(t, map[string]string{"/run/hachaos-pressure-memory": fmt.Sprint(216 << 20)}, m.asked)
		require.Contains(t, n.did[len(n.did)-1][2], "dd if=/dev/zero bs=50331648 count=1 ")
	})
	require.NoError(t, OutOfMemory{Port: 65535}.Validate())
}

// TestASqueezeIsProvenByItsLimit: to a tenth of what was asked, counted from what was
// held then, with nothing killed and no more room now.
func TestASqueezeIsProvenByItsLimit(t *testing.T) {
	const (
		mib  = 1 << 20
		held = 100 * mib
		room = 100 * mib
	)
	say := func(limit, holds, killed int) string {
		return fmt.Sprintf("%d 1 %d %d 0 0 1732082400900000000\n%d-%d 2 1732082400.500000000\n", limit, holds, killed, held+room, held)
	}
	for name, tc := range map[string]struct {
		pressure string
		active   bool
	}{
		"as asked":              {say(held+room, held, 2), true},
		"it holds more now":     {say(held+room, held+50*mib, 2), true},
		"a tenth more room now": {say(held+room, held-10*mib, 2), true},
		"more room than that":   {say(held+room, held-10*mib-1, 2), false},
		"a tenth of room less":  {say(held+90*mib, held, 2), true},
		"less room than that":   {say(held+90*mib-1, held, 2), false},
		"a tenth of room more":  {say(held+110*mib, held, 2), true},
		"too much room":         {say(held+110*mib+1, held+mib, 2), false},
		"one killed":            {say(held+room, held, 3), false},
		"no limit":              {fmt.Sprintf("max 1 %d 2 0 0 1\n%d-%d 2 1732082400.500000000\n", held, held+room, held), false},
		"no act":                {fmt.Sprintf("%d 1 %d 2 0 0 1\n- - -\n", held+room, held), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := heldCgroup("", tc.pressure)
				p, err := heldLook(t, 0, MemorySqueeze{Room: room}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, "at most 100.0 MiB above what it holds", p.Asked)
				require.Contains(t, p.Measured, "n1: limit ")
				if tc.active {
					require.True(t, p.From.Equal(time.Unix(1732082400, 5e8)), "the act")
					require.True(t, p.To.Equal(time.Unix(1732082400, 9e8)), "the look")
					require.Len(t, p.How, 5)
					require.Equal(t, "n1: the kernel has killed 0 of its processes since the act", p.How[2])
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		p, err := heldLook(t, 0, MemorySqueeze{Room: room}.Active, heldCgroup("", say(held+room, held+10*mib, 2)))
		require.NoError(t, err)
		require.Equal(t, []string{
			"n1: its cgroup's limit is 209715200 bytes, asked 209715200",
			"n1: that is 100.0 MiB above the 100.0 MiB that it held then",
			"n1: the kernel has killed 0 of its processes since the act",
			"n1: 90.0 MiB are left above what it holds",
			"n1: port 8080, tried from outside: connected",
		}, p.How)
	})
	// A small limit above much that was held: a tenth of the whole is more than the room.
	synctest.Test(t, func(t *testing.T) {
		n := heldCgroup("", fmt.Sprintf("%d 1 %d 0 0 0 1\n%d-%d 0 1732082400.500000000\n", 1010*mib, 1005*mib, 1024*mib, 1000*mib))
		p, err := heldLook(t, 0, MemorySqueeze{}.Active, n)
		require.NoError(t, err)
		require.False(t, p.OK, "%+v", p)
		n = heldCgroup("", fmt.Sprintf("%d 1 %d 0 0 0 1\n%d-%d 0 1732082400.500000000\n", 124*mib, 120*mib, 224*mib, 100*mib))
		p, err = heldLook(t, 0, MemorySqueeze{}.Active, n)
		require.NoError(t, err)
		require.False(t, p.OK, "the room is right, and the limit is none that was asked: %+v", p)
	})
}

// TestASqueezeIsHealedWithoutADemand: the limit is told in words.
func TestASqueezeIsHealedWithoutADemand(t *testing.T) {
	for pressure, want := range map[string]string{
		"max 1 1 0 0 0 1\n- - -\n":                                "n1: no limit, port 8080 connected",
		"1048576 1 1 0 0 0 1\n- - -\n":                            "n1: limit 1.0 MiB, port 8080 connected",
		"9223372036854771712 1 1 0 0 0 1\n- - -\n":                "n1: no limit, port 8080 connected",
		"max 1 1 0 0 0 1\n2-1 0 1732082400.500000000\n":           "n1: no limit",
		"1048576 1 1 0 0 0 1\n2097152-1 0 1732082400.500000000\n": "n1: limit 1.0 MiB",
	} {
		synctest.Test(t, func(t *testing.T) {
			n := heldCgroup("", pressure)
			p, err := heldLook(t, 0, MemorySqueeze{}.Healed, n)
			require.NoError(t, err)
			require.Equal(t, len(n.dials) == 1, p.OK)
			require.Equal(t, want, p.Measured)
		})
	}
}

// TestASqueezeLeavesTheRoomThatWasAsked: on top of what is held; the limit of the
// processor stays.
func TestASqueezeLeavesTheRoomThatWasAsked(t *testing.T) {
	for room, want := range map[int64]int64{0: 224 << 20, 1 << 20: 201 << 20, 100 << 20: 300 << 20} {
		synctest.Test(t, func(t *testing.T) {
			m := heldInside(applicationProcess)
			n := heldRunning(m)
			n.limits.CPU = 0.5
			require.NoError(t, MemorySqueeze{Room: room}.Inject(t.Context(), []topology.Node{n}, &undos{}))
			require.Equal(t, topology.Limits{Memory: want, CPU: 0.5}, n.limits)
			require.Equal(t, map[string]string{"/run/hachaos-pressure-memory": fmt.Sprintf("%d-%d", want, 200<<20)}, m.asked)
		})
	}
	for _, room := range []int64{1<<20 - 1, 1<<40 + 1, -1} {
		require.ErrorContains(t, MemorySqueeze{Room: room}.Validate(), fmt.Sprintf("memory-squeeze: room of %d bytes: want 1 MiB to 1 TiB, or 0 for 24.0 MiB", room))
	}
	for _, room := range []int64{0, 1 << 20, 1 << 40} {
		require.NoError(t, MemorySqueeze{Room: room}.Validate())
	}
	require.ErrorContains(t, MemorySqueeze{Port: 65536}.Validate(), "memory-squeeze: port 65536")
	for _, bad := range []string{"", "5", "x-1", "1-x", "1-2-3"} {
		_, _, err := squeezed(bad)
		require.ErrorContains(t, err, `what was asked: "`+bad+`"`)
		synctest.Test(t, func(t *testing.T) {
			if bad == "" {
				return
			}
			_, err := heldLook(t, 0, MemorySqueeze{}.Active, heldCgroup("", "1 1 1 0 0 0 1\n"+bad+" 0 1732082400.500000000\n"))
			require.ErrorContains(t, err, "n1: what was asked")
		})
	}
}

// heldStarved is a node whose container takes so much of a core, and is held back in so
// many periods between two looks.
func heldStarved(cores float64, periods int64) *heldNode {
	looks := int64(0)
	n := heldRunning(heldInside(applicationProcess))
	n.exec = func([]string) (topology.Output, error) {
		looks++
		now := time.Now().UnixNano()
		return text("max 1 1 0 %.0f %d %d\n0.5 0 1732082400.500000000\n", cores*float64(now), 7+looks*periods, now)
	}
	return n
}

// TestStarvationIsMeasuredOverDemand: to a tenth, over two seconds in which the
// scheduler held it back.
func TestStarvationIsMeasuredOverDemand(t *testing.T) {
	for name, tc := range map[string]struct {
		cores   float64
		periods int64
		want    bool
	}{
		"as asked":            {0.5, 1, true},
		"a little more":       {0.549, 1, true},
		"more than a tenth":   {0.551, 1, false},
		"a little less":       {0.451, 1, true},
		"less than a tenth":   {0.449, 1, false},
		"nothing held it":     {0.5, 0, false},
		"held back, and idle": {0, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				p, err := heldLook(t, starvedFor+time.Second, CPUStarvation{CPU: 0.5}.Active, heldStarved(tc.cores, tc.periods))
				require.NoError(t, err)
				require.Equal(t, tc.want, p.OK, "%+v", p)
				require.Equal(t, fmt.Sprintf("n1: %.3f of a core, held back in %d periods", tc.cores, tc.periods), p.Measured)
				require.True(t, p.From.Equal(time.Unix(1732082400, 5e8)), "the act")
				require.Contains(t, p.How[0], "of a core over 2s, asked 0.5")
				require.Len(t, p.How, 2)
				if tc.want {
					require.Equal(t, starvedFor, time.Since(began))
				}
			})
		})
	}
}

// TestStarvationWithoutADemandIsNone: it is seen at once, and nothing is measured.
func TestStarvationWithoutADemandIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := heldRunning(heldInside(applicationProcess))
		p, err := heldLook(t, time.Second, CPUStarvation{}.Active, n)
		require.NoError(t, err)
		require.False(t, p.OK)
		require.Equal(t, "n1: no demand and no quota of this fault", p.Measured)
		require.Equal(t, "0.2 of a core, at most", p.Asked)
		_, err = heldLook(t, time.Second, CPUStarvation{CPU: 0.5}.Active, heldStarved(0.5, 1))
		require.ErrorIs(t, err, context.DeadlineExceeded, "a look that is broken off is none")
		require.ErrorContains(t, err, "there was no time for one look")
		n = heldCgroup("", "max 1 1 0 0 0 1\n0.2 0 1732082400.500000000\n")
		p, err = heldLook(t, time.Second, CPUStarvation{}.Healed, n)
		require.NoError(t, err)
		require.False(t, p.OK)
		require.Equal(t, "n1: demand of a fault: true", p.Measured)
		require.Equal(t, []string{"n1: demand of a fault in the container: true"}, p.How)
		require.Empty(t, n.dials)
	})
}

// TestStarvationSetsTheQuotaThatWasAsked: by default a fifth of a core; the limit of
// memory stays, and a quota that is there already is refused.
func TestStarvationSetsTheQuotaThatWasAsked(t *testing.T) {
	for cpu, want := range map[float64]float64{0: 0.2, 0.02: 0.02, 0.9: 0.9} {
		synctest.Test(t, func(t *testing.T) {
			m := heldInside(applicationProcess)
			n := heldRunning(m)
			n.limits = topology.Limits{Memory: 1 << 30, CPU: 1}
			require.NoError(t, CPUStarvation{CPU: cpu}.Inject(t.Context(), []topology.Node{n}, &undos{}))
			require.Equal(t, topology.Limits{Memory: 1 << 30, CPU: want}, n.limits)
			require.Equal(t, map[string]string{"/run/hachaos-pressure-cpu": fmt.Sprint(want)}, m.asked)
			require.NoError(t, CPUStarvation{CPU: cpu}.Validate())

			n = heldRunning(heldInside(applicationProcess))
			n.limits.CPU = want
			log := &undos{}
			require.ErrorContains(t, CPUStarvation{CPU: cpu}.Inject(t.Context(), []topology.Node{n}, log), fmt.Sprintf("cpu-starvation n1: its quota is %v of a core already", want))
			require.Empty(t, log.all)
		})
	}
	for _, cpu := range []float64{0.0199, 0.901, -1} {
		require.ErrorContains(t, CPUStarvation{CPU: cpu}.Validate(), "of a core: want 0.02 to 0.9, or 0 for 0.2")
	}
	require.ErrorContains(t, CPUStarvation{Port: 65536}.Validate(), "cpu-starvation: port 65536")
}

// TestALimitIsReadBack: to a ten-thousandth of a core and to the byte.
func TestALimitIsReadBack(t *testing.T) {
	for name, tc := range map[string]struct {
		now    topology.Limits
		params map[string]string
		err    string
	}{
		"memory":                 {topology.Limits{Memory: 5, CPU: 0.5}, map[string]string{ofMemory: "5"}, ""},
		"a byte more":            {topology.Limits{Memory: 6}, map[string]string{ofMemory: "5"}, "the engine says that the limits are {Memory:6 CPU:0}, want {Memory:5 CPU:0}"},
		"a quota, nearly":        {topology.Limits{CPU: 0.50009}, map[string]string{ofCPU: "0.5"}, ""},
		"nearly, below":          {topology.Limits{CPU: 0.49991}, map[string]string{ofCPU: "0.5"}, ""},
		"a quota, nearly not":    {topology.Limits{CPU: 0.50011}, map[string]string{ofCPU: "0.5"}, "want {Memory:0 CPU:0.5}"},
		"no number":              {topology.Limits{}, map[string]string{ofCPU: "half"}, "invalid syntax"},
		"no whole number":        {topology.Limits{}, map[string]string{ofMemory: "0.5"}, "invalid syntax"},
		"what cannot be limited": {topology.Limits{}, map[string]string{"disk": "5"}, `"disk" is no limit`},
		"none":                   {topology.Limits{}, nil, "the entry names no limit"},
	} {
		t.Run(name, func(t *testing.T) {
			n := heldRunning(heldInside(applicationProcess))
			n.limitless, n.limits = true, tc.now
			err := Undo(t.Context(), []topology.Node{n}, Entry{Undo: LimitsRestored, Node: "n1", Params: tc.params})
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
}

// TestTheLimitsOfAContainerThatIsDownAreRestored: what ran in it went with it.
func TestTheLimitsOfAContainerThatIsDownAreRestored(t *testing.T) {
	n := heldRunning(heldInside(applicationProcess))
	n.state.Running = false
	n.limits = topology.Limits{Memory: 5, CPU: 0.2}
	e := Entry{Undo: LimitsRestored, Node: "n1", Params: map[string]string{ofMemory: "0", ofCPU: "1"}}
	require.NoError(t, Undo(t.Context(), []topology.Node{n}, e))
	require.Equal(t, topology.Limits{CPU: 1}, n.limits)
	require.Empty(t, n.acts, "it is not started for that")
}

// TestPressureIsReadWordByWord: each has its place, and each must be a number.
func TestPressureIsReadWordByWord(t *testing.T) {
	got, err := parsePressure("1 2 3 4 5 6 7\n8-9 10 11.000000012\n")
	require.NoError(t, err)
	require.Equal(t, pressure{
		limit: 1, used: 2, held: 3, killed: 4, nanos: 5, throttled: 6, at: time.Unix(0, 7), asked: "8-9", killedBefore: 10, since: time.Unix(11, 12),
	}, got)
	for _, bad := range []string{
		"x 2 3 4 5 6 7 - - -", "1 x 3 4 5 6 7 - - -", "1 2 x 4 5 6 7 - - -", "1 2 3 x 5 6 7 - - -", "1 2 3 4 x 6 7 - - -", "1 2 3 4 5 x 7 - - -",
		"1 2 3 4 5 6 x - - -", "1 2 3 4 5 6 7 8 x 11.000000012", "1 2 3 4 5 6 7 8 9 11", "1 2 3 4 5 6 7 - -", "1 2 3 4 5 6 7 - - - -",
	} {
		got, err := parsePressure(bad)
		require.ErrorContains(t, err, "state of the limits: ", bad)
		require.Zero(t, got)
	}
	for limit, want := range map[int64]int64{1 << 60: 0, 1<<60 - 1: 1<<60 - 1} {
		got, err := parsePressure(fmt.Sprintf("%d 2 3 4 5 6 7 - - -", limit))
		require.NoError(t, err)
		require.Equal(t, want, got.limit)
	}
	require.Equal(t, "1.5 MiB", megabytes(3<<19))
	require.Equal(t, "0.0 MiB", megabytes(1))
}
