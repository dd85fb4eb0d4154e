package live

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"golang.org/x/term"
)

// Screen is a writer that may be a terminal; then it can show a block of lines
// below what is written, which scrolls above it. It is safe for concurrent
// use. Each change is one write.
//
// The cursor rests at the block's beginning, and is not hidden. So the block
// is erased by erasing what is below, however the terminal was resized and has
// wrapped it since; what others write in between is not erased with it, and a
// process that is killed leaves nothing to be mended.
type Screen struct {
	w    io.Writer
	size func() (width, rows int, err error) // nil if nothing can be drawn
	look Look                                // without the size

	mu    sync.Mutex
	drawn []string
	at    Look // that the block was drawn for
	begun bool // what was written last did not end its line
}

// New is a screen on w. A block is shown only on a terminal that understands
// ANSI's sequences: one with a TERM that is not dumb.
func New(w io.Writer) *Screen {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &Screen{w: w}
	}
	return on(w, func() (int, int, error) { return term.GetSize(int(f.Fd())) }, os.Getenv)
}

// on is a screen on a terminal.
func on(w io.Writer, size func() (width, rows int, err error), getenv func(string) string) *Screen {
	if t := getenv("TERM"); t == "" || t == "dumb" {
		size = nil
	}
	return &Screen{w: w, size: size, look: Look{Colour: Colour(getenv), Unicode: beyondASCII(getenv)}}
}

// Colour says whether the environment wants colours on a terminal.
func Colour(getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// beyondASCII says whether the environment's locale has the glyphs, and the
// terminal gives each one column.
func beyondASCII(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(name)); v != "" {
			return (strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")) && !twwidth.IsEastAsian()
		}
	}
	return false
}

// Live says whether a block can be shown.
func (s *Screen) Live() bool { return s.size != nil }

// Write writes text above the block. Text that begins with a line break, to
// leave a line of the user's, needs none where there is a block.
func (s *Screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(text) == 0 {
		return 0, nil
	}
	if len(s.drawn) == 0 {
		s.begun = text[len(text)-1] != '\n'
		return s.w.Write(text)
	}
	var b bytes.Buffer
	b.WriteString("\r\x1b[J")
	b.Write(bytes.TrimPrefix(text, []byte("\n")))
	if !bytes.HasSuffix(text, []byte("\n")) {
		b.WriteByte('\n')
	}
	if s.measure() == s.at {
		block(&b, s.drawn)
	} else {
		s.drawn = nil // they may be too wide now: the next frame is near
	}
	if _, err := s.w.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Show replaces the block by what render makes of the terminal as it is now;
// nothing if it cannot be shown. An error is that of the write.
func (s *Screen) Show(render func(Look) []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size == nil {
		return nil
	}
	look := s.measure()
	lines := render(look)
	var b bytes.Buffer
	switch {
	case len(s.drawn) == 0 && len(lines) == 0:
		return nil
	case len(s.drawn) == 0 && s.begun:
		b.WriteString("\r\n")
		s.begun = false
	case len(s.drawn) > 0 && (look != s.at || len(lines) == 0):
		b.WriteString("\r\x1b[J")
	}
	block(&b, lines)
	s.drawn, s.at = lines, look
	_, err := s.w.Write(b.Bytes())
	return err
}

// Clear erases the block.
func (s *Screen) Clear() error { return s.Show(func(Look) []string { return nil }) }

// measure is the look now; a terminal that does not know its size has the
// usual one. The caller holds mu.
func (s *Screen) measure() Look {
	l := s.look
	l.Width, l.Rows = 80, 24
	if width, rows, err := s.size(); err == nil && width > 0 && rows > 0 {
		l.Width, l.Rows = width, rows
	}
	return l
}

// block draws lines over what is there, and returns to their beginning. To
// erase first would flicker.
func block(b *bytes.Buffer, lines []string) {
	if len(lines) == 0 {
		return
	}
	b.WriteByte('\r')
	for i, l := range lines {
		b.WriteString(l + "\x1b[K")
		if i+1 < len(lines) {
			b.WriteString("\r\n")
		}
	}
	b.WriteString("\x1b[J\r")
	if n := len(lines) - 1; n > 0 {
		fmt.Fprintf(b, "\x1b[%dA", n)
	}
}
