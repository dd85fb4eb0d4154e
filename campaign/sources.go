package campaign

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// Sources are Go files as far as results depend on them, without comments,
// blank lines and tests, and what they are built with. Packages of independent
// parts (faults, assertions) are taken apart into declarations; the others
// count whole.
type Sources struct {
	whole string // digest of the packages that count whole, the modules and Go
	parts map[string]*parts
}

// apart are the packages of independent parts, with the declarations in them
// that are tables of these: a row counts only for what it is about.
var apart = map[string][]string{
	"assert": {"builtIn"},
	"fault":  {"builtin", "undoers"},
}

// parts are a package's declarations.
type parts struct {
	digests map[string][]string        // of each name's declarations, methods included
	uses    map[string]map[string]bool // names that they mention
	roots   map[string]bool            // names that other packages mention
	tables  []string                   // those that were found
}

// ReadSources reads every Go file but tests, and go.mod, which must be there.
// goVersion is the toolchain's that the program was built with: see
// runtime.Version.
func ReadSources(files fs.FS, goVersion string) (*Sources, error) {
	s := &Sources{parts: map[string]*parts{}}
	for name := range apart {
		s.parts[name] = &parts{
			digests: map[string][]string{}, uses: map[string]map[string]bool{}, roots: map[string]bool{"init": true, "_": true},
		}
	}
	h, imports := sha256.New(), map[string]bool{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, i := range file.Imports {
			imports[strings.Trim(i.Path.Value, "\"`")] = true
		}
		for other, p := range s.parts {
			p.mentioned(other, file)
		}
		if p := s.parts[path.Dir(name)]; p != nil {
			p.read(apart[path.Dir(name)], set, file, text)
			return nil
		}
		fmt.Fprintf(h, "file %s\n%s\n", name, digest(text))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sources: %w", err)
	}
	mod, err := fs.ReadFile(files, "go.mod")
	if err != nil {
		return nil, fmt.Errorf("sources: %w", err)
	}
	needed, err := modules(mod, imports)
	if err != nil {
		return nil, fmt.Errorf("sources: %w", err)
	}
	fmt.Fprintf(h, "modules %q\ngo %s\n", needed, goVersion)
	s.whole = hex.EncodeToString(h.Sum(nil))
	return s, nil
}

// modules are the lines of a go.mod that results depend on, without comments:
// all but the direct requirements of modules that no file here imports, such
// as those of the command line and of reports. An indirect requirement counts,
// since the file does not say whose it is.
func modules(text []byte, imports map[string]bool) ([]string, error) {
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range mod.Require {
		if path := r.Mod.Path; !r.Indirect && !imported(path, imports) {
			if err := mod.DropRequire(path); err != nil {
				return nil, err
			}
		}
	}
	mod.Cleanup()
	var out []string
	for _, s := range mod.Syntax.Stmt {
		switch s := s.(type) {
		case *modfile.Line:
			out = append(out, strings.Join(s.Token, " "))
		case *modfile.LineBlock:
			for _, line := range s.Line {
				out = append(out, strings.Join(slices.Concat(s.Token, line.Token), " "))
			}
		}
	}
	return out, nil
}

// imported says whether one of the imports is of the module.
func imported(module string, imports map[string]bool) bool {
	for path := range imports {
		if path == module || strings.HasPrefix(path, module+"/") {
			return true
		}
	}
	return false
}

// Fingerprint is a digest of the sources that a result depends on, given the
// names of the types of its faults and of its assertions: the packages that
// count whole, and of the others what these types or other packages mention,
// directly or not.
func (s *Sources) Fingerprint(faults, asserts []string) string {
	h := sha256.New()
	fmt.Fprintln(h, s.whole)
	for _, name := range slices.Sorted(maps.Keys(s.parts)) {
		roots := faults
		if name == "assert" {
			roots = asserts
		}
		for _, d := range s.parts[name].reached(roots) {
			fmt.Fprintln(h, name, d)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// mentioned notes what a file of another package mentions of this one.
func (p *parts) mentioned(name string, file *ast.File) {
	if file.Name.Name == name {
		return
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
				p.roots[sel.Sel.Name] = true
			}
		}
		return true
	})
}

// read takes a file apart.
func (p *parts) read(tables []string, set *token.FileSet, file *ast.File, text []byte) {
	of := func(n ast.Node) string {
		return digest(text[set.Position(n.Pos()).Offset:set.Position(n.End()).Offset])
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil && len(d.Recv.List) > 0 {
				name = receiver(d.Recv.List[0].Type)
			}
			p.add(tables, []string{name}, of(d), d)
		case *ast.GenDecl:
			p.readSpecs(tables, d, of)
		}
	}
}

