package observe

import (
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Half-widths of what is mapped from the wall's clock, beside the mapping's
// own: the time that passes between the thing and its writing down.
const (
	withinLog    = time.Millisecond     // a line of a node or a balancer
	withinEngine = 2 * time.Millisecond // an event of the engine
)

// span maps a time of the wall's clock, as a log line or the engine gives it,
// onto the run's.
func (e env) span(wall time.Time, source time.Duration) (time.Duration, history.Span) {
	at, within := e.wall.Map(wall)
	return at, history.Span{Within: within + source}
}

// micros is a wall time of so many microseconds since 1970.
func micros(us int64) time.Time { return time.UnixMicro(us) }

func joinPort(a netip.Addr, port int) string {
	return net.JoinHostPort(a.String(), strconv.Itoa(port))
}
