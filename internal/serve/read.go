package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/suite"
)

// kind is what a folder is.
type kind int

const (
	neither kind = iota
	aRun
	aSuite
)

// made is the name that hachaos gives to the folder of a run or of a suite.
var made = regexp.MustCompile(`^(\d{8}T\d{6}Z)-(.+)-[0-9a-f]{8}$`)

// suiteName stands in it where a run's has its scenario.
const suiteName = "suite"

// kindOf says what a folder is, by what it has and by its name: one that has
// nothing yet is known by its name.
func kindOf(name string, has func(string) bool) kind {
	switch {
	case has(harness.JournalFile):
		return aRun
	case has(suite.File):
		return aSuite
	case has(harness.ResultFile):
		return aRun
	}
	switch m := made.FindStringSubmatch(name); {
	case m == nil:
		return neither
	case m[2] == suiteName:
		return aSuite
	}
	return aRun
}

// entry is a folder that the list has.
type entry struct {
	report.RunLine
	// path is the folder's, from the one that is served, with slashes.
	path string
}

// reader reads the folders of runs and suites. Whatever is wrong with one, it
// gives an entry that says so.
type reader struct {
	root *os.Root
	dir  string // root's name, as the user gave it
	// name is root's own, which stands for it in the list.
	name   string
	memory *memory
}

// newReader opens the folder that is served. The caller closes its root.
func (s *Server) newReader() (reader, error) {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return reader{}, err
	}
	name := s.dir
	if full, err := filepath.Abs(s.dir); err == nil {
		name = full
	}
	return reader{root: root, dir: s.dir, name: filepath.Base(name), memory: &s.memory}, nil
}

// base is a folder's own name.
func (r reader) base(folder string) string {
	if folder == "." {
		return r.name
	}
	return path.Base(folder)
}

// entry reads the folder of a run or a suite, of which has says what it holds.
func (r reader) entry(folder string, k kind, has func(string) bool) entry {
	file, page := harness.ResultFile, report.HTMLFile
	if k == aSuite {
		file, page = suite.File, report.SuiteHTMLFile
	}
	var line report.RunLine
	if has(file) {
		line = r.result(path.Join(folder, file), k)
	} else {
		line.Reason = r.unfinished(folder, k, has)
	}
	e := r.named(folder, k, line)
	e.Files = address(folder)
	if k == aSuite {
		e.Within = listAddress(query{RunFilter: report.RunFilter{Within: e.Box}})
	}
	renderable := has(harness.JournalFile) || k == aSuite && has(suite.File)
	switch {
	case has(page):
		e.Report = address(folder) + page
	case renderable:
		e.Advice = append(e.Advice, report.Advice{Text: "It has no report; once it has ended, this makes it:", Command: r.command("report", folder)})
	}
	if k == aRun && has(file) && !renderable {
		e.Advice = append(e.Advice, report.Advice{Text: "Its record, " + harness.JournalFile + ", is missing: it can be neither judged again nor compared."})
	}
	return e
}

// named is the entry of a folder. What its line lacks of when and what was run
// is taken from the folder's name.
func (r reader) named(folder string, k kind, line report.RunLine) entry {
	line.Name, line.Suite, line.Box = folder, k == aSuite, escape(folder)
	if folder == "." {
		line.Name = r.name
	}
	if m := made.FindStringSubmatch(r.base(folder)); m != nil {
		if line.Started.IsZero() {
			line.Started, _ = time.Parse("20060102T150405Z", m[1]) // stays zero if that is no time
		}
		if line.Scenario == "" && k == aRun {
			line.Scenario = m[2]
		}
	}
	return entry{line, folder}
}

// command is a command of hachaos's on a folder.
func (r reader) command(word, folder string) string {
	return "hachaos " + word + " " + report.ShellWord(filepath.Join(r.dir, filepath.FromSlash(folder)))
}

