package load

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// small is a workload that is quick to check by hand: an operation every
// 50 ms, one of each client every 500 ms.
func small() Config {
	return Config{Rate: 20, Sessions: 10, SessionOps: 6, KeyPrefix: "t"}
}

// seconds is n seconds and a moment, so that the operation due at n is in.
func seconds(n int) time.Duration { return time.Duration(n)*time.Second + time.Millisecond }

// drive runs cfg on a for d of virtual time, then stops it. It returns the
// completed operations.
func drive(t *testing.T, cfg Config, a *app, d time.Duration) ([]done, *Generator) {
	t.Helper()
	g, rec := generator(t, cfg, a)
	time.AfterFunc(d, g.Stop)
	require.NoError(t, g.Run(t.Context()))
	return rec.ops(t), g
}

func generator(t *testing.T, cfg Config, a *app) (*Generator, *journal) {
	t.Helper()
	rec := &journal{}
	g, err := New(cfg, Target{URL: "http://app", Dial: serve(t, a).DialContext}, history.StartClock(), rec)
	require.NoError(t, err)
	return g, rec
}

// numberOf is the operation that a request belongs to, and its attempt.
func numberOf(r *http.Request) (op, attempt int) {
	o, a, _ := strings.Cut(r.Header.Get("X-Hachaos-Op"), ".")
	op, _ = strconv.Atoi(o)
	attempt, _ = strconv.Atoi(a)
	return op, attempt
}

// hang holds a request until its client gives up.
func hang(r *http.Request) bool {
	_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice
	<-r.Context().Done()
	return true
}

// cut closes the connection with no answer.
func cut() bool { panic(http.ErrAbortHandler) }

// outcomes counts the operations by outcome and class of error.
func outcomes(ops []done) map[string]int {
	by := map[string]int{}
	for _, op := range ops {
		by[strings.TrimSpace(string(op.Outcome)+" "+op.Error)]++
	}
	return by
}

// ofClient are the operations of one client, in order.
func ofClient(ops []done, client, clients int) []done {
	var own []done
	for i := client; i < len(ops); i += clients {
		own = append(own, ops[i])
	}
	return own
}

func names(ops []done) string {
	short := map[string]string{
		history.OpLogin: "i", history.OpLogout: "o",
		history.OpSessionWrite: "W", history.OpSessionRead: "R", history.OpOrder: "B",
	}
	var b strings.Builder
	for _, op := range ops {
		b.WriteString(short[op.Name])
	}
	return b.String()
}
