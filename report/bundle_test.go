package report

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func bundled(files map[string]string) (string, error) {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys["p/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return bundle(fsys, "p")
}

func TestBundleOrdersModules(t *testing.T) {
	got, err := bundled(map[string]string{
		"main.mjs": "import { twice } from \"./b.mjs\";\nimport { one } from \"./a.mjs\";\ntwice(one);\n",
		"b.mjs":    "import { one } from \"./a.mjs\";\nexport function twice(n) { return n + one; }\n",
		"a.mjs":    "export const one = 1;\n",
		"tests.js": "nobody imports this",
	})
	require.NoError(t, err)
	require.Equal(t, "(() => {\n\"use strict\";\n// a.mjs\nconst one = 1;\n// b.mjs\nfunction twice(n) { return n + one; }\n// main.mjs\ntwice(one);\n})();\n", got)
}

func TestBundleRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"a missing module": {map[string]string{"main.mjs": "import { a } from \"./a.mjs\";\n"}, "a.mjs"},
		"a missing name": {map[string]string{
			"main.mjs": "import { a } from \"./a.mjs\";\n", "a.mjs": "const a = 1;\n",
		}, "imports a, which a.mjs does not export"},
		"a circle": {map[string]string{
			"main.mjs": "import { a } from \"./a.mjs\";\n", "a.mjs": "import { b } from \"./b.mjs\";\nexport const a = 1;\n",
			"b.mjs": "import { a } from \"./a.mjs\";\nexport const b = 1;\n",
		}, "imports itself"},
		"a name that is taken": {map[string]string{
			"main.mjs": "import { a } from \"./a.mjs\";\nconst b = 2;\n", "a.mjs": "export const a = 1;\nfunction b() {}\n",
		}, "both declare b"},
		"a form that it does not know": {map[string]string{"main.mjs": "import x from \"./a.mjs\";\n"}, "want import"},
		"a default export":             {map[string]string{"main.mjs": "export default 3;\n"}, "want import"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bundled(c.files)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestThePageBundles(t *testing.T) {
	got, err := bundle(pageFiles, "page")
	require.NoError(t, err)
	require.NotRegexp(t, `(?m)^(import|export) `, got)
	require.NotContains(t, got, "</script")
}
