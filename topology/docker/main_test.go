package docker

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker/agent"
)

// programs are what this test binary can be started again as.
var programs = agent.Programs{}

func TestMain(m *testing.M) {
	programs[agent.Reaper] = Reaper(func(ctx context.Context, nodes []topology.Node, undoLog string) (time.Duration, error) {
		return healPair(ctx, nodes, undoLog)
	})
	agent.Main(programs)
	os.Exit(m.Run())
}
