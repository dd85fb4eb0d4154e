// Package topology describes a system under test as data and names the
// ports through which the rest of hachaos acts on it. It knows no engine:
// drivers (topology/docker, topology/fake) implement Driver, Cluster and Node.
//
// A node implements Node and whichever of the optional capabilities
// (Container, Namespace, Addressed) its driver can offer; what a fault can be
// aimed at follows from them.
package topology

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"strings"
	"time"
)

// RunLabel is the label of every container, network and volume that hachaos
// creates; its value is the run's id. hachaos removes nothing that lacks it.
const RunLabel = "hachaos.run"

// Role says what a node is in the stack.
type Role string

// The roles that the built-in topologies know.
const (
	Application Role = "application" // answers the users' requests
	Balancer    Role = "balancer"    // distributes them and may own the VIP
	Database    Role = "database"    // keeps sessions and orders
	Proxy       Role = "proxy"       // stands between a node and its dependency
	Relay       Role = "relay"       // carries the load in where the host has no route
	Service     Role = "service"     // another that the application depends on
)

// Errors that drivers return, wrapped with the object concerned.
var (
	// ErrNoEngine: no engine answers at the configured address.
	ErrNoEngine = errors.New("no container engine answers")
	// ErrPermission: an engine is there, but this user may not use it.
	ErrPermission = errors.New("no permission to use the container engine")
	// ErrSubnetInUse: the subnet asked for overlaps a network that exists.
	ErrSubnetInUse = errors.New("subnet is in use")
	// ErrNotFound: no standing topology, node or run has this name.
	ErrNotFound = errors.New("not found")
	// ErrImage: an image could not be built; the error carries the log's end.
	ErrImage = errors.New("image does not build")
	// ErrLeftBehind: a start that failed could not remove all that it had
	// created.
	ErrLeftBehind = errors.New("something is left behind")
	// ErrInUse: a run uses the standing topology.
	ErrInUse = errors.New("in use by a run")
	// ErrNotRunning: the act needs a running container, and it is not running.
	ErrNotRunning = errors.New("container is not running")
)

// Node is one member of a running topology. Its methods are safe for
// concurrent use.
type Node interface {
	// Name is unique in the cluster, such as "j1".
	Name() string
	// Role never changes during a run.
	Role() Role
	// Exec runs argv in the node and waits for its end. A command that ran
	// and exited non-zero is no error: see Output.Code. A node that is not
	// running gives an error that wraps ErrNotRunning.
	Exec(ctx context.Context, argv ...string) (Output, error)
}

// Output is what a command left behind.
type Output struct {
	Stdout, Stderr []byte
	Code           int // the exit status
}

// Container is the capability of a node that runs as a container.
type Container interface {
	Node
	// Kill sends SIGKILL to the container's first process. The network
	// namespace goes with it, so that new connections hang. It is not an
	// error if the container is already dead.
	Kill(ctx context.Context) error
	// Stop asks the container to end and kills it after grace.
	Stop(ctx context.Context, grace time.Duration) error
	// Start starts a container that ended. It is not an error if it runs.
	Start(ctx context.Context) error
	// Pause freezes every process of the container; Unpause thaws them.
	// Neither is an error if it is so already.
	Pause(ctx context.Context) error
	Unpause(ctx context.Context) error
	// Inspect asks the engine, and changes nothing.
	Inspect(ctx context.Context) (State, error)
}

// State is the engine's view of a container. Times are the engine's wall
// clock and zero if the event has not happened.
type State struct {
	ID         string
	Running    bool
	Paused     bool
	Pid        int // of the first process, on the engine's host; 0 if not running
	ExitCode   int
	OOMKilled  bool
	Restarts   int
	StartedAt  time.Time
	FinishedAt time.Time
}

// Namespace is the capability of running tools (nft, ip, tc, nc, curl) in a
// node's network namespace with NET_ADMIN, from a helper container of
// hachaos's own, whatever the node's image contains, and while it is paused.
type Namespace interface {
	Node
	// InNamespace runs argv beside the node. After the node's container was
	// restarted it acts on the new namespace.
	InNamespace(ctx context.Context, argv ...string) (Output, error)
}

