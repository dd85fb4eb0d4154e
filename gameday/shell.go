package gameday

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hachaos/hachaos/topology"
)

// lineLimit is how long a command of a drill's shell may take, in seconds.
const lineLimit = 60

// help is what the shell knows besides commands.
const help = `A line is a command of the shell, in the container that the prompt names; the folder that it
leaves and the variables that it sets are there for the next. It may take a minute.
  :on NODE       the next commands run on this node; without a name, where you can go
  :paste         what follows is one command, up to a line :end
  :noticed       you have seen that something is wrong
  :cause WORDS   what you think that it is
  :note WORDS    what the review should say
  :hint          be told more
  :done          you have mended it
  :abort         end the drill; what was broken is healed. Ctrl-C does so, too
`

// shell is what whoever is on duty types into.
type shell struct {
	*drilling
	lines <-chan string
	over  chan struct{}

	node topology.Node
}

// screen is what whoever is on duty sees. Writing to it never waits: a terminal that
// somebody has stopped holds nothing up, and what it cannot take is lost.
type screen struct {
	texts chan string
	ended chan struct{}
}

// screenful is how many texts wait for a terminal at most.
const screenful = 4096

func newScreen(out io.Writer) *screen {
	s := &screen{make(chan string, screenful), make(chan struct{})}
	go func() {
		defer close(s.ended)
		for text := range s.texts {
			if _, err := io.WriteString(out, text); err != nil {
				for range s.texts { // nobody sees it any more
				}
			}
		}
	}()
	return s
}

func (s *screen) show(text string) {
	select {
	case s.texts <- text:
	default:
	}
}

// close waits a moment for what is still to be shown. Nothing may be shown after it.
func (s *screen) close() {
	close(s.texts)
	select {
	case <-s.ended:
	case <-time.After(2 * time.Second):
	}
}

// linesOf reads lines until in ends, or, once over is closed, up to the next.
func linesOf(in io.Reader, over <-chan struct{}) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			select {
			case out <- lines.Text():
			case <-over:
				return
			}
		}
	}()
	return out
}

// run reads and carries out what is typed, until the drill is over or nobody
// types any more.
func (s *shell) run(ctx context.Context, sys *System) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // what runs when the drill is over does not meet the heal
		select {
		case <-s.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	if all := sys.Role(OperatorRole); len(all) > 0 {
		s.node = all[0]
	}
	when := "soon"
	if s.drill.Window > 0 {
		when = "within " + sayTime(s.drill.Window) + ", once users are served steadily"
	}
	s.tell("The system stands, and users come to http://%s/. You are in the operator's container.\n"+
		"Something is going to happen %s. :help tells what you can say besides commands;\n"+
		"Ctrl-C ends the drill.\n", sys.Inputs()["VIP"], when)
	for {
		s.tell("%s$ ", s.node.Name())
		line, ok := s.next(ctx)
		if !ok {
			s.left(ctx)
			return
		}
		s.one(ctx, sys, strings.TrimSpace(line))
	}
}

// left aborts a drill in which nobody can type any more.
func (s *shell) left(ctx context.Context) {
	select {
	case <-s.over:
		return
	case <-ctx.Done():
		return
	default:
	}
	s.tell("\nNobody types any more: the drill is aborted.\n")
	s.note(Act{Who: s.drill.Who, Kind: ActAbort, Text: "the shell was closed"})
	s.aborts()
}

// aborts ends the drill, and, before the incident, the run.
func (s *shell) aborts() {
	s.say(ActAbort)
	if !s.struck() {
		s.abort(errAborted)
	}
}

// next is the next line; false if there is none any more.
func (s *shell) next(ctx context.Context) (string, bool) {
	select {
	case <-s.over:
		return "", false
	default:
	}
	if ctx.Err() != nil { // whatever is typed then comes too late
		return "", false
	}
	select {
	case line, ok := <-s.lines:
		return line, ok
	case <-s.over:
	case <-ctx.Done():
	}
	return "", false
}

// one does what a line says.
func (s *shell) one(ctx context.Context, sys *System, line string) {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "":
	case ":on":
		s.on(sys, rest)
	case ":paste":
		s.paste(ctx, sys)
	case ":noticed":
		s.after(&s.review.Noticed, s.note(Act{Who: s.drill.Who, Kind: ActNoticed, Text: rest}))
	case ":cause":
		s.cause(rest)
	case ":note":
		s.note(Act{Who: s.drill.Who, Kind: ActNote, Text: rest})
	case ":hint":
		if !s.struck() {
			s.tell("Nothing has happened yet.\n")
			return
		}
		s.giveHint(s.drill.Who)
	case ":done":
		s.done()
	case ":abort":
		s.note(Act{Who: s.drill.Who, Kind: ActAbort, Text: rest})
		s.aborts()
	default:
		if len(word) > 1 && word[0] == ':' && unicode.IsLetter(rune(word[1])) {
			s.tell(help)
			return
		}
		s.command(ctx, sys, line)
	}
}

