package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
	"golang.org/x/sync/errgroup"
)

// viaVIP is how SessionState.Via names the entry.
const viaVIP = "vip"

// sessionPath reads a session and the operations that were appended to it.
const sessionPath = "/session?ops=1"

// How sessions are read.
const (
	readers       = 8 // at once
	readWithin    = 5 * time.Second
	readTries     = 3
	readAgainWait = 200 * time.Millisecond
	// readPatience is how long a place may refuse all, from its first failure on, and is
	// asked again however often: what was healed last may have to be found again.
	readPatience = 10 * time.Second
)

// Sessions reads every session through the entry and then from each
// application node itself, and puts a SessionState for each reading, those of
// one session in this order, and last its Coverage. A reading that found the
// session, or found that there is none (404), is Known; one that got neither
// in three tries, nor within 10 s of the place's first failure, is not, and makes
// the coverage incomplete. It leaves the
// events' times at 0; see Stamp. An error means that ctx ended first. Call it
// after Quiesce.
func Sessions(ctx context.Context, c topology.Cluster, entry topology.Entry, refs []history.SessionRef, sink history.Sink) error {
	a := &account{stream: history.StreamSession}
	r := newSessionReader(c)
	defer r.client.CloseIdleConnections()
	places := places(c, entry)
	var g errgroup.Group
	g.SetLimit(readers)
	var unread atomic.Uint64
	for _, ref := range refs {
		if ctx.Err() != nil {
			unread.Add(1)
			continue
		}
		g.Go(func() error {
			for _, p := range places {
				s, err := r.read(ctx, p, ref)
				if err != nil {
					a.miss(1, "session by %s: %v", p.via, err)
				}
				a.saw()
				put(sink, history.StreamSession, 0, "", s)
			}
			return nil
		})
	}
	err := errors.Join(g.Wait(), ctx.Err())
	a.miss(unread.Load(), "%d sessions were not read: %v", unread.Load(), ctx.Err())
	settle(sink, nil, a)
	if err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	return nil
}

// place is where sessions are read.
type place struct {
	via, url string
	// direct leaves out the balancer's part of the cookie.
	direct bool
	// failing is when it first failed; nil is never.
	failing atomic.Pointer[time.Time]
}

// patient says whether a place that has just failed may still come back.
func (p *place) patient() bool {
	now := time.Now()
	p.failing.CompareAndSwap(nil, &now)
	return time.Since(*p.failing.Load()) < readPatience
}

type sessionReader struct{ client *http.Client }

func newSessionReader(c topology.Cluster) sessionReader {
	return sessionReader{&http.Client{
		Timeout: readWithin,
		Transport: &http.Transport{
			DialContext: topology.Dial(c), MaxIdleConnsPerHost: readers, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// places are the entry and each application node.
func places(c topology.Cluster, entry topology.Entry) []*place {
	all := []*place{{via: viaVIP, url: entry.URL}}
	for _, n := range c.Spec().Nodes {
		if n.Role == topology.Application {
			all = append(all, &place{via: n.Name, url: "http://" + addr(n, n.Port, appPort), direct: true})
		}
	}
	return all
}

// read reads a session at a place, again if that gave nothing certain.
func (r sessionReader) read(ctx context.Context, p *place, ref history.SessionRef) (history.SessionState, error) {
	for try := 1; ; try++ {
		s, err := r.once(ctx, p, ref)
		if err == nil {
			return s, nil
		}
		if patient := p.patient(); ctx.Err() != nil || try >= readTries && !patient {
			return history.SessionState{Session: ref.Session, Via: p.via}, err
		}
		pause(ctx, readAgainWait)
	}
}

// once reads a session. An answer that says neither what it is nor that
// there is none is an error.
func (r sessionReader) once(ctx context.Context, p *place, ref history.SessionRef) (history.SessionState, error) {
	s := history.SessionState{Session: ref.Session, Via: p.via}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+sessionPath, nil)
	if err != nil {
		return s, err
	}
	cookie := ref.Cookie
	if p.direct {
		cookie = withoutServer(cookie)
	}
	req.Header.Set("Cookie", cookie)
	res, err := r.client.Do(req)
	if err != nil {
		return s, errors.New(why(err))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return s, errors.New(why(err))
	}
	switch {
	case res.StatusCode == http.StatusNotFound && answered(res):
		s.Known = true
		return s, nil
	case res.StatusCode != http.StatusOK:
		return s, fmt.Errorf("status %d", res.StatusCode)
	}
	return s, sessionBody(body, &s)
}

// answered says that the application itself answered: a balancer's own 404
// is none of the session's.
func answered(res *http.Response) bool { return res.Header.Get("X-Hachaos-Node") != "" }

// sessionBody reads the answer of docs/wire.md.
func sessionBody(body []byte, s *history.SessionState) error {
	var raw struct {
		ID, User string
		Count    *int64
		Ops      []string
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if raw.ID == "" || raw.Count == nil {
		return errors.New("body: no id or no count")
	}
	ops := make([]uint64, 0, len(raw.Ops))
	for _, o := range raw.Ops {
		op, err := parseOpNumber(o)
		if err != nil {
			return fmt.Errorf("body: %w", err)
		}
		ops = append(ops, op)
	}
	s.Known, s.Found = true, true
	s.ID, s.User, s.Count, s.Ops = raw.ID, raw.User, *raw.Count, ops
	return nil
}

// withoutServer takes away what HAProxy's `cookie … prefix` puts before the
// value: "JSESSIONID=j1~abc.j1" becomes "JSESSIONID=abc.j1".
func withoutServer(cookie string) string {
	pairs := strings.Split(cookie, ";")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		if _, own, ok := strings.Cut(value, "~"); ok && strings.TrimSpace(name) == "JSESSIONID" {
			pairs[i] = name + "=" + own
		}
	}
	return strings.Join(pairs, ";")
}
