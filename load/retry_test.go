package load

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// orders is a workload whose mix is orders alone: the second operation of
// the first client, number 11, is the first order.
func orders() Config {
	cfg := small()
	cfg.Orders = 1
	return cfg
}

// onOrder runs what a server does with each attempt of operation 11. Nil is
// an answer as it should be.
func onOrder(a *app, tries ...func(http.ResponseWriter, *http.Request) bool) {
	a.before = func(w http.ResponseWriter, r *http.Request) bool {
		op, attempt := numberOf(r)
		if op != 11 || attempt > len(tries) || tries[attempt-1] == nil {
			return false
		}
		return tries[attempt-1](w, r)
	}
}

func TestOrderIsRetriedAfterAnUnknownOutcome(t *testing.T) {
	const pause = RetryPause
	var (
		silent  = func(http.ResponseWriter, *http.Request) bool { return cut() }
		hangs   = func(_ http.ResponseWriter, r *http.Request) bool { return hang(r) }
		unknown = answerWith(503, "j1", "unknown")
		no      = answerWith(503, "j1", "no")
	)
	type serverDoes = []func(http.ResponseWriter, *http.Request) bool
	for name, tc := range map[string]struct {
		does    serverDoes
		noRetry bool
		outcome history.Kind
		class   string
		seen    []string
		tries   []history.Try
		took    time.Duration
	}{
		"second answers": {
			does: serverDoes{silent}, outcome: history.OK, seen: []string{"11.1", "11.2"}, took: pause,
			tries: []history.Try{{Outcome: history.Info, Error: history.ErrEOF}},
		},
		"third answers": {
			does: serverDoes{silent, unknown}, outcome: history.OK, seen: []string{"11.1", "11.2", "11.3"}, took: 3 * pause,
			tries: []history.Try{
				{Outcome: history.Info, Error: history.ErrEOF},
				{End: pause, Outcome: history.Info, Status: 503, Error: history.ErrStatus, Node: "j1"},
			},
		},
		"none answers": {
			does: serverDoes{silent, silent, silent}, outcome: history.Info, class: history.ErrEOF,
			seen: []string{"11.1", "11.2", "11.3"}, took: 3 * pause,
			tries: []history.Try{
				{Outcome: history.Info, Error: history.ErrEOF},
				{End: pause, Outcome: history.Info, Error: history.ErrEOF},
			},
		},
		"a certain outcome is not retried": {
			does: serverDoes{no}, outcome: history.Fail, class: history.ErrStatus, seen: []string{"11.1"},
		},
		"a later certain outcome does not settle an earlier unknown one": {
			does: serverDoes{silent, no, no}, outcome: history.Info, class: history.ErrStatus,
			seen: []string{"11.1", "11.2", "11.3"}, took: 3 * pause,
			tries: []history.Try{
				{Outcome: history.Info, Error: history.ErrEOF},
				{End: pause, Outcome: history.Fail, Status: 503, Error: history.ErrStatus, Node: "j1"},
			},
		},
		"a conflict ends it": {
			does: serverDoes{silent, answerWith(409, "j1", "")}, outcome: history.Info, class: history.ErrConflict,
			seen: []string{"11.1", "11.2"}, took: pause,
			tries: []history.Try{{Outcome: history.Info, Error: history.ErrEOF}},
		},
		"no patience is left": {
			does: serverDoes{hangs}, outcome: history.Info, class: history.ErrTimeout, seen: []string{"11.1"}, took: 10 * time.Second,
		},
		"switched off": {
			does: serverDoes{silent}, noRetry: true, outcome: history.Info, class: history.ErrEOF, seen: []string{"11.1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, cfg := newApp(), orders()
				cfg.NoRetry = tc.noRetry
				onOrder(a, tc.does...)
				ops, _ := drive(t, cfg, a, seconds(2))
				op := ops[10]
				require.Equal(t, history.OpOrder, op.Name)
				require.Equal(t, tc.outcome, op.Outcome)
				require.Equal(t, tc.class, op.Error)
				require.Equal(t, len(tc.seen), op.Attempts)
				require.Equal(t, op.Intended, op.Sent, "of the first attempt")
				require.Equal(t, tc.took, op.End-op.Intended)
				for i := range op.Tries {
					op.Tries[i].End -= op.Intended
				}
				require.Equal(t, tc.tries, op.Tries)
				var seen []string
				for _, s := range a.seen() {
					if strings.HasPrefix(s, "11.") {
						seen = append(seen, s)
					}
				}
				require.Equal(t, tc.seen, seen)
			})
		})
	}
}

// The application did the work, and only its answer was lost: the retry gets
// the first attempt's order.
func TestRetryIsReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp()
		onOrder(a, func(_ http.ResponseWriter, r *http.Request) bool {
			a.answer(discard{http.Header{}}, r)
			return cut()
		})
		ops, _ := drive(t, orders(), a, seconds(2))
		op := ops[10]
		require.Equal(t, history.OK, op.Outcome)
		require.True(t, op.Replayed)
		require.Equal(t, a.orders[op.Key], op.Value)
	})
}

// A retry bears the cookie that the attempt before it was given.
func TestRetryBearsTheNewCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, cookie := newApp(), ""
		onOrder(a, func(w http.ResponseWriter, r *http.Request) bool {
			http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: "j2~" + cookieID(r)})
			return answerWith(502, "", "")(w, r)
		}, func(_ http.ResponseWriter, r *http.Request) bool {
			cookie = r.Header.Get("Cookie")
			return false
		})
		ops, _ := drive(t, orders(), a, seconds(2))
		require.Equal(t, history.OK, ops[10].Outcome)
		require.Equal(t, "JSESSIONID=j2~s1", cookie)
	})
}

// Nothing but an order is retried: a session write has no key.
func TestSessionWriteIsNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, cfg := newApp(), small()
		cfg.Writes = 1
		onOrder(a, func(http.ResponseWriter, *http.Request) bool { return cut() })
		ops, _ := drive(t, cfg, a, seconds(2))
		require.Equal(t, history.OpSessionWrite, ops[10].Name)
		require.Equal(t, history.Info, ops[10].Outcome)
		require.Equal(t, 1, ops[10].Attempts)
	})
}

func answerWith(status int, node, applied string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		if node != "" {
			w.Header().Set("X-Hachaos-Node", node)
		}
		if applied != "" {
			w.Header().Set("X-Hachaos-Applied", applied)
		}
		w.WriteHeader(status)
		return true
	}
}

// discard is a ResponseWriter that goes nowhere.
type discard struct{ h http.Header }

func (d discard) Header() http.Header       { return d.h }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
