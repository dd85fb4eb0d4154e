package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/fixtures"
	"github.com/hachaos/hachaos/topology"
)

// defaultBase is what the base image is made from where a registry answers.
const defaultBase = "debian:" + fixtures.Suite + "-slim"

// registryPatience is how long a registry may take to say that it has the
// base image before it is made locally.
const registryPatience = 3 * time.Second

// slimming are the paths that Debian's slim images leave out, so that both
// ways to the base image give the same one.
var slimming = []string{
	"path-exclude=/usr/share/doc/*",
	"path-include=/usr/share/doc/*/copyright",
	"path-exclude=/usr/share/groff/*",
	"path-exclude=/usr/share/info/*",
	"path-exclude=/usr/share/lintian/*",
	"path-exclude=/usr/share/linda/*",
	"path-exclude=/usr/share/locale/*",
	"path-exclude=/usr/share/man/*",
}

// base makes the image that all the others descend from.
type base struct {
	engine *engine
	ref    string // the image to start from; empty means defaultBase or a bootstrap
	mirror string // where a bootstrap gets its packages; empty is its own default
}

// inputs is what the base image's tag depends on. Which of the two ways it was
// made is not among them: they are meant to give the same.
func (b base) inputs() string {
	return strings.Join(append([]string{fixtures.Suite, "minbase", b.ref, b.mirror}, slimming...), "\n")
}

// source is the image to start from.
func (b base) source() string {
	if b.ref == "" {
		return defaultBase
	}
	return b.ref
}

// build makes the base image as tag. An explicit reference must be there; the
// default one is passed over if no registry answers in time.
func (b base) build(ctx context.Context, tag string, say func(string)) error {
	ref := b.source()
	err := b.engine.obtain(ctx, ref, registryPatience, say)
	if err == nil {
		return b.derive(ctx, ref, tag)
	}
	if b.ref != "" || ctx.Err() != nil {
		return fmt.Errorf("%w: base %s: %w", topology.ErrImage, ref, err)
	}
	say("no registry has " + ref + ": making it locally")
	return b.bootstrap(ctx, tag, say)
}

// derive gives ref our label and tag.
func (b base) derive(ctx context.Context, ref, tag string) error {
	var content bytes.Buffer
	archive := tar.NewWriter(&content)
	dockerfile := "FROM " + ref + "\n"
	header := tar.Header{Typeflag: tar.TypeReg, Name: "Dockerfile", Mode: 0o644, Size: int64(len(dockerfile))}
	if err := archive.WriteHeader(&header); err != nil {
		return err
	}
	if _, err := io.WriteString(archive, dockerfile); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return b.engine.build(ctx, &content, client.ImageBuildOptions{
		Tags: []string{tag}, Remove: true, ForceRemove: true,
		Labels: map[string]string{labelImage: fixtures.Base},
	})
}

// bootstrap installs a minimal Debian and imports it.
func (b base) bootstrap(ctx context.Context, tag string, say func(string)) error {
	maker, err := findMaker(exec.LookPath)
	if err != nil {
		return fmt.Errorf("%w: %w", topology.ErrImage, err)
	}
	dir, err := os.MkdirTemp("", "hachaos-base-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	say(maker.name + ": installing Debian " + fixtures.Suite)
	content, writer := io.Pipe()
	made := make(chan error, 1)
	go func() {
		err := maker.run(ctx, writer, dir, b.mirror)
		writer.CloseWithError(err) // an unfinished import must not become an image
		made <- err
	}()
	err = b.importTar(ctx, content, tag)
	content.CloseWithError(errors.New("the engine took no more"))
	if makeErr := <-made; makeErr != nil {
		return fmt.Errorf("%w: %w", topology.ErrImage, makeErr)
	}
	return err
}

func (b base) importTar(ctx context.Context, content io.Reader, tag string) error {
	result, err := b.engine.ImageImport(ctx,
		client.ImageImportSource{Source: content, SourceName: "-"}, tag,
		client.ImageImportOptions{
			Message: "hachaos: Debian " + fixtures.Suite + ", minimal",
			Changes: []string{"LABEL " + labelImage + "=" + fixtures.Base, `CMD ["bash"]`},
		})
	if err != nil {
		return fmt.Errorf("import: %w", b.engine.explain(err))
	}
	defer result.Close()
	return followBuild(ctx, result)
}
