package campaign

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"path"
	"strings"
)

// Fingerprint is a digest of Go sources that does not change with comments,
// blank lines or tests: SHA-256 over each file's path and its tokens, in the
// paths' order. It is pure.
func Fingerprint(files fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "file %s\n", name)
		return tokens(name, text, func(word string) { fmt.Fprintf(h, "%q\n", word) })
	})
	if err != nil {
		return "", fmt.Errorf("sources: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// tokens gives each token of a file, but comments. A semicolon that stands
// for the end of a line is the same as one that is written.
func tokens(name string, text []byte, each func(string)) error {
	set := token.NewFileSet()
	var (
		s   scanner.Scanner
		bad error
	)
	s.Init(set.AddFile(name, set.Base(), len(text)), text, func(at token.Position, msg string) {
		bad = fmt.Errorf("%s: %s", at, msg)
	}, 0)
	for {
		_, kind, literal := s.Scan()
		switch {
		case kind == token.EOF:
			return bad
		case kind == token.SEMICOLON || literal == "":
			each(kind.String())
		default:
			each(literal)
		}
	}
}
