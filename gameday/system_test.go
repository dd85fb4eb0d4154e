package gameday

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/topology"
)

// host is a node whose commands run in this process's own machine, in an empty
// environment, for tests of the shell around them.
type host struct {
	name string
	role topology.Role
	env  []string
	down bool
}

func (h *host) Name() string        { return h.name }
func (h *host) Role() topology.Role { return h.role }

func (h *host) Exec(ctx context.Context, argv ...string) (topology.Output, error) {
	if h.down {
		return topology.Output{}, topology.ErrNotRunning
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "NODE=" + h.name}, h.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	out := topology.Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		out.Code, err = exit.ExitCode(), nil
	}
	return out, err
}

// hosts is a cluster of them.
type hosts struct {
	topology.Cluster
	spec  topology.Spec
	nodes []topology.Node
	entry topology.Entry
}

func (c *hosts) Spec() topology.Spec    { return c.spec }
func (c *hosts) Nodes() []topology.Node { return c.nodes }
func (c *hosts) Entry() topology.Entry  { return c.entry }

// testSystem has an operator, two application nodes and a balancer.
func testSystem() *System {
	c := &hosts{
		spec: topology.Spec{
			Name: "test", VIP: netip.MustParseAddr("198.18.0.100"), Port: 80,
			Nodes: []topology.NodeSpec{{Name: "db", Env: map[string]string{"POSTGRES_PASSWORD": "hunter22", "USER": "shop"}}},
		},
		nodes: []topology.Node{
			&host{name: "j1", role: topology.Application}, &host{name: "j2", role: topology.Application},
			&host{name: "lb1", role: topology.Balancer}, &host{name: runbook.Operator, role: OperatorRole},
		},
	}
	return NewSystem(c)
}

func TestPlaces(t *testing.T) {
	s := testSystem()
	for _, tt := range []struct {
		on   string
		vars map[string]string
		want string // names
		says string
	}{
		{on: "operator", want: "operator"},
		{on: "application", want: "j1 j2"},
		{on: "j2", want: "j2"},
		{on: "$node", vars: map[string]string{"node": "j1"}, want: "j1"},
		{on: "!$node", vars: map[string]string{"node": "j1"}, want: "j2"},
		{on: "!$node", vars: map[string]string{"node": "j2"}, want: "j1"},
		{on: "!application", want: "j2"},
		{on: "!operator", want: "j1"},
		{on: "!lb1", want: "j1"},
		{on: "!$node", says: "no command gave node a value"},
		{on: "$node", says: "no command gave node a value"},
		{on: "$node", vars: map[string]string{"node": "j9"}, says: `node is "j9", and there is no such node`},
		{on: "$node", vars: map[string]string{"node": ""}, says: "there is no such node"},
		{on: "database", says: "no node of this name or role"},
	} {
		nodes, err := s.places(tt.on, tt.vars)
		if tt.says != "" {
			require.ErrorContains(t, err, tt.says)
			continue
		}
		require.NoError(t, err)
		var names []string
		for _, n := range nodes {
			names = append(names, n.Name())
		}
		require.Equal(t, tt.want, strings.Join(names, " "))
	}
	without := NewSystem(&hosts{nodes: []topology.Node{&host{name: "j1", role: topology.Application}}})
	_, err := without.places(runbook.Operator, nil)
	require.ErrorContains(t, err, "hachaos up --operator")
}

func TestWithOperator(t *testing.T) {
	plan, err := WithOperator(topology.JettyHA()).Plan(topology.Options{})
	require.NoError(t, err)
	spec, err := plan(netip.MustParsePrefix("198.18.7.0/24"))
	require.NoError(t, err)
	op, ok := spec.NodeByName(runbook.Operator)
	require.True(t, ok)
	require.Equal(t, OperatorRole, op.Role)
	require.True(t, op.Confined, "it runs what documents say")
	require.Equal(t, []string{"NET_RAW"}, op.Caps)
	require.NotZero(t, op.Memory)
	require.Equal(t, "198.18.7.254", op.Addr.String())
	bare, err := topology.JettyHA().Plan(topology.Options{})
	require.NoError(t, err)
	before, err := bare(netip.MustParsePrefix("198.18.7.0/24"))
	require.NoError(t, err)
	require.Len(t, spec.Nodes, len(before.Nodes)+1)
	_, err = WithOperator(topology.JettyHA()).Plan(topology.Options{Profile: "none"})
	require.Error(t, err)
}

func TestFree(t *testing.T) {
	small := topology.Spec{Subnet: netip.MustParsePrefix("198.18.0.0/30"), VIP: netip.MustParseAddr("198.18.0.2")}
	a, err := free(small)
	require.NoError(t, err)
	require.Equal(t, "198.18.0.1", a.String(), "neither the network, nor the broadcast address, nor the VIP")
	small.Nodes = []topology.NodeSpec{{Addr: a}}
	_, err = free(small)
	require.ErrorContains(t, err, "no address left")
}

func TestSecrets(t *testing.T) {
	require.Equal(t, []string{"hunter22"}, testSystem().secrets())
	require.Equal(t, "a ••• b", mask("a hunter22 b", []string{"hunter22"}))
	long := mask(strings.Repeat("x", maxOutput+7), nil)
	require.Contains(t, long, "(cut: 7 more bytes)")
}
