package gameday

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/runbook"
)

// book is a runbook of a symptom, a diagnosis and steps.
func book(t *testing.T, symptom, diagnosis, steps string) *runbook.Runbook {
	t.Helper()
	text := "---\ntitle: t\ninputs:\n  VIP: where users are\n---\n\n## Symptom\n\n" + symptom + "\n\n## Diagnosis\n\n" + diagnosis + "\n\n## Steps\n\n" + steps
	b, err := runbook.Parse("book.md", []byte(text))
	require.NoError(t, err)
	return b
}

// sh is a command; more are its attributes.
func sh(text string, attributes ...string) string {
	return "```sh {" + strings.Join(attributes, " ") + "}\n" + text + "\n```\n"
}

func prints(lines string) string { return "\n```output\n" + lines + "\n```\n" }

const step1 = "### 1. One\n\n"

func TestExecution(t *testing.T) {
	for _, tt := range []struct {
		name                      string
		symptom, diagnosis, steps string
		ending                    Ending
		says                      string
		line                      int
		stdout                    string // of the last command
		commands                  int
	}{
		{name: "all as expected", steps: step1 + sh("echo hello") + prints("hello"), ending: Done, stdout: "hello\n", commands: 1},
		{name: "a variable goes on", diagnosis: sh(`node=j2; echo "it is $node"`), steps: step1 + sh(`echo "$NODE has $node"`, "on=$node"), ending: Done, stdout: "j2 has j2\n", commands: 2},
		{name: "an input is there", steps: step1 + sh(`echo "$VIP"`), ending: Done, stdout: "198.18.0.100\n", commands: 1},
		{name: "a value of several lines, and of quotes", diagnosis: sh("text=\"a'b\n\n\\\"c\\\" \"'$x'"), steps: step1 + sh(`printf '%s|' "$text"`), ending: Done, stdout: "a'b\n\n\"c\" $x|", commands: 2},
		{name: "a variable of a subshell does not go on", diagnosis: sh("(inner=1)"), steps: step1 + sh(`echo "${inner-none}"`), ending: Done, stdout: "none\n", commands: 2},
		{name: "a status ends it", steps: step1 + sh("echo gone >&2; exit 3"), ending: Failed, says: "on operator: it ended with status 3: gone", line: 19, commands: 1},
		{name: "a failure in the middle ends it", steps: step1 + sh("false\necho on"), ending: Failed, says: "status 1", line: 19, commands: 1},
		{name: "a variable that is empty", diagnosis: sh("v="), steps: step1 + sh(`echo "<$v>"`), ending: Done, stdout: "<>\n", commands: 2},
		{name: "a variable that nobody set", steps: step1 + sh(`echo "$nobody"`), ending: Failed, says: "nobody", line: 19, commands: 1},
		{name: "another output", steps: step1 + sh("echo no") + prints("yes"), ending: Failed, says: `line 1 of its output is "no", where "yes" is expected`, line: 19, commands: 1},
		{name: "another incident, by the symptom", symptom: sh("echo 0") + prints("1"), steps: step1 + sh("echo"), ending: NotThis, says: `where "1" is expected`, line: 9, commands: 1},
		{name: "another incident, by the diagnosis", diagnosis: sh("exit 1"), steps: step1 + sh("echo"), ending: NotThis, says: "status 1", commands: 1},
		{name: "each node of a role in turn", steps: step1 + sh(`echo "$NODE"`, "on=application"), ending: Done, stdout: "j2\n", commands: 2},
		{name: "nodes that agree, and one that says nothing", diagnosis: sh(`v=; [ "$NODE" = j1 ] && v=x || true`, "on=application"), steps: step1 + sh(`echo "$v"`), ending: Done, stdout: "x\n", commands: 3},
		{name: "nodes that do not agree", diagnosis: sh(`v=$NODE`, "on=application"), steps: step1 + sh("echo"), ending: NotThis, says: `v is "j1" on j1 and "j2" on j2: they do not agree`, commands: 2},
		{name: "it takes too long", steps: step1 + sh("sleep 20", "timeout=1s"), ending: Failed, says: "it took more than its 1s", commands: 1},
		{name: "a place that is not there", steps: step1 + sh("echo", "on=database"), ending: Failed, says: "no node of this name or role"},
		{name: "a decision that goes on", steps: step1 + "**Decide:** Sure? Go on with `yes`. In CI: `Yes`.\n\n" + sh("echo on"), ending: Done, stdout: "on\n", commands: 1},
		{name: "a decision that ends it", steps: step1 + "**Decide:** Sure? Go on with `yes`. In CI: `no`.\n\n" + sh("echo on"), ending: Declined, says: `the answer is "no"`},
		{name: "a decision without an answer", steps: step1 + "**Decide:** Sure? Go on with `yes`.\n\n" + sh("echo on"), ending: Unanswered, says: "a person is needed"},
		{name: "a call without an answer", steps: step1 + "**Call:** The owner.\n\n" + sh("echo on"), ending: Unanswered, says: "a person is needed"},
		{name: "a call with one", steps: step1 + "**Call:** The owner. In CI: `told`.\n\n" + sh("echo on"), ending: Done, stdout: "on\n", commands: 1},
		{name: "an undo is not carried out", steps: step1 + sh("echo do") + "\n**Undo:** Back:\n\n" + sh("echo undo"), ending: Done, stdout: "do\n", commands: 1},
		{name: "a state that does not exist", steps: step1 + sh("echo on") + "\n**Expect:** `no-such-state` within `1s`.\n", ending: Failed, says: "there is no such state", commands: 1, stdout: "on\n"},
		{name: "a secret is masked", steps: step1 + sh("p=hunter; echo ${p}22; echo ${p}22 >&2"), ending: Done, stdout: "•••\n", commands: 1},
		{name: "a trap of its own takes the variables with it", steps: step1 + sh("trap 'true' EXIT; a=1"), ending: Failed, says: "cannot be read", commands: 1},
		{name: "noise between the variables", diagnosis: sh("set -x; a=1; b=2"), steps: step1 + sh(`echo "$a$b"`), ending: Done, stdout: "12\n", commands: 2},
		{name: "nodes that were given a value, and one that gives another", diagnosis: sh("v=x") + "\n" + sh(`[ "$NODE" = j1 ] || v=y`, "on=application"), steps: step1 + sh(`echo "$v"`), ending: Done, stdout: "y\n", commands: 4},
		{name: "bash is bash", steps: step1 + "```bash\na=(x y); echo ${a[1]}\n```\n", ending: Done, stdout: "y\n", commands: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var told int
			x := Execution{Book: book(t, tt.symptom, tt.diagnosis, tt.steps), System: testSystem(), Progress: func(Entry) { told++ }}
			got := x.Run(t.Context())
			require.Equal(t, tt.ending, got.Ending, got.Reason)
			require.Contains(t, got.Reason, tt.says)
			if tt.line != 0 {
				require.Equal(t, tt.line, got.Line)
			}
			require.Len(t, got.Entries, told)
			var commands []Entry
			for _, e := range got.Entries {
				if e.Kind == KindCommand {
					commands = append(commands, e)
				}
			}
			require.Len(t, commands, tt.commands)
			if tt.stdout != "" {
				require.Equal(t, tt.stdout, commands[len(commands)-1].Stdout)
			}
			require.NotContains(t, got.Markdown(), "hunter22")
		})
	}
}

