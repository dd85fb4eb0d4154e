package main

import (
	"bytes"
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/report"
)

func (a *app) explainCmd() *cobra.Command {
	var o report.ExplainOptions
	c := &cobra.Command{
		Use:         "explain DIR [ASSERTION]",
		Annotations: offline(),
		Short:       "Tell in words what happened in a run, down to the operations",
		Long: `explain judges a run's folder again and tells it in words: the verdict and why, the
failover step by step (fault, first error, detected, diverted, last error, steady), and
of each assertion that does not plainly pass what was measured, where its bound comes
from, which value of which file would change it, and the first violations, each with
what client, balancers, nodes and database say of its operation.

With an assertion's name it tells that one with all its figures and evidence, a page at
a time; with --op a single operation. It needs no engine and changes nothing. The exit
code is 0 whatever the verdict is; 'hachaos check' has the verdict's.`,
		Example: `  hachaos explain runs/20261120T081500Z-instance-kill-1a2b3c4d
  hachaos explain runs/20261120T081500Z-instance-kill-1a2b3c4d write-ledger --limit 20
  hachaos explain runs/20261120T081500Z-instance-kill-1a2b3c4d --op 2560`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usage("%s wants a run's folder, and at most one assertion: see '%s --help'", c.CommandPath(), c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 2 {
				o.Assertion = args[1]
			}
			return a.explain(c.Context(), args[0], o, c.Flags().Changed("op"))
		},
		ValidArgsFunction: completeDirs,
	}
	c.Flags().IntVar(&o.Limit, "limit", 0, "how many pieces of evidence are told (0: three of each assertion, five of one)")
	c.Flags().IntVar(&o.From, "from", 1, "the first piece of evidence of the assertion, counted from 1")
	c.Flags().Uint64Var(&o.Op, "op", 0, "tell this operation, by its number")
	return c
}

// explain tells a run; op says that a single operation is asked for.
func (a *app) explain(ctx context.Context, dir string, o report.ExplainOptions, op bool) error {
	switch {
	case o.Limit < 0:
		return usage("--limit %d: want 1 or more", o.Limit)
	case o.From < 1:
		return usage("--from %d: want 1 or more", o.From)
	case o.From > 1 && o.Assertion == "":
		return usage("--from wants an assertion to page through")
	case op && o.Op == 0:
		return usage("--op 0: operations are counted from 1")
	case op && o.Limit > 0:
		return usage("--op tells one operation, and --limit counts evidence: want one of them")
	case op && o.Assertion != "":
		return usage("--op and the assertion %s: want one of them", o.Assertion)
	}
	r, h, err := judge(ctx, dir)
	if err != nil {
		return err
	}
	o.Width, o.Dir = a.tableOptions().Width, dir
	var b bytes.Buffer
	if err := report.Explain(&b, r, h, o); errors.Is(err, report.ErrUnknown) {
		return usageError{err}
	} else if err != nil {
		return err
	}
	_, err = a.out.Write(b.Bytes())
	return err
}
