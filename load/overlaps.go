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
	turnWithin     = 2 * overlapWithin
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
	all := count(sink)
	for i := range o.Sessions {
		users.Go(func() {
			u := &overlapping{stranger: s, clock: clock, sink: all, user: "overlap-" + strconv.Itoa(i), number: i, step: o.Sessions}
			every(ctx, o.Every, func(int) { u.turn(ctx) })
		})
	}
	users.Wait()
	all.cover(clock, o.Kind(), o.Streams()...)
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

// turn is one pair, after a login if there is no session. It ends within its time,
// whatever answers, and is not broken off by the end of ctx.
func (u *overlapping) turn(ctx context.Context) {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), turnWithin, errPatience)
	defer cancel()
	if u.cookie != "" || u.login(ctx) {
		u.pair(ctx)
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
// is not looked for unless nodes themselves have answered both: else one may yet be carried
// out. One whose fate a node does not know may be, too, after the look, so that the
// session is not gone on with.
func (u *overlapping) pair(ctx context.Context) {
	o := history.Overlap{Session: u.number, Sent: u.clock.Now(), Before: u.count, Answers: make([]history.OverlapAnswer, 2), After: -1}
	var both sync.WaitGroup
	var answered, fresh [2]bool
	for i := range o.Answers {
		both.Go(func() {
			r, err := u.askWith(ctx, http.MethodPost, sessionPath, u.header(), []byte("{}"), maxBody)
			o.Answers[i] = history.OverlapAnswer{Outcome: string(r.outcome(err)), Status: r.status, Node: r.node}
			answered[i], fresh[i] = err == nil && r.node != "", err == nil && r.fresh()
		})
	}
	both.Wait()
	switch {
	case fresh[0] || fresh[1]:
		o.Gone = true
	case answered[0] && answered[1]:
		o.After, o.Gone = u.read(ctx, o)
	}
	u.sink.Put(history.Observe(u.clock.Now(), o))
	open := slices.ContainsFunc(o.Answers, func(a history.OverlapAnswer) bool { return a.Outcome == string(history.Info) })
	if u.count = o.After; u.count < 0 || open {
		u.cookie = ""
	}
}

// read is the session's counter after a pair, asked for until a node tells of one that
// holds what was acknowledged: a node may still have a request's copy of the session for
// a moment after its answer. It is the last that was told; -1 if none was. Gone says that
// a node does not know the session.
func (u *overlapping) read(ctx context.Context, o history.Overlap) (count int64, gone bool) {
	want := o.Before
	for _, a := range o.Answers {
		if a.Outcome == string(history.OK) {
			want++
		}
	}
	count = -1
	low := 0 // answers that lack something: one alone may be such a copy
	for try := range overlapReads {
		if try > 0 {
			pause(ctx, RetryPause) // a user's
		}
		r, err := u.askWith(ctx, http.MethodGet, sessionPath, u.header(), nil, maxBody)
		switch {
		case err != nil || r.node == "":
			continue
		case r.status == http.StatusNotFound:
			return -1, true
		case r.status != http.StatusOK:
			continue
		}
		var answer struct{ Count, Visits *int64 }
		if json.Unmarshal(r.body, &answer) != nil || answer.Count == nil && answer.Visits == nil {
			continue
		}
		if count = *or(answer.Count, answer.Visits); count >= want {
			return count, false
		}
		low++
	}
	if low < 2 {
		return -1, false
	}
	return count, false
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
