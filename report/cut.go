package report

import (
	"fmt"
	"unicode/utf8"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// Lengths, in bytes, at which the page cuts what others wrote. A log line of
// megabytes must not make a page of megabytes.
const (
	maxName = 80
	maxText = 1500
)

// cut cuts s after at most most bytes, between two characters, and says how
// much is left out.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	at := most
	for at > most-utf8.UTFMax && at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return fmt.Sprintf("%s… (%d bytes more)", s[:at], len(s)-at)
}

// cleanName makes a name safe to show, and no longer than a name needs to be.
func cleanName(s string) string { return Clean(cut(s, maxName)) }

// cleanText makes a text safe to show, and no longer than a person reads.
func cleanText(s string) string { return Clean(cut(s, maxText)) }

// shortEvidence is evidence whose text is cut.
func shortEvidence(e *assert.Evidence, most int) string {
	c := *e
	c.Node, c.Class, c.Text = cut(c.Node, maxName), cut(c.Class, maxName), cut(c.Text, most)
	return evidence(&c)
}

// shortLeftover is what was left behind, with its texts cut.
func shortLeftover(l history.Leftover) string {
	l.Kind, l.Name, l.Detail, l.Remove = cut(l.Kind, maxName), cut(l.Name, maxName), cut(l.Detail, maxText), cut(l.Remove, maxText)
	return leftoverLine(l)
}
