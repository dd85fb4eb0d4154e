package fault

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// rolledStack are application nodes j1, j2, … behind balancers lb1, lb2, … that
// keep what is done to them. It records undos, too, so that acts has both in their
// order. It is used in virtual time.
type rolledStack struct {
	mu        sync.Mutex
	apps      []*rolledApp
	balancers []*rolledBalancer
	acts      []rolledAct
	undos     []Entry
	// breaks says which of the acts and looks fail, by their words.
	breaks func(what string) bool
}

// rolledAct is what was done: "lb1 set server nodes/j1 state drain", "j1 replace
// deploy", "record server-out lb1 nodes/j1".
type rolledAct struct {
	what string
	at   time.Time
}

var errRolled = errors.New("the test has it fail")

// rolled is a stack of so many nodes, in which all is well.
func rolled(apps, balancers int) *rolledStack {
	s := &rolledStack{breaks: func(string) bool { return false }}
	for i := range apps {
		s.addApp(fmt.Sprintf("j%d", i+1))
	}
	for i := range balancers {
		s.addBalancer(fmt.Sprintf("lb%d", i+1))
	}
	return s
}

// rolledNode is a container that serves, and that has no namespace to act in.
type rolledNode struct {
	topology.Container
	served *stub
}

func newRolledNode(n *stub) rolledNode { return rolledNode{n, n} }

func (n rolledNode) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return n.served.DialContext(ctx, network, address)
}

// Addr is where it serves.
func (n rolledNode) Addr() netip.Addr { return n.served.Addr() }

// Port is the one that it serves.
func (n rolledNode) Port() int { return n.served.Port() }

// Start has the container run.
func (n rolledNode) Start(context.Context) error { n.served.state = up; return nil }

// rolledApp is an application node. Its process opens its port when it starts, and
// is ready after boot, unless it is broken.
type rolledApp struct {
	rolledNode
	stack          *rolledStack
	kind           string // of the release that is noted
	env            map[string]string
	noted, started time.Time
	boot           time.Duration
	broken, down   bool
	slow           time.Duration // until it answers
	settings       string        // in the place of its own account
}

func (s *rolledStack) addApp(name string) {
	a := &rolledApp{stack: s, boot: 2 * time.Second, started: time.Now().Add(-time.Minute)}
	a.rolledNode = newRolledNode(&stub{name: name, role: topology.Application, port: 8080, state: up, exec: a.exec, dialed: a.dial})
	s.apps = append(s.apps, a)
}

// runs says whether its process does, and ready whether that wants requests.
func (a *rolledApp) runs() bool {
	return a.served.state.Running && !a.down && !time.Now().Before(a.started)
}

func (a *rolledApp) ready() bool {
	return a.runs() && !a.broken && time.Since(a.started) >= a.boot
}

// exec is what the scripts of a release do.
func (a *rolledApp) exec(argv []string) (topology.Output, error) {
	a.stack.mu.Lock()
	defer a.stack.mu.Unlock()
	switch script := argv[2]; {
	case slices.Equal(argv[:2], []string{"/bin/sh", "-c"}) && script == released:
		if a.stack.breaks(a.Name() + " released") {
			return topology.Output{Code: 1, Stderr: []byte(errRolled.Error())}, nil
		}
		return text("%s\n%s\n%s\n", cmp.Or(a.kind, "-"), epochOf(a.noted), epochOf(a.started))
	case script == replace:
		if a.stack.does(a.Name() + " replace " + argv[5]) {
			return topology.Output{Code: 1, Stderr: []byte(errRolled.Error())}, nil
		}
		a.env, a.kind, a.noted = map[string]string{}, argv[5], time.Now()
		for line := range strings.Lines(argv[4]) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			a.env[key] = strings.Trim(value, "'")
		}
		a.started, a.down = a.noted, false
		return topology.Output{}, nil
	case script == restore:
		if a.stack.does(a.Name() + " restore " + argv[5]) {
			return topology.Output{Code: 1, Stderr: []byte(errRolled.Error())}, nil
		}
		if a.down || a.kind != "" && a.kind != argv[4] {
			a.started, a.down = time.Now(), false
		}
		a.kind, a.env, a.noted = "", nil, time.Time{}
		return topology.Output{}, nil
	}
	return topology.Output{}, errUnasked
}

