package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/hachaos/hachaos/fixtures"
	"github.com/hachaos/hachaos/topology/docker/agent"
)

// Builder makes the fixtures' images and keeps account of them. It is safe for
// concurrent use.
type Builder struct {
	engine *engine
	images []fixtures.Image
	files  fs.FS
	tags   map[string]string
	base   base
	agent  string // path of the executable that agent images take in
}

func newBuilder(e *engine, opts Options) (*Builder, error) {
	b := &Builder{
		engine: e, images: opts.Images, files: opts.Files, agent: opts.Agent,
		base: base{engine: e, ref: opts.BaseRef, mirror: opts.Mirror},
	}
	if b.images == nil {
		b.images = fixtures.Images()
	}
	if b.files == nil {
		b.files = fixtures.FS()
	}
	tags, err := tagsOf(b.images, inputs{files: b.files, agent: agent.Version(), base: b.base.inputs()})
	b.tags = tags
	return b, err
}

// Image is an image that the engine holds.
type Image struct {
	Name    string    `json:"name"` // in the fixtures, such as "jetty"
	Tag     string    `json:"tag"`  // "hachaos/jetty:0123456789ab"; empty for a build's remains
	ID      string    `json:"id"`
	Size    int64     `json:"size"` // bytes, shared layers included
	Created time.Time `json:"created"`
	Current bool      `json:"current"` // whether this executable would use it
}

// Tag is the reference of the named image, whether it was built or not.
func (b *Builder) Tag(name string) (string, error) {
	tag, ok := b.tags[name]
	if !ok {
		_, err := closure(b.images, []string{name})
		return "", err
	}
	return tag, nil
}

// Tags are the references of the fixtures' images, as this executable would
// make them. No engine is needed.
func Tags() (map[string]string, error) {
	b, err := newBuilder(nil, Options{})
	if err != nil {
		return nil, err
	}
	return b.tags, nil
}

// Build makes those of the named images, and of what they descend from, that
// the engine does not hold: all images if no name is given. Images that do not
// depend on each other are built at the same time. The error of an image that
// does not build wraps topology.ErrImage and carries the end of its log.
// Progress receives one line a step, from several goroutines one at a time;
// it may be nil.
func (b *Builder) Build(ctx context.Context, names []string, progress func(string)) error {
	images, err := closure(b.images, names)
	if err != nil {
		return err
	}
	missing, err := b.missing(ctx, images)
	if err != nil || len(missing) == 0 {
		return err
	}
	if err := b.engine.checkDisk(ctx, diskForBuild); err != nil {
		return fmt.Errorf("build images: %w", err)
	}
	return b.buildAll(ctx, missing, serialised(progress))
}

// maxBuilds bounds how many images are built at the same time: package
// managers are bound by the network and the disk as much as by the processor.
const maxBuilds = 4

func (b *Builder) buildAll(ctx context.Context, missing []fixtures.Image, progress func(string)) error {
	built := make(map[string]chan struct{}, len(missing))
	for _, image := range missing {
		built[image.Name] = make(chan struct{})
	}
	slots := make(chan struct{}, maxBuilds)
	group, ctx := errgroup.WithContext(ctx)
	for _, image := range missing {
		group.Go(func() error {
			for _, parent := range image.Parents {
				if err := await(ctx, built[parent]); err != nil {
					return err
				}
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := b.build(ctx, image, progress); err != nil {
				return err
			}
			close(built[image.Name])
			return nil
		})
	}
	return group.Wait()
}

// await returns when done is closed; a nil channel is an image that was there
// from the start.
func await(ctx context.Context, done <-chan struct{}) error {
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// missing are those of images that the engine does not hold.
func (b *Builder) missing(ctx context.Context, images []fixtures.Image) ([]fixtures.Image, error) {
	present, err := b.List(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(images), func(want fixtures.Image) bool {
		return slices.ContainsFunc(present, func(have Image) bool { return have.Tag == b.tags[want.Name] })
	}), nil
}

// List returns the images that the engine holds of the fixtures, current or
// not, sorted by name, the newest first.
func (b *Builder) List(ctx context.Context) ([]Image, error) {
	found, err := b.engine.ImageList(ctx, client.ImageListOptions{
		Filters: make(client.Filters).Add("label", labelImage),
	})
	if err != nil {
		return nil, fmt.Errorf("list images: %w", b.engine.explain(err))
	}
	var list []Image
	for _, item := range found.Items {
		list = append(list, b.imagesOf(item)...)
	}
	slices.SortFunc(list, func(x, y Image) int {
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		return y.Created.Compare(x.Created)
	})
	return list, nil
}

// imagesOf are our names for one image of the engine. Images that somebody
// built on top of ours inherit the label, so the repository counts as well.
func (b *Builder) imagesOf(item image.Summary) []Image {
	one := Image{
		Name: item.Labels[labelImage], ID: item.ID, Size: item.Size,
		Created: time.Unix(item.Created, 0).UTC(),
	}
	tags := slices.DeleteFunc(slices.Clone(item.RepoTags), func(tag string) bool { return tag == "<none>:<none>" })
	if len(tags) == 0 {
		return []Image{one}
	}
	var list []Image
	for _, tag := range tags {
		if strings.HasPrefix(tag, repository+one.Name+":") {
			named := one
			named.Tag, named.Current = tag, tag == b.tags[one.Name]
			list = append(list, named)
		}
	}
	return list
}

// Prune removes the images that nothing of this executable uses any more, or
// all of the fixtures' images, and returns what it removed. One that a
// container uses stays, and is part of the error.
func (b *Builder) Prune(ctx context.Context, all bool) ([]Image, error) {
	list, err := b.List(ctx)
	if err != nil {
		return nil, err
	}
	var removed []Image
	var errs []error
	for _, one := range prunable(list, all) {
		reference := one.Tag
		if reference == "" {
			reference = one.ID
		}
		_, err := b.engine.ImageRemove(ctx, reference, client.ImageRemoveOptions{PruneChildren: true})
		switch {
		case err == nil:
			removed = append(removed, one)
		case errdefs.IsNotFound(err): // it went with one that was removed before
		case errdefs.IsConflict(err) && one.Tag == "": // the layers of one that stays
		default:
			errs = append(errs, fmt.Errorf("remove image %s: %w", reference, err))
		}
	}
	return removed, errors.Join(errs...)
}

// prunable orders what is to be removed so that children go before parents.
func prunable(list []Image, all bool) []Image {
	var out []Image
	for _, one := range list {
		if all || !one.Current {
			out = append(out, one)
		}
	}
	slices.SortStableFunc(out, func(x, y Image) int { return y.Created.Compare(x.Created) })
	return out
}
