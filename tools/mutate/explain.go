package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// reason is a line of the file of explained survivors:
//
//	file: function: code → mutated code: why no test can or should tell them apart
//
// As --report writes it, up to the reason; a mutant that reads like one before
// it in its function has its number behind, as #2.
type reason struct {
	line int
	text string
}

// readExplained reads the file; there need be none. Empty lines and those that
// begin with # are comments.
func readExplained(name string) ([]reason, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []reason
	for i, l := range strings.Split(string(b), "\n") {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			out = append(out, reason{i + 1, l})
		}
	}
	return out, nil
}

// explain marks the survivors that have a reason. It is an error if a reason,
// of a package that is there, is of no mutant, of one that was killed, or of
// one that has another.
func explain(sections []section, reasons []reason) []error {
	var wrong []error
	for _, r := range reasons {
		if err := explainOne(sections, r); err != nil {
			wrong = append(wrong, fmt.Errorf("explained, line %d: %w: %s", r.line, err, r.text))
		}
	}
	return wrong
}

func explainOne(sections []section, r reason) error {
	file, _, _ := strings.Cut(r.text, ": ")
	var found *entry
	for _, s := range sections {
		if !s.has(file) {
			continue
		}
		for i := range s.entries {
			e := &s.entries[i]
			if strings.HasPrefix(r.text, e.m.key()+": ") && (found == nil || len(e.m.key()) > len(found.m.key())) {
				found = e
			}
		}
		if found == nil {
			return errors.New("there is no such mutant")
		}
	}
	switch {
	case found == nil: // of a package that was not asked for
		return nil
	case found.reason != "":
		return errors.New("the mutant has been explained before")
	case found.Verdict == killed || found.Verdict == timedOut: // drawn or not
		return fmt.Errorf("the mutant was killed by %s, so its survival needs no reason", found.By)
	}
	found.reason = strings.TrimPrefix(r.text, found.m.key()+": ")
	return nil
}
