package assert

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// drained is a record in which j1 is told to drain between 10 and 10.1 s and
// put into rotation again at 30 s; operation 1 is under way there at the
// order, and a session begins at j2 after it.
func drained(kind string) stage {
	s := newStage()
	s.Fault(kind, 10*sec, "j1").Proof(10200*mil, history.Proof{OK: true, From: 10 * sec, To: 10100 * mil}).Heal(30 * sec).Healed(30100 * mil)
	s.request("j1", 9900*mil, 10150*mil, "--VN")
	s.request("j2", 12*sec, 12005*mil, "--NI")
	return s
}

// request is an order that a client sends at one time and a node answers at
// another, with its receipt and its line.
func (s stage) request(node string, from, to time.Duration, term string) uint64 {
	op := s.Op(history.OpOrder, from).Sent(from).On(node).Via("lb1").End(to).OK()
	s.logged(node, op, from, to, term, 201)
	return op
}

func (s stage) logged(node string, op uint64, from, to time.Duration, term string, status int) {
	s.arrives(node, from, op)
	s.See(from, history.Dispatch{Span: history.Span{Within: mil}, Balancer: "lb1", Number: op, Op: op, Attempt: 1, Server: node, Status: status, Term: term, Response: to - from, Total: to - from})
}

func TestDrain(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   string
		build  func(stage)
		check  Drain
		status Status
		none   bool
		n      float64
		says   string
		last   string // the evidence that it was not empty in time
	}{
		{name: "spared and completed", kind: "drain", status: Pass, says: "Drain of j1: 1 under way completed, and no session began there after it"},
		{name: "bound sessions go on", kind: "drain", status: Pass, build: func(s stage) { s.request("j1", 12*sec, 12010*mil, "--VN") }},
		{
			name: "a session that began just before the last balancer knew", kind: "drain", status: Pass,
			build: func(s stage) { s.request("j1", 10105*mil, 10110*mil, "--NI") }, // ± 1 ms, and a clock's 5 ms
		},
		{
			name: "a session that began after", kind: "drain", status: Fail, n: 1, says: "operation 3, attempt 1 began a session at j1 100 ms after every balancer was told to drain it",
			build: func(s stage) { s.request("j1", 10201*mil, 10210*mil, "--NI") },
		},
		{name: "a cookie of no server begins one, too", kind: "drain", status: Fail, n: 1, build: func(s stage) { s.request("j1", 15*sec, 15010*mil, "--IR") }},
		{name: "back in rotation", kind: "drain", status: Pass, build: func(s stage) { s.request("j1", 30001*mil+mil, 31*sec, "--NI") }},
		{
			name: "cut, by the balancer's log", kind: "drain", status: Fail, n: 1, says: "operation 3, attempt 1, at work at j1, did not complete: status 502, SH-- in the log of lb1",
			build: func(s stage) {
				op := s.Op(history.OpOrder, 11*sec).Sent(11 * sec).On("").End(11100 * mil).Info(history.ErrStatus)
				s.logged("j1", op, 11*sec, 11100*mil, "SH--", 502)
			},
		},
		{
			name: "cut, by the node's receipt alone", kind: "drain", status: Fail, n: 1, says: "operation 3, attempt 1 arrived at j1, and its client got no answer",
			build: func(s stage) {
				s.arrives("j1", 11*sec, s.Op(history.OpOrder, 11*sec).Sent(11*sec).On("").End(11100*mil).Info(history.ErrEOF))
			},
		},
		{
			name: "cut, and retried elsewhere", kind: "drain", status: Fail, n: 1, says: "got no answer",
			build: func(s stage) {
				op := s.Op(history.OpOrder, 11*sec).Sent(11 * sec).Try(history.Try{End: 11100 * mil, Outcome: history.Info, Error: history.ErrReset}).On("j2").Via("lb1").End(11200 * mil).OK()
				s.arrives("j1", 11*sec, op)
				s.See(11110*mil, history.Receipt{Span: history.Span{Within: mil}, Node: "j2", What: "arrive", Op: op, Attempt: 2})
				s.See(11110*mil, history.Dispatch{Balancer: "lb1", Number: op, Op: op, Attempt: 2, Server: "j2", Status: 201, Term: "--VN", Total: 90 * mil})
			},
		},
		{
			name: "cut before the order: another's fault", kind: "drain", status: Pass,
			build: func(s stage) {
				op := s.Op(history.OpOrder, 5*sec).Sent(5 * sec).On("").End(5100 * mil).Info(history.ErrEOF)
				s.arrives("j1", 5*sec, op)
			},
		},
		{
			name: "the client left", kind: "drain", status: Pass,
			build: func(s stage) {
				op := s.Op(history.OpOrder, 11*sec).Sent(11 * sec).On("").End(21 * sec).Info(history.ErrTimeout)
				s.logged("j1", op, 11*sec, 21*sec, "CH--", 0)
			},
		},
		{name: "in maintenance a bound session's request counts", kind: "maintenance", status: Fail, n: 1, says: "was sent to j1 1.9 s after every balancer had put it into maintenance", build: func(s stage) { s.request("j1", 12*sec+mil, 12010*mil, "--VN") }},
		{name: "maintenance kept", kind: "maintenance", status: Pass, says: "no request was sent there"},
		{name: "empty in time", kind: "drain", status: Pass, check: Drain{Grace: sec}, says: "J1 was empty 151 ms after the order (at most 1 s)"},
		{name: "never empty in time", kind: "drain", status: Fail, check: Drain{Grace: sec}, says: "empty 3.01 s after the order", last: "operation 3, attempt 1, the last at j1, ended 2.91 s after every balancer was told to drain it", build: func(s stage) { s.request("j1", 13*sec, 13010*mil, "--VN") }},
		{
			name: "empty, and the order was taken back within the grace", kind: "drain", status: Inconclusive, check: Drain{Grace: 30 * sec},
			says: "the drain of J1 was taken back, or something else was done to the node, 20 s after the order",
		},
		{
			name: "perhaps empty in time", kind: "drain", status: Inconclusive, check: Drain{Grace: sec}, says: "not given at one moment",
			build: func(s stage) { s.request("j1", 10950*mil, 11050*mil, "--VN") },
		},
		{
			name: "a balancer took a request with it", kind: "drain", status: Inconclusive, says: "which left no line of it: it may have been at j1",
			build: func(s stage) {
				s.Op(history.OpOrder, 15*sec).Sent(15 * sec).End(15050 * mil).Info(history.ErrEOF)
				s.See(40*sec, history.Coverage{Stream: history.StreamDispatch, Source: "lb1", Complete: true, Unknown: []history.Window{{From: 15040 * mil, To: 15100 * mil}}})
			},
		},
		{name: "no such fault", kind: "instance-kill", status: Inconclusive, says: "no node was drained"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := drained(c.kind)
			if c.build != nil {
				c.build(s)
			}
			h := s.Build(t)
			v := c.check.Check(h)
			said := v.Summary + " " + strings.Join(v.Reasons, " ")
			require.Equal(t, c.status, v.Status, said)
			require.Contains(t, strings.ToLower(said), strings.ToLower(c.says))
			require.False(t, v.NotExercised)
			switch {
			case c.last != "" && c.n == 0:
				require.Greater(t, *v.Measured, *v.Bound, "the time, in ms, since nothing else is wrong")
				require.Equal(t, "ms", v.Unit)
				require.Equal(t, millis(c.check.Grace), *v.Bound)
			case v.Measured != nil:
				require.Equal(t, c.n, *v.Measured, v.Evidence)
				require.Zero(t, *v.Bound)
			}
			if c.last != "" {
				require.Len(t, v.Evidence, int(c.n)+1)
				require.Equal(t, "not empty", v.Evidence[int(c.n)].Class)
				require.Equal(t, c.last, v.Evidence[int(c.n)].Text)
			} else {
				require.Len(t, v.Evidence, int(c.n))
			}
			shift(h, 5*sec)
			require.Equal(t, v.Status, c.check.Check(h).Status)
		})
	}
}

