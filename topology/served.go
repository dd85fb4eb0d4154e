package topology

// Served is the capability of a node that serves TCP on a port of its own,
// which a fault's proof tries from outside of the node. A node that is not
// reached by the host's own network implements Dialer as well.
type Served interface {
	Addressed
	// Port is the TCP port, 0 if there is none.
	Port() int
}
