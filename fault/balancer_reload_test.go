package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// heldReloaded is a balancer whose HAProxy is given another configuration.
type heldReloaded struct {
	maxConn, first int
	workers        []int
	master         bool // it listens
	changed        bool
	note           string
	silent         string // it says this in place of its figures
	earlier        string // and this a moment before
	how            string // the function that was called
}

func heldProxy() *heldReloaded {
	return &heldReloaded{maxConn: 2000, first: 2000, workers: []int{20}, master: true}
}

func (b *heldReloaded) info() string {
	if b.silent != "" {
		return b.silent
	}
	return fmt.Sprintf("Name: HAProxy\nPid: %d\nMaxsock: 8000\nMaxconn: %d\n\n", slices.Max(b.workers), b.maxConn)
}

// take has a new worker serve with that maxconn.
func (b *heldReloaded) take(maxConn int) {
	b.maxConn, b.workers = maxConn, []int{slices.Max(b.workers) + 1}
}

func (b *heldReloaded) exec(argv []string) (topology.Output, error) {
	switch {
	case slices.Equal(argv, []string{"test", "-e", configBefore}):
		return topology.Output{Code: map[bool]int{true: 0, false: 1}[b.changed]}, nil
	case slices.Equal(argv, workers()):
		state := map[bool]string{true: "changed", false: "first"}[b.changed]
		return text("%s\n--\n%s\n", strings.Trim(strings.ReplaceAll(fmt.Sprint(b.workers), " ", "\n"), "[]"), state)
	case argv[0] != "bash" || len(argv) < 5:
	case argv[3] == "hachaos-reload":
		maxConn, err := strconv.Atoi(argv[4])
		if err != nil {
			return topology.Output{}, err
		}
		b.how = strings.Fields(argv[2][strings.LastIndex(argv[2], "before=$EPOCHREALTIME\n")+len("before=$EPOCHREALTIME\n"):])[0]
		b.take(maxConn)
		b.changed, b.note = true, heldEpoch(time.Now())+" "+heldEpoch(time.Now().Add(time.Millisecond))
		return topology.Output{}, nil
	case argv[3] == "hachaos-restore":
		if b.changed {
			b.take(b.first)
			b.changed = false
		}
		return topology.Output{}, nil
	case argv[3] == "hachaos-inquire" && argv[4] == "show info":
		note := "-"
		if argv[5] == "balancer-reload" && b.note != "" {
			note = b.note
		}
		if !b.master {
			return topology.Output{Code: noSocket}, nil
		}
		first := b.info()
		if b.earlier != "" {
			first = b.earlier
		}
		return text("%s--\n%s--\n%s\n", first, b.info(), note)
	}
	return topology.Output{}, errUnasked
}

func heldBalancing(b *heldReloaded) *heldNode {
	return &heldNode{stub: &stub{name: "lb1", role: topology.Balancer, port: 80, state: up, exec: b.exec}, socket: b.info}
}

// TestAReloadIsProvenByTheWorkerThatAnswers: it has the asked figure, and is the
// youngest; those that still finish what they have decide nothing.
func TestAReloadIsProvenByTheWorkerThatAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		change         func(*heldReloaded)
		active, healed bool
		how            string
	}{
		"reloaded":                   {func(*heldReloaded) {}, true, false, "of 1 workers the youngest is 21"},
		"answered by another before": {func(b *heldReloaded) { b.earlier = "Pid: 20\nMaxconn: 2000\n\n" }, true, false, "has maxconn 3999"},
		"an old one left":            {func(b *heldReloaded) { b.workers = []int{20, 21} }, true, false, "of 2 workers the youngest is 21"},
		"another figure":             {func(b *heldReloaded) { b.maxConn = 3998 }, false, false, "the worker that answers, 21, has maxconn 3998"},
		"the old one":                {func(b *heldReloaded) { b.silent, b.workers = "Pid: 20\nMaxconn: 3999\n\n", []int{20, 21} }, false, false, "of 2 workers the youngest is 21"},
		"none is left":               {func(b *heldReloaded) { b.silent, b.workers = "Pid: 21\nMaxconn: 3999\n\n", []int{} }, false, false, "of 0 workers the youngest is 0"},
		"back":                       {func(b *heldReloaded) { b.take(2000); b.changed = false }, false, true, "has maxconn 2000"},
		"the file alone":             {func(b *heldReloaded) { b.changed = false }, true, false, "has maxconn 3999"},
		"the figure alone":           {func(b *heldReloaded) { b.take(2000) }, false, false, "has maxconn 2000"},
		"back, two workers":          {func(b *heldReloaded) { b.maxConn, b.changed, b.workers = 2000, false, []int{21, 22} }, false, false, "of 2 workers"},
		"back, no worker":            {func(b *heldReloaded) { b.silent, b.changed, b.workers = "Pid: 20\nMaxconn: 2000\n\n", false, []int{} }, false, false, "of 0 workers"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := heldProxy()
				n := heldBalancing(b)
				began := time.Now()
				require.NoError(t, BalancerReload{}.Inject(t.Context(), []topology.Node{n}, &undos{}))
				tc.change(b)
				p, err := heldLook(t, 0, BalancerReload{}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Contains(t, strings.Join(p.How, "\n"), tc.how)
				require.True(t, p.From.Equal(began), "by the balancer's own clock")
				require.True(t, p.To.Equal(began.Add(time.Millisecond)))
				p, err = heldLook(t, 0, BalancerReload{}.Healed, n)
				require.NoError(t, err)
				require.Equal(t, tc.healed, p.OK, "%+v", p)
				require.Contains(t, strings.Join(p.How, "\n"), map[bool]string{true: "the new one", false: "the first one"}[b.changed])
				require.Zero(t, p.From)
				require.Zero(t, p.To)
			})
		})
	}
}

