package zoo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ending is that of a mutant's file.
const ending = ".yaml"

// Read reads the mutants of a folder: every file of it that ends in .yaml, in
// the order of their names. A key that is not known, a value that cannot be and
// a change that changes nothing by itself are errors that name the file; all of
// them are told, not only the first.
func Read(dir fs.FS) ([]Mutant, error) {
	names, err := fs.Glob(dir, "*"+ending)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("there is no mutant: no file ends in %s", ending)
	}
	slices.Sort(names)
	var (
		out  []Mutant
		errs []error
	)
	for _, name := range names {
		m, err := readFile(dir, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		out = append(out, m)
	}
	return out, errors.Join(errs...)
}

func readFile(dir fs.FS, name string) (Mutant, error) {
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return Mutant{}, err
	}
	m := Mutant{Name: strings.TrimSuffix(path.Base(name), ending)}
	if !isName(m.Name) {
		return m, errors.New("its name: want lower-case letters, digits and dashes, such as no-redispatch.yaml, and not " + mendedSuffix + " at the end: it is the mended half's")
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&m); err != nil {
		return m, err
	}
	if err := dec.Decode(new(Mutant)); !errors.Is(err, io.EOF) {
		return m, errors.New("a second document: one mutant is one file")
	}
	return m, m.validate()
}

// mendedSuffix ends the name of a pair's mended half, and so no mutant's.
const mendedSuffix = "-" + Mended

// isName says whether a mutant can be called so: it becomes a scenario's name,
// and so a part of folders' names.
func isName(s string) bool {
	return s != "" && !strings.HasSuffix(s, mendedSuffix) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
