package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// How readiness is asked for. The dial is short because a SYN to a container
// whose interface is not up yet is sent again only a second later.
const (
	readyEvery = 25 * time.Millisecond
	readyDial  = 100 * time.Millisecond
	readyReply = 3 * time.Second
	aliveEvery = 40 // polls between two looks at whether the container runs
)

// probe is one thing to wait for.
type probe struct {
	name string // "node j1", "entry"
	url  string // answers 200 when ready; empty for a mere connection
	addr string
	node *node // whose container must run; nil for the entry
}

// errInVain ends the wait for the others once one can never be ready.
var errInVain = errors.New("another node ended")

// Ready implements topology.Cluster. Beside the application nodes it awaits
// every node whose spec has a port. A node whose container ended is not waited
// for. The error names each that is not ready, its last answer and the end of
// its log.
func (c *cluster) Ready(ctx context.Context) error {
	client := c.probeClient()
	defer client.CloseIdleConnections()
	probes := c.probes()
	results := make([]error, len(probes))
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for i, p := range probes {
		all.Go(func() {
			if results[i] = c.await(waiting, client, p); errors.Is(results[i], topology.ErrNotRunning) {
				cancel(errInVain)
			}
		})
	}
	all.Wait()
	results = slices.DeleteFunc(results, func(err error) bool { return errors.Is(err, errInVain) })
	if err := errors.Join(results...); err != nil {
		return fmt.Errorf("%s is not ready: %w", c.spec.Name, err)
	}
	return nil
}

// probes are computed from the spec.
func (c *cluster) probes() []probe {
	entry := probe{name: "entry", addr: entryAddress(c.spec)}
	if c.spec.ReadyPath != "" {
		entry.url = c.Entry().URL + c.spec.ReadyPath
	}
	var list []probe
	for _, n := range c.nodes {
		if n.spec.Port == 0 {
			continue
		}
		p := probe{name: "node " + n.spec.Name, addr: hostPort(n.spec.Addr, n.spec.Port), node: n}
		if n.spec.Ready != "" {
			p.url = "http://" + p.addr + n.spec.Ready
		}
		list = append(list, p)
	}
	if entry.addr != "" {
		list = append(list, entry)
	}
	return list
}

// await asks until the answer is good, ctx ends or the container did.
func (c *cluster) await(ctx context.Context, client *http.Client, p probe) error {
	ticker := time.NewTicker(readyEvery)
	defer ticker.Stop()
	last := errors.New("it was not asked")
	for poll := 1; ; poll++ {
		answer := c.ask(ctx, client, p)
		if answer == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = answer
		}
		if poll%aliveEvery == 0 && ctx.Err() == nil {
			if err := c.checkAlive(ctx, p); err != nil {
				return err
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: last answer: %w%s", p.name, context.Cause(ctx), last, c.logEndOf(ctx, p))
		}
	}
}

// ask returns nil if the answer is good, and else what was wrong with it.
func (c *cluster) ask(ctx context.Context, client *http.Client, p probe) error {
	if p.url == "" {
		dialing, cancel := context.WithTimeout(ctx, readyDial)
		defer cancel()
		conn, err := c.DialContext(dialing, "tcp", p.addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 512)) // the status counts
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// checkAlive gives up on a container that ended.
func (c *cluster) checkAlive(ctx context.Context, p probe) error {
	if p.node == nil {
		return nil
	}
	state, err := p.node.Inspect(ctx)
	if err != nil || state.Running {
		return nil // an engine that does not answer is no proof
	}
	return fmt.Errorf("%s: %w: it ended with status %d%s",
		p.name, topology.ErrNotRunning, state.ExitCode, c.logEndOf(ctx, p))
}

func (c *cluster) logEndOf(ctx context.Context, p probe) string {
	if p.node == nil {
		return ""
	}
	return c.engine.logEnd(ctx, p.node.id)
}

// probeClient makes a new connection for each request, goes through no proxy
// and follows no redirects.
func (c *cluster) probeClient() *http.Client {
	patience := readyDial
	if c.relayed {
		patience = time.Second // it passes through the engine's own machine
	}
	return &http.Client{
		Timeout: readyReply,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				dialing, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				return c.DialContext(dialing, network, address)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