// What a command writes on standard error is not mixed up with its variables.
func TestStandardError(t *testing.T) {
	x := Execution{Book: book(t, "", sh("a=1\nprintf 'warn' >&2\nb=2"), step1+sh(`echo "$a$b"`)), System: testSystem()}
	got := x.Run(t.Context())
	require.Equal(t, Done, got.Ending, got.Reason)
	require.Equal(t, "warn", got.Entries[0].Stderr)
	require.Equal(t, "12\n", got.Entries[1].Stdout)
}

func TestExecutionInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	x := Execution{Book: book(t, "", "", step1+sh("echo one")+"\n"+sh("sleep 30", "timeout=1m")), System: testSystem(), Progress: func(Entry) { cancel() }}
	began := time.Now()
	got := x.Run(ctx)
	require.Equal(t, Interrupted, got.Ending)
	require.Len(t, got.Entries, 1)
	require.Less(t, time.Since(began), 20*time.Second, "it does not wait for what comes")
}

func TestInputMissing(t *testing.T) {
	b, err := runbook.Parse("b.md", []byte("---\ntitle: t\ninputs:\n  REGION: where\n---\n\n## Steps\n\n### 1. One\n\n```sh\necho\n```\n"))
	require.NoError(t, err)
	x := Execution{Book: b, System: testSystem()}
	got := x.Run(t.Context())
	require.Equal(t, Unanswered, got.Ending)
	require.Contains(t, got.Reason, "nobody said what REGION is: where")
	x.Inputs = map[string]string{"REGION": "north"}
	require.Equal(t, Done, x.Run(t.Context()).Ending)
}

