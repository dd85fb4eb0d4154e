package assert

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// locked is a record in which the database holds a lock from 10 s to 30 s.
func locked() stage {
	s := newStage()
	s.Fault("row-lock", 10*sec, "db").Proof(10100*mil, history.Proof{OK: true, From: 10 * sec, To: 10100 * mil}).Heal(30 * sec).Healed(30100 * mil)
	return s
}

// refused is an order that j1 itself gives up after a second.
func (s stage) refused() {
	op := s.Op(history.OpOrder, 12*sec).Sent(12 * sec).On("j1").Via("lb1").End(13 * sec).Fail(history.ErrStatus)
	s.logged("j1", op, 12*sec, 13*sec, "--VN", 503)
}

// outwaited is an order that lb1 gives up after three seconds.
func (s stage) outwaited() (op uint64) {
	op = s.Op(history.OpOrder, 14*sec).Sent(14 * sec).On("").Via("lb1").End(17 * sec).Info(history.ErrStatus)
	s.logged("j1", op, 14*sec, 17*sec, "sHVN", 504)
	return op
}

func TestTimeoutOrder(t *testing.T) {
	for _, c := range []struct {
		name   string
		build  func(stage)
		status Status
		none   bool
		n      float64
		says   string
	}{
		{name: "nobody gives up", status: Pass, none: true, says: "Nobody gave a request up", build: func(s stage) { s.request("j1", 12*sec, 14*sec, "--VN") }},
		{name: "the application does", status: Pass, says: "The application gave up 1 request, after 1 s at the longest", build: stage.refused},
		{
			name: "the balancer does", status: Fail, n: 1, says: "lb1 gave up after 3 s (status 504, sHVN in its log), while j1 was at work on it.",
			build: func(s stage) { s.refused(); s.outwaited() },
		},
		{
			name: "the balancer does, and the node commits", status: Fail, n: 1, says: "while j1 was at work on it and committed it 13.2 s later",
			build: func(s stage) {
				op := s.outwaited()
				s.See(30200*mil, history.Receipt{Span: history.Span{Within: mil}, Node: "j1", What: "commit", Op: op, Attempt: 1})
			},
		},
		{
			name: "the balancer does, of what no node took", status: Pass, none: true, says: "Nobody",
			build: func(s stage) {
				op := s.Op(history.OpOrder, 14*sec).Sent(14 * sec).On("").Via("lb1").End(15 * sec).Info(history.ErrStatus)
				s.See(14*sec, history.Dispatch{Balancer: "lb1", Number: op, Op: op, Attempt: 1, Status: 503, Term: "sQVN", Total: sec})
			},
		},
		{
			name: "the client does, before a node has answered", status: Fail, n: 1, says: "the client gave up after 800 ms, while j1 was at work on it",
			build: func(s stage) {
				op := s.Op(history.OpOrder, 14*sec).Sent(14 * sec).On("").End(14800 * mil).Info(history.ErrTimeout)
				s.logged("j1", op, 14*sec, 15*sec, "CDVN", 503)
			},
		},
		{
			name: "the client does, and the answer was lost", status: Pass, none: true, says: "Nobody",
			build: func(s stage) {
				op := s.Op(history.OpOrder, 14*sec).Sent(14 * sec).On("").End(24 * sec).Info(history.ErrTimeout)
				s.logged("j1", op, 14*sec, 14250*mil, "--VN", 201)
			},
		},
		{
			name: "a node that a fault strikes", status: Pass, none: true, says: "Nobody",
			build: func(s stage) {
				s.Fault("instance-freeze", 13*sec, "j1").Proof(13100*mil, history.Proof{OK: true, From: 13 * sec, To: 13 * sec}).Heal(20 * sec).Healed(20100 * mil)
				s.outwaited()
			},
		},
		{
			name: "in no judged phase", status: Pass, none: true, says: "Nobody",
			build: func(s stage) {
				op := s.Op(history.OpOrder, 41*sec).Sent(41 * sec).On("").End(41800 * mil).Info(history.ErrTimeout)
				s.logged("j1", op, 41*sec, 42*sec, "CDVN", 503)
			},
		},
		{name: "no operation", status: Pass, none: true, says: "Nobody", build: func(stage) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := locked()
			c.build(s)
			h := s.Build(t)
			v := TimeoutOrder{}.Check(h)
			said := v.Summary + " " + strings.Join(v.Reasons, " ")
			require.Equal(t, c.status, v.Status, said)
			require.Contains(t, said, c.says)
			require.Equal(t, c.none, v.NotExercised)
			require.Equal(t, c.n, *v.Measured)
			require.Len(t, v.Evidence, int(c.n))
			shift(h, 5*sec)
			require.Equal(t, v.Summary, TimeoutOrder{}.Check(h).Summary)
		})
	}
}