func (a *rolledApp) dial(address string) (net.Conn, error) {
	a.stack.mu.Lock()
	defer a.stack.mu.Unlock()
	if !strings.HasSuffix(address, ":8080") {
		return nil, errUnasked
	}
	if !a.runs() {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	return answering(func(path string) string {
		time.Sleep(a.slow)
		status, body, version := a.says(path)
		return fmt.Sprintf("HTTP/1.1 %s\r\nConnection: close\r\nX-Hachaos-Version: %s\r\nContent-Length: %d\r\n\r\n%s", status, version, len(body), body)
	}), nil
}

func (a *rolledApp) says(path string) (status, body, version string) {
	a.stack.mu.Lock()
	defer a.stack.mu.Unlock()
	version = cmp.Or(a.env["VERSION"], firstVersion)
	switch {
	case a.stack.breaks(a.Name() + " GET " + path):
		return "500 Internal Server Error", "it fails\n", version
	case path == "/health/ready" && !a.ready():
		return "503 Service Unavailable", "starting\n", version
	case path == "/health/settings":
		all := map[string]string{"POOL_SIZE": "10", "READY_LIMIT_MS": "300"}
		maps.Copy(all, a.env)
		account, _ := json.Marshal(all)
		return "200 OK", cmp.Or(a.settings, string(account)), version
	}
	return "200 OK", "ok\n", version
}

// rolledBalancer is a balancer whose runtime socket keeps the servers' states.
type rolledBalancer struct {
	rolledNode
	stack   *rolledStack
	servers []*rolledServer
	notes   map[string]string
	gone    bool          // no HAProxy runs
	slow    time.Duration // until it replies, from outside
}

// rolledServer is a server as a balancer has it. It is up when its node has been
// ready for rise.
type rolledServer struct {
	app             *rolledApp
	state           string
	weight, initial int
	rise            time.Duration
	unchecked       bool
	drifts          int    // by which each look at its weight changes that
	status          string // in the place of what follows from the rest
	chosen, total   int
	chooses, sends  int       // so many more by each look
	current, queued int       // requests, until busyTo
	busyTo          time.Time // of current and queued
}

func (s *rolledStack) addBalancer(name string) {
	b := &rolledBalancer{stack: s, notes: map[string]string{}}
	b.rolledNode = newRolledNode(&stub{name: name, role: topology.Balancer, port: 8080, state: up, exec: b.exec, dialed: b.dial})
	for _, a := range s.apps {
		b.servers = append(b.servers, &rolledServer{app: a, state: stateReady, weight: 100, initial: 100, rise: 300 * time.Millisecond})
	}
	s.balancers = append(s.balancers, b)
}

func (v *rolledServer) shown() string {
	switch {
	case v.status != "":
		return v.status
	case v.state == stateMaint:
		return "MAINT"
	case v.state == stateDrain:
		return "DRAIN"
	case v.unchecked:
		return "no check"
	case v.app.ready() && time.Since(v.app.started) >= v.app.boot+v.rise:
		return "UP"
	}
	return "DOWN"
}

// tell carries out a command of the runtime socket.
func (b *rolledBalancer) tell(command string) string {
	b.stack.mu.Lock()
	defer b.stack.mu.Unlock()
	act := b.Name() + " " + command
	if command == showServers {
		if b.stack.breaks(act) {
			return "it fails\n"
		}
		return b.stat()
	}
	word := strings.Fields(command + " - - -")
	i := slices.IndexFunc(b.servers, func(v *rolledServer) bool {
		return slices.Contains(word, defaultBackend+"/"+v.app.Name())
	})
	if i < 0 {
		return "No such server.\n"
	}
	v := b.servers[i]
	if strings.HasPrefix(command, "get weight ") {
		if b.stack.breaks(act) {
			return "it fails\n"
		}
		v.weight += v.drifts
		return fmt.Sprintf("%d (initial %d)\n\n", v.weight-v.drifts, v.initial)
	}
	if b.stack.does(act) {
		return "it fails\n"
	}
	switch {
	case strings.HasPrefix(command, "set server ") && word[3] == "state":
		v.state = word[4]
	case strings.HasPrefix(command, "set weight ") && word[3] == "100%":
		v.weight = v.initial
	case strings.HasPrefix(command, "set weight "):
		v.weight, _ = strconv.Atoi(word[3])
	case strings.HasPrefix(command, "disable health "):
		v.unchecked = true
	case strings.HasPrefix(command, "enable health "):
		v.unchecked = false
	default:
		return "Unknown command.\n"
	}
	return "\n"
}

func (b *rolledBalancer) stat() string {
	out := "# pxname,svname,qcur,scur,stot,status,weight,lbtot,\n"
	for _, v := range b.servers {
		v.chosen, v.total = v.chosen+v.chooses, v.total+v.sends
		current, queued := v.current, v.queued
		if !time.Now().Before(v.busyTo) {
			current, queued = 0, 0
		}
		out += fmt.Sprintf("nodes,%s,%d,%d,%d,%s,%d,%d,\n", v.app.Name(), queued, current, v.total, v.shown(), v.weight, v.chosen)
	}
	return out + "\n"
}

// dial is the runtime socket from outside.
func (b *rolledBalancer) dial(address string) (net.Conn, error) {
	if !strings.HasSuffix(address, ":9999") {
		return nil, errUnasked
	}
	if b.gone {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		line, err := bufio.NewReader(there).ReadString('\n')
		if err != nil {
			return
		}
		time.Sleep(b.slow)
		_, _ = there.Write([]byte(b.tell(strings.TrimSuffix(line, "\n"))))
	}()
	return here, nil
}

// exec is the runtime socket from inside, as the scripts reach it.
func (b *rolledBalancer) exec(argv []string) (topology.Output, error) {
	switch {
	case !slices.Equal(argv[:2], []string{"bash", "-c"}):
		return topology.Output{}, errUnasked
	case b.gone:
		return topology.Output{Code: noSocket}, nil
	case argv[2] == inquire:
		first := b.tell(argv[4])
		return text("%s\n--\n%s\n--\n%s\n", first, b.tell(argv[4]), cmp.Or(b.notes[argv[5]], "-"))
	case argv[2] == tell:
		return b.told(argv[4], argv[5])
	case argv[2] == untell:
		delete(b.notes, argv[5])
		state, server := stateReady, argv[4][strings.Index(argv[4], "/")+1:]
		if b.notes["drain."+server] != "" {
			state = stateDrain
		}
		if b.notes["maintenance."+server] != "" {
			state = stateMaint
		}
		return b.told("set server "+argv[4]+" state "+state, "")
	}
	return topology.Output{}, errUnasked
}

func (b *rolledBalancer) told(command, note string) (topology.Output, error) {
	if reply := strings.TrimSpace(b.tell(command)); reply != "" {
		return topology.Output{Code: 1, Stderr: []byte("HAProxy: " + reply)}, nil
	}
	if note != "" {
		b.stack.mu.Lock()
		defer b.stack.mu.Unlock()
		now := time.Now()
		b.notes[note] = fmt.Sprintf("%d.%06d %d.%06d", now.Unix(), now.Nanosecond()/1e3, now.Unix(), now.Nanosecond()/1e3+1e3)
	}
	return topology.Output{}, nil
}

// does notes an act and says whether it fails.
func (s *rolledStack) does(what string) bool {
	s.acts = append(s.acts, rolledAct{what, time.Now()})
	return s.breaks(what)
}

// Record keeps an undo.
func (s *rolledStack) Record(e Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.does(strings.TrimSpace("record " + e.Undo + " " + e.Node + " " + e.Params["server"])) {
		return errRolled
	}
	s.undos = append(s.undos, e)
	return nil
}

// did are the acts, without what was recorded.
func (s *rolledStack) did() (out []string) {
	for _, a := range s.acts {
		if !strings.HasPrefix(a.what, "record ") {
			out = append(out, a.what)
		}
	}
	return out
}

// recorded are the undos.
func (s *rolledStack) recorded() (out []string) {
	for _, e := range s.undos {
		out = append(out, strings.TrimSpace(e.Undo+" "+e.Node+" "+e.Params["server"]))
	}
	return out
}

// at is when an act came for the first time, from the first act of all.
func (s *rolledStack) at(t *testing.T, what string) time.Duration {
	t.Helper()
	i := slices.IndexFunc(s.acts, func(a rolledAct) bool { return a.what == what })
	require.GreaterOrEqual(t, i, 0, "never: %s", what)
	return s.acts[i].at.Sub(s.acts[0].at)
}

// nodes are all targets, application nodes first.
func (s *rolledStack) nodes() (out []topology.Node) {
	for _, a := range s.apps {
		out = append(out, a)
	}
	for _, b := range s.balancers {
		out = append(out, b)
	}
	return out
}

// server is a balancer's, by their numbers.
func (s *rolledStack) server(balancer, app int) *rolledServer {
	return s.balancers[balancer-1].servers[app-1]
}

// undo undoes all that was recorded, twice: the second time changes nothing. Then
// the balancers have a moment to notice.
func (s *rolledStack) undo(t *testing.T) {
	t.Helper()
	for range 2 {
		require.NoError(t, UndoAll(t.Context(), s.nodes(), s.undos))
	}
	time.Sleep(time.Second)
}

// rolledProof is a proof that has time for a few looks, and does not end amid one.
func rolledProof(t *testing.T, look looking, nodes []topology.Node) Proof {
	t.Helper()
	return seeFor(t, 3*poll-poll/2, look, nodes)
}

// rolledHow is what a proof observed, in one text.
func rolledHow(p Proof) string { return strings.Join(p.How, "\n") }

// rolledOrders are what both balancers are told of servers.
func rolledOrders(state string, servers ...string) (out []string) {
	for _, server := range servers {
		for _, b := range []string{"lb1", "lb2"} {
			out = append(out, b+" set server nodes/"+server+" state "+state)
		}
	}
	return out
}

// rolledCourse is the good way for one node, after its undos.
func rolledCourse(kind, server string) []string {
	out := []string{
		"record server-ready lb1 nodes/" + server, "record server-ready lb2 nodes/" + server,
		"record unreleased " + server, "record server-out lb1 nodes/" + server, "record server-out lb2 nodes/" + server,
	}
	return slices.Concat(out, rolledOrders("drain", server), rolledOrders("maint", server), []string{server + " replace " + kind}, rolledOrders("ready", server))
}

// words are all acts, those of recording among them.
func (s *rolledStack) words() (out []string) {
	for _, a := range s.acts {
		out = append(out, a.what)
	}
	return out
}

// The undo of a deployment leaves alone what another did to a server's weight.
func TestADeploymentLeavesWeightsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(2, 2)
		s.server(1, 1).weight = 10
		require.NoError(t, Deploy{Version: "2"}.Inject(t.Context(), s.nodes(), s))
		s.undo(t)
		require.Equal(t, 10, s.server(1, 1).weight)
	})
}

