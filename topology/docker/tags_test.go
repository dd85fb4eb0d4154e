package docker

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fixtures"
)

// family is a base with two children, one of which takes the agent in.
func family() ([]fixtures.Image, inputs) {
	images := []fixtures.Image{
		{Name: "base"},
		{Name: "web", Dir: "images/web", Parents: map[string]string{"BASE": "base"}},
		{Name: "proxy", Dir: "images/proxy", Parents: map[string]string{"BASE": "base"}, Agent: true},
		{Name: "app", Dir: "images/app", Parents: map[string]string{"WEB": "web"}},
	}
	files := fstest.MapFS{
		"images/web/Dockerfile":   {Data: []byte("ARG BASE\nFROM ${BASE}\n"), Mode: 0o444},
		"images/web/etc/conf":     {Data: []byte("a=1\n"), Mode: 0o444},
		"images/proxy/Dockerfile": {Data: []byte("ARG BASE\nFROM ${BASE}\n"), Mode: 0o444},
		"images/app/Dockerfile":   {Data: []byte("ARG WEB\nFROM ${WEB}\n"), Mode: 0o444},
	}
	return images, inputs{files: files, agent: "agent 1", base: "trixie"}
}

func TestTagsFollowTheirInputs(t *testing.T) {
	images, in := family()
	before, err := tagsOf(images, in)
	require.NoError(t, err)
	require.Regexp(t, `^hachaos/web:[0-9a-f]{12}$`, before["web"])

	tests := []struct {
		name   string
		change func(images []fixtures.Image, in *inputs, files fstest.MapFS)
		moved  []string
	}{
		{"nothing", func([]fixtures.Image, *inputs, fstest.MapFS) {}, nil},
		{"a file's content", func(_ []fixtures.Image, _ *inputs, files fstest.MapFS) {
			files["images/web/etc/conf"] = &fstest.MapFile{Data: []byte("a=2\n"), Mode: 0o444}
		}, []string{"web", "app"}},
		{"a file's mode", func(_ []fixtures.Image, _ *inputs, files fstest.MapFS) {
			files["images/web/etc/conf"] = &fstest.MapFile{Data: []byte("a=1\n"), Mode: 0o555}
		}, []string{"web", "app"}},
		{"a file's name", func(_ []fixtures.Image, _ *inputs, files fstest.MapFS) {
			files["images/web/etc/config"] = files["images/web/etc/conf"]
			delete(files, "images/web/etc/conf")
		}, []string{"web", "app"}},
		{"another file", func(_ []fixtures.Image, _ *inputs, files fstest.MapFS) {
			files["images/app/x"] = &fstest.MapFile{Mode: 0o444}
		}, []string{"app"}},
		{"the agent", func(_ []fixtures.Image, in *inputs, _ fstest.MapFS) { in.agent = "agent 2" }, []string{"proxy"}},
		{
			"how the base is made", func(_ []fixtures.Image, in *inputs, _ fstest.MapFS) { in.base = "forky" },
			[]string{"base", "web", "proxy", "app"},
		},
		{"a build argument's name", func(images []fixtures.Image, _ *inputs, _ fstest.MapFS) {
			images[3].Parents = map[string]string{"PARENT": "web"}
		}, []string{"app"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			images, in := family()
			test.change(images, &in, in.files.(fstest.MapFS))
			after, err := tagsOf(images, in)
			require.NoError(t, err)
			var moved []string
			for _, image := range images {
				if after[image.Name] != before[image.Name] {
					moved = append(moved, image.Name)
				}
			}
			require.Equal(t, test.moved, moved)
		})
	}
}

func TestTagsRefuseAParentThatComesLater(t *testing.T) {
	images, in := family()
	images[1].Parents = map[string]string{"APP": "app"}
	_, err := tagsOf(images, in)
	require.ErrorContains(t, err, "parent app does not stand before it")
}

func TestClosure(t *testing.T) {
	images, _ := family()
	tests := []struct {
		names []string
		want  []string
	}{
		{nil, []string{"base", "web", "proxy", "app"}},
		{[]string{"app"}, []string{"base", "web", "app"}},
		{[]string{"proxy", "base"}, []string{"base", "proxy"}},
	}
	for _, test := range tests {
		got, err := closure(images, test.names)
		require.NoError(t, err)
		var names []string
		for _, image := range got {
			names = append(names, image.Name)
		}
		require.Equal(t, test.want, names)
	}
	_, err := closure(images, []string{"jety"})
	require.ErrorContains(t, err, `"jety"`)
	require.ErrorContains(t, err, `"app" "base" "proxy" "web"`)
}

func TestFixturesHaveTags(t *testing.T) {
	b, err := newBuilder(nil, Options{})
	require.NoError(t, err)
	for _, name := range []string{netImage, relayImage, fixtures.Base} {
		tag, err := b.Tag(name)
		require.NoError(t, err)
		require.Contains(t, tag, "hachaos/"+name+":")
	}
	_, err = b.Tag("nothing")
	require.Error(t, err)
}

func TestPrunable(t *testing.T) {
	list := []Image{
		{Tag: "old", Created: day(1)}, {Tag: "current", Created: day(2), Current: true}, {Tag: "newer", Created: day(3)},
	}
	require.Equal(t, []string{"newer", "old"}, tagsIn(prunable(list, false)))
	require.Equal(t, []string{"newer", "current", "old"}, tagsIn(prunable(list, true)))
}

func tagsIn(list []Image) []string {
	var tags []string
	for _, image := range list {
		tags = append(tags, image.Tag)
	}
	return tags
}
