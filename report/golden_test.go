package report

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// known is a run of which everything is known beforehand.
func known(t *testing.T) (*harness.Result, *history.History) {
	t.Helper()
	h := planted(t)
	r := judged(h)
	r.Schema, r.Seed, r.Topology, r.Profile, r.Version, r.ID = harness.ResultSchema, 42, "jetty-ha", "tuned", "v0", "1a2b"
	r.StartedAt, r.Took = time.Date(2026, 11, 20, 8, 15, 0, 0, time.UTC), 36*time.Second
	r.Command, r.Dir = "hachaos run planted --seed 42", "runs/20261120T081500Z-planted-1a2b3c4d"
	r.Faults = []harness.FaultResult{{Kind: "instance-kill", Nodes: []string{"j2"}, At: 400 * time.Millisecond, Proven: true, Measured: "dead"}}
	return r, h
}

// code is what of a page is no text: what the scripts draw from is held to
// model.json, and they have tests of their own.
var code = regexp.MustCompile(`(?s)(<(script|style)[^>]*>).*?(</(?:script|style)>)`)

// TestGolden holds what is written of a run and of a suite to files, in the formats that
// no other test does.
func TestGolden(t *testing.T) {
	r, h := known(t)
	for name, write := range map[string]func(*bytes.Buffer) error{
		"table.txt":        func(b *bytes.Buffer) error { return Table(b, r, TableOptions{Path: "runs/x/report.html"}) },
		"table-narrow.txt": func(b *bytes.Buffer) error { return Table(b, r, TableOptions{Width: 58}) },
		"table-colour.txt": func(b *bytes.Buffer) error { return Table(b, failing(), TableOptions{Colour: true}) },
		"junit.xml":        func(b *bytes.Buffer) error { return JUnit(b, r) },
		"suite.xml":        func(b *bytes.Buffer) error { return SuiteJUnit(b, several("d")) },
		"report.html": func(b *bytes.Buffer) error {
			var page bytes.Buffer
			err := HTML(&page, r, h)
			b.Write(code.ReplaceAll(page.Bytes(), []byte("$1…$3")))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, write(&b))
			golden(t, name, b.Bytes())
		})
	}
}
