package fault

// Enduring is a fault that nothing but its undo ends: what Active has seen
// once it sees until then. Its caller looks again shortly before the undo; a
// fault that was over by then proves nothing about the time in between. One that
// the system itself may end, as a fence does to a frozen balancer or a reload to an
// order that the balancer was given, is none; nor is one whose look costs what the
// load would feel, or more time than there is.
type Enduring interface {
	Fault
	// Endures marks it.
	Endures()
}

// Endures implements Enduring.
func (InstanceKill) Endures() {}

// Endures implements Enduring.
func (InstanceStop) Endures() {}

// Endures implements Enduring.
func (InstanceFreeze) Endures() {}

// Endures implements Enduring.
func (PowerLoss) Endures() {}

// Endures implements Enduring.
func (DatabaseDown) Endures() {}

// Endures implements Enduring.
func (DatabaseFreeze) Endures() {}

// Endures implements Enduring.
func (DatabaseCrash) Endures() {}

// Endures implements Enduring.
func (DatabaseCut) Endures() {}

// Endures implements Enduring.
func (DatabaseReadOnly) Endures() {}

// Endures implements Enduring.
func (BalancerKill) Endures() {}

// Endures implements Enduring.
func (KeepalivedKill) Endures() {}

// Endures implements Enduring.
func (KeepalivedFreeze) Endures() {}

// Endures implements Enduring.
func (VRRPCut) Endures() {}

// Endures implements Enduring.
func (DependencyDown) Endures() {}

// Endures implements Enduring.
func (DatabaseBlackHole) Endures() {}

// Endures implements Enduring.
func (NetworkCut) Endures() {}

// Endures implements Enduring.
func (StaleARP) Endures() {}

// Endures implements Enduring.
func (Stall) Endures() {}

// Endures implements Enduring.
func (RowLock) Endures() {}

// Endures implements Enduring.
func (DiskFull) Endures() {}
