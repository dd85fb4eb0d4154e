package fault

import (
	"fmt"
	"strings"
)

// tablePrefix begins the name of every nft table that hachaos makes, so that
// none of anybody else is ever removed.
const tablePrefix = "hachaos_"

// dropAll is the command that drops all packets of a namespace, in and out,
// ahead of every other table, in one transaction.
func dropAll(table string) []string {
	chain := func(hook string) string {
		return fmt.Sprintf("add chain inet %s %s { type filter hook %s priority -400; policy drop; }", table, hook, hook)
	}
	return nft("add table inet "+table, chain("input"), chain("output"))
}

// removeFilter is the command that removes a table, whether or not it is
// there: adding one that exists changes nothing.
func removeFilter(table string) []string {
	return nft("add table inet "+table, "delete table inet "+table)
}

// listTables is the command that lists the tables of a namespace.
func listTables() []string { return nft("list tables") }

// hasTable says whether the list names the table.
func hasTable(list, table string) bool {
	for line := range strings.Lines(list) {
		f := strings.Fields(line)
		if len(f) == 3 && f[2] == table {
			return true
		}
	}
	return false
}

// nft is the command that carries out the statements as one transaction.
func nft(statements ...string) []string {
	return []string{"nft", strings.Join(statements, "; ")}
}
