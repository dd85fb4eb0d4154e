package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// way is a node's way to its database: the proxy, on the proxies' node, that
// bears the node's name.
type way struct {
	victim
	keeper topology.Namespace // the node that the proxy runs on
	askers []topology.Node    // the application nodes of the cluster
	api    string             // the proxies' API, as that node reaches it
}

// ways checks, before any act, that there are targets, that each runs as a
// container of its own, and that each reaches its database by a proxy.
func ways(kind string, nodes []topology.Node) ([]way, error) {
	vs, err := victims(kind, nodes, 0, true)
	if err != nil {
		return nil, err
	}
	var all []way
	for i, v := range vs {
		w := way{victim: v}
		keeper, port, ok := proxies(nodes[i])
		if !ok {
			return nil, fmt.Errorf("%s: node %s: %w (a proxy on its way to the database)", kind, v.Name(), ErrCapability)
		}
		w.keeper, w.api = keeper, fmt.Sprintf("http://127.0.0.1:%d/proxies/", port)
		w.askers = applications(nodes[i])
		all = append(all, w)
	}
	return all, nil
}

// runningWays are ways whose nodes all run.
func runningWays(ctx context.Context, kind string, nodes []topology.Node) ([]way, error) {
	ws, err := ways(kind, nodes)
	if err != nil {
		return nil, err
	}
	vs := make([]victim, len(ws))
	for i, w := range ws {
		vs[i] = w.victim
	}
	return ws, allRun(ctx, kind, vs)
}

// proxies finds the node of the cluster that runs the proxies.
func proxies(n topology.Node) (keeper topology.Namespace, port int, ok bool) {
	m, ok := n.(topology.Member)
	if !ok {
		return nil, 0, false
	}
	for _, p := range m.Peers() {
		if p.Role() != topology.Proxy {
			continue
		}
		ns, can := p.(topology.Namespace)
		at, served := p.(topology.Served)
		if can && served && at.Port() > 0 {
			return ns, at.Port(), true
		}
	}
	return nil, 0, false
}

// applications are the application nodes of a node's cluster.
func applications(n topology.Node) (all []topology.Node) {
	if m, ok := n.(topology.Member); ok {
		for _, p := range m.Peers() {
			if p.Role() == topology.Application {
				all = append(all, p)
			}
		}
	}
	return all
}

// call is a request to the proxies' API: Toxiproxy's README, "HTTP API". A
// path begins behind /proxies/. An answer of 4xx or 5xx is exit status 22.
func call(api, method, path, body string) []string {
	argv := []string{"curl", "-sS", "--fail-with-body", "--max-time", "5", "-X", method}
	if body != "" {
		argv = append(argv, "-d", body)
	}
	return append(argv, api+path)
}

