package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// Exec implements topology.Node. A paused node counts as not running: nothing
// can be run in it, while InNamespace works. If ctx ends first, or the command
// prints more than mostOutput, Exec returns an error and the command goes on in
// the container.
func (n *node) Exec(ctx context.Context, argv ...string) (topology.Output, error) {
	out, err := n.cluster.engine.exec(ctx, n.id, argv)
	if err != nil {
		return out, fmt.Errorf("exec in node %s: %w", n.spec.Name, err)
	}
	return out, nil
}

// mostOutput is how much of each of a command's outputs is kept. It is far above
// what anything here prints, and keeps a command that does not end printing from
// taking the machine's memory.
const mostOutput = 256 << 20

// errOutput: a command printed more than mostOutput.
var errOutput = fmt.Errorf("it printed more than %d MiB", mostOutput>>20)

// bounded is a buffer that takes so much and no more.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, errOutput
	}
	return b.Buffer.Write(p)
}

// exec runs argv in a container. An error that the container's state explains
// wraps topology.ErrNotRunning.
func (e *engine) exec(ctx context.Context, id string, argv []string) (topology.Output, error) {
	if len(argv) == 0 {
		return topology.Output{}, errors.New("no command")
	}
	created, err := e.ExecCreate(ctx, id, client.ExecCreateOptions{
		Cmd: argv, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return topology.Output{}, e.explainExec(argv, err)
	}
	out, err := e.collect(ctx, created.ID)
	if err != nil {
		return out, e.explainExec(argv, err)
	}
	result, err := e.ExecInspect(ctx, created.ID, client.ExecInspectOptions{})
	if err != nil {
		return out, e.explainExec(argv, err)
	}
	if result.Running {
		return out, fmt.Errorf("%q: its output ended, but it runs on: its exit status is unknown", argv)
	}
	out.Code = result.ExitCode
	return out, nil
}

// collect starts the command and reads both its outputs to their end.
func (e *engine) collect(ctx context.Context, execID string) (topology.Output, error) {
	attached, err := e.ExecAttach(ctx, execID, client.ExecAttachOptions{})
	if err != nil {
		return topology.Output{}, err
	}
	defer attached.Close()
	stop := context.AfterFunc(ctx, attached.Close)
	defer stop()
	stdout, stderr := bounded{most: mostOutput}, bounded{most: mostOutput}
	_, err = stdcopy.StdCopy(&stdout, &stderr, attached.Reader)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return topology.Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, err
}

func (e *engine) explainExec(argv []string, err error) error {
	if errdefs.IsConflict(err) {
		return fmt.Errorf("%q: %w: %w", argv, topology.ErrNotRunning, err)
	}
	return fmt.Errorf("%q: %w", argv, e.explain(err))
}
