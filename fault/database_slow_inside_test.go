package fault

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestADelayInsideIsWithinATenth: or within 5 ms of a small one, and no farther.
func TestADelayInsideIsWithinATenth(t *testing.T) {
	const ms = time.Millisecond
	for name, tc := range map[string]struct {
		asked, added   time.Duration
		active, healed bool
	}{
		"as asked":              {100 * ms, 100 * ms, true, false},
		"a tenth more":          {100 * ms, 110 * ms, true, false},
		"more than a tenth":     {100 * ms, 111 * ms, false, false},
		"a tenth less":          {100 * ms, 90 * ms, true, false},
		"less than a tenth":     {100 * ms, 89 * ms, false, false},
		"5 ms more of little":   {20 * ms, 25 * ms, true, false},
		"6 ms more of little":   {20 * ms, 26 * ms, false, false},
		"5 ms less of little":   {20 * ms, 15 * ms, true, false},
		"a tenth is left":       {100 * ms, 10 * ms, false, false},
		"less than that":        {100 * ms, 9 * ms, false, true},
		"5 ms of little left":   {20 * ms, 5 * ms, false, false},
		"less than 5 ms left":   {20 * ms, 4 * ms, false, true},
		"nothing":               {100 * ms, 0, false, true},
		"the least that can be": {10 * ms, 14 * ms, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := DatabaseSlowInside{Delay: tc.asked}
				n := heldAfter(t, f, func(d *heldDatabase) { d.own, d.delays["orders"] = ms, tc.added })
				p, err := heldLook(t, 0, f.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, "ms", p.Unit)
				p, err = heldLook(t, 0, f.Healed, n)
				require.NoError(t, err)
				require.Equal(t, tc.healed, p.OK, "%+v", p)
				require.Equal(t, "ms", p.Unit)
			})
		})
	}
}

// TestADelayOfAnotherTableIsNoProof: each has its own, and the undo of one leaves the
// other.
func TestADelayOfAnotherTableIsNoProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := heldDB()
		n := heldOn(d)
		feed := DatabaseSlowInside{Delay: 70 * time.Millisecond, Table: "feed"}
		orders := DatabaseSlowInside{Delay: 70 * time.Millisecond}
		log := &undos{}
		require.NoError(t, feed.Inject(t.Context(), []topology.Node{n}, log))
		p, err := heldLook(t, 0, orders.Active, n)
		require.NoError(t, err)
		require.False(t, p.OK, "%+v", p)
		require.NoError(t, orders.Inject(t.Context(), []topology.Node{n}, &undos{}))
		p, err = heldLook(t, 0, feed.Active, n)
		require.NoError(t, err)
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, []string{"db: 30 statements that write feed, by the database's clock: median 71.2 ms; with the delay left out: 1.2 ms"}, p.How)
		require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
		require.Equal(t, map[string]time.Duration{"orders": 70 * time.Millisecond}, d.delays)
	})
}

// TestADelayThatCannotBeIsRefused: before any command.
func TestADelayThatCannotBeIsRefused(t *testing.T) {
	for _, f := range []DatabaseSlowInside{
		{}, {Delay: 9 * time.Millisecond}, {Delay: 10*time.Second + time.Millisecond}, {Delay: 20*time.Millisecond + time.Microsecond},
	} {
		n := heldOn(heldDB())
		log := &undos{}
		require.ErrorContains(t, f.Inject(t.Context(), []topology.Node{n}, log), "want 10ms to 10s, in whole milliseconds", f.Delay)
		require.Empty(t, n.did)
		require.Empty(t, log.all)
	}
	for _, d := range []time.Duration{10 * time.Millisecond, 10 * time.Second} {
		require.NoError(t, DatabaseSlowInside{Delay: d}.Validate())
	}
	require.ErrorContains(t, DatabaseSlowInside{Delay: time.Second, Table: "a b"}.Validate(), `database-slow-inside: table "a b"`)
}

// TestEveryStatementIsMeasured: 30 at least, dealt to sessions so that they end within
// two seconds or each after the other, and one that is missing is an error.
func TestEveryStatementIsMeasured(t *testing.T) {
	for _, d := range []time.Duration{10 * time.Millisecond, 55 * time.Millisecond, 300 * time.Millisecond, 999 * time.Millisecond, 10 * time.Second} {
		f := DatabaseSlowInside{Delay: d}
		require.GreaterOrEqual(t, f.share()*f.parallel(), 30, d)
		require.Less(t, (f.share()-1)*f.parallel(), 30, "%v: one statement fewer of each would do", d)
	}
	synctest.Test(t, func(t *testing.T) {
		f := DatabaseSlowInside{Delay: 300 * time.Millisecond}
		n := &stub{name: "db", state: up, exec: says(strings.Repeat("301.0\n", 29))}
		_, err := heldLook(t, 0, f.Active, n)
		require.ErrorContains(t, err, "db: times of statements: 29 of 30 ended")
	})
	_, err := parseStatements("1 soon", 2)
	require.ErrorContains(t, err, `"soon": want milliseconds`)
	got, err := parseStatements("3 1 2", 3)
	require.NoError(t, err)
	require.Equal(t, []time.Duration{time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond}, got.answered, "in order")
}