func TestARolloutGoesNodeByNodeAndTheUndoBringsAllBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(2, 2)
		require.NoError(t, Deploy{Version: "2"}.Inject(t.Context(), s.nodes(), s))
		require.Equal(t, slices.Concat(rolledCourse("deploy", "j1"), rolledCourse("deploy", "j2")), s.words())
		require.Equal(t, "2", s.apps[0].env["VERSION"])
		require.Equal(t, "UP", s.server(2, 2).shown(), "it awaited that the last is served")

		s.acts = nil
		require.NoError(t, UndoAll(t.Context(), s.nodes(), s.undos))
		require.Equal(t, slices.Concat(
			[]string{"lb2 set server nodes/j2 state maint", "lb1 set server nodes/j2 state maint", "j2 restore 90"},
			[]string{"lb2 set server nodes/j2 state ready", "lb1 set server nodes/j2 state ready"},
			[]string{"lb2 set server nodes/j1 state maint", "lb1 set server nodes/j1 state maint", "j1 restore 90"},
			[]string{"lb2 set server nodes/j1 state ready", "lb1 set server nodes/j1 state ready"},
		), s.words())
		s.undo(t)
		p := rolledProof(t, Deploy{Version: "2"}.Healed, s.nodes())
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "no release left, served again", p.Asked)
	})
}

