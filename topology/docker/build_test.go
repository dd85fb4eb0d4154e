package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestFollowBuild(t *testing.T) {
	good := `{"stream":"Step 1/2 : FROM x"}{"stream":"\n"}{"stream":" ---> abc\n"}{"stream":"Step 2/2 : RUN y\n"}{"aux":{"ID":"z"}}`
	require.NoError(t, followBuild(t.Context(), strings.NewReader(good)))

	var bad strings.Builder
	for i := range 30 {
		fmt.Fprintf(&bad, `{"stream":"line %d\n"}`, i)
	}
	bad.WriteString(`{"stream":"cut "}{"stream":"short"}{"errorDetail":{"code":3},"error":"the command returned 3"}`)
	err := followBuild(t.Context(), strings.NewReader(bad.String()))
	require.ErrorIs(t, err, topology.ErrImage)
	require.ErrorContains(t, err, "the command returned 3")
	require.ErrorContains(t, err, "  line 10\n")
	require.ErrorContains(t, err, "  cut short")
	require.NotContains(t, err.Error(), "line 9\n", "only the end")

	err = followBuild(t.Context(), strings.NewReader(`{"stream":"half`))
	require.ErrorIs(t, err, topology.ErrImage)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, followBuild(ended, strings.NewReader(good)), context.Canceled)
}

func TestWriteContext(t *testing.T) {
	files := fstest.MapFS{
		"images/x/Dockerfile": {Data: []byte("FROM y\n"), Mode: 0o444},
		"images/x/etc/conf":   {Data: []byte("c"), Mode: 0o444},
		"images/other/secret": {Data: []byte("s"), Mode: 0o444},
	}
	executable := filepath.Join(t.TempDir(), "tool")
	require.NoError(t, os.WriteFile(executable, []byte("\x7fELF and so on"), 0o600))
	var content bytes.Buffer
	require.NoError(t, writeContext(&content, files, "images/x", executable))
	got := make(map[string]int64)
	for reader := tar.NewReader(&content); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if header.Typeflag == tar.TypeReg {
			got[header.Name] = header.Mode
		}
	}
	require.Equal(t, map[string]int64{"Dockerfile": 0o444, "etc/conf": 0o444, "hachaos-agent": 0o755}, got)
	require.Error(t, writeContext(io.Discard, files, "images/none", ""))
}

func TestAgentExecutable(t *testing.T) {
	own, err := agentExecutable("")
	require.NoError(t, err)
	require.FileExists(t, own)
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"), 0o600))
	_, err = agentExecutable(script)
	require.ErrorContains(t, err, "GOOS=linux")
	_, err = agentExecutable(script + "-gone")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestProxyArgs(t *testing.T) {
	env := map[string]string{"https_proxy": "http://198.18.0.1:3128", "PATH": "/bin"}
	args := proxyArgs(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	require.Len(t, args, 1)
	require.Equal(t, "http://198.18.0.1:3128", *args["https_proxy"])
}

func TestMakersAsCommandLines(t *testing.T) {
	steps := mmdebstrapSteps("/scratch", "http://mirror.test/debian")
	require.Len(t, steps, 1)
	line := strings.Join(steps[0], " ")
	require.True(t, strings.HasPrefix(line, "mmdebstrap --quiet --variant=minbase --format=tar "), line)
	require.True(t, strings.HasSuffix(line, "trixie - http://mirror.test/debian"), line)
	require.True(t, strings.HasSuffix(strings.Join(mmdebstrapSteps("", "")[0], " "), "trixie -"))

	steps = debootstrapSteps("/scratch", "")
	require.Equal(t, []string{"debootstrap", "--variant=minbase", "trixie", "/scratch/root"}, steps[0])
	require.Equal(t, []string{"tar", "--numeric-owner", "--one-file-system", "-C", "/scratch/root", "-c", "."}, steps[len(steps)-1])
}

func TestFindMaker(t *testing.T) {
	has := func(names ...string) func(string) (string, error) {
		return func(name string) (string, error) {
			for _, one := range names {
				if one == name {
					return "/bin/" + name, nil
				}
			}
			return "", errors.New("not found")
		}
	}
	m, err := findMaker(has("debootstrap", "mmdebstrap"))
	require.NoError(t, err)
	require.Equal(t, "mmdebstrap", m.name)
	m, err = findMaker(has("debootstrap"))
	require.NoError(t, err)
	require.Equal(t, "debootstrap", m.name)
	_, err = findMaker(has())
	require.ErrorContains(t, err, "apt-get install mmdebstrap")
}

func TestMakerRun(t *testing.T) {
	good := maker{steps: func(dir, _ string) [][]string {
		return [][]string{{"sh", "-c", "echo noise; echo content >" + dir + "/file"}, {"cat", dir + "/file"}}
	}}
	var out bytes.Buffer
	require.NoError(t, good.run(t.Context(), &out, t.TempDir(), ""))
	require.Equal(t, "content\n", out.String(), "only the last step's output")

	bad := maker{steps: func(string, string) [][]string {
		return [][]string{{"sh", "-c", "echo first; echo the reason >&2; exit 4"}, {"echo", "never"}}
	}}
	out.Reset()
	err := bad.run(t.Context(), &out, t.TempDir(), "")
	require.ErrorContains(t, err, "exit status 4")
	require.ErrorContains(t, err, "  first\n  the reason")
	require.Empty(t, out.String())
}

func TestBaseInputs(t *testing.T) {
	require.Equal(t, base{}.inputs(), base{engine: &engine{}}.inputs())
	require.NotEqual(t, base{}.inputs(), base{ref: "127.0.0.1:5000/debian:trixie-slim"}.inputs())
	require.NotEqual(t, base{ref: "x"}.inputs(), base{mirror: "x"}.inputs())
	require.Equal(t, "debian:trixie-slim", base{}.source())
}
