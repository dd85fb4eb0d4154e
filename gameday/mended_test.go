package gameday

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
)

// A fault that a runbook may end is as it was, but that it endures.
func TestMended(t *testing.T) {
	for _, kind := range fault.Kinds() {
		f, err := fault.Decode([]byte(`{"kind":"` + kind + `"}`))
		require.NoError(t, err)
		m := asMended(f)
		require.Equal(t, f.Kind(), m.Kind())
		_, endures := m.(fault.Enduring)
		require.False(t, endures, kind)
		_, was := f.(fault.Demanding)
		_, is := m.(fault.Demanding)
		require.Equal(t, was, is, "%s: demanding", kind)
		_, was = f.(fault.Eventful)
		_, is = m.(fault.Eventful)
		require.Equal(t, was, is, "%s: eventful", kind)
		want, err := json.Marshal(f)
		require.NoError(t, err)
		got, err := json.Marshal(m)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(got), kind)
		back, err := fault.Encode(m)
		require.NoError(t, err)
		require.Contains(t, string(back), kind)
	}
}
