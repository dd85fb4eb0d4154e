package historytest_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

const ms = time.Millisecond

func literal() (b *historytest.Builder, order, lost, open uint64) {
	b = historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, 100*ms)
	b.Phase("break", history.PhaseBreak, 100*ms, 200*ms)
	order = b.Op(history.OpOrder, 20*ms).Value(7).OK()
	lost = b.Op(history.OpSessionWrite, 110*ms).Bound("j2").Info(history.ErrReset)
	open = b.Op(history.OpSessionRead, 120*ms).Open()
	b.Fault("instance-kill", 100*ms, "j2").Active(105 * ms).Heal(150 * ms).Healed(190 * ms)
	b.Row(195*ms, 7, order, 1, "j1")
	b.See(30*ms, history.Readiness{Node: "j1", Probe: "ready", Up: true, Status: 200})
	b.Covered(200*ms, history.StreamReadiness, history.StreamLedger)
	return b, order, lost, open
}

func TestBuilder(t *testing.T) {
	b, order, lost, open := literal()
	h := b.Build(t)

	o, ok := h.Op(order)
	require.True(t, ok)
	require.Equal(t, history.Good, o.Outcome)
	require.Equal(t, "k-1", h.KeyOf(o))
	require.Equal(t, "j1", h.NodeOf(o))
	require.Equal(t, "u1", h.OwnerOf(o))
	o, ok = h.Op(lost)
	require.True(t, ok)
	require.Equal(t, history.Unknown, o.Outcome)
	require.Equal(t, "reset", h.ErrorOf(o))
	require.Empty(t, h.NodeOf(o))
	o, ok = h.Op(open)
	require.True(t, ok)
	require.EqualValues(t, -1, o.End)

	require.Len(t, h.Faults, 1)
	require.Equal(t, 105*ms, h.Faults[0].Active)
	require.Equal(t, "k-1", h.Ledger[0].V.Key)
	require.Equal(t, history.Whole, h.Integrity.State)
}

func TestSaveIsWhole(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "j1.log"), []byte("started\n"), 0o644))
	b, _, _, _ := literal()
	b.Save(t, dir, "j1.log")
	h, err := history.Load(dir)
	require.NoError(t, err)
	require.Equal(t, history.Whole, h.Integrity.State, h.Integrity.Reason)

	want := b.Build(t)
	require.Equal(t, want.Integrity.Lines+1, h.Integrity.Lines, "the end is one more")
	require.Len(t, h.Ops, len(want.Ops))
	for i := range h.Ops {
		require.Equal(t, spelled(want, i), spelled(h, i))
	}
	require.Equal(t, want.Phases, h.Phases)
	require.Equal(t, want.Faults, h.Faults)
	require.Equal(t, want.Ledger, h.Ledger)
}

// spelled is an operation with its names in words, as the numbers of names
// depend on what else was read.
func spelled(h *history.History, i int) any {
	o := h.Ops[i]
	words := []string{
		h.KeyOf(&o), h.NodeOf(&o), h.BoundOf(&o), h.UserOf(&o), h.OwnerOf(&o),
		h.SessionIDOf(&o), h.VersionOf(&o), h.BalancerOf(&o), h.ErrorOf(&o),
	}
	o.Key, o.Node, o.Bound, o.User, o.Owner, o.SessionID = 0, 0, 0, 0, 0, 0
	o.Version, o.Balancer, o.Error = 0, 0, 0
	return []any{o, words}
}

type fatal struct{ said string }

func (f *fatal) Helper()                   {}
func (f *fatal) Fatalf(s string, a ...any) { f.said = s }

func TestBuilderRefuses(t *testing.T) {
	var f fatal
	historytest.New().See(0, "a word").Build(&f)
	require.NotEmpty(t, f.said)
	f = fatal{}
	historytest.New().Row(0, 1, 12, 1, "j1").Build(&f)
	require.NotEmpty(t, f.said)
}
