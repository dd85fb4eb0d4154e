package observe

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
	"golang.org/x/sync/errgroup"
)

// balancer follows a balancer's request log and polls its runtime socket.
// The two belong together: the socket tells of lines that the process itself
// dropped, and that a process ended.
type balancer struct {
	env  env
	node topology.NodeSpec
}

// Name implements Observer.
func (b *balancer) Name() string { return "balancer " + b.node.Name }

// Observe implements Observer.
func (b *balancer) Observe(ctx context.Context, sink history.Sink) error {
	watch := &balancerWatch{
		balancer: b, sink: sink,
		dispatches: &account{stream: history.StreamDispatch, source: b.node.Name},
		servers:    &account{stream: history.StreamServer, source: b.node.Name},
		process:    &account{stream: history.StreamBalancer, source: b.node.Name},
		clock:      b.env.foreign(b.node.Name),
	}
	var g errgroup.Group
	g.Go(func() error { return follow(ctx, b.env, b.node.Name, watch.line, watch.dispatches) })
	g.Go(func() error { watch.poll(ctx); return nil })
	err := g.Wait()
	watch.judge()
	watch.clock.judge(watch.dispatches)
	settle(sink, b.env.clock.Now, watch.dispatches, watch.servers, watch.process)
	return err
}

// balancerWatch is the state of one observation.
type balancerWatch struct {
	*balancer
	sink                         history.Sink
	dispatches, servers, process *account
	clock                        *foreign // of the log

	lines sequence // of the log's goroutine, until it has ended

	mu      sync.Mutex
	latest  info
	at      time.Time // of latest; zero: never answered
	down    bool      // the latest look got no answer
	base    uint64    // what the process had dropped before it was first looked at
	dropped uint64    // by the processes before the latest
	ends    []ending
	exits   []exit
}

// ending is a process that was seen no more: it ended between two times.
type ending struct {
	pid      int
	from, to time.Time
}

// exit is a process that ended in order, by its master's word: it had
// finished, and logged, all that it had.
type exit struct {
	pid int
	at  time.Time // when the word was read
}

// line takes one line of the log.
func (w *balancerWatch) line(text []byte) {
	if !ours(text) {
		if pid, ok := parseExit(text); ok {
			w.mu.Lock()
			w.exits = append(w.exits, exit{pid, time.Now()})
			w.mu.Unlock()
		}
		return
	}
	got, ok, err := parseDispatch(text)
	if err != nil {
		w.dispatches.miss(1, "%s.log: %v", w.node.Name, err)
		return
	}
	if !ok {
		return
	}
	if got.numbered {
		w.lines.add(got.v.Number, got.pid)
	}
	w.dispatches.saw()
	at, span := w.accepted(got)
	got.v.Span = span
	put(w.sink, history.StreamDispatch, at, w.node.Name, got.v)
}

// withinUnused is how exactly the time is known of a connection that brought
// no request: the line has only the time of its own writing.
const withinUnused = 100 * time.Millisecond

// accepted is when the request came. Its line is written at its end.
func (w *balancerWatch) accepted(got dispatchLine) (time.Duration, history.Span) {
	if !got.at.IsZero() {
		at, span := w.env.span(got.at, withinLog)
		w.clock.dates(at+max(0, got.v.Total), span.Within)
		return at, span
	}
	return w.env.clock.Now() - max(0, got.v.Total), history.Span{Within: withinUnused}
}

// poll looks at the runtime socket until ctx ends.
func (w *balancerWatch) poll(ctx context.Context) {
	p := poller{every: runtimeEvery, within: answerWithin}
	gap := p.run(ctx, w.look)
	w.servers.looked(gap, p.limit())
	w.process.looked(gap, p.limit())
}

// showServers are the commands of one look: type 4 are the servers.
const showServers = "show info;show stat -1 4 -1"

func (w *balancerWatch) look(ctx context.Context) {
	began := time.Now()
	reply, err := ask(ctx, w.env.dial(), joinPort(w.node.Addr, runtimePort), showServers)
	took := time.Since(began)
	if brokenOff(ctx) {
		return
	}
	at := w.env.clock.At(began)
	if err != nil || cutOff(reply) {
		w.unanswered(began)
		w.process.saw()
		put(w.sink, history.StreamBalancer, at, w.node.Name, history.BalancerInfo{Balancer: w.node.Name, Took: took})
		return
	}
	got, rows, err := parseReply(reply)
	if err != nil {
		w.process.miss(1, "%s: %v", w.node.Name, err)
		w.servers.miss(1, "%s: %v", w.node.Name, err)
		return
	}
	w.answered(began, got)
	w.process.saw()
	put(w.sink, history.StreamBalancer, at, w.node.Name, history.BalancerInfo{
		Balancer: w.node.Name, Up: true, Pid: got.pid, Requests: got.requests, DroppedLogs: got.droppedLogs, Took: took,
	})
	for _, r := range rows {
		w.servers.saw()
		put(w.sink, history.StreamServer, at, w.node.Name, serverOf(w.node.Name, r, took))
	}
}

