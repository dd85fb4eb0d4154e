package report

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// entry is the module that the page runs.
const entry = "main.mjs"

// The two forms that the page's modules use; bundle knows no other.
var (
	importLine = regexp.MustCompile(`(?m)^import \{ ([\w, ]+) \} from "\./([\w-]+\.mjs)";\n`)
	exportWord = regexp.MustCompile(`(?m)^export (const|function|class) (\w+)`)
	foreign    = regexp.MustCompile(`(?m)^\s*(import\b.*|export (?:default|\{|\*).*)$`)
)

// bundle puts the modules of a folder into one script, each after those that
// it imports: a page that opens from disk cannot import from files beside it.
// Modules share one scope, so that a name is given once in all of them; what
// a module uses of another it must import. It is pure.
func bundle(files fs.FS, dir string) (string, error) {
	b := bundler{files: files, dir: dir, exports: map[string][]string{}, owner: map[string]string{}}
	if err := b.add(entry, nil); err != nil {
		return "", fmt.Errorf("bundle %s: %w", dir, err)
	}
	return "(() => {\n\"use strict\";\n" + b.out.String() + "})();\n", nil
}

type bundler struct {
	files   fs.FS
	dir     string
	out     strings.Builder
	exports map[string][]string // by module that is in
	owner   map[string]string   // the module that gave a name at its top
}

// topName is a declaration at a module's top: only those begin a line.
var topName = regexp.MustCompile(`(?m)^(?:export )?(?:const|let|function|class) (\w+)`)

func (b *bundler) add(name string, above []string) error {
	if _, in := b.exports[name]; in {
		return nil
	}
	if slices.Contains(above, name) {
		return fmt.Errorf("%s imports itself by way of %s", name, strings.Join(above, ", "))
	}
	raw, err := fs.ReadFile(b.files, path.Join(b.dir, name))
	if err != nil {
		return err
	}
	text := string(raw)
	for _, m := range importLine.FindAllStringSubmatch(text, -1) {
		if err := b.add(m[2], append(above, name)); err != nil {
			return err
		}
		for _, want := range strings.Split(m[1], ", ") {
			if !slices.Contains(b.exports[m[2]], want) {
				return fmt.Errorf("%s imports %s, which %s does not export", name, want, m[2])
			}
		}
	}
	text = importLine.ReplaceAllString(text, "")
	if m := foreign.FindString(text); m != "" {
		return fmt.Errorf("%s: %q: want import { a, b } from \"./c.mjs\"; or export before a declaration", name, strings.TrimSpace(m))
	}
	for _, m := range topName.FindAllStringSubmatch(text, -1) {
		if first, taken := b.owner[m[1]]; taken {
			return fmt.Errorf("%s and %s both declare %s", first, name, m[1])
		}
		b.owner[m[1]] = name
	}
	b.exports[name] = []string{}
	for _, m := range exportWord.FindAllStringSubmatch(text, -1) {
		b.exports[name] = append(b.exports[name], m[2])
	}
	b.out.WriteString("// " + name + "\n" + exportWord.ReplaceAllString(text, "$1 $2"))
	return nil
}
