package fault

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// BalancerReload gives HAProxy a new configuration while it serves: another
// maxconn of the process, and SIGUSR2 to the master, which starts a new
// worker on the same listening sockets and has the old one finish what it has
// (HAProxy 3.0 Management Guide, 4 "Stopping and restarting HAProxy"). Where
// the configuration names a server-state-file, the state of the servers is
// written there first, as the manual has it (Configuration Manual, 3.1
// "server-state-file"), and the file is taken away once it was read. It is an
// operator's act, and users must not notice it. The zero value is ready to use.
type BalancerReload struct {
	// MaxConn is the new configuration's maxconn; 3999 by default.
	MaxConn int `json:"maxConn,omitempty"`
	// Restart ends HAProxy by SIGTERM and starts it again, as `systemctl
	// restart` does, in place of the reload. The undo reloads in any case.
	Restart bool `json:"restart,omitempty"`
}

const defaultMaxConn = 3999

// haproxyConfig is the configuration, and configBefore what it was.
const (
	haproxyConfig = "/etc/haproxy/haproxy.cfg"
	configBefore  = haproxyConfig + ".hachaos"
)

// Kind is "balancer-reload".
func (BalancerReload) Kind() string { return "balancer-reload" }

// Validate reports a maxconn that would itself turn users away.
func (f BalancerReload) Validate() error {
	if f.MaxConn != 0 && (f.MaxConn < 100 || f.MaxConn > 100000) {
		return fmt.Errorf("%s: maxconn %d: want 100 to 100000, or 0 for %d", f.Kind(), f.MaxConn, defaultMaxConn)
	}
	return nil
}

func (f BalancerReload) maxConn() int {
	if f.MaxConn == 0 {
		return defaultMaxConn
	}
	return f.MaxConn
}

// reload is the beginning of a script: reload TEST reloads until HAProxy's own
// maxconn, $m, passes the test. A master that is in the middle of a reload
// does not heed another, so that it is told again each second.
const reload = `cfg=` + haproxyConfig + `
ask() {
  exec 3<>/dev/tcp/127.0.0.1/9999 || return 1
  printf '%s\n' "$1" >&3
  timeout 1 cat <&3
  exec 3>&-
}
save() {
  state=$(sed -n 's/^ *server-state-file *//p' "$cfg")
  [ -z "$state" ] || { ask 'show servers state' >"$state.new" && mv "$state.new" "$state"; }
}
reload() {
  for try in 1 2 3 4 5 6 7 8; do
    save && kill -USR2 "$(cat /run/hachaos/haproxy.pid)" || return 1
    taken "$@" && return 0
  done
  echo "HAProxy did not take the configuration" >&2
  return 1
}
restart() {
  save && pid=$(cat /run/hachaos/haproxy.pid) && kill -TERM "$pid" || return 1
  while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
  app-start haproxy >/dev/null && taken "$@"
}
taken() {
  for look in 1 2 3 4 5 6 7 8 9 10; do
    sleep 0.1
    m=$(ask 'show info' | sed -n 's/^Maxconn: //p')
    [ -n "$m" ] && [ "$m" "$1" "$2" ] && { rm -f ${state:+"$state"}; return 0; }
  done
  return 1
}
`

// how is the script's function that has HAProxy take its configuration.
func (f BalancerReload) how() string {
	if f.Restart {
		return "restart"
	}
	return "reload"
}

// reloaded is the command that changes the configuration and reloads it. It
// keeps the first configuration and refuses one that HAProxy does not take.
func (f BalancerReload) reloaded() []string {
	return []string{"bash", "-c", reload + `set -e
[ -e "$cfg.hachaos" ] || cp -p "$cfg" "$cfg.hachaos"
sed -e '/^ *maxconn /d' -e 's/^global$/&\n    maxconn '"$1"'/' "$cfg.hachaos" >"$cfg.new"
haproxy -c -q -f "$cfg.new"
cat "$cfg.new" >"$cfg" && rm "$cfg.new"
before=$EPOCHREALTIME
` + f.how() + ` = "$1"
echo "$before $EPOCHREALTIME" >/run/hachaos/told.balancer-reload`, "hachaos-reload", strconv.Itoa(f.maxConn())}
}

// restored is the command that brings the first configuration back, if it
// was changed to another maxconn. The copy goes last, so that one that was
// broken off is done again.
func restored(maxConn string) []string {
	return []string{"bash", "-c", reload + `[ -e "$cfg.hachaos" ] || exit 0
cat "$cfg.hachaos" >"$cfg" || exit 1
if kill -0 "$(cat /run/hachaos/haproxy.pid)" 2>/dev/null; then reload != "$1" || exit 1; fi
rm -f "$cfg.hachaos" "$cfg.new"`, "hachaos-restore", maxConn}
}

// workers prints the workers' pids, then a line, then whether the first
// configuration is kept.
func workers() []string {
	return []string{"/bin/sh", "-c", `pgrep -P "$(cat /run/hachaos/haproxy.pid)"
echo --
[ -e ` + configBefore + ` ] && echo changed || echo first`}
}