func TestTerminal(t *testing.T) {
	var out strings.Builder
	term := NewTerminal(strings.NewReader("yes\n"), &out)
	answer, err := term.Decide(t.Context(), &runbook.Decide{Question: "Sure?", GoOn: "yes"})
	require.NoError(t, err)
	require.Equal(t, "yes", answer)
	require.Contains(t, out.String(), "Sure?\n  (yes goes on")
	_, err = term.Call(t.Context(), &runbook.Call{Text: "The owner."})
	require.ErrorIs(t, err, ErrNobody, "the end of the input is nobody")
}

func TestVariants(t *testing.T) {
	b := book(t, sh("echo s"), sh("echo d"), step1+sh("echo 1")+"\n### 2. Two\n\n"+sh("echo 2"))
	titles := func(plan []Part) string {
		var out []string
		for _, p := range plan {
			out = append(out, p.Section+"/"+p.Title)
		}
		return strings.Join(out, " ")
	}
	require.Equal(t, "Symptom/ Diagnosis/ Steps/ Steps/1. One Steps/2. Two", titles(Whole(b)))
	left := LeftOut(b)
	require.Len(t, left, 2)
	require.Equal(t, "Symptom/ Diagnosis/ Steps/ Steps/2. Two", titles(left[0].Plan))
	require.Equal(t, `without step "2. Two"`, left[1].Name)
	swapped := Swapped(b)
	require.Len(t, swapped, 1)
	require.Equal(t, "Symptom/ Diagnosis/ Steps/ Steps/2. Two Steps/1. One", titles(swapped[0].Plan))
	require.Equal(t, "Steps/ Steps/1. One Steps/2. Two", titles(Only(Whole(b), runbook.Steps)))
}

// The steps are undone from the last one on, as far as there is a way back.
func TestUndone(t *testing.T) {
	undo := "\n**Undo:** Back.\n\n"
	b := book(t, "", sh("true"), step1+sh("echo 1")+undo+sh("echo -1")+"\n### 2. Two\n\n"+sh("echo 2")+undo+sh("echo -2"))
	commands := func(plan []Part) (texts []string) {
		for _, p := range plan {
			for _, block := range p.Blocks {
				if c, ok := block.(*runbook.Command); ok {
					texts = append(texts, strings.TrimSpace(c.Text))
				}
			}
		}
		return texts
	}
	v, ok := Undone(b)
	require.True(t, ok)
	require.Equal(t, []string{"true", "echo 1", "echo 2", "echo -2", "echo -1"}, commands(v.Plan))
	require.Equal(t, []string{"true", "echo 1", "echo 2"}, commands(v.Next))

	b = book(t, "", sh("true"), step1+sh("echo 1")+"\n**Undo:** There is none.\n\n### 2. Two\n\n"+sh("echo 2")+undo+sh("echo -2"))
	v, ok = Undone(b)
	require.True(t, ok)
	require.Equal(t, []string{"true", "echo 1", "echo 2", "echo -2"}, commands(v.Plan))
	b = book(t, "", sh("true"), step1+sh("echo 1"))
	_, ok = Undone(b)
	require.False(t, ok)
	_, ok = NoSteps(b)
	require.False(t, ok, "to leave it out is to leave all out")
	b = book(t, "", sh("true"), step1+sh("echo 1")+"\n### 2. Two\n\n"+sh("echo 2"))
	v, ok = NoSteps(b)
	require.True(t, ok)
	require.Equal(t, []string{"true"}, commands(v.Plan))
}

// A variable that is amiss is so in its one command, and names another node where it
// named one.
func TestAmiss(t *testing.T) {
	b := book(t, "", sh("node=j1; count=3"), step1+sh(`echo "$node $count"`)+"\n"+sh(`echo "$node $count"`))
	steps := b.Section(runbook.Steps).Parts[0].Blocks
	line := steps[0].At()
	for name, want := range map[string]string{"node": "j2 3\n", "count": "j1 13\n"} {
		x := Execution{Book: b, System: testSystem(), Amiss: map[int]string{line: name}}
		r := x.Run(t.Context())
		require.Equal(t, Done, r.Ending, r.Reason)
		require.Equal(t, want, r.Entries[1].Stdout)
		require.Equal(t, "j1 3\n", r.Entries[2].Stdout)
	}
}
