package assert_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// script writes the life of session 1 op by op, 20 ms apart; j2 dies between
// the times killFrom and killTo.
type script struct {
	*historytest.Builder
	at    time.Duration
	bound string // the node that answers
	last  string // the node that answered last
}

const (
	killFrom = 400 * ms
	killTo   = 410 * ms
)

func newScript() *script {
	s := &script{Builder: historytest.New(), bound: "j2"}
	s.Fault("instance-kill", killFrom, "j2").
		Proof(450*ms, history.Proof{OK: true, Asked: "down", Measured: "down", From: killFrom, To: killTo}).
		Heal(700 * ms).Healed(800 * ms)
	s.Clock(0, 1e18).Clock(sec, 1e18+int64(sec))
	return s
}

func (s *script) op(name string) *historytest.Op {
	s.at += 20 * ms
	o := s.Op(name, s.at).In(1).Bound(s.last).On(s.bound)
	s.last = s.bound
	return o
}

// skip moves behind the kill, where the session answers from j1.
func (s *script) skip() { s.at, s.bound = 500*ms, "j1" }

func (s *script) login()        { s.op(history.OpLogin).New().OK() }
func (s *script) logout()       { s.op(history.OpLogout).OK() }
func (s *script) write(v int64) { s.op(history.OpSessionWrite).Value(v).OK() }
func (s *script) read(v int64)  { s.op(history.OpSessionRead).Value(v).OK() }
func (s *script) lostWrite() {
	last := s.last
	s.op(history.OpSessionWrite).On("").Info(history.ErrReset)
	s.last = last
}

func (s *script) none(op string) {
	s.op(op).Status(404).Fail(history.ErrSession)
}

func (s *script) final(via string, count int64, ops ...uint64) {
	s.See(sec, history.SessionState{Session: 1, Via: via, Known: true, Found: true, ID: "s1", User: "u1", Count: count, Ops: ops})
}

func (s *script) gone(via string) {
	s.See(sec, history.SessionState{Session: 1, Via: via, Known: true})
}

