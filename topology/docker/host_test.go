package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindHost(t *testing.T) {
	tests := []struct {
		name    string
		env     map[string]string
		exists  []string
		context string // the current one of the docker command
		want    string
	}{
		{"the system's", nil, []string{"/var/run/docker.sock"}, "", "unix:///var/run/docker.sock"},
		{"what is said", map[string]string{"DOCKER_HOST": "tcp://198.18.0.1:2375"}, []string{"/var/run/docker.sock"}, "desk", "tcp://198.18.0.1:2375"},
		{"a context", nil, []string{"/var/run/docker.sock"}, "desk", "unix:///desk.sock"},
		{"a context by the environment", map[string]string{"DOCKER_CONTEXT": "desk"}, nil, "", "unix:///desk.sock"},
		{"the default context", nil, []string{"/var/run/docker.sock"}, "default", "unix:///var/run/docker.sock"},
		{"without root", map[string]string{"XDG_RUNTIME_DIR": "/run/user/7"}, []string{"/run/user/7/docker.sock"}, "", "unix:///run/user/7/docker.sock"},
		{"none", nil, nil, "", "unix:///var/run/docker.sock"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			home := t.TempDir()
			writeContext := func(path, content string) {
				path = filepath.Join(home, ".docker", path)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
				require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
			}
			writeContext("config.json", `{"currentContext":"`+test.context+`"}`)
			sum := sha256.Sum256([]byte("desk"))
			writeContext("contexts/meta/"+hex.EncodeToString(sum[:])+"/meta.json",
				`{"Name":"desk","Endpoints":{"docker":{"Host":"unix:///desk.sock"}}}`)
			got, err := findHost(
				func(name string) string { return test.env[name] }, home,
				func(path string) bool {
					for _, one := range test.exists {
						if one == path {
							return true
						}
					}
					return false
				})
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

func TestFindHostRefusesAContextThatIsNotThere(t *testing.T) {
	env := map[string]string{"DOCKER_CONTEXT": "gone"}
	_, err := findHost(func(name string) string { return env[name] }, t.TempDir(), func(string) bool { return true })
	require.ErrorContains(t, err, `docker context "gone"`)
	require.ErrorContains(t, err, "docker context ls")
}
