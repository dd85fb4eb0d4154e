package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Overlaps is a companion whose users do not wait for an answer: each sends two
// updates of its session at once (POST /session), on a connection each, and reads the
// counter when both have ended. A node may refuse one of two that overlap; what it has
// acknowledged must be in the counter.
type Overlaps struct {
	// Sessions is how many users there are; 1 to 50.
	Sessions int `json:"sessions"`
	// Every is the time between two pairs of one user; at least 50 ms.
	Every time.Duration `json:"every"`
}

const (
	maxOverlapping = 50
	leastOverlap   = 50 * time.Millisecond
	overlapWithin  = 5 * time.Second
	overlapReads   = 5
	sessionPath    = "session"
	loginPath      = "login"
)

// Kind is "overlaps".
func (Overlaps) Kind() string { return "overlaps" }

// Validate reports numbers that make no sense.
func (o Overlaps) Validate() error {
	switch {
	case o.Sessions < 1 || o.Sessions > maxOverlapping:
		return fmt.Errorf("%d sessions: want 1 to %d", o.Sessions, maxOverlapping)
	case o.Every < leastOverlap:
		return fmt.Errorf("a pair every %v: want at least %v", o.Every, leastOverlap)
	}
	return nil
}

// Streams is the pairs.
func (Overlaps) Streams() []string { return []string{history.StreamOverlap} }

// Run sends pairs until ctx ends and waits for what is under way.
func (o Overlaps) Run(ctx context.Context, target Target, clock history.RunClock, sink history.Sink) (Aftermath, error) {
	s, err := newStranger(target, overlapWithin)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var users sync.WaitGroup
	for i := range o.Sessions {
		users.Go(func() {
			u := &overlapping{stranger: s, clock: clock, sink: sink, user: "overlap-" + strconv.Itoa(i), number: i, step: o.Sessions}
			u.pace(ctx, o.Every)
		})
	}
	users.Wait()
	sink.Put(history.Observe(clock.Now(), history.Coverage{Stream: history.StreamOverlap, Source: o.Kind(), Complete: true}))
	return nil, nil
}

// overlapping is one user, in one goroutine. It goes on with the session that it has
// for as long as it knows the session's counter, and then begins another.
type overlapping struct {
	*stranger
	clock history.RunClock
	sink  history.Sink
	user  string
	// number is the session's; the next one's is step more.
	number, step int
	cookie       string // empty: there is no session
	count        int64
}

// pace sends pairs until ctx ends.
func (u *overlapping) pace(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if u.cookie != "" || u.login(context.WithoutCancel(ctx)) {
				u.pair(context.WithoutCancel(ctx))
			}
		}
	}
}

// login begins a session; false if there is none.
func (u *overlapping) login(ctx context.Context) bool {
	r, err := u.ask(ctx, http.MethodPost, loginPath, fmt.Appendf(nil, `{"user":%q}`, u.user), maxBody)
	if err != nil || r.status != http.StatusOK {
		return false
	}
	u.cookie, u.count = r.cookies(), 0
	u.number += u.step
	return u.cookie != ""
}

// pair sends two updates at once, and journals them with what the counter is then. That
// is not looked for unless a node itself has answered both: else one may yet be carried
// out. One whose fate a node does not know may be, too, after the look, so that the
// session is not gone on with.
func (u *overlapping) pair(ctx context.Context) {
	o := history.Overlap{Session: u.number, Sent: u.clock.Now(), Before: u.count, Answers: make([]history.OverlapAnswer, 2), After: -1}
	var both sync.WaitGroup
	var answered [2]bool
	for i := range o.Answers {
		both.Go(func() {
			r, err := u.askWith(ctx, http.MethodPost, sessionPath, u.header(), []byte("{}"), maxBody)
			o.Answers[i] = history.OverlapAnswer{Outcome: string(r.outcome(err)), Status: r.status, Node: r.node}
			answered[i] = err == nil && r.node != "" && !r.fresh() // a fresh one is another session
		})
	}
	both.Wait()
	if answered[0] && answered[1] {
		o.After = u.read(ctx)
	}
	u.sink.Put(history.Observe(u.clock.Now(), o))
	open := slices.ContainsFunc(o.Answers, func(a history.OverlapAnswer) bool { return a.Outcome == string(history.Info) })
	if u.count = o.After; u.count < 0 || open {
		u.cookie = ""
	}
}

// read is the session's counter, asked for until a node tells; -1 if none does.
func (u *overlapping) read(ctx context.Context) int64 {
	for try := range overlapReads {
		if try > 0 {
			time.Sleep(RetryPause) // a user's pause
		}
		r, err := u.askWith(ctx, http.MethodGet, sessionPath, u.header(), nil, maxBody)
		if err != nil || r.status/100 == 5 {
			continue
		}
		var answer struct{ Count, Visits *int64 }
		if r.status == http.StatusOK && json.Unmarshal(r.body, &answer) == nil {
			if answer.Count != nil {
				return *answer.Count
			}
			if answer.Visits != nil {
				return *answer.Visits
			}
		}
		return -1
	}
	return -1
}

func (u *overlapping) header() http.Header { return http.Header{"Cookie": {u.cookie}} }

// fresh says whether the answer is of a session that has just been begun.
func (r response) fresh() bool {
	var answer struct{ New bool }
	return json.Unmarshal(r.body, &answer) == nil && answer.New
}

// cookies are those that the answer sets, as a request names them.
func (r response) cookies() string {
	text := ""
	for _, c := range r.set {
		if text != "" {
			text += "; "
		}
		text += c.Name + "=" + c.Value
	}
	return text
}
