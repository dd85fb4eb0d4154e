package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// feedApp is a feed in memory, whose streams can be made to misbehave.
type feedApp struct {
	mu     sync.Mutex
	tokens []string
	// stream may serve a GET itself; number counts them from 1.
	stream func(w http.ResponseWriter, r *http.Request, number int) bool
	opened int
}

func (f *feedApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Hachaos-Node", "j1")
	if r.Method == http.MethodPost {
		token, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		f.tokens = append(f.tokens, string(token))
		id := len(f.tokens)
		f.mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(history.Published{ID: int64(id), Token: string(token), Node: "j1"})
		return
	}
	f.mu.Lock()
	f.opened++
	number, last := f.opened, len(f.tokens)
	f.mu.Unlock()
	if f.stream != nil && f.stream(w, r, number) {
		return
	}
	if from := r.Header.Get("Last-Event-ID"); from != "" {
		last, _ = strconv.Atoi(from)
	}
	say(w, "retry: 200\n\n")
	for r.Context().Err() == nil {
		f.mu.Lock()
		for ; last < len(f.tokens); last++ {
			_, _ = fmt.Fprintf(w, "id: %d\ndata: %s\n\n", last+1, f.tokens[last])
		}
		f.mu.Unlock()
		say(w, ": beat\n\n")
		pause(r.Context(), 100*time.Millisecond)
	}
}

func say(w http.ResponseWriter, text string) {
	_, _ = io.WriteString(w, text)
	w.(http.Flusher).Flush()
}

// streamFor runs the companion for d of virtual time.
func streamFor(t *testing.T, s EventStream, app *feedApp, d time.Duration) *journal {
	t.Helper()
	rec := &journal{}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	after, err := s.Run(ctx, Target{URL: "http://app", Dial: serve(t, app).DialContext}, history.StartClock(), rec)
	require.NoError(t, err)
	require.NotNil(t, after)
	return rec
}

// observed are the observations of a type, in their order.
func observed[T history.Observation](t *testing.T, rec *journal) []T {
	t.Helper()
	var zero T
	stream, _ := history.StreamOf(zero)
	var all []T
	for _, e := range rec.events {
		if e.Kind == history.Observed && e.Name == stream {
			var v T
			require.NoError(t, json.Unmarshal(e.Data, &v))
			all = append(all, v)
		}
	}
	return all
}

func TestEventStream(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream func(w http.ResponseWriter, r *http.Request, number int) bool
		states []string
		reason string        // of the second state
		least  time.Duration // of the break
		most   time.Duration
	}{
		{"nothing breaks", nil, []string{"up", "end"}, "", 0, 0},
		{"the server ends it", func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n == 1 {
				say(w, ": hello\n\n")
			}
			return n == 1
		}, []string{"up", "down", "up", "end"}, "the server ended it", 100 * time.Millisecond, 300 * time.Millisecond},
		{"the server is silent", func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n == 1 {
				say(w, ": hello\n\n")
				hang(r)
			}
			return n == 1
		}, []string{"up", "down", "up", "end"}, errSilent.Error(), 1600 * time.Millisecond, DefaultReconnect().Longest()},
		{"the server has no room", func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return n == 1
		}, []string{"miss", "up", "end"}, "", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app := &feedApp{stream: tt.stream}
				rec := streamFor(t, EventStream{Clients: 1, Rate: 10}, app, 10*time.Second)
				var states []string
				links := observed[history.Link](t, rec)
				for _, l := range links {
					states = append(states, l.State)
				}
				require.Equal(t, tt.states, states)
				if tt.reason != "" {
					require.Equal(t, tt.reason, links[1].Reason)
					gap := links[2].Alive - links[1].Alive
					require.GreaterOrEqual(t, gap, tt.least)
					require.LessOrEqual(t, gap, tt.most)
				}
				require.Equal(t, "j1", links[len(links)-2].Node)
				published, received := observed[history.Published](t, rec), observed[history.Received](t, rec)
				require.InDelta(t, 100, len(published), 4)
				first := received[0].ID
				for i, r := range received {
					require.Equal(t, history.Received{Client: 1, ID: first + int64(i), Token: app.tokens[first+int64(i)-1]}, r)
				}
				require.Equal(t, int64(len(published)), received[len(received)-1].ID)
			})
		})
	}
}

func TestEventStreamValidates(t *testing.T) {
	require.NoError(t, EventStream{Clients: 1, Rate: 2}.Validate())
	require.ErrorContains(t, EventStream{Clients: 0, Rate: 2}.Validate(), "0 clients: want 1 to")
	require.ErrorContains(t, EventStream{Clients: 1, Rate: 1}.Validate(), "1 events a second: want 2 to 1000")
}

func TestParseRows(t *testing.T) {
	var rows []history.FeedRow
	n, err := parseRows("{\"id\":1,\"token\":\"a\"}\n\n{\"id\":2,\"token\":\"b\"}\n", func(r history.FeedRow) { rows = append(rows, r) })
	require.NoError(t, err)
	require.Equal(t, uint64(2), n)
	require.Equal(t, []history.FeedRow{{ID: 1, Token: "a"}, {ID: 2, Token: "b"}}, rows)
	_, err = parseRows("psql: no\n", func(history.FeedRow) {})
	require.ErrorContains(t, err, "row 1 of the database")
}

// database is a node that answers psql.
type database struct {
	topology.Node
	out topology.Output
}

func (database) Role() topology.Role { return topology.Database }
func (database) Name() string        { return "db" }
func (d database) Exec(context.Context, ...string) (topology.Output, error) {
	return d.out, nil
}

// cluster has these nodes.
type cluster struct {
	topology.Cluster
	nodes []topology.Node
}

func (c cluster) Nodes() []topology.Node { return c.nodes }
func (cluster) Spec() topology.Spec      { return topology.Spec{Name: "test"} }

func TestReadRows(t *testing.T) {
	take := func(history.FeedRow) {}
	_, err := readRows(t.Context(), cluster{}, "SELECT 1", take)
	require.ErrorContains(t, err, "topology test has no node of role database")
	_, err = readRows(t.Context(), cluster{nodes: []topology.Node{database{out: topology.Output{Code: 2, Stderr: []byte("no such table\n")}}}}, "SELECT 1", take)
	require.EqualError(t, err, "read from database db: psql ended with status 2: no such table")
	n, err := readRows(t.Context(), cluster{nodes: []topology.Node{database{out: topology.Output{Stdout: []byte("{}\n")}}}}, "SELECT 1", take)
	require.NoError(t, err)
	require.Equal(t, uint64(1), n)
}
