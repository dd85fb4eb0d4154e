package assert

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// taken is a record in which lb1's process ended between 10 and 10.1 s.
func taken(b *historytest.Builder) {
	b.See(30*sec, history.Coverage{Stream: history.StreamDispatch, Source: "lb1", Complete: true, Unknown: []history.Window{{From: 10 * sec, To: 10100 * mil, Why: "lb1 began anew"}}})
}

func TestHiddenRequests(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(*historytest.Builder)
		want  []hidden
	}{
		{"no window", func(b *historytest.Builder) { b.Op(history.OpOrder, 9990*mil).End(10050 * mil).OK() }, nil},
		{"under way, with a line", func(b *historytest.Builder) {
			taken(b)
			b.Op(history.OpOrder, 9990*mil).End(10050 * mil).OK()
			b.See(9990*mil, history.Dispatch{Balancer: "lb2", Op: 1, Attempt: 1})
		}, nil},
		{"under way, without; not before, not after", func(b *historytest.Builder) {
			taken(b)
			b.Op(history.OpOrder, 9*sec).Sent(9 * sec).End(10 * sec).OK()
			b.Op(history.OpOrder, 9*sec).Sent(9 * sec).End(9999 * mil).OK()
			b.Op(history.OpOrder, 10101*mil).Sent(10101 * mil).End(11 * sec).OK()
		}, []hidden{{1, 1, 9 * sec, 10 * sec}}},
		{"refused: nothing reached a balancer", func(b *historytest.Builder) {
			taken(b)
			b.Op(history.OpOrder, 10050*mil).End(10060 * mil).Fail(history.ErrRefused)
		}, nil},
		{"only the first attempt was", func(b *historytest.Builder) {
			taken(b)
			b.Op(history.OpOrder, 9990*mil).Sent(9990 * mil).Try(history.Try{End: 10020 * mil, Outcome: history.Info, Error: history.ErrEOF}).End(12 * sec).OK()
			b.See(10020*mil, history.Dispatch{Balancer: "lb2", Op: 1, Attempt: 2})
		}, []hidden{{1, 1, 9990 * mil, 10020 * mil}}},
		{"never ended", func(b *historytest.Builder) {
			taken(b)
			b.Op(history.OpOrder, 9*sec).Sent(9 * sec).Open()
		}, []hidden{{1, 1, 9 * sec, 30 * sec}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := historytest.New()
			b.Phase("all", history.PhaseSteady, 0, 30*sec)
			c.build(b)
			require.Equal(t, c.want, hiddenRequests(b.Build(t)))
		})
	}
}

// An answer that a balancer gave just before its end need not be in its log;
// one of another balancer must be in that one's.
func TestHiddenAnswers(t *testing.T) {
	for lb, want := range map[string]string{"lb1": "", "lb2": "1 operation answered, and not in the log of who answered: the first is operation 1, by lb2"} {
		b := historytest.New()
		taken(b)
		b.Op(history.OpOrder, 9990*mil).Via(lb).End(10050 * mil).OK()
		h := b.Build(t)
		require.Equal(t, want, unwitnessed(h, history.StreamDispatch))
	}
}

// Only a checker that treats those times as unknown may use the stream.
func TestUnknownTimesAndNeeds(t *testing.T) {
	b := historytest.New()
	taken(b)
	b.See(30*sec, history.Coverage{Stream: history.StreamDispatch, Source: "lb2", Complete: true})
	s := evaluate(b.Build(t))
	require.Equal(t, "dispatch of lb1, 10s to 10.1s: lb1 began anew", s.reason(Need{Kind: NeedStream, Stream: history.StreamDispatch}))
	require.Empty(t, s.reason(Need{Kind: NeedStream, Stream: history.StreamDispatch, Beside: true}))
}