// Addressed is the capability of a node that has an address of its own in
// the run's network, reachable from where the harness runs.
type Addressed interface {
	Node
	Addr() netip.Addr
}

// Entry is where the load enters the system.
type Entry struct {
	// URL is the base of every request, without a trailing slash:
	// "http://198.18.7.100:80".
	URL string
	// Via says how: "direct" to the VIP, or "relay" through a container.
	Via string
}

// EngineEvent is one event of a container as the engine reports it.
type EngineEvent struct {
	Node     string
	Action   string // kill die start stop pause unpause oom restart
	ExitCode string // of a die; empty otherwise
	Signal   string // of a kill; empty otherwise
	Wall     time.Time
}

// Leftover is something of this run that still exists.
type Leftover struct {
	Kind   string // container network volume filter process
	Name   string
	Detail string
	Remove string // the command that removes it
}

// Cluster is a running topology. Its methods are safe for concurrent use.
type Cluster interface {
	// ID is the value of RunLabel on all that belongs to the cluster.
	ID() string
	// Spec is what was started, with all placeholders resolved.
	Spec() Spec
	// Nodes are in the Spec's order.
	Nodes() []Node
	// Entry is where the load goes.
	Entry() Entry
	// Ready returns once a request through the entry was served by a ready
	// application node and every application node is ready itself.
	Ready(ctx context.Context) error
	// Events sends the engine's events of this cluster from since on, oldest
	// first, until ctx ends; then it closes the channel. An event stream
	// that broke is resumed without loss, or ends with a non-nil error from
	// the returned function (valid once the channel is closed).
	Events(ctx context.Context, since time.Time) (<-chan EngineEvent, func() error)
	// Logs copies the node's standard output and error, from since on, to w
	// and follows it across restarts of the container until ctx ends. It
	// returns nil if nothing was missed.
	Logs(ctx context.Context, node string, since time.Time, w io.Writer) error
	// Leftovers lists what of this cluster still exists, after Close: an
	// empty list, or what Close could not remove.
	Leftovers(ctx context.Context) ([]Leftover, error)
	// Close removes the cluster's containers and networks, or, if it was
	// attached to, only lets go of it. It may be called again.
	Close(ctx context.Context) error
}

// Driver brings topologies up.
type Driver interface {
	// Start builds what is missing, starts all nodes in parallel and returns
	// once they run; Ready has still to be awaited. If it fails it has
	// removed what it created, or the error wraps ErrLeftBehind.
	Start(ctx context.Context, id string, plan Plan, opts StartOptions) (Cluster, error)
	// Attach returns the standing cluster of that name (of `hachaos up`), or
	// an error that wraps ErrNotFound. Until its Close the cluster is in use:
	// a second run would meet the first one's faults, and gets ErrInUse from
	// a driver that can tell.
	Attach(ctx context.Context, name string) (Cluster, error)
}

// Describer is the capability of a driver that tells what stands without
// taking it into use.
type Describer interface {
	// Describe returns the spec of the standing topology of that name, or an
	// error that wraps ErrNotFound.
	Describe(ctx context.Context, name string) (Spec, error)
}

// StartOptions are what the user may choose about a start. The zero value
// is the default.
type StartOptions struct {
	// Subnet pins the network; the zero Prefix means any free /24 of
	// 198.18.0.0/15.
	Subnet netip.Prefix
	// Images replaces fixture images: "jetty" → "registry/app:1".
	Images map[string]string
	// Standing is the name of a topology that outlives the process; empty
	// for one that ends with the run.
	Standing string
	// Lent says that the process which starts a standing topology removes it,
	// too: what is left of it when that process is gone is garbage.
	Lent bool
	// Progress receives one line a step, for people; it may be nil.
	Progress func(string)
}

// Plan makes the Spec for a subnet. It is pure: the driver calls it again
// with another subnet if the first was taken meanwhile.
type Plan func(subnet netip.Prefix) (Spec, error)

