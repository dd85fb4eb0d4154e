package hachaos_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// readsBytes are the names of functions that read what comes from outside: a
// system's answers, logs and files, and records of earlier runs.
var readsBytes = regexp.MustCompile(`^(parse|decode|Decode|ReadLog$|understand$|lastLine$|proxyLines$|sessionCount$|sessionBody$|splitLine$)`)

// reads are those of them whose parameter must be the bytes themselves, for a text
// may be the name of a file.
var reads = regexp.MustCompile(`^[rR]ead`)

// notFuzzed are those that no fuzz test needs to reach, and why.
var notFuzzed = map[string]string{
	"topology parseWait":            "a switch is the user's own word, and a table of tests has each",
	"topology parseNumber":          "a switch",
	"topology/docker parseFeatures": "a set of lines, any of which may be there",
}

// pkg are the functions and methods of a package's own files, and of its
// tests, by name.
type pkg struct{ own, tests map[string][]*ast.FuncDecl }

// Every function that reads bytes from outside is reached by a fuzz test of its
// package, through whatever calls it.
func TestWhatReadsBytesIsFuzzed(t *testing.T) {
	met := map[string]bool{}
	var bare, listed []string
	for dir, p := range packages(t) {
		reached := p.reached()
		for name, all := range p.own {
			if !slices.ContainsFunc(all, func(f *ast.FuncDecl) bool {
				return readsBytes.MatchString(name) && takes(f, true) || reads.MatchString(name) && !isReader(f) && takes(f, false)
			}) {
				continue
			}
			full := dir + " " + name
			if _, left := notFuzzed[full]; left {
				met[full] = true
				if reached[name] {
					listed = append(listed, full)
				}
			} else if !reached[name] {
				bare = append(bare, full)
			}
		}
	}
	require.Empty(t, bare, "read bytes, and no fuzz test of their package reaches them")
	for full := range notFuzzed {
		if !met[full] {
			listed = append(listed, full)
		}
	}
	require.Empty(t, listed, "are fuzzed, or not there: take them off the list")
}

// packages are all of the repository, by folder.
func packages(t *testing.T) map[string]*pkg {
	t.Helper()
	all := map[string]*pkg{}
	require.NoError(t, filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "images") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if all[dir] == nil {
			all[dir] = &pkg{map[string][]*ast.FuncDecl{}, map[string][]*ast.FuncDecl{}}
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				in := all[dir].own
				if strings.HasSuffix(path, "_test.go") {
					in = all[dir].tests
				}
				in[f.Name.Name] = append(in[f.Name.Name], f)
			}
		}
		return nil
	}))
	return all
}

// isReader says whether it is the method of io.Reader, which fills what it is given.
func isReader(f *ast.FuncDecl) bool { return f.Recv != nil && f.Name.Name == "Read" }

// takes says whether a parameter is bytes, a reader of them or, if text counts, text.
func takes(f *ast.FuncDecl, text bool) bool {
	for _, p := range f.Type.Params.List {
		switch x := p.Type.(type) {
		case *ast.Ident:
			if text && x.Name == "string" {
				return true
			}
		case *ast.ArrayType:
			if e, ok := x.Elt.(*ast.Ident); ok && e.Name == "byte" && x.Len == nil {
				return true
			}
		case *ast.SelectorExpr:
			if x.Sel.Name == "Reader" || x.Sel.Name == "RawMessage" {
				return true
			}
		}
	}
	return false
}

// reached are the names that fuzz tests use, and those that these use.
func (p *pkg) reached() map[string]bool {
	seen := map[string]bool{}
	var follow func(f *ast.FuncDecl)
	follow = func(f *ast.FuncDecl) {
		ast.Inspect(f, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || seen[id.Name] {
				return true
			}
			seen[id.Name] = true
			for _, g := range slices.Concat(p.own[id.Name], p.tests[id.Name]) {
				follow(g)
			}
			return true
		})
	}
	for name, all := range p.tests {
		if strings.HasPrefix(name, "Fuzz") {
			follow(all[0])
		}
	}
	return seen
}