func TestTheStepsOfARolloutTakeTheirTime(t *testing.T) {
	for name, tc := range map[string]struct {
		how                  Rollout
		set                  func(*rolledStack)
		maint, replace, back time.Duration // of j1, from the first act
		second               time.Duration // of j2, likewise
	}{
		"by default":    {Rollout{}, func(*rolledStack) {}, time.Second, time.Second, 3 * time.Second, 3300 * time.Millisecond},
		"a long linger": {Rollout{Linger: 4 * time.Second}, func(*rolledStack) {}, 4 * time.Second, 4 * time.Second, 6 * time.Second, 6300 * time.Millisecond},
		"a pause":       {Rollout{Pause: 7 * time.Second}, func(*rolledStack) {}, time.Second, time.Second, 3 * time.Second, 10300 * time.Millisecond},
		"it waits until the node is empty": {Rollout{}, func(s *rolledStack) {
			s.server(2, 1).current, s.server(2, 1).queued, s.server(2, 1).busyTo = 1, 1, time.Now().Add(3*time.Second)
		}, time.Second, 3 * time.Second, 5 * time.Second, 5300 * time.Millisecond},
		"one that is queued counts": {Rollout{}, func(s *rolledStack) {
			s.server(1, 1).queued, s.server(1, 1).busyTo = 1, time.Now().Add(2*time.Second)
		}, time.Second, 2 * time.Second, 4 * time.Second, 4300 * time.Millisecond},
		"it does not wait longer than the grace": {Rollout{}, func(s *rolledStack) {
			s.server(1, 1).current, s.server(1, 1).busyTo = 1, time.Now().Add(time.Hour)
		}, time.Second, 6 * time.Second, 8 * time.Second, 8300 * time.Millisecond},
		"a short grace": {Rollout{Grace: 500 * time.Millisecond}, func(s *rolledStack) {
			s.server(1, 1).current, s.server(1, 1).busyTo = 1, time.Now().Add(time.Hour)
		}, time.Second, 1500 * time.Millisecond, 3500 * time.Millisecond, 3800 * time.Millisecond},
		"it waits until the node is ready": {
			Rollout{},
			func(s *rolledStack) { s.apps[0].boot = 9950 * time.Millisecond },
			time.Second, time.Second, 10950 * time.Millisecond, 11250 * time.Millisecond,
		},
		"it waits until every balancer serves it": {
			Rollout{},
			func(s *rolledStack) { s.server(1, 1).rise = 5 * time.Second },
			time.Second, time.Second, 3 * time.Second, 8 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(2, 2)
				tc.set(s)
				require.NoError(t, Deploy{Version: "2", Rollout: tc.how}.Inject(t.Context(), s.nodes(), s))
				require.Equal(t, tc.maint, s.at(t, "lb1 set server nodes/j1 state maint"))
				require.Equal(t, tc.replace, s.at(t, "j1 replace deploy"))
				require.Equal(t, tc.back, s.at(t, "lb1 set server nodes/j1 state ready"))
				require.Equal(t, tc.second, s.at(t, "lb1 set server nodes/j2 state drain"))
				require.Equal(t, tc.second, s.at(t, "record server-ready lb1 nodes/j2"), "its undos come after the pause, too")
			})
		})
	}
}

