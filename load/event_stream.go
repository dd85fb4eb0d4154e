package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// EventStream is a companion that publishes events to the application's feed
// (POST /events) and follows it with clients of server-sent events (GET
// /events), which come back with Last-Event-ID when their stream breaks. In
// the end it reads the feed as the database has it.
type EventStream struct {
	Clients int `json:"clients"`
	// Rate is how many events a second are published. They are sent in
	// pairs, so that two of them are being stored at the same time.
	Rate int `json:"rate"`
	// Reconnect is how the clients come back; the zero value is
	// DefaultReconnect.
	Reconnect Reconnect `json:"reconnect,omitzero"`
}

// arrivals is the time over which clients of long-lived connections come in
// the beginning: together they would all be sent to the node that was ready
// first.
const arrivals = 2 * time.Second

// publishWithin is a publisher's patience.
const publishWithin = 5 * time.Second

// lingering is how much longer than the publishers the clients listen.
const lingering = time.Second

// maxPublishing bounds the events that are being published.
const maxPublishing = 64

// Kind is "event-stream".
func (EventStream) Kind() string { return "event-stream" }

// Validate reports numbers that make no sense.
func (s EventStream) Validate() error {
	if s.Rate < 2 || s.Rate > 1000 {
		return fmt.Errorf("%d events a second: want 2 to 1000", s.Rate)
	}
	return validClients(s.Kind(), s.Clients)
}

// Streams are what it journals.
func (EventStream) Streams() []string {
	return []string{history.StreamPublished, history.StreamReceived, history.StreamLink, history.StreamFeed}
}

// Run publishes until ctx ends; its clients listen a little longer.
func (s EventStream) Run(ctx context.Context, target Target, clock history.RunClock, sink history.Sink) (Aftermath, error) {
	base, err := target.base()
	if err != nil {
		return nil, err
	}
	all := count(sink)
	r := &streamRun{
		EventStream: s, target: target, url: base.JoinPath("events"), clock: clock, sink: all,
		prefix: strconv.FormatInt(clock.Start().UnixNano(), 36),
	}
	r.Reconnect = or(r.Reconnect, DefaultReconnect())
	listen, deaf := context.WithCancel(context.WithoutCancel(ctx))
	defer deaf()
	var clients sync.WaitGroup
	for i := 1; i <= s.Clients; i++ {
		clients.Go(func() {
			pause(listen, arrivals*time.Duration(i)/time.Duration(s.Clients))
			r.follow(listen, i)
		})
	}
	r.publish(ctx)
	pause(listen, lingering)
	deaf()
	clients.Wait()
	all.cover(clock, s.Kind(), history.StreamPublished, history.StreamReceived, history.StreamLink)
	return r.feed, nil
}

// streamRun is one life of an EventStream.
type streamRun struct {
	EventStream
	target Target
	url    *url.URL
	clock  history.RunClock
	sink   history.Sink
	prefix string
	lowest atomic.Int64 // the first number that any client received; 0 is none
}

