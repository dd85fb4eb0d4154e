package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Names of undoers, as Entry.Undo has them.
const (
	// ContainerRunning starts the node's container if it does not run.
	ContainerRunning = "container-running"
	// ProcessRunning starts the process that Params["process"] names if it does
	// not run, or without it every one that the node's init supervises, and
	// before them the container if that is down.
	ProcessRunning = "process-running"
	// FilterAbsent removes the packet filter whose table Params["table"]
	// names from the node's network namespace.
	FilterAbsent = "filter-absent"
	// CrashPointsAbsent disarms the application's crash points and starts its
	// process if it does not run.
	CrashPointsAbsent = "crash-points-absent"
	// CrashLoopOver ends what kills the application's process again and
	// again, and starts the process.
	CrashLoopOver = "crash-loop-over"
	// LimitsRestored gives the node's container the limits that
	// Params["memory"], in bytes, and Params["cpu"], in cores, name, leaves one
	// alone that is not named, and ends what a fault runs in it to use them up.
	LimitsRestored = "limits-restored"
	// Unreleased has an application node run as its container was made, and
	// waits until it is ready.
	Unreleased = "unreleased"
	// ServerOut has a balancer send nothing to the server that
	// Params["server"] names: a step on the way, before ServerReady.
	ServerOut = "server-out"
	// SchemaUnexpanded has the database's schema be what it was made with.
	SchemaUnexpanded = "schema-unexpanded"
	// SchemaUncontracted has the column be there that a contraction takes.
	SchemaUncontracted = "schema-uncontracted"
	// Unpaused thaws the node's container.
	Unpaused = "unpaused"
	// ClockRight puts the application's clock right.
	ClockRight = "clock-right"
	// SessionsEnded ends the sessions under the name Params["name"] that
	// hachaos keeps open in the database, and whatever opens them.
	SessionsEnded = "sessions-ended"
	// TriggerAbsent takes the delay off the table Params["table"].
	TriggerAbsent = "trigger-absent"
	// SettingReset takes back the database's setting Params["setting"].
	SettingReset = "setting-reset"
	// FillerAbsent removes the file that fills the file system mounted at
	// Params["path"].
	FillerAbsent = "filler-absent"
	// DiskUnlimited has nothing limit the node's writes to the disk mounted at
	// Params["path"].
	DiskUnlimited = "disk-unlimited"
	// HoldAbsent has the application give back what it was asked to lose:
	// Params["what"], "pool" or "threads".
	HoldAbsent = "hold-absent"
	// ServerReady has a balancer use the server that Params["server"] names, as
	// "nodes/j1", unless another drain or maintenance is in place than the one whose
	// note is Params["note"].
	ServerReady = "server-ready"
	// ServerWeight gives that server the weight of the configuration.
	ServerWeight = "server-weight"
	// ProxyEnabled has the proxy Params["proxy"] of the API Params["api"],
	// as the node reaches it, let connections through.
	ProxyEnabled = "proxy-enabled"
	// ToxicAbsent removes the toxic Params["toxic"] of such a proxy.
	ToxicAbsent = "toxic-absent"
	// RestartMarkAbsent starts the node's container if it does not run, and
	// removes the mark that a restart left.
	RestartMarkAbsent = "restart-mark-absent"
	// ShapingAbsent has nothing limit or delay what the node sends.
	ShapingAbsent = "shaping-absent"
	// NoCleanupTrace removes what SessionCleanup planted in the node's
	// database and its trace.
	NoCleanupTrace = "no-cleanup-trace"
	// ServerChecked has a balancer check that server.
	ServerChecked = "server-checked"
	// ProcessThawed thaws the balancer's process that Params["process"]
	// names, and starts it where it was ended meanwhile.
	ProcessThawed = "process-thawed"
	// ApplicationThawed thaws the application's process, and starts it where it
	// was ended meanwhile.
	ApplicationThawed = "application-thawed"
	// BalancerConfig brings a balancer's first configuration back.
	BalancerConfig = "balancer-config"
	// StaleNeighbourAbsent has the node's kernel forget what stale-arp told
	// it of Params["peers"].
	StaleNeighbourAbsent = "stale-neighbour-absent"
	// RemovalNoteAbsent removes the note that address-removed left.
	RemovalNoteAbsent = "removal-note-absent"
)

// UndoBudget is how long UndoAll gives each entry.
const UndoBudget = 20 * time.Second

// undo ensures one state of a node.
type undo = func(context.Context, topology.Node, map[string]string) error