func TestARolloutCanGoTheBadWay(t *testing.T) {
	all := func(s *rolledStack) []topology.Node { return s.nodes() }
	alone := func(s *rolledStack) []topology.Node { return s.nodes()[:2] }
	never := func(s *rolledStack) { s.apps[0].broken, s.apps[0].slow = true, 7*time.Millisecond }
	for name, tc := range map[string]struct {
		how   Rollout
		set   func(*rolledStack)
		nodes func(*rolledStack) []topology.Node
		did   []string
		takes time.Duration // from the replacement of one node to that of the other
		err   string
	}{
		"without drain the balancers are not told": {
			Rollout{NoDrain: true},
			func(*rolledStack) {}, all,
			[]string{"j1 replace deploy", "j2 replace deploy"},
			2300 * time.Millisecond, "",
		},
		"without drain it needs none": {
			Rollout{NoDrain: true},
			func(*rolledStack) {}, alone,
			[]string{"j1 replace deploy", "j2 replace deploy"},
			2 * time.Second, "",
		},
		"without waiting it goes on at once": {
			Rollout{NoWait: true},
			never, all,
			slices.Concat(rolledOrders("drain", "j1"), rolledOrders("maint", "j1"), []string{"j1 replace deploy"}, rolledOrders("ready", "j1"),
				rolledOrders("drain", "j2"), rolledOrders("maint", "j2"), []string{"j2 replace deploy"}, rolledOrders("ready", "j2")),
			time.Second, "",
		},
		"it goes on after a node that is not ready, nor served": {
			Rollout{GoOn: true},
			never, all,
			slices.Concat(rolledOrders("drain", "j1"), rolledOrders("maint", "j1"), []string{"j1 replace deploy"}, rolledOrders("ready", "j1"),
				rolledOrders("drain", "j2"), rolledOrders("maint", "j2"), []string{"j2 replace deploy"}, rolledOrders("ready", "j2")),
			2*readyWithin + time.Second, "",
		},
		"it stops at a node that is not ready": {
			Rollout{},
			never, all,
			slices.Concat(rolledOrders("drain", "j1"), rolledOrders("maint", "j1"), []string{"j1 replace deploy"}),
			0, "deploy j1: j1 did not become ready (503 starting): context deadline exceeded",
		},
		"it stops at a node that is not served": {
			Rollout{},
			func(s *rolledStack) {
				s.server(2, 1).status, s.balancers[0].slow, s.balancers[1].slow = "NOLB", 7*time.Millisecond, 7*time.Millisecond
			}, all,
			slices.Concat(rolledOrders("drain", "j1"), rolledOrders("maint", "j1"), []string{"j1 replace deploy"}, rolledOrders("ready", "j1")),
			0, "deploy j1: j1 is not served again (lb2 holds it for NOLB): context deadline exceeded",
		},
		"it begins with the last": {
			Rollout{NoDrain: true, Reverse: true},
			func(*rolledStack) {}, alone,
			[]string{"j2 replace deploy", "j1 replace deploy"},
			-2 * time.Second, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(2, 2)
				tc.set(s)
				began := time.Now()
				err := Deploy{Version: "2", Rollout: tc.how}.Inject(t.Context(), tc.nodes(s), s)
				require.Equal(t, tc.did, s.did())
				if tc.err != "" {
					require.EqualError(t, err, tc.err)
					require.Less(t, time.Since(began), 15*time.Second)
					return
				}
				require.NoError(t, err)
				require.Equal(t, tc.takes, s.at(t, "j2 replace deploy")-s.at(t, "j1 replace deploy"))
			})
		})
	}
}

// rolledFaults are all deployments, of which each can be injected into a stack.
func rolledFaults() map[string]func() (Fault, *rolledStack) {
	return map[string]func() (Fault, *rolledStack){
		"deploy":    func() (Fault, *rolledStack) { return Deploy{Version: "2"}, rolled(2, 2) },
		"roll-back": func() (Fault, *rolledStack) { return RollBack{}, rolled(2, 2) },
		"config-drift": func() (Fault, *rolledStack) {
			return ConfigDrift{Set: map[string]string{"POOL_SIZE": "8"}}, rolled(2, 2)
		},
		"blue-green": func() (Fault, *rolledStack) { return BlueGreen{Version: "2"}, rolled(2, 2) },
		"canary": func() (Fault, *rolledStack) {
			s := rolled(2, 2)
			return Canary{Version: "2", Share: 20}, s
		},
	}
}

// targets are a deployment's: a canary's is one application node.
func (s *rolledStack) targets(f Fault) []topology.Node {
	if _, ok := f.(Canary); ok {
		return append([]topology.Node{s.apps[0]}, s.nodes()[len(s.apps):]...)
	}
	return s.nodes()
}

