package docker

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// fakeEngine answers as much of the engine's interface as removing and acting
// on containers needs. It can lose replies: the act takes effect, and the
// connection breaks before the answer.
type fakeEngine struct {
	mu         sync.Mutex
	containers map[string]map[string]any // by id: the State of an inspection
	networks   map[string]bool
	images     []map[string]any
	lose       int // replies to lose, of acts
	refuse     map[string]bool
	calls      []string
}

func newFakeEngine() *fakeEngine {
	return &fakeEngine{
		containers: make(map[string]map[string]any), networks: make(map[string]bool), refuse: make(map[string]bool),
	}
}

// listen is where an engine listens, and what DOCKER_HOST says of it. The path of
// a socket must be short, which a test's own folder may not be.
func listen(t *testing.T) (listener net.Listener, host string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "e")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	socket := filepath.Join(dir, "s")
	listener, err = net.Listen("unix", socket)
	require.NoError(t, err)
	return listener, "unix://" + socket
}

// driver opens a driver on the fake engine.
func (f *fakeEngine) driver(t *testing.T) *Driver {
	t.Helper()
	listener, host := listen(t)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: f}}
	server.Start()
	t.Cleanup(server.Close)
	t.Setenv("DOCKER_HOST", host)
	d, err := Open(t.Context(), Options{})
	require.NoError(t, err)
	return d
}

func (f *fakeEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := r.URL.Path
	if path == "/_ping" {
		w.Header().Set("API-Version", "1.41")
		return
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")[1:] // behind the version
	if r.Method == http.MethodGet {
		f.answer(w, parts)
		return
	}
	f.calls = append(f.calls, r.Method+" "+strings.Join(parts, "/"))
	status, text := f.act(r.Method, parts)
	if f.lose > 0 && status < 400 {
		f.lose--
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	switch {
	case text != "":
		reply(w, map[string]string{"message": text})
	case status == http.StatusOK:
		reply(w, []any{})
	}
}

func reply(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func (f *fakeEngine) answer(w http.ResponseWriter, parts []string) {
	marks := map[string]string{topology.RunLabel: "r1"}
	switch parts[0] {
	case "containers":
		if len(parts) == 3 {
			if state, ok := f.containers[parts[1]]; ok {
				reply(w, map[string]any{"Id": parts[1], "State": state})
				return
			}
			w.WriteHeader(http.StatusNotFound)
			reply(w, map[string]string{"message": "no such container"})
			return
		}
		list := []any{}
		for id := range f.containers {
			joined := map[string]any{}
			for network := range f.networks {
				joined[network] = map[string]any{}
			}
			list = append(list, map[string]any{
				"Id": id, "Names": []string{"/" + id}, "Labels": marks,
				"State": "running", "NetworkSettings": map[string]any{"Networks": joined},
			})
		}
		reply(w, list)
	case "networks":
		list := []any{}
		for id := range f.networks {
			list = append(list, map[string]any{"Id": id, "Name": id, "Labels": marks})
		}
		reply(w, list)
	case "images":
		reply(w, f.images)
	default:
		reply(w, map[string]any{"Volumes": []any{}})
	}
}

func (f *fakeEngine) act(method string, parts []string) (int, string) {
	id := strings.Join(parts[1:], "/")
	if parts[0] == "images" {
		if f.refuse[id] {
			return http.StatusConflict, "image is being used"
		}
		return http.StatusOK, ""
	}
	id = parts[1]
	if f.refuse[id] {
		return http.StatusInternalServerError, "device or resource busy"
	}
	if parts[0] == "networks" {
		if method == http.MethodPost {
			return http.StatusOK, ""
		}
		if len(f.containers) > 0 {
			return http.StatusForbidden, "network has active endpoints"
		}
		delete(f.networks, id)
		return http.StatusNoContent, ""
	}
	state, ok := f.containers[id]
	if !ok {
		return http.StatusNotFound, "no such container"
	}
	if method == http.MethodDelete {
		delete(f.containers, id)
		return http.StatusNoContent, ""
	}
	return turn(state, parts[2])
}

// turn changes a container's state as the engine does.
func turn(state map[string]any, verb string) (int, string) {
	running, frozen := state["Running"] == true, state["Paused"] == true
	switch {
	case verb == "start":
		state["Running"] = true
	case !running:
		return http.StatusConflict, "container is not running"
	case verb == "kill", verb == "stop":
		state["Running"] = false
	case verb == "pause" && frozen:
		return http.StatusConflict, "container is already paused"
	case verb == "unpause" && !frozen:
		return http.StatusInternalServerError, "container is not paused"
	default:
		state["Paused"] = verb == "pause"
	}
	return http.StatusNoContent, ""
}
