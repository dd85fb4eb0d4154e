package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// Names of the files that Write puts into a run's folder.
const (
	HTMLFile     = "report.html"
	JUnitFile    = "junit.xml"
	MarkdownFile = "summary.md"
	MetricsFile  = "metrics.prom"
)

// Write renders the reports into a run's folder, each whole or not at all. It
// goes on after an error and returns them all.
func Write(dir string, r *harness.Result, h *history.History) error {
	return errors.Join(
		replace(filepath.Join(dir, HTMLFile), func(w io.Writer) error { return HTML(w, r, h) }),
		replace(filepath.Join(dir, JUnitFile), func(w io.Writer) error { return JUnit(w, r) }),
		replace(filepath.Join(dir, MarkdownFile), func(w io.Writer) error { return Markdown(w, r) }),
		replace(filepath.Join(dir, MetricsFile), func(w io.Writer) error { return Prometheus(w, r) }),
	)
}

// replace writes a file beside path and renames it.
func replace(path string, write func(io.Writer) error) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644), renameio.WithExistingPermissions())
	if err != nil {
		return fmt.Errorf("report %s: %w", path, err)
	}
	defer f.Cleanup() // nothing once it is there
	if err := write(f); err != nil {
		return fmt.Errorf("report %s: %w", path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("report %s: %w", path, err)
	}
	return nil
}

// Replace writes a file that the user named, whole or not at all. A link stays
// one, and the file that it leads to is replaced; what is no regular file (a
// pipe, a device) is written to once all is known.
func Replace(path string, write func(io.Writer) error) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() {
		return replace(path, write)
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("report %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("report %s: %w", path, err)
	}
	_, err = f.Write(b.Bytes())
	return errors.Join(err, f.Close())
}
