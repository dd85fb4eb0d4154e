package topology

import (
	"fmt"
	"maps"
	"slices"
)

// HelperImage is the name of the image of the helpers that stand beside nodes.
// A topology has it beside those of its nodes.
const HelperImage = "net"

// CheckImages reports why images, references by name, cannot replace those of
// s: a name that s does not use, or no reference.
func (s Spec) CheckImages(images map[string]string) error {
	names := []string{HelperImage}
	for _, n := range s.Nodes {
		names = append(names, n.Image)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range slices.Sorted(maps.Keys(images)) {
		switch {
		case !slices.Contains(names, name):
			return fmt.Errorf("replace image %q: %s has none of that name; it has %q", name, s.Name, names)
		case images[name] == "":
			return fmt.Errorf("replace image %s: by which? Give a reference, such as %s=registry.example/%s:1", name, name, name)
		}
	}
	return nil
}
