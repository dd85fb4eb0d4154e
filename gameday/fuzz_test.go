package gameday

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzReadServers: what a balancer's runtime socket says of its servers is a
// table, or an error; a server is in it as it stands there, and never half.
func FuzzReadServers(f *testing.F) {
	for _, s := range []string{
		"# pxname,svname,status,\nnodes,j1,UP,\nnodes,j2,DOWN 1/2,\n\n", "# pxname,svname,status\n", "", "# svname\nj1\n",
		"# status,svname\nUP\n", "\"", "# svname,status\n\"j1,UP\n", "# svname,svname,status,status\na,b,c,d\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		servers, err := readServers(strings.NewReader(text))
		if err != nil {
			require.Nil(t, servers)
			return
		}
		require.Contains(t, text, "svname")
		require.Contains(t, text, "status")
		bare := strings.NewReplacer("\"", "", "\r", "").Replace(text)
		for name, status := range servers {
			for _, field := range []string{name, status} {
				require.Contains(t, bare, strings.NewReplacer("\"", "", "\r", "").Replace(field))
			}
		}
	})
}

// FuzzSessionCount: an answer of the application has the count that stands in it,
// or is an error.
func FuzzSessionCount(f *testing.F) {
	for _, s := range []string{`{"count":7}`, `{"visits":7}`, `{"count":7,"visits":9}`, `{"count":null}`, `{}`, `[]`, `{"count":7.5}`, `{"count":"7"}`, "", `{"count":99999999999999999999}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, page string) {
		n, err := sessionCount(page)
		if err != nil {
			require.Zero(t, n)
			return
		}
		lower := strings.ToLower(page)
		require.True(t, strings.Contains(lower, "count") || strings.Contains(lower, "visits") || strings.Contains(page, `\u`), page)
	})
}
