package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// Of two faults that share one undo the first heal would end both. So each fault
// looks, before it records or does anything, whether a target has it already, and
// is refused if so: with an error of one of the functions below, or of the target's
// own state, such as a container that has ended.

// already is the error of a target that has what a fault would bring about.
func already(what string) error {
	return fmt.Errorf("%s already: heal that first, or aim at another node", what)
}

// without checks that none of the victims' containers has the file by which a
// fault acts; what says what it means if one has.
func without(ctx context.Context, kind string, vs []victim, file, what string) error {
	return inTurn(kind, vs, func(v victim) error {
		there, err := v.has(ctx, file)
		if err == nil && there {
			err = already(what)
		}
		return err
	})
}

// with checks that each of the victims' containers has a file; what says what it
// means if one has not.
func with(ctx context.Context, kind string, vs []victim, file, what string) error {
	return inTurn(kind, vs, func(v victim) error {
		there, err := v.has(ctx, file)
		if err == nil && !there {
			err = errors.New(what + ": heal that first, or aim at another node")
		}
		return err
	})
}

// unlike checks that the database of none of the victims answers a question, which
// only reads, in this way; what says what it means if one does.
func unlike(ctx context.Context, kind string, vs []victim, question, answer, what string) error {
	return inTurn(kind, vs, func(v victim) error {
		out, err := v.Exec(ctx, asReader(question)...)
		if err := succeed(out, err); err != nil {
			return err
		}
		if strings.TrimSpace(string(out.Stdout)) == answer {
			return already(what)
		}
		return nil
	})
}

// unnamed checks that no database has a session of that name.
func unnamed(ctx context.Context, kind string, vs []victim, name string) error {
	return unlike(ctx, kind, vs, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = '"+name+"')", "t",
		"the database has a session "+name)
}

// noFilter checks that the namespace has no packet filter of that table.
func noFilter(ctx context.Context, ns topology.Namespace, table string) error {
	tables, err := ns.InNamespace(ctx, listTables()...)
	if err := succeed(tables, err); err != nil {
		return err
	}
	if hasTable(string(tables.Stdout), table) {
		return already("it has the packet filter " + table + " of the same fault")
	}
	return nil
}