// struck says whether the incident is there.
func (a *drilling) struck() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.review.Struck >= 0
}

// say passes a word on that ends the drill; the first counts.
func (a *drilling) say(word string) {
	select {
	case a.said <- word:
	default:
	}
}

func (s *shell) cause(words string) {
	if words == "" {
		s.tell(":cause wants words: what is the cause?\n")
		return
	}
	at := s.note(Act{Who: s.drill.Who, Kind: ActCause, Text: words})
	if !s.struck() {
		return
	}
	s.mark(&s.review.Named, at)
	s.mu.Lock()
	s.review.Cause = mask(words, s.sys.secrets()) // the last one counts
	s.mu.Unlock()
}

// after sets a moment of the review, unless the incident is still to come: what was
// said before it is a false alarm, and on the timeline alone.
func (s *shell) after(moment *time.Duration, at time.Duration) {
	if s.struck() {
		s.mark(moment, at)
	}
}

func (s *shell) done() {
	if !s.struck() {
		s.tell("Nothing has happened yet that hachaos knows of: the drill goes on.\n")
		return
	}
	s.mark(&s.review.Told, s.note(Act{Who: s.drill.Who, Kind: ActDone}))
	s.say(ActDone)
}

// on changes the node.
func (s *shell) on(sys *System, name string) {
	var names []string
	for _, n := range sys.Nodes() {
		if n.Name() == name {
			s.node = n
			return
		}
		names = append(names, fmt.Sprintf("  %-10s %s", n.Name(), n.Role()))
	}
	slices.Sort(names)
	if name != "" {
		s.tell("There is no node %s. There are:\n", printable(name))
	}
	s.tell("%s\n", strings.Join(names, "\n"))
}

// paste reads lines up to :end, which are one command.
func (s *shell) paste(ctx context.Context, sys *System) {
	var lines []string
	for {
		s.tell("> ")
		line, ok := s.next(ctx)
		if !ok {
			return
		}
		if strings.TrimSpace(line) == ":end" {
			break
		}
		lines = append(lines, line)
	}
	if len(lines) > 0 {
		s.command(ctx, sys, strings.Join(lines, "\n"))
	}
}

// command runs a command where the prompt says.
func (s *shell) command(ctx context.Context, sys *System, text string) {
	act := Act{At: s.clock.Now(), Who: s.drill.Who, Kind: ActCommand, Node: s.node.Name(), Text: text}
	s.after(&s.review.Looked, act.At)
	bounded, cancel := context.WithTimeout(ctx, (lineLimit+10)*time.Second)
	defer cancel()
	out, err := s.node.Exec(bounded, lineArgv(text, sys.Inputs())...)
	act.Took, act.Code = s.clock.Now()-act.At, out.Code
	act.Output = printable(string(out.Stdout) + string(out.Stderr))
	if err != nil {
		// The engine's words hold the command, with what was typed.
		why := "the engine could not run it"
		switch {
		case errors.Is(err, topology.ErrNotRunning):
			why = "the node does not run"
		case bounded.Err() != nil:
			why = "it was broken off"
		}
		act.Output += "(" + why + ")\n"
		act.Code = -1
	}
	s.note(act)
	s.tell("%s", act.Output)
	if act.Output != "" && !strings.HasSuffix(act.Output, "\n") {
		s.tell("\n")
	}
	if overdue(act.Code) && act.Took >= lineLimit*time.Second {
		s.tell("(ended after %d s, which is all that a command has)\n", lineLimit)
	}
}

// stateFile is where a node keeps the shell's folder and variables between two
// commands.
const stateFile = `"${TMPDIR:-/tmp}/.hachaos-drill"`

// lineOutput is how much a command may print, in bytes: what would print more ends.
const lineOutput = 1 << 20

// lineArgv runs a command in bash, or sh where there is none, with the folder and
// the variables that the command before it left there.
func lineArgv(text string, vars map[string]string) []string {
	var b strings.Builder
	b.WriteString("set -a\n")
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		fmt.Fprintf(&b, "%s=%s\n", name, quote(vars[name]))
	}
	fmt.Fprintf(&b, `[ ! -r %[1]s ] || . %[1]s 2>/dev/null
__keep() {
__code=$?
{ export -p; printf "cd '%%s'\n" "$(pwd | sed "s/'/'\\\\''/g")"; } >%[1]s.part 2>/dev/null && mv -f %[1]s.part %[1]s
exit $__code
}
trap __keep EXIT
`, stateFile)
	b.WriteString(text)
	const limited = `command -v bash >/dev/null || exec sh -c "$1"
exec bash -o pipefail -c '{ bash -c "$1"; } 2>&1 | head -c "$2"' bash "$1" "$2"`
	return []string{"timeout", "-k", killAfter, fmt.Sprint(lineLimit), "sh", "-c", limited, "sh", b.String(), fmt.Sprint(lineOutput)}
}

// printable is a text without what a terminal would obey.
func printable(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
