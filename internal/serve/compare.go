package serve

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/suite"
)

// comparison answers with what differs between the runs and suites that were
// chosen, as `hachaos compare` tells it: with the oldest first.
func (s *Server) comparison(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	by, all := v.Get("by"), v.Get("all") != ""
	dirs, err := s.chosen(v)
	switch {
	case err != nil:
		notice(w, http.StatusUnprocessableEntity, "This cannot be compared", err.Error())
		return
	case len(dirs) == 0 || len(dirs) == 1 && by == "":
		notice(w, http.StatusBadRequest, "There is nothing to compare yet", "Check two runs or suites in the list, or more; of a single suite its runs can be compared by profile, version or command.")
		return
	}
	select {
	case s.comparing <- struct{}{}:
		defer func() { <-s.comparing }()
	case <-r.Context().Done():
		return
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		notice(w, http.StatusNotFound, "The folder is gone", s.dir+": "+bare(err).Error())
		return
	}
	defer root.Close()
	list, missing, err := s.compare(s.judge(r.Context(), root), dirs, by, all)
	if err != nil {
		notice(w, http.StatusUnprocessableEntity, "This cannot be compared", err.Error())
		return
	}
	answer(w, http.StatusOK, func(w io.Writer) error {
		return report.CompareHTML(w, list, report.ComparePage{All: all, Missing: missing, Back: "/"})
	})
}

// chosen are the folders whose boxes were checked, the oldest first. Those whose
// records cannot be read from the folder that is served are an error: a record
// may be a link that leads elsewhere.
func (s *Server) chosen(v url.Values) ([]string, error) {
	all := s.find()
	for _, box := range v["run"] {
		if !slices.ContainsFunc(all.entries, func(e entry) bool { return e.Box == box }) {
			return nil, fmt.Errorf("%s is not in %s, or not any more", unescape(box), s.dir)
		}
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var dirs []string
	for _, e := range slices.Backward(all.entries) {
		if !slices.Contains(v["run"], e.Box) {
			continue
		}
		if e.Files == "" {
			return nil, fmt.Errorf("%s: %s", e.Name, e.Reason)
		}
		dir, file := filepath.Join(s.dir, filepath.FromSlash(e.path)), harness.JournalFile
		if e.Suite {
			file = suite.File
		}
		if err := s.inside(root, dir, file); err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

// judge judges folders one after another, until ctx ends.
func (s *Server) judge(ctx context.Context, root *os.Root) Judge {
	return func(dir string) (*harness.Result, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.inside(root, dir, harness.JournalFile); err != nil {
			return nil, err
		}
		r, _, err := harness.Judge(dir)
		return r, err
	}
}

// inside says why a file of a folder cannot be read as one that is below root.
func (s *Server) inside(root *os.Root, dir, name string) error {
	below, err := filepath.Rel(s.dir, dir)
	if err != nil {
		return err
	}
	info, err := root.Stat(path.Join(filepath.ToSlash(below), name))
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return fmt.Errorf("%s of %s cannot be read: %w", name, dir, bare(err))
	}
	return nil
}
