package harness

import (
	"cmp"
	"slices"
	"strings"
)

// maxNear is how many names Nearest offers.
const maxNear = 3

// Nearest returns the names that name may have been meant for, the nearest
// first: those that begin with it, contain it, or differ from it by at most a
// third of its letters. There may be none.
func Nearest(name string, names []string) []string {
	type candidate struct {
		name string
		far  int
	}
	var near []candidate
	for _, n := range names {
		far := distance(strings.ToLower(name), strings.ToLower(n))
		switch {
		case name == "":
			continue
		case strings.HasPrefix(n, name), strings.HasPrefix(name, n):
			far = min(far, 1)
		case len(name) > 2 && strings.Contains(n, name):
			far = min(far, 2)
		}
		if far <= max(2, len(name)/3) {
			near = append(near, candidate{n, far})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.name, b.name))
	})
	var out []string
	for _, c := range near[:min(len(near), maxNear)] {
		out = append(out, c.name)
	}
	return out
}

// distance is how many letters must be inserted, deleted or replaced to make
// a of b (Levenshtein's).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
