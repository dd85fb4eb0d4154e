package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moby/moby/client"
)

// engineHost finds the engine's address as the docker command does, and then
// looks where engines without a root daemon put their sockets.
func engineHost() (string, error) {
	home, _ := os.UserHomeDir() // without one there is only the system's socket
	return findHost(os.Getenv, home, isSocket)
}

// findHost is engineHost over a given environment, home and file system.
// An explicit choice (DOCKER_HOST, a context) is taken as it is; a guess must
// exist. If nothing does, it is the system's socket, whose absence the first
// request then reports.
func findHost(env func(string) string, home string, exists func(path string) bool) (string, error) {
	if host := env(client.EnvOverrideHost); host != "" {
		return host, nil
	}
	host, err := contextHost(env, home)
	if host != "" || err != nil {
		return host, err
	}
	candidates := []string{"/var/run/docker.sock"}
	if run := env("XDG_RUNTIME_DIR"); run != "" {
		candidates = append(candidates, filepath.Join(run, "docker.sock"))
	}
	if home != "" {
		candidates = append(candidates,
			filepath.Join(home, ".docker", "run", "docker.sock"),
			filepath.Join(home, ".docker", "desktop", "docker.sock"))
	}
	for _, path := range candidates {
		if exists(path) {
			return "unix://" + path, nil
		}
	}
	return client.DefaultDockerHost, nil
}

func isSocket(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&fs.ModeSocket != 0
}

// contextHost is the address of the docker command's current context, empty
// for the default one.
func contextHost(env func(string) string, home string) (string, error) {
	dir := env("DOCKER_CONFIG")
	if dir == "" {
		dir = filepath.Join(home, ".docker")
	}
	name := env("DOCKER_CONTEXT")
	if name == "" {
		var config struct{ CurrentContext string }
		if err := readJSON(filepath.Join(dir, "config.json"), &config); err != nil {
			return "", nil // no configuration, or one that is docker's own business
		}
		name = config.CurrentContext
	}
	if name == "" || name == "default" {
		return "", nil
	}
	sum := sha256.Sum256([]byte(name))
	path := filepath.Join(dir, "contexts", "meta", hex.EncodeToString(sum[:]), "meta.json")
	var meta struct {
		Endpoints struct{ Docker struct{ Host string } }
	}
	if err := readJSON(path, &meta); err != nil {
		return "", fmt.Errorf("docker context %q (`docker context ls` shows those there are): %w", name, err)
	}
	if meta.Endpoints.Docker.Host == "" {
		return "", fmt.Errorf("docker context %q: %w", name, errors.New("it names no host"))
	}
	return meta.Endpoints.Docker.Host, nil
}

func readJSON(path string, into any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, into)
}
