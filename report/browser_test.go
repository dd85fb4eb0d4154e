package report

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// browser opens the page at a fragment, and returns the page as its scripts
// have made it, with what they wrote to the console. It skips the test where
// there is no chromium (Debian: apt-get install chromium).
func browser(t *testing.T, file, fragment string, args ...string) (dom, console string) {
	t.Helper()
	bin, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not here: the page is not opened")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, bin, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + t.TempDir(), "--window-size=1200,900",
		"--enable-logging=stderr", "--v=0", "--virtual-time-budget=3000", "--dump-dom",
	}, append(args, "file://"+file+fragment)...)...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	require.NoError(t, c.Run(), errs.String())
	var said []string
	for _, line := range strings.Split(errs.String(), "\n") {
		if strings.Contains(line, "CONSOLE") {
			said = append(said, line)
		}
	}
	return out.String(), strings.Join(said, "\n")
}

// saved writes the page of a history into a file.
func saved(t *testing.T, h *history.History) string {
	t.Helper()
	var page bytes.Buffer
	require.NoError(t, HTML(&page, judged(h), h))
	file := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(file, page.Bytes(), 0o644))
	return file
}

// TestBrowser opens pages: they draw, a link opens what it names, and nothing
// is written to the console.
func TestBrowser(t *testing.T) {
	h := planted(t)
	order := h.Ledger[0].V.Op
	file := saved(t, h)
	for name, c := range map[string]struct {
		fragment string
		want     []string
	}{
		"as it opens":    {"", []string{"order 8 (" + fmt.Sprint(order) + ".2 on j1)", `class="u-wrap"`, "VIP owner"}},
		"an operation":   {"#op=" + fmt.Sprint(order), []string{`<dialog id="story" aria-labelledby="story-title" open`, "attempt 1 committed as order 7", "attempt 2 committed as order 8"}},
		"a session":      {"#session=1", []string{"Its operations, in order", "bound to a victim when the fault took effect"}},
		"a write":        {"#write=" + h.KeyOf(&h.Ops[order-1]), []string{"Its rows in the database", "Duplicate: 1 operation with this key"}},
		"what is not":    {"#op=99999", []string{"this is none of them"}},
		"a search":       {"#sessions.q=nobody", []string{"Nothing matches."}},
		"another origin": {"#by=balancer", []string{"SH: the server broke it off"}},
		"junk":           {"#t=9-1&by=%00&sessions.p=-7&sessions.o=__proto__", []string{"VIP owner"}},
	} {
		t.Run(name, func(t *testing.T) {
			dom, console := browser(t, file, c.fragment)
			require.Empty(t, console)
			require.Contains(t, dom, `data-drawn="yes"`, "the scripts came to their end")
			require.Contains(t, dom, `<p id="trouble" class="trouble" role="alert" hidden=""></p>`)
			for _, want := range c.want {
				require.True(t, strings.Contains(dom, want), "the page lacks %q", want)
			}
		})
	}
}

// TestBrowserBearsAnyRecord: nothing, much, and hostile names are drawn.
func TestBrowserBearsAnyRecord(t *testing.T) {
	bad := `</script><img src=x onerror="alert(1)">` + "\x1b\x00\xff\u202e"
	hostile := historytest.New()
	hostile.Phase(bad, history.PhaseSteady, 0, time.Second)
	hostile.Op(history.OpOrder, 10*ms).In(1).On(bad).Key(bad).Version(bad).OK()
	hostile.Op(history.OpSessionRead, 20*ms).In(1).On(bad).Fail(bad)
	hostile.See(30*ms, history.Truth{Node: bad})
	hostile.See(30*ms, history.Server{Balancer: bad, Server: bad, Status: bad})
	for name, h := range map[string]*history.History{
		"nothing": {},
		"hostile": hostile.Build(t),
		"much":    historytest.Generate(historytest.Config{Ops: 100_000, Rate: 2000, Kill: true}).History(t),
	} {
		t.Run(name, func(t *testing.T) {
			dom, console := browser(t, saved(t, h), "#session=1")
			require.Empty(t, console)
			require.Contains(t, dom, `data-drawn="yes"`)
			require.NotContains(t, dom, "<img")
		})
	}
}
