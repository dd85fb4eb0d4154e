package gameday

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/runbook"
)

func TestConfirm(t *testing.T) {
	tests := []struct {
		name, typed string
		err         string
		asked       int
	}{
		{name: "yes", typed: "y\n", asked: 1},
		{name: "spaces around it", typed: "  y \n", asked: 1},
		{name: "an empty line asks again", typed: "\n\ny\n", asked: 3},
		{name: "no", typed: "no\ny\n", err: `the answer is "no"`, asked: 1},
		{name: "a word that begins like it", typed: "yes\n", err: `the answer is "yes"`, asked: 1},
		{name: "the end of the input", err: ErrNobody.Error(), asked: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			err := NewTerminal(strings.NewReader(tt.typed), &out).Confirm(t.Context(), Part{Part: &runbook.Part{Title: "Fence it", Line: 7}})
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tt.err)
			}
			require.Equal(t, tt.asked, strings.Count(out.String(), `Step "Fence it", line 7`))
		})
	}
}
