package historytest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// wrongs judges a history by brute force: what is impossible, each with the
// operation or the key that it is about.
func wrongs(h *history.History) (found []string) {
	say := func(f string, a ...any) { found = append(found, fmt.Sprintf(f, a...)) }
	rows := map[string]int{}
	for _, r := range h.Ledger {
		rows[r.V.Key]++
		if _, ok := h.Op(r.V.Op); !ok {
			say("phantom %s", r.V.Key)
		}
	}
	type state struct{ least, most int64 }
	sessions := map[uint32]*state{}
	ids := map[uint32]history.Name{}
	for i := range h.Ops {
		o := &h.Ops[i]
		s := sessions[o.Session]
		if s == nil {
			s = &state{}
			sessions[o.Session] = s
		}
		switch {
		case o.Type == history.Order && o.Outcome == history.Good && rows[h.KeyOf(o)] != 1,
			o.Type == history.Order && o.Outcome == history.Failed && rows[h.KeyOf(o)] != 0,
			rows[h.KeyOf(o)] > 1:
			say("%d rows for op %d", rows[h.KeyOf(o)], o.ID)
		case o.Type == history.SessionWrite && o.Outcome == history.Unknown:
			s.most++
		}
		if o.Outcome != history.Good || o.Type == history.Other {
			continue
		}
		if o.Type == history.Login {
			ids[o.Session] = o.SessionID
		}
		if o.Owner != o.User || o.SessionID != ids[o.Session] {
			say("op %d is another's session", o.ID)
		}
		if o.Type == history.SessionWrite {
			s.least, s.most = s.least+1, s.most+1
		}
		if o.Type == history.SessionWrite || o.Type == history.SessionRead {
			if o.Value < s.least || o.Value > s.most {
				say("op %d read %d of [%d, %d]", o.ID, o.Value, s.least, s.most)
			}
			s.least = max(s.least, o.Value)
		}
	}
	for _, f := range h.Sessions {
		if s := sessions[f.V.Session]; f.V.Count < s.least || f.V.Count > s.most || int64(len(f.V.Ops)) != f.V.Count {
			say("session %d ended with %d of [%d, %d]", f.V.Session, f.V.Count, s.least, s.most)
		}
	}
	return found
}

func TestRandomIsRight(t *testing.T) {
	for seed := range uint64(2) {
		for name, c := range map[string]historytest.Config{
			"calm":    {Seed: seed},
			"kill":    {Seed: seed, Kill: true, Receipts: true, Dispatches: true},
			"unknown": {Seed: seed, Kill: true, Unknown: 0.05, Nodes: []string{"a", "b", "c"}},
			"tiny":    {Seed: seed, Ops: 3},
			"fast":    {Seed: seed, Ops: 10_000, Rate: 5000, SessionOps: 5},
		} {
			t.Run(fmt.Sprint(name, seed), func(t *testing.T) {
				h := historytest.Generate(c).History(t)
				require.Empty(t, wrongs(h))
				var outcomes [3]int
				for i := range h.Ops {
					outcomes[h.Ops[i].Outcome]++
				}
				require.Positive(t, outcomes[history.Good])
				require.Equal(t, c.Kill, outcomes[history.Failed] > 0)
				require.Equal(t, c.Kill, len(h.Tries) > 0)
				require.True(t, c.Unknown == 0 || outcomes[history.Unknown] > 0)
				require.Equal(t, c.Receipts, len(h.Receipts) > len(h.Ops)*9/10)
				require.Equal(t, c.Dispatches, len(h.Dispatches) > len(h.Ops)*9/10)
				require.Len(t, h.Phases, 5)
			})
		}
	}
}

func TestRandomIsRepeatable(t *testing.T) {
	g := historytest.Generate(historytest.Config{Seed: 3, Ops: 2000, Kill: true, Plant: []historytest.Violation{historytest.LostOrder}})
	a, planted := g.History(t), g.Planted()
	b := g.History(t)
	require.Equal(t, a.Ops, b.Ops)
	require.Equal(t, a.Ledger, b.Ledger)
	require.Equal(t, planted, g.Planted())
	other := historytest.Generate(historytest.Config{Seed: 4, Ops: 2000, Kill: true}).History(t)
	require.NotEqual(t, a.Ops, other.Ops)
}

func TestPlantedViolationsAreThere(t *testing.T) {
	all := []historytest.Violation{
		historytest.DuplicateOrder, historytest.LostOrder, historytest.PhantomOrder, historytest.LostUpdate,
		historytest.StaleRead, historytest.LeakedSession, historytest.ReplacedSession,
	}
	for _, v := range all {
		for seed := range uint64(3) {
			for _, kill := range []bool{false, true} {
				t.Run(fmt.Sprint(v, seed, kill), func(t *testing.T) {
					g := historytest.Generate(historytest.Config{Seed: seed, Ops: 5000, Kill: kill, Plant: []historytest.Violation{v}})
					found := wrongs(g.History(t))
					require.Len(t, g.Planted(), 1)
					p := g.Planted()[0]
					require.NotEmpty(t, found)
					want := fmt.Sprintf("op %d", p.Op)
					switch v {
					case historytest.PhantomOrder:
						want = "phantom " + p.Key
					case historytest.LostUpdate:
						want = fmt.Sprintf("op %d ", p.Seen)
					}
					require.True(t, slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s+" ", want) }), "%v in %v", p, found)
				})
			}
		}
	}
	g := historytest.Generate(historytest.Config{Plant: all})
	g.History(t)
	require.Len(t, g.Planted(), len(all))
}

func TestRandomJournalIsTheSameHistory(t *testing.T) {
	dir := t.TempDir()
	g := historytest.Generate(historytest.Config{Seed: 1, Ops: 3000, Kill: true, Receipts: true, Dispatches: true})
	g.Save(t, dir)
	h, err := history.Load(dir)
	require.NoError(t, err)
	require.Equal(t, history.Whole, h.Integrity.State, h.Integrity.Reason)
	want := g.History(t)
	require.Len(t, h.Ops, len(want.Ops))
	for i := range h.Ops {
		require.Equal(t, spelled(want, i), spelled(h, i))
	}
	require.Equal(t, want.Tries, h.Tries)
	require.Equal(t, want.Receipts, h.Receipts)
	require.Equal(t, want.Dispatches, h.Dispatches)
	require.Equal(t, want.Ledger, h.Ledger)
	require.Equal(t, want.Sessions, h.Sessions)
}
