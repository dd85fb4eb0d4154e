package docker

import (
	"context"
	"io/fs"
	"strings"
	"sync"

	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/fixtures"
	"github.com/hachaos/hachaos/topology"
)

// Options configure a Driver. The zero value is the default.
type Options struct {
	// Images are the images that nodes may name; nil means those of package
	// fixtures. Files holds their build contexts; nil likewise.
	Images []fixtures.Image
	Files  fs.FS
	// BaseRef is the image that the base image is made from, such as
	// "127.0.0.1:5000/debian:trixie-slim". If it is empty, Debian's slim image
	// is taken where a registry answers within three seconds, and a minimal
	// Debian is installed locally elsewhere.
	BaseRef string
	// Mirror is where a local installation gets Debian's packages; empty
	// leaves it to mmdebstrap or debootstrap.
	Mirror string
	// Agent is a Linux executable of hachaos to put into images that need
	// one; empty means this process's own.
	Agent string
	// ForceRelay sends the load through a relay container even where the
	// host reaches the containers' addresses.
	ForceRelay bool
}

// Driver brings topologies up on one engine. It implements topology.Driver
// and is safe for concurrent use.
type Driver struct {
	engine  *engine
	builder *Builder
	owner   owner
	relay   bool

	mu sync.Mutex
	// stands are the clusters that this driver started, are to outlive the
	// process, and were not closed, by their ids.
	stands map[string]*cluster
}

var (
	_ topology.Driver    = (*Driver)(nil)
	_ topology.Describer = (*Driver)(nil)
	_ topology.Featured  = (*Driver)(nil)
)

// Open finds the engine and asks whether it answers. The error wraps
// topology.ErrNoEngine or topology.ErrPermission and says what to do next.
func Open(ctx context.Context, opts Options) (*Driver, error) {
	e, err := openEngine(ctx)
	if err != nil {
		return nil, err
	}
	builder, err := newBuilder(e, opts)
	if err != nil {
		return nil, err
	}
	return &Driver{engine: e, builder: builder, owner: self(), relay: opts.ForceRelay}, nil
}

// Version is the engine's, in words: "Docker Engine - Community 28.0.1"; empty if it
// does not say.
func (d *Driver) Version(ctx context.Context) string {
	asking, cancel := context.WithTimeout(ctx, greeting)
	defer cancel()
	v, err := d.engine.ServerVersion(asking, client.ServerVersionOptions{})
	if err != nil {
		return ""
	}
	return strings.TrimSpace(v.Platform.Name + " " + v.Version)
}

// Builder returns the images' builder.
func (d *Driver) Builder() *Builder { return d.builder }

// Close lets go of the connections to the engine. Clusters stay as they are
// and must not be used any more.
func (d *Driver) Close() error { return d.engine.Client.Close() }