// cutOff says that the process ended while it replied to showServers: in the
// middle of a line, or between the answers to the two commands, each of which
// is written at once and ends with an empty line (HAProxy 3.0 Management
// Guide, 9.3).
func cutOff(reply string) bool {
	if !strings.HasSuffix(reply, "\n") {
		return true
	}
	info, rest, _ := strings.Cut(reply, "\n\n")
	_, err := parseInfo(info)
	return err == nil && rest == ""
}

// parseReply reads the reply to showServers.
func parseReply(reply string) (info, []row, error) {
	first, second, err := split(reply)
	if err != nil {
		return info{}, nil, err
	}
	got, err := parseInfo(first)
	rows, err2 := parseStat(second)
	return got, rows, errors.Join(err, err2)
}

// serverOf is a row of `show stat` as the journal has it.
func serverOf(balancer string, r row, took time.Duration) history.Server {
	return history.Server{
		Balancer: balancer, Server: r["svname"], Status: r["status"], Up: takes(r["status"]),
		Check: r["check_status"], Weight: int(r.number("weight")),
		Current: int(r.number("scur")), Total: r.number("stot"), Took: took,
	}
}

// answered takes what a look found. Looks may end in another order than they
// began in; an older one changes nothing.
func (w *balancerWatch) answered(began time.Time, got info) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if began.Before(w.at) {
		return
	}
	switch {
	case w.at.IsZero():
		w.base = got.droppedLogs // before the run, or nearly so
	case got.pid != w.latest.pid || got.requests < w.latest.requests || got.uptime < w.latest.uptime:
		w.ends = append(w.ends, ending{w.latest.pid, w.at, time.Now()})
		w.dropped += w.latest.droppedLogs - w.base
		w.base = 0
	}
	w.latest, w.at, w.down = got, began, false
}

func (w *balancerWatch) unanswered(began time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if began.After(w.at) {
		w.down = true
	}
}

// judge says what is missing of the request log. A process that was killed
// took the lines of the requests with it that it had not finished: how many is
// not known, and of no other time. One that a reload replaced writes them
// before it exits.
func (w *balancerWatch) judge() {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := w.node.Name
	dropped := w.dropped + w.latest.droppedLogs - w.base
	if gaps := w.lines.missing(); gaps > 0 || dropped > 0 {
		w.dispatches.miss(max(gaps, dropped), "%s lost lines of its log: %d left out by their numbers, %d dropped by the process",
			name, gaps, dropped)
	}
	for i, e := range w.ends {
		if !w.inOrder(i) {
			w.dispatches.unsure(w.env.clock.At(e.from), w.env.clock.At(e.to), "%s began anew: what its earlier process had not finished has no line", name)
		}
	}
	if n := w.lines.processes - 1 - len(w.ends); n > 0 {
		w.dispatches.lack("%s began anew %s without being seen to: what its earlier process had not finished has no line", name, times(n))
	}
	if w.down && !w.at.IsZero() {
		w.dispatches.unsure(w.env.clock.At(w.at), w.env.clock.Now(), "%s did not answer at the end: what it had not finished has no line", name)
	}
	if w.at.IsZero() {
		w.dispatches.lack("%s's runtime socket never answered: lines that it dropped are not known", name)
		w.servers.lack("%s's runtime socket never answered", name)
	}
}

// inOrder says whether the process of that ending exited in order: its master
// said so after it was last seen, and before another of its number was.
func (w *balancerWatch) inOrder(i int) bool {
	e := w.ends[i]
	for _, x := range w.exits {
		if x.pid != e.pid || x.at.Before(e.from) {
			continue
		}
		again := slices.IndexFunc(w.ends[i+1:], func(later ending) bool { return later.pid == e.pid })
		if again < 0 || x.at.Before(w.ends[i+1+again].from) {
			return true
		}
	}
	return false
}

// formerWorker is what HAProxy's master says of a worker that a reload has
// replaced, and that had finished what it had.
var formerWorker = regexp.MustCompile(`Former worker \((\d+)\) exited with code 0\b`)

// parseExit reads that line.
func parseExit(line []byte) (pid int, ok bool) {
	m := formerWorker.FindSubmatch(line)
	if m == nil {
		return 0, false
	}
	pid, err := strconv.Atoi(string(m[1]))
	return pid, err == nil
}

// times is n in words.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
