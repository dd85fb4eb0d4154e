package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Files of a release in a node's container: what the next start of the
// process is told, and which kind of act told it. See the images' java-run.
const (
	overrideFile = "/etc/hachaos/override.env"
	releasedFile = "/etc/hachaos/released"
)

// firstVersion is what a node runs that no release was made on.
const firstVersion = "1"

// Within how long a process must end after SIGTERM before it is killed: its
// lame duck and its stop timeout, which are 1 s and 5 s, and a little.
const stopWithin = 9 * time.Second

// stopApp ends the process by SIGTERM, in $stop tenths of a second at most,
// and waits until its supervisor has noticed.
const stopApp = `pid=$(cat ` + pidFile + ` 2>/dev/null || true)
if [ -n "$pid" ] && kill -TERM "$pid" 2>/dev/null; then
  n=0
  while [ "$(cat ` + pidFile + ` 2>/dev/null || true)" = "$pid" ]; do
    n=$((n + 1)); [ $n -le "$stop" ] || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.1
  done
fi
`

// replace stops the process, gives it another environment ($1; empty: its
// container's own), notes by which kind of act ($2), and starts it. The note
// comes first: from then on there is something to undo.
const replace = `set -eu
stop=$3
mkdir -p /etc/hachaos
printf '%s\n' "$2" >` + releasedFile + `
if [ -n "$1" ]; then printf '%s' "$1" >` + overrideFile + `.new; mv ` + overrideFile + `.new ` + overrideFile + `
else rm -f ` + overrideFile + `; fi
` + stopApp + appStart + ` java`

// restore takes a release back: unless there was none, or its act had itself
// gone back to the container's own environment ($1), the process is started
// again without it. A process that is down is started.
const restore = `set -eu
stop=$2
rm -f ` + overrideFile + `
if [ -e ` + releasedFile + ` ] && [ "$(cat ` + releasedFile + `)" != "$1" ]; then
` + stopApp + `fi
` + appStart + ` java
rm -f ` + releasedFile

// released prints the kind of act, when it was noted, and when the process
// was started that runs now; "-" stands for what is not there.
const released = `cat ` + releasedFile + ` 2>/dev/null || echo -
stat -c %.9Y ` + releasedFile + ` 2>/dev/null || echo -
pid=$(cat ` + pidFile + ` 2>/dev/null)
if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then stat -c %.9Y ` + pidFile + `; else echo -; fi`

func tenths(d time.Duration) string { return strconv.Itoa(int(d / (100 * time.Millisecond))) }

// replaceWith is the command that makes a release on a node.
func replaceWith(kind string, env map[string]string) []string {
	return []string{"/bin/sh", "-c", replace, "hachaos-replace", environment(env), kind, tenths(stopWithin)}
}

// environment writes variables as lines that a shell reads: sorted, and
// quoted so that nothing in a value is expanded.
func environment(env map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(env)) {
		fmt.Fprintf(&text, "%s='%s'\n", key, strings.ReplaceAll(env[key], "'", `'\''`))
	}
	return text.String()
}

// variable is the name of an environment variable.
var variable = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

func validEnvironment(kind string, env map[string]string) error {
	for key, value := range env {
		if !variable.MatchString(key) {
			return fmt.Errorf("%s: setting %q: want the name of an environment variable, such as POOL_SIZE", kind, key)
		}
		if strings.ContainsAny(value, "\n\x00") {
			return fmt.Errorf("%s: setting %s: its value has a line break", kind, key)
		}
	}
	return nil
}

// ensureUnreleased has the node run as its container was made, and waits for
// a while until it is ready: who comes after may send it traffic. A node whose
// container is down is started first. That it does not become ready is no
// failure of the undo, but the proof's to find.
func ensureUnreleased(ctx context.Context, n topology.Node, _ map[string]string) error {
	if _, ok := n.(topology.Container); ok {
		if err := ensureContainer(ctx, n, nil); err != nil {
			return err
		}
	}
	if err := succeed(n.Exec(ctx, "/bin/sh", "-c", restore, "hachaos-restore", RollBack{}.Kind(), tenths(stopWithin))); err != nil {
		return err
	}
	if u, err := newUnit(n); err == nil {
		bounded, cancel := context.WithTimeout(ctx, readyWithin)
		defer cancel()
		_ = u.awaitReady(bounded)
	}
	return nil
}

