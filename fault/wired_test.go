package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// wiredNet is a run's network in memory: nodes whose kernels do with packets what
// the commands told them, and a Toxiproxy that keeps its proxies and toxics.
type wiredNet struct {
	mu      sync.Mutex
	nodes   []*wired
	proxies map[string]*proxyState
	times   float64 // so many times the amount that it is told, whatever it is told
	dry     int     // of 50 looks at a link that is to be kept busy
	count   int     // of the commands
	client  error   // of the attempts of clients to connect, in place of how they end
	// breaks answers a command in place of its node, unless it returns nil.
	breaks func(n *wired, argv []string) *wiredReply
}

// wiredReply is what a command ends with: in place of its own answer, or after it
// was carried out.
type wiredReply struct {
	out   topology.Output
	err   error
	after bool
}

// wired is a node of such a network.
type wired struct {
	*stub
	net     *wiredNet
	addr    netip.Addr
	blind   error // of what the engine is asked
	tables  map[string]*wiredTable
	queue   []string // the root of its device, as tc was told it; nil if none
	near    map[netip.Addr]string
	shared  []netip.Addr
	files   map[string]string
	noPorts int64
	open    map[string]int // the connections that stand, by where to
}

// wiredTable is a table of nft.
type wiredTable struct {
	chains   []string
	rules    map[string][]*wiredRule
	counters map[string]int
}

// wiredRule is a rule of nft; its words are read from left to right.
type wiredRule struct {
	text    string
	packets int // of a counter without a name
	drawn   float64
}

const (
	wiredAPI    = "http://127.0.0.1:8474/proxies/"
	wiredVIP    = "198.18.7.100"
	wiredClient = "198.18.7.1"
	wiredBegan  = 1732082400
)

// newWired is a network of a cluster that is well.
func newWired() *wiredNet {
	w := &wiredNet{times: 1, proxies: map[string]*proxyState{}}
	for _, m := range []struct {
		name string
		role topology.Role
		last int
		port int
	}{
		{"db", topology.Database, 10, 5432},
		{"toxi", topology.Proxy, 20, 8474},
		{"j1", topology.Application, 21, 8080},
		{"j2", topology.Application, 22, 8080},
		{"lb1", topology.Balancer, 31, 80},
		{"lb2", topology.Balancer, 32, 80},
		{"price", topology.Service, 50, 9100},
		{"relay", topology.Relay, 99, 80},
	} {
		n := &wired{
			stub: &stub{name: m.name, role: m.role, port: m.port, state: up}, net: w,
			addr:   netip.MustParseAddr(fmt.Sprintf("198.18.7.%d", m.last)),
			tables: map[string]*wiredTable{}, near: map[netip.Addr]string{}, files: map[string]string{}, open: map[string]int{},
		}
		n.exec, n.beside = n.serve, n.serve
		w.nodes = append(w.nodes, n)
	}
	for i, p := range []struct{ name, upstream string }{{"j1", "198.18.7.10:5432"}, {"j2", "198.18.7.10:5432"}, {"price", "198.18.7.50:9100"}} {
		listen := strconv.Itoa(5433 + i)
		w.proxies[p.name] = &proxyState{Name: p.name, Listen: "0.0.0.0:" + listen, Upstream: p.upstream, Enabled: true}
		if n := w.node(p.name); n.role == topology.Application {
			n.open["198.18.7.20:"+listen] = 3
		}
	}
	for _, n := range w.nodes {
		for _, p := range w.nodes {
			n.peers = append(n.peers, p)
		}
	}
	w.node("lb1").shared = []netip.Addr{netip.MustParseAddr(wiredVIP)}
	return w
}

func (w *wiredNet) node(name string) *wired {
	return w.nodes[slices.IndexFunc(w.nodes, func(n *wired) bool { return n.name == name })]
}

// some are nodes by their names.
func (w *wiredNet) some(names ...string) (all []topology.Node) {
	for _, name := range names {
		all = append(all, w.node(name))
	}
	return all
}

