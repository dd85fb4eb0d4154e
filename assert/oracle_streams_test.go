package assert_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// backWithin is how soon clients must be back in these tests: half of it is
// their own, half the topology's.
const backWithin = 2 * sec

func boundedBreaks() *history.History {
	h := &history.History{Names: &history.Names{}, End: 60 * sec}
	h.Meta.Bounds = []history.Bound{{Name: "diverted", Limit: backWithin / 2}}
	for _, stream := range []string{history.StreamFeed, history.StreamReceived, history.StreamLink} {
		h.Coverage = append(h.Coverage, history.At[history.Coverage]{V: history.Coverage{Stream: stream, Complete: true}})
	}
	return h
}

// randomLinks are a client's connections, of which some break, each for less
// than usual seconds, now and then for longer.
func randomLinks(rng *rand.Rand, s *tape, client int, usual int) (out []history.At[history.Link]) {
	say := func(at time.Duration, state string, alive time.Duration) {
		l := history.Link{Client: client, State: state, Node: aNode(rng), Alive: alive}
		if state == history.LinkDown {
			l.Code = oneOf(rng, 1001, 1001, 1012, 0)
		}
		out = append(out, seen(s, at, l))
	}
	at := time.Duration(rng.IntN(1000)) * ms
	if chance(rng, 12) {
		say(at, history.LinkMiss, at) // it never gets one
		return out
	}
	say(at, history.LinkUp, at)
	for at += time.Duration(5+rng.IntN(20)) * sec; at < 40*sec; at += time.Duration(5+rng.IntN(20)) * sec {
		alive := at - time.Duration(rng.IntN(300))*ms
		say(at, history.LinkDown, alive)
		away := time.Duration(rng.IntN(usual)) * sec / 2
		if chance(rng, 10) {
			away += backWithin
		}
		at += away
		if chance(rng, 2) {
			say(at, history.LinkMiss, at)
		}
		at += time.Duration(rng.IntN(100)) * ms
		say(at, history.LinkTry, alive)
		if chance(rng, 20) {
			break // it is not back by its end
		}
		at += time.Duration(rng.IntN(100)) * ms
		say(at, history.LinkUp, at)
	}
	if !chance(rng, 6) {
		say(50*sec, history.LinkEnd, 50*sec)
	}
	return out
}

// naiveBreaks finds the gaps of each client by looking, from the end of each
// connection, for the first word of the next, or the client's own end.
func naiveBreaks(h *history.History) (r ruling, gaps int, never bool) {
	by := map[int][]history.At[history.Link]{}
	for _, l := range h.Links {
		by[l.V.Client] = append(by[l.V.Client], l)
	}
	for _, links := range by {
		never = never || !slices.ContainsFunc(links, func(l history.At[history.Link]) bool { return l.V.State == history.LinkUp })
		for i, l := range links {
			if l.V.State != history.LinkDown {
				continue
			}
			gaps++
			back := endOf(h, links)
			for _, next := range slices.Backward(links[i:]) {
				if next.V.State == history.LinkUp {
					back = next.V.Alive
				}
			}
			if back-l.V.Alive > backWithin {
				r.Found = append(r.Found, mark("late", l.Seq))
			}
		}
	}
	switch {
	case len(r.Found) > 0:
		r.Status = assert.Fail
	case len(by) > 0 && !never:
		r.Status, r.Idle = assert.Pass, gaps == 0
	}
	return r.sorted(), gaps, never
}

// endOf is when a client wanted no more.
func endOf(h *history.History, links []history.At[history.Link]) time.Duration {
	for _, l := range links {
		if l.V.State == history.LinkEnd {
			return l.Time
		}
	}
	return h.End
}

// randomFeed is a feed of which a few clients receive all that comes after
// they began to listen, but for what goes wrong.
func randomFeed(seed uint64) *history.History {
	rng, s := random(seed, 21), &tape{}
	h := boundedBreaks()
	wrong := 0
	spoilt := func() bool {
		is := wrong < 3 && chance(rng, 60)
		if is {
			wrong++
		}
		return is
	}
	type event struct {
		at time.Duration
		history.FeedRow
	}
	var events []event
	for id := int64(1); id <= 8; id++ {
		events = append(events, event{time.Duration(id) * 6 * sec, history.FeedRow{ID: id, Token: fmt.Sprintf("t%d", id)}})
	}
	for _, e := range events {
		if !spoilt() {
			h.Feed = append(h.Feed, seen(s, 60*sec, e.FeedRow))
		}
		if !chance(rng, 5) { // else its publisher was never answered
			h.Published = append(h.Published, seen(s, e.at, history.Published{ID: e.ID, Token: e.Token}))
		}
	}
	for client := 1; client <= 1+rng.IntN(3); client++ {
		links := randomLinks(rng, s, client, 2)
		h.Links = append(h.Links, links...)
		end, first := endOf(h, links), rng.IntN(3)
		for _, e := range events[first:] {
			r := history.Received{Client: client, ID: e.ID, Token: e.Token}
			if e.at > end || spoilt() {
				continue
			}
			if spoilt() {
				r.Token = "made up"
			}
			at := e.at + time.Duration(rng.IntN(100))*ms
			if spoilt() {
				at += 7 * sec // after the next
			}
			h.Received = append(h.Received, seen(s, at, r))
			if spoilt() {
				h.Received = append(h.Received, seen(s, at+ms, r))
			}
		}
	}
	byTime(h.Links)
	byTime(h.Received)
	return h
}

