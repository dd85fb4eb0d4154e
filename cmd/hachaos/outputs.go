package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/suite"
)

// output is a file that --write asks for; the path "-" is standard output.
type output struct {
	format report.Format
	path   string
}

// outputs are all of them.
type outputs []output

// addWrite adds the flag that asks for a result in a form of choice.
func addWrite(c *cobra.Command, list *[]string) {
	c.Flags().StringArrayVar(list, "write", nil, "FORMAT=FILE, repeatable: also write the result in this format, - for standard output: "+strings.Join(formatNames(), ", "))
}

// aboutFormats lists the formats for a command's help.
func aboutFormats() string {
	var b strings.Builder
	for _, f := range report.Formats() {
		fmt.Fprintf(&b, "  %-12s %s\n", f.Name, f.About)
	}
	return b.String()
}

func formatNames() []string {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, f.Name)
	}
	return names
}

// outputsOf reads the flag's values. What could not be written later is a
// usage error now: nothing has been started. asJSON says that standard output
// is taken.
func outputsOf(list []string, asJSON bool) (outputs, error) {
	byName, err := pairs("--write", "FORMAT=FILE, such as junit=hachaos.xml", list)
	if err != nil {
		return nil, err
	}
	var out outputs
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		path := byName[name]
		f, known := report.FormatOf(name)
		if !known {
			return nil, usage("--write %s=%s: no format %q: want one of %s", name, path, name, strings.Join(formatNames(), ", "))
		}
		if path == stdout && (asJSON || out.onStdout()) {
			return nil, usage("--write %s=-: standard output has only room for one: give a file", name)
		}
		if path != stdout {
			if err := writable("--write "+name+"="+path, path); err != nil {
				return nil, err
			}
		}
		if i := slices.IndexFunc(out, func(o output) bool { return filepath.Clean(o.path) == filepath.Clean(path) }); i >= 0 {
			return nil, usage("--write %s=%s and %s=%s: want a file each", out[i].format.Name, out[i].path, name, path)
		}
		out = append(out, output{f, path})
	}
	return out, nil
}

// stdout is how a path names standard output.
const stdout = "-"

func (o outputs) onStdout() bool {
	return slices.ContainsFunc(o, func(x output) bool { return x.path == stdout })
}

// people is where the result goes that is for people: standard output, unless a format
// has taken that. GitHub's annotations are lines of a log like any others.
func (a *app) people(list outputs) io.Writer {
	if slices.ContainsFunc(list, func(x output) bool { return x.path == stdout && x.format.Name != "github" }) {
		return a.err
	}
	return a.out
}

// writable says why a file could not be written: its folder is missing, or it
// is one.
func writable(flag, path string) error {
	if path == "" || path == stdout {
		return usage("%s: want the path of a file", flag)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usage("%s: it is a folder: want the path of a file", flag)
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return usage("%s: there is no folder %s: make it first", flag, dir)
	}
	return nil
}

// write writes each file whole or not at all. It goes on after an error, and
// returns them all.
func (a *app) write(list outputs, render func(f report.Format, w io.Writer, dir string) error) error {
	var failed []string
	for _, o := range list {
		var err error
		if o.path == stdout {
			var b bytes.Buffer
			if err = render(o.format, &b, "."); err == nil {
				_, err = a.out.Write(b.Bytes())
			}
		} else {
			err = report.Replace(o.path, func(w io.Writer) error { return render(o.format, w, filepath.Dir(o.path)) })
		}
		if err != nil {
			failed = append(failed, fmt.Sprintf("--write %s=%s: %v", o.format.Name, o.path, err))
		}
	}
	if len(failed) > 0 {
		return errors.New(strings.Join(failed, "; "))
	}
	return nil
}

// writeRun writes a run's outputs; h is nil if it has left no record.
func (a *app) writeRun(list outputs, r *harness.Result, h *history.History) error {
	return a.write(list, func(f report.Format, w io.Writer, _ string) error { return f.Run(w, r, h) })
}

// writeSuite writes a suite's outputs.
func (a *app) writeSuite(list outputs, s *suite.Result) error {
	return a.write(list, func(f report.Format, w io.Writer, dir string) error { return f.Suite(w, s, dir) })
}

// unwritten tells that outputs are missing; then a pass is none, because who
// asked for them would see an old file or nothing. Any other exit code stays.
func (a *app) unwritten(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(a.err, "hachaos:", err)
	if a.code == harness.ExitPass {
		a.code = harness.ExitError
	}
}
