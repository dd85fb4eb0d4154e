package campaign

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Obsolete lists the result files, sorted, that are of none of the entries:
// of another state of what an item depends on, or of an item that is no more.
// The entries must be those of every scenario on every profile. The runs'
// folders are not looked at.
func (s Store) Obsolete(entries []Entry) ([]string, error) {
	current := map[string]bool{}
	for _, e := range entries {
		current[s.path(e.Item, e.Hash)] = true
	}
	var out []string
	err := filepath.WalkDir(filepath.Join(s.Dir, "items"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && filepath.Ext(path) == ".json" && !current[path] {
			out = append(out, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing has been run yet
	}
	slices.Sort(out)
	return out, err
}

// Remove removes result files, and the folders that are empty then. The
// caller holds the folder's lock.
func (s Store) Remove(files []string) error {
	for _, name := range files {
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("prune: %w", err)
		}
		left, err := os.ReadDir(filepath.Dir(name))
		if err == nil && len(left) == 0 {
			err = os.Remove(filepath.Dir(name))
		}
		if err != nil {
			return fmt.Errorf("prune: %w", err)
		}
	}
	return nil
}
