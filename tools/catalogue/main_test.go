package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/catalogue"
)

// The page is what `make catalogue-page` writes.
func TestThePageIsOfTheCatalogue(t *testing.T) {
	page, err := os.ReadFile("../../docs/catalogue.md")
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, write(&b))
	require.Equal(t, b.String(), string(page), "write it anew: make catalogue-page")
}

// An item whose assertions were only seen to hold, since no planted defect breaks
// one of them, is answered in part, and says what is not shown.
func TestWhatNothingBreaksIsAnsweredInPart(t *testing.T) {
	broken, err := planted()
	require.NoError(t, err)
	for _, l := range catalogue.Lists() {
		for _, i := range l.Items {
			shown := false
			for _, c := range i.Claims() {
				shown = shown || broken[c.Scenario+" "+c.Assertion]
			}
			require.True(t, shown || i.Part != "" || !i.Tested(), "%v %q: no planted defect shows that it can fail", i.Refs, i.Asks)
		}
	}
}
