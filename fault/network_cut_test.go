package fault

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// cutOff is a node whose clients get no answer. So many of the packets that they
// send it, and that it sends them, pass by its filter of f.
func cutOff(f NetworkCut, deafTo, passOut int64) *stub {
	var in, out atomic.Int64
	return &stub{
		name: "j1", port: 8080, state: up,
		peers: []topology.Node{&stub{name: "db", role: topology.Database}},
		dialed: func(string) (net.Conn, error) {
			in.Add(1)
			return nil, context.DeadlineExceeded
		},
		beside: func(argv []string) (topology.Output, error) {
			switch {
			case slices.Equal(argv, listTables()):
				return text("table inet %s\n", toxicName(f))
			case argv[0] == "nft":
				var counters []string
				for _, c := range chains(f.Way) {
					n := max(0, in.Load()-deafTo)
					if c == "output" {
						n = max(0, out.Load()-passOut)
					}
					counters = append(counters, fmt.Sprintf(`{"counter":{"name":"%s","packets":%d}}`, c, n))
				}
				return text(`{"nftables":[%s]}`, strings.Join(counters, ","))
			case slices.Contains(argv, "datagrams"):
				out.Add(cutDatagrams)
				return topology.Output{}, nil
			}
			return topology.Output{}, errUnasked
		},
	}
}

// TestACutFromClientsIsCounted: that nobody gets an answer proves neither of the
// two ways.
func TestACutFromClientsIsCounted(t *testing.T) {
	const all = 1 << 40
	for _, tc := range []struct {
		way             string
		deafTo, passOut int64
		want            bool
	}{
		{Both, 0, 0, true},
		{Both, all, 0, false},
		{Both, 0, all, false},
		{Incoming, 0, all, true},
		{Incoming, all, 0, false},
		{Outgoing, all, 0, true},
		{Outgoing, 0, all, false},
	} {
		t.Run(fmt.Sprint(tc), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := NetworkCut{Peers: []string{Clients}, Way: tc.way}
				ctx, cancel := context.WithTimeout(t.Context(), 3*poll)
				defer cancel()
				p, err := f.Active(ctx, []topology.Node{cutOff(f, tc.deafTo, tc.passOut)})
				require.NoError(t, err)
				require.Equal(t, tc.want, p.OK, "%+v", p)
				require.Contains(t, p.Measured, fmt.Sprintf("of %d", cutDatagrams))
			})
		})
	}
}

// TestWhoServesNobodyIsNotCutFromClients: nothing of theirs could be counted.
func TestWhoServesNobodyIsNotCutFromClients(t *testing.T) {
	f := NetworkCut{Peers: []string{"db", Clients}}
	n := cutOff(f, 0, 0)
	n.port = 0
	log := &undos{}
	err := f.Inject(t.Context(), []topology.Node{n}, log)
	require.ErrorIs(t, err, ErrCapability)
	require.ErrorContains(t, err, "name nodes or roles as its peers")
	require.Empty(t, log.all)
	require.Empty(t, n.did)
	_, err = f.Active(t.Context(), []topology.Node{n})
	require.ErrorIs(t, err, ErrCapability)
}

func TestTheStrangerIsNoNode(t *testing.T) {
	l := linkOf(t, Clients)
	l.addr = address(&stub{port: 8080}, 0)
	require.Equal(t, "198.18.7.23", l.stranger().String(), "above j1, and not j2")
}

// snmp is /proc/net/snmp of a node that was sent so many datagrams which nobody
// waited for.
func snmp(noPorts int64) string {
	return fmt.Sprintf("Icmp: InMsgs OutMsgs\nIcmp: 3 3\nUdp: InDatagrams NoPorts InErrors\nUdp: 900 %d 0\nUdpLite: InDatagrams NoPorts\nUdpLite: 0 0\n", noPorts)
}

func TestParseUnwanted(t *testing.T) {
	n, err := parseUnwanted(snmp(17))
	require.NoError(t, err)
	require.Equal(t, 17, n)
	for _, text := range []string{"", "Udp: InDatagrams NoPorts\n", "Udp: InDatagrams\nUdp: 3\n", "Udp: InDatagrams NoPorts\nUdp: 3\n", "Udp: InDatagrams NoPorts\nUdp: 3 x\n"} {
		_, err := parseUnwanted(text)
		require.Error(t, err, text)
	}
}

// TestACutBothWaysIsNoneOfOne: neither by what its filter has, nor by what comes
// through it.
func TestACutBothWaysIsNoneOfOne(t *testing.T) {
	for _, tc := range []struct {
		way     string
		lost    int64  // of the datagrams of the other way
		counter string // of the filter, beside its own
		want    bool
	}{
		{Incoming, 0, "", true},
		{Outgoing, 0, "", true},
		{Incoming, 1, "", false},
		{Outgoing, cutDatagrams, "", false},
		{Incoming, 0, "output", false},
		{Outgoing, 0, "input", false},
	} {
		t.Run(fmt.Sprint(tc), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := NetworkCut{Peers: []string{"db"}, Way: tc.way}
				var in, out, dropped int64 // of j1
				db := &stub{name: "db", role: topology.Database, state: up}
				j1 := &stub{name: "j1", state: up, peers: []topology.Node{db}}
				db.beside = func(argv []string) (topology.Output, error) {
					switch {
					case slices.Contains(argv, "datagrams"):
						if tc.way == Incoming {
							dropped += cutDatagrams
						} else {
							in += cutDatagrams - tc.lost
						}
						return topology.Output{}, nil
					case argv[0] == "cat":
						return text("%s", snmp(out))
					}
					return topology.Output{}, errUnasked
				}
				j1.beside = func(argv []string) (topology.Output, error) {
					switch {
					case slices.Equal(argv, listTables()):
						return text("table inet %s\n", toxicName(f))
					case argv[0] == "nft" && tc.counter != "":
						return text(`{"nftables":[{"counter":{"name":"%s","packets":%d}},{"counter":{"name":"%s","packets":0}}]}`, chains(tc.way)[0], dropped, tc.counter)
					case argv[0] == "nft":
						return text(`{"nftables":[{"counter":{"name":"%s","packets":%d}}]}`, chains(tc.way)[0], dropped)
					case slices.Contains(argv, "datagrams"):
						if tc.way == Outgoing {
							dropped += cutDatagrams
						} else {
							out += cutDatagrams - tc.lost
						}
						return topology.Output{}, nil
					case argv[0] == "cat":
						return text("%s", snmp(in))
					}
					return topology.Output{}, errUnasked
				}
				ctx, cancel := context.WithTimeout(t.Context(), 3*poll)
				defer cancel()
				p, err := f.Active(ctx, []topology.Node{j1})
				require.NoError(t, err)
				require.Equal(t, tc.want, p.OK, "%+v", p)
			})
		})
	}
}
