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
	// numbered says that v.Number is the request's; a connection that brought
	// none has none.
	numbered bool
	// pid is the process that wrote it; 0 if the line does not say.
	pid int
	v   history.Dispatch
}

// parseDispatch reads a dispatch line of the wire contract. HAProxy writes
// "" or "-" for what it has not got. The second result is false for a line of
// another kind.
func parseDispatch(line []byte) (dispatchLine, bool, error) {
	var raw struct {
		Hachaos, Lb, Op, Key, Srv, Retr, Term string

		At, N                 count
		Pid, St               uint64
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
		return dispatchLine{}, true, fmt.Errorf("dispatch %d: %w", raw.N.v, err)
	}
	retries, err := strconv.ParseUint(strings.TrimPrefix(given(raw.Retr, "0"), "+"), 10, 16)
	if err != nil {
		return dispatchLine{}, true, fmt.Errorf("dispatch %d: retries: %w", raw.N.v, err)
	}
	out := dispatchLine{numbered: raw.N.ok, pid: int(raw.Pid), v: history.Dispatch{
		Balancer: raw.Lb, Number: raw.N.v, Op: op, Attempt: attempt,
		Key: given(raw.Key, ""), Server: server(raw.Srv), Status: int(raw.St),
		Retries: int(retries), Redispatched: strings.HasPrefix(raw.Retr, "+"), Term: raw.Term,
		Wait: timer(raw.Tw), Connect: timer(raw.Tc), Response: timer(raw.Tr), Total: timer(raw.Ta),
		Bytes: raw.Bytes,
	}}
	if raw.At.ok {
		out.at = micros(int64(raw.At.v))
	}
	return out, true, nil
}

// count is a number that a balancer writes as one or as text, and as "" or
// "-" if it has none.
type count struct {
	v  uint64
	ok bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *count) UnmarshalJSON(text []byte) error {
	s := given(strings.Trim(string(text), `"`), "")
	if s == "" || s == "null" {
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return fmt.Errorf("%s is not a count", text)
	}
	*c = count{n, true}
	return nil
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

// maxTimer is more than any of HAProxy's timers: they have 32 bits.
const maxTimer = 1 << 32

// timer is one of HAProxy's timers, in milliseconds; -1 stays -1: the step
// was not reached.
func timer(ms int64) time.Duration {
	if ms < 0 {
		return -1
	}
	return time.Duration(min(ms, maxTimer)) * time.Millisecond
}
