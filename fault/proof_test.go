package fault

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestProveLooksAtAllAtOnce: eight looks of two seconds fit into a proof's ten.
func TestProveLooksAtAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vs []bound
		for i := range 8 {
			vs = append(vs, bound{name: fmt.Sprintf("j%d", i+1)})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		p, err := prove(ctx, "a look", vs, func(ctx context.Context, v bound) (sight, error) {
			s := sight{ok: true, measured: "seen"}
			select {
			case <-ctx.Done():
				return s, ctx.Err()
			case <-time.After(starvedFor):
				return s, nil
			}
		})
		require.NoError(t, err)
		require.True(t, p.OK)
		require.Equal(t, "j1: seen; j2: seen; j3: seen; j4: seen; j5: seen; j6: seen; j7: seen; j8: seen", p.Measured)
		require.Equal(t, starvedFor, time.Since(began))
	})
}
