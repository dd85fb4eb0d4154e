package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// build compiles the package's tests with all its mutants into a binary under
// dir, unless it is there. The sources stay as they are: what is compiled
// instead of them is laid over them.
func (p *pkg) build(ctx context.Context, dir string) (string, error) {
	texts := map[string]string{filepath.Join(p.dir, schemaFile): schema(p.name, int(p.most()))}
	for _, f := range p.files {
		texts[f.path] = string(f.mutated)
	}
	h := sha256.New()
	encoded, err := json.Marshal(texts) // in the order of names
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%s\n%s", p.state, encoded)
	binary, err := filepath.Abs(filepath.Join(dir, hex.EncodeToString(h.Sum(nil))[:16]+".test"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(binary); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return binary, err
	}
	if err := os.RemoveAll(dir); err != nil { // of other states
		return "", err
	}
	overlay, err := lay(dir, texts)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary+".part", "-overlay", overlay, p.path)
	var msg bytes.Buffer
	cmd.Dir, cmd.Stderr = p.dir, &msg
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building the tests of %s with its mutants: %w: %s", p.short, err, bytes.TrimSpace(msg.Bytes()))
	}
	return binary, os.Rename(binary+".part", binary)
}

// most is the greatest number of a mutant.
func (p *pkg) most() uint32 {
	if len(p.mutants) == 0 {
		return 0
	}
	return p.mutants[len(p.mutants)-1].id
}

// lay writes the texts under dir and, beside them, the go command's overlay
// file, whose name it returns.
func lay(dir string, texts map[string]string) (string, error) {
	src, err := filepath.Abs(filepath.Join(dir, "src"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(src, 0o755); err != nil {
		return "", err
	}
	replace := map[string]string{}
	for path, text := range texts {
		replace[path] = filepath.Join(src, filepath.Base(path)+".txt") // which no Go tool takes for a source
		if err := os.WriteFile(replace[path], []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	if overlay, err = filepath.Abs(overlay); err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, b, 0o644)
}
