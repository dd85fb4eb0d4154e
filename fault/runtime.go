package fault

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// defaultBackend is the backend whose servers the built-in balancers have.
const defaultBackend = "nodes"

// tell sends one command to the runtime socket of the HAProxy beside it and
// notes, in a file that $2 names, when it was sent and when it was taken. A
// command that changes something is answered by an empty line; anything else
// is a complaint.
const tell = `before=$EPOCHREALTIME
exec 3<>/dev/tcp/127.0.0.1/9999 || exit 7
printf '%s\n' "$1" >&3
reply=$(timeout 2 cat <&3) || { echo "HAProxy's runtime socket does not answer" >&2; exit 1; }
if [ -n "$reply" ]; then echo "HAProxy: $reply" >&2; exit 1; fi
if [ -n "$2" ]; then echo "$before $EPOCHREALTIME" >"/run/hachaos/told.$2"; fi`

// noSocket is the exit status of tell and inquire where nothing listens.
const noSocket = 7

// inquire sends the command twice, a moment apart, and prints both replies
// and the note of tell, each after a line of its own.
const inquire = `once() {
  exec 3<>/dev/tcp/127.0.0.1/9999 || exit 7
  printf '%s\n' "$1" >&3
  timeout 2 cat <&3
  exec 3>&-
}
once "$1"; echo --; sleep 0.1; once "$1"; echo --
cat "/run/hachaos/told.$2" 2>/dev/null || echo -`

// told is the command that carries out a change at a balancer, with a note
// of the given name; none if it is empty.
func told(command, note string) []string {
	return []string{"bash", "-c", tell, "hachaos-tell", command, note}
}

// inquired is the command that looks at a balancer.
func inquired(command, note string) []string {
	return []string{"bash", "-c", inquire, "hachaos-inquire", command, note}
}

// serverOrder is an order to balancers about one of their servers.
type serverOrder struct {
	kind, backend, server string
}

// serverName is what can be said of a server in a command.
var serverName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

func (o serverOrder) validate() error {
	switch {
	case o.server == "":
		return fmt.Errorf("%s: no server: name the one that the balancers are told of, such as j1", o.kind)
	case !serverName.MatchString(o.server):
		return fmt.Errorf("%s: server %q: want the name of one, such as j1", o.kind, o.server)
	case o.backend != "" && !serverName.MatchString(o.backend):
		return fmt.Errorf("%s: backend %q: want the name of one, such as %s", o.kind, o.backend, defaultBackend)
	}
	return nil
}

// path names the server as HAProxy does.
func (o serverOrder) path() string {
	if o.backend == "" {
		return defaultBackend + "/" + o.server
	}
	return o.backend + "/" + o.server
}

// note names the file in which the balancer's clock is kept.
func (o serverOrder) note() string { return o.kind + "." + o.server }

// inject gives every balancer the command, each after its undo was recorded.
func (o serverOrder) inject(ctx context.Context, nodes []topology.Node, log Recorder, command string, undo Entry) error {
	if err := o.validate(); err != nil {
		return err
	}
	vs, err := runningVictims(ctx, o.kind, nodes, 0, false)
	if err != nil {
		return err
	}
	for _, v := range vs {
		undo.Node = v.Name()
		if err := log.Record(undo); err != nil {
			return fmt.Errorf("%s of %s at %s: %w", o.kind, o.server, v.Name(), err)
		}
		if err := succeed(v.Exec(ctx, told(command, o.note())...)); err != nil {
			return fmt.Errorf("%s of %s at %s: %w", o.kind, o.server, v.Name(), err)
		}
	}
	return nil
}

// prove looks at every balancer's own view of the server, twice a moment
// apart. A balancer that does not answer is no proof of anything. The note, if
// one is named, tells when the order was given.
func (o serverOrder) prove(ctx context.Context, nodes []topology.Node, asked, command, note string, look func(*sight, [2]string) error) (Proof, error) {
	vs, err := victims(o.kind, nodes, 0, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		out, err := v.Exec(ctx, inquired(command, note)...)
		if err != nil {
			return s, err
		}
		if out.Code == noSocket {
			s.measured = "no answer"
			s.see(false, "nothing listens on HAProxy's runtime socket")
			return s, nil
		}
		replies, given, err := splitInquiry(string(out.Stdout))
		if err := errors.Join(succeed(out, nil), err); err != nil {
			return s, err
		}
		s.from, s.to = given[0], given[1]
		return s, look(&s, replies)
	})
}

// splitInquiry parts what inquire prints. The times are zero if nothing was
// told.
func splitInquiry(text string) (replies [2]string, note [2]time.Time, err error) {
	parts := strings.Split(text, "\n--\n")
	if len(parts) != 3 {
		return replies, note, fmt.Errorf("HAProxy's runtime socket: %.80q: want two replies and a note", text)
	}
	note, err = parseNote(strings.Fields(parts[2]))
	return [2]string{parts[0], parts[1]}, note, err
}

