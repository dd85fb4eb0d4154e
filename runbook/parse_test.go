package runbook

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// good is a runbook with one of everything, and nothing wrong with it.
func good(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/good.md")
	require.NoError(t, err)
	return string(text)
}

// lineOf is the line of the text in which the words are, which must be there
// once.
func lineOf(t *testing.T, text, words string) int {
	t.Helper()
	require.Equal(t, 1, strings.Count(text, words), "%q", words)
	before, _, _ := strings.Cut(text, words)
	return 1 + strings.Count(before, "\n")
}

func TestParse(t *testing.T) {
	text := good(t)
	r, err := Parse("good.md", []byte(text))
	require.NoError(t, err)
	at := func(words string) int { return lineOf(t, text, words) }

	f := r.Front
	require.Equal(t, "An application node is lost", f.Title)
	require.Equal(t, "shop operations", f.Owner)
	require.Equal(t, "NodeDown", f.Alert)
	require.Equal(t, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), f.Reviewed)
	require.Equal(t, "instance-kill", f.Incident)
	require.Equal(t, map[string]string{"kill": "process"}, f.Set)
	require.Equal(t, []Name{{"nodes-routed", at("restores:")}, {"service-answers", at("restores:")}}, f.Restores)
	require.Equal(t, 2*time.Minute, f.Within)
	require.Equal(t, []Input{{"VIP", "the address at which users reach the service", at("  VIP:")}}, f.Inputs)
	require.Equal(t, at("owner:"), f.Line("owner"))
	require.Equal(t, 1, f.Line("nothing"))

	var titles []string
	for _, s := range r.Sections {
		titles = append(titles, s.Title)
	}
	require.Equal(t, append(sectionOrder, "References"), titles)
	require.Nil(t, r.Section("Nothing"))

	symptom := r.Section(Symptom)
	require.Len(t, symptom.Blocks, 3)
	require.Equal(t, &Prose{at("Users of one node"), "Users of one node wait and then move on. On each balancer a server is down:"}, symptom.Blocks[0])
	c := symptom.Blocks[1].(*Command)
	require.Equal(t, "bash", c.Shell)
	require.Equal(t, "balancer", c.On)
	require.Equal(t, 5*time.Second, c.Timeout)
	require.Equal(t, at("```bash {on=balancer timeout=5s}"), c.Line)
	require.True(t, strings.HasPrefix(c.Text, "exec 3<>/dev/tcp/127.0.0.1/9999\n"), c.Text)
	require.Equal(t, &Output{c.Output.Line, []OutputLine{{Any, ""}, {Glob, "* DOWN*"}, {Any, ""}}}, c.Output)
	require.Equal(t, "A node that is not down was never lost.", symptom.Blocks[2].(*Prose).Text)

	steps := r.Section(Steps).Parts
	require.Len(t, steps, 2)
	first := steps[0]
	require.Equal(t, "1. Start the process again", first.Title)
	require.Equal(t, at("### 1."), first.Line)
	require.Equal(t, &Decide{at("**Decide:**"), "Is somebody at work on the node?", "no", "no"}, first.Blocks[0])
	require.Equal(t, "$node", first.Blocks[2].(*Command).On)
	require.Equal(t, []OutputLine{{Regexp, `java \d+`}}, first.Blocks[2].(*Command).Output.Lines)
	require.Equal(t, &Expect{at("**Expect:** `nodes-routed` within `30s`."), "nodes-routed", 30 * time.Second}, first.Blocks[4])
	require.Equal(t, at("**Undo:**"), first.Undo.Line)
	require.Len(t, first.Undo.Blocks, 2)
	require.Equal(t, DefaultTimeout, first.Undo.Blocks[1].(*Command).Timeout)
	require.Equal(t, &Call{at("**Call:**"), "The owner of the service: the node is back.", "told"}, steps[1].Blocks[0])
	require.Equal(t, steps[1].Blocks[0].(*Call).At(), at("**Call:**"))
	require.Equal(t, &Output{at("```output\n```"), nil}, steps[1].Blocks[1].(*Command).Output)
	require.Equal(t, Operator, steps[1].Blocks[1].(*Command).On)

	parts := r.Section(Diagnosis).Parts
	require.Len(t, parts, 2)
	require.Equal(t, "Which node", parts[0].Title)
}

// The same document reads the same with the line ends of Windows, and with a
// mark of its byte order.
func TestParseLineEnds(t *testing.T) {
	text := good(t)
	want, err := Parse("good.md", []byte(text))
	require.NoError(t, err)
	got, err := Parse("good.md", []byte("\ufeff"+strings.ReplaceAll(text, "\n", "\r\n")))
	require.NoError(t, err)
	require.Equal(t, want.Front, got.Front)
	require.Equal(t, want.Sections, got.Sections)
}

