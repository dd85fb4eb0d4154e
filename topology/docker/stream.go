package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// leash runs its arguments until they end by themselves or its own standard
// input does, and then asks them to end and, two seconds later, makes them. The
// engine has no way to end a command that it runs in a container, but it
// closes the input when the caller goes, however that comes about.
const leash = `exec 3<&0
"$@" </dev/null &
pid=$!
(read -r _; kill -TERM $pid; sleep 2; kill -KILL $pid) <&3 >/dev/null 2>&1 &
wait $pid; code=$?
kill $! 2>/dev/null
exit $code`

// unleashing is how long a command may take to end once it was asked to.
const unleashing = 5 * time.Second

// Stream implements topology.Streamer. The helper's image must have sh.
func (n *node) Stream(ctx context.Context, w io.Writer, argv ...string) error {
	id, err := n.helperID(ctx)
	if err == nil {
		err = n.cluster.engine.stream(ctx, id, w, argv)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("beside node %s: %w", n.spec.Name, err)
	}
	return err
}

// stream runs argv in a container and copies its standard output as it comes.
func (e *engine) stream(ctx context.Context, id string, w io.Writer, argv []string) error {
	if len(argv) == 0 {
		return errors.New("no command")
	}
	created, err := e.ExecCreate(ctx, id, client.ExecCreateOptions{
		Cmd:         append([]string{"sh", "-c", leash, "leash"}, argv...),
		AttachStdin: true, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return e.explainExec(argv, err)
	}
	attached, err := e.ExecAttach(ctx, created.ID, client.ExecAttachOptions{})
	if err != nil {
		return e.explainExec(argv, err)
	}
	defer attached.Close()
	stop := context.AfterFunc(ctx, func() {
		_ = attached.CloseWrite() // the leash
		_ = attached.Conn.SetReadDeadline(time.Now().Add(unleashing))
	})
	defer stop()
	var words tail
	_, copyErr := stdcopy.StdCopy(w, &words, attached.Reader)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case copyErr != nil:
		return e.explainExec(argv, copyErr)
	}
	return e.streamEnd(ctx, created.ID, argv, &words)
}

// streamEnd turns the end of the command into an error.
func (e *engine) streamEnd(ctx context.Context, execID string, argv []string, words *tail) error {
	result, err := e.ExecInspect(ctx, execID, client.ExecInspectOptions{})
	switch {
	case err != nil:
		return e.explainExec(argv, err)
	case result.Running:
		return fmt.Errorf("%q: its output ended, but it runs on", argv)
	case result.ExitCode != 0:
		return fmt.Errorf("%q: exit status %d:\n%s", argv, result.ExitCode, words)
	}
	return nil
}
