package load

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// socketApp is the server's side of the contract, in memory.
type socketApp struct {
	mu    sync.Mutex
	said  map[string]string
	count int
	// after may end a connection after an answer; number counts them from 1.
	after func(conn net.Conn, number, answers int) bool
	// forget loses the state.
	forget bool
}

func (a *socketApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Hachaos-Node", "j1")
	if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Sec-WebSocket-Version") != "13" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + acceptKey))
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Hachaos-Node: j1\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	a.mu.Lock()
	a.count++
	number, client := a.count, r.URL.Query().Get("client")
	last := a.said[client]
	a.mu.Unlock()
	if last == "" || a.forget {
		last = "0"
	}
	serverSays(conn, opText, []byte("state "+last))
	for answers := 0; a.after == nil || !a.after(conn, number, answers); answers++ {
		opcode, text, err := clientSays(buf.Reader)
		if err != nil || opcode == opClose {
			return
		}
		n, _ := strings.CutPrefix(string(text), "say ")
		a.mu.Lock()
		a.said[client] = n
		a.mu.Unlock()
		serverSays(conn, opText, []byte("done "+n))
	}
}

func serverSays(conn net.Conn, opcode byte, payload []byte) {
	_, _ = conn.Write(append([]byte{finalFrame | opcode, byte(len(payload))}, payload...))
}

// clientSays reads a short frame, which must be masked.
func clientSays(r *bufio.Reader) (opcode byte, payload []byte, err error) {
	var head [6]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	if head[1]&maskedFrame == 0 {
		return 0, nil, fmt.Errorf("a frame that is not masked")
	}
	payload = make([]byte, head[1]&0x7f)
	_, err = io.ReadFull(r, payload)
	for i := range payload {
		payload[i] ^= head[2+i%4]
	}
	return head[0] & 0x0f, payload, err
}

func TestWebSockets(t *testing.T) {
	third := func(n, answers int) bool { return n == 1 && answers == 3 }
	for _, tt := range []struct {
		name    string
		app     *socketApp
		states  []string
		down    history.Link
		resumed []history.Resumed
		least   time.Duration // of the break
		most    time.Duration
	}{
		{
			"nothing breaks",
			&socketApp{},
			[]string{"try", "up", "end"},
			history.Link{},
			[]history.Resumed{{Client: 1, Node: "j1"}},
			0, 0,
		},
		{
			"told to go",
			&socketApp{after: func(conn net.Conn, n, answers int) bool {
				if third(n, answers) {
					go func() { _, _ = io.Copy(io.Discard, conn) }() // takes the pong; ends with the connection
					serverSays(conn, opPing, []byte("?"))
					serverSays(conn, opClose, []byte{3, 0xe9, 'g', 'o'})
				}
				return third(n, answers)
			}},
			[]string{"try", "up", "down", "try", "up", "end"},
			history.Link{Code: 1001, Reason: "closed with 1001 go"},
			[]history.Resumed{{Client: 1, Node: "j1"}, {Client: 1, Node: "j1", Told: 3, Acked: 3, Said: 3}},
			500 * time.Millisecond, 1500 * time.Millisecond,
		},
		{
			"cut off",
			&socketApp{after: func(_ net.Conn, n, answers int) bool { return third(n, answers) }},
			[]string{"try", "up", "down", "try", "up", "end"},
			history.Link{Reason: "EOF"},
			[]history.Resumed{{Client: 1, Node: "j1"}, {Client: 1, Node: "j1", Told: 3, Acked: 3, Said: 3}},
			500 * time.Millisecond, 1500 * time.Millisecond,
		},
		{
			"silent, and then forgetful",
			&socketApp{forget: true, after: func(conn net.Conn, n, answers int) bool {
				if third(n, answers) {
					_, _ = io.Copy(io.Discard, conn)
				}
				return third(n, answers)
			}},
			[]string{"try", "up", "down", "try", "up", "end"},
			history.Link{Reason: errSilent.Error()},
			[]history.Resumed{{Client: 1, Node: "j1"}, {Client: 1, Node: "j1", Acked: 3, Said: 5}},
			1900 * time.Millisecond, 2900 * time.Millisecond,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app := tt.app
				app.said = map[string]string{}
				rec := &journal{}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				r := SocketReconnect()
				r.Patience = 1400 * time.Millisecond // no multiple of sayEvery
				after, err := WebSockets{Clients: 1, Reconnect: r}.Run(ctx, Target{URL: "http://app", Dial: serve(t, app).DialContext}, history.StartClock(), rec)
				require.NoError(t, err)
				require.Nil(t, after)
				var states []string
				links := observed[history.Link](t, rec)
				for _, l := range links {
					states = append(states, l.State)
				}
				require.Equal(t, tt.states, states)
				require.Equal(t, tt.resumed, observed[history.Resumed](t, rec))
				if len(links) > 3 {
					require.Equal(t, tt.down.Code, links[2].Code)
					require.Equal(t, tt.down.Reason, links[2].Reason)
					gap := links[4].Alive - links[2].Alive
					require.GreaterOrEqual(t, gap, tt.least)
					require.LessOrEqual(t, gap, tt.most)
				}
			})
		})
	}
}

// Clients that were cut off together come back spread, unless they are told
// not to be.
func TestWebSocketsComeBackSpread(t *testing.T) {
	for together, most := range map[bool]int{true: 20, false: 7} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			app := &socketApp{said: map[string]string{}, after: func(_ net.Conn, n, _ int) bool {
				if n <= 20 {
					time.Sleep(time.Until(start.Add(5 * time.Second)))
				}
				return n <= 20
			}}
			rec := &journal{}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			r := SocketReconnect()
			r.Together, r.Patience = together, time.Minute
			_, err := WebSockets{Clients: 20, Reconnect: r}.Run(ctx, Target{URL: "http://app", Dial: serve(t, app).DialContext}, history.StartClock(), rec)
			require.NoError(t, err)
			by := map[time.Duration]int{}
			worst := 0
			for _, e := range rec.events {
				if e.Name == history.StreamLink && strings.Contains(string(e.Data), `"try"`) && e.At > 4*time.Second {
					by[e.At/(100*time.Millisecond)]++
					worst = max(worst, by[e.At/(100*time.Millisecond)])
				}
			}
			require.LessOrEqual(t, worst, most)
			require.Equal(t, together, worst == 20)
		})
	}
}
