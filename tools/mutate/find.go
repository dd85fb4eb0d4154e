package main

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// finder walks one file and notes the mutants in it.
type finder struct {
	p     *pkg
	f     *file
	fn    string
	stack []ast.Node // from the file down to the node that is visited
	seq   int
	all   []*mutant
	// whole are conditions that are made true and false as they stand: to
	// negate their comparison as well is weaker than both.
	whole map[ast.Expr]bool
	// same are literals of which one step makes the same as a moved boundary.
	same   map[*ast.BasicLit]token.Token
	consts map[types.Object][]*constant
	skip   map[ast.Expr]bool // expressions that are left as they are
}

// mutate finds the package's mutants, and drops those that cannot be had.
func (p *pkg) mutate() error {
	consts := map[types.Object][]*constant{}
	var finders []*finder
	for _, f := range p.files {
		w := &finder{p: p, f: f, whole: map[ast.Expr]bool{}, same: map[*ast.BasicLit]token.Token{}, consts: consts, skip: map[ast.Expr]bool{}}
		finders = append(finders, w)
		w.each(w.constants)
	}
	for _, w := range finders {
		w.each(func(d ast.Decl) { w.walk(d) })
		slices.SortStableFunc(w.all, func(a, b *mutant) int { return cmp.Compare(a.line, b.line) })
		p.mutants = append(p.mutants, w.all...)
	}
	number(p.mutants)
	unused := map[*mutant]bool{}
	for _, of := range consts {
		for _, c := range of {
			if !c.used {
				unused[c.m] = true
			}
		}
	}
	return p.check(unused)
}

// each visits the file's declarations, and knows in which function it is.
func (w *finder) each(visit func(ast.Decl)) {
	for _, d := range w.f.ast.Decls {
		w.fn = "-"
		if fd, ok := d.(*ast.FuncDecl); ok {
			w.fn = funcName(fd)
		}
		visit(d)
	}
}

func funcName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + d.Name.Name
		default:
			return d.Name.Name
		}
	}
}

func (w *finder) walk(n ast.Node) {
	if n != nil {
		ast.Inspect(n, w.visit)
	}
}

// visit notes the mutants of one node. Where only some children are of
// interest it walks these itself and stops the inspection.
func (w *finder) visit(n ast.Node) bool {
	if n == nil {
		w.stack = w.stack[:len(w.stack)-1]
		return false
	}
	if e, ok := n.(ast.Expr); ok && w.skip[e] {
		return false
	}
	w.stack = append(w.stack, n)
	on := true
	switch n := n.(type) {
	case *ast.GenDecl:
		on = n.Tok == token.VAR
	case *ast.StructType, *ast.InterfaceType, *ast.FuncType, *ast.MapType, *ast.ArrayType, *ast.ChanType, *ast.ImportSpec, *ast.CommentGroup:
		on = false
	case *ast.BlockStmt:
		w.statements(n.List)
	case *ast.CaseClause:
		w.statements(n.Body)
	case *ast.CommClause:
		w.statements(n.Body)
	case *ast.IfStmt:
		w.condition(n.Cond, "if ", true)
	case *ast.ForStmt:
		on = false
		w.loop(n)
	case *ast.SwitchStmt:
		w.cases(n)
	case *ast.ReturnStmt:
		w.results(n)
	case *ast.BinaryExpr:
		w.binary(n)
	case *ast.UnaryExpr:
		w.unary(n)
	case *ast.IncDecStmt:
		w.step(n)
	case *ast.AssignStmt:
		w.assign(n)
	case *ast.CallExpr:
		on = w.call(n)
	case *ast.CompositeLit:
		on = w.composite(n)
	case *ast.SelectorExpr:
		on = false
		w.walk(n.X)
	case *ast.BasicLit:
		w.literal(n)
	case *ast.Ident:
		w.name(n)
	}
	if !on {
		w.stack = w.stack[:len(w.stack)-1]
	}
	return on
}

// parent is the node above the one that is visited, n levels up from it.
func (w *finder) parent(n int) ast.Node {
	if i := len(w.stack) - 1 - n; i >= 0 {
		return w.stack[i]
	}
	return nil
}

// arid are packages whose calls are not mutated, nor what they are given:
// what is logged is for people.
var arid = map[string]bool{"log": true, "log/slog": true}

// call says whether the inspection goes on as usual. How much is allocated
// ahead is not mutated: it makes no difference that a test could see.
func (w *finder) call(n *ast.CallExpr) bool {
	callee := w.callee(n)
	if callee != nil && callee.Pkg() != nil && arid[callee.Pkg().Path()] {
		return false
	}
	var upTo int
	switch {
	case callee == nil:
		return true
	case callee == types.Universe.Lookup("make"):
		upTo = 1
		if t := w.p.info.Types[n.Args[0]].Type; len(n.Args) > 1 && t != nil {
			if _, isMap := t.Underlying().(*types.Map); !isMap {
				upTo = 2
			}
		}
	case callee.Name() == "Grow" && len(n.Args) > 0, strings.HasPrefix(callee.Name(), "New") && strings.HasSuffix(callee.Name(), "Size"):
		upTo = len(n.Args) - 1
	case callee == types.Universe.Lookup("panic"):
		upTo = 0
	default:
		return true
	}
	w.walk(n.Fun)
	for _, a := range n.Args[:upTo] {
		w.walk(a)
	}
	return false
}

func (w *finder) callee(n *ast.CallExpr) types.Object {
	switch f := ast.Unparen(n.Fun).(type) {
	case *ast.Ident:
		return w.p.info.Uses[f]
	case *ast.SelectorExpr:
		return w.p.info.Uses[f.Sel]
	}
	return nil
}

