package docker

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// logEnd returns the last lines that a container wrote, to be appended to an
// error; nothing if there are none or they cannot be had.
func (e *engine) logEnd(ctx context.Context, id string) string {
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	stream, err := e.ContainerLogs(asking, id, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(logEnd),
	})
	if err != nil {
		return ""
	}
	defer stream.Close()
	var text bytes.Buffer
	if _, err := stdcopy.StdCopy(&text, &text, stream); err != nil || text.Len() == 0 {
		return ""
	}
	var end tail
	end.write(text.String())
	return "\nits log ends:\n" + end.String()
}
