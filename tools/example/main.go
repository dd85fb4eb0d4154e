// Command example packs a run's folder for `hachaos example`:
//
//	go run ./tools/example runs/20261121T060452Z-instance-kill-99e3c0ff
//
// It takes what the run's seal covers, its journal and its result, and refuses
// a run that is not fit to be shown: one that did not fail on evidence of single
// operations, or that names the machine it was recorded on. Nothing in it is
// changed, since its seal would not be valid any more. It takes bzip2, which the
// standard library reads, and does not write.
package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/report"
)

// packed is where the run is kept, from the module's root.
const packed = "fixtures/example/run.tar.bz2"

func main() {
	if len(os.Args) != 2 || os.Args[1] == "" {
		fmt.Fprintln(os.Stderr, "example wants the folder of a run that failed: make example RUN=runs/…")
		os.Exit(2)
	}
	if err := run(os.Args[1], packed, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
}

// run packs a run's folder into a file, whole or not at all.
func run(dir, to string, out io.Writer) error {
	files, err := filesOf(dir)
	if err != nil {
		return err
	}
	if found := private(files, here()); len(found) > 0 {
		return fmt.Errorf("%s names the machine it was recorded on, or others; record another run:\n%s", dir, strings.Join(found, "\n"))
	}
	size, err := keep(files, to)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d bytes\n", to, size)
	return err
}

// keep packs files into a file, whole or not at all, and says how large it is.
func keep(files []file, to string) (size int, err error) {
	b, err := pack(files)
	if err != nil {
		return 0, err
	}
	return len(b), report.Replace(to, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// file is one of a run's folder; its name has slashes.
type file struct {
	name string
	text []byte
}

// filesOf reads what is kept of a run, in the order of the names: the journal,
// what it seals, and the result, as the run is judged now.
func filesOf(dir string) ([]file, error) {
	r, h, err := harness.Judge(dir)
	if err != nil {
		return nil, err
	}
	if why := unfit(r, h); why != "" {
		return nil, fmt.Errorf("%s is not fit to be shown: %s", dir, why)
	}
	result, err := harness.Encode(r)
	if err != nil {
		return nil, err
	}
	journal, err := os.ReadFile(filepath.Join(dir, harness.JournalFile))
	if err != nil {
		return nil, err
	}
	files := []file{{harness.JournalFile, journal}, {harness.ResultFile, result}}
	sealed, err := sealedBy(journal)
	if err != nil {
		return nil, err
	}
	for _, f := range sealed {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if err != nil {
			return nil, err
		}
		files = append(files, file{f.Path, text})
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return files, nil
}

// sealedBy are the files that a journal seals.
func sealedBy(journal []byte) ([]history.SealedFile, error) {
	var seal history.Seal
	for e, err := range history.Read(bytes.NewReader(journal)) {
		if err != nil {
			return nil, err
		}
		if e.Kind == history.Sealed {
			err := json.Unmarshal(e.Data, &seal)
			return seal.Files, err
		}
	}
	return nil, errors.New("the journal has no seal")
}

// unfit says why a run is no example; empty if it is one.
func unfit(r *harness.Result, h *history.History) string {
	named := func(v assert.Verdict) bool {
		return v.Status == assert.Fail && slices.ContainsFunc(v.Evidence, func(e assert.Evidence) bool { return e.Op != 0 })
	}
	switch {
	case h.Integrity.State != history.Whole:
		return h.Integrity.Reason
	case r.Verdict != harness.VerdictFail:
		return fmt.Sprintf("its verdict is %s", r.Verdict)
	case r.Dirty || r.BrokenOff != "":
		return "it was broken off, or left something behind"
	case slices.ContainsFunc(r.Faults, func(f harness.FaultResult) bool { return !f.Proven || f.HealedAt < 0 }):
		return "a fault was not proven, or not seen to heal"
	case !slices.ContainsFunc(r.Assertions, named):
		return "no failure names an operation"
	}
	return ""
}

// pack makes an archive of the files: the same ones give the same bytes.
func pack(files []file) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := tar.Header{Name: f.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(f.text)), Format: tar.FormatUSTAR}
		if err := w.WriteHeader(&h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.text); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	c := exec.Command("bzip2", "-9", "-c")
	var said bytes.Buffer
	c.Stdin, c.Stderr = &b, &said
	out, err := c.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("%w: install bzip2", err)
	}
	if err != nil {
		return nil, fmt.Errorf("bzip2: %w: %s", err, said.Bytes())
	}
	return out, nil
}
