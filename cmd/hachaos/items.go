package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
)

// readItem reads the result file of an item, of this schema; nil is none.
func readItem[T any](path, schema string) (*T, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var head struct {
		Schema string `json:"schema"`
	}
	result := new(T)
	if err := errors.Join(json.Unmarshal(b, &head), json.Unmarshal(b, result)); err != nil || head.Schema != schema {
		return nil, usage("%s is no result of this version of hachaos: remove it to have the item run again", path)
	}
	return result, nil
}

// keepItem writes it.
func keepItem(path string, result any) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return report.Replace(path, func(w io.Writer) error { return writeJSON(w, result) })
}

// decided is an item that may have its result already.
type decided interface{ decided() bool }

// runItems runs those of the items that are not decided, on an open engine and with
// the folder to itself: until all are, the budget is spent (0: never) or ctx ends.
func runItems[T decided](ctx context.Context, a *app, dir string, budget time.Duration, items []T, reread func([]T) error, run func(n int, session *wiring.Session) error) error {
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