// TestABalancerThatDoesNotAnswerProvesNothing: without a socket it is a sight, and
// with a reply that says nothing an error.
func TestABalancerThatDoesNotAnswerProvesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := heldProxy()
		n := heldBalancing(b)
		require.NoError(t, BalancerReload{}.Inject(t.Context(), []topology.Node{n}, &undos{}))
		b.master = false
		p, err := heldLook(t, 0, BalancerReload{}.Active, n)
		require.NoError(t, err)
		require.False(t, p.OK)
		require.Equal(t, "lb1: no answer", p.Measured)
		require.Equal(t, []string{"lb1: nothing listens on HAProxy's runtime socket"}, p.How)
		b.master, b.silent = true, "Unknown command.\n\n"
		_, err = heldLook(t, 0, BalancerReload{}.Active, n)
		require.ErrorContains(t, err, "want Pid and Maxconn")
		b.silent = "x"
		_, err = heldLook(t, 0, BalancerReload{}.Active, n)
		require.ErrorContains(t, err, "want two replies and a note")
	})
}

// TestABalancersOwnFigureIsAskedBeforeAReload: one that has the new one already, that
// cannot be asked or that says none is refused before any act.
func TestABalancersOwnFigureIsAskedBeforeAReload(t *testing.T) {
	for name, tc := range map[string]struct {
		fault  BalancerReload
		change func(*heldNode, *heldReloaded)
		err    string
	}{
		"the same already": {BalancerReload{MaxConn: 2000}, func(*heldNode, *heldReloaded) {}, "balancer-reload: balancer lb1: its maxconn is 2000 already"},
		"by default":       {BalancerReload{}, func(_ *heldNode, b *heldReloaded) { b.maxConn = 3999 }, "its maxconn is 3999 already"},
		"no figure":        {BalancerReload{}, func(_ *heldNode, b *heldReloaded) { b.silent = "Pid: 7\n\n" }, "balancer-reload: balancer lb1: show info: \"Pid: 7"},
		"no process":       {BalancerReload{}, func(_ *heldNode, b *heldReloaded) { b.silent = "Maxconn: 7\n\n" }, "want Pid and Maxconn"},
		"too much":         {BalancerReload{}, func(_ *heldNode, b *heldReloaded) { b.silent = "Maxconn: 99999999999999999999\n" }, "show info: Maxconn: "},
		"too few":          {BalancerReload{MaxConn: 99}, func(*heldNode, *heldReloaded) {}, "balancer-reload: maxconn 99: want 100 to 100000, or 0 for 3999"},
		"too many":         {BalancerReload{MaxConn: 100001}, func(*heldNode, *heldReloaded) {}, "want 100 to 100000"},
		"fewer than none":  {BalancerReload{MaxConn: -1}, func(*heldNode, *heldReloaded) {}, "want 100 to 100000"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := heldProxy()
				n := heldBalancing(b)
				tc.change(n, b)
				log := &undos{}
				require.ErrorContains(t, tc.fault.Inject(t.Context(), []topology.Node{n}, log), tc.err)
				require.Empty(t, log.all)
				require.Empty(t, n.did)
			})
		})
	}
	for _, f := range []BalancerReload{{}, {MaxConn: 100}, {MaxConn: 100000}} {
		require.NoError(t, f.Validate())
	}
}

// TestAReloadIsNoRestart: which of the two is done is said.
func TestAReloadIsNoRestart(t *testing.T) {
	for _, restart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := heldProxy()
			require.NoError(t, BalancerReload{Restart: restart}.Inject(t.Context(), []topology.Node{heldBalancing(b)}, &undos{}))
			require.Equal(t, map[bool]string{true: "restart", false: "reload"}[restart], b.how)
		})
	}
}

// TestWorkersAreCountedByTheirNumbers: what is no number, or no list, is an error.
func TestWorkersAreCountedByTheirNumbers(t *testing.T) {
	const info = "Pid: 9\nMaxconn: 100\n"
	at, err := parseServing(info, "12\n31\n7\n--\nfirst\n")
	require.NoError(t, err)
	require.Equal(t, serving{pid: 9, maxConn: 100, workers: 3, youngest: 31}, at)
	at, err = parseServing(info, "--\nchanged\n")
	require.NoError(t, err)
	require.Equal(t, serving{pid: 9, maxConn: 100, changed: true}, at)
	for text, want := range map[string]string{"x\n--\nfirst\n": "workers: strconv.Atoi", "31": "want their numbers and the configuration's state"} {
		_, err = parseServing(info, text)
		require.ErrorContains(t, err, want)
	}
}

// TestAFirstConfigurationComesBackToABalancerThatIsDown: the file outlives the
// container's end.
func TestAFirstConfigurationComesBackToABalancerThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := heldProxy()
		n := heldBalancing(b)
		log := &undos{}
		require.NoError(t, BalancerReload{MaxConn: 150}.Inject(t.Context(), []topology.Node{n}, log))
		require.NoError(t, n.Kill(t.Context()))
		require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
		require.Equal(t, []string{"kill", "start"}, n.acts)
		require.False(t, b.changed)
		require.Equal(t, restored("150"), n.did[len(n.did)-1])
	})
}
