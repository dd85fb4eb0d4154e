package load

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// Where the database's own tool finds what the companions read at the end.
// Its role may read everything and change nothing; the node's own socket
// trusts it.
const (
	rowsUser     = "hachaos"
	rowsDatabase = "jetty_sessions"
)

// readRows has the cluster's database answer the query, a SELECT, and hands
// each of its rows to take, as JSON with the columns' names. It reads in the
// database's own node, one state of it, and returns how many rows there were.
func readRows[T any](ctx context.Context, c topology.Cluster, query string, take func(T)) (uint64, error) {
	for _, n := range c.Nodes() {
		if n.Role() != topology.Database {
			continue
		}
		out, err := n.Exec(ctx, "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", rowsUser, "-d", rowsDatabase,
			"-c", "SELECT row_to_json(rows) FROM ("+query+") AS rows")
		if err == nil && out.Code != 0 {
			err = fmt.Errorf("psql ended with status %d: %s", out.Code, strings.TrimSpace(string(out.Stderr)))
		}
		if err != nil {
			return 0, fmt.Errorf("read from database %s: %w", n.Name(), err)
		}
		return parseRows(string(out.Stdout), take)
	}
	return 0, fmt.Errorf("topology %s has no node of role %s", c.Spec().Name, topology.Database)
}

// parseRows reads one JSON object a line.
func parseRows[T any](text string, take func(T)) (rows uint64, err error) {
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		var row T
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return rows, fmt.Errorf("row %d of the database: %w", rows+1, err)
		}
		take(row)
		rows++
	}
	return rows, nil
}
