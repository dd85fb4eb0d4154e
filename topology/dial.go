package topology

import (
	"context"
	"net"
)

// DialFunc opens a connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Dialer is the capability of a cluster whose addresses are not reached by
// the host's own network: the in-memory one, or one behind a relay.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial returns how to reach the cluster's addresses.
func Dial(c Cluster) DialFunc {
	if d, ok := c.(Dialer); ok {
		return d.DialContext
	}
	var d net.Dialer
	return d.DialContext
}
