package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// logPoll is how often a node that is down is looked at, whether it is up again.
// Its log is not asked for meanwhile, which the engine would read from its beginning
// each time. Nothing is lost: it is kept.
const logPoll = 200 * time.Millisecond

// lastWords is how long reading what was written until ctx ended may take.
const lastWords = 10 * time.Second

// Logs implements topology.Cluster. The engine's stream ends with each life of
// the container; it is taken up again behind the last line that was copied.
func (c *cluster) Logs(ctx context.Context, name string, since time.Time, w io.Writer) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	lines := &lineCopier{to: w, last: since}
	for well := time.Now(); ctx.Err() == nil; {
		opened, err := c.engine.copyLog(ctx, n.id, lines, true)
		if opened {
			well = time.Now()
		}
		switch {
		case err == nil:
		case ctx.Err() != nil: // what was written until now is still to be read
		case lines.err != nil || errdefs.IsNotFound(err) || time.Since(well) > patience:
			return fmt.Errorf("log of node %s: %w", name, err)
		}
		c.engine.awaitNextLife(ctx, n.id)
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if _, err := c.engine.copyLog(ending, n.id, lines, false); err != nil {
		return fmt.Errorf("end of the log of node %s: %w", name, err)
	}
	return nil
}

// awaitNextLife returns once a container runs, or has run again meanwhile; where the
// engine cannot tell, after one look.
func (e *engine) awaitNextLife(ctx context.Context, id string) {
	started := ""
	for look := 0; ; look++ {
		select {
		case <-time.After(logPoll):
		case <-ctx.Done():
			return
		}
		res, err := e.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil || res.Container.State == nil || res.Container.State.Running {
			return
		}
		if now := res.Container.State.StartedAt; look == 0 {
			started = now
		} else if now != started {
			return
		}
	}
}

// copyLog copies what follows the last copied line: to the end of the
// container's life, or to the present end. It reports whether the engine began
// to answer, and why the log ended too early.
func (e *engine) copyLog(ctx context.Context, id string, lines *lineCopier, follow bool) (bool, error) {
	stream, err := e.ContainerLogs(ctx, id, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow, Since: unixNano(lines.last),
	})
	if err != nil {
		return false, e.explain(err)
	}
	defer stream.Close()
	lines.resume()
	_, err = stdcopy.StdCopy(lines, lines, stream)
	if lines.err != nil {
		err = lines.err
	}
	return true, err
}

// lineCopier strips the engine's timestamps and drops what was copied before.
// The engine sends each line, or piece of a very long one, as one Write. Its
// times do not always ascend: the lines of standard output and of standard
// error are stamped apart and queue for the log, and the wall's clock may be
// set back. So a line is old only where a stream is resumed.
type lineCopier struct {
	to     io.Writer
	last   time.Time      // of the newest line copied
	recent map[string]int // the lines that were copied from that one on
	again  map[string]int // which of them a resumed stream may repeat
	behind bool           // the resumed stream has not come to last yet
	err    error          // of the writer, or of a line without a time
}

// resume prepares for a stream that begins at last again, including it.
func (l *lineCopier) resume() {
	l.again, l.behind = maps.Clone(l.recent), true
}

// Write implements io.Writer.
func (l *lineCopier) Write(line []byte) (int, error) {
	at, text, err := splitLine(line)
	if err != nil {
		l.err = err
		return 0, err
	}
	if l.behind && at.Before(l.last) {
		return len(line), nil
	}
	l.behind = false
	key := string(line)
	if l.again[key] > 0 {
		l.again[key]--
		return len(line), nil
	}
	l.note(key, at)
	if _, l.err = l.to.Write(text); l.err != nil {
		return 0, l.err
	}
	return len(line), nil
}

// note remembers a line that is copied.
func (l *lineCopier) note(line string, at time.Time) {
	if l.recent == nil {
		l.recent = map[string]int{}
	}
	if at.After(l.last) {
		l.last = at
		clear(l.recent)
	}
	l.recent[line]++
}

// splitLine separates the time that the engine puts before a line from it.
func splitLine(line []byte) (time.Time, []byte, error) {
	stamp, text, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return time.Time{}, nil, fmt.Errorf("line %q: %w", line, errors.New("no timestamp"))
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return time.Time{}, nil, fmt.Errorf("line %q: %w", line, err)
	}
	return at, text, nil
}
