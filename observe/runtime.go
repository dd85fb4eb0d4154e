package observe

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// runtimePort is where a balancer's runtime socket listens.
const runtimePort = 9999

// maxReply bounds what is read of the runtime socket.
const maxReply = 4 << 20

// ask sends one line of commands, separated by semicolons, to a balancer's
// runtime socket and returns the reply, which ends with the connection.
func ask(ctx context.Context, dial topology.DialFunc, addr, commands string) (string, error) {
	conn, err := connect(ctx, dial, addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer bind(ctx, conn)()
	if _, err := io.WriteString(conn, commands+"\n"); err != nil {
		return "", fmt.Errorf("send to %s: %w", addr, cause(ctx, err))
	}
	reply, err := io.ReadAll(io.LimitReader(conn, maxReply))
	if err != nil {
		return "", fmt.Errorf("reply of %s: %w", addr, cause(ctx, err))
	}
	return string(reply), nil
}

// split parts the reply to `show info;show stat …`: the table begins at the
// comment that holds its header.
func split(reply string) (info, stat string, err error) {
	at := strings.Index(reply, "# pxname,")
	if at < 0 {
		return "", "", fmt.Errorf("reply holds no table of `show stat`: %.80q", reply)
	}
	return reply[:at], reply[at:], nil
}

// info is what is read of `show info`.
type info struct {
	pid         int
	uptime      uint64 // seconds
	requests    uint64
	droppedLogs uint64
}

// parseInfo reads `show info`: lines of "Name: value".
func parseInfo(text string) (info, error) {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			fields[name] = strings.TrimSpace(value)
		}
	}
	var errs []error
	number := func(name string) uint64 {
		n, err := strconv.ParseUint(fields[name], 10, 63)
		if err != nil {
			errs = append(errs, fmt.Errorf("show info: %s: %w", name, err))
		}
		return n
	}
	got := info{
		pid:         int(number("Pid")),
		uptime:      number("Uptime_sec"),
		requests:    number("CumReq"),
		droppedLogs: number("DroppedLogs"),
	}
	return got, errors.Join(errs...)
}

// row is one line of `show stat`, by the names of its header.
type row map[string]string

// number is the named column, 0 if it is empty or not a number.
func (r row) number(name string) int64 {
	n, _ := strconv.ParseInt(r[name], 10, 64)
	return n
}

// parseStat reads `show stat`: comma-separated values whose first line is a
// comment that names them. The columns differ between versions of HAProxy.
func parseStat(text string) ([]row, error) {
	header, _, _ := strings.Cut(text, "\n")
	names, ok := strings.CutPrefix(header, "# ")
	if !ok {
		return nil, fmt.Errorf("show stat: no header in %.80q", header)
	}
	lines := csv.NewReader(strings.NewReader(names + text[len(header):]))
	lines.FieldsPerRecord = -1
	all, err := lines.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("show stat: %w", err)
	}
	if len(all) == 0 {
		return nil, errors.New("show stat: an empty header")
	}
	rows := make([]row, 0, len(all)-1)
	for _, fields := range all[1:] {
		r := make(row, len(fields))
		for i, f := range fields[:min(len(fields), len(all[0]))] {
			r[all[0][i]] = f
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// takes says that a server of this status gets new requests. A server that
// drains still serves the sessions that are bound to it, and no others.
func takes(status string) bool {
	return status == "no check" || status == "UP" || strings.HasPrefix(status, "UP ")
}
