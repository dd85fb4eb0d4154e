package fault

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"regexp"
	"slices"
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

// serverOrder is an order to balancers about one of their servers, or, if it
// names none, about the application nodes among the targets.
type serverOrder struct {
	kind, backend, server string
}

// serverName is what can be said of a server in a command.
var serverName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

func (o serverOrder) validate() error {
	switch {
	case o.server != "" && !serverName.MatchString(o.server):
		return fmt.Errorf("%s: server %q: want the name of one, such as j1, or none to take the application nodes among the targets", o.kind, o.server)
	case o.backend != "" && !serverName.MatchString(o.backend):
		return fmt.Errorf("%s: backend %q: want the name of one, such as %s", o.kind, o.backend, defaultBackend)
	}
	return nil
}

// victims is the server that is named; without one the targets tell.
func (o serverOrder) victims() []string {
	if o.server == "" {
		return nil
	}
	return []string{o.server}
}

// path names a server as HAProxy does.
func (o serverOrder) path(server string) string {
	return cmp.Or(o.backend, defaultBackend) + "/" + server
}

// note names the file in which the balancer's clock is kept.
func (o serverOrder) note(server string) string { return o.kind + "." + server }

// ordered is a balancer with a server that it is told of.
type ordered struct {
	victim
	server string
	alone  bool // there is no other server
}

// Name is the balancer's, with the server where there are several.
func (t ordered) Name() string {
	if t.alone {
		return t.victim.Name()
	}
	return t.victim.Name() + " of " + t.server
}

// all are the balancers among the targets, each with each server that it is to
// be told of: the one that is named, or else the application nodes among the
// targets. It checks, before any act, that there are both.
func (o serverOrder) all(nodes []topology.Node) ([]ordered, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	balancers, servers, err := o.sorted(nodes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.kind, err)
	}
	vs, err := victims(o.kind, balancers, 0, false)
	if err != nil {
		return nil, err
	}
	var all []ordered
	for _, server := range servers {
		for _, v := range vs {
			all = append(all, ordered{v, server, len(servers) == 1})
		}
	}
	return all, nil
}

// sorted parts the targets into those that are told and those that it is about.
func (o serverOrder) sorted(nodes []topology.Node) (balancers []topology.Node, servers []string, err error) {
	if len(nodes) == 0 {
		return nil, nil, ErrNoTargets
	}
	for _, n := range nodes {
		switch {
		case o.server == "" && n.Role() != topology.Application && n.Role() != topology.Balancer:
			return nil, nil, fmt.Errorf("node %s is of role %s: aim at application nodes and balancers: %w", n.Name(), n.Role(), ErrCapability)
		case n.Role() != topology.Application:
			balancers = append(balancers, n)
		case !slices.Contains(servers, n.Name()):
			servers = append(servers, n.Name())
		}
	}
	switch {
	case o.server != "" && len(servers) > 0:
		return nil, nil, fmt.Errorf("server %s is named, and application node %s is among the targets: name no server, or aim at the balancers alone", o.server, servers[0])
	case o.server != "":
		servers = []string{o.server}
	case len(servers) == 0:
		return nil, nil, fmt.Errorf("no server is named and no application node is among the targets: name one, such as j1, or aim at application nodes together with every balancer: %w", ErrNoTargets)
	}
	if len(balancers) == 0 {
		return nil, nil, fmt.Errorf("no balancer is among the targets: aim at every balancer, too, since they are told: %w", ErrNoTargets)
	}
	return balancers, servers, nil
}

// names are the servers, in words.
func (o serverOrder) names(nodes []topology.Node) string {
	_, servers, _ := o.sorted(nodes) // what is wrong with them is told by the look
	return strings.Join(servers, ", ")
}

// running are all of them, each on a balancer that runs.
func (o serverOrder) running(ctx context.Context, nodes []topology.Node) ([]ordered, error) {
	all, err := o.all(nodes)
	if err != nil {
		return nil, err
	}
	vs := make([]victim, len(all))
	for i, t := range all {
		vs[i] = t.victim
	}
	return all, allRun(ctx, o.kind, vs)
}

