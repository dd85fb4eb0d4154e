package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/internal/serve"
)

// serveFlags are where the pages are served.
type serveFlags struct {
	listen string
	port   int
}

// servePort is where they are unless another port is asked for, so that the
// address of a page stays the same.
const servePort = 8765

func (a *app) serveCmd() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve [DIR]",
		Short: "Show all runs of a folder as pages, to this machine only",
		Long: `serve lists the runs and the suites of a folder (runs, if none is named) and of the
folders in it as a page: with their verdicts, reasons and headline figures, filtered by
verdict, scenario, profile, folder and text, with links to each one's report and files.
Those that are checked are compared as 'hachaos compare' does it.

It prints the page's address, and ends with an interrupt. What is in the folder is looked
up for each page, so that a run is there once the page is loaded again. A run without a
result is listed with the reason. Nothing is written, links that lead out of the folder are
not followed, and hidden files are not shown.

The pages are for programs on this machine, of whichever user; other machines do not reach
them. They need no script; a report's own scripts run apart from the other pages.`,
		Example: `  hachaos serve
  hachaos serve /mnt/gameday --port 0`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("%s wants one folder, and got %q too: see '%s --help'", c.CommandPath(), args[1], c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			dir := runsDir
			if len(args) > 0 {
				dir = args[0]
			}
			return a.serve(c.Context(), dir, f)
		},
		ValidArgsFunction: completeDirs,
		Annotations:       map[string]string{parting: "the pages are closed"},
	}
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1", "the address to serve at: 127.0.0.1 or ::1")
	c.Flags().IntVar(&f.port, "port", servePort, "the port to serve at (0: a free one)")
	return c
}

// serve serves until ctx ends.
func (a *app) serve(ctx context.Context, dir string, f serveFlags) error {
	s, err := serve.New(dir, compared)
	if err != nil {
		return usageError{err}
	}
	l, err := serve.Listen(f.listen, f.port)
	if err != nil {
		return usage("--listen %s --port %d: %w", f.listen, f.port, err)
	}
	fmt.Fprintf(a.err, "hachaos: the runs of %s are at this address until an interrupt (Ctrl-C):\n", dir)
	fmt.Fprintf(a.out, "http://%s/\n", l.Addr())
	return s.Serve(ctx, l, a.err)
}
