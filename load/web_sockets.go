package load

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
)

// WebSockets is a companion of clients that each keep one WebSocket open
// (/socket) and say a number every half second, one more each time. A client
// whose connection ends comes back, is told how far it had come, and goes on
// from there.
type WebSockets struct {
	Clients int `json:"clients"`
	// Reconnect is how the clients come back; the zero value is
	// SocketReconnect.
	Reconnect Reconnect `json:"reconnect,omitzero"`
}

// SocketReconnect has clients come back within a second and a half, spread
// over one second. "Exponential Backoff And Jitter" (M. Brooker, AWS
// Architecture Blog, 2015) shows what jitter saves.
func SocketReconnect() Reconnect {
	return Reconnect{Patience: 1500 * time.Millisecond, Wait: time.Second}
}

// sayEvery is how often a client says something, and so how often it hears
// from a server that lives.
const sayEvery = 500 * time.Millisecond

// Kind is "web-sockets".
func (WebSockets) Kind() string { return "web-sockets" }

// Validate reports numbers that make no sense.
func (s WebSockets) Validate() error { return validClients(s.Kind(), s.Clients) }

// Streams are what it journals.
func (WebSockets) Streams() []string {
	return []string{history.StreamLink, history.StreamResumed}
}

// Run keeps the connections open until ctx ends.
func (s WebSockets) Run(ctx context.Context, target Target, clock history.RunClock, sink history.Sink) (Aftermath, error) {
	base, err := target.base()
	if err != nil {
		return nil, err
	}
	prefix := strconv.FormatInt(clock.Start().UnixNano(), 36)
	all := count(sink)
	var clients sync.WaitGroup
	for i := 1; i <= s.Clients; i++ {
		u := base.JoinPath("socket")
		u.RawQuery = url.Values{"client": {prefix + "-" + strconv.Itoa(i)}}.Encode()
		c := &talker{link: newLink(or(s.Reconnect, SocketReconnect()), i, clock, all), target: target, url: u}
		clients.Go(func() {
			pause(ctx, arrivals*time.Duration(i)/time.Duration(s.Clients))
			c.keep(ctx, c.talk)
		})
	}
	clients.Wait()
	all.cover(clock, s.Kind(), s.Streams()...)
	return nil, nil
}

// talker is one client.
type talker struct {
	*link
	target Target
	url    *url.URL

	mu          sync.Mutex
	acked, said int64
}

// talk opens a connection and uses it to its end.
func (c *talker) talk(ctx context.Context) history.Link {
	one, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(c.Patience, func() { cancel(errSilent) })
	defer silence.Stop()
	c.tell(history.Link{State: history.LinkTry})
	w, err := dialWebSocket(one, c.target, c.url)
	if err != nil {
		l := history.Link{State: history.LinkMiss, Reason: why(one, err)}
		if no := (refusal{}); errors.As(err, &no) {
			l.Node = no.node
		}
		return l
	}
	defer w.close()
	return c.converse(one, w, silence)
}

// converse says numbers while it hears answers.
func (c *talker) converse(ctx context.Context, w *webSocket, silence *time.Timer) history.Link {
	// The connection ends with ctx, whose cause is told: a child's is set some
	// time after that.
	speaking, hush := context.WithCancel(ctx)
	var speaker sync.WaitGroup
	defer speaker.Wait()
	defer hush()
	l := history.Link{State: history.LinkMiss, Node: w.node}
	for {
		text, err := w.read()
		if err != nil {
			l.Reason = why(ctx, err)
			if c := (closed{}); errors.As(err, &c) {
				l.Code = c.code
			}
			return l
		}
		silence.Reset(c.Patience)
		c.heard()
		word, number, _ := strings.Cut(text, " ")
		n, err := strconv.ParseInt(number, 10, 64)
		switch {
		case err != nil || word != "state" && word != "done":
			l.Reason = fmt.Sprintf("it said %q", text)
			return l
		case word == "done":
			c.done(n)
		case l.State == history.LinkMiss: // the first word on a new connection
			l.State = history.LinkDown
			c.tell(history.Link{State: history.LinkUp, Node: w.node})
			c.resume(n, w.node)
			speaker.Go(func() { c.speak(speaking, w) })
		}
	}
}

// resume goes on from where the server says that the client was, if that can
// be.
func (c *talker) resume(told int64, node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sink.Put(history.Observe(c.alive, history.Resumed{Client: c.client, Node: node, Told: told, Acked: c.acked, Said: c.said}))
	if told >= c.acked {
		c.said = told
	}
}

func (c *talker) done(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acked = max(c.acked, n)
}

// speak says the next number every half second until ctx ends or the
// connection does.
func (c *talker) speak(ctx context.Context, w *webSocket) {
	for ctx.Err() == nil {
		c.mu.Lock()
		c.said++
		n := c.said
		c.mu.Unlock()
		if w.write(opText, []byte("say "+strconv.FormatInt(n, 10))) != nil {
			return // the reader hears of it
		}
		pause(ctx, sayEvery)
	}
}
