package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// A binary operator, what it is mutated to, and the helper that is either.
type swap struct {
	op     string
	to     token.Token
	helper string
}

var swaps = map[token.Token]swap{
	token.LSS:     {"boundary", token.LEQ, "zzLess"},
	token.LEQ:     {"boundary", token.LSS, "zzLessEqual"},
	token.GTR:     {"boundary", token.GEQ, "zzGreater"},
	token.GEQ:     {"boundary", token.GTR, "zzGreaterEqual"},
	token.ADD:     {"arithmetic", token.SUB, "zzAdd"},
	token.SUB:     {"arithmetic", token.ADD, "zzSub"},
	token.MUL:     {"arithmetic", token.QUO, "zzMul"},
	token.QUO:     {"arithmetic", token.MUL, "zzDiv"},
	token.REM:     {"arithmetic", token.MUL, "zzRem"},
	token.AND:     {"bits", token.OR, "zzAnd"},
	token.OR:      {"bits", token.AND, "zzOr"},
	token.AND_NOT: {"bits", token.AND, "zzAndNot"},
	token.SHL:     {"bits", token.SHR, "zzLeft"},
	token.SHR:     {"bits", token.SHL, "zzRight"},
}

var opposite = map[token.Token]token.Token{
	token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LSS: token.GEQ, token.GEQ: token.LSS, token.GTR: token.LEQ, token.LEQ: token.GTR,
}

func (w *finder) binary(n *ast.BinaryExpr) {
	if w.isConstant(n) {
		return
	}
	if n.Op == token.LAND || n.Op == token.LOR {
		w.logical(n)
		return
	}
	if s, ok := swaps[n.Op]; ok && (s.op == "boundary" || w.is(n, types.IsInteger|types.IsFloat)) {
		w.swap(n, s)
	}
	if to, ok := opposite[n.Op]; ok && !w.whole[n] {
		m := w.addToken("negate", n, n.OpPos, n.Op.String(), to.String())
		w.wrap(n, "((", ") != zzOn("+idMark+"))", m)
	}
}

// swap writes `a op b` as `helper[T](id, a, b)`.
func (w *finder) swap(n *ast.BinaryExpr, s swap) {
	var typ string
	switch {
	case s.op != "boundary":
		typ = w.written(w.typeOf(n))
	case w.isConstant(n.X):
		typ = w.written(w.typeOf(n.Y))
	default:
		typ = w.written(w.typeOf(n.X))
	}
	m := w.addToken(s.op, n, n.OpPos, n.Op.String(), s.to.String())
	w.wrap(n, s.helper+typ+"("+idMark+", ", ")", m)
	w.insert(n.OpPos, len(n.Op.String()), ",", m)
	if s.op == "boundary" {
		w.noteSame(n)
	}
}

// noteSame notes the literal whose step up or down says the same of integers
// as the moved boundary: x > 3 and x ≥ 3 differ as x > 3 and x > 2 do.
func (w *finder) noteSame(n *ast.BinaryExpr) {
	if !w.is(n.X, types.IsInteger) {
		return
	}
	if lit, ok := n.Y.(*ast.BasicLit); ok {
		w.same[lit] = map[token.Token]token.Token{token.GTR: token.SUB, token.LEQ: token.SUB, token.GEQ: token.ADD, token.LSS: token.ADD}[n.Op]
	}
	if lit, ok := n.X.(*ast.BasicLit); ok {
		w.same[lit] = map[token.Token]token.Token{token.LSS: token.SUB, token.GEQ: token.SUB, token.LEQ: token.ADD, token.GTR: token.ADD}[n.Op]
	}
}

// logical swaps && and ||, by De Morgan's law: with m for "is active",
// (a != m && b != m) != m is a && b, and a || b where m holds, and evaluates b
// just when that does.
func (w *finder) logical(n *ast.BinaryExpr) {
	to := token.LAND
	if n.Op == token.LAND {
		to = token.LOR
	}
	m := w.addToken("logical", n, n.OpPos, n.Op.String(), to.String())
	on := "zzOn(" + idMark + ")"
	w.wrap(n.X, "((", ") != "+on+")", m)
	w.wrap(n.Y, "((", ") != "+on+")", m)
	w.wrap(n, "((", ") != "+on+")", m)
}