// Inject reloads, or restarts; the undo brings the first configuration back,
// by another reload. A balancer that runs with that maxconn already is an error,
// before any act: neither the reload nor its undo could be told. So is one whose
// configuration another reload has changed.
func (f BalancerReload) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	vs, err := runningVictims(ctx, f.Kind(), nodes, 0, false)
	if err != nil {
		return err
	}
	if err := f.differs(ctx, nodes); err != nil {
		return fmt.Errorf("%s: %w", f.Kind(), err)
	}
	if err := without(ctx, f.Kind(), vs, configBefore, "its configuration was changed by such a reload"); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(BalancerConfig, map[string]string{"maxconn": strconv.Itoa(f.maxConn())}), func(v victim) error {
		return succeed(v.Exec(ctx, f.reloaded()...))
	})
}

// differs checks that no balancer runs with the new maxconn.
func (f BalancerReload) differs(ctx context.Context, nodes []topology.Node) error {
	for _, n := range nodes {
		d, err := newDirector(n)
		if err != nil {
			return err
		}
		info, err := d.ask(ctx, "show info")
		if err != nil {
			return err
		}
		now, err := parseInfo(info)
		if err != nil {
			return fmt.Errorf("balancer %s: %w", d.name, err)
		}
		if now.maxConn == f.maxConn() {
			return fmt.Errorf("balancer %s: its maxconn is %d already: choose another one, or nothing would change", d.name, now.maxConn)
		}
	}
	return nil
}

// Active holds when the process that answers says that it has the new
// configuration's maxconn, and is the youngest worker. How many old ones
// still finish what they have is said, and decides nothing.
func (f BalancerReload) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	p, err := f.prove(ctx, nodes, strconv.Itoa(f.maxConn()), "balancer-reload", func(s *sight, at serving) {
		s.see(at.maxConn == f.maxConn(), "the worker that answers, %d, has maxconn %d", at.pid, at.maxConn)
		s.see(at.pid != 0 && at.pid == at.youngest, "of %d workers the youngest is %d", at.workers, at.youngest)
	})
	p.Unit = "maxconn"
	return p, err
}

// Healed holds when the first configuration is back, and one worker is left.
func (f BalancerReload) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.prove(ctx, nodes, "the first configuration", "", func(s *sight, at serving) {
		s.see(!at.changed, "its configuration is the %s one", map[bool]string{true: "new", false: "first"}[at.changed])
		s.see(at.maxConn != f.maxConn(), "the worker that answers, %d, has maxconn %d", at.pid, at.maxConn)
		s.see(at.workers == 1, "it has %d workers", at.workers)
	})
}

// serving is what a balancer says of its processes.
type serving struct {
	pid, maxConn, workers, youngest int
	changed                         bool
}

func (f BalancerReload) prove(ctx context.Context, nodes []topology.Node, asked, note string, look func(*sight, serving)) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, 0, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		out, err := v.Exec(ctx, inquired("show info", note)...)
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
		list, err := v.Exec(ctx, workers()...)
		if err := succeed(list, err); err != nil {
			return s, err
		}
		at, err := parseServing(replies[1], string(list.Stdout))
		if err != nil {
			return s, err
		}
		s.from, s.to, s.measured = given[0], given[1], strconv.Itoa(at.maxConn)
		look(&s, at)
		return s, nil
	})
}

var infoLine = regexp.MustCompile(`(?m)^(Pid|Maxconn): (\d+)$`)

// parseInfo reads the reply to `show info`.
func parseInfo(info string) (serving, error) {
	var at serving
	for _, m := range infoLine.FindAllStringSubmatch(info, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			return at, fmt.Errorf("show info: %s: %w", m[1], err)
		}
		if m[1] == "Pid" {
			at.pid = n
		} else {
			at.maxConn = n
		}
	}
	if at.pid == 0 || at.maxConn == 0 {
		return at, fmt.Errorf("show info: %.80q: want Pid and Maxconn", info)
	}
	return at, nil
}

// parseServing reads the reply to `show info` and what workers prints.
func parseServing(info, list string) (serving, error) {
	at, err := parseInfo(info)
	if err != nil {
		return at, err
	}
	pids, state, ok := strings.Cut(list, "--\n")
	if !ok {
		return at, fmt.Errorf("workers: %.80q: want their numbers and the configuration's state", list)
	}
	for _, f := range strings.Fields(pids) {
		n, err := strconv.Atoi(f)
		if err != nil {
			return at, fmt.Errorf("workers: %w", err)
		}
		at.workers, at.youngest = at.workers+1, max(at.youngest, n)
	}
	at.changed = strings.TrimSpace(state) == "changed"
	return at, nil
}

// ensureBalancerConfig brings HAProxy's first configuration back.
func ensureBalancerConfig(ctx context.Context, n topology.Node, params map[string]string) error {
	if _, ok := n.(topology.Container); ok {
		if err := ensureContainer(ctx, n, nil); err != nil { // the file outlives its container's end
			return err
		}
	}
	return succeed(n.Exec(ctx, restored(params["maxconn"])...))
}
