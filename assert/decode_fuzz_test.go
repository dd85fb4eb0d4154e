package assert_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// FuzzDecode wants of each checker that can be read from a record that it is
// the same once written again, and that it judges an empty record without
// passing it or breaking.
func FuzzDecode(f *testing.F) {
	for _, c := range wholeCheckers(killWhole) {
		meta, err := assert.Encode(c)
		require.NoError(f, err)
		f.Add(meta.Name, []byte(meta.Params))
		f.Add(meta.Name, []byte("{}"))
	}
	f.Add("drain", []byte(`{"grace":9223372036854775807}`))
	f.Add("error-budget", []byte(`{"steady":1e308,"overall":-1}`))
	f.Add("luck", []byte(`null`))
	f.Fuzz(func(t *testing.T, name string, params []byte) {
		c, err := assert.Decode(name, params, nil)
		if err != nil {
			return
		}
		require.Equal(t, name, c.Name())
		require.Contains(t, assert.Known(), name)
		meta, err := assert.Encode(c)
		require.NoError(t, err)
		again, err := assert.Decode(meta.Name, meta.Params, nil)
		require.NoError(t, err, "%s", meta.Params)
		same, err := json.Marshal(again)
		require.NoError(t, err)
		was, err := json.Marshal(c)
		require.NoError(t, err)
		require.JSONEq(t, string(was), string(same))
		require.NotEmpty(t, c.About())
		v := assert.Judge(&history.History{}, []assert.Checker{c})[0]
		require.NotEqual(t, assert.Pass, v.Status)
		require.NotContains(t, v.Summary, "broke off", "%s", params)
	})
}