// TestADeploymentStopsAtTheFirstStepThatFails: whichever it is, of recording,
// ordering or replacing, it says so and by which node, and what has begun is undone.
func TestADeploymentStopsAtTheFirstStepThatFails(t *testing.T) {
	for name, of := range rolledFaults() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, s := of()
				require.NoError(t, f.Inject(t.Context(), s.targets(f), s))
				require.True(t, rolledProof(t, f.Active, s.targets(f)).OK)
				for _, step := range s.words() {
					f, s := of()
					s.breaks = func(what string) bool { return what == step }
					err := f.Inject(t.Context(), s.targets(f), s)
					require.Error(t, err, step)
					require.True(t, strings.HasPrefix(err.Error(), name), "%v", err)
					named := strings.Fields(step)[0]
					if named == "record" {
						named = step[strings.LastIndexAny(step, " /")+1:]
					}
					require.ErrorContains(t, err, named, step)
					require.ErrorContains(t, err, "it fail", "the cause: %s", step)
					require.Contains(t, s.words(), step)
					if name != "blue-green" { // which acts on several at once
						require.Equal(t, step, s.words()[len(s.acts)-1], "nothing comes after it")
					}
					s.breaks = func(string) bool { return false }
					s.undo(t)
					require.True(t, rolledProof(t, f.Healed, s.targets(f)).OK, step)
				}
			})
		})
	}
}

// TestADeploymentNeedsTheBalancersViews: without them it does not go on.
func TestADeploymentNeedsTheBalancersViews(t *testing.T) {
	for name, of := range rolledFaults() {
		for _, silent := range []string{"lb1", "lb2"} {
			for state, served := range map[string]bool{stateMaint: false, stateReady: true} {
				t.Run(name+" "+silent+" "+state, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						f, s := of()
						s.breaks = func(what string) bool {
							return what == silent+" "+showServers && slices.ContainsFunc(s.did(), func(act string) bool { return strings.HasSuffix(act, " state "+state) })
						}
						err := f.Inject(t.Context(), s.targets(f), s)
						require.ErrorContains(t, err, "balancer "+silent+": show stat: no header in \"it fails\\n\"")
						require.Equal(t, served, slices.ContainsFunc(s.did(), func(act string) bool { return strings.Contains(act, " replace ") }))
					})
				})
			}
		}
	}
}

// TestADeploymentIsRefusedBeforeAnyAct: of targets that are none, or cannot be had.
func TestADeploymentIsRefusedBeforeAnyAct(t *testing.T) {
	for name, of := range rolledFaults() {
		for what, tc := range map[string]struct {
			nodes func(*rolledStack, []topology.Node) []topology.Node
			err   string
			is    error
		}{
			"nobody":         {func(*rolledStack, []topology.Node) []topology.Node { return nil }, "no target", ErrNoTargets},
			"no balancer":    {func(s *rolledStack, _ []topology.Node) []topology.Node { return s.nodes()[:1] }, "no balancer among the targets", ErrNoTargets},
			"no application": {func(s *rolledStack, _ []topology.Node) []topology.Node { return s.nodes()[2:] }, "no application node among the targets", ErrNoTargets},
			"a database": {func(_ *rolledStack, all []topology.Node) []topology.Node {
				return append(all, &stub{name: "db", role: topology.Database, state: up})
			}, "node db is of role database: aim at application nodes and balancers", ErrCapability},
			"an application without a port": {func(s *rolledStack, all []topology.Node) []topology.Node {
				s.apps[0].served.port = 0
				return all
			}, "node j1: " + ErrCapability.Error() + " (an address that answers HTTP)", ErrCapability},
			"a balancer that is no container": {func(_ *rolledStack, all []topology.Node) []topology.Node {
				return append(all, rolledBare{})
			}, "node lb9: " + ErrCapability.Error() + " (a container)", ErrCapability},
			"an application that has ended": {func(s *rolledStack, all []topology.Node) []topology.Node {
				s.apps[0].served.state = topology.State{ExitCode: 3, FinishedAt: time.Now()}
				return all
			}, "j1: it had ended before, at 00:00:00.000000 with exit status 3", topology.ErrNotRunning},
			"a balancer that has ended": {func(s *rolledStack, all []topology.Node) []topology.Node {
				s.balancers[1].served.state = topology.State{}
				return all
			}, "lb2: it had ended before", topology.ErrNotRunning},
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f, s := of()
					err := f.Inject(t.Context(), tc.nodes(s, s.targets(f)), s)
					require.ErrorContains(t, err, tc.err)
					require.ErrorIs(t, err, tc.is)
					require.True(t, strings.HasPrefix(err.Error(), name+":") || strings.HasPrefix(err.Error(), name+" "), "%v", err)
					require.Empty(t, s.acts)
					if what == "nobody" {
						require.EqualError(t, err, name+": no target")
					}
					if what == "a balancer that is no container" || errors.Is(tc.is, topology.ErrNotRunning) {
						return // which a look need not mind
					}
					for _, look := range []func(context.Context, []topology.Node) (Proof, error){f.Active, f.Healed} {
						p, err := look(t.Context(), tc.nodes(s, s.targets(f)))
						require.ErrorContains(t, err, tc.err)
						require.Zero(t, p)
					}
				})
			})
		}
	}
}

// rolledBare is a balancer that is no container.
type rolledBare struct{}

func (rolledBare) Name() string        { return "lb9" }
func (rolledBare) Role() topology.Role { return topology.Balancer }
func (rolledBare) Addr() netip.Addr    { return netip.MustParseAddr("198.18.7.9") }
func (rolledBare) Exec(context.Context, ...string) (topology.Output, error) {
	return topology.Output{}, errUnasked
}

