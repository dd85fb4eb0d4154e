package fault

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hachaos/hachaos/topology"
)

// linkFilter is the command that puts rules between a victim and its peers,
// in one transaction. A rule is what follows the match of the packets; %s in
// it is the chain's name. Each chain counts all that it matched in the counter
// CHAIN_all, before its rule, which may count in CHAIN.
func linkFilter(table, way string, l link, rule string) []string {
	statements := []string{"add table inet " + table}
	for _, c := range []struct{ chain, field, device string }{{"input", "saddr", "iifname"}, {"output", "daddr", "oifname"}} {
		if (c.chain == "input" && way == Outgoing) || (c.chain == "output" && way == Incoming) {
			continue
		}
		statements = append(statements,
			fmt.Sprintf("add counter inet %s %s_all", table, c.chain),
			fmt.Sprintf("add counter inet %s %s", table, c.chain),
			fmt.Sprintf("add chain inet %s %s { type filter hook %s priority -400; policy accept; }", table, c.chain, c.chain))
		for _, m := range l.matches(c.field, c.device) {
			statements = append(statements,
				fmt.Sprintf("add rule inet %s %s %s counter name %s_all", table, c.chain, m, c.chain),
				fmt.Sprintf("add rule inet %s %s %s "+rule, table, c.chain, m, c.chain))
		}
	}
	return nft(statements...)
}

// Rules, as linkFilter takes them.
const (
	dropRule = "counter name %s drop"
	// A reset is not itself answered by one, or the two would meet.
	resetRule = "meta l4proto tcp tcp flags & rst == 0 counter name %s reject with tcp reset"
)

// lossRule drops so many of a hundred thousand packets.
func lossRule(of100000 int) string {
	return fmt.Sprintf("numgen random mod 100000 < %d counter name %%s drop", of100000)
}

// counts are a table's counters, in packets, by name; nil without the table.
type counts map[string]uint64

// countPackets reads the counters of a table in a victim's namespace.
func countPackets(ctx context.Context, ns topology.Namespace, table string) (counts, error) {
	tables, err := ns.InNamespace(ctx, listTables()...)
	if err := succeed(tables, err); err != nil {
		return nil, err
	}
	if !hasTable(string(tables.Stdout), table) {
		return nil, nil
	}
	out, err := ns.InNamespace(ctx, "nft", "-j", "list counters table inet "+table)
	if err := succeed(out, err); err != nil {
		return nil, err
	}
	return parseCounts(out.Stdout)
}

func parseCounts(b []byte) (counts, error) {
	var list struct {
		Nftables []struct {
			Counter *struct {
				Name    string `json:"name"`
				Packets uint64 `json:"packets"`
			} `json:"counter"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("counters of nft: %w", err)
	}
	c := counts{}
	for _, o := range list.Nftables {
		if o.Counter != nil {
			c[o.Counter.Name] = o.Counter.Packets
		}
	}
	return c, nil
}

// filter puts a rule between each target and its peers; each undo removes
// it. Tables bear the fault's parameters in their name, so that different ones
// overlap; a target that has the same is an error, before any act.
func filter(ctx context.Context, f Fault, nodes []topology.Node, log Recorder, peers []string, way, rule string) error {
	if err := f.Validate(); err != nil {
		return err
	}
	ls, err := runningLinks(ctx, f.Kind(), nodes, peers)
	if err != nil {
		return err
	}
	table := toxicName(f)
	if err := inTurn(f.Kind(), ls, func(l link) error { return noFilter(ctx, l.ns, table) }); err != nil {
		return err
	}
	return actOn(f.Kind(), ls, log, func(l link) Entry {
		return Entry{Undo: FilterAbsent, Node: l.Name(), Params: map[string]string{"table": table}}
	}, func(l link) error {
		return succeed(l.ns.InNamespace(ctx, linkFilter(table, way, l, rule)...))
	})
}

// chains are the names of the chains of a way.
func chains(way string) []string {
	switch way {
	case Incoming:
		return []string{"input"}
	case Outgoing:
		return []string{"output"}
	}
	return []string{"input", "output"}
}
