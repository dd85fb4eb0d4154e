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
// there is no chromium, unless HACHAOS_BROWSER is set: `make browser` installs
// it on Debian.
func browser(t *testing.T, file, fragment string, args ...string) (dom, console string) {
	t.Helper()
	bin, err := exec.LookPath("chromium")
	if err != nil {
		require.Empty(t, os.Getenv("HACHAOS_BROWSER"), "chromium is not here, and HACHAOS_BROWSER asks for it")
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
		"a session":      {"#session=1", []string{"Its operations, in order", "bound to a victim when the fault took effect", "As it was read after the load"}},
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
	all := ofSizes(t)
	all["hostile"] = hostile.Build(t)
	all["much"] = historytest.Generate(historytest.Config{Ops: 100_000, Rate: 2000, Kill: true}).History(t)
	for name, h := range all {
		t.Run(name, func(t *testing.T) {
			dom, console := browser(t, saved(t, h), "#session=1")
			require.Empty(t, console)
			require.Contains(t, dom, `data-drawn="yes"`)
			require.NotContains(t, dom, "<img")
		})
	}
}

// script is what a test does in the page, as a reader would, once it is drawn:
// key presses a key on an element, click clicks, and want ends the test with
// what is missing. What it comes to is put into the page.
const script = `
const want = (yes, what) => { if (!yes) throw new Error(what); };
const $ = (s) => document.querySelector(s);
const click = (s) => { want($(s), s + " is not there"); $(s).click(); };
const key = (s, k, more) => { $(s).focus(); $(s).dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true, cancelable: true, ...more })); };
const told = document.createElement("p");
document.body.append(told);
told.id = "test";
(async () => {
  try { %s; told.textContent = "well"; } catch (e) { told.textContent = "ill: " + e.message; }
})();
`

// inPage runs a script at the end of the page, and returns what it came to.
func inPage(t *testing.T, file, fragment, steps string, args ...string) string {
	t.Helper()
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	with := filepath.Join(t.TempDir(), "with.html")
	page = bytes.Replace(page, []byte("</body>"), []byte("<script>"+fmt.Sprintf(script, steps)+"</script></body>"), 1)
	require.NoError(t, os.WriteFile(with, page, 0o644))
	dom, console := browser(t, with, fragment, args...)
	require.Empty(t, console)
	_, after, found := strings.Cut(dom, `<p id="test">`)
	require.True(t, found, "the script did not come to its end")
	return after[:strings.Index(after, "<")]
}

// TestBrowserAsAReader uses the page: by mouse and by keys.
func TestBrowserAsAReader(t *testing.T) {
	file := saved(t, planted(t))
	for name, c := range map[string]struct{ fragment, steps string }{
		"one click from the top to the first violation, with both applications": {"", `
			click(".banner .lead a[href^='#op=']");
			want($("#story").open, "the dialog is not open");
			want($("#story-body").textContent.includes("attempt 1 committed as order 7"), "the first application is not told");
			want($("#story-body").textContent.includes("attempt 2 committed as order 8"), "the second application is not told");
			want(location.hash === "#op=4", "the address is " + location.hash);
			click("#story-body a[href^='#session=']");
			want($("#story-title").textContent === "Session 1", "the session is not shown");
			const closed = new Promise((done) => $("#story").addEventListener("close", done)); // later
			click("#story-close");
			want(!$("#story").open, "the dialog is still open");
			await closed;
			want(!$("#story").open && location.hash === "", "the dialog is open again: " + location.hash);
			click(".banner .lead a[href^='#op=']");
			click("#story-body a[href^='#at=timeline']");
			want(!$("#story").open && location.hash.includes("t=0.000-1.522"), "the timeline around it is not shown: " + location.hash)`},
		"the crosshair goes by keys, in all charts and lanes at once": {"", `
			key("#charts", "ArrowRight"); key("#charts", "ArrowRight", { shiftKey: true });
			want(/^At 1 s: /.test($("#reading").textContent), "it reads " + $("#reading").textContent);
			key("#charts", "Home"); key("#charts", "ArrowRight", {}); for (const _ of [1, 2, 3]) key("#charts", "ArrowRight");
			want($("#reading").textContent.includes("lb1 sees j2: DOWN") === false, "before the fault it is up");
			key("#charts", "ArrowRight");
			want($("#reading").textContent.includes("lb1 sees j2: DOWN"), "it reads " + $("#reading").textContent);
			want(+$("#c-lanes .cross").getAttribute("x1") > 0, "the lanes have no crosshair");
			want([...document.querySelectorAll(".u-cursor-x")].every((e) => !e.style.transform.includes("-10")), "a chart has no crosshair")`},
		"the zoom is in the address, and back": {"", `
			key("#charts", "+");
			want(/t=0.25-0.75/.test(decodeURIComponent(location.hash)), "the address is " + location.hash);
			click("#zoom-all");
			want(!location.hash.includes("t="), "the address is " + location.hash)`},
		"the pointer moves the crosshair, and a drag zooms": {"", `
			const over = $("#c-rate .u-over");
			const mouse = (kind, share, on = over) => {
				const box = over.getBoundingClientRect();
				on.dispatchEvent(new MouseEvent(kind, { bubbles: true, button: 0, clientX: box.left + share * box.width, clientY: box.top + 20, movementX: 9 }));
			};
			const task = () => new Promise((done) => setTimeout(done)); // the charts zoom at the end of one
			mouse("mouseenter", 0.5); mouse("mousemove", 0.5);
			want(/^At 0.5 s: /.test($("#reading").textContent), "it reads " + $("#reading").textContent);
			want(+$("#c-lanes .cross").getAttribute("x1") > 0, "the lanes have no crosshair");
			mouse("mousedown", 0.25); mouse("mousemove", 0.5); mouse("mousemove", 0.75); mouse("mouseup", 0.75, document);
			await task();
			const [, from, to] = decodeURIComponent(location.hash).match(/t=([\d.]+)-([\d.]+)/) || [];
			want(Math.abs(from - 0.25) < 0.02 && Math.abs(to - 0.75) < 0.02, "the address is " + location.hash);
			const svg = $("#c-lanes svg"), box = svg.getBoundingClientRect();
			svg.dispatchEvent(new MouseEvent("mousemove", { clientX: box.right - 12, clientY: box.top + 5 }));
			want(/^At 0.7\d* s: /.test($("#reading").textContent), "over the lanes it reads " + $("#reading").textContent);
			svg.dispatchEvent(new MouseEvent("mouseleave"));
			want(svg.querySelector(".cross").getAttribute("x1") === "-9", "the crosshair stays");
			over.dispatchEvent(new MouseEvent("dblclick", { bubbles: true, button: 0 }));
			want(!location.hash.includes("t="), "a double click does not show all: " + location.hash)`},
		"a link shows the same again": {"#t=0.4-0.6&sessions.q=u2&by=status&sessions.o=-bad", `
			want($("#sessions-q").value === "u2", "the search is " + $("#sessions-q").value);
			want(document.querySelectorAll("#list-sessions tbody tr").length === 1, "more than one session is left");
			want($("#list-sessions th[aria-sort=descending]").textContent.startsWith("bad"), "the order is lost");
			want($("#origins button[aria-pressed=true]").value === "status", "the origin is lost");
			want($("#c-errors + .legend").textContent.includes("no answer"), "the chart is another's")`},
		"a search finds a write by its order": {"", `
			$("#writes-q").value = "order-that-is-not"; $("#writes-q").dispatchEvent(new Event("input"));
			want($("#list-writes").textContent.includes("Nothing matches."), "something matches");
			$("#writes-q").value = "duplicate 8"; $("#writes-q").dispatchEvent(new Event("input"));
			want(document.querySelectorAll("#list-writes tbody tr").length === 1, "it is not found")`},
		"the focus goes where its reader goes, and stays where she was": {"", `
			click("nav a[href='#belief']");
			want(document.activeElement === $("#belief"), "it is at " + document.activeElement.outerHTML.slice(0, 60));
			const sort = $("#list-sessions th button");
			sort.focus(); sort.click();
			want(document.activeElement === sort && sort.isConnected, "sorting took it away");
			want(sort.closest("th").getAttribute("aria-sort") === "descending", "it is not sorted");
			sort.click(); sort.click();
			want(!sort.closest("th").hasAttribute("aria-sort"), "the order is not taken back")`},
		"what readers need who do not see it": {"#op=4", `
			const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
			want(new Set(ids).size === ids.length, "an id is there twice: " + ids.filter((id, i) => ids.indexOf(id) !== i));
			for (const e of document.querySelectorAll("th")) want(e.scope, "a head without scope: " + e.outerHTML);
			for (const e of document.querySelectorAll("button, a, summary")) want(e.textContent.trim() || e.ariaLabel, "without a name: " + e.outerHTML);
			for (const e of document.querySelectorAll("input, select")) want(e.labels.length > 0, "without a label: " + e.outerHTML);
			for (const e of document.querySelectorAll("[role=img]")) want(e.ariaLabel, "a picture without a name: " + e.id);
			for (const e of document.querySelectorAll("canvas, svg")) want(e.closest("[role=img], [aria-hidden=true]"), "a picture that is told as nothing: " + e.outerHTML);
			for (const e of document.querySelectorAll("[aria-labelledby]")) want(document.getElementById(e.getAttribute("aria-labelledby")), "labelled by nothing: " + e.outerHTML.slice(0, 99));
			let depth = 0;
			for (const e of document.querySelectorAll("h1, h2, h3, h4")) { const n = +e.tagName[1]; want(n <= depth + 1, "a heading is skipped before " + e.textContent); depth = n; }
			for (const e of document.querySelectorAll(".scroll")) want(e.tabIndex === 0 || e.scrollWidth <= e.clientWidth, "it scrolls and has no focus: " + e.textContent.slice(0, 60));
			want(document.documentElement.lang === "en" && document.title.startsWith("FAIL"), "language or title")`},
		"nothing is wider than a phone": {"", `
			document.body.style.width = "390px"; window.dispatchEvent(new Event("resize"));
			await new Promise((done) => setTimeout(done)); // the charts resize at the end of a task
			const out = [...document.querySelectorAll("main *, header *, nav *, footer *")].filter((e) => !e.closest(".scroll, .u-wrap") && e.getBoundingClientRect().right > 391);
			want(out.length === 0, "too wide: " + out.map((e) => e.tagName + "." + e.className + "#" + e.id).join(" "))`},
	} {
		t.Run(name, func(t *testing.T) {
			var args []string
			if strings.Contains(name, "phone") {
				args = append(args, "--window-size=500,900") // the narrowest that chromium makes
			}
			require.Equal(t, "well", inPage(t, file, c.fragment, c.steps, args...))
		})
	}
}

// TestBrowserInTheDark: both schemes are drawn in their own colours.
func TestBrowserInTheDark(t *testing.T) {
	file := saved(t, planted(t))
	for scheme, ground := range map[string]string{"0": "rgb(20, 22, 26)", "1": "rgb(251, 251, 250)"} {
		require.Equal(t, "well", inPage(t, file, "", `want(getComputedStyle(document.body).backgroundColor === "`+ground+`", getComputedStyle(document.body).backgroundColor)`,
			"--blink-settings=preferredColorScheme="+scheme))
	}
}
