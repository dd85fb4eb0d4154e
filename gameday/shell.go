package gameday

import (
	"bufio"
	"context"
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
  :abort         end the drill; what was broken is healed
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
	if all := sys.Role(OperatorRole); len(all) > 0 {
		s.node = all[0]
	}
	s.tell("The system stands, and users are at it: http://%s/. You are in the operator's container.\n"+
		"Something is going to happen within %s. :help tells what you can say besides commands.\n", sys.Inputs()["VIP"], sayTime(s.drill.Window))
	for {
		s.tell("%s$ ", s.node.Name())
		line, ok := s.next(ctx)
		if !ok {
			return
		}
		s.one(ctx, sys, strings.TrimSpace(line))
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
		s.mark(&s.review.Noticed, s.note(Act{Who: s.drill.Who, Kind: ActNoticed, Text: rest}))
	case ":cause":
		s.cause(rest)
	case ":note":
		s.note(Act{Who: s.drill.Who, Kind: ActNote, Text: rest})
	case ":hint":
		s.giveHint(s.drill.Who)
	case ":done":
		s.done()
	case ":abort":
		s.note(Act{Who: s.drill.Who, Kind: ActAbort, Text: rest})
		s.say(ActAbort)
		if !s.struck() {
			s.abort(errAborted)
		}
	default:
		if strings.HasPrefix(word, ":") {
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
	s.mark(&s.review.Named, at)
	s.mu.Lock()
	s.review.Cause = words // the last one counts
	s.mu.Unlock()
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
	secrets := sys.secrets()
	act := Act{At: s.clock.Now(), Who: s.drill.Who, Kind: ActCommand, Node: s.node.Name(), Text: mask(text, secrets)}
	if s.struck() {
		s.mark(&s.review.Looked, act.At)
	}
	bounded, cancel := context.WithTimeout(ctx, (lineLimit+10)*time.Second)
	defer cancel()
	out, err := s.node.Exec(bounded, lineArgv(text, sys.Inputs())...)
	act.Took, act.Code = s.clock.Now()-act.At, out.Code
	act.Output = mask(printable(string(out.Stdout)+string(out.Stderr)), secrets)
	if err != nil {
		act.Output += "could not be run: " + oneLine(err.Error()) + "\n"
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
	return []string{
		"timeout", "-k", killAfter, fmt.Sprint(lineLimit), "sh", "-c",
		`if command -v bash >/dev/null; then exec bash -c "$1"; else exec sh -c "$1"; fi`, "sh", b.String(),
	}
}

// printable is a text without what a terminal would obey.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