// inject gives every balancer the command about every server, each after its
// undo was recorded. Both formats are given the server's path. A balancer whose view
// of a server holds what the order would bring about is an error, before any act; nil
// is for an order that has looked by itself.
func (o serverOrder) inject(ctx context.Context, nodes []topology.Node, log Recorder, command, undo string, holds func(ServerView) bool) error {
	all, err := o.running(ctx, nodes)
	if err != nil {
		return err
	}
	if holds != nil {
		if err := inTurn(o.kind, all, func(t ordered) error { return t.unlike(ctx, holds) }); err != nil {
			return err
		}
	}
	for _, t := range all {
		path := o.path(t.server)
		e := Entry{Undo: undo, Node: t.victim.Name(), Params: map[string]string{"server": path, "note": o.note(t.server)}}
		if err := log.Record(e); err != nil {
			return fmt.Errorf("%s of %s at %s: %w", o.kind, t.server, e.Node, err)
		}
		if err := succeed(t.Exec(ctx, told(fmt.Sprintf(command, path), o.note(t.server))...)); err != nil {
			return fmt.Errorf("%s of %s at %s: %w", o.kind, t.server, e.Node, err)
		}
	}
	return nil
}

// unlike checks, from outside, that the balancer's view of the server is not one
// that the order would bring about, or change for another fault.
func (t ordered) unlike(ctx context.Context, holds func(ServerView) bool) error {
	d, err := newDirector(t.Container)
	if err != nil {
		return err
	}
	view, err := d.server(ctx, t.server)
	if err == nil && holds(view) {
		err = already(fmt.Sprintf("its view of %s is %s", t.server, view.Status))
	}
	return err
}

// question is what a look asks every balancer, and wants to see.
type question struct {
	// asked says it in words.
	asked string
	// command is sent; it is given the server's path.
	command func(path string) string
	// noted says that the note tells when the order was given.
	noted bool
	look  func(s *sight, server string, replies [2]string) error
}

// prove looks at every balancer's own view of each server, twice a moment
// apart. A balancer that does not answer is no proof of anything.
func (o serverOrder) prove(ctx context.Context, nodes []topology.Node, q question) (Proof, error) {
	all, err := o.all(nodes)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, q.asked, all, func(ctx context.Context, t ordered) (sight, error) {
		s := sight{ok: true}
		note := ""
		if q.noted {
			note = o.note(t.server)
		}
		out, err := t.Exec(ctx, inquired(q.command(o.path(t.server)), note)...)
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
		return s, q.look(&s, t.server, replies)
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

// Serves says that the balancer sends it new sessions: one whose checks are off is
// held for up.
func (v ServerView) Serves() bool {
	return v.Status == "UP" || strings.HasPrefix(v.Status, "UP ") || unchecked(v)
}

// Drains says that the balancer was ordered to drain the server.
func (v ServerView) Drains() bool { return strings.HasPrefix(v.Status, "DRAIN") }

// InMaintenance says that the balancer was ordered to leave the server alone.
func (v ServerView) InMaintenance() bool { return strings.HasPrefix(v.Status, "MAINT") }

// Commands of the runtime socket that look.
const showServers = "show stat -1 4 -1"

// allServers is the command that shows one server among all.
func allServers(string) string { return showServers }

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

// untell takes an order back, whose note is $2, and with it the note. HAProxy has one
// state for a server $1: it is what the notes that are left ask for, maintenance
// before drain, and without any it is ready.
const untell = `[ -z "$2" ] || rm -f "/run/hachaos/told.$2"
state=ready
[ ! -e "/run/hachaos/told.drain.${1#*/}" ] || state=drain
[ ! -e "/run/hachaos/told.maintenance.${1#*/}" ] || state=maint
set -- "set server $1 state $state" ""
` + tell

// ensureServerReady takes the drain or the maintenance back whose note is
// Params["note"], and leaves the other if that was ordered. Where no HAProxy runs
// there is nothing to take back but the note: both are gone with its process.
func ensureServerReady(ctx context.Context, n topology.Node, params map[string]string) error {
	out, err := n.Exec(ctx, "bash", "-c", untell, "hachaos-untell", params["server"], params["note"])
	return ordinary(out, err)
}

// ensureServerWeight gives a server the weight that its configuration says.
func ensureServerWeight(ctx context.Context, n topology.Node, params map[string]string) error {
	return order(ctx, n, "set weight "+params["server"]+" 100%")
}

func order(ctx context.Context, n topology.Node, command string) error {
	out, err := n.Exec(ctx, told(command, "")...)
	return ordinary(out, err)
}

// ordinary is succeed for a balancer whose HAProxy need not run.
func ordinary(out topology.Output, err error) error {
	if errors.Is(err, topology.ErrNotRunning) || err == nil && out.Code == noSocket {
		return nil
	}
	return succeed(out, err)
}
