package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestParsePressure(t *testing.T) {
	now := time.Unix(1732082400, 5)
	for name, tc := range map[string]struct {
		text string
		want pressure
		err  string
	}{
		"nothing asked": {"9223372036854771712 100 80 0 5000 0 1732082400000000005\n- - -\n", pressure{used: 100, held: 80, nanos: 5000, at: now}, ""},
		"version 2":     {"max 100 80 0 5000 0 1732082400000000005\n- - -\n", pressure{used: 100, held: 80, nanos: 5000, at: now}, ""},
		"asked": {
			"116 100 80 2 5000 7 1732082400000000005\n116 1 1732082399.500000000\n",
			pressure{limit: 116, used: 100, held: 80, killed: 2, nanos: 5000, throttled: 7, at: now, asked: "116", killedBefore: 1, since: time.Unix(1732082399, 5e8)},
			"",
		},
		"too little":     {"1 2 3\n- - -\n", pressure{}, "want ten words"},
		"no number":      {"x 100 80 0 5000 0 1\n- - -\n", pressure{}, "invalid syntax"},
		"no time of act": {"1 100 80 0 5000 0 1\n1 0 soon\n", pressure{}, "nine decimals"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parsePressure(tc.text)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestWithinATenth(t *testing.T) {
	for measured, want := range map[float64]bool{0.89: false, 0.9: true, 1: true, 1.1: true, 1.11: false} {
		require.Equal(t, want, within(measured, 1), measured)
	}
}

func TestValidateRefusesLimitsThatCannotBe(t *testing.T) {
	for name, f := range map[string]Fault{
		"no cpu":       CPUStarvation{CPU: 0.01},
		"a whole core": CPUStarvation{CPU: 1},
		"no room":      MemorySqueeze{Room: 1000},
		"less room":    MemorySqueeze{Room: -1},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorContains(t, f.Validate(), "want ") })
	}
	for _, f := range []Fault{CPUStarvation{}, CPUStarvation{CPU: 0.5}, MemorySqueeze{}, OutOfMemory{}} {
		require.NoError(t, f.Validate())
	}
}

// TestLimitsAreHealedOneByOne: of two faults on a node the first is healed first,
// which must neither end the other one nor leave anything after both.
func TestLimitsAreHealedOneByOne(t *testing.T) {
	n := &stub{name: "j1", exec: func([]string) (topology.Output, error) { return topology.Output{}, nil }}
	n.limits = topology.Limits{Memory: 512 << 20}
	v := victim{Container: n}
	squeeze, now, err := limitsEntry(t.Context(), v, ofMemory)
	require.NoError(t, err)
	now.Memory = 24 << 20
	require.NoError(t, n.Limit(t.Context(), now))
	starve, now, err := limitsEntry(t.Context(), v, ofCPU)
	require.NoError(t, err)
	now.CPU = 0.2
	require.NoError(t, n.Limit(t.Context(), now))

	require.NoError(t, Undo(t.Context(), []topology.Node{n}, squeeze))
	require.Equal(t, topology.Limits{Memory: 512 << 20, CPU: 0.2}, n.limits, "the other fault still bites")
	require.NoError(t, Undo(t.Context(), []topology.Node{n}, starve))
	require.Equal(t, topology.Limits{Memory: 512 << 20}, n.limits)
	require.Equal(t, []string{"/run/hachaos-pressure-memory", "/run/hachaos-pressure-cpu"}, n.lastWords())

	n.limitless = true // the engine says yes and does nothing
	n.limits.Memory = 24 << 20
	require.ErrorContains(t, Undo(t.Context(), []topology.Node{n}, squeeze), "the engine says that the limits are")
	for _, bad := range []map[string]string{nil, {"disk": "1"}, {ofMemory: "much"}} {
		require.Error(t, Undo(t.Context(), []topology.Node{n}, Entry{Undo: LimitsRestored, Node: "j1", Params: bad}), bad)
	}
}

// TestWhatWasNotSeenIsNotLimited: a limit that rests on an answer that says
// nothing would be the room alone.
func TestWhatWasNotSeenIsNotLimited(t *testing.T) {
	for _, f := range []Fault{MemorySqueeze{}, OutOfMemory{}} {
		n := &stub{name: "j1", exec: func(argv []string) (topology.Output, error) {
			if argv[0] == "test" {
				return topology.Output{Code: 1}, nil
			}
			return topology.Output{}, nil
		}}
		n.state.Running = true
		err := f.Inject(t.Context(), []topology.Node{n}, &undos{})
		require.ErrorContains(t, err, "want ten words", f.Kind())
		require.Zero(t, n.limits, f.Kind())
	}
}

// TestWhatCannotBeLookedForIsNoAbsence: `test` that is not there, or fails.
func TestWhatCannotBeLookedForIsNoAbsence(t *testing.T) {
	n := &stub{name: "j1", exec: func([]string) (topology.Output, error) {
		return topology.Output{Code: 127, Stderr: []byte("test: not found")}, nil
	}}
	n.state.Running = true
	for _, f := range []Fault{MemorySqueeze{}, OutOfMemory{}, CPUStarvation{}} {
		log := &undos{}
		require.ErrorContains(t, f.Inject(t.Context(), []topology.Node{n}, log), "exit status 127", f.Kind())
		require.Empty(t, log.all, f.Kind())
	}
}

// TestPressure runs the scripts themselves: when the act returns, the undo can
// end what it has begun, and leaves nothing.
func TestPressure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pressure")
	do := func(script string) error {
		out, err := exec.Command("/bin/sh", "-c", script, dir, "42").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	require.NoError(t, do(noPressure), "nothing is there")
	require.NoError(t, do(pressScript("sleep 60")))
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	require.NoError(t, err)
	require.Equal(t, "42\n", string(asked))
	text, err := os.ReadFile(filepath.Join(dir, "pid"))
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	require.True(t, alive(t, pid))
	require.ErrorContains(t, do(pressScript("sleep 60")), "another fault makes demand here already")
	require.NoError(t, do(noPressure))
	require.NoDirExists(t, dir)
	for alive(t, pid) {
		time.Sleep(time.Millisecond)
	}
}

// alive says whether the process runs: nobody may have reaped one that ended.
func alive(t *testing.T, pid int) bool {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return false
	}
	require.NoError(t, err)
	return !strings.Contains(string(stat), ") Z ")
}

// limitless is a container whose limits cannot be changed.
type limitless struct{ topology.Container }

func (limitless) Name() string { return "j1" }

func TestLimitsNeedTheCapability(t *testing.T) {
	for _, f := range []Fault{CPUStarvation{}, MemorySqueeze{}, OutOfMemory{}} {
		require.ErrorIs(t, f.Inject(context.Background(), []topology.Node{limitless{}}, nil), ErrCapability, f.Kind())
	}
	err := Undo(context.Background(), []topology.Node{limitless{}}, Entry{Undo: LimitsRestored, Node: "j1", Params: map[string]string{ofMemory: "0"}})
	require.ErrorIs(t, err, ErrCapability)
}
