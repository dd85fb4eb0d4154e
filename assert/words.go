package assert

import (
	"fmt"
	"slices"
	"strings"
)

// figure is a number that a verdict can point to.
func figure(f float64) *float64 { return &f }

// count is "1 write", "2 writes".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// list joins values with commas, without repeats, in their order, and says
// "and N more" after limit of them.
func list[T comparable](values []T, limit int) string {
	var seen []T
	for _, v := range values {
		if !slices.Contains(seen, v) {
			seen = append(seen, v)
		}
	}
	words := make([]string, 0, min(len(seen), limit))
	for _, v := range seen[:min(len(seen), limit)] {
		words = append(words, fmt.Sprint(v))
	}
	text := strings.Join(words, ", ")
	if more := len(seen) - limit; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