// undoers is the table of everything that an Entry can name.
var undoers = byName(
	undoer{ContainerRunning, ensureContainer},
	undoer{ProcessRunning, ensureProcess},
	undoer{FilterAbsent, ensureNoFilter},
	undoer{Unpaused, ensureUnpaused},
	undoer{ClockRight, ensureClock},
	undoer{CrashLoopOver, ensureNoCrashLoop},
	undoer{LimitsRestored, ensureLimits},
	undoer{ServerReady, ensureServerReady},
	undoer{ServerWeight, ensureServerWeight},
	undoer{ProxyEnabled, ensureProxyEnabled},
	undoer{ToxicAbsent, ensureNoToxic},
	undoer{RestartMarkAbsent, ensureNoRestartMark},
	undoer{ShapingAbsent, ensureNoShaping},
	undoer{CrashPointsAbsent, ensureNoCrashPoint},
	undoer{NoCleanupTrace, ensureNoCleanupTrace},
	undoer{ServerChecked, ensureServerChecked},
	undoer{ProcessThawed, ensureThawed},
	undoer{ApplicationThawed, ensureApplicationThawed},
	undoer{BalancerConfig, ensureBalancerConfig},
	undoer{Unreleased, ensureUnreleased},
	undoer{ServerOut, ensureServerOut},
	undoer{SchemaUnexpanded, ensureUnexpanded},
	undoer{SchemaUncontracted, ensureUncontracted},
	undoer{SessionsEnded, ensureNoSessions},
	undoer{TriggerAbsent, ensureNoTrigger},
	undoer{SettingReset, ensureSettingReset},
	undoer{FillerAbsent, ensureNoFiller},
	undoer{DiskUnlimited, ensureDiskUnlimited},
	undoer{HoldAbsent, ensureNoHold},
	undoer{StaleNeighbourAbsent, ensureNoStaleNeighbour},
	undoer{RemovalNoteAbsent, ensureNoRemovalNote},
)

type undoer struct {
	name string
	undo undo
}

func byName(list ...undoer) map[string]undo {
	m := make(map[string]undo, len(list))
	for _, u := range list {
		if _, ok := m[u.name]; ok {
			panic("fault: undo " + u.name + " is there twice")
		}
		m[u.name] = u.undo
	}
	return m
}

// UndoError is an undo that failed: what is left, and on which node.
type UndoError struct {
	Entry Entry
	Err   error
}

// Error names the state that could not be ensured.
func (e *UndoError) Error() string {
	return fmt.Sprintf("undo %s on %s: %v", e.Entry.Undo, e.Entry.Node, e.Err)
}

// Unwrap gives the cause.
func (e *UndoError) Unwrap() error { return e.Err }

// UndoAll ensures the state that each entry names, last in, first out. It
// goes on after an error and returns them all, joined, each an *UndoError.
// A ctx that is cancelled does not stop it: each entry has UndoBudget.
func UndoAll(ctx context.Context, nodes []topology.Node, entries []Entry) error {
	var errs []error
	for _, e := range slices.Backward(entries) {
		one, cancel := context.WithTimeout(context.WithoutCancel(ctx), UndoBudget)
		errs = append(errs, Undo(one, nodes, e))
		cancel()
	}
	return errors.Join(errs...)
}

// Undo ensures the state that one entry names, within ctx. It may be called
// again, and where the act never took effect. An error is an *UndoError.
func Undo(ctx context.Context, nodes []topology.Node, e Entry) error {
	i := slices.IndexFunc(nodes, func(n topology.Node) bool { return n.Name() == e.Node })
	if i < 0 {
		return &UndoError{e, fmt.Errorf("node: %w", topology.ErrNotFound)}
	}
	undo, ok := undoers[e.Undo]
	if !ok {
		return &UndoError{e, errors.New("no such undo; it was recorded by another version of hachaos")}
	}
	if err := undo(ctx, nodes[i], e.Params); err != nil {
		return &UndoError{e, err}
	}
	return nil
}

func ensureContainer(ctx context.Context, n topology.Node, _ map[string]string) error {
	c, err := container(n)
	if err != nil {
		return err
	}
	state, err := c.Inspect(ctx)
	if err != nil {
		return err
	}
	if state.Running {
		return nil
	}
	return c.Start(ctx)
}

func ensureProcess(ctx context.Context, n topology.Node, params map[string]string) error {
	if _, ok := n.(topology.Container); ok {
		if err := ensureContainer(ctx, n, nil); err != nil {
			return err
		}
	}
	argv := []string{appStart}
	if p := params["process"]; p != "" {
		argv = append(argv, p)
	}
	return succeed(n.Exec(ctx, argv...))
}

func ensureUnpaused(ctx context.Context, n topology.Node, _ map[string]string) error {
	c, err := container(n)
	if err != nil {
		return err
	}
	return c.Unpause(ctx)
}

// ensureNoFilter needs nothing where the container is down: its namespace,
// and the filter in it, went with it.
func ensureNoFilter(ctx context.Context, n topology.Node, params map[string]string) error {
	ns, err := namespace(n)
	if err != nil {
		return err
	}
	table := params["table"]
	if !strings.HasPrefix(table, tablePrefix) {
		return fmt.Errorf("table %q is not one of hachaos: its name does not begin with %s", table, tablePrefix)
	}
	err = succeed(ns.InNamespace(ctx, removeFilter(table)...))
	if errors.Is(err, topology.ErrNotRunning) {
		return nil
	}
	return err
}

// succeed turns the outcome of a command into an error.
func succeed(out topology.Output, err error) error {
	if err != nil {
		return err
	}
	if out.Code != 0 {
		return fmt.Errorf("exit status %d: %s", out.Code, lastLine(out))
	}
	return nil
}

// lastLine is the most telling line of a command that went wrong.
func lastLine(out topology.Output) string {
	text := strings.TrimSpace(string(out.Stderr))
	if text == "" {
		text = strings.TrimSpace(string(out.Stdout))
	}
	return text[strings.LastIndexByte(text, '\n')+1:]
}