// naiveFeed compares what each client received with what it should have, event
// by event.
func naiveFeed(h *history.History) (r ruling) {
	stored := func(id int64, token string) bool {
		return slices.ContainsFunc(h.Feed, func(f history.At[history.FeedRow]) bool { return f.V.ID == id && f.V.Token == token })
	}
	mute := len(h.Received) == 0
	lowest := int64(0)
	for _, x := range h.Received {
		if lowest == 0 || x.V.ID < lowest {
			lowest = x.V.ID
		}
	}
	by := map[int][]history.At[history.Link]{}
	for _, l := range h.Links {
		by[l.V.Client] = append(by[l.V.Client], l)
	}
	for client, links := range by {
		var got []history.At[history.Received]
		for _, x := range h.Received {
			if x.V.Client == client {
				got = append(got, x)
			}
		}
		if len(got) == 0 {
			mute = true
			continue
		}
		had := func(of []history.At[history.Received], id int64) bool {
			return slices.ContainsFunc(of, func(x history.At[history.Received]) bool { return x.V.ID == id })
		}
		due := int64(0)
		for i, x := range got {
			due = max(due, x.V.ID)
			later := slices.ContainsFunc(got[:i], func(y history.At[history.Received]) bool { return y.V.ID > x.V.ID })
			switch {
			case !stored(x.V.ID, x.V.Token):
				r.Found = append(r.Found, mark("made up", x.Seq))
			case had(got[:i], x.V.ID):
				r.Found = append(r.Found, mark("repeated", x.Seq))
			case later:
				r.Found = append(r.Found, mark("out of order", x.Seq))
			}
		}
		for _, p := range h.Published {
			if p.Time+backWithin <= endOf(h, links) {
				due = max(due, p.V.ID)
			}
		}
		for _, f := range h.Feed {
			if f.V.ID > got[0].V.ID && f.V.ID <= due && !had(got, f.V.ID) {
				r.Found = append(r.Found, mark("lost", f.Seq))
			}
		}
	}
	for _, p := range h.Published {
		if lowest > 0 && p.V.ID >= lowest && !stored(p.V.ID, p.V.Token) {
			r.Found = append(r.Found, mark("not stored", p.Seq))
		}
	}
	switch {
	case len(r.Found) > 0:
		r.Status = assert.Fail
	default:
		if r, _, _ = naiveBreaks(h); mute && r.Status != assert.Fail {
			r = ruling{}
		}
	}
	return r.sorted()
}

func TestStreamContinuityAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h := randomFeed(seed)
		want := naiveFeed(h)
		v := assert.StreamContinuity{Reconnect: backWithin / 2, Bound: "diverted"}.Check(h)
		agrees(t, want, v, "seed %d: %s %v", seed, v.Summary, v.Reasons)
		if want.Status == assert.Fail && v.Safety {
			require.EqualValues(t, len(want.Found), *v.Measured, "seed %d: events", seed)
		}
		all.add(want.Status, classes(want.Found)...)
	}
	all.require(t, 100, "pass", "fail")
	all.require(t, 10, "inconclusive")
	all.require(t, 50, "made up", "repeated", "out of order", "lost", "not stored", "late")
}

// spreadOf is the time over which clients mean to come back, and told whether
// they are to be told.
const spreadOf = 10 * sec

