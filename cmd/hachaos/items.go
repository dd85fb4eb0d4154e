package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/topology"
)

// itemsFlags are those of a command that runs items on runbooks' incidents, each of
// which has its result file.
type itemsFlags struct {
	dir, page string
	budget    time.Duration
	status    bool
	short     bool
}

// flags adds them to a command whose results are in that folder unless told
// otherwise, and that stops between two of what.
func (f *itemsFlags) flags(c *cobra.Command, dir, what string) {
	c.Flags().StringVar(&f.dir, "dir", dir, "the folder of the results")
	c.Flags().DurationVar(&f.budget, "budget", 0, "stop between two "+what+" once this long has passed, such as 20m (0: never)")
	c.Flags().BoolVar(&f.status, "status", false, "say where it stands, and run nothing")
	c.Flags().StringVar(&f.page, "page", "", "also write the page of what there is to this file")
	c.Flags().BoolVar(&f.short, "short", true, "the short form of the phases before the incident")
}

// check holds the values, before anything is read.
func (f itemsFlags) check() error {
	if err := budgetOf(f.budget); err != nil {
		return err
	}
	if f.page != "" {
		return writable("--page "+f.page, f.page)
	}
	return nil
}

// budgetOf holds --budget to what can be.
func budgetOf(d time.Duration) error {
	if d < 0 {
		return usage("--budget %v: want 0 or more", d)
	}
	return nil
}

// writePage writes the page of what there is, if it was asked for.
func (f itemsFlags) writePage(sheet report.Sheet) error {
	if f.page == "" {
		return nil
	}
	return report.Replace(f.page, func(w io.Writer) error { return report.SheetMarkdown(w, sheet) })
}

// itemFile is the file of an item's result, named after a hash of all that it
// depends on.
type itemFile struct{ name, hash, path string }

func itemIn(dir, name, hash string) itemFile {
	return itemFile{name, hash, filepath.Join(dir, campaign.Slug(name)+"."+hash+".json")}
}

// readItem reads the result file of an item, of this schema; nil is none.
func readItem[T any](i itemFile, schema string) (*T, error) {
	b, err := os.ReadFile(i.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var head struct {
		Schema string `json:"schema"`
		Item   string `json:"item"`
		Hash   string `json:"hash"`
	}
	result := new(T)
	if err := errors.Join(json.Unmarshal(b, &head), json.Unmarshal(b, result)); err != nil || head.Schema != schema {
		return nil, usage("%s is no result of this version of hachaos: remove it to have the item run again", i.path)
	}
	if head.Item != i.name || head.Hash != i.hash {
		return nil, usage("%s is the result of another item, %s: remove it, or rename what is called almost alike", i.path, head.Item)
	}
	return result, nil
}

// bookFile is a runbook in its file, with its incident.
type bookFile struct {
	name  string        // the file's, without .md
	trial gameday.Trial // with no runner yet
}

func readBook(file string, short bool) (bookFile, error) {
	book, incident, opts, err := incidentOf(file, topologyFlags{}, 0, short)
	if err != nil {
		return bookFile{}, err
	}
	if err := sound(file, book); err != nil {
		return bookFile{}, err
	}
	return bookFile{
		name:  strings.TrimSuffix(filepath.Base(file), ".md"),
		trial: gameday.Trial{Book: book, Incident: incident, Options: opts},
	}, nil
}

// incident is the runbook's own.
func (b bookFile) incident() gameday.Incident {
	return gameday.Incident{Scenario: b.trial.Incident, Set: b.trial.Options.Set}
}

// itemsDepend is what the results of all items depend on.
type itemsDepend struct {
	campaign.Depends
	programs string // those that read a runbook, carry it out and judge it
}

func newItemsDepend() (itemsDepend, error) {
	depends, err := dependencies(runtime.Version())
	if err != nil {
		return itemsDepend{}, err
	}
	programs, err := gameday.Fingerprint()
	return itemsDepend{depends, programs}, err
}

// hash is that of an item during incidents that are run with opts: of what they
// resolve to with the images and the sources, of the programs, and of what else it
// depends on.
func (d itemsDepend) hash(incidents []gameday.Incident, opts harness.Options, also ...any) (string, error) {
	h := sha256.New()
	enc := json.NewEncoder(h)
	parts := append([]any{d.programs, opts.Short}, also...)
	for _, i := range incidents {
		opts.Set = i.Set
		resolved, err := new(harness.Runner).Resolved(i.Scenario, opts)
		if err != nil {
			return "", err
		}
		images := map[string]string{}
		for _, name := range append([]string{gameday.OperatorImage}, imagesOf(resolved.Spec)...) {
			if images[name], err = d.Images(name); err != nil {
				return "", err
			}
		}
		asserts := append(slices.Clone(resolved.Asserts), "SessionSurvival", "WriteLedger", "Leftovers")
		parts = append(parts, resolved, images, d.Sources(resolved.Faults, asserts))
	}
	for _, part := range parts {
		if err := enc.Encode(part); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

func imagesOf(spec topology.Spec) []string {
	var out []string
	for _, n := range spec.Nodes {
		out = append(out, n.Image)
	}
	return out
}

// keep writes an item's result.
func (i itemFile) keep(result any) error {
	if err := os.MkdirAll(filepath.Dir(i.path), 0o755); err != nil {
		return err
	}
	return report.Replace(i.path, func(w io.Writer) error { return writeJSON(w, result) })
}

// decided is an item that may have its result already.
type decided interface{ decided() bool }

// runItems runs those of the items that are not decided, on an open engine and with
// the folder to itself: until all are, the budget is spent (0: never) or ctx ends.
func runItems[T decided](ctx context.Context, a *app, dir string, budget time.Duration, items []T, reread func([]T) error, run func(n int, session *wiring.Session) error) error {
	outliveReaders()
	session, err := wiring.Open(ctx, campaign.Store{Dir: dir}.Runs(), buildVersion())
	if err != nil {
		return err
	}
	defer session.Close()
	_, unlock, err := exclusively(dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := reread(items); err != nil { // nobody else changes them now
		return err
	}
	session.Runner.Hurry = a.hurry
	began := time.Now()
	for n, i := range items {
		switch {
		case i.decided():
			continue
		case ctx.Err() != nil:
			fmt.Fprintln(a.err, "hachaos: interrupted: call it again to go on")
			return nil
		case budget > 0 && time.Since(began) >= budget:
			fmt.Fprintf(a.err, "hachaos: the budget of %v is spent: call it again to go on\n", budget)
			return nil
		}
		if err := run(n, session); err != nil {
			return err
		}
	}
	return nil
}
