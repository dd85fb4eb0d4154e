package observe

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/hachaos/hachaos/topology"
	"github.com/jackc/pgx/v5"
)

// DatabaseURL is the key of a database node's NodeSpec.Env that says how the
// harness connects to it: a PostgreSQL URL whose host may be left out, which
// then is the node's own address. A spec without it means the role and the
// database of the fixture image.
const DatabaseURL = "HACHAOS_DATABASE_URL"

// fixtureDatabase is what the fixture image has.
const fixtureDatabase = "postgres://hachaos:hachaos@/jetty_sessions"

const databasePort = 5432

// applicationName is ours in the database's statistics, which leave it out.
const applicationName = "hachaos"

// databaseConfig is how to connect to the node, through dial.
func databaseConfig(n topology.NodeSpec, dial topology.DialFunc) (*pgx.ConnConfig, error) {
	u, err := url.Parse(cmp.Or(n.Env[DatabaseURL], fixtureDatabase))
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", DatabaseURL, n.Name, err)
	}
	if u.Hostname() == "" {
		u.Host = addr(n, n.Port, databasePort)
	}
	q := u.Query()
	q.Set("sslmode", cmp.Or(q.Get("sslmode"), "disable"))
	q.Set("application_name", applicationName)
	u.RawQuery = q.Encode()
	cfg, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", DatabaseURL, n.Name, err)
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