// unfinished says why a folder has no result.
func (r reader) unfinished(folder string, k kind, has func(string) bool) string {
	if k == aSuite {
		return "No result yet: the suite is under way, or was broken off."
	}
	if !has(harness.JournalFile) {
		return "No record: the run broke off before it began, or is about to begin."
	}
	text := "No result yet: the run is under way, or was broken off"
	if info, err := r.root.Stat(path.Join(folder, harness.JournalFile)); err == nil {
		text += fmt.Sprintf("; its record was last written to at %s", info.ModTime().UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return text + "."
}

// result reads the result of a run or a suite, if it is not known already.
func (r reader) result(file string, k kind) report.RunLine {
	info, err := r.root.Stat(file)
	if err == nil {
		if line, known := r.memory.recall(file, info); known {
			return line
		}
	}
	line, info, err := r.parse(file, k)
	if err != nil {
		line = report.RunLine{Reason: fmt.Sprintf("%s cannot be read: %.300v.", path.Base(file), bare(err))}
	}
	if info != nil {
		r.memory.keep(file, info, line)
	}
	return line
}

// maxResult is how large a result may be: some hundred times what one is.
const maxResult = 8 << 20

// parse reads a result; info is that of what it has read.
func (r reader) parse(file string, k kind) (line report.RunLine, info fs.FileInfo, err error) {
	f, info, err := open(r.root, file)
	if err != nil {
		return line, nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxResult+1))
	if err != nil {
		return line, nil, err
	}
	if len(b) > maxResult {
		return line, info, fmt.Errorf("it has more than %d bytes", maxResult)
	}
	if k == aSuite {
		line, err = suiteLine(b)
	} else {
		line, err = runLine(b)
	}
	return line, info, err
}

func runLine(b []byte) (report.RunLine, error) {
	var res harness.Result
	if err := json.Unmarshal(b, &res); err != nil {
		return report.RunLine{}, err
	}
	if res.Schema != harness.ResultSchema {
		return report.RunLine{}, fmt.Errorf("its schema is %.80q, and not %s", res.Schema, harness.ResultSchema)
	}
	switch res.Verdict {
	case harness.VerdictPass, harness.VerdictFail, harness.VerdictInconclusive, harness.VerdictError:
		return report.LineOf(&res), nil
	}
	return report.RunLine{}, fmt.Errorf("its verdict, %.80q, is none", res.Verdict)
}

func suiteLine(b []byte) (report.RunLine, error) {
	var res suite.Result
	if err := json.Unmarshal(b, &res); err != nil {
		return report.RunLine{}, err
	}
	if res.Schema != suite.Schema {
		return report.RunLine{}, fmt.Errorf("its schema is %.80q, and not %s", res.Schema, suite.Schema)
	}
	return report.LineOfSuite(&res), nil
}

// errNotRegular is a device, a pipe or a folder where a file is wanted.
var errNotRegular = errors.New("it is no regular file")

// open opens a file to read. What is no regular file is an error, and does not
// keep it waiting.
func open(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// maxKept is how many results are remembered.
const maxKept = 20_000

// memory has what was read of results, as long as they stay as they were. It
// forgets what the last round had no use for. The zero value is empty.
type memory struct{ last, now map[string]remembered }

type remembered struct {
	changed time.Time
	size    int64
	line    report.RunLine
}

// round begins a round: what the one before did not ask for is forgotten.
func (m *memory) round() { m.last, m.now = m.now, map[string]remembered{} }

func (m *memory) recall(file string, info fs.FileInfo) (report.RunLine, bool) {
	known, has := m.last[file]
	if !has || !known.changed.Equal(info.ModTime()) || known.size != info.Size() {
		return report.RunLine{}, false
	}
	m.keep(file, info, known.line)
	return known.line, true
}

func (m *memory) keep(file string, info fs.FileInfo, line report.RunLine) {
	if m.now == nil {
		m.round()
	}
	if len(m.now) < maxKept {
		m.now[file] = remembered{info.ModTime(), info.Size(), line}
	}
}
