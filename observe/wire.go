package observe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// marker begins each line of the wire contract, in a node's or a balancer's
// log, beside whatever else stands there.
var marker = []byte(`{"hachaos":`)

// ours says that a log line belongs to the wire contract.
func ours(line []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(line, " "), marker) }

// A nodeLine is a line of a node's log: a receipt, a transition, or (both
// nil) something of another kind.
type nodeLine struct {
	at         time.Time
	receipt    *history.Receipt
	transition *history.Transition
}

// parseNodeLine reads a line of the wire contract. A kind that is not known
// is no error: it belongs to somebody else.
func parseNodeLine(line []byte) (nodeLine, error) {
	var raw struct {
		Hachaos, Node, What, Op, Key, Reason, Version string

		At, Order int64
	}
	err := json.Unmarshal(line, &raw)
	switch {
	case err != nil && raw.Hachaos == "": // torn: nothing of it was read
		return nodeLine{}, fmt.Errorf("log line: %w", err)
	case raw.Hachaos != "receipt" && raw.Hachaos != "transition":
		return nodeLine{}, nil
	case err != nil:
		return nodeLine{}, fmt.Errorf("%s: %w", raw.Hachaos, err)
	case raw.At <= 0 || raw.Node == "" || raw.What == "":
		return nodeLine{}, fmt.Errorf("%s without at, node or what", raw.Hachaos)
	}
	out := nodeLine{at: micros(raw.At)}
	if raw.Hachaos == "transition" {
		out.transition = &history.Transition{
			Node: raw.Node, What: raw.What, Reason: raw.Reason, Version: raw.Version,
		}
		return out, nil
	}
	op, attempt, err := parseOp(raw.Op)
	if err != nil {
		return nodeLine{}, fmt.Errorf("receipt: %w", err)
	}
	out.receipt = &history.Receipt{
		Node: raw.Node, What: raw.What, Op: op, Attempt: attempt, Key: raw.Key, Order: raw.Order,
	}
	return out, nil
}

// parseOp reads "<op>.<attempt>". Empty and "-" are a request that no
// operation of the run made: 0, 0.
func parseOp(s string) (op uint64, attempt int, err error) {
	if s == "" || s == "-" {
		return 0, 0, nil
	}
	number, try, ok := strings.Cut(s, ".")
	if !ok {
		return 0, 0, fmt.Errorf("op %q is not <op>.<attempt>", s)
	}
	op, err = strconv.ParseUint(number, 10, 64)
	attempt, err2 := strconv.Atoi(try)
	if err = errors.Join(err, err2); err != nil || attempt < 0 {
		return 0, 0, fmt.Errorf("op %q is not <op>.<attempt>", s)
	}
	return op, attempt, nil
}

// parseOpNumber reads an operation's number, with or without an attempt.
func parseOpNumber(s string) (uint64, error) {
	number, _, _ := strings.Cut(s, ".")
	op, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("op %q is not a number", s)
	}
	return op, nil
}