// Each error names its line and says what is wrong. Where is the text whose
// line it must name.
func TestParseErrors(t *testing.T) {
	const step = "### 1. Start the process again\n"
	for _, c := range []struct{ name, old, with, where, says string }{
		{"no front matter", "---\ntitle", "title", "", "no front matter: a document begins with"},
		{"front matter not closed", "reach the service\n---\n", "reach the service\n", "", "no front matter"},
		{"no mapping", "title: An application node is lost\n", "- a\n- b\n#", "", "front matter"},
		{"YAML", "owner: shop operations", "owner: {shop", "", "front matter: "},
		{"unknown key", "owner:", "ownr:", "ownr:", "ownr: there is no such key: there are title, owner,"},
		{"key twice", "owner: shop", "title: x\nowner: shop", "title: x", "title is there twice"},
		{"no text", "owner: shop operations", "owner: [shop]", "owner:", "owner: want a text"},
		{"no day", "2026-11-21", "21.11.2026", "reviewed:", "reviewed: want a day, such as 2026-11-21"},
		{"no time", "within: 2m", "within: soon", "within:", "within: want a time up to 10m0s, such as 30s"},
		{"no list", "restores: [nodes-routed, service-answers]", "restores: nodes-routed", "restores:", "restores: want a list"},
		{"no names", "restores: [nodes-routed, service-answers]", "restores: [{a: b}]", "restores:", "restores: want a list of names"},
		{"no pairs", "set: {kill: process}", "set: process", "set:", "set: want keys with values"},
		{"pair twice", "set: {kill: process}", "set: {kill: process, kill: power}", "set:", "set: kill is there twice"},
		{"pair of a list", "set: {kill: process}", "set: {kill: [process]}", "set:", "set: kill: want a text"},

		{"command before sections", "## Symptom\n", "```sh\ntrue\n```\n\n## Symptom\n", "```sh\ntrue\n```\n\n## Symptom", "a fence in sh before the first section"},
		{"command in Impact", "## Diagnosis\n", "```sh\ntrue\n```\n\n## Diagnosis\n", "```sh\ntrue\n```\n\n## Diagnosis", `a fence in sh in section "Impact": only Symptom,`},
		{"command outside of a step", step, "```sh\ntrue\n```\n\n" + step, "```sh\ntrue\n```\n\n### 1", "outside of a step: give it a heading of level 3"},
		{"command in a list", "A node that is not down", "- x\n\n  ```sh\n  true\n  ```\n\nA node that is not down", "  ```sh", "a fence in sh in a list or a quotation"},
		{"label in a list", "A node that is not down was never lost.", "- **Expect:** `nodes-routed` within `1s`", "- **Expect:**", "**Expect:** in a list or a quotation"},
		{"label in a quotation", "A node that is not down was never lost.", "> **Call:** me", "> **Call:** me", "**Call:** in a list or a quotation"},
		{"label in Impact", "## Diagnosis\n", "**Call:** me. In CI: `x`.\n\n## Diagnosis\n", "**Call:** me", `**Call:** in section "Impact"`},
		{"other shell", "```bash {on=balancer timeout=5s}", "```console", "```console", "a fence in console: a command is in sh or bash"},
		{"attributes without language", "```bash {on=balancer timeout=5s}", "```{on=balancer timeout=5s}", "```{on=balancer", "no language"},
		{"not closed", "See [the page", "```sh\nSee [the page", "```sh\nSee", "the fence is not closed"},
		{"shell", "app-start java", "if app-start java", "if app-start", "sh: "},
		{"shell of bash in sh", "app-start java", "true\na=(1 2)", "a=(1 2)", "arrays"},
		{"empty command", "app-start java\n", "# nothing\n", "```sh {on=$node timeout=15s}", "an empty command"},
		{"attributes", "{on=$node timeout=15s}", "on=$node", "```sh on=$node", "attributes on=$node: want {on=PLACE timeout=TIME}"},
		{"attribute", "{on=$node timeout=15s}", "{on=$node timout=15s}", "timout", "attribute timout: there are on and timeout"},
		{"attribute twice", "{on=$node timeout=15s}", "{on=$node on=$node}", "on=$node on=$node", "attribute on is there twice"},
		{"place", "{on=$node timeout=15s}", "{on=$(node)}", "on=$(node)", "on=$(node): want operator, a role"},
		{"timeout", "{on=$node timeout=15s}", "{timeout=1h}", "timeout=1h", "timeout=1h: want a time up to 10m0s"},
		{"negative timeout", "{on=$node timeout=15s}", "{timeout=-1s}", "timeout=-1s", "timeout=-1s: want a time"},
		{"output of nothing", "## Escalation\n", "## Rollback\n\n```output\nx\n```\n\n## Escalation\n", "```output\nx", "an output that is no command's"},
		{"second output", "A node that is not down", "```output\nx\n```\n\nA node that is not down", "```output\nx", "a second output of the command in line "},
		{"output's attributes", "```output\njava", "```output {on=x}\njava", "```output {on=x}", "an output has none"},
		{"output's expression", `java \d+ (re)`, `java ( (re)`, `java ( (re)`, "missing closing )"},
		{"label that is like one", "**Expect:** `nodes-routed` within `30s`.", "**Expected:** `nodes-routed`", "**Expected:**", "did you mean **Expect:**?"},
		{"label within a paragraph", "**Expect:** `nodes-routed` within `30s`.", "Wait.\n**Expect:** `nodes-routed` within `30s`.", "**Expect:** `nodes-routed` within `30s`.", "leave a blank line before it"},
		{"state without limit", "**Expect:** `nodes-routed` within `30s`.", "**Expect:** nodes-routed", "**Expect:** nodes-routed", "wants a state and a limit of time"},
		{"state with a bad limit", "**Expect:** `nodes-routed` within `30s`.", "**Expect:** `nodes-routed` within `soon`.", "`soon`", "within `soon`: want a time"},
		{"decision without answer", "Go on with `no`. In CI: `no`.", "In CI: `no`.", "**Decide:**", "wants a question and the answer with which it goes on"},
		{"decision without question", "Is somebody at work on the node? Go on", "Go on", "**Decide:**", "wants a question"},
		{"call of nobody", "The owner of the service: the node is back. In CI", "In CI", "**Call:**", "wants to know whom"},
		{"undo elsewhere", "A node that is not down was never lost.", "**Undo:** x", "**Undo:** x", `**Undo:** in section "Symptom": only a step is undone`},
		{"second undo", "### 2.", "**Undo:** x\n\n### 2.", "**Undo:** x", "a second **Undo:** of the step: the first is in line "},
		{"control character", "never lost", "never \x1b lost", "never \x1b", "a control character"},
		{"encoding", "never lost", "never \xff lost", "never \xff", "it is not UTF-8"},
		{"long line", "never lost", strings.Repeat("x", MaxLine), "xxxxxxxxxx\n", ""},
		{"size", "never lost", strings.Repeat("x\n", MaxSize), "", "bytes: a runbook has 65536 at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := good(t)
			require.Equal(t, 1, strings.Count(text, c.old), "%q", c.old)
			text = strings.Replace(text, c.old, c.with, 1)
			r, err := Parse("x.md", []byte(text))
			require.Nil(t, r)
			errs, ok := errors.AsType[Errors](err)
			require.True(t, ok, "%v", err)
			if c.name == "long line" {
				c.where, c.says = "A node that is not down was x", "break it, 4096 are the most"
			}
			line := 0
			if c.where != "" {
				line = lineOf(t, text, c.where)
			}
			var said []string
			for _, e := range errs {
				if (line == 0 || e.Line == line) && strings.Contains(e.Text, c.says) {
					require.Contains(t, err.Error(), e.Error())
					return
				}
				said = append(said, e.Error())
			}
			t.Fatalf("want in line %d %q, got %q", line, c.says, said)
		})
	}
}

