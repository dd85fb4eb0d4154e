package clean

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzProxyLines: what Toxiproxy says of its proxies is told whole, a line each and
// one for each toxic, or is an error.
func FuzzProxyLines(f *testing.F) {
	for _, s := range []string{
		`{"db-j1":{"name":"db-j1","listen":"0.0.0.0:5432","upstream":"198.18.0.10:5432","enabled":true,"toxics":[{"name":"slow","type":"latency","stream":"downstream"}]}}`,
		`{}`, `null`, `[]`, ``, `{"a":null}`, `{"a":{"toxics":[{},{}]},"a":{}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := proxyLines(text)
		if err != nil {
			require.Nil(t, lines)
			return
		}
		var all map[string]struct{ Toxics []json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(text), &all))
		want := 0
		for _, p := range all {
			want += 1 + len(p.Toxics)
		}
		require.Len(t, lines, want)
	})
}
