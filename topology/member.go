package topology

// Member is the capability of a node that knows the cluster it belongs to,
// for faults that lie between nodes.
type Member interface {
	Node
	// Peers are all nodes of the cluster in the Spec's order, this one
	// included.
	Peers() []Node
}
