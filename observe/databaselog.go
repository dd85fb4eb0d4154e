package observe

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/history"
)

// databaseLog keeps the database's log, and reads from it the connections
// that were refused because there were too many: nothing else tells of them.
type databaseLog struct {
	env  env
	node string
}

// Name implements Observer.
func (d *databaseLog) Name() string { return "log " + d.node }

// Observe implements Observer.
func (d *databaseLog) Observe(ctx context.Context, sink history.Sink) error {
	whole := &account{stream: StreamLog, source: d.node}
	refusals := &account{stream: history.StreamRefusal, source: d.node}
	clock := d.env.foreign(d.node)
	err := follow(ctx, d.env, d.node, func(line []byte) {
		whole.saw()
		if !isRefusal(line) {
			return
		}
		wall, text, err := parseRefusal(line)
		if err != nil {
			refusals.miss(1, "%s.log: %v", d.node, err)
			return
		}
		refusals.saw()
		at, span := d.env.span(wall, withinLog)
		clock.dates(at, span.Within)
		put(sink, history.StreamRefusal, at, d.node, history.Refusal{Span: span, Node: d.node, Text: text})
	}, whole, refusals)
	clock.judge(refusals)
	settle(sink, d.env.clock.Now, whole, refusals)
	return err
}

// isRefusal says whether the line is PostgreSQL's of a connection too many:
// the two messages of InitPostgres and of ProcArray (17, postinit.c, proc.c).
func isRefusal(line []byte) bool {
	return bytes.Contains(line, []byte("FATAL:")) &&
		(bytes.Contains(line, []byte("remaining connection slots are reserved")) || bytes.Contains(line, []byte("too many clients already")))
}

// parseRefusal reads the line's time and its message. The image's log_line_prefix begins with %m, in UTC.
func parseRefusal(line []byte) (time.Time, string, error) {
	const layout = "2006-01-02 15:04:05.000 MST"
	if len(line) < len(layout) {
		return time.Time{}, "", fmt.Errorf("%q: no time", line)
	}
	at, err := time.Parse(layout, string(line[:len(layout)]))
	if err != nil {
		return time.Time{}, "", err
	}
	_, text, _ := bytes.Cut(line, []byte("FATAL:"))
	return at, string(bytes.TrimSpace(text)), nil
}