func (w *wiredNet) everybody() (all []topology.Node) {
	for _, n := range w.nodes {
		all = append(all, n)
	}
	return all
}

// what is what the network is like, but for what it has counted and who owns the
// shared address.
func (w *wiredNet) what() string {
	var out strings.Builder
	for _, n := range w.nodes {
		fmt.Fprintln(&out, n.name, slices.Sorted(maps.Keys(n.tables)), n.queue, n.near, n.files[removalNote])
		for _, name := range slices.Sorted(maps.Keys(n.tables)) {
			for _, chain := range n.tables[name].chains {
				for _, r := range n.tables[name].rules[chain] {
					fmt.Fprintln(&out, name, chain, r.text)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.proxies)) {
		fmt.Fprintf(&out, "%+v\n", *w.proxies[name])
	}
	return out.String()
}

// did says whether any node was given a command.
func (w *wiredNet) did() bool { return w.count > 0 }

func (n *wired) Addr() netip.Addr { return n.addr }

func (n *wired) Inspect(context.Context) (topology.State, error) { return n.state, n.blind }

// DialContext is how clients connect.
func (n *wired) DialContext(context.Context, string, string) (net.Conn, error) {
	n.net.mu.Lock()
	defer n.net.mu.Unlock()
	if n.net.client != nil {
		return nil, n.net.client
	}
	switch n.net.connect(netip.MustParseAddr(wiredClient), netip.AddrPortFrom(n.addr, uint16(n.port))) {
	case connected:
		here, there := net.Pipe()
		_ = there.Close()
		return here, nil
	case refused:
		return nil, syscall.ECONNREFUSED
	}
	return nil, context.DeadlineExceeded
}

// serve carries a command out, in the node's container or beside it.
func (n *wired) serve(argv []string) (topology.Output, error) {
	n.net.mu.Lock()
	defer n.net.mu.Unlock()
	n.net.count++
	if n.net.breaks != nil {
		if r := n.net.breaks(n, argv); r != nil {
			if !r.after {
				return r.out, r.err
			}
			out, _ := n.carry(argv)
			out.Code = r.out.Code
			return out, r.err
		}
	}
	return n.carry(argv)
}

func (n *wired) carry(argv []string) (topology.Output, error) {
	if !n.state.Running {
		return topology.Output{}, topology.ErrNotRunning
	}
	last := argv[len(argv)-1]
	switch argv[0] {
	case "nft":
		return n.nft(argv[1:])
	case "tc":
		return n.tc(argv[1:])
	case "ip":
		if slices.Contains(argv, "neigh") {
			return n.neighbours()
		}
		return n.addresses()
	case "cat":
		return text("%s", snmp(n.noPorts))
	case "ss":
		to := strings.Fields(last)
		return text("%s", strings.Repeat("0 0\n", n.open[to[1]+to[4]]))
	case "curl":
		if strings.Contains(last, "/probe?") {
			return n.requests(argv)
		}
		return n.net.api(argv)
	case "test":
		if _, ok := n.files[last]; !ok {
			return topology.Output{Code: 1}, nil
		}
		return topology.Output{}, nil
	case "rm":
		delete(n.files, last)
		return topology.Output{}, nil
	case "bash", "/bin/sh":
		return n.script(argv)
	}
	return topology.Output{}, errUnasked
}

func (n *wired) script(argv []string) (topology.Output, error) {
	body := argv[2]
	switch {
	case body == probe:
		return n.probes(argv[4:])
	case body == connects:
		var out strings.Builder
		for _, a := range argv[4:] {
			fmt.Fprintln(&out, a, n.net.connect(n.addr, netip.MustParseAddrPort(a)))
		}
		return text("%s", out.String())
	case body == datagrams:
		many, _ := strconv.Atoi(argv[4])
		for _, a := range argv[5:] {
			for range many {
				n.net.datagram(n.addr, netip.MustParseAddr(a))
			}
		}
		return topology.Output{}, nil
	case body == flood:
		return n.flooded(argv[4:])
	case body == removeAddress:
		return n.remove(argv[4])
	case strings.Contains(body, "ip neigh "):
		return n.believe(body)
	case strings.HasPrefix(body, "[[ ! -e "):
		return text("%s", n.files[body[strings.LastIndex(body, " ")+1:]])
	}
	return topology.Output{}, errUnasked
}

// nft carries statements out, or lists.
func (n *wired) nft(args []string) (topology.Output, error) {
	if args[0] == "list tables" {
		var out strings.Builder
		for _, name := range slices.Sorted(maps.Keys(n.tables)) {
			fmt.Fprintln(&out, "table inet", name)
		}
		return text("%s", out.String())
	}
	all := strings.Join(args, " ")
	if name, ok := strings.CutPrefix(all, "-j list counters table inet "); ok {
		var counters []string
		for _, c := range slices.Sorted(maps.Keys(n.tables[name].counters)) {
			counters = append(counters, fmt.Sprintf(`{"counter":{"name":%q,"packets":%d}}`, c, n.tables[name].counters[c]))
		}
		return text(`{"nftables":[%s]}`, strings.Join(counters, ","))
	}
	if name, ok := strings.CutPrefix(all, "list table inet "); ok {
		return text("%s", n.tables[name].list(name))
	}
	for s := range strings.SplitSeq(strings.ReplaceAll(all, "; }", ""), "; ") {
		f := strings.Fields(s)
		if len(f) < 4 {
			continue // the policy of a chain
		}
		t := n.tables[f[3]]
		switch f[0] + " " + f[1] {
		case "add table":
			if t == nil {
				n.tables[f[3]] = &wiredTable{rules: map[string][]*wiredRule{}, counters: map[string]int{}}
			}
		case "flush table":
			t.rules = map[string][]*wiredRule{}
		case "delete table":
			delete(n.tables, f[3])
		case "add counter":
			t.counters[f[4]] = 0
		case "add chain":
			t.chains = append(t.chains, f[4])
		case "add rule":
			t.rules[f[4]] = append(t.rules[f[4]], &wiredRule{text: strings.Join(f[5:], " ")})
		default:
			return topology.Output{Code: 1, Stderr: []byte("Error: syntax error: " + s)}, nil
		}
	}
	return topology.Output{}, nil
}

// list is how nft lists a table without named counters.
func (t *wiredTable) list(name string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "table inet %s {\n", name)
	for _, c := range t.chains {
		fmt.Fprintf(&out, "\tchain %s {\n\t\ttype filter hook %s priority -400; policy accept;\n", c, c)
		for _, r := range t.rules[c] {
			fmt.Fprintln(&out, "\t\t"+strings.Replace(r.text, "counter", fmt.Sprintf("counter packets %d bytes %d", r.packets, 40*r.packets), 1))
		}
		out.WriteString("\t}\n")
	}
	return out.String() + "}\n"
}

// filter is what a node's tables do with a packet: "drop", "reject" or nothing.
func (n *wired) filter(chain string, src, dst netip.Addr, proto string) string {
	for _, name := range slices.Sorted(maps.Keys(n.tables)) {
		for _, r := range n.tables[name].rules[chain] {
			if v := r.judge(n, n.tables[name], src, dst, proto); v != "" {
				return v
			}
		}
	}
	return ""
}

func (r *wiredRule) judge(n *wired, t *wiredTable, src, dst netip.Addr, proto string) string {
	f := strings.Fields(r.text)
	for i := 0; i < len(f); i++ {
		switch f[i] {
		case "saddr", "daddr":
			a := src
			if f[i] == "daddr" {
				a = dst
			}
			want := f[i+1] != "!="
			end := i + slices.Index(f[i:], "}")
			if slices.ContainsFunc(f[i:end], func(word string) bool { return strings.TrimSuffix(word, ",") == a.String() }) != want {
				return ""
			}
			i = end
		case "protocol":
			if proto != "vrrp" {
				return ""
			}
		case "l4proto":
			if proto != f[i+1] {
				return ""
			}
		case "numgen":
			share, _ := strconv.ParseFloat(f[i+5], 64)
			if r.drawn += share * n.net.times; r.drawn < lossUnit {
				return ""
			}
			r.drawn -= lossUnit
		case "counter":
			if f[i+1] == "name" {
				t.counters[f[i+2]]++
				break
			}
			r.packets++
		case "drop", "reject":
			return f[i]
		}
	}
	return ""
}

// at is the node that has an address of its own.
func (w *wiredNet) at(a netip.Addr) *wired {
	for _, n := range w.nodes {
		if n.addr == a {
			return n
		}
	}
	return nil
}

// packet sends one, and says what became of it: nothing if it arrives.
func (w *wiredNet) packet(src, dst netip.Addr, proto string) string {
	if n := w.at(src); n != nil {
		if v := n.filter("output", src, dst, proto); v != "" {
			return v
		}
		if n.near[dst] == goneMachine {
			return "drop"
		}
	}
	n := w.at(dst)
	if n == nil {
		return ""
	}
	if !n.state.Running {
		return "drop"
	}
	return n.filter("input", src, dst, proto)
}

func (w *wiredNet) datagram(src, dst netip.Addr) {
	if n := w.at(dst); w.packet(src, dst, "udp") == "" && n != nil {
		n.noPorts++
	}
}

// advertise has each owner of the shared address tell the other balancers so often.
func (w *wiredNet) advertise(often int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.nodes {
		for _, p := range w.nodes {
			for i := 0; i < often && len(n.shared) > 0 && p != n && p.role == topology.Balancer; i++ {
				w.packet(n.addr, p.addr, "vrrp")
			}
		}
	}
}

// connect is how an attempt ends: connected, refused or probeSilent.
func (w *wiredNet) connect(from netip.Addr, to netip.AddrPort) string {
	switch w.packet(from, to.Addr(), "tcp") {
	case "drop":
		return probeSilent
	case "reject":
		return refused
	}
	// A reset goes to whoever sent the packet, so that one for the answer is not seen
	// by who asked.
	if w.packet(to.Addr(), from, "tcp") != "" {
		return probeSilent
	}
	n := w.at(to.Addr())
	switch p := w.proxied(to); {
	case n == nil:
		return probeSilent
	case p != nil && p.Enabled, int(to.Port()) == n.port:
		return connected
	}
	return refused
}

// proxied is the proxy that listens there.
func (w *wiredNet) proxied(to netip.AddrPort) *proxyState {
	for _, p := range w.proxies {
		if to.Addr() == w.node("toxi").addr && strings.HasSuffix(p.Listen, fmt.Sprintf(":%d", to.Port())) {
			return p
		}
	}
	return nil
}

// wiredSpread is the i-th of n values that are even within jitter to both sides.
func wiredSpread(i, n int, jitter time.Duration) time.Duration {
	return time.Duration(float64(jitter) * (float64(2*i+1)/float64(n) - 1))
}

// ask is how the i-th of n questions ends, and after how long.
func (w *wiredNet) ask(from *wired, to netip.AddrPort, i, n int, limit time.Duration) (string, time.Duration) {
	if end := w.connect(from.addr, to); end != connected {
		return end, 0
	}
	took := 900*time.Microsecond + from.delayed(i, n)
	if p := w.proxied(to); p != nil {
		for _, t := range p.Toxics {
			if t.Type == "timeout" {
				return probeSilent, limit
			}
			d := time.Duration(t.Attributes["latency"])*time.Millisecond + wiredSpread(i, n, time.Duration(t.Attributes["jitter"])*time.Millisecond)
			took += time.Duration(w.times * float64(d))
		}
		if end := w.connect(w.node("toxi").addr, netip.MustParseAddrPort(p.Upstream)); end != connected {
			return probeClosed, took
		}
		took += w.node("toxi").delayed(i, n)
	}
	if took > limit {
		return probeSilent, limit
	}
	return connected, took
}

// delayed is how much later the i-th of n packets is sent.
func (n *wired) delayed(i, of int) time.Duration {
	at := slices.Index(n.queue, "delay")
	if at < 0 {
		return 0
	}
	d, _ := time.ParseDuration(n.queue[at+1])
	if at+2 < len(n.queue) {
		jitter, _ := time.ParseDuration(n.queue[at+2])
		d += wiredSpread(i, of, jitter)
	}
	return time.Duration(n.net.times * float64(d))
}

// probes answers the script probe.
func (n *wired) probes(args []string) (topology.Output, error) {
	made, _ := strconv.Atoi(args[2])
	limit, _ := strconv.ParseFloat(args[4], 64)
	var out strings.Builder
	for i := range made {
		end, took := n.net.ask(n, netip.MustParseAddrPort(args[0]+":"+args[1]), i, made, time.Duration(limit*float64(time.Second)))
		if end == connected {
			end = fmt.Sprint("ok ", took.Microseconds())
		}
		fmt.Fprintln(&out, end)
	}
	return text("%s", out.String())
}

// requests answers curl.
func (n *wired) requests(argv []string) (topology.Output, error) {
	url := strings.TrimPrefix(argv[len(argv)-1], "http://")
	to, rest, _ := strings.Cut(url, "/probe?[1-")
	made, _ := strconv.Atoi(strings.TrimSuffix(rest, "]"))
	limit, _ := strconv.ParseFloat(argv[slices.Index(argv, "--max-time")+1], 64)
	var out strings.Builder
	for i := range made {
		end, took := n.net.ask(n, netip.MustParseAddrPort(to), i, made, time.Duration(limit*float64(time.Second)))
		status := noStatus
		if end == connected {
			status = "200"
		}
		fmt.Fprintf(&out, "%s %.6f\n", status, took.Seconds())
	}
	return text("%s", out.String())
}

// api is Toxiproxy's.
func (w *wiredNet) api(argv []string) (topology.Output, error) {
	fails := func(status int) (topology.Output, error) {
		return topology.Output{Code: 22, Stderr: fmt.Appendf(nil, "curl: (22) The requested URL returned error: %d", status)}, nil
	}
	path, ok := strings.CutPrefix(argv[len(argv)-1], wiredAPI)
	words := strings.Split(path, "/")
	p := w.proxies[words[0]]
	if !ok || p == nil {
		return fails(404)
	}
	body := ""
	if i := slices.Index(argv, "-d"); i >= 0 {
		body = argv[i+1]
	}
	switch method := argv[slices.Index(argv, "-X")+1]; {
	case method == "GET":
		b, err := json.Marshal(p)
		return topology.Output{Stdout: b}, err
	case method == "POST" && len(words) == 2:
		var t toxic
		if err := json.Unmarshal([]byte(body), &t); err != nil || t.Name == "" || t.Toxicity != 1 {
			return fails(400)
		}
		if slices.ContainsFunc(p.Toxics, func(o toxic) bool { return o.Name == t.Name }) {
			return fails(409)
		}
		p.Toxics = append(p.Toxics, t)
		return topology.Output{}, nil
	case method == "POST":
		if err := json.Unmarshal([]byte(body), p); err != nil {
			return fails(400)
		}
		if !p.Enabled {
			for _, n := range w.nodes {
				n.open["198.18.7.20"+p.Listen[strings.LastIndex(p.Listen, ":"):]] = 0
			}
		}
		return topology.Output{}, nil
	case method == "DELETE" && len(words) == 3:
		left := slices.DeleteFunc(slices.Clone(p.Toxics), func(t toxic) bool { return t.Name == words[2] })
		if len(left) == len(p.Toxics) {
			return text("404")
		}
		p.Toxics = nil
		p.Toxics = append(p.Toxics, left...)
		return text("204")
	}
	return fails(405)
}

// tc has a device's root be what it is told.
func (n *wired) tc(args []string) (topology.Output, error) {
	switch args[1] {
	case "show":
		if n.queue == nil {
			return text("qdisc noqueue 0: root refcnt 2\n")
		}
		return text("qdisc %s 8001: root refcnt 2\n", n.queue[0])
	case "add":
		if n.queue != nil {
			return topology.Output{Code: 2, Stderr: []byte("Error: Exclusivity flag on, cannot modify.")}, nil
		}
		n.queue = args[5:]
	case "del":
		if n.queue == nil {
			return topology.Output{Code: 2, Stderr: []byte("Error: Cannot delete qdisc with handle of zero.")}, nil
		}
		n.queue = nil
	}
	return topology.Output{}, nil
}

// flooded answers the script flood.
func (n *wired) flooded(args []string) (topology.Output, error) {
	if len(n.queue) == 0 || n.queue[0] != "tbf" {
		return text("none\n")
	}
	rate, _ := strconv.ParseFloat(strings.TrimSuffix(n.queue[2], "kbit"), 64)
	us, _ := strconv.ParseFloat(args[3], 64)
	return text("1000 5000\n%.0f %.0f 50 %d\n", 1000+n.net.times*rate*us/8000, 5000+us, n.net.dry)
}

func (n *wired) neighbours() (topology.Output, error) {
	lines := []string{`{"dst":"198.18.7.77","state":["FAILED"]}`}
	for a, is := range n.near {
		lines = append(lines, fmt.Sprintf(`{"dst":"%s","lladdr":"%s"}`, a, is))
	}
	return text("[%s]", strings.Join(lines, ","))
}

// believe carries out what a script says of neighbours.
func (n *wired) believe(script string) (topology.Output, error) {
	for line := range strings.SplitSeq(script, " && ") {
		_, rest, ok := strings.Cut(line, "ip neigh ")
		if !ok {
			continue
		}
		f := strings.Fields(rest)
		a := netip.MustParseAddr(f[1])
		if f[0] == "del" {
			if _, ok := n.near[a]; !ok {
				return topology.Output{Code: 2, Stderr: []byte("RTNETLINK answers: No such file or directory")}, nil
			}
			delete(n.near, a)
			continue
		}
		n.near[a] = f[5]
		n.files[mistakeNote] = fmt.Sprintf("%d.100000 %d.200000\n", wiredBegan, wiredBegan)
	}
	return topology.Output{}, nil
}

func (n *wired) addresses() (topology.Output, error) {
	lines := []string{fmt.Sprintf(`{"local":"%s"}`, n.addr)}
	for _, a := range n.shared {
		lines = append(lines, fmt.Sprintf(`{"local":"%s"}`, a))
	}
	return text(`[{"ifname":"eth0","addr_info":[%s]}]`, strings.Join(lines, ","))
}

// remove takes the shared addresses away; the other balancer has them at once.
func (n *wired) remove(own string) (topology.Output, error) {
	if own != n.addr.String() || len(n.shared) == 0 {
		return topology.Output{Code: 4, Stderr: []byte("it holds no address but its own: aim at the owner of the shared one")}, nil
	}
	n.files[removalNote] = fmt.Sprintf("%d.100000 %d.200000 %s\n", wiredBegan, wiredBegan, n.shared[0])
	n.net.node("lb2").shared, n.shared = n.shared, nil
	return topology.Output{}, nil
}

// wiredOnce has a fault look one time, in virtual time.
func wiredOnce(t *testing.T, look looking, nodes []topology.Node) (Proof, error) {
	t.Helper()
	return lookFor(t, poll/2, look, nodes)
}

// wiredSeen is wiredOnce for a look that must be able to see.
func wiredSeen(t *testing.T, look looking, nodes []topology.Node) Proof {
	t.Helper()
	return seeFor(t, poll/2, look, nodes)
}