// A client that left is no fault of the drain, whatever HAProxy calls the rest.
func TestARequestIsBrokenByWhatEndedIt(t *testing.T) {
	for term, want := range map[string]bool{"": false, "-": false, "--": false, "--VN": false, "CDVN": false, "cDVN": false, "C-": false, "SD--": true, "SHVN": true, "sHVN": true, "PC--": true, "S-": true} {
		require.Equal(t, want, broken(&history.Dispatch{Status: 200, Term: term}), term)
	}
	for status, want := range map[int]bool{200: false, 404: false, 499: false, 500: true, 503: true} {
		require.Equal(t, want, broken(&history.Dispatch{Status: status, Term: "--VN"}), status)
	}
}

// Maintenance that is taken back takes the drain before it back, too.
func TestDrainEndsWithTheFirstOrderTakenBack(t *testing.T) {
	s := drained("drain")
	s.Fault("maintenance", 20*sec, "j1").Proof(20200*mil, history.Proof{OK: true, From: 20 * sec, To: 20100 * mil}).Heal(29 * sec)
	s.request("j1", 29500*mil, 29600*mil, "--NI")
	require.Equal(t, Pass, Drain{}.Check(s.Build(t)).Status)
}

// A drain that nothing could have spoilt is no proof of one.
func TestDrainThatMetNothing(t *testing.T) {
	s := newStage()
	s.Fault("drain", 10*sec, "j1").Proof(10200*mil, history.Proof{OK: true, From: 10 * sec, To: 10100 * mil}).Heal(30 * sec)
	v := Drain{}.Check(s.Build(t))
	require.Equal(t, Pass, v.Status)
	require.True(t, v.NotExercised)
	require.Equal(t, Inconclusive, Judge(nil, []Checker{Drain{}})[0].Status)
}