// readSpecs takes a group of declarations apart; one that counts by itself
// (iota) stays whole.
func (p *parts) readSpecs(tables []string, d *ast.GenDecl, of func(ast.Node) string) {
	var all []string
	counts := false
	for _, s := range d.Specs {
		if v, ok := s.(*ast.ValueSpec); ok {
			all = append(all, names(v.Names)...)
			counts = counts || d.Tok == token.CONST && len(v.Values) == 0
		}
	}
	if counts {
		p.add(tables, all, of(d), d)
		return
	}
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.ValueSpec:
			p.add(tables, names(s.Names), of(s), s)
		case *ast.TypeSpec:
			p.add(tables, []string{s.Name.Name}, of(s), s)
		}
	}
}

// add notes a declaration. A table's rows are noted one by one: what a row
// mentions first leads to the rest of it.
func (p *parts) add(tables, declared []string, digest string, n ast.Node) {
	if len(declared) == 1 && slices.Contains(tables, declared[0]) {
		p.tables = append(p.tables, declared[0])
		for _, row := range rows(n) {
			if m := cells(row); len(m) > 0 {
				p.use(m[0], m[1:])
			}
		}
		return
	}
	for _, name := range declared {
		p.digests[name] = append(p.digests[name], digest)
		p.use(name, mentions(n))
	}
}

func (p *parts) use(name string, all []string) {
	if p.uses[name] == nil {
		p.uses[name] = map[string]bool{}
	}
	for _, m := range all {
		p.uses[name][m] = true
	}
}

// reached are the digests of what the roots lead to, sorted.
func (p *parts) reached(roots []string) []string {
	seen := map[string]bool{}
	todo := append(slices.Clone(roots), slices.Collect(maps.Keys(p.roots))...)
	var out []string
	for len(todo) > 0 {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, d := range p.digests[name] {
			out = append(out, name+" "+d)
		}
		todo = append(todo, slices.Collect(maps.Keys(p.uses[name]))...)
	}
	slices.Sort(out)
	return out
}

// rows are the elements of a table: of a literal, or a call's arguments.
func rows(n ast.Node) []ast.Node {
	var out []ast.Node
	ast.Inspect(n, func(n ast.Node) bool {
		var list []ast.Expr
		switch n := n.(type) {
		case *ast.CompositeLit:
			list = n.Elts
		case *ast.CallExpr:
			list = n.Args
		}
		for _, e := range list {
			out = append(out, e)
		}
		return len(list) == 0
	})
	return out
}

// cells are what a row mentions, first what it is about: not the type of a row
// that is a literal with elements, nor the function of one that calls it for a
// type (known[Drain]()), which are the same of all.
func cells(row ast.Node) []string {
	if call, ok := row.(*ast.CallExpr); ok {
		if of, ok := call.Fun.(*ast.IndexExpr); ok {
			return append(mentions(of.Index), mentions(call)...)
		}
	}
	lit, ok := row.(*ast.CompositeLit)
	if !ok || len(lit.Elts) == 0 {
		return mentions(row)
	}
	var out []string
	for _, e := range lit.Elts {
		out = append(out, mentions(e)...)
	}
	return out
}

// mentions are the identifiers below a node, in their order.
func mentions(n ast.Node) []string {
	var out []string
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			out = append(out, id.Name)
		}
		return true
	})
	return out
}

func names(list []*ast.Ident) []string {
	var out []string
	for _, id := range list {
		out = append(out, id.Name)
	}
	return out
}

// receiver is the name of a method's type.
func receiver(e ast.Expr) string {
	if all := mentions(e); len(all) > 0 {
		return all[0]
	}
	return "_"
}

// digest is one of a text's tokens, without comments. A semicolon that stands
// for the end of a line is the same as one that is written.
func digest(text []byte) string {
	set, h := token.NewFileSet(), sha256.New()
	var s scanner.Scanner
	s.Init(set.AddFile("", set.Base(), len(text)), text, nil, 0)
	for {
		_, kind, literal := s.Scan()
		if kind == token.EOF {
			return hex.EncodeToString(h.Sum(nil))
		}
		if kind == token.SEMICOLON || literal == "" {
			literal = kind.String()
		}
		fmt.Fprintf(h, "%q\n", literal)
	}
}
