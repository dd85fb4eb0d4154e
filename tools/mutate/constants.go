package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// constant is a mutant of a constant's declaration. Constants cannot differ
// at run time, so it is the uses of the constant in the package that differ:
// those in other constants and in types keep its value, and so do tests.
type constant struct {
	m    *mutant
	name string // of the constant that has the mutated value
	used bool
}

// constants notes the mutants of the constants declared in a declaration of
// the file, or in a function of it, without iota.
func (w *finder) constants(in ast.Decl) {
	ast.Inspect(in, func(n ast.Node) bool {
		if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.CONST && !enumerates(d) {
			for _, s := range d.Specs {
				w.constantSpec(d, s.(*ast.ValueSpec))
			}
		}
		return true
	})
}

// enumerates says whether a declaration uses iota, or repeats a value.
func enumerates(d *ast.GenDecl) bool {
	found := false
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			found = found || len(n.Values) == 0
		case *ast.Ident:
			found = found || n.Name == "iota"
		}
		return !found
	})
	return found
}

func (w *finder) constantSpec(d *ast.GenDecl, s *ast.ValueSpec) {
	if len(s.Names) != 1 || len(s.Values) != 1 || strings.Contains(w.source(s.Values[0]), "\n") {
		return
	}
	ast.Inspect(s.Values[0], func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.INT {
			return true
		}
		for _, step := range []string{"+", "-"} {
			w.constantStep(d, s, lit, step)
		}
		return true
	})
}

func (w *finder) constantStep(d *ast.GenDecl, s *ast.ValueSpec, lit *ast.BasicLit, step string) {
	obj := w.p.info.Defs[s.Names[0]]
	if obj == nil {
		return
	}
	v := w.source(s.Values[0])
	at := w.f.offset(w.p, lit.Pos()) - w.f.offset(w.p, s.Values[0].Pos())
	name := s.Names[0].Name
	m := w.addText("constant", w.line(lit), oneLine("const "+name+" = "+v), oneLine("const "+name+" = "+v[:at]+steppedText(lit, step)+v[at+len(lit.Value):]))
	other := fmt.Sprintf("zzConst_%s_%d_%s", name, w.f.offset(w.p, lit.Pos()), map[string]string{"+": "up", "-": "down"}[step])
	typ := ""
	if s.Type != nil {
		typ = " " + w.source(s.Type)
	}
	w.insert(d.End(), 0, "; const "+other+typ+" = "+v[:at]+"("+lit.Value+step+"1)"+v[at+len(lit.Value):], m)
	w.consts[obj] = append(w.consts[obj], &constant{m: m, name: other})
}
