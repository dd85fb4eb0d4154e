package topology

import (
	"context"
	"io"
)

// Streamer is the capability of reading a long command's output while it
// runs: one helper process that reports ten times a second costs a hundredth
// of as many calls of InNamespace.
type Streamer interface {
	Node
	// Stream runs argv where InNamespace would run it and copies its standard
	// output to w as it comes, until the command ends or ctx does; then it
	// ends the command, waits for it and returns. The command belongs to the
	// network namespace that the node had when Stream was called: after the
	// node's container was restarted it must be called again. It returns nil
	// if the command exited with 0, ctx's error if ctx ended first, and an
	// error that wraps ErrNotRunning if the node does not run.
	Stream(ctx context.Context, w io.Writer, argv ...string) error
}
