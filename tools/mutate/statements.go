package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// statements notes what can be left out of a list, and the jumps in it.
func (w *finder) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt:
			if c, ok := s.X.(*ast.CallExpr); ok {
				w.removeCall(s, c)
			}
		case *ast.DeferStmt:
			w.removeCall(s, s.Call)
		case *ast.GoStmt:
			w.removeCall(s, s.Call)
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE && !slices.ContainsFunc(s.Lhs, isBlank) {
				w.remove(s)
			}
		case *ast.IncDecStmt, *ast.SendStmt:
			w.remove(s)
		case *ast.BranchStmt:
			w.jump(s)
		}
	}
}

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

func (w *finder) remove(s ast.Stmt) {
	m := w.addText("remove", w.line(s), oneLine(w.source(s)), "removed")
	w.wrap(s, "if !zzOn("+idMark+") { ", " }", m)
}

func (w *finder) removeCall(s ast.Stmt, c *ast.CallExpr) {
	f := w.callee(c)
	if f != nil && (f == types.Universe.Lookup("panic") || f.Name() == "Grow" || f.Pkg() != nil && arid[f.Pkg().Path()]) {
		return
	}
	w.remove(s)
}

// jump makes a break of a continue, and the other way round, where both mean
// the same loop or the continue is in a switch.
func (w *finder) jump(s *ast.BranchStmt) {
	to := map[token.Token]string{token.BREAK: "continue", token.CONTINUE: "break"}[s.Tok]
	loop, direct := w.target(s)
	if to == "" || loop == nil || s.Tok == token.BREAK && !direct {
		return
	}
	if f, ok := loop.(*ast.ForStmt); ok && f.Cond == nil && s.Tok == token.CONTINUE && direct {
		return // it might be how the function is known not to end
	}
	label := ""
	if s.Label != nil {
		label = " " + s.Label.Name
	}
	before := ""
	if in, ok := w.parent(1).(*ast.IfStmt); ok {
		before = "if " + oneLine(w.source(in.Cond)) + ": "
	}
	m := w.addText("jump", w.line(s), before+w.source(s), before+to+label)
	w.insert(s.Pos(), 0, "if zzOn("+idMark+") { "+to+label+" }; ", m)
}

// target finds the loop that a jump is about; direct says that the jump's
// opposite is about it as well.
func (w *finder) target(s *ast.BranchStmt) (loop ast.Stmt, direct bool) {
	direct = true
	for i := len(w.stack) - 1; i >= 0; i-- {
		switch n := w.stack[i].(type) {
		case *ast.FuncLit, *ast.FuncDecl:
			return nil, false
		case *ast.ForStmt, *ast.RangeStmt:
			if s.Label == nil {
				return n.(ast.Stmt), direct
			}
			if l, ok := w.stack[max(i-1, 0)].(*ast.LabeledStmt); ok && l.Label.Name == s.Label.Name {
				return n.(ast.Stmt), true
			}
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			if s.Label == nil {
				direct = false
			}
		}
	}
	return nil, false
}

// condition makes what decides a branch false and, if always, true. The guard
// is met only where that makes a difference.
func (w *finder) condition(cond ast.Expr, keyword string, always bool) {
	w.whole[ast.Unparen(cond)] = true
	if w.isConstant(cond) {
		return
	}
	line, text := w.line(cond), oneLine(w.source(cond))
	w.wrap(cond, "((", ") && !zzOn("+idMark+"))", w.addText("branch", line, keyword+text, keyword+"false"))
	if always {
		w.wrap(cond, "((", ") || zzOn("+idMark+"))", w.addText("branch", line, keyword+text, keyword+"true"))
	}
}

// loop is a loop that is never entered. What counts it up is left alone: it
// would not end.
func (w *finder) loop(n *ast.ForStmt) {
	if n.Cond != nil {
		w.condition(n.Cond, "for ", false)
	}
	for _, part := range []ast.Node{n.Init, n.Cond, n.Body} {
		w.walk(part)
	}
}

// cases leaves out each expression of each case. `switch x { case a: }` is
// written as `switch t := x; { case t == a: }`, for only a condition can be
// false by a guard.
func (w *finder) cases(n *ast.SwitchStmt) {
	if n.Tag != nil && (n.Init != nil || w.isConstant(n.Tag)) {
		return
	}
	var guards []func()
	var all []*mutant
	for _, s := range n.Body.List {
		c := s.(*ast.CaseClause)
		if n.Tag == nil && len(c.List) == 1 {
			w.condition(c.List[0], "case ", true)
			continue
		}
		for i, e := range c.List {
			m := w.alternative(c, i)
			all = append(all, m)
			guards = append(guards, func() { w.wrap(e, "((", ") && !zzOn("+idMark+"))", m) })
		}
	}
	if n.Tag != nil && len(all) > 0 {
		w.wrap(n.Tag, "zzTag := (", "); ", all...)
		for _, s := range n.Body.List {
			for _, e := range s.(*ast.CaseClause).List {
				w.wrap(e, "zzTag == (", ")", all...)
			}
		}
	}
	for _, guard := range guards {
		guard()
	}
}

// alternative notes the mutant of a clause without one of its expressions.
func (w *finder) alternative(c *ast.CaseClause, without int) *mutant {
	var all, rest []string
	for i, e := range c.List {
		all = append(all, oneLine(w.source(e)))
		if i != without {
			rest = append(rest, all[i])
		}
	}
	to := "removed"
	if len(rest) > 0 {
		to = "case " + strings.Join(rest, ", ")
	}
	return w.addText("case", w.line(c.List[without]), "case "+strings.Join(all, ", "), to)
}