// Spec is a topology as data, resolved for one subnet.
type Spec struct {
	Name    string       `json:"name"`    // such as "jetty-ha"
	Profile string       `json:"profile"` // such as "tuned"
	Subnet  netip.Prefix `json:"subnet"`
	Nodes   []NodeSpec   `json:"nodes"`
	// VIP is the shared address that the balancers keep; invalid if none.
	VIP netip.Addr `json:"vip"`
	// Port is the VIP's TCP port.
	Port int `json:"port"`
	// Set are the switches that differ from their defaults.
	Set map[string]string `json:"set,omitempty"`
	// ReadyPath is requested through the entry to prove readiness.
	ReadyPath string `json:"readyPath"`
	// Values are the settings that matter, for `describe` and the report.
	Values []Value `json:"values"`
	// Bounds follow from the values by a formula.
	Bounds []Bound `json:"bounds"`
}

// NodeSpec is one container.
type NodeSpec struct {
	Name  string            `json:"name"`
	Role  Role              `json:"role"`
	Image string            `json:"image"` // a fixture image's name, such as "jetty"
	Addr  netip.Addr        `json:"addr"`
	Env   map[string]string `json:"env,omitempty"`
	Files []File            `json:"files,omitempty"` // copied in before the start
	Cmd   []string          `json:"cmd,omitempty"`
	Caps  []string          `json:"caps,omitempty"`
	// Confined says that it runs what others wrote: it has no capability of the kernel
	// but Caps, gains none, and has at most MaxConfined processes.
	Confined bool  `json:"confined,omitempty"`
	Shares   int64 `json:"shares,omitempty"` // CPU weight; 0 is the engine's default
	Memory   int64 `json:"memory,omitempty"` // bytes; 0 is unlimited
	Shm      int64 `json:"shm,omitempty"`    // bytes; 0 is the engine's default
	// Tmpfs are file systems in memory, by where they are mounted, with their
	// size in bytes: real ones that can be full. They are writable by every
	// user, empty at each start, and gone when the container ends.
	Tmpfs map[string]int64 `json:"tmpfs,omitempty"`
	// Disks are where file systems are mounted that lie on a disk of the
	// engine's host, without the engine between: what the node writes there it
	// writes to the disk itself. Each begins as the image's content at that
	// path, outlives a restart of the node, and goes with the node.
	Disks []string `json:"disks,omitempty"`
	// Port and Ready are where the node itself answers HTTP readiness
	// ("/health/ready"); Port alone is a TCP check; 0 is none.
	Port  int    `json:"port,omitempty"`
	Ready string `json:"ready,omitempty"`
}

// MaxConfined is how many processes and threads a confined node may have.
const MaxConfined = 256

// File is put into a container before it starts.
type File struct {
	Path    string      `json:"path"`
	Mode    fs.FileMode `json:"mode"`
	Content string      `json:"content"`
}

// Value is one setting of a profile with its reason.
type Value struct {
	Name   string `json:"name"`   // "haproxy: inter"
	Value  string `json:"value"`  // "250ms"
	Reason string `json:"reason"` // one line
	File   string `json:"file"`   // where a user changes it
}

// Bound is a limit that follows from the configuration.
type Bound struct {
	Name    string        `json:"name"` // see the Bound… constants
	Limit   time.Duration `json:"limit"`
	Count   int           `json:"count,omitempty"` // of a bound that is a number and no time
	Formula string        `json:"formula"`         // with the values put in
	Source  string        `json:"source"`          // the manual and section
	File    string        `json:"file"`            // the value of which file to change
}

// Names of bounds. Which of the detection bounds applies depends on what the
// fault does to a new connection.
const (
	BoundDetectRefused  = "detected/refused"  // the port refuses (process crash)
	BoundDetectVanished = "detected/vanished" // packets vanish (container or power)
	BoundDetectFrozen   = "detected/frozen"   // accepted, never answered
	BoundDivert         = "diverted"          // after detection: a request already on its way to the dead server
	BoundOutageRefused  = "outage/refused"    // the victim's share, longest run of bad operations
	BoundOutageVanished = "outage/vanished"
	BoundOutageFrozen   = "outage/frozen"
	BoundUnready        = "unready"    // a node turns unready → no balancer sends it anything
	BoundReady          = "ready"      // a node turns ready → it is served again
	BoundVIP            = "vip"        // the owner dies → another owns the VIP
	BoundRecovered      = "recovered"  // restart → ready
	BoundJob            = "job"        // the last effect of a job's owner → the first of another
	BoundOutageAll      = "outage/all" // every application node is lost at once and starts again
)

