package docker

import (
	"os"
	"testing"

	"github.com/hachaos/hachaos/topology/docker/agent"
)

func TestMain(m *testing.M) {
	agent.Main(nil)
	os.Exit(m.Run())
}
