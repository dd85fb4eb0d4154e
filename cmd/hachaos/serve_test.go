package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/report"
)

// served is the program as it serves a folder.
type served struct {
	t    *testing.T
	c    *exec.Cmd
	errs bytes.Buffer
	out  *bufio.Reader
	// at is the pages' address, without the last slash.
	at string
}

// serving starts the program at a free port.
func serving(t *testing.T, dir string) *served {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	s := &served{t: t, c: exec.Command(self)}
	s.c.Args = []string{"hachaos", "serve", dir, "--port", "0"} // see testscript.Main
	s.c.Stderr = &s.errs
	out, err := s.c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.c.Start())
	t.Cleanup(func() { _ = s.c.Process.Kill() })
	s.out = bufio.NewReader(out)
	line, err := s.out.ReadString('\n')
	require.NoError(t, err)
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/\n$`, line)
	s.at = strings.TrimSuffix(line, "/\n")
	return s
}

// get gets a page.
func (s *served) get(path string) (status int, body string) {
	s.t.Helper()
	r, err := http.Get(s.at + path)
	require.NoError(s.t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(s.t, err)
	return r.StatusCode, string(b)
}

// TestServe: runs are listed, opened and compared, and the first interrupt ends
// the program well.
func TestServe(t *testing.T) {
	record, dir := record(t), t.TempDir()
	for _, name := range []string{"before", "after"} {
		require.NoError(t, os.CopyFS(filepath.Join(dir, name), os.DirFS(record)))
	}
	require.NoError(t, os.CopyFS(filepath.Join(dir, "edited"), os.DirFS(record)))
	require.NoError(t, os.Truncate(filepath.Join(dir, "edited", "journal.jsonl"), 0))
	s := serving(t, dir)

	status, page := s.get("/")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "3 runs in "+dir)
	require.Contains(t, page, `<td class="good">pass</td>`)
	require.Contains(t, page, "hachaos report "+filepath.Join(dir, "before"))
	status, page = s.get("/files/before/" + report.HTMLFile)
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, page, "hachaos report "+filepath.Join(dir, "before"))

	a := app{out: io.Discard, err: io.Discard}
	require.Zero(t, a.execute([]string{"report", filepath.Join(dir, "before")}))
	status, page = s.get("/files/before/" + report.HTMLFile)
	require.Equal(t, http.StatusOK, status)
	want, err := os.ReadFile(filepath.Join(dir, "before", report.HTMLFile))
	require.NoError(t, err)
	require.Equal(t, string(want), page)

	query := url.Values{"run": {"before", "after"}, "all": {"1"}}
	status, page = s.get("/compare?" + query.Encode())
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "Too few repeats to tell a difference from noise")
	require.Contains(t, page, "latency p99 ms")
	status, page = s.get("/compare?run=before&run=edited")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, "This cannot be compared")
	status, page = s.get("/compare?run=before&run=after&by=profile")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, "all runs have the same")

	require.NoError(t, s.c.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(s.out)
	require.NoError(t, err)
	require.Empty(t, rest, "the address is all of standard output")
	require.NoError(t, s.c.Wait())
	require.Contains(t, s.errs.String(), "until an interrupt")
	require.True(t, strings.HasSuffix(s.errs.String(), "\nhachaos: the pages are closed\n"), s.errs.String())
}