// All reasons are told at once, in the order of their lines, as many as a
// person can use.
func TestParseErrorsAllAtOnce(t *testing.T) {
	text := strings.NewReplacer("within: 2m", "within: soon", "{on=balancer timeout=5s}", "{on=9}", "**Call:**", "**Calls:**").Replace(good(t))
	_, err := Parse("x.md", []byte(text))
	errs, ok := errors.AsType[Errors](err)
	require.True(t, ok, "%v", err)
	require.Len(t, errs, 3)
	require.Contains(t, errs[0].Text, "within")
	require.Contains(t, errs[1].Text, "on=9")
	require.Contains(t, errs[2].Text, "Calls")
	require.Equal(t, 2, strings.Count(err.Error(), "\n"))

	_, err = Parse("x.md", []byte("---\n---\n## Symptom\n"+strings.Repeat("\n**Expects:** x\n", 150)))
	errs, _ = errors.AsType[Errors](err)
	require.Len(t, errs, maxErrors+1)
	require.Contains(t, errs[maxErrors].Text, "and 51 more")
}

// seeds are what fuzzing begins with.
func seeds(f *testing.F) {
	text, err := os.ReadFile("testdata/good.md")
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte("---\ntitle: x\n---\n## Steps\n### 1\n```sh {on=$x timeout=1s}\na=$(b | c) || exit\n```\n```output\n...\n```\n**Undo:** x\n"))
	f.Add([]byte("---\n&a [*a]\n---\n> > > - ```bash\n> **Call:** x\n"))
	f.Add([]byte("---\ninputs: {A: b}\n---\n## Symptom\n[a]: b#c\n[x][a] ![](y)\n```bash\ncat <<E\n$A ${B:-c} $((1+A))\nE\n```\n"))
}

// Whatever the text is, it is read, or there are reasons, not too many, each
// with a line of it.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Parse("fuzz.md", text)
		if err == nil {
			require.LessOrEqual(t, len(text), 2*MaxSize)
			require.Equal(t, "fuzz.md", r.Name)
			return
		}
		require.Nil(t, r)
		errs, ok := errors.AsType[Errors](err)
		require.True(t, ok)
		require.LessOrEqual(t, len(errs), maxErrors+1)
		lines := 1 + strings.Count(string(text), "\n")
		for _, e := range errs {
			require.Positive(t, e.Line)
			require.LessOrEqual(t, e.Line, lines+1)
		}
	})
}
