package serve

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// FuzzResult wants a whole and harmless list, whatever results hold.
func FuzzResult(f *testing.F) {
	for _, text := range []string{
		"", "{", "null", `{"schema":"hachaos.result/1","verdict":"pass"}`, `{"schema":"hachaos.result/1","verdict":"fail","scenario":"<script>\u001b\u202e","took":-1,"startedAt":"9999-12-31T23:59:59Z"}`,
		`{"schema":"hachaos.suite/1","entries":[{"scenario":"<script>","verdict":"\u0000"}]}`, `{"schema":"hachaos.result/1","verdict":"pass","measures":{"good_percent":1e308,"operations":-0.1}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "run", harness.ResultFile), string(b))
		put(t, filepath.Join(dir, "suite", suite.File), string(b))
		body := page(t, server(t, dir), "/")
		require.Contains(t, body, "1 run and 1 suite")
		require.True(t, utf8.ValidString(body))
		require.NotContains(t, body, "<script")
		require.False(t, strings.ContainsAny(body, "\x1b\x00\u202e"))
	})
}

// FuzzPath wants nothing to be read beside runs and suites, whatever is asked
// for.
func FuzzPath(f *testing.F) {
	const told = "what nobody is to read"
	dir := runs(f)
	put(f, filepath.Join(dir, "..", "secret"), told)
	put(f, filepath.Join(dir, "secret"), told)
	put(f, filepath.Join(dir, "20261120T080000Z-db-slow-00000001", ".secret"), told)
	s := server(f, dir)
	for _, p := range []string{
		"secret", "../secret", "/secret", "a/./b", "\x00", "20261120T080000Z-db-slow-00000001/../secret", "20261120T080000Z-db-slow-00000001/.secret",
		"20261120T080000Z-db-slow-00000001/logs/..%2f..%2fsecret",
	} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
		r.URL.Path = "/files/" + p
		s.Handler().ServeHTTP(w, r)
		r.SetPathValue("path", p)
		s.files(w, r) // as if nothing had cleaned the path before
		require.NotContains(t, w.Body.String(), told)
	})
}
