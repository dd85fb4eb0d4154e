package runbook

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goodChecks is a document of checks with which nothing is wrong.
const goodChecks = `---
title: Is all well
owner: shop operations
reviewed: 2026-11-21
kind: checks
inputs:
  VIP: the address at which users reach the service
---

## Verification

### Users are answered

` + "```sh\ncurl -s \"http://$VIP/\"\n```\n\n```output\nok\n```\n" + `
**Expect:** ` + "`service-answers` within `1s`" + `.
`

func TestLintOfChecks(t *testing.T) {
	require.Empty(t, linted(t, goodChecks))
	r, err := Parse("x.md", []byte(goodChecks))
	require.NoError(t, err)
	require.True(t, r.Front.Checks)

	for _, tt := range []struct{ name, old, with, rule, says string }{
		{"an incident", "kind: checks\n", "kind: checks\nincident: instance-kill\n", "check", "checks have no incident"},
		{"a time", "kind: checks\n", "kind: checks\nwithin: 2m\n", "check", "checks have no within"},
		{"a decision", "### Users are answered\n", "### Users are answered\n\n**Decide:** Is it so? Go on with `yes`. In CI: `yes`.\n", "check", `check "Users are answered" asks a person`},
		{"no owner", "owner: shop operations\n", "", "owner", "no owner: say which team"},
		{"another section", "## Verification", "## Symptom", "check", `checks stand below "Verification"`},
		{"a command before the first", "### Users are answered\n", "", "check", "a command before the first check"},
		{"no output", "```output\nok\n```\n", "", "check", `check "Users are answered" expects no output`},
		{"no state", "**Expect:** `service-answers` within `1s`.", "", "check", `what is check "Users are answered" taken to say of the system?`},
		{"no check", goodChecks[strings.Index(goodChecks, "```sh"):], "A word.\n", "check", "no check: give each"},
		{"a change", "curl -s \"http://$VIP/\"", "rm -r /tmp/x", "destructive", "Verification only looks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(goodChecks, tt.old, tt.with, 1)
			require.NotEqual(t, goodChecks, text)
			var says []string
			for _, f := range linted(t, text) {
				if f.Rule == tt.rule {
					says = append(says, f.Text)
				}
			}
			require.NotEmpty(t, says)
			require.Contains(t, strings.Join(says, "\n"), tt.says)
		})
	}

	_, err = Parse("x.md", []byte(strings.Replace(goodChecks, "kind: checks", "kind: check", 1)))
	require.ErrorContains(t, err, "kind: want checks")
	whole, err := os.ReadFile("testdata/good.md")
	require.NoError(t, err)
	r, err = Parse("x.md", whole)
	require.NoError(t, err)
	require.False(t, r.Front.Checks)
}
