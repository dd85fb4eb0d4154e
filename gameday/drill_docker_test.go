//go:build docker

package gameday_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/scenarios"
)

// An operator that a script plays goes through a drill: it is paged, looks, names
// the cause, mends it, and the clock has it all.
func TestDockerDrill(t *testing.T) {
	const file = "../runbooks/node-lost.md"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	book, err := runbook.Parse(file, text)
	require.NoError(t, err)
	incident, err := scenarios.Lookup(book.Front.Incident)
	require.NoError(t, err)
	session, err := wiring.Open(t.Context(), t.TempDir(), "test")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close()) })

	in, keyboard := io.Pipe()
	screen, out := io.Pipe()
	played := make(chan error, 1)
	go func() {
		played <- operate(screen, keyboard)
		io.Copy(io.Discard, screen) //nolint:errcheck // what comes after is for nobody
	}()
	r, err := gameday.Drill{
		Book: book, Incident: incident, Runner: *session.Runner, Options: harness.Options{Set: book.Front.Set, Short: true},
		Who: "a script", In: in, Out: out, Window: 2 * time.Second, Limit: 3 * time.Minute,
	}.Run(t.Context())
	require.NoError(t, out.Close())
	require.NoError(t, err)
	require.NoError(t, <-played)
	require.Equal(t, gameday.Mended, r.Closing, r.Missing)
	require.Equal(t, "the process of the node has ended", r.Cause)
	moments := []time.Duration{r.Struck, r.Alerted, r.Noticed, r.Looked, r.Named, r.Told}
	require.IsNonDecreasing(t, moments)
	require.Greater(t, r.Restored, r.Named)
	require.NotEqual(t, harness.VerdictFail, r.Run, r.Reason)
	require.False(t, r.Dirty)
}

// player is a script at a drill's shell.
type player struct {
	screen   *bufio.Reader
	keyboard io.Writer
	err      error
}

// until reads until it has seen what matches, and returns the groups.
func (p *player) until(pattern string) []string {
	re, got := regexp.MustCompile(pattern), []byte{}
	for p.err == nil {
		b, err := p.screen.ReadByte()
		if err != nil {
			p.err = fmt.Errorf("%q was never seen, but %q: %w", pattern, got, err)
			break
		}
		got = append(got, b)
		if m := re.FindSubmatch(got); m != nil {
			var out []string
			for _, g := range m {
				out = append(out, string(g))
			}
			return out
		}
	}
	return make([]string, re.NumSubexp()+1)
}

func (p *player) types(lines ...string) {
	for _, line := range lines {
		if p.err == nil {
			_, p.err = fmt.Fprintln(p.keyboard, line)
		}
	}
}

// operate plays the operator of a lost node: it waits for what it sees, as people
// do, and goes by what it has seen.
func operate(screen io.Reader, keyboard io.Writer) error {
	p := &player{screen: bufio.NewReader(screen), keyboard: keyboard}
	p.until(`\*\*\* ALERT NodeDown`)
	p.types(
		":noticed the alert", ":on lb1", ":paste", "exec 3<>/dev/tcp/127.0.0.1/9999", `echo "show servers state nodes" >&3`,
		`awk '$2 == "nodes" && $6 == 0 && $7 == 0 { print "down:", $4, $5 }' <&3`, ":end",
	)
	node := p.until(`down: (\S+) \S+\n`)[1]
	p.types(":on "+node, `if [ -e /run/hachaos/java.pid ]; then echo there; else echo it is gone; fi`)
	p.until(`it is gone\n`)
	p.types(":cause the process of the node has ended", "app-start java")
	p.until(`java \d+\n`)
	p.types(
		":on lb1", ":paste", "for i in $(seq 60); do", "exec 3<>/dev/tcp/127.0.0.1/9999", `echo "show stat nodes 4 -1" >&3`,
		`awk -F, '/^nodes,/ && $18 !~ /^UP/' <&3 | grep -q . || break`, "sleep 1", "done", "echo all up", ":end",
	)
	p.until(`all up\n`)
	p.types(":done")
	return p.err
}
