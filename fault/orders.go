package fault

// Ordering is a fault whose Inject orders acts of the engine at its targets.
// Whatever else the engine is told to do to a node of the run is another's
// doing, and the run proves nothing. An undo may start and thaw.
type Ordering interface {
	Fault
	// Orders are the acts, as the actions of the engine's events name them.
	Orders() []string
}

// An engine that stops a container tells of the signal, too.
var (
	endsContainer     = []string{"kill", "stop"}
	restartsContainer = []string{"kill", "stop", "start"}
	freezesContainer  = []string{"pause"}
)

// Orders is a kill.
func (InstanceKill) Orders() []string { return endsContainer[:1] }

// Orders is a kill.
func (PowerLoss) Orders() []string { return endsContainer[:1] }

// Orders are a signal and a stop.
func (InstanceStop) Orders() []string { return endsContainer }

// Orders are a kill, or a signal and a stop.
func (DatabaseDown) Orders() []string { return endsContainer }

// Orders are an end and a start.
func (InstanceRestart) Orders() []string { return restartsContainer }

// Orders are an end and a start.
func (DatabaseRestart) Orders() []string { return restartsContainer }

// Orders is a pause.
func (InstanceFreeze) Orders() []string { return freezesContainer }

// Orders is a pause.
func (DatabaseFreeze) Orders() []string { return freezesContainer }
