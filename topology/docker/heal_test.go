package docker

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// healPair is what the undo log of these tests says. To add the table first
// has it be there, so that it can be called again.
func healPair(ctx context.Context, nodes []topology.Node, undoLog string) (late time.Duration, err error) {
	if _, err := os.ReadFile(undoLog); err != nil {
		return 0, err
	}
	if err := nodes[0].(topology.Container).Unpause(ctx); err != nil {
		return 0, err
	}
	for _, verb := range []string{"add", "delete"} {
		out, err := nodes[1].(topology.Namespace).InNamespace(ctx, "nft", verb, "table", "inet", "hachaos")
		if err == nil && out.Code != 0 {
			err = errors.New(string(out.Stderr))
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, nil
}
