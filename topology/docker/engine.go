package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"github.com/hachaos/hachaos/topology"
)

// engine is the one client that all of the package shares. It is safe for
// concurrent use.
type engine struct {
	*client.Client
	host string
	// provider makes testcontainers' side, once, when a container is first
	// to be created.
	provider func() (*testcontainers.DockerProvider, error)
}

// openEngine finds the engine and asks whether it answers. The error wraps
// topology.ErrNoEngine or topology.ErrPermission and says what to do.
func openEngine(ctx context.Context) (*engine, error) {
	host, err := engineHost()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", topology.ErrNoEngine, err)
	}
	cli, err := client.New(client.FromEnv, client.WithHost(host))
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w", topology.ErrNoEngine, host, err)
	}
	e := &engine{Client: cli, host: host}
	e.provider = sync.OnceValues(e.newProvider)
	if err := e.greet(ctx, greeting); err != nil {
		return nil, errors.Join(err, cli.Close())
	}
	return e, nil
}

// greeting is how long an engine may take to say that it is there.
const greeting = 20 * time.Second

// greet asks for the first answer: an engine that is frozen takes connections
// and says nothing.
func (e *engine) greet(ctx context.Context, patience time.Duration) error {
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := e.Ping(asking, client.PingOptions{NegotiateAPIVersion: true})
	if err != nil && ctx.Err() == nil && asking.Err() != nil {
		return fmt.Errorf("%w at %s: it has said nothing for %v: restart it (`sudo systemctl restart docker`): %w",
			topology.ErrNoEngine, e.host, patience, err)
	}
	return e.explain(err)
}

// explain turns an error of the connection into one that says what to do, and
// leaves every other alone.
func (e *engine) explain(err error) error {
	switch {
	case err == nil || !client.IsErrConnectionFailed(err):
		return err
	case strings.Contains(err.Error(), "permission denied"):
		return fmt.Errorf("%w at %s: add your user to the group that owns the socket "+
			"(`sudo usermod -aG docker $USER`, then log in again), or run as root: %w",
			topology.ErrPermission, e.host, err)
	default:
		return fmt.Errorf("%w at %s: start it (`sudo systemctl start docker`), install one "+
			"(on Debian `sudo apt-get install docker.io`), or set DOCKER_HOST: %w",
			topology.ErrNoEngine, e.host, err)
	}
}

// local says whether the engine runs on this machine, as far as its address
// tells: paths and addresses of the engine may then be looked at from here.
func (e *engine) local() bool { return strings.HasPrefix(e.host, "unix://") }

// silence keeps testcontainers' own log off standard error. It is the whole
// process's and must be set by one goroutine alone.
var silence = sync.OnceFunc(func() { tclog.SetDefault(tclog.NewNoopLogger()) })

// newProvider prepares testcontainers for an engine without internet access:
// Ryuk, its reaper, is an image that would have to be pulled, and hachaos has
// one of its own. Testcontainers looks for the engine by itself, so it is told
// where we found it, and then given our client, so that there is one.
func (e *engine) newProvider() (*testcontainers.DockerProvider, error) {
	for name, value := range map[string]string{
		"TESTCONTAINERS_RYUK_DISABLED": "true",
		client.EnvOverrideHost:         e.host,
	} {
		if err := os.Setenv(name, value); err != nil {
			return nil, fmt.Errorf("environment for testcontainers: %w", err)
		}
	}
	silence()
	provider, err := testcontainers.NewDockerProvider(
		testcontainers.WithLogger(tclog.NewNoopLogger()),
		testcontainers.WithDefaultBridgeNetwork(testcontainers.Bridge),
	)
	if err != nil {
		return nil, fmt.Errorf("testcontainers: %w", err)
	}
	err = provider.Client().Close()
	provider.SetClient(e.Client)
	return provider, err
}