func (w *finder) unary(n *ast.UnaryExpr) {
	if w.isConstant(n) {
		return
	}
	switch n.Op {
	case token.NOT:
		if b, ok := ast.Unparen(n.X).(*ast.BinaryExpr); ok && opposite[b.Op] != 0 {
			return // as its negation
		}
		m := w.addToken("negation", n, n.OpPos, "!", "")
		w.wrap(n, "(", " == zzOn("+idMark+"))", m)
		w.insert(n.OpPos, 1, "", m)
	case token.SUB:
		m := w.addToken("negation", n, n.OpPos, "-", "")
		w.wrap(n, "zzMinus"+w.written(w.typeOf(n))+"("+idMark+", ", ")", m)
		w.insert(n.OpPos, 1, "", m)
	}
}

// literal steps an integer up and down.
func (w *finder) literal(n *ast.BasicLit) {
	all := w.largest(n)
	t := w.typeOf(all)
	if n.Kind != token.INT || t == nil || strings.HasSuffix(t.String(), "fs.FileMode") || w.besideFailure(n) {
		return
	}
	if w.same[n] != token.ADD {
		w.stepped(n, all, "zzUp", "+")
	}
	if w.same[n] != token.SUB && !w.isSize(n) {
		w.stepped(n, all, "zzDown", "-")
	}
}

func (w *finder) stepped(n *ast.BasicLit, all ast.Expr, helper, step string) {
	m := w.add("constant", n, steppedText(n, step))
	typ := w.written(w.typeOf(all))
	if all == ast.Expr(n) {
		w.wrap(n, helper+typ+"("+idMark+", ", ")", m)
		return
	}
	w.pick(all, w.replaced(all, n, "("+n.Value+step+"1)"), m)
}

// pick chooses between a constant expression and another.
func (w *finder) pick(e ast.Expr, other string, m *mutant) {
	w.wrap(e, "zzPick"+w.written(w.typeOf(e))+"("+idMark+", ", ", "+oneLine(other)+")", m)
}

// besideFailure says that the literal is a result beside an error, or beside
// a false, which nobody should look at.
func (w *finder) besideFailure(n *ast.BasicLit) bool {
	r, ok := w.parent(1).(*ast.ReturnStmt)
	if !ok || r.Results[len(r.Results)-1] == ast.Expr(n) {
		return false
	}
	last := r.Results[len(r.Results)-1]
	if id, ok := last.(*ast.Ident); ok && w.p.info.Uses[id] == types.Universe.Lookup("false") {
		return true
	}
	t := w.typeOf(last)
	return t != nil && types.AssignableTo(t, types.Universe.Lookup("error").Type()) && !w.p.info.Types[last].IsNil()
}

// isSize says that the literal is 0 and compared with a length, which is never
// less.
func (w *finder) isSize(n *ast.BasicLit) bool {
	b, ok := w.parent(1).(*ast.BinaryExpr)
	if !ok || n.Value != "0" || opposite[b.Op] == 0 {
		return false
	}
	c, ok := b.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	f := w.callee(c)
	return f != nil && (f == types.Universe.Lookup("len") || f == types.Universe.Lookup("cap"))
}

// steppedText is how a literal's neighbour is shown.
func steppedText(n *ast.BasicLit, step string) string {
	v, err := strconv.ParseInt(n.Value, 0, 64)
	if err != nil {
		return "(" + n.Value + " " + step + " 1)"
	}
	if step == "+" {
		return strconv.FormatInt(v+1, 10)
	}
	return strconv.FormatInt(v-1, 10)
}

// name flips true and false, except as a result, which is done there, and
// replaces constants of the package by their mutants.
func (w *finder) name(n *ast.Ident) {
	obj := w.p.info.Uses[n]
	if obj == nil {
		return
	}
	if _, isResult := w.parent(1).(*ast.ReturnStmt); !isResult {
		for from, to := range map[string]string{"true": "false", "false": "true"} {
			if obj == types.Universe.Lookup(from) {
				w.wrap(n, "(", " != zzOn("+idMark+"))", w.add("constant", n, to))
			}
		}
	}
	for _, c := range w.consts[obj] {
		c.used = true
		all := w.largest(n)
		w.pick(all, w.replaced(all, n, c.name), c.m)
	}
}
