package calibrate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSeconds: nft multiplies what it is told by 10^9 modulo 2^64.
func TestSeconds(t *testing.T) {
	for _, at := range []time.Time{
		time.Date(2026, 11, 20, 20, 0, 0, 123456789, time.UTC), time.Unix(0, 512), time.Unix(1, 0), time.Date(2200, 1, 1, 0, 0, 0, 999999999, time.UTC),
	} {
		ns := tick(at)
		require.Less(t, uint64(at.UnixNano())-ns, uint64(512))
		require.Equal(t, ns, seconds(ns)*1_000_000_000, "%v", at)
		require.Less(t, seconds(ns), uint64(1)<<55, "nft reads it as a signed number of its own")
	}
}

func TestParseWindow(t *testing.T) {
	const list = `{"nftables": [{"metainfo": {"version": "1.1.3"}}, {"table": {"family": "inet", "name": "hachaos_window"}},
		{"rule": {"family": "inet", "table": "other", "comment": "x"}},
		{"rule": {"family": "inet", "table": "hachaos_window", "comment": "1024 2048", "expr": [{"match": {}}, {"counter": {"packets": 7, "bytes": 9}}, {"drop": null}]}}]}`
	got, err := parseWindow([]byte(list))
	require.NoError(t, err)
	require.Equal(t, armed{packets: 7, from: 1024, to: 2048}, got)

	got, err = parseWindow([]byte(`{"nftables": []}`))
	require.NoError(t, err)
	require.Zero(t, got)
	_, err = parseWindow([]byte(`{"nftables": [{"rule": {"table": "hachaos_window", "comment": "soon"}}]}`))
	require.ErrorContains(t, err, "want two times")
	_, err = parseWindow([]byte(`<html>`))
	require.Error(t, err)
}

func TestWindowValidates(t *testing.T) {
	require.NoError(t, Window{After: time.Second, For: 100 * time.Millisecond}.Validate())
	for _, w := range []Window{{}, {After: time.Second}, {After: time.Second, For: 2 * time.Minute}, {For: time.Second}} {
		require.Error(t, w.Validate(), "%+v", w)
	}
}
