package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
)

// check drops the mutants given and then, until the package type checks with
// all that are left, those that its errors are about. The mutants left keep
// their numbers.
func (p *pkg) check(dropped map[*mutant]bool) error {
	for {
		bad, err := p.errors(dropped)
		if err != nil {
			return err
		}
		if len(bad) == 0 {
			break
		}
		for _, m := range bad {
			dropped[m] = true
		}
	}
	var left []*mutant
	for _, m := range p.mutants {
		if dropped[m] {
			p.dropped = append(p.dropped, m)
		} else {
			left = append(left, m)
		}
	}
	p.mutants = left
	for _, f := range p.files {
		f.mutated = f.render(dropped)
	}
	return nil
}

// errors type checks the package with its mutants, and finds those to blame.
// An error that none is to blame for is returned: the tool is at fault.
func (p *pkg) errors(dropped map[*mutant]bool) ([]*mutant, error) {
	fset := token.NewFileSet()
	var files []*ast.File
	at := map[string]*file{}
	for _, f := range p.files {
		parsed, err := parser.ParseFile(fset, f.path, f.render(dropped), parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("with its mutants: %w", err)
		}
		files, at[f.path] = append(files, parsed), f
	}
	helpers, err := parser.ParseFile(fset, schemaFile, schema(p.name, len(p.mutants)), parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var bad []*mutant
	var blameless error
	conf := types.Config{Importer: p.importer, GoVersion: p.language, Error: func(err error) {
		var e types.Error
		if !errors.As(err, &e) {
			blameless = err
			return
		}
		pos := fset.Position(e.Pos)
		var of []*mutant
		if f := at[pos.Filename]; f != nil {
			of = f.blame(pos.Offset, pos.Line, dropped)
		}
		if len(of) == 0 {
			blameless = fmt.Errorf("with its mutants: %w", err)
		}
		bad = append(bad, of...)
	}}
	_, _ = conf.Check(p.path, fset, append(files, helpers), nil) // its errors were gathered
	if len(bad) > 0 {
		return bad, nil // the rest may follow from these
	}
	return nil, blameless
}
