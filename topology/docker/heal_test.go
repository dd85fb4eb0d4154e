package docker

import (
	"context"
	"errors"
	"os"

	"github.com/hachaos/hachaos/topology"
)

// healPair is what the undo log of these tests says.
func healPair(ctx context.Context, nodes []topology.Node, undoLog string) error {
	if _, err := os.ReadFile(undoLog); err != nil {
		return err
	}
	if err := nodes[0].(topology.Container).Unpause(ctx); err != nil {
		return err
	}
	out, err := nodes[1].(topology.Namespace).InNamespace(ctx, "nft", "delete", "table", "inet", "hachaos")
	if err == nil && out.Code != 0 {
		err = errors.New(string(out.Stderr))
	}
	return err
}
