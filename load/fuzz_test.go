package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// FuzzUnderstand wants of each answer that is understood what identifies it:
// what is not is journalled as malformed.
func FuzzUnderstand(f *testing.F) {
	f.Add(history.OpOrder, "k-1", []byte(`{"order":7,"key":"k-1","node":"j1","version":"1"}`))
	f.Add(history.OpSessionRead, "", []byte(`{"id":"s1","user":"u1","count":0}`))
	f.Add(history.OpLogin, "", []byte(`{"id":"s1","new":true}`))
	f.Add(history.OpSessionWrite, "", []byte(`{"id":"s1","count":-1}`))
	f.Fuzz(func(t *testing.T, op, key string, body []byte) {
		a, ok := understand(op, key, body)
		if !json.Valid(body) {
			require.False(t, ok)
		}
		if !ok {
			return
		}
		switch op {
		case history.OpOrder:
			require.Equal(t, key, a.Key)
			require.Equal(t, a.Order, a.value())
			require.Positive(t, a.value())
		case history.OpLogin, history.OpLogout:
			require.NotEmpty(t, a.ID)
		default:
			require.NotEmpty(t, a.ID)
			require.GreaterOrEqual(t, *a.Count, int64(0))
		}
	})
}

// FuzzRows wants of what the database prints one row a line that is not empty,
// and none after one that cannot be read.
func FuzzRows(f *testing.F) {
	f.Add(`{"id":1,"token":"a"}` + "\n" + `{"id":2,"token":"b"}` + "\n")
	f.Add("{\"id\":1}\n\n psql: error\n{\"id\":3}")
	f.Fuzz(func(t *testing.T, text string) {
		var took []history.FeedRow
		rows, err := parseRows(text, func(r history.FeedRow) { took = append(took, r) })
		require.Len(t, took, int(rows))
		full := 0
		for line := range strings.Lines(text) {
			if strings.TrimSpace(line) != "" {
				full++
			}
		}
		if err == nil {
			require.Equal(t, full, len(took))
		} else {
			require.Less(t, len(took), full)
		}
	})
}

// deaf is a connection to which writing does nothing.
type deaf struct{ net.Conn }

func (deaf) Write(b []byte) (int, error) { return len(b), nil }

// FuzzWebSocket reads frames, of any bytes and as a server sends them: it ends,
// makes nothing up, and hands on what was sent before.
func FuzzWebSocket(f *testing.F) {
	f.Add([]byte("state 5"), []byte{0x81, 0x02, 'h', 'i', 0x89, 0x00, 0x88, 0x02, 0x03, 0xe9})
	f.Add([]byte(""), []byte{0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add(bytes.Repeat([]byte("x"), 200), []byte{0x81, 0x7e, 0x00, 0x01, 'a', 0x88, 0x01, 0x03})
	f.Fuzz(func(t *testing.T, message, more []byte) {
		if len(message) > maxFrame {
			return
		}
		frame := []byte{finalFrame | opText}
		switch n := len(message); {
		case n < length16:
			frame = append(frame, byte(n))
		case n < 1<<16:
			frame = binary.BigEndian.AppendUint16(append(frame, length16), uint16(n))
		default:
			frame = binary.BigEndian.AppendUint64(append(frame, length64), uint64(n))
		}
		frame = append(frame, message...)
		w := &webSocket{conn: deaf{}, in: bufio.NewReader(bytes.NewReader(append(frame, more...)))}
		got, err := w.read()
		require.NoError(t, err)
		require.Equal(t, string(message), got)
		for all := 0; ; {
			text, err := w.read()
			if err != nil {
				require.Empty(t, text)
				break
			}
			all += len(text) + 2
			require.LessOrEqual(t, all, len(more))
		}
	})
}

// FuzzEvents reads a stream of events, of any bytes and in pieces of any size:
// each that is journalled was in it, under its number, and it ends in one way.
func FuzzEvents(f *testing.F) {
	f.Add([]byte("retry: 200\n\nid: 1\ndata: a\n\n: beat\n\nid: 2\ndata: b\n\n"))
	f.Add([]byte("id: 1\r\ndata: a\r\n\r\nid: x\ndata: b\n\nid: 9\ndata: torn"))
	f.Add([]byte("data\ndata:\n\n\x00id: 3\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		read := func(r io.Reader) (received []history.Received, end history.Link) {
			sink := &historytest.Sink{}
			client := &follower{run: &streamRun{sink: sink}, link: newLink(Reconnect{Patience: time.Hour}, 1, history.StartClock(), sink)}
			silence := time.NewTimer(time.Hour)
			defer silence.Stop()
			end = client.read(context.Background(), &http.Response{Header: http.Header{}, Body: io.NopCloser(r)}, silence)
			for _, e := range sink.Events() {
				if e.Name == history.StreamReceived {
					var v history.Received
					require.NoError(t, json.Unmarshal(e.Data, &v))
					received = append(received, v)
				}
			}
			return received, end
		}
		got, end := read(bytes.NewReader(body))
		require.Contains(t, []string{history.LinkDown, history.LinkMiss}, end.State)
		if len(body) == 0 {
			require.Equal(t, history.LinkMiss, end.State, "nobody spoke")
		}
		for _, r := range got {
			require.NotEmpty(t, r.Token)
		}
		require.LessOrEqual(t, len(got), bytes.Count(body, []byte("data")))
		again, same := read(iotest.OneByteReader(bytes.NewReader(body)))
		require.Equal(t, got, again)
		require.Equal(t, end.State, same.State)
	})
}
