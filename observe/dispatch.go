package observe

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// A dispatchLine is a line of a balancer's request log.
type dispatchLine struct {
	// at is when the request's first byte came; zero if none ever did, as of
	// a connection that was closed unused.
	at time.Time
	// pid is the process that wrote it; 0 if the line does not say.
	pid int
	v   history.Dispatch
}

// parseDispatch reads a dispatch line of the wire contract. HAProxy writes
// "-" for what it has not got. The second result is false for a line of
// another kind.
func parseDispatch(line []byte) (dispatchLine, bool, error) {
	var raw struct {
		Hachaos, Lb, At, Op, Key, Srv, Retr, Term string

		N, Pid, St            uint64
		Tw, Tc, Tr, Ta, Bytes int64
	}
	if err := json.Unmarshal(line, &raw); err != nil {
		return dispatchLine{}, false, fmt.Errorf("dispatch: %w", err)
	}
	if raw.Hachaos != "dispatch" {
		return dispatchLine{}, false, nil
	}
	op, attempt, err := parseOp(raw.Op)
	if err != nil {
		return dispatchLine{}, true, fmt.Errorf("dispatch %d: %w", raw.N, err)
	}
	retries, err := strconv.ParseUint(strings.TrimPrefix(given(raw.Retr, "0"), "+"), 10, 16)
	if err != nil {
		return dispatchLine{}, true, fmt.Errorf("dispatch %d: retries: %w", raw.N, err)
	}
	out := dispatchLine{pid: int(raw.Pid), v: history.Dispatch{
		Balancer: raw.Lb, Number: raw.N, Op: op, Attempt: attempt,
		Key: given(raw.Key, ""), Server: server(raw.Srv), Status: int(raw.St),
		Retries: int(retries), Redispatched: strings.HasPrefix(raw.Retr, "+"), Term: raw.Term,
		Wait: timer(raw.Tw), Connect: timer(raw.Tc), Response: timer(raw.Tr), Total: timer(raw.Ta),
		Bytes: raw.Bytes,
	}}
	if given(raw.At, "") == "" {
		return out, true, nil
	}
	us, err := strconv.ParseInt(raw.At, 10, 64)
	if err != nil || us <= 0 {
		return dispatchLine{}, true, fmt.Errorf("dispatch %d: at %q is not a time in microseconds", raw.N, raw.At)
	}
	out.at = micros(us)
	return out, true, nil
}

// given is s, or none where HAProxy had nothing to say.
func given(s, none string) string {
	if s == "" || s == "-" {
		return none
	}
	return s
}

// server is the name of the server that was chosen; HAProxy writes <NOSRV>
// and the like where it chose none.
func server(s string) string {
	if strings.HasPrefix(s, "<") {
		return ""
	}
	return given(s, "")
}

// timer is one of HAProxy's timers, in milliseconds; -1 stays -1: the step
// was not reached.
func timer(ms int64) time.Duration {
	if ms < 0 {
		return -1
	}
	return time.Duration(ms) * time.Millisecond
}
