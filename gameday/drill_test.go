package gameday

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/runbook"
)

// typed is what becomes of lines that are typed into a drill's shell; before says
// that the incident is not there yet.
func typed(t *testing.T, before bool, lines ...string) (*Review, string, *drilling) {
	t.Helper()
	sys := testSystem()
	for _, n := range sys.Nodes() {
		h := n.(*host)
		h.env = append(h.env, "TMPDIR="+t.TempDir())
	}
	var seen bytes.Buffer
	over := make(chan struct{})
	a := &drilling{
		drill:  Drill{Book: drillBook(t), Who: "ann", Out: &seen, Window: time.Minute},
		review: &Review{Struck: -1, Alerted: -1, Looked: -1, Noticed: -1, Named: -1, Told: -1, Restored: -1}, said: make(chan string, 1), screen: newScreen(&seen),
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	a.abort = cancel
	a.begin(sys, history.StartClock())
	if !before {
		a.review.Struck = 0
	}
	s := &shell{drilling: a, over: over, lines: linesOf(strings.NewReader(strings.Join(lines, "\n")+"\n"), over)}
	s.run(ctx, sys)
	close(over)
	a.screen.close()
	return a.review, seen.String(), a
}

func drillBook(t *testing.T) *runbook.Runbook {
	t.Helper()
	b, err := runbook.Parse("b.md", []byte("---\ntitle: A node is lost\n---\n\n## Diagnosis\n\n### Which one\n\nx\n\n## Steps\n\n### 1. Start it\n\nx\n\n### 2. Look\n\nx\n"))
	require.NoError(t, err)
	return b
}

func commands(r *Review) []Act {
	var out []Act
	for _, a := range r.Acts {
		if a.Kind == ActCommand {
			out = append(out, a)
		}
	}
	return out
}

// Commands run where the prompt says; the folder and the variables of one are
// there for the next on the same node, and what each printed is recorded.
func TestADrillsShellIsAShell(t *testing.T) {
	r, seen, _ := typed(
		t, false,
		"cd /usr", "x='it'\"'\"'s'", `echo "$x in $PWD for $VIP"`, "exit 3", "echo oops >&2; false", `echo "$x"`,
		":on j1", `echo "${x-nothing} on $NODE"`,
		":on j2", ":paste", "a=(p q)", "echo ${a[1]}", ":end",
		":on operator", "pwd", "echo hunter22",
	)
	got := commands(r)
	require.Len(t, got, 10)
	for n, want := range []string{"", "", "it's in /usr for 198.18.0.100\n", "", "oops\n", "it's\n", "nothing on j1\n", "q\n", "/usr\n", "•••\n"} {
		require.Equal(t, want, got[n].Output, got[n].Text)
		require.Equal(t, "ann", got[n].Who)
	}
	require.Equal(t, []int{0, 0, 0, 3, 1, 0}, []int{got[0].Code, got[1].Code, got[2].Code, got[3].Code, got[4].Code, got[5].Code})
	require.Equal(t, []string{"operator", "j1", "j2", "operator"}, []string{got[5].Node, got[6].Node, got[7].Node, got[8].Node})
	require.Equal(t, "a=(p q)\necho ${a[1]}", got[7].Text)
	require.Contains(t, seen, "it's in /usr for 198.18.0.100\n")
	require.Contains(t, seen, "hunter22", "who types sees what there is; the record does not")
	require.Contains(t, seen, "http://198.18.0.100/")
	require.GreaterOrEqual(t, r.Looked, time.Duration(0))
}

// What is said besides commands is on the clock.
func TestADrillsWords(t *testing.T) {
	r, seen, a := typed(t, false, ":noticed errors", ":noticed again", ":cause", ":cause j1 is gone", ":cause no, j2", ":note call Bob", ":on j9", ":what", ":done")
	require.GreaterOrEqual(t, r.Noticed, time.Duration(0))
	require.Equal(t, r.Acts[0].At, r.Noticed, "the first counts")
	require.Equal(t, "no, j2", r.Cause, "the last counts")
	require.Equal(t, r.Acts[2].At, r.Named)
	require.Less(t, r.Looked, time.Duration(0), "no command was run")
	require.Contains(t, seen, ":cause wants words")
	require.Contains(t, seen, "There is no node j9. There are:\n  j1 ")
	require.Contains(t, seen, ":abort         end the drill")
	var kinds []string
	for _, act := range r.Acts {
		kinds = append(kinds, act.Kind)
	}
	require.Equal(t, []string{ActNoticed, ActNoticed, ActCause, ActCause, ActNote, ActDone, ActAbort}, kinds, "the last by the end of what was typed")
	require.Equal(t, ActDone, <-a.said)
}

// Before the incident nobody can be done, and an abort ends the run at once; a
// command then is no answer to anything.
func TestADrillBeforeItsIncident(t *testing.T) {
	r, seen, a := typed(t, true, "true", ":done")
	require.Contains(t, seen, "the drill goes on")
	require.Less(t, r.Told, time.Duration(0))
	require.Less(t, r.Looked, time.Duration(0))
	require.Equal(t, ActAbort, <-a.said, "nobody types any more")
	require.Contains(t, seen, "the drill is aborted")

	r, _, a = typed(t, true, ":abort wrong day", "echo never")
	require.Equal(t, ActAbort, <-a.said)
	require.Empty(t, commands(r), "it is over")
	require.Equal(t, "wrong day", r.Acts[0].Text)

	r, seen, _ = typed(t, true, ":noticed", ":cause sun spots", ":hint")
	require.Less(t, r.Noticed, time.Duration(0), "a false alarm is no detection")
	require.Less(t, r.Named, time.Duration(0))
	require.Empty(t, r.Cause)
	require.Contains(t, seen, "Nothing has happened yet.")
}

// Hints tell more and more, those that are asked for and those that are due.
func TestHints(t *testing.T) {
	all := Hints(drillBook(t))
	require.Equal(t, []string{
		`The alert is that of the runbook "A node is lost".`, "Its diagnosis: Which one.", "Its steps: 1. Start it; 2. Look.", "Follow b.md, line by line.",
	}, all)
	r, seen, _ := typed(t, false, ":hint", ":hint", ":hint", ":hint", ":hint")
	require.Len(t, r.Acts, len(all)+1, "and the end of what was typed")
	require.Contains(t, seen, "HINT 1 of 4: The alert is that")
	require.Contains(t, seen, "There is no more to tell than b.md says.")
}

// TestHintsComeAtTheirTimes: since the alert, each once, and none before it.
func TestHintsComeAtTheirTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen bytes.Buffer
		a := &drilling{
			drill:  Drill{Book: drillBook(t), Out: &seen, Hints: []time.Duration{time.Minute, 3 * time.Minute}},
			review: &Review{Alerted: -1}, screen: newScreen(&seen),
		}
		a.begin(testSystem(), history.StartClock())
		l := &looking{drilling: a}
		given := map[time.Duration]string{}
		for range 20 {
			time.Sleep(30 * time.Second)
			now := a.clock.Now()
			if now == 2*time.Minute {
				a.mark(&a.review.Alerted, now)
			}
			before := len(a.review.Acts)
			l.hint()
			for _, act := range a.review.Acts[before:] {
				require.Equal(t, ActHint, act.Kind)
				given[now] += act.Text
			}
		}
		a.screen.close()
		require.Equal(t, map[time.Duration]string{
			3 * time.Minute: `The alert is that of the runbook "A node is lost".`,
			5 * time.Minute: "Its diagnosis: Which one.",
		}, given)
		require.Contains(t, seen.String(), "HINT 2 of 4: Its diagnosis")
	})
}