// removal is a DELETE that prints the status alone, so that what is not there
// is no error.
func removal(api, path string) []string {
	return []string{"curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "5", "-X", "DELETE", api + path}
}

// ask carries a request out.
func (w way) ask(ctx context.Context, method, path, body string) error {
	return succeed(w.keeper.InNamespace(ctx, call(w.api, method, path, body)...))
}

// proxyState is what the API says of a proxy.
type proxyState struct {
	Name     string  `json:"name"`
	Listen   string  `json:"listen"`
	Upstream string  `json:"upstream"`
	Enabled  bool    `json:"enabled"`
	Toxics   []toxic `json:"toxics"`
}

// toxic is one disturbance of a proxy.
type toxic struct {
	Name       string             `json:"name"`
	Type       string             `json:"type"`
	Stream     string             `json:"stream"`
	Toxicity   float64            `json:"toxicity"`
	Attributes map[string]float64 `json:"attributes"`
}

// state asks what the node's proxy does now.
func (w way) state(ctx context.Context) (proxyState, error) {
	var s proxyState
	out, err := w.keeper.InNamespace(ctx, call(w.api, "GET", w.Name(), "")...)
	if err := succeed(out, err); err != nil {
		return s, fmt.Errorf("proxy %s: %w", w.Name(), err)
	}
	if err := json.Unmarshal(out.Stdout, &s); err != nil {
		return s, fmt.Errorf("proxy %s: what its API says: %w", w.Name(), err)
	}
	return s, nil
}

// open checks that the node's proxy lets connections through.
func (w way) open(ctx context.Context) error {
	state, err := w.state(ctx)
	if err == nil && !state.Enabled {
		err = already("its proxy refuses all connections")
	}
	return err
}

// passage is a way as it stands: what the API says of its proxy, where the
// node enters it, and where it leads to, which is the service itself.
type passage struct {
	proxyState
	in, out netip.AddrPort
}

// passage asks what the way is like now. The node connects to the port that
// its proxy listens on, at the address of the node that this runs on.
func (w way) passage(ctx context.Context) (passage, error) {
	state, err := w.state(ctx)
	p := passage{proxyState: state}
	if err != nil {
		return p, err
	}
	_, port, err := net.SplitHostPort(p.Listen)
	if err != nil {
		return p, fmt.Errorf("proxy %s listens on %q: %w", p.Name, p.Listen, err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	a, ok := w.keeper.(topology.Addressed)
	if err != nil || !ok {
		return p, fmt.Errorf("proxy %s listens on %q of node %s: no address follows", p.Name, p.Listen, w.keeper.Name())
	}
	p.in = netip.AddrPortFrom(a.Addr(), uint16(n))
	if p.out, err = netip.ParseAddrPort(p.Upstream); err != nil {
		return p, fmt.Errorf("proxy %s leads to %q: %w", p.Name, p.Upstream, err)
	}
	return p, nil
}

// proveWays has look see each target's way as it stands.
func proveWays(ctx context.Context, kind string, nodes []topology.Node, asked string, look func(context.Context, *sight, way, passage) error) (Proof, error) {
	ws, err := ways(kind, nodes)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, ws, func(ctx context.Context, w way) (sight, error) {
		s := sight{ok: true}
		p, err := w.passage(ctx)
		if err != nil {
			return s, err
		}
		return s, look(ctx, &s, w, p)
	})
}

// ensureProxyEnabled needs nothing where the proxies' node is down: they are
// all enabled when it starts.
func ensureProxyEnabled(ctx context.Context, n topology.Node, params map[string]string) error {
	return onProxies(ctx, n, params, func(api, proxy string) []string {
		return call(api, "POST", proxy, `{"enabled":true}`)
	}, nil)
}

// ensureNoToxic removes a toxic, whether or not it is there.
func ensureNoToxic(ctx context.Context, n topology.Node, params map[string]string) error {
	name := params["toxic"]
	if !strings.HasPrefix(name, tablePrefix) {
		return fmt.Errorf("toxic %q is not one of hachaos: its name does not begin with %s", name, tablePrefix)
	}
	return onProxies(ctx, n, params, func(api, proxy string) []string {
		return removal(api, proxy+"/toxics/"+name)
	}, gone)
}

// gone reads the status that a removal prints.
func gone(out topology.Output) error {
	switch status := strings.TrimSpace(string(out.Stdout)); status {
	case "204", "200", "404":
		return nil
	default:
		return fmt.Errorf("the proxies' API answers %s", status)
	}
}

func onProxies(ctx context.Context, n topology.Node, params map[string]string, argv func(api, proxy string) []string, read func(topology.Output) error) error {
	ns, err := namespace(n)
	if err != nil {
		return err
	}
	if params["api"] == "" || params["proxy"] == "" {
		return errors.New("the entry names no proxy")
	}
	out, err := ns.InNamespace(ctx, argv(params["api"], params["proxy"])...)
	if errors.Is(err, topology.ErrNotRunning) {
		return nil
	}
	if err := succeed(out, err); err != nil {
		return err
	}
	if read == nil {
		return nil
	}
	return read(out)
}

// undo is the entry that takes something off the way again.
func (w way) undo(undoer string, more map[string]string) Entry {
	e := Entry{Undo: undoer, Node: w.keeper.Name(), Params: map[string]string{"api": w.api, "proxy": w.Name()}}
	for k, v := range more {
		e.Params[k] = v
	}
	return e
}
