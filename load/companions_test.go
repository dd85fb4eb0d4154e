package load

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
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
				covered := of[history.Coverage](t, &sink)
				require.Len(t, covered, 2)
				require.EqualValues(t, len(ups), covered[0].Seen)
				require.EqualValues(t, len(downs), covered[1].Seen)
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

// contract answers orders as the contract of keys says, but for what it breaks.
type contract struct {
	breaks string // one of the ways; or "" for none, or "away"

	mu    sync.Mutex
	known map[string]string // request by tenant and key
	order map[string]int64
	last  int64
}

func (c *contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	key := r.Header.Get("Idempotency-Key")
	w.Header().Set("X-Hachaos-Node", "j2")
	if c.breaks != history.KeyOtherTenant {
		key = r.Header.Get("X-Tenant") + "/" + key
	}
	first, again := c.known[key]
	switch {
	case again && c.breaks == "away":
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case again && first != string(body) && c.breaks != history.KeyOtherRequest:
		w.WriteHeader(http.StatusConflict)
		return
	case !again || c.breaks == history.KeyAgain:
		c.last++
		c.known[key], c.order[key] = string(body), c.last
		w.WriteHeader(http.StatusCreated)
	}
	_, _ = io.WriteString(w, `{"order":`+strconv.FormatInt(c.order[key], 10)+`}`)
}

// TestKeys: each key is used a second time, in the three ways in turn, and what came
// of it is journalled with the first answer's order.
func TestKeys(t *testing.T) {
	for name, want := range map[string]map[string]struct {
		status int
		same   bool
	}{
		"":                      {history.KeyAgain: {200, true}, history.KeyOtherRequest: {409, false}, history.KeyOtherTenant: {201, false}},
		history.KeyAgain:        {history.KeyAgain: {201, false}, history.KeyOtherRequest: {409, false}, history.KeyOtherTenant: {201, false}},
		history.KeyOtherRequest: {history.KeyAgain: {200, true}, history.KeyOtherRequest: {200, true}, history.KeyOtherTenant: {201, false}},
		history.KeyOtherTenant:  {history.KeyAgain: {200, true}, history.KeyOtherRequest: {409, false}, history.KeyOtherTenant: {200, true}},
		"away":                  {history.KeyAgain: {503, false}, history.KeyOtherRequest: {503, false}, history.KeyOtherTenant: {201, false}},
	} {
		t.Run("breaks "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := serve(t, &contract{breaks: name, known: map[string]string{}, order: map[string]int64{}})
				var sink historytest.Sink
				ctx, cancel := context.WithTimeout(t.Context(), 630*time.Millisecond) // nothing is due then
				defer cancel()
				k := Keys{Rate: 10}
				require.NoError(t, k.Validate())
				after, err := k.Run(ctx, Target{URL: "http://app", Dial: server.DialContext}, history.StartClock(), &sink)
				require.NoError(t, err)
				require.Nil(t, after)
				uses := of[history.KeyUse](t, &sink)
				require.Len(t, uses, 6)
				times := map[string]int{}
				for _, u := range uses {
					times[u.Asked]++
					require.Positive(t, u.First)
					require.Equal(t, "j2", u.FirstNode)
					require.Equal(t, "j2", u.Node)
					require.Equal(t, want[u.Asked].status, u.Status, u.Asked)
					require.Equal(t, want[u.Asked].same, u.Order == u.First, u.Asked)
				}
				require.Equal(t, map[string]int{history.KeyAgain: 2, history.KeyOtherRequest: 2, history.KeyOtherTenant: 2}, times)
				covered := of[history.Coverage](t, &sink)
				require.Len(t, covered, 1)
				require.EqualValues(t, len(uses), covered[0].Seen)
			})
		})
	}
}

// tabs is a server of sessions' counters, each of which is read, worked on and saved.
type tabs struct {
	fenced bool // of two that overlap the later is refused
	vague  bool // and nobody knows whether it was applied
	turned bool // of two that overlap the later is turned away on the way
	ends   bool // each session ends with its first pair
	drops  bool // each session is gone when it is read
	copies int  // so many reads of each pair see what was before it
	away   bool // of two that overlap the later gets no answer

	mu       sync.Mutex
	sessions int
	count    map[string]int
	under    map[string]bool
	reads    map[string]int
}