// TestADeploymentEndsWithItsTime: whatever it waits for.
func TestADeploymentEndsWithItsTime(t *testing.T) {
	for name, within := range map[string]time.Duration{
		"while it lingers":       500 * time.Millisecond,
		"while it becomes ready": 2 * time.Second,
		"between two nodes":      4 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(2, 1)
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), within)
				defer cancel()
				err := Deploy{Version: "2", Rollout: Rollout{Pause: 10 * time.Second}}.Inject(ctx, s.nodes(), s)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, within, time.Since(began))
				require.NotContains(t, s.words(), "record server-ready lb1 nodes/j2")
				require.Equal(t, within != 500*time.Millisecond, slices.Contains(s.did(), "j1 replace deploy"))
			})
		})
	}
}

// TestAGraceThatEndsAmidALookIsOver: the reply that comes too late is nobody's fault.
func TestAGraceThatEndsAmidALookIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(1, 1)
		s.balancers[0].slow = 400 * time.Millisecond
		s.server(1, 1).current, s.server(1, 1).busyTo = 1, time.Now().Add(time.Hour)
		require.NoError(t, Deploy{Version: "2", Rollout: Rollout{Grace: time.Second}}.Inject(t.Context(), s.nodes(), s))
		require.Equal(t, time.Second, s.at(t, "j1 replace deploy")-s.at(t, "lb1 set server nodes/j1 state maint"))
		time.Sleep(time.Second) // what still waits has ended
	})
}

// rolledWrong are ways in which a deployment of version 2 is none, or is half done.
var rolledWrong = map[string]struct {
	set      func(*rolledStack)
	measured string // of all; empty is what is right
	how      string // an observation
}{
	"another version":   {func(s *rolledStack) { s.apps[1].env["VERSION"] = "3" }, "j1: version 2; j2: version 3", "j2: its own answer names version 3"},
	"of another act":    {func(s *rolledStack) { s.apps[0].kind = "canary" }, "", `j1: the release that its process was started by is of kind "canary"`},
	"not started since": {func(s *rolledStack) { s.apps[0].noted = s.apps[0].started.Add(1) }, "", "noted at "},
	"no container": {
		func(s *rolledStack) { s.apps[0].served.state = topology.State{} }, "j1: container not running; j2: version 2; lb1: j1 DOWN; lb2: j1 DOWN",
		"j1: the engine says that the container does not run",
	},
	"no answer":           {func(s *rolledStack) { s.apps[0].down = true }, "j1: no answer; j2: version 2; lb1: j1 DOWN; lb2: j1 DOWN", "j1: its own answer: status 0"},
	"an error for answer": {func(s *rolledStack) { s.breaks = func(what string) bool { return what == "j2 GET /health/live" } }, "j1: version 2; j2: no answer", "j2: its own answer: status 500"},
	"not served":          {func(s *rolledStack) { s.server(2, 1).status = "DOWN 1/2" }, "j1: version 2; j2: version 2; lb2: j1 DOWN 1/2", "lb2: its view of j1 is DOWN 1/2, weight 100"},
	"not served twice":    {func(s *rolledStack) { s.server(1, 2).state, s.server(2, 2).state = stateMaint, stateDrain }, "j1: version 2; j2: version 2; lb1: j2 MAINT; lb2: j2 DRAIN", "lb1: its view of j2 is MAINT"},
	"a silent balancer":   {func(s *rolledStack) { s.balancers[0].gone = true }, "j1: version 2; j2: version 2; lb1: no answer", "lb1: its runtime socket: balancer lb1: dial tcp: connect: connection refused"},
}

func TestADeploymentIsProvenByEveryNodeAndBalancer(t *testing.T) {
	prepared := func(t *testing.T) *rolledStack {
		s := rolled(2, 2)
		require.NoError(t, Deploy{Version: "2"}.Inject(t.Context(), s.nodes(), s))
		return s
	}
	synctest.Test(t, func(t *testing.T) {
		s := prepared(t)
		p := rolledProof(t, Deploy{Version: "2"}.Active, s.nodes())
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "version 2 on 2 nodes", p.Asked)
		require.Equal(t, "j1: version 2; j2: version 2", p.Measured)
		require.Equal(t, []string{
			"j1: its own answer names version 2",
			`j1: the release that its process was started by is of kind "deploy", noted at 00:00:01.000000; the process started at 00:00:01.000000`,
			"j2: its own answer names version 2",
			`j2: the release that its process was started by is of kind "deploy", noted at 00:00:04.300000; the process started at 00:00:04.300000`,
			"lb1: its view of j1 is UP, weight 100", "lb1: its view of j2 is UP, weight 100",
			"lb2: its view of j1 is UP, weight 100", "lb2: its view of j2 is UP, weight 100",
		}, p.How)
		require.Zero(t, p.From)
		require.True(t, p.To.Equal(s.apps[1].started), "the last of the starts")
		require.False(t, rolledProof(t, Deploy{Version: "2"}.Healed, s.nodes()).OK)
		require.False(t, rolledProof(t, Deploy{Version: "22"}.Active, s.nodes()).OK)
	})
	for name, tc := range rolledWrong {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := prepared(t)
				tc.set(s)
				p := rolledProof(t, Deploy{Version: "2"}.Active, s.nodes())
				require.False(t, p.OK, "%+v", p)
				require.Equal(t, cmp.Or(tc.measured, "j1: version 2; j2: version 2"), p.Measured)
				require.Contains(t, rolledHow(p), tc.how)
			})
		})
	}
}