// What a command prints cannot reach the terminal's controls.
func TestADrillsOutputIsClean(t *testing.T) {
	r, seen, _ := typed(t, false, `printf 'a\033[31mb\200\rc\n'`)
	require.Equal(t, "a\uFFFD[31mb\uFFFD\uFFFDc\n", commands(r)[0].Output)
	require.NotContains(t, seen, "\033")

	r, _, _ = typed(t, false, `printf 'a\r\nb\r\n'`, "yes | tr y x", ": >/dev/null")
	require.Equal(t, "a\nb\n", commands(r)[0].Output)
	require.Less(t, len(commands(r)[1].Output), maxOutput+100, "what never ends is cut")
	require.Len(t, commands(r), 3, "a colon by itself is the shell's")
}

// The reader of what is typed ends with the drill, though nobody reads its lines.
func TestTheReaderOfADrillEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		in, out := io.Pipe()
		lines := linesOf(in, over)
		_, err := io.WriteString(out, "one\n")
		require.NoError(t, err)
		close(over)
		synctest.Wait()
		_, open := <-lines
		require.False(t, open)
	})
}

// A drill of a state that does not exist is refused, with nothing started.
func TestADrillIsRefused(t *testing.T) {
	b, err := runbook.Parse("b.md", []byte("---\ntitle: t\nrestores: [no-such-state]\n---\n"))
	require.NoError(t, err)
	r, err := Drill{Book: b, In: strings.NewReader(""), Out: io.Discard}.Run(t.Context())
	require.ErrorContains(t, err, "b.md:3: there is no state no-such-state")
	require.Nil(t, r)
}

// What is said between the incident and its proof counts, though the drill does not
// know of it yet; what was said before it is a false alarm.
func TestWhatIsSaidBeforeTheProofCounts(t *testing.T) {
	r := &Review{Struck: 12 * time.Second, Looked: 14 * time.Second, Noticed: -1, Named: -1, Acts: []Act{
		{At: 4 * time.Second, Who: "ops", Kind: ActNoticed},
		{At: 5 * time.Second, Who: "ops", Kind: ActCause, Text: "no"},
		{At: 11 * time.Second, Who: "ops", Kind: ActNoticed},
		{At: 11 * time.Second, Kind: ActHint},
		{At: 11500 * time.Millisecond, Who: "ops", Kind: ActCause, Text: "lb1"},
		{At: 14 * time.Second, Who: "ops", Kind: ActCommand},
	}}
	r.struckAt([]harness.FaultResult{{Kind: ActKind, At: time.Second}, {Kind: "instance-kill", At: 10 * time.Second}})
	require.Equal(t, []time.Duration{10 * time.Second, 14 * time.Second, 11 * time.Second, 11500 * time.Millisecond}, []time.Duration{r.Struck, r.Looked, r.Noticed, r.Named})
	require.Equal(t, "lb1", r.Cause)

	unbegun := &Review{Struck: -1, Noticed: -1, Acts: []Act{{At: time.Second, Who: "ops", Kind: ActNoticed}}}
	unbegun.struckAt([]harness.FaultResult{{Kind: "instance-kill", At: time.Second}})
	require.Negative(t, unbegun.Noticed)
}
