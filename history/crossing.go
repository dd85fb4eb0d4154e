package history

// StreamCrossing is Crossing: a client beside the mix whose requests are bound
// to no node, so that each version reads what the other wrote.
const StreamCrossing = "crossing"

// Crossing is an answer to such a client. Event.At is when the answer came.
type Crossing struct {
	// Request is what was asked: "GET /session".
	Request string `json:"request"`
	// Of is the session or order that it was about: "session 3", "order 17".
	Of string `json:"of,omitempty"`
	// Node and Version are what the answer named; empty if none came, or the
	// balancer's own.
	Node    string `json:"node,omitempty"`
	Version string `json:"version,omitempty"`
	// Writer is the version that the last acknowledged write of it named;
	// empty if this request is the first.
	Writer string `json:"writer,omitempty"`
	// Status is the answer's; 0 if none came: then Error says why.
	Status int    `json:"status"`
	Error  string `json:"error,omitempty"`
	// Fields are the names in the answer's body, sorted.
	Fields []string `json:"fields,omitempty"`
	// Want and Got are the value that was to be read, and that was: the
	// session's counter or the order's quantity; Got is -1 if the answer held
	// none under a name that any version uses.
	Want int64 `json:"want"`
	Got  int64 `json:"got"`
}
