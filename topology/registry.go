package topology

import (
	"fmt"
	"strings"
)

// All returns the built-in topologies, the default first. The caller owns
// the result.
func All() []Definition {
	return []Definition{JettyHA()}
}

// Lookup returns the built-in topology of that name, or an error that wraps
// ErrNotFound and lists the names.
func Lookup(name string) (Definition, error) {
	names := make([]string, 0, len(All()))
	for _, d := range All() {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return Definition{}, fmt.Errorf("topology %q: %w; there are: %s", name, ErrNotFound, strings.Join(names, ", "))
}
