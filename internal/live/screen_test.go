package live

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hinshun/vt10x"
	"github.com/stretchr/testify/require"
)

// terminal is an emulated one, that counts what is written to it.
type terminal struct {
	vt10x.Terminal
	width, rows, writes int
	last                string // what was written last
	fails               error
}

func newTerminal(width, rows int) *terminal {
	return &terminal{Terminal: vt10x.New(vt10x.WithSize(width, rows)), width: width, rows: rows}
}

// Write does what the kernel's terminal does with a line's end.
func (t *terminal) Write(b []byte) (int, error) {
	t.writes, t.last = t.writes+1, string(b)
	if t.fails != nil {
		return 0, t.fails
	}
	_, err := t.Terminal.Write([]byte(strings.ReplaceAll(string(b), "\n", "\r\n")))
	return len(b), err
}

func (t *terminal) resize(width, rows int) {
	t.width, t.rows = width, rows
	t.Resize(width, rows)
}

// shown is the screen, without the empty lines at its end.
func (t *terminal) shown() []string {
	lines := strings.Split(strings.TrimRight(t.String(), " \n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

func (t *terminal) screen(env map[string]string) *Screen {
	return on(t, func() (int, int, error) { return t.width, t.rows, nil }, func(name string) string { return env[name] })
}

var usual = map[string]string{"TERM": "xterm-256color", "LANG": "en_GB.UTF-8"}

func TestTheScreenShowsStepsAboveTheBlock(t *testing.T) {
	for _, env := range []map[string]string{usual, {"TERM": "xterm", "LC_ALL": "C", "NO_COLOR": "1"}} {
		term := newTerminal(80, 40)
		s := term.screen(env)
		var steps []string
		for i := 1; i <= 60; i++ {
			story := told(time.Duration(i) * 250 * time.Millisecond)
			require.NoError(t, s.Show(story.Lines))
			if i%4 == 0 {
				step := fmt.Sprintf("step %d", i)
				steps = append(steps, step)
				n, err := fmt.Fprintln(s, step)
				require.NoError(t, err)
				require.Equal(t, len(step)+1, n)
			}
			block := story.Lines(Look{Width: 80, Rows: 40, Unicode: env["LANG"] != ""})
			require.Equal(t, slices.Concat(steps, block), term.shown())
			require.Equal(t, len(steps), term.Cursor().Y, "the cursor is at the block's beginning")
			require.Zero(t, term.Cursor().X)
			require.True(t, term.CursorVisible())
		}
		writes := term.writes
		require.NoError(t, s.Clear())
		require.Equal(t, steps, term.shown())
		require.NoError(t, s.Clear())
		require.Equal(t, writes+1, term.writes)
		fmt.Fprintln(s, "PASS")
		require.Equal(t, append(steps, "PASS"), term.shown())
	}
}

// TestTheScreenScrolls: the last rows are at each time those of all that was
// written and the block, so that what has gone above is each line once.
func TestTheScreenScrolls(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	term := newTerminal(80, 14)
	s := term.screen(usual)
	var all []string
	for i := range 400 {
		story := told(time.Duration(1+i%100) * 250 * time.Millisecond)
		if r.IntN(3) == 0 {
			step := fmt.Sprintf("step %d", i)
			all = append(all, step)
			fmt.Fprintln(s, step)
		}
		if r.IntN(20) == 0 {
			require.NoError(t, s.Clear())
		}
		require.NoError(t, s.Show(story.Lines))
		want := slices.Concat(all, story.Lines(Look{Width: 80, Rows: 14, Unicode: true}))
		require.Equal(t, want[max(0, len(want)-14):], term.shown(), "round %d", i)
	}
}

func TestTheScreenIsAskedForItsSizeEachTime(t *testing.T) {
	term := newTerminal(80, 24)
	s, story := term.screen(usual), told(14*time.Second)
	fmt.Fprintln(s, "step 1")
	require.NoError(t, s.Show(story.Lines))
	term.resize(70, 24)
	require.NoError(t, s.Show(story.Lines))
	require.Regexp(t, "^\r\x1b\\[J", term.last, "what may have been wrapped is erased first")
	for _, size := range [][2]int{{80, 24}, {50, 24}, {30, 24}, {100, 5}, {12, 3}, {1, 24}, {80, 1}, {120, 30}} {
		term.resize(size[0], size[1])
		require.NoError(t, s.Show(story.Lines))
		for _, l := range term.shown() {
			require.LessOrEqual(t, Columns(l), size[0])
		}
		if lines := story.Lines(Look{Width: size[0], Rows: size[1], Unicode: true}); size[1] > 20 && len(lines) > 0 {
			got := term.shown()
			require.Equal(t, lines, got[len(got)-len(lines):], "%v", size)
			require.LessOrEqual(t, len(got), len(lines)+1, "%v: nothing else is left of the one before", size)
		}
	}
	// Between two frames text must not bring back lines that have become too wide.
	term.resize(60, 30)
	fmt.Fprintln(s, "step 2")
	require.Equal(t, "step 2", term.shown()[len(term.shown())-1])
}

func TestTheBlockShrinksAndGrows(t *testing.T) {
	term := newTerminal(80, 12)
	s := term.screen(usual)
	fmt.Fprintln(s, "step")
	for _, n := range []int{3, 1, 4, 2, 0, 11, 1, 0} {
		want := []string{"step"}
		lines := slices.Repeat([]string{"line"}, n)
		require.NoError(t, s.Show(func(Look) []string { return lines }))
		require.Equal(t, append(want, lines...), term.shown())
		require.Equal(t, 1, term.Cursor().Y)
	}
}

func TestTextOfOthersMeetsTheBlock(t *testing.T) {
	term := newTerminal(80, 24)
	s := term.screen(usual)
	one := func(Look) []string { return []string{"block", "more of it"} }
	fmt.Fprint(s, "a question? ")
	require.NoError(t, s.Show(one))
	require.Equal(t, []string{"a question?", "block", "more of it"}, term.shown(), "a line that was begun is left alone")

	_, err := term.Write([]byte("^C")) // by the terminal itself
	require.NoError(t, err)
	fmt.Fprintln(s, "\nhachaos: interrupted")
	require.Equal(t, []string{"a question?", "hachaos: interrupted", "block", "more of it"}, term.shown())

	fmt.Fprint(s, "no end")
	fmt.Fprint(s, "two\nlines\n")
	n, err := s.Write(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, s.Clear())
	require.Equal(t, []string{"a question?", "hachaos: interrupted", "no end", "two", "lines"}, term.shown())

	// Another program wrote, such as a shell where this one was stopped.
	require.NoError(t, s.Show(one))
	_, err = term.Write([]byte("[1]+  Stopped\n$ fg\n"))
	require.NoError(t, err)
	require.NoError(t, s.Show(one))
	require.Contains(t, strings.Join(term.shown(), "\n"), "[1]+  Stopped\n$ fg")
	require.Equal(t, []string{"block", "more of it"}, term.shown()[7:])
}

func TestAFrameIsOneWrite(t *testing.T) {
	term := newTerminal(80, 24)
	s, story := term.screen(usual), told(14*time.Second)
	require.NoError(t, s.Show(story.Lines))
	require.NoError(t, s.Show(story.Lines))
	fmt.Fprintf(s, "a %s\n", "step")
	require.NoError(t, s.Clear())
	require.Equal(t, 4, term.writes)
}

func TestAWriteThatFails(t *testing.T) {
	term := newTerminal(80, 24)
	s, story := term.screen(usual), told(14*time.Second)
	require.NoError(t, s.Show(story.Lines))
	term.fails = errors.New("gone")
	require.ErrorIs(t, s.Show(story.Lines), term.fails)
	_, err := fmt.Fprintln(s, "step")
	require.ErrorIs(t, err, term.fails)
	require.ErrorIs(t, s.Clear(), term.fails)
	term.fails = nil
	fmt.Fprintln(s, "back")
	require.Contains(t, term.String(), "back")
}

// TestWhatATerminalBears: no sequence where none is understood, no colour
// where none is wanted, no glyph that the locale lacks.
func TestWhatATerminalBears(t *testing.T) {
	for _, tc := range []struct {
		env                   string
		live, colour, unicode bool
	}{
		{"TERM=xterm LANG=en_GB.UTF-8", true, true, true},
		{"TERM=xterm LANG=de_DE.utf8", true, true, true},
		{"TERM=xterm", true, true, false},
		{"TERM=xterm LANG=C", true, true, false},
		{"TERM=xterm LANG=en_GB.UTF-8 LC_CTYPE=C", true, true, false},
		{"TERM=xterm LANG=C LC_CTYPE=C LC_ALL=C.UTF-8", true, true, true},
		{"TERM=xterm LANG=en_GB.UTF-8 NO_COLOR=1", true, false, true},
		{"TERM=xterm LANG=en_GB.UTF-8 NO_COLOR=0", true, false, true},
		{"TERM=dumb LANG=en_GB.UTF-8", false, false, true},
		{"LANG=en_GB.UTF-8", false, true, true},
	} {
		env := map[string]string{}
		for _, pair := range strings.Fields(tc.env) {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		var b strings.Builder
		s := on(&b, func() (int, int, error) { return 0, 0, nil }, func(name string) string { return env[name] })
		require.Equal(t, tc.live, s.Live(), tc.env)
		require.Equal(t, tc.colour, s.look.Colour, tc.env)
		require.Equal(t, tc.unicode, s.look.Unicode, tc.env)
		fmt.Fprintln(s, "step")
		require.NoError(t, s.Show(told(14*time.Second).Lines))
		require.NoError(t, s.Clear())
		require.Equal(t, tc.live, strings.Contains(b.String(), "\x1b["), tc.env)
		require.Equal(t, tc.live && tc.colour, sgr.MatchString(b.String()), tc.env)
		require.NotContains(t, b.String(), "\x1b[?", "%s: no mode is changed", tc.env)
		if tc.live {
			require.Contains(t, b.String(), "instance-kill", "a terminal that does not know its size has the usual one")
		}
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer f.Close()
	s := New(f)
	require.False(t, s.Live())
	require.NoError(t, s.Show(told(14*time.Second).Lines))
	fmt.Fprintln(s, "\nstep")
	got, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	require.Equal(t, "\nstep\n", string(got))
}
