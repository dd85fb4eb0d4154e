package gameday

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// looker looks once whether a state holds. What does not hold, and what cannot
// be seen, is the error; nil is a state that holds.
type looker func(context.Context, *System) error

// lookers are the states of docs/runbooks.md that can be looked at.
var lookers = map[string]looker{
	"nodes-routed":     nodesRouted,
	"service-answers":  serviceAnswers,
	"one-version":      oneVersion,
	"database-answers": databaseAnswers,
	"pools-free":       poolsFree,
	"writes-taken":     writesTaken,
	"orders-taken":     ordersTaken,
	"locks-free":       locksFree,
	"disk-free":        diskFree,
	"vip-one-owner":    vipOneOwner,
	"sessions-saved":   sessionsSaved,
	"orders-settled":   ordersSettled,
}

// holding are the states that hold now, sorted.
func (s *System) holding(ctx context.Context) []string {
	seen := s.looks(ctx)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(seen)), func(name string) bool { return seen[name] != nil })
}

// looks looks at every state that can be looked at, at the same time: what each
// look saw missing, nil of one that holds.
func (s *System) looks(ctx context.Context) map[string]error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen := map[string]error{}
	for name := range s.lookers {
		wg.Go(func() {
			err := s.Look(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			seen[name] = err
		})
	}
	wg.Wait()
	return seen
}

// CanLook says whether a state can be looked at.
func CanLook(state string) bool { return lookers[state] != nil }

// How states are looked at.
const (
	lookWithin = 2 * time.Second
	lookEvery  = 250 * time.Millisecond
	// settled is how long a state must hold without a break until it counts.
	settled = time.Second
	// inTime is the time within which users are answered.
	inTime = 500 * time.Millisecond
)

// Look looks once whether the state holds. The error says what does not, or
// what could not be seen; such a state is not known to hold.
func (s *System) Look(ctx context.Context, state string) error {
	look := s.lookers[state]
	if look == nil {
		return fmt.Errorf("%s: there is no such state", state)
	}
	bounded, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	err := look(bounded, s)
	switch {
	case err == nil:
		return nil
	case isUnseen(err):
		return unseen{veiled{err, s.secrets()}}
	}
	return veiled{err, s.secrets()}
}

// veiled is an error whose words may quote what a system said: its secrets are masked.
type veiled struct {
	error
	secrets []string
}

func (v veiled) Error() string { return mask(v.error.Error(), v.secrets) }

// Unwrap gives the error as it was.
func (v veiled) Unwrap() error { return v.error }

// Await returns once every one of the states has held for a while without a
// break, with the time since when they did. If that does not come about within
// the time, the error says what the last look at each that did not hold saw.
func (s *System) Await(ctx context.Context, within time.Duration, states ...string) (since time.Time, err error) {
	// What holds from the last moment on is given the time to have held.
	bounded, cancel := context.WithTimeout(ctx, within+settled+lookWithin)
	defer cancel()
	deadline := time.Now().Add(within)
	var missing error
	for {
		began := time.Now()
		err := s.all(bounded, states)
		switch {
		case ctx.Err() != nil:
			return time.Time{}, context.Cause(ctx)
		case err != nil:
			since = time.Time{}
			if missing == nil || bounded.Err() == nil { // a look that was cut off says nothing new
				missing = err
			}
		case since.IsZero() && !began.After(deadline):
			since = began
		}
		if !since.IsZero() && began.Sub(since) >= settled {
			return since, nil
		}
		if since.IsZero() && !time.Now().Before(deadline) {
			if missing == nil {
				missing = errors.New("it held too late")
			}
			return time.Time{}, fmt.Errorf("within %s: %w", sayTime(within), missing)
		}
		if rest(ctx); ctx.Err() != nil {
			return time.Time{}, context.Cause(ctx)
		}
	}
}

