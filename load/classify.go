package load

import (
	"errors"
	"net/http"

	"github.com/hachaos/hachaos/history"
)

// verdict is what an attempt came to.
type verdict struct {
	outcome history.Kind // history.OK, Fail or Info
	class   string       // of the error; empty if ok
}

var good = verdict{outcome: history.OK}

// writes says whether an operation changes anything, so that an answer that
// settles nothing leaves its outcome unknown.
func writes(op string) bool { return op != history.OpSessionRead }

// traffic is what a connection saw of a request that got no whole answer.
type traffic struct {
	connected bool  // there was a connection
	written   bool  // at least one byte reached it
	ended     bool  // the peer closed it in order
	broken    bool  // it failed, in sending or in receiving
	err       error // of the dial, if connected is false
	ctx       error // the cause of the context's end, if it ended
}

// errPatience is the cause of the end of an operation's context when the
// client's patience ends, and not the run.
var errPatience = errors.New("the client's patience has ended")

// class names the error from what the connection saw.
func (t traffic) class() string {
	switch {
	case t.ctx != nil && !errors.Is(t.ctx, errPatience):
		return history.ErrCancelled
	case !t.connected:
		return dialClass(t.err)
	case !t.written:
		return history.ErrConnect
	case t.ctx != nil:
		return history.ErrTimeout
	case t.broken: // also one that was closed before it had taken the whole request
		return history.ErrReset
	case t.ended:
		return history.ErrEOF
	}
	return history.ErrMalformed
}

// unanswered judges an attempt that got no head of an answer: with nothing
// written it certainly was not applied, else nobody knows.
func unanswered(op string, t traffic) verdict {
	v := verdict{history.Info, t.class()}
	if !t.written || v.class == history.ErrMalformed && !writes(op) {
		v.outcome = history.Fail
	}
	return v
}

// cutOff judges an attempt whose answer broke off after its head: a read has
// failed, and what became of a write nobody knows, whatever the status says.
func cutOff(op string, t traffic) verdict { return unclear(op, t.class()) }

func unclear(op, class string) verdict {
	if writes(op) {
		return verdict{history.Info, class}
	}
	return verdict{history.Fail, class}
}

// reply is the part of an answer's head that judges it.
type reply struct {
	status   int
	node     string // empty: not from the application
	balancer string
	applied  string // yes, no, unknown or empty
}

// answered judges a whole answer. understood says whether the body of a
// success is what the contract has. An error answer to a read is a fail. One
// to a write is a fail only if somebody who can know says that it was not
// applied: the application, by X-Hachaos-Applied or by refusing the request
// (4xx). A balancer's own error never settles it: the request may have been
// dispatched before.
func answered(op string, r reply, understood bool) verdict {
	if r.status >= 200 && r.status <= 299 {
		if !understood {
			return unclear(op, history.ErrMalformed)
		}
		return good
	}
	application := r.node != "" || r.balancer == ""
	refused := r.status >= 400 && r.status <= 499
	v := unclear(op, errorClass(op, r.status, application))
	if r.applied == "no" || r.applied == "" && refused && r.node != "" || v.class == history.ErrSession {
		v.outcome = history.Fail
	}
	return v
}

func errorClass(op string, status int, application bool) string {
	switch {
	case status == http.StatusNotFound && op != history.OpOrder && application:
		return history.ErrSession
	case status == http.StatusConflict:
		return history.ErrConflict
	}
	return history.ErrStatus
}
