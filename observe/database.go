package observe

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/hachaos/hachaos/topology"
	"github.com/jackc/pgx/v5"
)

// Keys of a database node's NodeSpec.Env: the role that the harness reads
// with, its password, and the database.
const (
	databaseName     = "HACHAOS_DATABASE"
	databaseUser     = "HACHAOS_USER"
	databasePassword = "HACHAOS_PASSWORD"
)

const databasePort = 5432

// applicationName is ours in the database's statistics, which leave it out.
const applicationName = "hachaos"

// databaseConfig is how to connect to the node, through dial.
func databaseConfig(n topology.NodeSpec, dial topology.DialFunc) (*pgx.ConnConfig, error) {
	for _, key := range []string{databaseName, databaseUser, databasePassword} {
		if n.Env[key] == "" {
			return nil, fmt.Errorf("database %s: its environment has no %s: the topology must say how the harness reads it", n.Name, key)
		}
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(n.Env[databaseUser], n.Env[databasePassword]),
		Host: addr(n, n.Port, databasePort), Path: n.Env[databaseName],
		RawQuery: url.Values{"sslmode": {"disable"}, "application_name": {applicationName}}.Encode(),
	}
	cfg, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, fmt.Errorf("connection to database %s: %w", n.Name, err)
	}
	cfg.ConnectTimeout = connectWithin
	cfg.DialFunc = pgxDial(dial)
	return cfg, nil
}

// pgxDial bounds a dial as connect does.
func pgxDial(dial topology.DialFunc) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, addr string) (net.Conn, error) { return connect(ctx, dial, addr) }
}

// openDatabase connects to the cluster's database.
func openDatabase(ctx context.Context, c topology.Cluster) (*pgx.Conn, error) {
	for _, n := range c.Spec().Nodes {
		if n.Role != topology.Database {
			continue
		}
		cfg, err := databaseConfig(n, topology.Dial(c))
		if err != nil {
			return nil, err
		}
		conn, err := pgx.ConnectConfig(ctx, cfg)
		if err != nil {
			return nil, fmt.Errorf("connect to database %s: %w", n.Name, err)
		}
		return conn, nil
	}
	return nil, fmt.Errorf("topology %s has no node of role %s", c.Spec().Name, topology.Database)
}

// closeDatabase lets go of a connection, with a bound of its own.
func closeDatabase(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	// The connection is given up: whatever the server still says of it
	// changes nothing.
	_ = conn.Close(ctx)
}
