package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// format is part of the state: a change of it makes all results old.
const format = "hachaos.mutation/1"

// pkg is a package under test, type checked, with its mutants.
type pkg struct {
	path, name, short, dir string // import path, name, path in the module, folder
	state                  string // digest of what the results depend on
	language               string // of go.mod, as go/types wants it
	fset                   *token.FileSet
	files                  []*file
	info                   *types.Info
	importer               types.Importer
	mutants                []*mutant
	dropped                []*mutant // those that do not type check, or of unused constants
}

// file is a source file of a package; tests are none.
type file struct {
	name, path string // as it is reported, and on disk
	src        []byte
	ast        *ast.File
	edits      []edit
	mutated    []byte // src with all mutants that type check
}

// offset is where a position of the file is in src.
func (f *file) offset(p *pkg, pos token.Pos) int { return p.fset.Position(pos).Offset }

type listed struct {
	Dir, ImportPath, Name, Export                string
	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles []string
	EmbedFiles, TestEmbedFiles, XTestEmbedFiles  []string
	Module                                       *struct{ Dir, GoVersion string }
}

// load reads and type checks a package, named by its path in the module whose
// root is given. Build tags are not set.
func load(root, name string) (*pkg, error) {
	me, err := find(root, name)
	if err != nil {
		return nil, err
	}
	short, err := filepath.Rel(me.Module.Dir, me.Dir)
	if err != nil {
		return nil, err
	}
	p := &pkg{
		path: me.ImportPath, name: me.Name, short: filepath.ToSlash(short), dir: me.Dir,
		language: "go" + me.Module.GoVersion, fset: token.NewFileSet(),
	}
	if p.state, err = me.digest(); err != nil {
		return nil, err
	}
	for _, n := range me.GoFiles {
		f := &file{name: path.Join(p.short, n), path: filepath.Join(me.Dir, n)}
		if f.src, err = os.ReadFile(f.path); err != nil {
			return nil, err
		}
		if f.ast, err = parser.ParseFile(p.fset, f.path, f.src, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return nil, err
		}
		p.files = append(p.files, f)
	}
	exports, err := goList(root, append([]string{"-export", "-deps", "-json=ImportPath,Export", "./" + name}, runtimeImports...)...)
	if err != nil {
		return nil, err
	}
	p.importer = imports(p.fset, exports)
	p.info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
	}
	_, err = (&types.Config{Importer: p.importer, GoVersion: p.language}).Check(p.path, p.fset, p.asts(), p.info)
	return p, err
}

func (p *pkg) asts() []*ast.File {
	var out []*ast.File
	for _, f := range p.files {
		out = append(out, f.ast)
	}
	return out
}

// imports reads the export data that the go command made.
func imports(fset *token.FileSet, exports []listed) types.Importer {
	at := map[string]string{}
	for _, l := range exports {
		at[l.ImportPath] = l.Export
	}
	return importer.ForCompiler(fset, "gc", func(of string) (io.ReadCloser, error) {
		if at[of] == "" {
			return nil, fmt.Errorf("no export data of %s", of)
		}
		return os.Open(at[of])
	})
}

func goList(dir string, args ...string) ([]listed, error) {
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	var msg bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &msg
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, bytes.TrimSpace(msg.Bytes()))
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		switch err := dec.Decode(&l); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("go list: %w", err)
		}
		all = append(all, l)
	}
}

// find is the package with what the go command says of it.
func find(root, name string) (listed, error) {
	l, err := goList(root, "-json=Dir,ImportPath,Name,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,EmbedFiles,TestEmbedFiles,XTestEmbedFiles,Module", "./"+name)
	if err != nil {
		return listed{}, err
	}
	if len(l) != 1 || len(l[0].CgoFiles) > 0 || l[0].Module == nil {
		return listed{}, fmt.Errorf("%s is not one package of pure Go in a module", name)
	}
	return l[0], nil
}

// state is the digest of the package in a folder, as it is now.
func state(dir string) (string, error) {
	l, err := find(dir, ".")
	if err != nil {
		return "", err
	}
	return l.digest()
}

// digest is of the package's sources, tests and what they embed or find in
// testdata, and of the toolchain. Packages that it imports are not in it: a
// change of them leaves its results as they are.
func (l listed) digest() (string, error) {
	names := slices.Concat(l.GoFiles, l.TestGoFiles, l.XTestGoFiles, l.EmbedFiles, l.TestEmbedFiles, l.XTestEmbedFiles)
	err := filepath.WalkDir(filepath.Join(l.Dir, "testdata"), func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && d.IsDir() {
			return nil
		}
		if err == nil {
			names = append(names, strings.TrimPrefix(name, l.Dir+string(filepath.Separator)))
		}
		return err
	})
	if err != nil {
		return "", err
	}
	slices.Sort(names)
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %s\n", format, runtime.Version(), l.ImportPath)
	for _, n := range slices.Compact(names) {
		b, err := os.ReadFile(filepath.Join(l.Dir, n))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n%s\n", n, len(b), b)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}
