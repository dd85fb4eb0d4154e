package load

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
	"github.com/hachaos/hachaos/topology"
)

// shelf is a server that keeps files, or forgets them.
type shelf struct {
	mu      sync.Mutex
	files   map[string][]byte
	forgets bool
	refuses int // so many requests are refused first
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("X-Hachaos-Node", "j1")
	if r.Method == http.MethodPut {
		if s.refuses > 0 {
			s.refuses--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		b, _ := io.ReadAll(r.Body)
		if !s.forgets {
			s.files[r.URL.Path] = b
		}
		w.WriteHeader(http.StatusCreated)
		return
	}
	if b, ok := s.files[r.URL.Path]; ok {
		_, _ = w.Write(b)
		return
	}
	w.WriteHeader(http.StatusNotFound)
}

// plain is a cluster of one application node, which is reached by dial.
type plain struct {
	topology.Cluster
	dial topology.DialFunc
}

func (p plain) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return p.dial(ctx, network, address)
}

func (p plain) Spec() topology.Spec {
	return topology.Spec{Nodes: []topology.NodeSpec{
		{Name: "db", Role: topology.Database},
		{Name: "j1", Role: topology.Application, Addr: netip.MustParseAddr("198.18.7.21"), Port: 8080},
	}}
}

func TestUploads(t *testing.T) {
	for _, tc := range []struct {
		name     string
		server   *shelf
		found    bool
		attempts int
	}{
		{"kept", &shelf{}, true, 1},
		{"forgotten", &shelf{forgets: true}, false, 1},
		{"sent again", &shelf{refuses: 1}, true, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tc.server.files = map[string][]byte{}
				dial := serve(t, tc.server).DialContext
				var sink historytest.Sink
				ctx, cancel := context.WithTimeout(t.Context(), 320*time.Millisecond) // no file is due then
				defer cancel()
				u := Uploads{Rate: 20, Size: 1000}
				require.NoError(t, u.Validate())
				after, err := u.Run(ctx, Target{URL: "http://app", Dial: dial}, history.StartClock(), &sink)
				require.NoError(t, err)
				require.NoError(t, after(t.Context(), plain{dial: dial}))
				ups, downs := of[history.Upload](t, &sink), of[history.Download](t, &sink)
				require.Len(t, ups, 6)
				require.Len(t, downs, 3*len(ups), "at once, through the balancer and at the node")
				attempts := 0
				for _, up := range ups {
					require.Equal(t, string(history.OK), up.Outcome)
					attempts = max(attempts, up.Attempts)
				}
				require.Equal(t, tc.attempts, attempts)
				for _, d := range downs {
					require.True(t, d.Known)
					require.Equal(t, tc.found, d.Found)
					require.Equal(t, tc.found, d.Same)
				}
				require.Len(t, of[history.Coverage](t, &sink), 2)
			})
		})
	}
}

// of are the sink's observations of a type.
func of[T history.Observation](t *testing.T, sink *historytest.Sink) []T {
	t.Helper()
	var zero T
	stream, _ := history.StreamOf(zero)
	var out []T
	for _, e := range sink.Events() {
		if e.Kind == history.Observed && e.Name == stream {
			var v T
			require.NoError(t, json.Unmarshal(e.Data, &v))
			out = append(out, v)
		}
	}
	return out
}

func TestPrices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		prices := map[string]int{}
		server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.Method == http.MethodPost {
				prices[r.URL.Path]++
			}
			w.Header().Set("X-Hachaos-Node", "j2")
			_, _ = io.WriteString(w, `{"price":`+strings.Repeat("1", prices[r.URL.Path]%3+1)+`}`)
		}))
		var sink historytest.Sink
		ctx, cancel := context.WithTimeout(t.Context(), 450*time.Millisecond) // nothing is due then
		defer cancel()
		p := Prices{Items: 2, Every: 100 * time.Millisecond, Reads: 50}
		require.NoError(t, p.Validate())
		after, err := p.Run(ctx, Target{URL: "http://app", Dial: server.DialContext}, history.StartClock(), &sink)
		require.NoError(t, err)
		require.Nil(t, after)
		writes, reads := 0, 0
		for _, seen := range of[history.Price](t, &sink) {
			require.Equal(t, "j2", seen.Node)
			require.Positive(t, seen.Price)
			if seen.Write {
				writes++
			} else {
				reads++
			}
		}
		require.Equal(t, 2*4, writes)
		require.Equal(t, 22, reads)
		require.Len(t, of[history.Coverage](t, &sink), 1)
	})
}

func TestCompanionsValidate(t *testing.T) {
	for name, c := range map[string]Companion{
		"files a second": Uploads{Rate: 0, Size: 1},
		"bytes":          Uploads{Rate: 1, Size: 2 << 20},
		"items":          Prices{Every: time.Second, Reads: 1},
		"change":         Prices{Items: 1, Every: time.Millisecond, Reads: 1},
		"reads":          Prices{Items: 1, Every: time.Second},
		"patience":       OrderEvents{Patience: -1},
	} {
		require.ErrorContains(t, c.Validate(), name)
	}
}

func TestDeliveriesAsTheDatabaseSendsThem(t *testing.T) {
	var got []history.Delivery
	rows, err := parseRows(`{"order":7,"times":2,"nodes":["j1","j2"],"waits":false}
{"order":8,"times":0,"nodes":null,"waits":true}
`, func(d history.Delivery) { got = append(got, d) })
	require.NoError(t, err)
	require.EqualValues(t, 2, rows)
	require.Equal(t, []history.Delivery{{Order: 7, Times: 2, Nodes: []string{"j1", "j2"}}, {Order: 8, Waits: true}}, got)
	for _, bad := range []string{"7|2|j1", `{"order":"x"}`, `{"order":7,"times":"x"}`} {
		_, err := parseRows(bad, func(history.Delivery) {})
		require.Error(t, err, bad)
	}
}

func TestOutcomeOfAWrite(t *testing.T) {
	require.Equal(t, history.OK, response{status: 201}.outcome(nil))
	require.Equal(t, history.Fail, response{status: 503, applied: "no"}.outcome(nil))
	require.Equal(t, history.Info, response{status: 503}.outcome(nil))
	require.Equal(t, history.Info, response{status: 201}.outcome(io.ErrUnexpectedEOF), "half an answer")
}
