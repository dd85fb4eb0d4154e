package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// pair is a system whose versions answer in turn, as two nodes do that no
// cookie chooses between. The second renames the counter.
type pair struct {
	mu      sync.Mutex
	n       int
	count   int64
	orders  []int64
	cookies []string // as they came
	lost    bool     // version 2 finds no session
}

func (p *pair) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	second := p.n%2 == 0
	version, counter := "1", "count"
	if second {
		version, counter = "2", "visits"
	}
	w.Header().Set("X-Hachaos-Node", "j"+version)
	w.Header().Set("X-Hachaos-Version", version)
	p.cookies = append(p.cookies, r.Header.Get("Cookie"))
	switch {
	case r.URL.Path == "/login":
		p.count = 0
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: "j1~abc.j1"})
		writeJSON(w, 200, map[string]any{"id": "abc", counter: 0})
	case r.URL.Path == "/session" && second && p.lost:
		writeJSON(w, 404, map[string]any{"error": "no such session"})
	case r.URL.Path == "/session":
		if r.Method == http.MethodPost {
			p.count++
		}
		writeJSON(w, 200, map[string]any{"id": "abc", counter: p.count})
	case r.URL.Path == "/orders":
		var in struct{ Quantity int64 }
		_ = json.NewDecoder(r.Body).Decode(&in)
		p.orders = append(p.orders, in.Quantity)
		writeJSON(w, 201, map[string]any{"order": len(p.orders), "quantity": in.Quantity})
	default:
		var id int
		_, _ = fmt.Sscanf(r.URL.Path, "/orders/%d", &id)
		writeJSON(w, 200, map[string]any{"order": id, "quantity": p.orders[id-1]})
	}
}

// crossing runs a CrossReader against p for some seconds.
func crossing(t *testing.T, p *pair) []history.Crossing {
	t.Helper()
	net := newPipes()
	server := &http.Server{Handler: p}
	go func() { _ = server.Serve(net) }()
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	sink := &journal{}
	after, err := CrossReader{}.Run(ctx, Target{URL: "http://app", Dial: net.DialContext}, history.StartClock(), sink)
	require.NoError(t, err)
	require.Nil(t, after)
	var all []history.Crossing
	for i, e := range sink.events {
		if e.Name == history.StreamCoverage {
			var c history.Coverage
			require.NoError(t, json.Unmarshal(e.Data, &c))
			require.Equal(t, history.Coverage{Stream: history.StreamCrossing, Complete: true, Seen: uint64(i)}, c)
			continue
		}
		var c history.Crossing
		require.NoError(t, json.Unmarshal(e.Data, &c))
		all = append(all, c)
	}
	return all
}

func TestCrossReaderReadsAcrossVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pair{}
		all := crossing(t, p)
		require.Greater(t, len(all), 70)
		seen := map[string]int{}
		for _, c := range all {
			require.Empty(t, c.Error)
			if c.Writer != "" {
				require.Equal(t, c.Want, c.Got, "%+v", c)
				what, _, _ := strings.Cut(c.Of, " ")
				seen[what+" "+c.Writer+"→"+c.Version]++
			}
			if c.Request == "GET /session" && c.Version == "2" {
				require.Equal(t, []string{"id", "visits"}, c.Fields)
			}
		}
		require.NotZero(t, seen["session 1→2"]+seen["session 2→1"])
		require.NotZero(t, seen["order 1→2"]+seen["order 2→1"])
		for _, c := range p.cookies {
			require.Contains(t, []string{"", "JSESSIONID=abc.j1"}, c, "no cookie binds it to a node")
		}
	})
}

func TestCrossReaderBeginsANewSessionForOneThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := crossing(t, &pair{lost: true})
		sessions := map[string]bool{}
		for _, c := range all {
			if strings.HasPrefix(c.Of, "session") {
				sessions[c.Of] = true
			}
		}
		require.Greater(t, len(sessions), 3)
	})
}

func TestCrossReaderSaysWhatDidNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newPipes()
		require.NoError(t, net.Close())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		sink := &journal{}
		_, err := CrossReader{Every: 100 * time.Millisecond}.Run(ctx, Target{URL: "http://app", Dial: net.DialContext}, history.StartClock(), sink)
		require.NoError(t, err)
		require.Greater(t, len(sink.events), 5)
		require.Contains(t, string(sink.events[0].Data), "nobody listens")
	})
}

func TestCrossReaderRefuses(t *testing.T) {
	require.NoError(t, CrossReader{}.Validate())
	require.ErrorContains(t, CrossReader{Every: -1}.Validate(), "want up to 1m")
}
