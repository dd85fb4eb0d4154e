package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"maps"
	"slices"

	"github.com/hachaos/hachaos/fixtures"
)

// repository is the prefix of all tags: hachaos/<name>:<digest>.
const repository = "hachaos/"

// inputs is what image tags are digests of, beside the images' own fields.
type inputs struct {
	files fs.FS  // holds the build contexts
	agent string // version of the executable that agent images take in
	base  string // how the base image is made
}

// tagsOf gives every image its tag, "hachaos/<name>:<12 hex>": SHA-256 over its
// name, files, their modes, its parents' tags and the agent's version. So an
// image is built again if and only if something that it is made of changed.
// The images stand in an order in which they can be built.
func tagsOf(images []fixtures.Image, in inputs) (map[string]string, error) {
	tags := make(map[string]string, len(images))
	for _, image := range images {
		h := sha256.New()
		fmt.Fprintf(h, "image %s\n", image.Name)
		if err := hashParents(h, image, tags); err != nil {
			return nil, err
		}
		if image.Name == fixtures.Base {
			fmt.Fprintf(h, "base %s\n", in.base)
		}
		if image.Agent {
			fmt.Fprintf(h, "agent %s\n", in.agent)
		}
		if err := hashFiles(h, in.files, image.Dir); err != nil {
			return nil, fmt.Errorf("image %s: %w", image.Name, err)
		}
		tags[image.Name] = repository + image.Name + ":" + hex.EncodeToString(h.Sum(nil))[:12]
	}
	return tags, nil
}

func hashParents(h hash.Hash, image fixtures.Image, tags map[string]string) error {
	for _, arg := range slices.Sorted(maps.Keys(image.Parents)) {
		parent := image.Parents[arg]
		tag, ok := tags[parent]
		if !ok {
			return fmt.Errorf("image %s: parent %s does not stand before it", image.Name, parent)
		}
		fmt.Fprintf(h, "arg %s=%s\n", arg, tag)
	}
	return nil
}

// hashFiles adds every regular file below dir; the walk is in lexical order.
func hashFiles(h hash.Hash, files fs.FS, dir string) error {
	if dir == "" {
		return nil
	}
	return fs.WalkDir(files, dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "file %q %o %d\n", path[len(dir)+1:], info.Mode().Perm(), len(content))
		h.Write(content)
		return nil
	})
}

// closure returns the named images and all that they descend from, in the
// order of images; no names mean all of them.
func closure(images []fixtures.Image, names []string) ([]fixtures.Image, error) {
	if len(names) == 0 {
		return images, nil
	}
	byName := make(map[string]fixtures.Image, len(images))
	for _, image := range images {
		byName[image.Name] = image
	}
	wanted := make(map[string]bool)
	for queue := slices.Clone(names); len(queue) > 0; queue = queue[1:] {
		image, ok := byName[queue[0]]
		if !ok {
			known := slices.Sorted(maps.Keys(byName))
			return nil, fmt.Errorf("image %q: there is none of that name; there are %q", queue[0], known)
		}
		if !wanted[image.Name] {
			wanted[image.Name] = true
			queue = append(queue, slices.Collect(maps.Values(image.Parents))...)
		}
	}
	var ordered []fixtures.Image
	for _, image := range images {
		if wanted[image.Name] {
			ordered = append(ordered, image)
		}
	}
	return ordered, nil
}
