package serve

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/report"
)

// What browsers let a file of a run do. A report runs its own scripts, and they
// have no part in what else is served here: who wrote a run's folder could
// otherwise read all others.
const (
	filePolicy = "default-src 'none'; sandbox; frame-ancestors 'none'"
	pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-scripts"
)

// maxFiles is how many files of a folder are listed.
const maxFiles = 1000

// files answers with a file of a run or a suite, or with what its folder holds.
func (s *Server) files(w http.ResponseWriter, r *http.Request) {
	rd, err := s.newReader()
	if err != nil {
		notice(w, http.StatusNotFound, "The folder is gone", s.dir+": "+bare(err).Error())
		return
	}
	defer rd.root.Close()
	name := strings.TrimSuffix(r.PathValue("path"), "/")
	if name == "" {
		name = "."
	}
	home, k := rd.home(name)
	if k == neither {
		notice(w, http.StatusNotFound, "This is in no run", "Only files of runs and of suites are shown, and no hidden ones.")
		return
	}
	if err := s.file(w, r, rd, home, k, name); err != nil {
		s.missing(w, rd, home, k, name, err)
	}
}

// home is the folder of the run, or of the suite, that a file or a folder is
// in. A suite has only its own files: those below are of its runs.
func (r reader) home(name string) (folder string, k kind) {
	if path.Clean(name) != name || !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", neither
	}
	parts := strings.Split(name, "/")
	if name != "." && slices.ContainsFunc(parts, hidden) {
		return "", neither
	}
	owner := ""
	for i := 0; i <= len(parts); i++ {
		at := path.Join(append([]string{"."}, parts[:i]...)...)
		switch r.kind(at) {
		case aRun:
			return at, aRun
		case aSuite:
			owner = at
		}
	}
	if owner != "" && (name == owner || path.Dir(name) == owner) {
		return owner, aSuite
	}
	return "", neither
}

// has says what a folder holds.
func (r reader) has(folder string) func(name string) bool {
	return func(name string) bool {
		_, err := r.root.Lstat(path.Join(folder, name))
		return err == nil
	}
}

func (r reader) kind(folder string) kind {
	if info, err := r.root.Lstat(folder); err != nil || !info.IsDir() {
		return neither
	}
	return kindOf(r.base(folder), r.has(folder))
}

// file sends a file, or the page of a folder. What a link leads to must be in
// the same run. An error means that nothing was sent.
func (s *Server) file(w http.ResponseWriter, r *http.Request, rd reader, home string, k kind, name string) error {
	root, err := rd.root.OpenRoot(home)
	if err != nil {
		return err
	}
	defer root.Close()
	own, err := filepath.Rel(home, name)
	if err != nil {
		return err
	}
	own = filepath.ToSlash(own)
	if info, err := root.Stat(own); err == nil && info.IsDir() {
		if k == aSuite && own != "." {
			return errNotRegular
		}
		return s.folder(w, rd, root, home, k, own)
	}
	f, info, err := open(root, own)
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", filePolicy)
	switch {
	case own == report.HTMLFile, own == report.SuiteHTMLFile:
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", pagePolicy)
	case path.Ext(own) == ".json":
		h.Set("Content-Type", "application/json")
	default:
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}

// folder sends the page of a folder: home, or one below it.
func (s *Server) folder(w http.ResponseWriter, rd reader, root *os.Root, home string, k kind, own string) error {
	list, err := reader{root: root}.list(own)
	if err != nil {
		return err
	}
	at := path.Join(home, own)
	p := report.RunFolder{Name: at}
	if own == "." {
		s.reading.Lock()
		e := rd.entry(home, k, rd.has(home))
		s.reading.Unlock()
		if k == aRun && rd.has(home)(harness.JournalFile) {
			e.Advice = append(e.Advice,
				report.Advice{Text: "To have it told in words:", Command: rd.command("explain", home)},
				report.Advice{Text: "To judge it again:", Command: rd.command("check", home)})
		}
		p.Name, p.Line = e.Name, &e.RunLine
	} else {
		p.Up = address(path.Dir(at))
	}
	list = slices.DeleteFunc(list, func(d fs.DirEntry) bool { return hidden(d.Name()) })
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	if p.More = len(list) - maxFiles; p.More > 0 {
		list = list[:maxFiles]
	} else {
		p.More = 0
	}
	for _, d := range list {
		p.Files = append(p.Files, fileOf(root, path.Join(own, d.Name()), path.Join(at, d.Name())))
	}
	answer(w, http.StatusOK, func(w io.Writer) error { return report.RunFolderHTML(w, p) })
	return nil
}

// fileOf is a line of the page; at is the file's path from the folder that is
// served.
func fileOf(root *os.Root, own, at string) report.RunFile {
	f := report.RunFile{Name: path.Base(own)}
	info, err := root.Stat(own)
	switch {
	case err != nil:
		f.Note = bare(err).Error()
		return f
	case info.IsDir():
		f.Folder, f.Address = true, address(at)
	case info.Mode().IsRegular():
		f.Address = strings.TrimSuffix(address(at), "/")
	default:
		f.Note = errNotRegular.Error()
	}
	f.Size, f.Changed = info.Size(), info.ModTime()
	return f
}

// missing says why a file cannot be sent; of a report that was not made, how
// to make it.
func (s *Server) missing(w http.ResponseWriter, rd reader, home string, k kind, name string, err error) {
	switch page := path.Join(home, report.HTMLFile); {
	case errors.Is(err, fs.ErrNotExist) && k == aRun && name == page && rd.has(home)(harness.JournalFile):
		notice(w, http.StatusNotFound, "This run has no report", name+" is not there.",
			report.Advice{Text: "Once the run has ended, this makes it:", Command: rd.command("report", home)})
	case errors.Is(err, fs.ErrNotExist):
		notice(w, http.StatusNotFound, "This file is not there", name+" is not there, or not any more.")
	default:
		notice(w, http.StatusForbidden, "This file is not shown", name+": "+bare(err).Error()+".")
	}
}