// parseNote reads when an act began and ended; both are zero if the note is not
// of these two words.
func parseNote(words []string) (at [2]time.Time, err error) {
	if len(words) != len(at) {
		return at, nil
	}
	for i := range at {
		if at[i], err = parseEpoch(words[i]); err != nil {
			return at, err
		}
	}
	return at, nil
}

// parseEpoch reads bash's EPOCHREALTIME: Unix seconds with six decimals.
func parseEpoch(s string) (time.Time, error) { return parseStamp(s + "000") }

// ServerView is a balancer's view of one of its servers.
type ServerView struct {
	Name   string
	Status string // "UP", "DOWN", "DRAIN", "MAINT", …
	Weight int
	// Chosen counts the requests that the balancer chose the server for
	// itself, which is how new sessions begin; Total are all, those that a
	// cookie bound to it among them.
	Chosen, Total int64
	// Current are the requests under way to it, Queued those that wait for it.
	Current, Queued int
}

// Serves says that the balancer sends it new sessions.
func (v ServerView) Serves() bool { return v.Status == "UP" || strings.HasPrefix(v.Status, "UP ") }

// Drains says that the balancer was ordered to drain the server.
func (v ServerView) Drains() bool { return strings.HasPrefix(v.Status, "DRAIN") }

// InMaintenance says that the balancer was ordered to leave the server alone.
func (v ServerView) InMaintenance() bool { return strings.HasPrefix(v.Status, "MAINT") }

// Commands of the runtime socket that look.
const showServers = "show stat -1 4 -1"

// Servers asks a balancer's own runtime socket, from inside of the node, for
// its view of each server. It changes nothing.
func Servers(ctx context.Context, n topology.Node) ([]ServerView, error) {
	out, err := n.Exec(ctx, inquired(showServers, "")...)
	if err := succeed(out, err); err != nil {
		return nil, fmt.Errorf("servers of %s: %w", n.Name(), err)
	}
	replies, _, err := splitInquiry(string(out.Stdout))
	if err != nil {
		return nil, fmt.Errorf("servers of %s: %w", n.Name(), err)
	}
	return parseServers(replies[1])
}

// parseServers reads `show stat` of servers: a header that names the columns,
// which differ between versions, and comma-separated lines (HAProxy 3.0
// Management Guide, 9.1 "CSV format").
func parseServers(text string) ([]ServerView, error) {
	at := strings.Index(text, "# pxname,")
	if at < 0 {
		return nil, fmt.Errorf("show stat: no header in %.80q", text)
	}
	lines := csv.NewReader(strings.NewReader(text[at+2:]))
	lines.FieldsPerRecord = -1
	all, err := lines.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("show stat: %w", err)
	}
	column := map[string]int{}
	for i, name := range all[0] {
		column[name] = i
	}
	var out []ServerView
	for _, f := range all[1:] {
		get := func(name string) string {
			if i, ok := column[name]; ok && i < len(f) {
				return f[i]
			}
			return ""
		}
		number := func(name string) int64 { n, _ := strconv.ParseInt(get(name), 10, 64); return n }
		out = append(out, ServerView{
			Name: get("svname"), Status: get("status"), Weight: int(number("weight")),
			Chosen: number("lbtot"), Total: number("stot"),
			Current: int(number("scur")), Queued: int(number("qcur")),
		})
	}
	return out, nil
}

// viewOf finds a server in both replies of an inquiry.
func viewOf(server string, replies [2]string) (before, after ServerView, err error) {
	var two [2]ServerView
	for i, r := range replies {
		all, err := parseServers(r)
		if err != nil {
			return before, after, err
		}
		for _, v := range all {
			if v.Name == server {
				two[i] = v
			}
		}
		if two[i].Name == "" {
			return before, after, fmt.Errorf("show stat: the balancer has no server %q", server)
		}
	}
	return two[0], two[1], nil
}

// ensureServerReady takes drain and maintenance back. Where no HAProxy runs
// there is nothing to take back: both are gone with its process.
func ensureServerReady(ctx context.Context, n topology.Node, params map[string]string) error {
	return order(ctx, n, "set server "+params["server"]+" state ready")
}

// ensureServerWeight gives a server the weight that its configuration says.
func ensureServerWeight(ctx context.Context, n topology.Node, params map[string]string) error {
	return order(ctx, n, "set weight "+params["server"]+" 100%")
}

func order(ctx context.Context, n topology.Node, command string) error {
	out, err := n.Exec(ctx, told(command, "")...)
	if errors.Is(err, topology.ErrNotRunning) || err == nil && out.Code == noSocket {
		return nil
	}
	return succeed(out, err)
}
