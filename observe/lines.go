package observe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// maxLine is the longest line that is read; the rest of a longer one is kept
// in the file and otherwise left out.
const maxLine = 64 << 10

// lineWriter copies what is written to it to a file as it is, and hands each
// whole line to a function, without its end. It is safe for concurrent use.
type lineWriter struct {
	file io.Writer
	line func([]byte)

	mu   sync.Mutex
	rest []byte // the beginning of a line whose end has not come
	last time.Time
}

// Write implements io.Writer. Its errors are the file's.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = time.Now()
	if _, err := w.file.Write(p); err != nil {
		return 0, err
	}
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			w.keep(p)
			return n, nil
		}
		w.keep(p[:i])
		w.flush()
		p = p[i+1:]
	}
}

// keep adds to the line that has begun.
func (w *lineWriter) keep(p []byte) {
	w.rest = append(w.rest, p[:min(len(p), maxLine-len(w.rest))]...)
}

// flush hands over the line that has ended.
func (w *lineWriter) flush() {
	if w.line != nil {
		w.line(bytes.TrimSuffix(w.rest, []byte{'\r'}))
	}
	w.rest = w.rest[:0]
}

// finish hands over a last line that had no end.
func (w *lineWriter) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.flush()
	}
}

// quietFor is how long ago the last byte came, or since began if none did.
func (w *lineWriter) quietFor(began time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last.After(began) {
		return time.Since(w.last)
	}
	return time.Since(began)
}

// A log is followed until it was quiet for so long after the run's end, at
// most for settleWithin: what the node wrote before the end is on its way.
const (
	quietEnough  = 300 * time.Millisecond
	settleWithin = 3 * time.Second
)

// follow copies the node's log to its file and hands each line to line, until
// ctx ends and the log is quiet. Reasons for which lines may be missing go
// into the accounts; the error is the log's, or the file's.
func follow(ctx context.Context, env env, node string, line func([]byte), accounts ...*account) error {
	file, err := os.Create(env.logFile(node))
	if err != nil {
		err = fmt.Errorf("keep the log of %s: %w", node, err)
		lackAll(accounts, err)
		return err
	}
	w := &lineWriter{file: file, line: line}
	err = copyLog(ctx, env, node, w)
	w.finish()
	if cerr := file.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("keep the log of %s: %w", node, cerr)
	}
	if err != nil {
		lackAll(accounts, err)
	}
	return err
}

func lackAll(accounts []*account, err error) {
	for _, a := range accounts {
		a.lack("%v", err)
	}
}

// copyLog follows the log until the quiet after ctx's end. An end of the log
// before that is an error.
func copyLog(ctx context.Context, env env, node string, w *lineWriter) error {
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- env.cluster.Logs(following, node, env.clock.Start(), w) }()
	var err error
	select {
	case err = <-ended:
		if err == nil && ctx.Err() == nil {
			err = errors.New("it ended before the run did")
		}
	case <-ctx.Done():
		if !awaitQuiet(w, ended, &err) {
			stop()
			err = <-ended
		}
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("log of %s: %w", node, err)
	}
	return nil
}

// awaitQuiet waits until nothing came for quietEnough, at most settleWithin.
// It returns true, with the log's error, if the log ended meanwhile.
func awaitQuiet(w *lineWriter, ended <-chan error, err *error) bool {
	began := time.Now()
	for time.Since(began) < settleWithin {
		wait := quietEnough - w.quietFor(began)
		if wait <= 0 {
			return false
		}
		select {
		case *err = <-ended:
			return true
		case <-time.After(wait):
		}
	}
	return false
}
