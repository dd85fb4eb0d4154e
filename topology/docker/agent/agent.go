// Package agent holds the small programs that hachaos's own executable turns
// into when it is started again: the reaper beside a run, Toxiproxy's server
// and the relay inside containers. So a container needs no image but a copy
// of the executable, and `go test` needs no binary but its own.
//
// A program calls Main first of all, before flags are read or tests run:
//
//	func main() {
//		agent.Main(agent.Programs{"reaper": docker.Reaper(heal)})
//		…
//	}
package agent

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
)

// Env is the environment variable that names the program to turn into. It is
// unset in an ordinary process.
const Env = "HACHAOS_AGENT"

// Names of the programs that hachaos uses.
const (
	Reaper    = "reaper"    // given to Main by the caller: see docker.Reaper
	Toxiproxy = "toxiproxy" // built in
	Relay     = "relay"     // built in
)

// Program is an agent's main function. Args are the command line without the
// executable's name. It returns when ctx ends (SIGTERM, SIGINT) or its work is
// done; an error makes the process exit with status 1.
type Program func(ctx context.Context, args []string) error

// Programs are agents by name.
type Programs map[string]Program

// installed says that Main ran in this process, and therefore that this
// executable can be started again as an agent.
var installed atomic.Bool

// Main returns at once in an ordinary process. In one whose environment names
// a program, it runs that and exits: 0 after a clean end, 1 after an error, 2
// for a name that is unknown. The given programs add to the built-in ones and
// replace those of the same name.
func Main(extra Programs) {
	installed.Store(true)
	name := os.Getenv(Env)
	if name == "" {
		return
	}
	os.Exit(run(name, os.Args[1:], withBuiltin(extra), os.Stderr))
}

// Installed reports whether Main was called, so that the executable of this
// process can serve as an agent.
func Installed() bool { return installed.Load() }

func withBuiltin(extra Programs) Programs {
	all := Programs{Toxiproxy: runToxiproxy, Relay: runRelay}
	maps.Copy(all, extra)
	return all
}

func run(name string, args []string, programs Programs, stderr io.Writer) int {
	program, ok := programs[name]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(programs)), ", ")
		fmt.Fprintf(stderr, "%s=%s: no such agent; this executable has %s\n", Env, name, known)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := program(ctx, args); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

// sources are what an agent's behaviour follows from. The reaper is not among
// them: it never runs inside an image.
//
//go:embed agent.go norace.go race.go relay.go toxiproxy.go
var sources embed.FS

// toxiproxyVersion is the version of Toxiproxy that go.mod requires, which a
// test compares. A test's executable does not bear it, and must come to the
// same digest as the command's.
const toxiproxyVersion = "v2.12.0"

// Version is a digest of what the built-in agents are made of: this package's
// sources, Toxiproxy's version, and whether the race detector is in. It is the
// same in every other executable that is built from them, so that an image that
// holds an agent need not be built again for each build of hachaos.
func Version() string {
	return version(sources, toxiproxyVersion, raced)
}

func version(files embed.FS, toxiproxy string, raced bool) string {
	h := sha256.New()
	entries, err := files.ReadDir(".")
	if err != nil {
		return "unreadable: " + err.Error()
	}
	for _, entry := range entries {
		content, err := files.ReadFile(entry.Name())
		if err != nil {
			return "unreadable: " + err.Error()
		}
		fmt.Fprintf(h, "%s %d\n", entry.Name(), len(content))
		h.Write(content)
	}
	fmt.Fprintf(h, "toxiproxy %s race %t\n", toxiproxy, raced)
	return hex.EncodeToString(h.Sum(nil))
}
