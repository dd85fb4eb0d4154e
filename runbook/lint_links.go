package runbook

import (
	"errors"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// links asks whether what a link leads to is there. Other sites are not asked.
func (l *linter) links() {
	for _, k := range l.book.doc.links {
		u, err := url.Parse(k.to)
		switch {
		case err != nil:
			l.find(k.line, "link", "%q is no link: %v", k.to, err)
		case u.Scheme != "" || u.Host != "":
		case strings.HasPrefix(u.Path, "/"):
			l.find(k.line, "link", "%s leads from the root of a site or a disk: write it relative to this file", k.to)
		case u.Path == "":
			l.leads(k, l.book.doc.anchors, u.Fragment, "this document")
		default:
			l.opens(k, u)
		}
	}
}

// leads asks for an anchor.
func (l *linter) leads(k link, anchors map[string]bool, fragment, where string) {
	if fragment != "" && !anchors[fragment] {
		l.find(k.line, "link", "%s: no heading of %s is called so", k.to, where)
	}
}

// opens asks for a file, and for its anchor.
func (l *linter) opens(k link, u *url.URL) {
	if l.known.Open == nil {
		return
	}
	text, err := l.known.Open(path.Clean(u.Path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.find(k.line, "link", "%s is not there", k.to)
	case err != nil:
		l.find(k.line, "link", "%s cannot be read: %v", k.to, err)
	case path.Ext(u.Path) == ".md" && u.Fragment != "":
		l.leads(k, anchorsOf(text), u.Fragment, u.Path)
	}
}

// maxLinked is how much of another document is read for its headings.
const maxLinked = 1 << 20

// htmlAnchor is one that HTML in a document makes.
var htmlAnchor = regexp.MustCompile(`<[a-zA-Z][^>]*\s(?:id|name)="([^"]+)"`)

// anchorsOf are those of another document.
func anchorsOf(text []byte) map[string]bool {
	_, body, first := splitFront(text[:min(len(text), maxLinked)])
	anchors := readMarkdown(body, first).anchors
	for _, m := range htmlAnchor.FindAllSubmatch(body, -1) {
		anchors[string(m[1])] = true
	}
	return anchors
}
