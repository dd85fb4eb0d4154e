package docker

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func day(n int) time.Time { return time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC) }

func message(at time.Time, node, action string) events.Message {
	return events.Message{
		Action: events.Action(action), TimeNano: at.UnixNano(),
		Actor: events.Actor{ID: "id-" + node, Attributes: map[string]string{labelNode: node}},
	}
}

func TestEventOf(t *testing.T) {
	m := message(day(1), "j1", "die")
	m.Actor.Attributes["exitCode"] = "137"
	event, ok := eventOf(m)
	require.True(t, ok)
	require.True(t, event.Wall.Equal(day(1)))
	event.Wall = time.Time{}
	require.Equal(t, topology.EngineEvent{Node: "j1", Action: "die", ExitCode: "137"}, event)
	_, ok = eventOf(message(day(1), "", "die"))
	require.False(t, ok, "a helper is no node")
}

func TestCursorDropsWhatAResumedStreamRepeats(t *testing.T) {
	at := func(ms int) time.Time { return day(1).Add(time.Duration(ms) * time.Millisecond) }
	c := newCursor(at(0))
	require.Equal(t, at(0), c.from())
	require.False(t, c.fresh(message(at(-1), "j1", "start")), "before since")
	require.True(t, c.fresh(message(at(10), "j1", "kill")))
	require.True(t, c.fresh(message(at(10), "j1", "die")), "same time, another action")
	require.True(t, c.fresh(message(at(10), "j2", "die")), "same time, another node")
	require.True(t, c.fresh(message(at(5), "j2", "kill")), "late, but new")
	require.Equal(t, at(0), c.from())
	for _, again := range []events.Message{
		message(at(5), "j2", "kill"), message(at(10), "j1", "kill"), message(at(10), "j1", "die"), message(at(10), "j2", "die"),
	} {
		require.False(t, c.fresh(again))
	}
	require.True(t, c.fresh(message(at(60_000), "j1", "start")))
	require.True(t, c.from().Equal(at(58_000)))
	require.Len(t, c.seen, 1, "what cannot come again is forgotten")
}

func TestCovers(t *testing.T) {
	fresh := newCursor(day(2))
	read := newCursor(day(2))
	read.fresh(message(day(3), "j1", "die"))
	full := func(from time.Time) []time.Time {
		list := make([]time.Time, ringSize)
		for i := range list {
			list[i] = from.Add(time.Duration(i) * time.Second)
		}
		return list
	}
	tests := []struct {
		name       string
		remembered []time.Time
		at         *cursor
		want       bool
	}{
		{"a quiet engine", nil, fresh, true},
		{"few events, all later", []time.Time{day(3)}, fresh, true},
		{"a full memory that reaches back", full(day(1)), fresh, true},
		{"a full memory that does not", full(day(4)), fresh, false},
		{"the last one seen is there", []time.Time{day(3), day(4)}, read, true},
		{"the last one seen is not: it was restarted", []time.Time{day(4)}, read, false},
		{"nothing is: it was restarted", nil, read, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { require.Equal(t, test.want, covers(test.remembered, test.at)) })
	}
}

func TestUnixNano(t *testing.T) {
	require.Equal(t, "0", unixNano(time.Time{}))
	require.Equal(t, "1700000000.000000007", unixNano(time.Unix(1700000000, 7)))
}

// logLine is a line as the engine sends it.
func logLine(ns int, text string) []byte {
	return []byte(fmt.Sprintf("2026-11-01T12:00:00.%09dZ %s", ns, text))
}

func TestLineCopierTakesUpBehindTheLastLine(t *testing.T) {
	var got bytes.Buffer
	c := &lineCopier{to: &got}
	write := func(lines ...[]byte) {
		t.Helper()
		c.resume()
		for _, line := range lines {
			n, err := c.Write(line)
			require.NoError(t, err)
			require.Equal(t, len(line), n)
		}
	}
	write(logLine(1, "a\n"), logLine(2, "b\n"), logLine(2, "c\n"))
	write(logLine(2, "b\n"), logLine(2, "c\n"), logLine(2, "d\n"), logLine(3, "e\n"))
	write(logLine(1, "a\n"), logLine(3, "e\n"), logLine(4, "two parts of "), logLine(4, "one line\n"))
	write(logLine(4, "two parts of "), logLine(4, "one line\n"), logLine(5, "\n"), logLine(6, "f: 2026 g\n"))
	require.Equal(t, "a\nb\nc\nd\ne\ntwo parts of one line\n\nf: 2026 g\n", got.String())
}

// The engine stamps standard output and standard error apart, so that a line
// may stand behind a younger one; and the clock may be set back.
func TestLineCopierLosesNoLineThatIsOutOfOrder(t *testing.T) {
	var got bytes.Buffer
	c := &lineCopier{to: &got, last: day(1).Add(2)}
	write := func(lines ...[]byte) {
		t.Helper()
		c.resume()
		for _, line := range lines {
			_, err := c.Write(line)
			require.NoError(t, err)
		}
	}
	write(logLine(1, "before the run\n"), logLine(5, "a\n"), logLine(4, "b\n"), logLine(6, "c\n"), logLine(3, "d\n"))
	write(logLine(6, "c\n"), logLine(3, "d\n"), logLine(3, "e\n"), logLine(7, "f\n"), logLine(6, "g\n")) // all is sent again
	write(logLine(7, "f\n"), logLine(8, "h\n"), logLine(6, "i\n"))                                       // or only what is not older
	require.Equal(t, "a\nb\nc\nd\ne\nf\ng\nh\ni\n", got.String())
}

func TestLineCopierFails(t *testing.T) {
	c := &lineCopier{to: &bytes.Buffer{}}
	_, err := c.Write([]byte("no time\n"))
	require.ErrorContains(t, err, `"no time\n"`)
	broken := errors.New("disk full")
	c = &lineCopier{to: writerFunc(func([]byte) (int, error) { return 0, broken })}
	_, err = c.Write(logLine(1, "a\n"))
	require.ErrorIs(t, err, broken)
	require.ErrorIs(t, c.err, broken)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestRunEnded(t *testing.T) {
	require.True(t, runEnded(strings.NewReader("d")))
	require.False(t, runEnded(strings.NewReader("")), "the end without a word")
	require.False(t, runEnded(strings.NewReader("x")))
}