func (w *finder) step(n *ast.IncDecStmt) {
	to, assign := "--", " += "
	if n.Tok == token.DEC {
		to, assign = "++", " -= "
	}
	typ := w.written(w.typeOf(n.X))
	if typ == "" {
		return
	}
	m := w.addToken("step", n, n.TokPos, n.Tok.String(), to)
	w.insert(n.TokPos, 2, assign+"zzStep"+typ+"("+idMark+")", m)
}

func (w *finder) assign(n *ast.AssignStmt) {
	to := map[token.Token]string{token.ADD_ASSIGN: "-=", token.SUB_ASSIGN: "+="}[n.Tok]
	if to == "" || !w.is(n.Lhs[0], types.IsInteger|types.IsFloat) {
		return
	}
	m := w.addToken("arithmetic", n, n.TokPos, n.Tok.String(), to)
	w.wrap(n.Rhs[0], "zzOpposite"+w.written(w.typeOf(n.Lhs[0]))+"("+idMark+", ", ")", m)
}

// results replaces each result by its zero value, and a truth by both values.
func (w *finder) results(n *ast.ReturnStmt) {
	declared := w.signature()
	switch {
	case len(n.Results) == 1 && len(declared) > 1:
		w.resultsOfCall(n, declared)
	case len(n.Results) == len(declared):
		for i, e := range n.Results {
			if w.late(n.Results, i) {
				w.skip[e] = true
				continue
			}
			w.result(e, declared[i])
		}
	}
}

// late says whether a call in another result might change what this one reads,
// as in `return v, fill(&v)`. Go leaves open which comes first; its compiler
// reads v last, and would not if a guard made a call of it.
func (w *finder) late(results []ast.Expr, i int) bool {
	read := map[types.Object]bool{}
	ast.Inspect(results[i], func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v, ok := w.p.info.Uses[id].(*types.Var); ok && !v.IsField() {
				read[v] = true
			}
		}
		return true
	})
	found := false
	for j, e := range results {
		if j == i {
			continue
		}
		ast.Inspect(e, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok {
				ast.Inspect(c, func(n ast.Node) bool {
					id, ok := n.(*ast.Ident)
					found = found || ok && read[w.p.info.Uses[id]]
					return !found
				})
			}
			return !found
		})
	}
	return found
}

func (w *finder) result(e, typ ast.Expr) {
	helper := func(name string) string { return name + "[" + w.source(typ) + "](" + idMark + ", " }
	if strings.Contains(w.source(typ), "\n") {
		return
	}
	if w.isTruth(typ) {
		w.whole[ast.Unparen(e)] = true
		if text := w.source(e); text != "false" {
			w.wrap(e, helper("zzZero"), ")", w.add("return", e, "false"))
		}
		if text := w.source(e); text != "true" {
			w.wrap(e, helper("zzTrue"), ")", w.add("return", e, "true"))
		}
		return
	}
	if zero := w.zero(typ); !w.isZero(e) {
		w.wrap(e, helper("zzZero"), ")", w.add("return", e, zero))
	}
}

// resultsOfCall is `return f()` of several results.
func (w *finder) resultsOfCall(n *ast.ReturnStmt, declared []ast.Expr) {
	var zeros, shown []string
	for _, t := range declared {
		if strings.Contains(w.source(t), "\n") {
			return
		}
		zeros, shown = append(zeros, "*new("+w.source(t)+")"), append(shown, w.zero(t))
	}
	m := w.addText("return", w.line(n), oneLine(w.source(n)), "return "+strings.Join(shown, ", "))
	w.insert(n.Pos(), 0, "if zzOn("+idMark+") { return "+strings.Join(zeros, ", ")+" }; ", m)
}

// signature is the types of the results of the function around, one for each.
func (w *finder) signature() []ast.Expr {
	for i := len(w.stack) - 1; i >= 0; i-- {
		var t *ast.FuncType
		switch n := w.stack[i].(type) {
		case *ast.FuncLit:
			t = n.Type
		case *ast.FuncDecl:
			t = n.Type
		default:
			continue
		}
		var out []ast.Expr
		if t.Results != nil {
			for _, f := range t.Results.List {
				for range max(1, len(f.Names)) {
					out = append(out, f.Type)
				}
			}
		}
		return out
	}
	return nil
}

func (w *finder) isTruth(typ ast.Expr) bool { return w.is(typ, types.IsBoolean) }

// zero is how a type's zero value is shown.
func (w *finder) zero(typ ast.Expr) string {
	t := w.typeOf(typ)
	if t == nil {
		return "zero"
	}
	if _, param := t.(*types.TypeParam); param {
		return "zero"
	}
	switch t := t.Underlying().(type) {
	case *types.Basic:
		if t.Info()&types.IsString != 0 {
			return `""`
		}
		return "0"
	case *types.Struct, *types.Array:
		return oneLine(w.source(typ)) + "{}"
	}
	return "nil"
}

// isZero says that an expression is a zero value as it is written.
func (w *finder) isZero(e ast.Expr) bool {
	tv := w.p.info.Types[e]
	if tv.IsNil() {
		return true
	}
	if c, ok := ast.Unparen(e).(*ast.CompositeLit); ok && len(c.Elts) == 0 {
		_, isStruct := tv.Type.Underlying().(*types.Struct)
		return isStruct
	}
	return tv.Value != nil && (tv.Value.ExactString() == "0" || tv.Value.ExactString() == `""`)
}