// randomSockets are clients of WebSockets that lose their connections to a
// node, and what they are told when they are back.
func randomSockets(seed uint64) *history.History {
	rng, s := random(seed, 22), &tape{}
	h := boundedBreaks()
	h.Faults = []history.Fault{{ID: 1, Kind: "instance-stop", Nodes: []string{aNode(rng)}, Injected: 10 * sec, Heal: 30 * sec}}
	// In a quiet run all are told and find their state, so that what is judged
	// after that is met, too; in a herd, all are away at one time.
	quiet, herd := chance(rng, 2), chance(rng, 3)
	for client := 1; client <= 1+rng.IntN(16); client++ {
		links := randomLinks(rng, s, client, 3)
		if herd {
			links = nil
			at := 20*sec + time.Duration(rng.IntN(1500))*ms
			for _, x := range []struct {
				at    time.Duration
				state string
			}{{sec, history.LinkUp}, {19 * sec, history.LinkDown}, {at, history.LinkTry}, {at + ms, history.LinkUp}} {
				links = append(links, seen(s, x.at, history.Link{Client: client, State: x.state, Node: "j1", Code: 1001, Alive: x.at}))
			}
		}
		for i, l := range links {
			if quiet && l.V.State == history.LinkDown {
				links[i].V.Code = 1001
			}
			if l.V.State == history.LinkDown && chance(rng, 6) {
				links[i].V.Reason = history.LinkSilent
			}
			if l.V.State != history.LinkUp {
				continue
			}
			x := history.Resumed{Client: client, Told: 5, Acked: 5, Said: 6}
			if !quiet && chance(rng, 20) {
				x.Told += oneOf[int64](rng, -1, 2)
			}
			h.Resumed = append(h.Resumed, seen(s, l.Time, x))
		}
		h.Links = append(h.Links, links...)
	}
	byTime(h.Links)
	byTime(h.Resumed)
	return h
}

// naiveSockets judges one demand after the other, each over all that there is.
func naiveSockets(h *history.History) (r ruling) {
	for _, x := range h.Resumed {
		if x.V.Told < x.V.Acked {
			r.Found = append(r.Found, mark("state lost", x.Seq))
		} else if x.V.Told > x.V.Said {
			r.Found = append(r.Found, mark("made up", x.Seq))
		}
	}
	if len(r.Found) > 0 {
		r.Status = assert.Fail
		return r.sorted()
	}
	f := h.Faults[0]
	var tries []history.At[history.Link] // the first of each break
	for i, l := range h.Links {
		if l.V.State != history.LinkDown {
			continue
		}
		silent := l.V.Code == 0 && l.V.Reason == "silent for longer than the client's patience"
		if l.V.Code != 1001 && l.V.Code != 1012 && !silent && l.V.Node == f.Nodes[0] && l.Time >= f.Injected && l.Time <= f.Heal {
			r.Found = append(r.Found, mark("not told", l.Seq))
		}
		for _, next := range h.Links[i:] {
			if next.V.Client == l.V.Client && next.V.State == history.LinkTry {
				tries = append(tries, next)
				break
			}
		}
	}
	if len(r.Found) > 0 {
		r.Status = assert.Fail
		return r.sorted()
	}
	slices.SortFunc(tries, func(a, b history.At[history.Link]) int { return cmp.Compare(a.Seq, b.Seq) })
	late, gaps, _ := naiveBreaks(h)
	slices.SortStableFunc(tries, func(a, b history.At[history.Link]) int { return cmp.Compare(a.Time, b.Time) })
	// Those who were away then, and whoever was while any of them was.
	type away struct {
		client   int
		from, to time.Duration
	}
	var all []away
	for i, l := range h.Links {
		if l.V.State == history.LinkDown {
			var own []history.At[history.Link]
			for _, x := range h.Links {
				if x.V.Client == l.V.Client {
					own = append(own, x)
				}
			}
			a := away{l.V.Client, l.V.Alive, endOf(h, own)}
			for _, next := range slices.Backward(h.Links[i:]) {
				if next.V.Client == l.V.Client && next.V.State == history.LinkUp {
					a.to = next.V.Alive
				}
			}
			all = append(all, a)
		}
	}
	// Of each wave the window that began first of those with the most.
	worst := map[string]uint64{} // the wave: the line
	for _, a := range all {
		from, to, wave := a.from, a.to, map[int]bool{a.client: true}
		for range all {
			for _, b := range all {
				if b.from <= to && b.to >= from {
					from, to, wave[b.client] = min(from, b.from), max(to, b.to), true
				}
			}
		}
		most := 0
		for _, first := range tries {
			n := 0
			for _, x := range tries {
				if first.Time >= from && x.Time <= to && x.Time >= first.Time && x.Time <= first.Time+spreadOf/10 {
					n++
				}
			}
			if n > most {
				if most = n; len(wave) >= 8 && n > len(wave)/2 {
					worst[fmt.Sprint(from, to)] = first.Seq
				}
			}
		}
	}
	if gaps > 0 && len(worst) > 0 {
		r.Status = assert.Fail
		for _, seq := range worst {
			r.Found = append(r.Found, mark("herd", seq))
		}
		return r.sorted()
	}
	return late
}

func TestReconnectionAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h := randomSockets(seed)
		want := naiveSockets(h)
		v := assert.Reconnection{Reconnect: backWithin / 2, Bound: "diverted", Told: true, Spread: spreadOf}.Check(h)
		agrees(t, want, v, "seed %d: %s %v", seed, v.Summary, v.Reasons)
		all.add(want.Status, classes(want.Found)...)
	}
	all.require(t, 100, "pass", "fail")
	all.require(t, 20, "inconclusive", "state lost", "made up", "not told", "herd", "late")
}
