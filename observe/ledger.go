package observe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ledgerSQL reads all orders. A row of a client that is not the harness has
// no op.
const ledgerSQL = `
SELECT id, idempotency_key, coalesce(op, 0), coalesce(attempt, 0), node, version
FROM orders ORDER BY id`

// Ledger reads the orders straight from the cluster's database, in one
// transaction that sees one state of it, and puts a LedgerRow for each, row
// by row, and last its Coverage: complete only if every row was read, and as
// many as the database itself counts. It
// leaves the events' times at 0; see Stamp. Call it after Quiesce.
func Ledger(ctx context.Context, c topology.Cluster, sink history.Sink) error {
	a := &account{stream: history.StreamLedger}
	defer settle(sink, nil, a)
	read := uint64(0)
	counted, err := readLedger(ctx, c, func(row history.LedgerRow) {
		read++
		put(sink, history.StreamLedger, 0, "", row)
	})
	if err == nil && counted != read {
		err = fmt.Errorf("the database counts %d orders, and %d were read", counted, read)
	}
	a.seen = max(counted, read)
	if err != nil {
		a.lack("%v", err)
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// Of a database that was started to heal it: how long it may recover, and the time
// between two attempts.
const (
	recoverWithin = 30 * time.Second
	recoverEvery  = 200 * time.Millisecond
	cannotConnect = "57P03" // cannot_connect_now: PostgreSQL 17 Documentation, appendix A
)

// awaitDatabase connects to the database, also to one that still recovers: it
// listens, and refuses everybody.
func awaitDatabase(ctx context.Context, c topology.Cluster) (*pgx.Conn, error) {
	for began := time.Now(); ; pause(ctx, recoverEvery) {
		conn, err := openDatabase(ctx, c)
		var said *pgconn.PgError
		if err == nil || !errors.As(err, &said) || said.Code != cannotConnect || ctx.Err() != nil || time.Since(began) > recoverWithin {
			return conn, err
		}
	}
}

func readLedger(ctx context.Context, c topology.Cluster, each func(history.LedgerRow)) (counted uint64, err error) {
	conn, err := awaitDatabase(ctx, c)
	if err != nil {
		return 0, err
	}
	defer closeDatabase(conn)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return 0, fmt.Errorf("begin: %w", err)
	}
	defer func() { err = errors.Join(err, tx.Rollback(ctx)) }()
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM orders").Scan(&counted); err != nil {
		return 0, fmt.Errorf("count orders: %w", err)
	}
	rows, err := tx.Query(ctx, ledgerSQL)
	if err != nil {
		return counted, fmt.Errorf("read orders: %w", err)
	}
	var row history.LedgerRow
	_, err = pgx.ForEachRow(rows, []any{&row.Order, &row.Key, &row.Op, &row.Attempt, &row.Node, &row.Version}, func() error {
		each(row)
		return nil
	})
	if err != nil {
		return counted, fmt.Errorf("read orders: %w", err)
	}
	return counted, nil
}