// TestTheLastWholeLookStands: the one that the end of the time broke off says nothing.
func TestTheLastWholeLookStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := rolled(1, 1), Deploy{Version: "2"}
		require.NoError(t, f.Inject(t.Context(), s.nodes(), s))
		s.server(1, 1).status, s.balancers[0].slow = "NOLB", 30*time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond+poll+15*time.Millisecond)
		defer cancel()
		p, err := f.Active(ctx, s.nodes())
		require.NoError(t, err)
		require.False(t, p.OK)
		require.Equal(t, "j1: version 2; lb1: j1 NOLB", p.Measured)
		time.Sleep(time.Second) // what still waits has ended
	})
}

// TestADeploymentIsOverWhenNothingOfItIsLeft: neither a release nor an order.
func TestADeploymentIsOverWhenNothingOfItIsLeft(t *testing.T) {
	for name, tc := range map[string]struct {
		set func(*rolledStack)
		how string
	}{
		"a note":          {func(s *rolledStack) { s.apps[0].kind = "deploy" }, `j1: no release is noted on it ("deploy")`},
		"a node is down":  {func(s *rolledStack) { s.apps[0].served.state = topology.State{} }, "j1: the engine says that the container does not run"},
		"one is not back": {func(s *rolledStack) { s.server(2, 1).state = stateMaint }, "lb2: its view of j1 is MAINT"},
	} {
		for kind, of := range rolledFaults() {
			t.Run(kind+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f, s := of()
					targets := s.targets(f)
					require.True(t, rolledProof(t, f.Healed, targets).OK)
					tc.set(s)
					p := rolledProof(t, f.Healed, targets)
					require.False(t, p.OK, "%+v", p)
					require.Contains(t, rolledHow(p), tc.how)
					require.NotEmpty(t, p.Measured)
				})
			})
		}
	}
}

// TestALookThatCannotBeHadIsAnError: of the node, which is named.
func TestALookThatCannotBeHadIsAnError(t *testing.T) {
	for name, of := range rolledFaults() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, s := of()
				for _, n := range s.targets(f) {
					if n.Role() != topology.Application {
						continue
					}
					s.breaks = func(what string) bool { return what == n.Name()+" released" }
					for _, look := range []func(context.Context, []topology.Node) (Proof, error){f.Active, f.Healed} {
						ctx, cancel := context.WithTimeout(t.Context(), 3*poll)
						p, err := look(ctx, s.targets(f))
						cancel()
						require.EqualError(t, err, n.Name()+": exit status 1: "+errRolled.Error())
						require.Zero(t, p)
					}
				}
			})
		})
	}
}

func TestTheApplicationNodesSufferADeployment(t *testing.T) {
	app, balancer := role(topology.Application), role(topology.Balancer)
	for _, f := range []Directed{Deploy{}, RollBack{}, ConfigDrift{}, Canary{}, BlueGreen{}, Drain{}, Maintenance{}, Weight{}, HealthCheckLiar{}} {
		require.True(t, f.Suffers(app), f.Kind())
		require.False(t, f.Suffers(balancer), f.Kind())
	}
}

func TestTheTimesOfARolloutHaveLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		how Rollout
		err string
	}{
		"none":          {Rollout{}, ""},
		"the longest":   {Rollout{Linger: time.Minute, Grace: time.Minute, Pause: time.Minute}, ""},
		"a long linger": {Rollout{Linger: time.Minute + 1}, "linger 1m0.000000001s: want 0 to 1m0s"},
		"a long grace":  {Rollout{Grace: time.Minute + 1}, "grace 1m0.000000001s: want 0 to 1m0s"},
		"a long pause":  {Rollout{Pause: time.Minute + 1}, "pause 1m0.000000001s: want 0 to 1m0s"},
		"before it":     {Rollout{Pause: -1}, "pause -1ns: want 0 to 1m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range []Fault{
				Deploy{Version: "2", Rollout: tc.how},
				RollBack{tc.how},
				BlueGreen{Version: "2", Rollout: tc.how},
				ConfigDrift{Set: map[string]string{"A": "1"}, Rollout: tc.how},
				Canary{Version: "2", Share: 20, Rollout: tc.how},
			} {
				if tc.err == "" {
					require.NoError(t, f.Validate())
					continue
				}
				require.EqualError(t, f.Validate(), f.Kind()+": "+tc.err)
			}
		})
	}
}
