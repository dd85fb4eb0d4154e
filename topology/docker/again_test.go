package docker

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestWhatComesLateIsHealed: the engine carries out a pause, or ends a
// container after its grace, when the process that asked for it is gone.
func TestWhatComesLateIsHealed(t *testing.T) {
	broken := errors.New("no space left on device")
	for name, tc := range map[string]struct {
		late  time.Duration // what heal says
		fails int           // so many heals fail
		taken time.Duration // another uses the topology from then on; 0: nobody does
		heals []time.Duration
		err   error
	}{
		"a request under way":       {heals: []time.Duration{settling}},
		"a stop under way":          {late: 10 * time.Second, heals: []time.Duration{settling, 10 * time.Second}},
		"one that came about":       {late: settling / 2, heals: []time.Duration{settling}},
		"the last fails":            {fails: 1, heals: []time.Duration{settling}, err: broken},
		"one of two fails":          {late: 5 * time.Second, fails: 1, heals: []time.Duration{settling, 5 * time.Second}},
		"another run is upon it":    {taken: time.Millisecond, err: topology.ErrNoEngine},
		"another run comes upon it": {late: 10 * time.Second, taken: 2 * time.Second, heals: []time.Duration{settling}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var heals []time.Duration
				var said []string
				free := func() error {
					if tc.taken > 0 && time.Since(began) >= tc.taken {
						return topology.ErrInUse
					}
					return nil
				}
				heal := func() error {
					heals = append(heals, time.Since(began))
					if len(heals) <= tc.fails {
						return broken
					}
					return nil
				}
				err := again(t.Context(), passes(tc.late), free, heal, topology.ErrNoEngine, func(f string, args ...any) {
					said = append(said, fmt.Sprintf(f, args...))
				})
				require.ErrorIs(t, err, tc.err)
				require.Equal(t, tc.heals, heals)
				require.NotEmpty(t, said)
			})
		})
	}
}
