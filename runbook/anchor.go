package runbook

import (
	"strconv"
	"strings"
	"unicode"
)

// anchor is that of a heading, as GitHub makes it: in lower case, without
// punctuation, dashes for spaces, and numbered from its second time on. seen
// counts those that there were.
func anchor(title string, seen map[string]int) string {
	slug := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			return unicode.ToLower(r)
		}
		return -1
	}, title)
	n := seen[slug]
	seen[slug]++
	if n > 0 {
		slug += "-" + strconv.Itoa(n)
	}
	return slug
}