// Names of bounds of the VIP.
const (
	BoundVIPRefused = "vip/refused"    // the owner's process is gone, its machine lives → another owns the VIP
	BoundVIPFrozen  = "vip/frozen"     // it accepts and does not answer → another owns the VIP
	BoundVIPRemoved = "vip/removed"    // the owner's address is taken off its interface → another owns the VIP, or the same again
	BoundVIPTwo     = "vip/two-owners" // two that hear each other own it → one does
	BoundOutageVIP  = "outage/vip"     // all users, longest run of bad operations, if the owner vanishes
	// As outage/vip, if the owner's process is gone, if it accepts and does not
	// answer, if its address is taken away, and if there are two owners.
	BoundOutageVIPRefused = "outage/vip-refused"
	BoundOutageVIPFrozen  = "outage/vip-frozen"
	BoundOutageVIPRemoved = "outage/vip-removed"
	BoundOutageVIPTwo     = "outage/vip-two-owners"
	BoundAnswered         = "answered"        // a request is sent → it is answered, if only by a refusal
	BoundAnsweredPool     = "answered/pool"   // as answered, at a node whose pool is empty and whose database is well
	BoundThreads          = "threads"         // busy threads of a node: a count
	BoundOutageUnready    = "outage/unready"  // as outage/…, of a node that serves on and cannot work
	BoundOutageSilent     = "outage/silent"   // as outage/unready, if what the node cannot reach is silent and does not refuse
	BoundDatabase         = "database"        // the database is started → it answers
	BoundOutageDatabase   = "outage/database" // as outage/…, of everybody, by a restart of the database
	BoundReconnected      = "reconnected"     // the database is back → every node is ready
	BoundStale            = "stale"           // a value is replaced → no cache gives the old one any more
)

// NodeByName returns the spec of the named node.
func (s Spec) NodeByName(name string) (NodeSpec, bool) {
	for _, n := range s.Nodes {
		if n.Name == name {
			return n, true
		}
	}
	return NodeSpec{}, false
}

// Count is how many nodes have the role.
func (s Spec) Count(role Role) int {
	n := 0
	for _, node := range s.Nodes {
		if node.Role == role {
			n++
		}
	}
	return n
}

// Bound returns the bound of that name.
func (s Spec) Bound(name string) (Bound, bool) {
	for _, b := range s.Bounds {
		if b.Name == name {
			return b, true
		}
	}
	return Bound{}, false
}

// Options choose among a topology's variants.
type Options struct {
	Profile string            // empty is the definition's first profile
	Nodes   int               // application nodes; 0 is the default
	Set     map[string]string // switches by key
}

// Switch is a key of --set that a topology or a workload understands.
type Switch struct {
	Key     string   `json:"key"`              // "dedupe"; "weight.*" takes a node's name for the star
	Values  []string `json:"values,omitempty"` // the values allowed; empty is any that Check accepts
	Default string   `json:"default"`
	About   string   `json:"about"` // one line
}

// Matches says whether key is the switch's; a star in the switch's key stands
// for at least one letter.
func (s Switch) Matches(key string) bool {
	head, tail, star := strings.Cut(s.Key, "*")
	if !star {
		return s.Key == key
	}
	return len(key) > len(head)+len(tail) && strings.HasPrefix(key, head) && strings.HasSuffix(key, tail)
}

// Changed are those of set that differ from the switches' defaults; nil if
// none does.
func Changed(switches []Switch, set map[string]string) map[string]string {
	var out map[string]string
	for key, value := range set {
		if value == Default(switches, key) {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = value
	}
	return out
}

// Default is the default of the switch that a key is of; empty if it is of
// none.
func Default(switches []Switch, key string) string {
	for _, s := range switches {
		if s.Matches(key) {
			return s.Default
		}
	}
	return ""
}

// Definition is a topology that can be run by name.
type Definition struct {
	Name     string
	About    string   // one line
	Profiles []string // the first is the default
	Switches []Switch
	// Plan validates opts (an unknown profile or switch, or a bad value, is
	// an error that names the valid ones) and starts nothing.
	Plan func(opts Options) (Plan, error)
}
