package assert_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

func TestTheEvidenceBeginsWithTheKindOfMostBadOperations(t *testing.T) {
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, 10*sec)
	for i := range 1000 {
		due := time.Duration(i) * 10 * ms
		op := b.Op(history.OpOrder, due)
		switch {
		case i == 3: // the worst by far, and the only one of its kind
			op.End(due + 4*sec).OK()
		case i >= 500 && i < 540:
			op.Status(503).End(due + time.Duration(i)*ms/100).Fail(history.ErrStatus)
		default:
			op.End(due + 10*ms).OK()
		}
	}
	v := assert.ErrorBudget{}.Check(b.Build(t))
	require.Equal(t, assert.Fail, v.Status)
	require.Contains(t, v.Evidence[0].Text, "status 503")
	require.EqualValues(t, 540, v.Evidence[0].Op, "of its kind the slowest")
	require.Equal(t, 41, len(v.Evidence)+v.More)
}