func (s *tabs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("X-Hachaos-Node", "j1")
	if r.URL.Path == "/login" {
		s.sessions++
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: strconv.Itoa(s.sessions)})
		http.SetCookie(w, &http.Cookie{Name: "SRV", Value: "a"})
		_, _ = io.WriteString(w, `{"count":0,"new":true}`)
		return
	}
	id := r.Header.Get("Cookie")
	before, again := s.count[id], s.under[id]
	switch {
	case r.Method == http.MethodGet && s.drops:
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Method == http.MethodGet && s.reads[id] < s.copies:
		s.reads[id]++
		_, _ = io.WriteString(w, `{"count":0}`)
		return
	case r.Method == http.MethodGet:
		s.reads[id] = 0
	case s.ends:
		_, _ = io.WriteString(w, `{"count":1,"new":true}`)
		return
	case again && s.away:
		panic(http.ErrAbortHandler)
	case again && s.turned:
		w.Header().Del("X-Hachaos-Node")
		w.WriteHeader(http.StatusGatewayTimeout)
		return
	case again && s.fenced:
		if !s.vague {
			w.Header().Set("X-Hachaos-Applied", "no")
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	default:
		s.under[id] = true
		s.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		s.mu.Lock()
		s.under[id], s.count[id] = false, before+1
	}
	_, _ = io.WriteString(w, `{"count":`+strconv.Itoa(s.count[id])+`}`)
}

// TestOverlaps: two updates at once, and the counter before and after; a session of
// which that is not known any more is not gone on with.
func TestOverlaps(t *testing.T) {
	for name, tc := range map[string]struct {
		server   *tabs
		outcomes []string // sorted
		added    int64    // -1: not known
		sessions int
	}{
		"the later save wins": {&tabs{}, []string{"ok", "ok"}, 1, 2},
		"one is refused":      {&tabs{fenced: true}, []string{"fail", "ok"}, 1, 2},
		"of unknown fate":     {&tabs{fenced: true, vague: true}, []string{"info", "ok"}, 1, 8},
		"turned away":         {&tabs{turned: true}, []string{"info", "ok"}, -1, 8},
		"one without answer":  {&tabs{away: true}, []string{"info", "ok"}, -1, 8},
		"sessions end":        {&tabs{ends: true}, []string{"ok", "ok"}, -1, 8},
		"sessions vanish":     {&tabs{drops: true}, []string{"ok", "ok"}, -1, 8},
		"a copy stays awhile": {&tabs{fenced: true, copies: 1}, []string{"fail", "ok"}, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tc.server.count, tc.server.under, tc.server.reads = map[string]int{}, map[string]bool{}, map[string]int{}
				var sink historytest.Sink
				ctx, cancel := context.WithTimeout(t.Context(), 2200*time.Millisecond) // nothing is due then
				defer cancel()
				o := Overlaps{Sessions: 2, Every: 500 * time.Millisecond}
				require.NoError(t, o.Validate())
				after, err := o.Run(ctx, Target{URL: "http://app", Dial: serve(t, tc.server).DialContext}, history.StartClock(), &sink)
				require.NoError(t, err)
				require.Nil(t, after)
				pairs := of[history.Overlap](t, &sink)
				require.Len(t, pairs, 2*4)
				known := map[int]int64{}
				for _, p := range pairs {
					outcomes := []string{p.Answers[0].Outcome, p.Answers[1].Outcome}
					slices.Sort(outcomes)
					require.Equal(t, tc.outcomes, outcomes)
					require.Equal(t, known[p.Session], p.Before, "it goes on from what was read last")
					if tc.added < 0 {
						require.EqualValues(t, -1, p.After)
					} else {
						require.Equal(t, p.Before+tc.added, p.After)
					}
					known[p.Session] = p.After
					require.Equal(t, tc.server.ends || tc.server.drops, p.Gone)
				}
				require.Len(t, known, tc.sessions)
				require.Equal(t, tc.sessions, tc.server.sessions)
				require.Len(t, of[history.Coverage](t, &sink), 1)
			})
		})
	}
}

func TestCompanionsValidate(t *testing.T) {
	for name, c := range map[string]Companion{
		"files a second": Uploads{Rate: 0, Size: 1},
		"bytes":          Uploads{Rate: 1, Size: 2 << 20},
		"items":          Prices{Every: time.Second, Reads: 1},
		"change":         Prices{Items: 1, Every: time.Millisecond, Reads: 1},
		"reads":          Prices{Items: 1, Every: time.Second},
		"keys a second":  Keys{},
		"sessions":       Overlaps{Every: time.Second},
		"a pair every":   Overlaps{Sessions: 1, Every: time.Millisecond},
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