// all looks at all states at the same time.
func (s *System) all(ctx context.Context, states []string) error {
	errs := make([]error, len(states))
	var wg sync.WaitGroup
	for i, state := range states {
		wg.Go(func() {
			if err := s.Look(ctx, state); err != nil {
				errs[i] = fmt.Errorf("%s: %w", state, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// The ports of the built-in topology: where a balancer tells of itself, and
// where an application node serves unless its spec says otherwise.
const (
	runtimePort = 9999
	nodePort    = 8080
)

// onEach looks at each node of a role that the topology has, and joins what
// does not hold. None at all is an error.
func (s *System) onEach(role topology.Role, look func(topology.Node, topology.NodeSpec) error) error {
	nodes := s.Role(role)
	if len(nodes) == 0 {
		return fmt.Errorf("the topology has no node of the role %s", role)
	}
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		ns, _ := s.spec.NodeByName(n.Name())
		wg.Go(func() {
			if err := look(n, ns); err != nil {
				errs[i] = fmt.Errorf("%s: %w", n.Name(), err)
				if isUnseen(err) {
					errs[i] = unseen{errs[i]}
				}
			}
		})
	}
	wg.Wait()
	err := errors.Join(errs...)
	if err != nil && !slices.ContainsFunc(errs, func(e error) bool { return e != nil && !isUnseen(e) }) {
		return unseen{err}
	}
	return err
}

// unseen is what kept a look from seeing whether a state holds: somebody who knows
// does not answer. Whoever waits for the state takes it for one that does not hold.
type unseen struct{ error }

// Unwrap gives the reason.
func (u unseen) Unwrap() error { return u.error }

// asUnseen is what a command that could not be carried out says of a state: nothing,
// unless its node does not run.
func asUnseen(err error) error {
	if err == nil || errors.Is(err, topology.ErrNotRunning) {
		return err
	}
	return unseen{err}
}

// isUnseen says whether nothing but that is known of a state.
func isUnseen(err error) bool {
	_, ok := err.(unseen) // and nothing around it, which would know more
	return ok
}

func nodesRouted(ctx context.Context, s *System) error {
	return s.onEach(topology.Balancer, func(_ topology.Node, ns topology.NodeSpec) error {
		servers, err := s.servers(ctx, ns.Addr)
		if err != nil {
			return unseen{err}
		}
		for _, app := range s.Role(topology.Application) {
			status, ok := servers[app.Name()]
			if !ok {
				return fmt.Errorf("it has no server %s", app.Name())
			}
			switch {
			case status == "UP" || status == "no check":
			case strings.HasPrefix(status, "UP "): // "UP 1/3": it gets requests, and may be on its way down
				return unseen{fmt.Errorf("%s is %s", app.Name(), status)}
			default:
				return fmt.Errorf("%s is %s", app.Name(), status)
			}
		}
		return nil
	})
}

// servers are a balancer's servers with their status: what `show stat` says
// (HAProxy 3.0 Management Guide, 9.1: type 4 are servers).
func (s *System) servers(ctx context.Context, addr netip.Addr) (map[string]string, error) {
	conn, err := topology.Dial(s.Cluster)(ctx, "tcp", netip.AddrPortFrom(addr, runtimePort).String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if _, err := io.WriteString(conn, "show stat -1 4 -1\n"); err != nil {
		return nil, err
	}
	return readServers(io.LimitReader(conn, 1<<20))
}

func readServers(r io.Reader) (map[string]string, error) {
	table := csv.NewReader(r)
	table.FieldsPerRecord = -1
	rows, err := table.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("its runtime socket says nothing")
	}
	name, status := slices.Index(rows[0], "svname"), slices.Index(rows[0], "status")
	if name < 0 || status < 0 {
		return nil, errors.New("its runtime socket lists no servers")
	}
	out := map[string]string{}
	for _, row := range rows[1:] {
		if len(row) > max(name, status) {
			out[row[name]] = row[status]
		}
	}
	return out, nil
}

// never is the number of an order that never was: only the database knows that.
const never = "/orders/0"

func serviceAnswers(ctx context.Context, s *System) error {
	began := time.Now()
	code, _, _, err := s.get(ctx, s.Entry().URL+never)
	took := time.Since(began)
	switch {
	case err != nil:
		return err
	case code != http.StatusNotFound:
		return fmt.Errorf("a look at an order that never was is answered with status %d, not 404", code)
	case took > inTime:
		return fmt.Errorf("the answer took %v, more than %v", took.Round(time.Millisecond), inTime)
	}
	return nil
}

// ownSettings are those that each node has for itself; those of which the
// topology gives each node another value are, too.
var ownSettings = []string{"NODE", "HOSTNAME", "PWD", "OLDPWD", "SHLVL", "_"}

// oneVersion asks each node for the environment that its process has, without
// passwords: its version is among it.
func oneVersion(ctx context.Context, s *System) error {
	var mu sync.Mutex
	settings := map[string]map[string]string{}
	err := s.onEach(topology.Application, func(n topology.Node, ns topology.NodeSpec) error {
		code, _, page, err := s.get(ctx, nodeURL(ns)+"/health/settings")
		if err != nil {
			return unseen{err}
		}
		var own map[string]string
		if err := json.Unmarshal([]byte(page), &own); err != nil || code != http.StatusOK {
			return fmt.Errorf("it does not tell its settings (status %d)", code)
		}
		mu.Lock()
		defer mu.Unlock()
		settings[n.Name()] = own
		return nil
	})
	if err != nil {
		return err
	}
	return differing(settings, s.spec)
}

// differing is the first setting that the nodes do not agree on, as an error; the
// version comes before the others.
func differing(settings map[string]map[string]string, spec topology.Spec) error {
	own := slices.Clone(ownSettings)
	planned := map[string]string{}
	for _, n := range spec.Nodes {
		if n.Role != topology.Application {
			continue
		}
		for key, value := range n.Env {
			if before, ok := planned[key]; ok && before != value {
				own = append(own, key)
			}
			planned[key] = value
		}
	}
	all := map[string]bool{}
	for _, env := range settings {
		for key := range env {
			all[key] = true
		}
	}
	nodes := slices.Sorted(maps.Keys(settings))
	for _, key := range append([]string{"VERSION"}, slices.Sorted(maps.Keys(all))...) {
		if slices.Contains(own, key) {
			continue
		}
		for _, n := range nodes[min(1, len(nodes)):] {
			a, b := settings[nodes[0]][key], settings[n][key]
			if a != b {
				return fmt.Errorf("%s is %q on %s and %q on %s", key, shortened(a), nodes[0], shortened(b), n)
			}
		}
	}
	return nil
}

func databaseAnswers(ctx context.Context, s *System) error {
	return s.gauge(ctx, "hachaos_database_reachable", func(v float64) error {
		if v != 1 {
			return errors.New("it does not reach its database")
		}
		return nil
	})
}

func poolsFree(ctx context.Context, s *System) error {
	return s.gauge(ctx, "hachaos_pool_waiting", func(v float64) error {
		if v > 0 {
			return fmt.Errorf("%v requests wait for a connection to the database", v)
		}
		return nil
	})
}

// gauge looks at a gauge of each application node.
func (s *System) gauge(ctx context.Context, name string, judge func(float64) error) error {
	return s.onEach(topology.Application, func(_ topology.Node, ns topology.NodeSpec) error {
		code, _, page, err := s.get(ctx, nodeURL(ns)+"/metrics")
		if err != nil {
			return unseen{err}
		}
		if code != http.StatusOK {
			return unseen{fmt.Errorf("it does not tell its metrics: status %d", code)}
		}
		v, err := sample(page, name)
		if err != nil {
			return err
		}
		return judge(v)
	})
}

// sample is the value of a metric without labels in Prometheus's text format.
func sample(page, name string) (float64, error) {
	for line := range strings.Lines(page) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == name {
			return strconv.ParseFloat(fields[1], 64)
		}
	}
	return 0, fmt.Errorf("it says nothing of %s", name)
}

// fullest is how full a file system may be, in percent.
const fullest = 80

func diskFree(ctx context.Context, s *System) error {
	return s.onEach(topology.Database, func(n topology.Node, ns topology.NodeSpec) error {
		argv := []string{"df", "-P"}
		for path := range ns.Tmpfs {
			argv = append(argv, path)
		}
		argv = append(argv, ns.Disks...)
		if len(argv) == 2 {
			argv = append(argv, "/")
		}
		out, err := output(ctx, n, argv...)
		if err != nil {
			return err
		}
		return readDisks(out)
	})
}

// readDisks reads what `df -P` says (POSIX.1-2017, df: the fifth column is the
// capacity in percent, the sixth where it is mounted).
func readDisks(out string) error {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) < 2 {
		return errors.New("df says nothing")
	}
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		if len(fields) < 6 {
			return fmt.Errorf("df says %q", line)
		}
		used, err := strconv.Atoi(strings.TrimSuffix(fields[4], "%"))
		if err != nil {
			return fmt.Errorf("df says %q", line)
		}
		if used > fullest {
			return fmt.Errorf("%s is %d %% full, more than %d %%", fields[5], used, fullest)
		}
	}
	return nil
}

// query asks each database, as its superuser.
func (s *System) query(ctx context.Context, sql string, judge func(answer string) error) error {
	return s.onEach(topology.Database, func(n topology.Node, _ topology.NodeSpec) error {
		out, err := output(ctx, n, "psql", "-X", "-At", "-U", databaseUser, "-d", databaseName, "-c", sql)
		if err != nil {
			return err
		}
		return judge(strings.TrimSpace(out))
	})
}

// How the built-in topology's database is reached in its own container.
const (
	databaseUser = "hachaos"
	databaseName = "jetty_sessions"
)

func writesTaken(ctx context.Context, s *System) error {
	return s.query(ctx, "SHOW transaction_read_only", func(answer string) error {
		if answer != "off" {
			return fmt.Errorf("a new transaction has transaction_read_only %s", answer)
		}
		return nil
	})
}

func ordersTaken(ctx context.Context, s *System) error {
	return s.query(ctx, "SELECT count(*) > 0 FROM orders WHERE created_at > now() - interval '5 seconds'", func(answer string) error {
		if answer != "t" {
			return errors.New("no order was written in the last 5s")
		}
		return nil
	})
}

// sessionCookie is the name of the cookie that carries a session (Jakarta Servlet
// 6.0, 7.1.1).
const sessionCookie = "JSESSIONID"

// sessionsSaved begins a session where the users do, and reads it at each
// application node. It expires there like any other.
func sessionsSaved(ctx context.Context, s *System) error {
	code, head, page, err := s.ask(ctx, http.MethodPost, s.Entry().URL+"/session", "")
	if err != nil {
		return err
	}
	if code != http.StatusOK {
		return fmt.Errorf("no session can be begun: status %d", code)
	}
	saved, err := sessionCount(page)
	if err != nil {
		return err
	}
	id := sessionOf(head)
	if id == "" {
		return errors.New("a session was begun, and the answer has no cookie")
	}
	return s.onEach(topology.Application, func(_ topology.Node, ns topology.NodeSpec) error {
		code, _, page, err := s.ask(ctx, http.MethodGet, nodeURL(ns)+"/session", id)
		if err != nil {
			return unseen{err}
		}
		if code != http.StatusOK {
			return fmt.Errorf("it does not read a session that was just saved: status %d", code)
		}
		if read, err := sessionCount(page); err != nil || read != saved {
			return errors.Join(err, fmt.Errorf("it reads %d of a session in which %d was saved", read, saved))
		}
		return nil
	})
}

// sessionOf is the session that an answer begins, without the name of a server that a
// balancer puts before it (HAProxy 3.0 Configuration Manual, "cookie", prefix).
func sessionOf(head http.Header) string {
	for _, c := range (&http.Response{Header: head}).Cookies() {
		if c.Name == sessionCookie {
			if _, id, prefixed := strings.Cut(c.Value, "~"); prefixed {
				return id
			}
			return c.Value
		}
	}
	return ""
}

// sessionCount is the count that an answer gives, by the name that version 1 or
// version 2 has for it.
func sessionCount(page string) (int, error) {
	var seen struct{ Count, Visits *int }
	if err := json.Unmarshal([]byte(page), &seen); err != nil {
		return 0, fmt.Errorf("what the application says of a session: %w", err)
	}
	switch {
	case seen.Count != nil:
		return *seen.Count, nil
	case seen.Visits != nil:
		return *seen.Visits, nil
	}
	return 0, errors.New("the application does not say what is in a session")
}

// unsettled counts the keys under which several orders are, and those that were
// taken and led to nothing that is known, two seconds later: one that is being
// placed is not seen by others before its commit.
const unsettled = `SELECT
(SELECT count(*) FROM (SELECT FROM orders GROUP BY tenant_id, idempotency_key HAVING count(*) > 1) AS twice),
(SELECT count(*) FROM api_idempotency WHERE status = 'started' AND created_at < timezone('UTC', now()) - interval '2 seconds')`

func ordersSettled(ctx context.Context, s *System) error {
	return s.query(ctx, unsettled, func(answer string) error {
		twice, unknown, ok := strings.Cut(answer, "|")
		switch {
		case !ok:
			return fmt.Errorf("the database says %q of the orders", shortened(answer))
		case twice != "0":
			return fmt.Errorf("under %s keys there are several orders", twice)
		case unknown != "0":
			return fmt.Errorf("of %s orders the outcome is unknown", unknown)
		}
		return nil
	})
}

// heldTables counts the sessions that keep a table from those who write it
// (PostgreSQL 17 Documentation, table 13.2: the modes that conflict with ROW
// EXCLUSIVE) and whose transaction is older than two seconds.
const heldTables = `SELECT count(DISTINCT a.pid) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'relation' AND l.granted AND a.backend_type = 'client backend'
AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
AND a.xact_start < now() - interval '2 seconds'`

func locksFree(ctx context.Context, s *System) error {
	return s.query(ctx, heldTables, func(answer string) error {
		if answer != "0" {
			return fmt.Errorf("%s sessions have kept a table from those who write it for more than two seconds", answer)
		}
		return nil
	})
}

func vipOneOwner(ctx context.Context, s *System) error {
	var mu sync.Mutex
	var owners []string
	hidden := false
	err := s.onEach(topology.Balancer, func(n topology.Node, ns topology.NodeSpec) error {
		addresses, err := output(ctx, n, "ip", "-4", "-o", "addr", "show")
		if err != nil {
			mu.Lock()
			hidden = hidden || isUnseen(err)
			mu.Unlock()
			return err
		}
		if strings.Contains(addresses, " "+s.spec.VIP.String()+"/") {
			mu.Lock()
			owners = append(owners, n.Name())
			mu.Unlock()
		}
		if err := keepalivedRuns(ctx, n); err != nil {
			return err
		}
		_, err = s.servers(ctx, ns.Addr)
		return err
	})
	if len(owners) != 1 && !hidden {
		slices.Sort(owners)
		return fmt.Errorf("%d balancers own the VIP: %s", len(owners), strings.Join(owners, ", "))
	}
	return err
}

// keepalivedRuns looks whether keepalived is there, and not stopped by a signal.
func keepalivedRuns(ctx context.Context, n topology.Node) error {
	out, err := n.Exec(ctx, "ps", "-C", "keepalived", "-o", "stat=")
	switch {
	case err != nil:
		return asUnseen(err)
	case strings.TrimSpace(string(out.Stdout)) == "":
		return errors.New("keepalived does not run")
	case strings.ContainsAny(string(out.Stdout), "Tt"):
		return errors.New("keepalived is stopped by a signal")
	}
	return nil
}

func nodeURL(ns topology.NodeSpec) string {
	port := ns.Port
	if port == 0 {
		port = nodePort
	}
	return "http://" + netip.AddrPortFrom(ns.Addr, uint16(port)).String()
}

// get asks once, on a connection of its own, and reads the beginning of the
// answer.
func (s *System) get(ctx context.Context, url string) (code int, head http.Header, body string, err error) {
	return s.ask(ctx, http.MethodGet, url, "")
}

// ask is get with another method, and with this session; empty is none.
func (s *System) ask(ctx context.Context, method, url, session string) (code int, head http.Header, body string, err error) {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: topology.Dial(s.Cluster)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, nil, "", err
	}
	if session != "" {
		req.AddCookie(&http.Cookie{Name: sessionCookie, Value: session})
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, resp.Header, string(text), err
}