// composite walks a literal without the keys of arrays and of structs.
func (w *finder) composite(n *ast.CompositeLit) bool {
	t := w.p.info.Types[n].Type
	if t != nil {
		if _, isMap := t.Underlying().(*types.Map); isMap {
			return true
		}
	}
	for _, e := range n.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			w.stack = append(w.stack, kv)
			w.walk(kv.Value)
			w.stack = w.stack[:len(w.stack)-1]
			continue
		}
		w.walk(e)
	}
	return false
}

// source is a node's text.
func (w *finder) source(n ast.Node) string {
	return string(w.f.src[w.f.offset(w.p, n.Pos()):w.f.offset(w.p, n.End())])
}

// add notes a mutant that replaces the code of from, which is shown within
// the expression or statement around it, by to.
func (w *finder) add(op string, from ast.Node, to string) *mutant {
	a, b := w.f.offset(w.p, from.Pos()), w.f.offset(w.p, from.End())
	return w.addAt(op, w.around(from), a, b, to)
}

// addToken is add for an operator, at pos in an expression or a statement.
func (w *finder) addToken(op string, within ast.Node, pos token.Pos, tok, to string) *mutant {
	a := w.f.offset(w.p, pos)
	return w.addAt(op, w.around(within), a, a+len(tok), to)
}

func (w *finder) addAt(op string, context ast.Node, a, b int, to string) *mutant {
	from, end := w.f.offset(w.p, context.Pos()), w.f.offset(w.p, context.End())
	before, after := string(w.f.src[from:a]), string(w.f.src[b:end])
	line := strings.Count(string(w.f.src[:a]), "\n") + 1
	return w.addText(op, line, oneLine(w.source(context)), oneLine(before+to+after))
}

func (w *finder) line(n ast.Node) int { return w.p.fset.Position(n.Pos()).Line }

func (w *finder) addText(op string, line int, from, to string) *mutant {
	m := &mutant{op: op, file: w.f.name, line: line, fn: w.fn}
	m.from, m.to = cut(from, to)
	w.all = append(w.all, m)
	return m
}

// around is what a mutant is shown in: the largest expression, or simple
// statement, on the way up that is not long.
func (w *finder) around(n ast.Node) ast.Node {
	for i := len(w.stack) - 1; i >= 0; i-- {
		up := w.stack[i]
		if up.Pos() > n.Pos() || up.End() < n.End() {
			continue
		}
		switch up.(type) {
		case *ast.FuncLit:
			return n
		case ast.Expr, *ast.AssignStmt, *ast.ReturnStmt, *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.ValueSpec:
			if len(oneLine(w.source(up))) > longest {
				return n
			}
			n = up
		default:
			return n
		}
	}
	return n
}

// wrap puts text before and after a node, for the mutants given. Of several on
// the same code that of the outer node is outside, and of one node the later.
func (w *finder) wrap(n ast.Node, before, after string, of ...*mutant) {
	w.seq++
	a, b := w.f.offset(w.p, n.Pos()), w.f.offset(w.p, n.End())
	seq := w.seq - len(w.stack)<<32
	w.f.edits = append(w.f.edits,
		edit{at: a, text: before, of: of, other: b, seq: seq},
		edit{at: b, text: after, of: of, other: a, seq: seq})
}

// insert puts text at a place, instead of del bytes.
func (w *finder) insert(pos token.Pos, del int, text string, of ...*mutant) {
	w.f.edits = append(w.f.edits, edit{at: w.f.offset(w.p, pos), del: del, text: text, of: of, other: -1})
}

// written is the name of a type in this file, in brackets, as an argument of
// a generic helper; empty if it has none that is known, so that it is inferred.
func (w *finder) written(t types.Type) string {
	if t == nil {
		return ""
	}
	t = types.Default(t)
	known := true
	s := types.TypeString(t, func(of *types.Package) string {
		if of.Path() == w.p.path {
			return ""
		}
		for _, i := range w.f.ast.Imports {
			if strings.Trim(i.Path.Value, "\"`") != of.Path() {
				continue
			}
			if i.Name != nil {
				return i.Name.Name
			}
			return of.Name()
		}
		known = false
		return of.Name()
	})
	if !known || s == "untyped nil" {
		return ""
	}
	return "[" + s + "]"
}

// typeOf is the type of an expression where it stands.
func (w *finder) typeOf(e ast.Expr) types.Type { return w.p.info.Types[e].Type }

// largest is the largest constant expression around the one that is visited. A
// part of it must stay constant: the compiler reckons exactly, the program in
// the floating point of its machine.
func (w *finder) largest(e ast.Expr) ast.Expr {
	for i := 1; ; i++ {
		up, ok := w.parent(i).(ast.Expr)
		if !ok || !w.isConstant(up) {
			return e
		}
		e = up
	}
}

// replaced is the text of an expression with another one in the place of a
// part of it.
func (w *finder) replaced(e, part ast.Expr, by string) string {
	from := w.f.offset(w.p, e.Pos())
	text := w.source(e)
	return text[:w.f.offset(w.p, part.Pos())-from] + by + text[w.f.offset(w.p, part.End())-from:]
}

// isConstant says whether an expression is constant.
func (w *finder) isConstant(e ast.Expr) bool { return w.p.info.Types[e].Value != nil }

func (w *finder) is(e ast.Expr, info types.BasicInfo) bool { return isBasic(w.typeOf(e), info) }

func isBasic(t types.Type, info types.BasicInfo) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&info != 0
}
