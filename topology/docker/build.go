package docker

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/fixtures"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker/agent"
)

// agentFile is the executable's name in the build context of an agent image.
const agentFile = "hachaos-agent"

// build makes one image whose parents are there.
func (b *Builder) build(ctx context.Context, image fixtures.Image, progress func(string)) error {
	tag := b.tags[image.Name]
	progress("image " + image.Name + ": building")
	began := time.Now()
	say := func(line string) { progress("image " + image.Name + ": " + line) }
	var err error
	if image.Name == fixtures.Base {
		err = b.base.build(ctx, tag, say)
	} else {
		err = b.buildContext(ctx, image, tag)
	}
	if err != nil {
		return fmt.Errorf("image %s: %w", image.Name, err)
	}
	say(fmt.Sprintf("built %s in %v", tag, time.Since(began).Round(100*time.Millisecond)))
	return nil
}

func (b *Builder) buildContext(ctx context.Context, image fixtures.Image, tag string) error {
	var executable string
	if image.Agent {
		var err error
		if executable, err = agentExecutable(b.agent); err != nil {
			return err
		}
	}
	content, writer := io.Pipe()
	go func() {
		writer.CloseWithError(writeContext(writer, b.files, image.Dir, executable))
	}()
	defer content.Close()
	args := proxyArgs(os.LookupEnv)
	for arg, parent := range image.Parents {
		parentTag := b.tags[parent]
		args[arg] = &parentTag
	}
	return b.engine.build(ctx, content, client.ImageBuildOptions{
		Tags: []string{tag}, BuildArgs: args, Remove: true, ForceRemove: true,
		Labels: map[string]string{labelImage: image.Name},
	})
}

// build sends one build to the engine and follows it to its end.
func (e *engine) build(ctx context.Context, content io.Reader, opts client.ImageBuildOptions) error {
	result, err := e.ImageBuild(ctx, content, opts)
	if err != nil {
		return fmt.Errorf("%w: %w", topology.ErrImage, e.explain(err))
	}
	defer result.Body.Close()
	return followBuild(ctx, result.Body)
}

// proxyArgs hands the caller's proxy settings on to the build. The engine
// knows these names and keeps them out of the image.
func proxyArgs(lookup func(string) (string, bool)) map[string]*string {
	args := make(map[string]*string)
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if value, ok := lookup(name); ok {
			args[name] = &value
		}
	}
	return args
}

// agentExecutable is the file to put into agent images: the given one, or that
// of this process if it can serve as an agent.
func agentExecutable(given string) (string, error) {
	if given != "" {
		return given, checkAgent(given)
	}
	if !agent.Installed() {
		return "", errors.New("this program cannot serve as an agent inside an image: " +
			"call agent.Main first in its main function (in a test binary, in TestMain: package hachaostest does)")
	}
	own := ownExecutable()
	return own, checkAgent(own)
}

// checkAgent refuses what cannot run in a container.
func checkAgent(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	defer file.Close()
	magic := make([]byte, 4)
	if _, err := io.ReadFull(file, magic); err != nil || string(magic) != "\x7fELF" {
		return fmt.Errorf("agent %s is no Linux executable and cannot run in a container: "+
			"build hachaos with GOOS=linux CGO_ENABLED=0 and name that file as the agent", path)
	}
	return nil
}

// writeContext writes a build context as tar: the files below dir and, if an
// executable is given, that one as hachaos-agent.
func writeContext(w io.Writer, files fs.FS, dir, executable string) error {
	archive := tar.NewWriter(w)
	root, err := fs.Sub(files, dir)
	if err != nil {
		return err
	}
	if err := archive.AddFS(root); err != nil {
		return fmt.Errorf("build context %s: %w", dir, err)
	}
	if executable != "" {
		if err := addExecutable(archive, executable); err != nil {
			return fmt.Errorf("agent: %w", err)
		}
	}
	return archive.Close()
}

func addExecutable(archive *tar.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header := tar.Header{Typeflag: tar.TypeReg, Name: agentFile, Mode: 0o755, Size: info.Size()}
	if err := archive.WriteHeader(&header); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}

// logEnd is how many lines of a log an error carries.
const logEnd = 20

// followBuild reads the engine's progress messages to their end. A build that
// failed is an error that wraps topology.ErrImage and carries the log's end.
func followBuild(ctx context.Context, body io.Reader) error {
	var log tail
	decoder := json.NewDecoder(bufio.NewReader(body))
	for {
		var message struct {
			Stream, Status, ID, Error string
		}
		err := decoder.Decode(&message)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: read the build's progress: %w", topology.ErrImage, err)
		case message.Error != "":
			return fmt.Errorf("%w: %s\n%s", topology.ErrImage, strings.TrimSpace(message.Error), log.String())
		}
		log.write(message.Stream)
	}
}

// tail keeps the last lines of a text that comes in pieces. It is no good for
// concurrent writers.
type tail struct {
	lines   []string
	partial string
}

// Write implements io.Writer and cannot fail.
func (t *tail) Write(p []byte) (int, error) {
	t.write(string(p))
	return len(p), nil
}

func (t *tail) write(text string) {
	lines := strings.Split(t.partial+text, "\n")
	t.partial = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		if strings.TrimSpace(line) != "" {
			t.lines = append(t.lines, strings.TrimRight(line, "\r "))
		}
	}
	if extra := len(t.lines) - logEnd; extra > 0 {
		t.lines = slices.Delete(t.lines, 0, extra)
	}
}

// String is the end of the text, each line indented by two blanks.
func (t *tail) String() string {
	lines := t.lines
	if strings.TrimSpace(t.partial) != "" {
		lines = append(slices.Clone(lines), t.partial)
	}
	return "  " + strings.Join(lines, "\n  ")
}

// serialised lets several goroutines share a progress function; nil becomes
// one that does nothing.
func serialised(progress func(string)) func(string) {
	if progress == nil {
		return func(string) {}
	}
	var one sync.Mutex
	return func(line string) {
		one.Lock()
		defer one.Unlock()
		progress(line)
	}
}
