package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"sync"
)

// The pages that need no script: a comparison, a suite, the list of runs.
//
//go:embed plain
var plainFiles embed.FS

var plainTemplates = sync.OnceValues(func() (*template.Template, error) {
	return template.New("plain").ParseFS(plainFiles, "plain/*.tmpl")
})

// plain writes one of the pages, under the Title that data has. What data holds
// must be clean of control characters; the template escapes the rest.
func plain(w io.Writer, name string, data map[string]any) error {
	t, err := plainTemplates()
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	css, err := plainFiles.ReadFile("plain/plain.css")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	data["CSS"] = template.CSS(css) //nolint:gosec // a file of our own
	if err := t.ExecuteTemplate(w, name, data); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
