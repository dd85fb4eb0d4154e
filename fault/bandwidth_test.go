package fault

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestTheLimitsOfABandwidth(t *testing.T) {
	for kbit, ok := range map[int]bool{-1: false, 0: false, 199: false, 200: true, 201: true, 50_000: true, 50_001: false} {
		err := Bandwidth{KBit: kbit}.Validate()
		require.Equal(t, ok, err == nil, "%d: %v", kbit, err)
	}
	require.EqualError(t, Bandwidth{KBit: 199}.Validate(), "bandwidth: 199 kbit/s: want 200 to 50000")
	for kbit, bytes := range map[int]int{200: 3200, 2560: 3200, 2561: 3201, 4000: 5000, 50_000: 62_500} {
		require.Equal(t, bytes, Bandwidth{KBit: kbit}.burst(), "%d kbit/s", kbit)
	}
	for kbit, want := range map[int][2]int{1000: {999, 3125}, 1001: {1000, 3128}} {
		size, waiting := Bandwidth{KBit: kbit}.flooded()
		require.Equal(t, want, [2]int{size, waiting}, "%d kbit/s", kbit)
	}
}

// TestABandwidthIsMeasuredToATenth: on a link that had something to send all the
// time but a tenth.
func TestABandwidthIsMeasuredToATenth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Bandwidth{KBit: 4000}
		for _, tc := range []struct {
			times float64
			dry   int
			want  bool
		}{
			{1, 0, true},
			{0.9, 0, true},
			{1.1, 0, true},
			{0.899, 0, false},
			{1.101, 0, false},
			{1, 5, true},
			{1, 6, false},
			{1, 50, false},
		} {
			w := newWired()
			require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
			w.times, w.dry = tc.times, tc.dry
			p := wiredSeen(t, f.Active, w.some("j1"))
			require.Equal(t, tc.want, p.OK, "%+v", p)
		}
		w := newWired()
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK)
		require.Equal(t, "j1: 0", p.Measured, "no limit")
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		w.dry = 3
		p = wiredSeen(t, f.Active, w.some("j1"))
		require.Equal(t, []string{
			"j1: with something to send all the time it got 4000 kbit/s away; 0 stands for no limit",
			"j1: looks that found nothing waiting to be sent: 3 of 50",
		}, p.How)
		w.breaks = func(*wired, []string) *wiredReply { return &wiredReply{out: topology.Output{Stdout: []byte("1 2\n")}} }
		p, err := wiredOnce(t, f.Active, w.some("j1"))
		require.ErrorContains(t, err, "j1: rate of what is sent: ")
		require.Equal(t, "kbit/s", p.Unit)
	})
}

func TestALinkIsBusyAllTheTimeButATenth(t *testing.T) {
	for _, tc := range []struct {
		dry, looks int
		want       bool
	}{{0, 0, true}, {0, 50, true}, {5, 50, true}, {5, 49, false}, {6, 59, false}, {6, 60, true}, {1, 9, false}} {
		require.Equal(t, tc.want, flow{dry: tc.dry, looks: tc.looks}.busy(), "%d of %d", tc.dry, tc.looks)
	}
}

func TestWhatAFloodSaysIsSixNumbers(t *testing.T) {
	got, err := parseFlood("1000 5000\n126000 255000 48 3\n")
	require.NoError(t, err)
	require.Equal(t, flow{kbit: 4000, looks: 48, dry: 3}, got)
	got, err = parseFlood(" none \n")
	require.NoError(t, err)
	require.Equal(t, flow{}, got)
	for _, text := range []string{
		"", "1000 5000\n126000 255000 48\n", "1000 5000\n126000 255000 48 3 1\n", "1000 5000\n126000 5000 48 3\n", "1000 5000\n126000 4999 48 3\n",
		"1000 5000\n126000 255000 many 3\n", "none none\n",
		"1000 5000 many 126000 255000 48 3\n",
	} {
		_, err := parseFlood(text)
		require.ErrorContains(t, err, "want bytes and microseconds, twice, and two numbers", text)
	}
	got, err = parseFlood("5000 1000\n10000 1001 6 0\n")
	require.NoError(t, err)
	require.InDelta(t, 40_000_000, got.kbit, 1, "bytes are compared with bytes, and times with times")
	got, err = parseFlood("0 9000000000000000000\n0 9000000000000000001 6 0\n")
	require.NoError(t, err)
	require.Zero(t, got.kbit)
}

// TestALinkIsFloodedTowardsAnotherNode: of so many bytes for so long; without
// another there is nobody to send to.
func TestALinkIsFloodedTowardsAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), Bandwidth{KBit: 4000}
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		require.Equal(t, []string{"tbf", "rate", "4000kbit", "burst", "5000", "latency", "100ms"}, w.node("j1").queue)
		require.True(t, wiredSeen(t, f.Active, w.some("j1")).OK)
		last := w.node("j1").did[len(w.node("j1").did)-1]
		require.Equal(t, []string{"bash", "-c", flood, "flood", "198.18.7.10", "1000", "12500", "250000"}, last)

		j1 := w.node("j1")
		all := j1.peers
		for name, tc := range map[string]struct {
			peers []topology.Node
			want  string
		}{
			"itself alone":      {w.some("j1"), ""},
			"nobody":            {nil, ""},
			"without addresses": {[]topology.Node{wiredAlone{Container: w.node("db")}}, ""},
			"the next":          {append(w.some("j1"), wiredAlone{Container: w.node("db")}, w.node("lb2")), "198.18.7.32"},
			"the first of two":  {w.some("toxi", "lb2"), "198.18.7.20"},
			"an invalid one":    {[]topology.Node{member{name: "db"}, w.node("lb2")}, "198.18.7.32"},
		} {
			j1.peers = tc.peers
			to, ok := neighbour(j1)
			require.Equal(t, tc.want != "", ok, name)
			if ok {
				require.Equal(t, tc.want, to.String(), name)
				continue
			}
			_, err := wiredOnce(t, f.Active, w.some("j1"))
			require.EqualError(t, err, "bandwidth: node j1: "+ErrCapability.Error()+" (another node to send to)", name)
		}
		j1.peers = all
		_, ok := neighbour(wiredNothing{j1})
		require.False(t, ok)
	})
}

// TestALimitThatIsLeftIsNotHealed: of either kind; another queue is none.
func TestALimitThatIsLeftIsNotHealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for root, there := range map[string]bool{"tbf": true, "netem": true, "noqueue": false, "fq_codel": false, "mytbf": false, "pfifo_fast": false} {
			w := newWired()
			w.node("j1").queue = []string{root}
			p := wiredSeen(t, Bandwidth{KBit: 4000}.Healed, w.some("j1"))
			require.Equal(t, !there, p.OK, root)
			require.Equal(t, map[bool]string{true: "j1: limited", false: "j1: no limit"}[there], p.Measured)
			require.Equal(t, []string{"j1: a limit on what it sends is there: " + map[bool]string{true: "true", false: "false"}[there]}, p.How)
			require.Equal(t, there, unshaped(t.Context(), w.node("j1")) != nil)
			require.NoError(t, Undo(t.Context(), w.everybody(), Entry{Undo: ShapingAbsent, Node: "j1"}))
			require.Equal(t, !there, slices.Equal(w.node("j1").queue, []string{root}), "what is none of hachaos's stays: %s", root)
		}
	})
}
