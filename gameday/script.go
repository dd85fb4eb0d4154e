package gameday

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/runbook"
)

// killAfter is how long a command may take to end once it was asked to.
const killAfter = "2"

// overdue is timeout's exit status if it ended the command: 124, or 137 where
// that took SIGKILL (GNU Coreutils manual, 23.4).
func overdue(code int) bool { return code == 124 || code == 137 }

// script is a command as it is run: what a runbook's text is wrapped in so that
// variables come in and go out, and it ends in time.
type script struct {
	argv []string
	// mark begins the lines that tell the variables; nobody can guess it.
	mark string
	sets []string
}

// newScript wraps a command. vars are what it can use.
func newScript(c *runbook.Command, vars map[string]string) script {
	s := script{mark: rand.Text(), sets: c.Sets()}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(vars[name]))
	}
	// The variables go out on standard error, after all that the command wrote:
	// the engine carries no third stream.
	fmt.Fprintf(&b, "__tell() {\n__code=$?\nset +eux\n")
	for _, name := range s.sets {
		fmt.Fprintf(&b, `[ "${%s+x}" ] && printf '\n%s %s\n%%s\n%s.' "$%s" >&2`+"\n", name, s.mark, name, s.mark, name)
	}
	fmt.Fprintf(&b, "printf '\\n%s!' >&2\nexit $__code\n}\ntrap __tell EXIT\n", s.mark)
	b.WriteString(c.Text)
	seconds := fmt.Sprintf("%d", int(math.Ceil(c.Timeout.Seconds())))
	s.argv = []string{"timeout", "-k", killAfter, seconds, c.Shell, "-eu", "-c", b.String()}
	return s
}

// patience is how long the command may take, with what it takes to end it and
// what the engine takes to tell.
func patience(c *runbook.Command) time.Duration { return c.Timeout + 7*time.Second }

// errTold: the command's standard error is not as the wrapping leaves it.
var errTold = errors.New("what the command says of its variables cannot be read")

// told takes the variables off the command's standard error. One that has not
// told them all, since a trap of its own took the place of the wrapping's or it
// became another program, is errTold.
func (s script) told(stderr string) (rest string, vars map[string]string, err error) {
	before, tail, found := strings.Cut(stderr, "\n"+s.mark)
	if !found {
		return stderr, nil, errTold
	}
	body, after, whole := strings.Cut("\n"+s.mark+tail, "\n"+s.mark+"!")
	if !whole {
		return before, nil, errTold
	}
	vars = map[string]string{}
	for body != "" {
		_, entry, ok := strings.Cut(body, "\n"+s.mark+" ")
		if !ok {
			break // what something else wrote in between
		}
		name, text, named := strings.Cut(entry, "\n")
		value, next, closed := strings.Cut(text, "\n"+s.mark+".")
		if !named || !closed || !slices.Contains(s.sets, name) {
			return before, nil, errTold
		}
		vars[name], body = value, next
	}
	return before + after, vars, nil
}

// quote makes one word of the shell of any text without a NUL.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
