package assert

import (
	"time"

	"github.com/hachaos/hachaos/history"
)

// struck says whether a fault began while the operation was under way and
// still within the threshold, and when. What becomes of such an operation is
// the fault's doing: it counts in the phase that the fault began in, and says
// nothing of the steady phase in which it was due. One that had outstayed the
// threshold before is bad by itself.
func struck(h *history.History, o *history.Op, threshold time.Duration) (time.Duration, bool) {
	for i := range h.Faults {
		began := h.Faults[i].Injected
		if from, to := h.Faults[i].Took(); to > 0 && from > 0 {
			began = min(began, from)
		}
		if o.Intended < began && began-o.Intended <= threshold && (o.End < 0 || o.End > began) {
			return began, true
		}
	}
	return 0, false
}
