package serve

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/report"
)

// The bounds of a walk.
const (
	maxDepth   = 6
	maxFolders = 20_000
)

// found is what the folder that is served has.
type found struct {
	// entries are its runs and suites, the newest first.
	entries []entry
	// notes say what was not looked at, and why.
	notes []string
}

// find looks what there is now.
func (s *Server) find() found {
	s.reading.Lock()
	defer s.reading.Unlock()
	r, err := s.newReader()
	if err != nil {
		return found{notes: []string{fmt.Sprintf("%s cannot be read: %v.", s.dir, bare(err))}}
	}
	defer r.root.Close()
	s.memory.round()
	w := walk{reader: r}
	w.folder(".", 0)
	slices.SortStableFunc(w.entries, func(a, b entry) int {
		return cmp.Or(b.Started.Compare(a.Started), strings.Compare(b.path, a.path))
	})
	out := found{entries: w.entries}
	if w.deeper {
		out.notes = append(out.notes, fmt.Sprintf("Folders more than %d levels below %s are not looked at.", maxDepth, s.dir))
	}
	if w.more {
		out.notes = append(out.notes, fmt.Sprintf("%s has more than %d folders: the others are not looked at.", s.dir, maxFolders))
	}
	return out
}

// walk goes through folders. Links are not followed, hidden folders and those
// in a run's are left alone.
type walk struct {
	reader
	entries []entry
	looked  int
	// deeper and more say that there are folders beyond maxDepth, or maxFolders.
	deeper, more bool
}

func (w *walk) folder(at string, depth int) {
	switch {
	case depth > maxDepth:
		w.deeper = true
		return
	case w.looked == maxFolders:
		w.more = true
		return
	}
	w.looked++
	list, err := w.list(at)
	if err != nil {
		w.odd(at, fmt.Sprintf("This folder cannot be read: %v.", bare(err)))
		return
	}
	has := func(name string) bool {
		return slices.ContainsFunc(list, func(d fs.DirEntry) bool { return d.Name() == name })
	}
	k := kindOf(w.base(at), has)
	if k != neither {
		w.entries = append(w.entries, w.entry(at, k, has))
	}
	if k == aRun {
		return
	}
	for _, d := range list {
		switch below := path.Join(at, d.Name()); {
		case hidden(d.Name()):
		case d.IsDir():
			w.folder(below, depth+1)
		case made.MatchString(d.Name()) && d.Type()&fs.ModeSymlink != 0:
			w.odd(below, "It is a link, and links are not followed.")
		case made.MatchString(d.Name()):
			w.odd(below, "It is no folder.")
		}
	}
}

// odd adds what has to be a run, and cannot be read.
func (w *walk) odd(at, reason string) {
	w.entries = append(w.entries, w.named(at, aRun, report.RunLine{Reason: reason}))
}

// list is what a folder holds, the last name first: where not all is looked
// at, that is the newest.
func (r reader) list(folder string) ([]fs.DirEntry, error) {
	f, err := r.root.Open(folder)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(b.Name(), a.Name()) })
	return list, err
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }
