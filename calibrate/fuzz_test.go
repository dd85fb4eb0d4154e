package calibrate

import "testing"

// FuzzWhatCommandsPrint: nothing that a command prints makes a reading of it
// panic, or a time that runs backwards a length.
func FuzzWhatCommandsPrint(f *testing.F) {
	for _, s := range []string{
		"7 40", "", "1000 2000 502000 503000", "1 2 3 x",
		`{"nftables": [{"rule": {"table": "hachaos_window", "comment": "1024 2048", "expr": [{"counter": {"packets": 7}}]}}]}`, `{"nftables": [null]}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if lost, doubled, err := parseDamage(text); err == nil && (lost < 0 || doubled < 0) {
			t.Errorf("%d lost, %d doubled", lost, doubled)
		}
		if least, most, err := parseOwners(text); err == nil && (least < 0 || least > most) {
			t.Errorf("from %v to %v", least, most)
		}
		_, _ = parseWindow([]byte(text))
	})
}