func TestSessionSurvival(t *testing.T) {
	type want struct {
		status  assert.Status
		classes []string // of all evidence
		op      uint64   // of the first
		text    string   // in the first
		safety  bool
		idle    bool
		notes   string
	}
	tests := []struct {
		name   string
		expect string
		build  func(*script)
		want   want
	}{
		{"kept", "", func(s *script) {
			s.login()
			s.write(1)
			s.skip()
			s.read(1)
			s.write(2)
			s.final("vip", 2, 2, 4)
			s.final("j1", 2, 2, 4)
		}, want{status: assert.Pass}},
		{"on no victim, but moved between nodes", "", func(s *script) {
			s.bound = "j1"
			s.login()
			s.write(1)
			s.bound = "j3"
			s.read(1)
			s.skip()
			s.final("vip", 1, 2)
		}, want{status: assert.Pass}},
		{"on no victim, but there when the store was hit", "", func(s *script) {
			s.Fault("database-down", 300*ms, "db").
				Proof(320*ms, history.Proof{OK: true, Asked: "down", Measured: "down", From: 300 * ms, To: 310 * ms}).Heal(350 * ms).Healed(360 * ms)
			s.bound = "j1"
			s.login()
			s.skip()
			s.read(0)
			s.final("vip", 0)
		}, want{status: assert.Pass}},
		{"gone before the store was hit", "", func(s *script) {
			s.Fault("database-down", 300*ms, "db").
				Proof(320*ms, history.Proof{OK: true, Asked: "down", Measured: "down", From: 300 * ms, To: 310 * ms}).Heal(350 * ms).Healed(360 * ms)
			s.bound = "j1"
			s.login()
			s.logout()
			s.gone("vip")
		}, want{status: assert.Pass, idle: true}},
		{"on no victim, and only an order went elsewhere", "", func(s *script) {
			s.bound = "j1"
			s.login()
			s.bound = "j3"
			s.op(history.OpOrder).OK()
			s.bound = "j1"
			s.read(0)
			s.final("vip", 0)
		}, want{status: assert.Pass, idle: true}},
		{"kept, but was on no victim", "", func(s *script) {
			s.bound = "j1"
			s.login()
			s.write(1)
			s.skip()
			s.final("vip", 1, 2)
		}, want{status: assert.Pass, idle: true}},
		{"ended before the fault", "", func(s *script) {
			s.login()
			s.write(1)
			s.logout()
			s.gone("vip")
		}, want{status: assert.Pass, idle: true}},
		{"a write of unknown outcome is applied late", "", func(s *script) {
			s.login()
			s.write(1)
			s.lostWrite()
			s.skip()
			s.read(1)
			s.write(2)
			s.read(3)
			s.final("vip", 3, 2, 3, 5)
		}, want{status: assert.Pass}},
		{"a write of unknown outcome is never applied", "", func(s *script) {
			s.login()
			s.lostWrite()
			s.skip()
			s.write(1)
			s.final("vip", 1, 3)
		}, want{status: assert.Pass}},
		{"a write that never completed", "", func(s *script) {
			s.login()
			s.op(history.OpSessionWrite).Open()
			s.final("vip", 1, 2)
		}, want{status: assert.Pass}},
		{"lost", "", func(s *script) {
			s.login()
			s.write(1)
			s.skip()
			s.none(history.OpSessionRead)
			s.gone("vip")
		}, want{status: assert.Fail, classes: []string{"lost"}, op: 3, text: "was told that it does not exist, although it was never logged out; it was bound to a victim (j2)"}},
		{"lost, seen at the logout", "", func(s *script) {
			s.login()
			s.skip()
			s.none(history.OpLogout)
		}, want{status: assert.Fail, classes: []string{"lost"}, op: 2}},
		{"lost, seen after the load", "", func(s *script) {
			s.login()
			s.write(1)
			s.gone("vip")
		}, want{status: assert.Fail, classes: []string{"lost"}, op: 2, text: "read via vip after the load"}},
		{"missing on another node alone is no loss", "", func(s *script) {
			s.login()
			s.write(1)
			s.final("vip", 1, 2)
			s.gone("j1")
		}, want{status: assert.Pass, notes: "it lives on one node only"}},
		{"replaced by a new session", "", func(s *script) {
			s.login()
			s.write(1)
			s.write(2)
			s.skip()
			s.op(history.OpSessionWrite).Value(1).New().SessionID("s9").Bare().OK()
			s.See(sec, history.SessionState{Session: 1, Via: "vip", Known: true, Found: true, ID: "s9", Count: 1, Ops: []uint64{4}})
		}, want{status: assert.Fail, classes: []string{"replaced by a new session"}, op: 4, text: "found a new session in its place (count 1)"}},
		{"replaced, and the answer that began it was lost", "", func(s *script) {
			s.login()
			s.write(1)
			s.write(2)
			s.skip()
			s.lostWrite()
			s.op(history.OpSessionWrite).Value(2).SessionID("s9").Bare().OK()
		}, want{status: assert.Fail, classes: []string{"replaced by a new session"}, op: 5}},
		{"ended with its node, and the answer that began the next was lost", assert.ExpectLostWithNode, func(s *script) {
			s.login()
			s.write(1)
			s.skip()
			s.lostWrite()
			s.op(history.OpSessionWrite).Value(2).SessionID("s9").Bare().OK()
			s.See(sec, history.SessionState{Session: 1, Via: "vip", Known: true, Found: true, ID: "s9", Count: 2, Ops: []uint64{3, 4}})
		}, want{status: assert.Pass}},
		{"a session that was lost before any fault", "", func(s *script) {
			s.login()
			s.none(history.OpSessionRead)
			s.skip()
			s.none(history.OpSessionRead)
		}, want{status: assert.Fail, classes: []string{"lost"}, op: 2, text: "although it was never logged out"}},
		{"stale read", "", func(s *script) {
			s.login()
			s.write(1)
			s.write(2)
			s.skip()
			s.read(1)
			s.read(2)
			s.final("vip", 2, 2, 3)
		}, want{status: assert.Fail, classes: []string{"stale read"}, op: 4, text: "gave 1, but at least 2 was acknowledged"}},
		{"stale on a node that was restarted", "", func(s *script) {
			s.login()
			s.write(1)
			s.skip()
			s.write(2)
			s.final("vip", 2, 2, 3)
			s.final("j2", 1, 2)
		}, want{status: assert.Fail, classes: []string{"stale read"}, op: 3, text: "read via j2 after the load gave 1"}},
		{"a value was read and is gone", "", func(s *script) {
			s.login()
			s.lostWrite()
			s.skip()
			s.read(1)
			s.read(0)
		}, want{status: assert.Fail, classes: []string{"stale read"}, op: 4}},
		{"a value was read and another write took its place", "", func(s *script) {
			s.login()
			s.lostWrite()
			s.skip()
			s.read(1)
			s.lostWrite()
			s.final("vip", 1, 4)
		}, want{status: assert.Fail, classes: []string{"unstable read"}, op: 3}},
		{"lost update, by its list", "", func(s *script) {
			s.login()
			s.write(1)
			s.write(2)
			s.skip()
			s.write(2)
			s.final("vip", 2, 2, 4)
		}, want{status: assert.Fail, classes: []string{"lost update"}, op: 3, text: "the write op 3 was acknowledged as count 2 by j2, but its list lacks it", safety: true}},
		{"lost update, by its values alone", "", func(s *script) {
			s.login()
			s.write(1)
			s.write(2)
			s.skip()
			s.write(2)
			s.logout()
		}, want{status: assert.Fail, classes: []string{"lost update"}, op: 4, text: "gave 2, but at least 3 was acknowledged before", safety: true}},
		{"below at last, and not read after the load", "", func(s *script) {
			s.login()
			s.write(1)
			s.write(2)
			s.skip()
			s.read(1)
			s.See(sec, history.SessionState{Session: 1, Via: "vip"})
			s.See(sec, history.Coverage{Stream: history.StreamSession, Missed: 1, Reason: "status 503"})
		}, want{status: assert.Fail, classes: []string{"stale read"}, op: 4}},
		{"alive, and read through the entry by nobody", "", func(s *script) {
			s.login()
			s.skip()
			s.read(0)
			s.final("j1", 0)
		}, want{status: assert.Inconclusive}},
		{"on a victim, and never seen again", "", func(s *script) {
			s.login()
			s.skip()
			s.op(history.OpSessionRead).On("").Status(500).Fail(history.ErrStatus)
			s.op(history.OpLogout).On("").Status(500).Info(history.ErrStatus)
			s.gone("vip")
		}, want{status: assert.Inconclusive, idle: true}},
		{"seen again by another node, while the fault takes effect", "", func(s *script) {
			s.login()
			s.at, s.bound = killFrom-15*ms, "j1"
			s.read(0)
			s.logout()
			s.gone("vip")
		}, want{status: assert.Pass}},
		{"seen by the victim alone, while the fault takes effect", "", func(s *script) {
			s.login()
			s.at = killFrom - 15*ms
			s.read(0)
			s.op(history.OpLogout).On("").Status(500).Info(history.ErrStatus)
			s.gone("vip")
		}, want{status: assert.Inconclusive, idle: true}},
		{"seen again by the victim itself, sent when the fault had just taken effect", "", func(s *script) {
			s.login()
			s.at = killTo - 20*ms
			s.read(0)
			s.op(history.OpLogout).On("").Status(500).Info(history.ErrStatus)
			s.gone("vip")
		}, want{status: assert.Pass}},
		{"seen by nobody that is named, while the fault takes effect", "", func(s *script) {
			s.login()
			s.at = killFrom - 15*ms
			s.op(history.OpSessionRead).On("").Owner("u1").Bare().OK()
			s.op(history.OpLogout).On("").Bare().Info(history.ErrTimeout)
			s.gone("vip")
		}, want{status: assert.Inconclusive, idle: true}},
		{"a write that never was sent excuses no value", "", func(s *script) {
			s.login()
			s.op(history.OpSessionWrite).NotSent().Fail(history.ErrNotSent)
			s.read(1)
		}, want{status: assert.Fail, classes: []string{"applied twice"}, op: 3, text: "gave 1, but at most 0 writes were sent", safety: true}},
		{"a read that was refused excuses no value", "", func(s *script) {
			s.login()
			s.op(history.OpSessionRead).Status(503).Fail(history.ErrStatus)
			s.read(1)
		}, want{status: assert.Fail, classes: []string{"applied twice"}, op: 3, text: "gave 1, but at most 0 writes were sent", safety: true}},
		{"applied though refused, sent at the very beginning", "", func(s *script) {
			s.Op(history.OpLogin, 0).In(1).On("j2").New().End(0).OK()
			s.Op(history.OpSessionWrite, 0).In(1).On("j2").Status(503).Fail(history.ErrStatus)
			s.last = "j2"
			s.read(1)
		}, want{status: assert.Fail, classes: []string{"applied though refused"}, op: 3}},
		{"lost update, by the last count alone", "", func(s *script) {
			s.login()
			s.write(1)
			s.write(2)
			s.final("vip", 1)
		}, want{status: assert.Fail, classes: []string{"lost update"}, op: 3, text: "(last by op 3 as 2)", safety: true}},
		{"applied twice, by its list", "", func(s *script) {
			s.login()
			s.write(1)
			s.lostWrite()
			s.final("vip", 3, 2, 3, 3)
		}, want{status: assert.Fail, classes: []string{"applied twice"}, op: 3, safety: true}},
		{"applied twice, by a value", "", func(s *script) {
			s.login()
			s.write(1)
			s.skip()
			s.read(2)
		}, want{status: assert.Fail, classes: []string{"applied twice"}, op: 3, text: "gave 2, but at most 1 writes were sent", safety: true}},
		{"applied though refused", "", func(s *script) {
			s.login()
			s.op(history.OpSessionWrite).Status(503).Fail(history.ErrStatus)
			s.final("vip", 1, 2)
		}, want{status: assert.Fail, classes: []string{"applied though refused"}, op: 2}},
		{"never sent", "", func(s *script) {
			s.login()
			s.op(history.OpSessionWrite).NotSent().Fail(history.ErrNotSent)
			s.lostWrite()
			s.final("vip", 1, 2)
		}, want{status: assert.Fail, classes: []string{"never sent"}, op: 2}},
		{"another session's write", "", func(s *script) {
			s.login()
			other := s.Op(history.OpSessionWrite, 200*ms).In(2).Value(1).OK()
			s.lostWrite()
			s.final("vip", 1, other)
		}, want{status: assert.Fail, classes: []string{"never sent"}, op: 2, text: "its list holds op 2, which this session never sent"}},
		{"resurrected after its logout", "", func(s *script) {
			s.login()
			s.write(1)
			s.skip()
			s.logout()
			s.final("vip", 1, 2)
		}, want{status: assert.Fail, classes: []string{"resurrected after logout"}, op: 2, text: "found it, although its logout was acknowledged"}},
		{"a logout of unknown outcome allows both", "", func(s *script) {
			s.login()
			s.write(1)
			s.skip()
			s.op(history.OpLogout).Info(history.ErrEOF)
			s.final("vip", 1, 2)
			s.gone("j1")
		}, want{status: assert.Pass}},
		{"leaked to another user", "", func(s *script) {
			s.login()
			s.write(1)
			s.skip()
			s.op(history.OpSessionRead).Value(1).Owner("u7").OK()
		}, want{status: assert.Fail, classes: []string{"leaked to another user"}, op: 3, text: "was answered as the session of u7", safety: true}},
		{"leaked by its id", "", func(s *script) {
			s.login()
			s.Op(history.OpLogin, 200*ms).In(2).New().SessionID("s1").OK()
		}, want{status: assert.Fail, classes: []string{"leaked to another user"}, op: 2, text: "same session id", safety: true}},
		{"leaked, seen after the load", "", func(s *script) {
			s.login()
			s.See(sec, history.SessionState{Session: 1, Via: "j1", Known: true, Found: true, ID: "s1", User: "u2"})
		}, want{status: assert.Fail, classes: []string{"leaked to another user"}, safety: true}},
		{"half-login", "", func(s *script) {
			s.login()
			s.skip()
			s.op(history.OpSessionRead).Value(0).SessionID("s1").Bare().OK()
		}, want{status: assert.Fail, classes: []string{"half-login"}, op: 2, text: "named no user"}},
		{"forced re-login", "", func(s *script) {
			s.login()
			s.skip()
			s.op(history.OpSessionRead).Status(401).Fail(history.ErrStatus)
		}, want{status: assert.Fail, classes: []string{"forced re-login"}, op: 2}},
		{"no acknowledged login: nothing is expected", "", func(s *script) {
			s.op(history.OpLogin).Info(history.ErrTimeout)
			s.write(7)
			s.none(history.OpSessionRead)
			s.gone("vip")
		}, want{status: assert.Inconclusive, idle: true}},
		{"a system that names no owner", "", func(s *script) {
			s.op(history.OpLogin).Bare().OK()
			s.skip()
			s.op(history.OpSessionRead).Bare().OK()
			s.See(sec, history.SessionState{Session: 1, Via: "vip", Known: true, Found: true})
		}, want{status: assert.Pass, notes: "no answer named the session's owner"}},

		{"another login of unknown outcome allows both", "", func(s *script) {
			s.login()
			s.write(1)
			s.op(history.OpLogin).Info(history.ErrTimeout)
			s.skip()
			s.none(history.OpSessionRead)
			s.gone("vip")
		}, want{status: assert.Pass, idle: true}},
		{"a system that keeps no list", "", func(s *script) {
			s.login()
			s.write(1)
			s.final("vip", 1)
		}, want{status: assert.Pass}},
		{"the count is too low and the list is whole", "", func(s *script) {
			s.login()
			s.write(1)
			s.write(2)
			s.final("vip", 1, 2, 3)
		}, want{status: assert.Fail, classes: []string{"stale read"}, op: 3}},
		{"a loss that all nodes agree on is one finding", "", func(s *script) {
			s.login()
			s.write(1)
			s.write(2)
			s.final("vip", 1)
			s.final("j1", 1)
		}, want{status: assert.Fail, classes: []string{"lost update"}, op: 3, safety: true}},

		{"lost with its node, as documented", assert.ExpectLostWithNode, func(s *script) {
			s.login()
			s.write(1)
			s.skip()
			s.none(history.OpSessionRead)
			s.op(history.OpSessionWrite).Value(1).New().SessionID("s9").Bare().OK()
		}, want{status: assert.Pass}},
		{"replaced after its node, as documented", assert.ExpectLostWithNode, func(s *script) {
			s.login()
			s.write(1)
			s.skip()
			s.op(history.OpSessionWrite).Value(1).New().SessionID("s9").Bare().OK()
			s.See(sec, history.SessionState{Session: 1, Via: "vip", Known: true, Found: true, ID: "s9", Count: 1, Ops: []uint64{3}})
		}, want{status: assert.Pass}},
		{"survived its node, against what is documented", assert.ExpectLostWithNode, func(s *script) {
			s.login()
			s.write(1)
			s.skip()
			s.read(1)
		}, want{status: assert.Fail, classes: []string{"survived its node"}, op: 3}},
		{"lost with its node, and found again after the load", assert.ExpectLostWithNode, func(s *script) {
			s.login()
			s.write(1)
			s.final("vip", 1, 2)
		}, want{status: assert.Fail, classes: []string{"survived its node"}, op: 2}},
		{"lost, but was on another node", assert.ExpectLostWithNode, func(s *script) {
			s.bound = "j1"
			s.login()
			s.skip()
			s.none(history.OpSessionRead)
		}, want{status: assert.Fail, classes: []string{"lost"}, op: 2}},
		{"lost before its node died", assert.ExpectLostWithNode, func(s *script) {
			s.login()
			s.none(history.OpSessionRead)
		}, want{status: assert.Fail, classes: []string{"lost"}, op: 2}},
		{"its second life is judged like any other", assert.ExpectLostWithNode, func(s *script) {
			s.login()
			s.skip()
			s.op(history.OpSessionWrite).Value(1).New().SessionID("s9").Bare().OK()
			s.op(history.OpSessionWrite).Value(2).SessionID("s9").Bare().OK()
			s.op(history.OpSessionRead).Value(1).SessionID("s9").Bare().OK()
		}, want{status: assert.Fail, classes: []string{"lost update"}, op: 4, safety: true}},
		{"logged in while its node died: either is right", assert.ExpectLostWithNode, func(s *script) {
			s.Op(history.OpLogin, 395*ms).In(1).On("j2").New().OK() // answered at 405 ms
			s.skip()
			s.read(0)
			s.final("vip", 0)
		}, want{status: assert.Pass, idle: true}},
		{"logged in at the moment its node began to die, and is gone: either is right", assert.ExpectLostWithNode, func(s *script) {
			s.Op(history.OpLogin, 390*ms).In(1).On("j2").New().End(killFrom).OK()
			s.last = "j2"
			s.skip()
			s.none(history.OpSessionRead)
		}, want{status: assert.Pass, idle: true}},
		{"logged in at the moment its node was dead, and is gone: either is right", assert.ExpectLostWithNode, func(s *script) {
			s.Op(history.OpLogin, 395*ms).In(1).On("j2").New().End(killTo).OK()
			s.last = "j2"
			s.skip()
			s.none(history.OpSessionRead)
		}, want{status: assert.Pass, idle: true}},
		{"logged in on its node once that had died, and is gone", assert.ExpectLostWithNode, func(s *script) {
			s.Op(history.OpLogin, 395*ms).In(1).On("j2").New().End(killTo + 1).OK()
			s.last = "j2"
			s.skip()
			s.none(history.OpSessionRead)
		}, want{status: assert.Fail, classes: []string{"lost"}, op: 2}},
		{"logged in on another node while one died, and is gone", assert.ExpectLostWithNode, func(s *script) {
			s.Op(history.OpLogin, 395*ms).In(1).On("j1").New().End(405 * ms).OK()
			s.last = "j1"
			s.skip()
			s.none(history.OpSessionRead)
		}, want{status: assert.Fail, classes: []string{"lost"}, op: 2}},
		{"answered by its node while that died, which it survived", assert.ExpectLostWithNode, func(s *script) {
			s.login()
			s.at = killFrom - 25*ms
			s.read(0) // answered at 405 ms
			s.skip()
			s.read(0)
		}, want{status: assert.Fail, classes: []string{"survived its node"}, op: 3}},
		{"logged in while its node died, and is gone: either is right", assert.ExpectLostWithNode, func(s *script) {
			s.Op(history.OpLogin, 395*ms).In(1).On("j2").New().OK() // answered at 405 ms
			s.last = "j2"
			s.skip()
			s.none(history.OpSessionRead)
		}, want{status: assert.Pass, idle: true}},
		{"maybe logged out when its node died: either is right", assert.ExpectLostWithNode, func(s *script) {
			s.login()
			s.op(history.OpLogout).Info(history.ErrTimeout)
			s.skip()
			s.read(0)
		}, want{status: assert.Pass, idle: true}},
		{"its second life may not be lost again", assert.ExpectLostWithNode, func(s *script) {
			s.login()
			s.skip()
			s.op(history.OpSessionWrite).Value(1).New().SessionID("s9").Bare().OK()
			s.none(history.OpSessionRead)
		}, want{status: assert.Fail, classes: []string{"lost"}, op: 3}},
		{"an expectation that nobody knows", "survives", func(s *script) { s.login() }, want{status: assert.Inconclusive}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript()
			tt.build(s)
			s.Covered(2*sec, history.StreamSession)
			v := assert.SessionSurvival{Expect: tt.expect}.Check(s.Build(t))
			require.Equal(t, tt.want.status, v.Status, "%s %v %v", v.Summary, v.Reasons, v.Evidence)
			require.Equal(t, tt.want.idle, v.NotExercised, v.Summary)
			require.Equal(t, tt.want.safety, v.Safety)
			var classes []string
			for _, e := range v.Evidence {
				classes = append(classes, e.Class)
				require.NotEmpty(t, e.Text)
			}
			if len(tt.want.classes) > 0 {
				require.Equal(t, tt.want.classes[:1], classes[:1], v.Evidence)
				require.Subset(t, tt.want.classes, classes, v.Evidence)
				require.Equal(t, 1.0, *v.Measured)
				require.Contains(t, v.Evidence[0].Text, tt.want.text)
			} else {
				require.Empty(t, classes)
			}
			if tt.want.op > 0 {
				require.Equal(t, tt.want.op, v.Evidence[0].Op, v.Evidence)
			}
			if tt.want.notes != "" {
				require.Contains(t, v.Notes[0], tt.want.notes)
			}
		})
	}
}
