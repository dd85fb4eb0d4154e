package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"sync"

	"github.com/tsenart/vegeta/v12/lib/plot"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

var (
	//go:embed page/page.html.tmpl
	pageHTML string
	//go:embed page/page.css
	pageCSS string
	// pageFiles are the scripts; their tests are not embedded.
	//
	//go:embed page/*.mjs
	pageFiles embed.FS
)

// pageTemplate is parsed once.
var pageTemplate = sync.OnceValues(func() (*template.Template, error) {
	return template.New("page").Funcs(template.FuncMap{"clean": cleanText}).Parse(pageHTML)
})

// HTML writes the report: one file that opens from disk, asks no network for
// anything, and stays under 2 MB whatever the number of operations, since what
// it draws is bucketed and what it lists is bounded.
func HTML(w io.Writer, r *harness.Result, h *history.History) error {
	t, err := pageTemplate()
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	p, err := newPage(r, h)
	if err != nil {
		return err
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// asset reads a file of uPlot, which vegeta embeds.
func asset(name string) (string, error) {
	f, err := plot.Assets.Open(name)
	if err != nil {
		return "", fmt.Errorf("report: chart library: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return "", fmt.Errorf("report: chart library: %w", err)
	}
	return string(b), nil
}
