//go:build docker

package fault_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/fault/faulttest"
	"github.com/hachaos/hachaos/topology"
)

// TestDockerTransactionKill holds the fault to the suite while orders come to
// the node: without one it never comes to the point. It is not in memory,
// where no application could die by itself.
func TestDockerTransactionKill(t *testing.T) {
	if _, rotation := os.LookupEnv("HACHAOS_ROTATION"); rotation {
		t.Skip("left out by the rotation: `make test-all` runs it")
	}
	c := standing(t)
	for _, one := range amidOrders() {
		t.Run(one.Fault.(fault.TransactionKill).Point, func(t *testing.T) {
			faulttest.Suite{
				New:    func() fault.Fault { return one.Fault },
				Beside: beside(one.Fault),
				Nodes: func(t *testing.T) []topology.Node {
					nodes := readyNodes(t, c, one.nodes)
					order(t, c, nodes[0])
					return nodes
				},
				Settle: 30 * time.Second,
			}.Run(t)
		})
	}
}

// order sends the node an order every 50 ms until the test ends.
func order(t *testing.T, c topology.Cluster, n topology.Node) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Transport: &http.Transport{DialContext: topology.Dial(c), DisableKeepAlives: true}, Timeout: 2 * time.Second}
	url := fmt.Sprintf("http://%v:%d/orders", n.(topology.Addressed).Addr(), jettyPort)
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := 1; ctx.Err() == nil; i++ {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"item":"x","quantity":1}`))
			if err != nil {
				return
			}
			req.Header.Set("Idempotency-Key", fmt.Sprintf("%s-%d", t.Name(), i))
			req.Header.Set("X-Hachaos-Op", fmt.Sprintf("%d.1", i))
			if resp, err := client.Do(req); err == nil {
				_ = resp.Body.Close()
			}
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		sending.Wait()
	})
}
