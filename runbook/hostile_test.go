package runbook

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What opens and opens, in Markdown or the shell, as often as fits into a
// document, is read, or refused, all the same.
func TestParseOfWhatOpensAndOpens(t *testing.T) {
	const head = "---\ntitle: x\n---\n\n## Symptom\n\n"
	for _, open := range []string{"[", "![", "[a](", "*a_", "`` ` ", "<a ", ">", "- ", "1. ", "&", "\\", "~~~ ", "<!--", "[a]: b "} {
		t.Run(open, func(t *testing.T) {
			line := strings.Repeat(open, (MaxLine-2)/len(open)) + "\n"
			text := head + strings.Repeat(line, (MaxSize-len(head))/len(line))
			r, err := Parse("x.md", []byte(text))
			if err == nil {
				Lint(r, world(), today)
				return
			}
			require.NotEmpty(t, err.Error())
		})
	}
	for _, open := range []string{"$(", "${a:-", "( ", "{ ", "if ", "$((", "\"$(", "case a in a) ", "f() ", "<<E ", "! ", "a|", "a&&", "`"} {
		t.Run("bash "+open, func(t *testing.T) {
			line := strings.Repeat(open, (MaxLine-2)/len(open)) + "\n"
			text := head + "```bash\n" + strings.Repeat(line, (MaxSize-len(head)-20)/len(line)) + "```\n"
			_, err := Parse("x.md", []byte(text))
			require.Error(t, err)
		})
	}
}
