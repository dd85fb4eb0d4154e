//go:build docker

package docker

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fixtures"
	"github.com/hachaos/hachaos/topology"
)

// devImages are a base of our own making and one image on it, whose content is
// new with each call, so that nothing is found built.
func devImages(run string) Options {
	return Options{
		Images: []fixtures.Image{
			{Name: fixtures.Base},
			{Name: "dev-docker", Dir: "images/dev", Parents: map[string]string{"BASE": fixtures.Base}},
		},
		Files: fstest.MapFS{"images/dev/Dockerfile": {
			Data: []byte("ARG BASE\nFROM ${BASE}\nRUN echo " + time.Now().String() + "; " + run + "\n"), Mode: 0o444,
		}},
	}
}

func TestBuildListPrune(t *testing.T) {
	d := openDriver(t, devImages("true"))
	b := d.Builder()
	var lines []string
	require.NoError(t, b.Build(t.Context(), nil, func(line string) { lines = append(lines, line) }))
	require.Contains(t, strings.Join(lines, "\n"), "image dev-docker: built hachaos/dev-docker:")
	tag, err := b.Tag("dev-docker")
	require.NoError(t, err)
	defer func() { // whatever became of it
		_, _ = d.engine.ImageRemove(t.Context(), tag, client.ImageRemoveOptions{PruneChildren: true})
	}()
	lines = nil
	require.NoError(t, b.Build(t.Context(), nil, func(line string) { lines = append(lines, line) }))
	require.Empty(t, lines, "nothing is built again")
	list, err := b.List(t.Context())
	require.NoError(t, err)
	require.Contains(t, tagsIn(list), tag)
	for _, image := range list {
		if image.Tag == tag {
			require.True(t, image.Current)
			require.Equal(t, "dev-docker", image.Name)
		}
	}
}

func TestAnImageThatDoesNotBuild(t *testing.T) {
	d := openDriver(t, devImages("echo the reason; exit 7"))
	err := d.Builder().Build(t.Context(), []string{"dev-docker"}, nil)
	require.ErrorIs(t, err, topology.ErrImage)
	require.ErrorContains(t, err, "image dev-docker")
	require.ErrorContains(t, err, "the reason")
	require.ErrorContains(t, err, "returned a non-zero code: 7")

	opts := devImages("true")
	opts.BaseRef = "127.0.0.1:1/debian:trixie-slim"
	d = openDriver(t, opts)
	err = d.Builder().Build(t.Context(), nil, nil)
	require.ErrorIs(t, err, topology.ErrImage)
	require.ErrorContains(t, err, opts.BaseRef, "an explicit base is not passed over")
}

// TestBaseFromARegistry serves our own base image from Debian's registry on
// loopback, and makes a base from it.
func TestBaseFromARegistry(t *testing.T) {
	path, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("docker-registry is not installed (Debian's package of that name)")
	}
	local := openDriver(t, Options{})
	require.NoError(t, local.Builder().Build(t.Context(), []string{fixtures.Base}, nil))
	own, err := local.Builder().Tag(fixtures.Base)
	require.NoError(t, err)

	ref := startRegistry(t, path) + "/debian:trixie-slim"
	_, err = local.engine.ImageTag(t.Context(), client.ImageTagOptions{Source: own, Target: ref})
	require.NoError(t, err)
	push, err := local.engine.ImagePush(t.Context(), ref, client.ImagePushOptions{RegistryAuth: "e30="})
	require.NoError(t, err)
	require.NoError(t, push.Wait(t.Context()))
	require.NoError(t, push.Close())
	_, err = local.engine.ImageRemove(t.Context(), ref, client.ImageRemoveOptions{})
	require.NoError(t, err)

	d := openDriver(t, Options{BaseRef: ref})
	var lines []string
	require.NoError(t, d.Builder().Build(t.Context(), []string{fixtures.Base}, func(line string) { lines = append(lines, line) }))
	require.Contains(t, strings.Join(lines, "\n"), "pulling "+ref)
	made, err := d.Builder().Tag(fixtures.Base)
	require.NoError(t, err)
	require.NotEqual(t, own, made)
	for _, image := range []string{made, ref} {
		_, err = d.engine.ImageRemove(t.Context(), image, client.ImageRemoveOptions{})
		require.NoError(t, err)
	}
}

// startRegistry runs a registry on a free port of loopback and returns its
// address.
func startRegistry(t *testing.T, path string) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	config := t.TempDir() + "/config.yml"
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil,
		"version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: '%s'}\n", t.TempDir(), address), 0o600))
	registry := exec.Command(path, "serve", config)
	require.NoError(t, registry.Start())
	t.Cleanup(func() {
		require.NoError(t, registry.Process.Kill())
		require.Error(t, registry.Wait())
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, 30*time.Second, 20*time.Millisecond)
	return address
}
