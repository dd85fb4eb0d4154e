package observe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
	"github.com/jackc/pgx/v5"
)

// connections samples how many connections the database has, and whose.
type connections struct {
	env  env
	node topology.NodeSpec
	// open begins a series of samples; tests put their own.
	open func(context.Context) (sampler, error)
	// unusable is why no connection can ever be opened.
	unusable error
}

// sampler takes samples until one fails; then it is closed.
type sampler interface {
	sample(context.Context) (history.Connections, error)
	close()
}

// newConnections samples the node by SQL.
func newConnections(env env, node topology.NodeSpec) *connections {
	cfg, err := databaseConfig(node, env.dial())
	return &connections{env: env, node: node, unusable: err, open: func(ctx context.Context) (sampler, error) {
		conn, err := pgx.ConnectConfig(ctx, cfg)
		if err != nil {
			return nil, fmt.Errorf("connect to database %s: %w", node.Name, err)
		}
		return sqlSampler{conn}, nil
	}}
}

// sampleWithin bounds a look at the database, its connect included.
const sampleWithin = 450 * time.Millisecond

// errNeverAsked: the run ended before the first look did.
var errNeverAsked = errors.New("the run ended first")

// Name implements Observer.
func (c *connections) Name() string { return "connections " + c.node.Name }

// Observe implements Observer. A database that does not answer is a sample
// too: not Known.
func (c *connections) Observe(ctx context.Context, sink history.Sink) error {
	a := &account{stream: history.StreamConnections, source: c.node.Name}
	defer settle(sink, c.env.clock.Now, a)
	if c.unusable != nil {
		a.lack("%v", c.unusable)
		return c.unusable
	}
	var (
		now   sampler
		never = errNeverAsked
	)
	p := poller{every: connectionEvery, within: sampleWithin, alone: true}
	gap := p.run(ctx, func(ctx context.Context) {
		at := c.env.clock.Now()
		v, err := c.look(ctx, &now)
		if brokenOff(ctx) {
			return
		}
		if v.Known = err == nil; v.Known {
			never = nil
		} else if never != nil {
			never = err
		}
		a.saw()
		put(sink, history.StreamConnections, at, c.node.Name, v)
	})
	if now != nil {
		now.close()
	}
	if never != nil {
		a.lack("%s never answered: %v", c.node.Name, never)
	}
	a.looked(gap, p.limit())
	return nil
}

// look takes a sample, over the connection at hand or a new one.
func (c *connections) look(ctx context.Context, now *sampler) (history.Connections, error) {
	if *now == nil {
		s, err := c.open(ctx)
		if err != nil {
			return history.Connections{}, err
		}
		*now = s
	}
	v, err := (*now).sample(ctx)
	if err != nil {
		(*now).close()
		*now = nil
	}
	return v, err
}

// sqlSampler asks PostgreSQL.
type sqlSampler struct{ conn *pgx.Conn }

// connectionsSQL counts the clients' connections by the name they gave, ours
// left out, beside the limit.
const connectionsSQL = `
SELECT application_name, count(*), current_setting('max_connections')::int
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY application_name
UNION ALL SELECT NULL, 0, current_setting('max_connections')::int`

func (s sqlSampler) sample(ctx context.Context) (history.Connections, error) {
	rows, err := s.conn.Query(ctx, connectionsSQL)
	if err != nil {
		return history.Connections{}, fmt.Errorf("connections of the database: %w", err)
	}
	v := history.Connections{By: map[string]int{}}
	var (
		name  *string
		count int
	)
	_, err = pgx.ForEachRow(rows, []any{&name, &count, &v.Max}, func() error {
		if name != nil {
			v.By[*name] += count
			v.Total += count
		}
		return nil
	})
	if err != nil {
		return history.Connections{}, fmt.Errorf("connections of the database: %w", err)
	}
	return v, nil
}

func (s sqlSampler) close() { closeDatabase(s.conn) }