// publish sends pairs of events until ctx ends, and waits for those under way.
func (r *streamRun) publish(ctx context.Context) {
	transport := r.transport(r.Rate)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: publishWithin}
	tick := time.NewTicker(2 * time.Second / time.Duration(r.Rate))
	defer tick.Stop()
	slots := make(chan struct{}, maxPublishing)
	var under sync.WaitGroup
	defer under.Wait()
	for n := 1; ; n++ {
		select {
		case slots <- struct{}{}:
			under.Go(func() {
				defer func() { <-slots }()
				r.publishOne(client, r.prefix+"-"+strconv.Itoa(n))
			})
		case <-ctx.Done():
			return
		}
		if n%2 == 0 {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

// publishOne journals an event that was acknowledged. What becomes of one
// that was not, the database tells.
func (r *streamRun) publishOne(client *http.Client, token string) {
	resp, err := client.Do(newRequest(context.Background(), http.MethodPost, r.url, http.Header{}, []byte(token)))
	if err != nil {
		return
	}
	body, large, err := readBody(resp)
	var p history.Published
	if err != nil || large || resp.StatusCode != http.StatusCreated || json.Unmarshal(body, &p) != nil || p.Token != token {
		return
	}
	r.sink.Put(history.Observe(r.clock.Now(), p))
}

// follow is the life of one client.
func (r *streamRun) follow(ctx context.Context, number int) {
	f := &follower{run: r, link: newLink(r.Reconnect, number, r.clock, r.sink)}
	f.keep(ctx, f.stream)
}

// follower is a client of server-sent events.
type follower struct {
	run *streamRun
	*link
	last string // the last event's id: what the next connection asks for
}

// errSilent ends a stream that says nothing.
var errSilent = errors.New(history.LinkSilent)

// stream opens a stream and reads it to its end.
func (f *follower) stream(ctx context.Context) history.Link {
	one, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(f.Patience, func() { cancel(errSilent) })
	defer silence.Stop()
	transport := f.run.transport(1)
	defer transport.CloseIdleConnections()
	h := http.Header{"Accept": {"text/event-stream"}, "Cache-Control": {"no-store"}}
	if f.last != "" {
		h.Set("Last-Event-ID", f.last)
	}
	resp, err := transport.RoundTrip(newRequest(one, http.MethodGet, f.run.url, h, nil))
	if err != nil {
		return history.Link{State: history.LinkMiss, Reason: why(one, err)}
	}
	defer func() { _ = resp.Body.Close() }() // it is read to its end, or given up
	if resp.StatusCode != http.StatusOK {
		return history.Link{State: history.LinkMiss, Node: resp.Header.Get(nodeHeader), Reason: resp.Status}
	}
	return f.read(one, resp, silence)
}

// read takes the lines of a stream, as the WHATWG's HTML standard has them
// (9.2.6 "Interpreting an event stream"): an event ends with an empty line.
func (f *follower) read(ctx context.Context, resp *http.Response, silence *time.Timer) history.Link {
	node, up := resp.Header.Get(nodeHeader), false
	lines := bufio.NewScanner(resp.Body)
	var id, data string
	for lines.Scan() {
		silence.Reset(f.Patience)
		f.heard()
		if !up {
			up = true
			f.tell(history.Link{State: history.LinkUp, Node: node})
		}
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			id = value
		case "data":
			data = value
		case "":
			if lines.Text() == "" && data != "" {
				f.took(id, data)
				data = ""
			}
		}
	}
	l := history.Link{State: history.LinkDown, Node: node, Reason: why(ctx, lines.Err())}
	if !up {
		l.State = history.LinkMiss
	}
	return l
}

// took journals an event.
func (f *follower) took(id, token string) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		n = -1 // an event without a number cannot be resumed from: the judge says so
	}
	f.last = id
	for low := f.run.lowest.Load(); n > 0 && (low == 0 || n < low); low = f.run.lowest.Load() {
		if f.run.lowest.CompareAndSwap(low, n) {
			break
		}
	}
	f.sink.Put(history.Observe(f.alive, history.Received{Client: f.client, ID: n, Token: token}))
}

// feed reads the events that the database has, from the first on that any
// client received.
func (r *streamRun) feed(ctx context.Context, c topology.Cluster) error {
	query := fmt.Sprintf("SELECT id, token, node FROM feed WHERE id >= %d ORDER BY id", r.lowest.Load())
	seen, err := readRows(ctx, c, query, func(row history.FeedRow) { r.sink.Put(history.Observe(r.clock.Now(), row)) })
	if err != nil {
		return err
	}
	r.sink.Put(history.Observe(r.clock.Now(), history.Coverage{Stream: history.StreamFeed, Source: r.Kind(), Complete: true, Seen: seen}))
	return nil
}

// transport reaches the target with at most n connections kept.
func (r *streamRun) transport(n int) *http.Transport {
	one := new(http.Protocols)
	one.SetHTTP1(true)
	return &http.Transport{
		DialContext: r.target.Dial, Protocols: one, MaxIdleConnsPerHost: n,
		IdleConnTimeout: idleConn, DisableCompression: true,
	}
}

// why says in words what ended a connection.
func why(ctx context.Context, err error) string {
	if cause := context.Cause(ctx); cause != nil {
		return cause.Error()
	}
	if err == nil {
		return "the server ended it"
	}
	return err.Error()
}