// readyWithin is how long an application node may take from its start to its
// readiness; three times what it was seen to take on two busy cores.
const readyWithin = 10 * time.Second

// unit is an application node that releases are made on.
type unit struct {
	victim
	client *http.Client
}

func newUnit(n topology.Node) (unit, error) {
	vs, err := victims("release", []topology.Node{n}, 0, false)
	if err != nil {
		return unit{}, err
	}
	u := unit{victim: vs[0]}
	if !u.addr.IsValid() {
		return unit{}, fmt.Errorf("node %s: %w (an address that answers HTTP)", n.Name(), ErrCapability)
	}
	u.client = &http.Client{
		Timeout: time.Second,
		Transport: &http.Transport{
			DialContext:       func(ctx context.Context, network, addr string) (net.Conn, error) { return u.dial(ctx, network, addr) },
			DisableKeepAlives: true,
		},
	}
	return u, nil
}

// get asks the node itself.
func (u unit) get(ctx context.Context, path string) (status int, version string, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+u.addr.String()+path, nil)
	if err != nil {
		return 0, "", nil, err
	}
	res, err := u.client.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return res.StatusCode, res.Header.Get("X-Hachaos-Version"), body, err
}

// ready says whether the node itself wants requests.
func (u unit) ready(ctx context.Context) (bool, string) {
	status, _, body, err := u.get(ctx, "/health/ready")
	if err != nil {
		return false, err.Error()
	}
	return status == http.StatusOK, fmt.Sprintf("%d %s", status, strings.TrimSpace(string(body)))
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lookEvery is how often a deployment looks whether it may go on.
const lookEvery = 50 * time.Millisecond

// releaseEnv is the environment of a release: the version that was asked for, whatever
// else is set.
func releaseEnv(version string, set map[string]string) map[string]string {
	env := map[string]string{}
	maps.Copy(env, set)
	env["VERSION"] = version
	return env
}

// awaitReady waits until the node is ready.
func (u unit) awaitReady(ctx context.Context) error {
	says := "never asked"
	for {
		ok, now := u.ready(ctx)
		if ok {
			return nil
		}
		if ctx.Err() == nil { // a look that was broken off says nothing
			says = now
		}
		if err := pause(ctx, lookEvery); err != nil {
			return fmt.Errorf("%s did not become ready (%s): %w", u.Name(), says, err)
		}
	}
}

// release is what a node says of the release that it runs.
type release struct {
	kind           string    // of the act; empty if none was made
	noted, started time.Time // zero if it never was, or no process runs
}

// seeRelease looks at one unit: by which act its process was started, and
// which version it names itself.
func (u unit) seeRelease(ctx context.Context, s *sight, kind, version string) error {
	st, err := u.Inspect(ctx)
	if err != nil {
		return err
	}
	if !st.Running {
		s.measured = "container not running"
		s.see(false, "the engine says that the container does not run")
		return nil
	}
	out, err := u.Exec(ctx, "/bin/sh", "-c", released)
	if err := succeed(out, err); err != nil {
		return err
	}
	r, err := parseRelease(string(out.Stdout))
	if err != nil {
		return err
	}
	status, got, _, err := u.get(ctx, "/health/live")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || status != http.StatusOK {
		s.measured = "no answer"
		s.see(false, "its own answer: %s", errors.Join(fmt.Errorf("status %d", status), err))
		return nil //nolint:nilerr // that it does not answer is what was seen
	}
	s.measured = "version " + got
	s.see(version == "" || got == version, "its own answer names version %s", got)
	if kind == "" {
		s.see(r.kind == "", "no release is noted on it (%q)", r.kind)
		return nil
	}
	after := !r.started.Before(r.noted)
	s.see(r.kind == kind && after, "the release that its process was started by is of kind %q, noted at %s; the process started at %s",
		r.kind, r.noted.UTC().Format(stamp), r.started.UTC().Format(stamp))
	s.to = r.started // it began with the drain, which the caller knows
	return nil
}

// parseRelease reads the three lines that released prints.
func parseRelease(text string) (release, error) {
	f := strings.Fields(text)
	if len(f) != 3 {
		return release{}, fmt.Errorf("state of the release: %q: want three lines", text)
	}
	var r release
	if f[0] != "-" {
		r.kind = f[0]
	}
	var err error
	if r.noted, err = parseStamp(f[1]); err != nil {
		return r, err
	}
	r.started, err = parseStamp(f[2])
	return r, err
}
