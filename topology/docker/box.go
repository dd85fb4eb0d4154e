package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/hachaos/hachaos/topology"
)

// box is a container to be created, as data.
type box struct {
	name   string
	config container.Config
	host   container.HostConfig
	ends   map[string]*network.EndpointSettings
	files  []topology.File
}

// logLimits keep the engine's defaults from rotating lines away before they
// are read: a balancer writes a line a request.
var logLimits = container.LogConfig{
	Type:   "json-file",
	Config: map[string]string{"max-size": "1g", "max-file": "2"},
}

// nodeBox is the container of a node.
func nodeBox(id, standing string, owner owner, n topology.NodeSpec, image string) box {
	marks := labels(id, standing, owner)
	marks[labelNode], marks[labelRole] = n.Name, string(n.Role)
	net := networkName(id)
	b := box{
		name: containerName(id, n.Name),
		config: container.Config{
			Image: image, Hostname: n.Name, Env: environ(n.Env), Cmd: n.Cmd, Labels: marks,
		},
		host: container.HostConfig{
			NetworkMode: container.NetworkMode(net), CapAdd: n.Caps, ShmSize: n.Shm, LogConfig: logLimits, Tmpfs: tmpfs(n.Tmpfs),
			Mounts:    disks(n.Disks, labels(id, standing, owner)),
			Resources: container.Resources{CPUShares: n.Shares, Memory: n.Memory, MemorySwap: n.Memory},
		},
		ends: map[string]*network.EndpointSettings{net: {
			IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: n.Addr},
			Aliases:    []string{n.Name},
		}},
		files: n.Files,
	}
	if n.Confined {
		processes := int64(topology.MaxConfined)
		b.host.CapDrop, b.host.SecurityOpt, b.host.Resources.PidsLimit = []string{"ALL"}, []string{"no-new-privileges"}, &processes
	}
	return b
}

// tmpfs are the mounts' options as the engine takes them.
func tmpfs(sizes map[string]int64) map[string]string {
	if len(sizes) == 0 {
		return nil
	}
	out := make(map[string]string, len(sizes))
	for at, size := range sizes {
		out[at] = fmt.Sprintf("size=%d,mode=1777", size)
	}
	return out
}

// disks are anonymous volumes, which the engine removes with their container.
// They bear the marks, so that one that lost its container is found.
func disks(paths []string, marks map[string]string) []mount.Mount {
	var all []mount.Mount
	for _, at := range paths {
		all = append(all, mount.Mount{Type: mount.TypeVolume, Target: at, VolumeOptions: &mount.VolumeOptions{Labels: marks}})
	}
	return all
}

func environ(env map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// creation is how long the engine may take to create a container whose image
// it holds. It is not cut short by the caller: a reply that is not waited for
// leaves a container that nobody knows of.
const creation = 30 * time.Second

// create makes the container through testcontainers, puts its files in and
// returns its id. It does not start it.
func (e *engine) create(ctx context.Context, b box) (string, error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	provider, err := e.provider()
	if err != nil {
		return "", err
	}
	creating, cancel := context.WithTimeout(context.WithoutCancel(ctx), creation)
	defer cancel()
	made, err := provider.CreateContainer(creating, request(b))
	if err != nil {
		return "", fmt.Errorf("create container %s: %w", b.name, e.explain(err))
	}
	if err := e.putFiles(ctx, made.GetContainerID(), b.files); err != nil {
		return "", fmt.Errorf("container %s: %w", b.name, err)
	}
	return made.GetContainerID(), nil
}

// request says the same to testcontainers. Two of its habits are kept out:
// every port that the image exposes would be published on the host, and the
// image would be looked at a second time to find them; the port named here
// prevents the latter, and the last hook takes it away again.
func request(b box) testcontainers.ContainerRequest {
	var config *container.Config
	var host *container.HostConfig
	return testcontainers.ContainerRequest{
		Image:        b.config.Image,
		Name:         b.name,
		Labels:       maps.Clone(b.config.Labels),
		ExposedPorts: []string{"9/tcp"},
		ConfigModifier: func(c *container.Config) {
			config = c
			marks := c.Labels
			*c = b.config
			c.Labels = marks
		},
		HostConfigModifier: func(h *container.HostConfig) {
			host = h
			*h = b.host
		},
		EndpointSettingsModifier: func(ends map[string]*network.EndpointSettings) {
			maps.Copy(ends, b.ends)
		},
		LifecycleHooks: []testcontainers.ContainerLifecycleHooks{{
			PreCreates: []testcontainers.ContainerRequestHook{
				func(context.Context, testcontainers.ContainerRequest) error {
					config.ExposedPorts = b.config.ExposedPorts
					host.PortBindings = b.host.PortBindings
					return nil
				},
			},
		}},
	}
}

func (e *engine) putFiles(ctx context.Context, id string, files []topology.File) error {
	if len(files) == 0 {
		return nil
	}
	archive, err := archiveOf(files)
	if err != nil {
		return err
	}
	_, err = e.CopyToContainer(ctx, id, client.CopyToContainerOptions{
		DestinationPath: "/", Content: bytes.NewReader(archive),
	})
	if err != nil {
		return fmt.Errorf("put %d files in: %w", len(files), e.explain(err))
	}
	return nil
}

// archiveOf is a tar with all files, to be unpacked at the root. They belong
// to root; a mode of 0 means 0644.
func archiveOf(files []topology.File) ([]byte, error) {
	var content bytes.Buffer
	archive := tar.NewWriter(&content)
	for _, file := range files {
		if !path.IsAbs(file.Path) || path.Clean(file.Path) != file.Path || file.Path == "/" {
			return nil, fmt.Errorf("file %q: give a clean absolute path", file.Path)
		}
		mode := file.Mode.Perm()
		if mode == 0 {
			mode = 0o644
		}
		err := archive.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: strings.TrimPrefix(file.Path, "/"),
			Mode: int64(mode & fs.ModePerm), Size: int64(len(file.Content)), ModTime: time.Now(),
		})
		if err != nil {
			return nil, fmt.Errorf("file %s: %w", file.Path, err)
		}
		if _, err := archive.Write([]byte(file.Content)); err != nil {
			return nil, fmt.Errorf("file %s: %w", file.Path, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return content.Bytes(), nil
}
