package harness

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// lines is a Sink that keeps what it is given.
type lines []history.Event

func (l *lines) Put(e history.Event) { *l = append(*l, e) }

// TestEarlier: of a ledger, what was there before is left out, and its
// reader's account is of the rest; what else is told goes through as it is.
func TestEarlier(t *testing.T) {
	row := func(order int64) history.Event { return history.Observe(1, history.LedgerRow{Order: order}) }
	account := func(stream string, seen uint64) history.Event {
		return history.Observe(2, history.Coverage{Stream: stream, Complete: true, Seen: seen})
	}
	other := history.Observe(1, history.Receipt{Node: "j1", Order: 3})
	var got lines
	s := &earlier{to: &got, known: map[int64]bool{3: true, 4: true, 0: true}}
	for _, e := range []history.Event{row(3), row(5), other, row(4), account(history.StreamSession, 3), account(history.StreamLedger, 3)} {
		s.Put(e)
	}
	require.Equal(t, lines{row(5), other, account(history.StreamSession, 3), account(history.StreamLedger, 1)}, got)

	got = nil
	s = &earlier{to: &got, known: map[int64]bool{3: true}}
	s.Put(row(3))
	s.Put(account(history.StreamLedger, 0))
	require.Equal(t, lines{account(history.StreamLedger, 0)}, got, "an account of fewer than were left out")
}

func TestCollectorTakesTheOrdersOfALedger(t *testing.T) {
	c := &collector{known: map[int64]bool{}}
	for _, e := range []history.Event{
		history.Observe(1, history.LedgerRow{Order: 3}), history.Observe(1, history.LedgerRow{Order: 5}),
		history.Observe(1, history.Receipt{Order: 7}),
	} {
		c.Put(e)
	}
	require.Equal(t, map[int64]bool{3: true, 5: true}, c.known)
}

func TestRunnerDefaults(t *testing.T) {
	var r Runner
	require.Equal(t, "runs", r.dir())
	require.Equal(t, Observed{}, r.suite())
	require.Equal(t, silent{}, r.progress())
	_, err := r.lookup()("no such topology")
	require.Error(t, err)
	require.Equal(t, "elsewhere", (&Runner{Dir: "elsewhere"}).dir())
}
