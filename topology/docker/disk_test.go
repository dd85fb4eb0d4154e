package docker

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestParseDiskLimit(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want topology.DiskLimit
		err  string
	}{
		"version 1":          {"254:0\n8:0 7\n254:0 20\n", topology.DiskLimit{Device: "254:0", Writes: 20}, ""},
		"version 1, none":    {"254:0\n", topology.DiskLimit{Device: "254:0"}, ""},
		"another disk alone": {"254:0\n8:0 7\n", topology.DiskLimit{Device: "254:0"}, ""},
		"version 2":          {"8:16\n8:0 wiops=1\n8:16 rbps=2097152 wbps=max riops=5 wiops=120\n", topology.DiskLimit{Device: "8:16", Writes: 120}, ""},
		"version 2, reads":   {"8:16\n8:16 rbps=max wbps=max riops=5 wiops=max\n", topology.DiskLimit{Device: "8:16"}, ""},
		"no disk":            {"", topology.DiskLimit{}, "want the number of a device"},
		"no number":          {"8:16\n8:16 wiops=many\n", topology.DiskLimit{}, "invalid syntax"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseDiskLimit(tc.text)
			require.Equal(t, tc.want, got)
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
}

// What the script could not do is told in its own words; a process that is gone
// is a node that does not run.
func TestDiskLimitOf(t *testing.T) {
	_, err := diskLimitOf(topology.Output{Code: diskGone})
	require.ErrorIs(t, err, topology.ErrNotRunning)
	_, err = diskLimitOf(topology.Output{Code: 4, Stderr: []byte("nothing is mounted at /data\n")})
	require.EqualError(t, err, "nothing is mounted at /data")
	require.NotErrorIs(t, err, topology.ErrNotRunning)
}

// A node that has no disk there asks no engine.
func TestADiskThatIsNotThere(t *testing.T) {
	n := &node{cluster: &cluster{}, spec: topology.NodeSpec{Name: "db", Disks: []string{"/data"}}}
	_, err := n.DiskLimit(t.Context(), "/other")
	require.ErrorIs(t, err, topology.ErrNotFound)
	require.ErrorContains(t, err, "disk /other of node db")
	require.ErrorIs(t, n.LimitDisk(t.Context(), "/", 5), topology.ErrNotFound)
}

func TestHostBoxHasNoMoreRightsThanItNeeds(t *testing.T) {
	own := hostBox(&cluster{id: "r1", owner: someone, netRef: "net:1"})
	require.Equal(t, "hachaos-r1-host-helper", own.name)
	require.Equal(t, map[string]string{"hachaos.run": "r1", "hachaos.owner": "m/b/s/7/70", "hachaos.helper": "(host)"}, own.config.Labels)
	require.Equal(t, container.HostConfig{
		NetworkMode: "none", PidMode: "host", CgroupnsMode: "host", UsernsMode: "host",
		CapAdd: []string{"SYS_PTRACE"}, SecurityOpt: []string{"label=disable"}, LogConfig: logLimits,
		Mounts: []mount.Mount{{Type: "bind", Source: "/sys/fs/cgroup", Target: "/host/cgroup"}},
	}, own.host)

	guest := hostBox(&cluster{id: "r1", owner: someone, standing: "prod", attached: true})
	require.Equal(t, "hachaos-r1-host-helper-7", guest.name)
	require.NotContains(t, guest.config.Labels, labelStanding, "it is removed when the guest goes")
	host := hostBox(&cluster{id: "r1", owner: someone, standing: "prod"})
	require.Equal(t, "prod", host.config.Labels[labelStanding])
}

// TestDiskScript runs the script itself, over files as the kernel has them: of
// each version of control groups and each driver of the engine's, of whole disks
// and parts.
func TestDiskScript(t *testing.T) {
	const id = "0123abcd"
	const mounts = "69 40 0:52 / / rw - fuse.fuse-overlayfs fuse-overlayfs rw\n89 69 8:1 /volumes/x/_data /data rw - ext4 /dev/sda1 rw\n90 69 0:77 / /none rw - tmpfs tmpfs rw\n91 69 254:0 / /whole rw - ext4 /dev/vda rw\n"
	const blkio, scope = "blkio/docker/" + id + "/blkio.throttle.write_iops_device", "system.slice/docker-" + id + ".scope"
	for name, tc := range map[string]struct {
		groups, tree string // what the process is in, and the file that there is
		at, limit    string
		want         string // what is printed
		err          string
	}{
		"version 1":              {"9:name=systemd:/docker/" + id + "\n7:blkio:/docker/" + id + "\n0::/\n", blkio, "/whole", "20", "254:0\n254:0 20\n", ""},
		"version 1, no more":     {"7:blkio:/docker/" + id + "\n", blkio, "/whole", "0", "254:0\n254:0 0\n", ""},
		"version 1, mounted so":  {"7:net_cls,blkio:/docker/" + id + "\n", "net_cls," + blkio, "/whole", "20", "254:0\n254:0 20\n", ""},
		"version 1, only looked": {"7:blkio:/docker/" + id + "\n", blkio, "/whole", "", "254:0\nas it was\n", ""},
		"a part of a disk":       {"7:blkio:/docker/" + id + "\n", blkio, "/data", "20", "8:0\n8:0 20\n", ""},
		"version 2":              {"0::/" + scope + "\n", scope + "/io.max", "/data", "20", "8:0\n8:0 wiops=20\n", ""},
		"version 2, no more":     {"0::/" + scope + "\n", scope + "/io.max", "/data", "0", "8:0\n8:0 wiops=max\n", ""},
		"version 2, cgroupfs":    {"0::/docker/" + id + "\n", "docker/" + id + "/io.max", "/data", "5", "8:0\n8:0 wiops=5\n", ""},
		"both versions":          {"3:pids:/x\n0::/" + scope + "\n", "unified/" + scope + "/io.max", "/data", "20", "8:0\n8:0 wiops=20\n", ""},
		"io is not enabled":      {"0::/" + scope + "\n", scope + "/memory.max", "/data", "20", "", "does not limit what a container writes"},
		"another's group":        {"7:blkio:/docker/ffff\n", "blkio/docker/ffff/blkio.throttle.write_iops_device", "/data", "20", "", "not in one of its container"},
		"no group":               {"3:pids:/docker/" + id + "\n", blkio, "/data", "20", "", "control group of nothing"},
		"no mount":               {"7:blkio:/docker/" + id + "\n", blkio, "/other", "20", "", "nothing is mounted at /other"},
		"no block device":        {"7:blkio:/docker/" + id + "\n", blkio, "/none", "20", "", "lies on no block device that the kernel could limit: its number is 0:77"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			put := func(name, content string) {
				require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o644))
			}
			put("proc/42/cgroup", tc.groups)
			put("proc/42/mountinfo", mounts)
			put("tree/"+tc.tree, "as it was\n")
			if !strings.HasPrefix(tc.tree, "unified/") {
				put("tree/cgroup.controllers", "cpu io memory\n")
			}
			put("sys/devices/vda/dev", "254:0\n")
			put("sys/devices/sda/dev", "8:0\n")
			put("sys/devices/sda/sda1/partition", "1\n")
			require.NoError(t, os.MkdirAll(filepath.Join(root, "sys/dev/block"), 0o755))
			require.NoError(t, os.Symlink("../../devices/vda", filepath.Join(root, "sys/dev/block/254:0")))
			require.NoError(t, os.Symlink("../../devices/sda/sda1", filepath.Join(root, "sys/dev/block/8:1")))
			script := strings.NewReplacer("proc=/proc/", "proc="+root+"/proc/", "tree="+hostTree, "tree="+root+"/tree", "block=/sys/", "block="+root+"/sys/").Replace(diskScript)
			var said strings.Builder
			cmd := exec.Command("/bin/sh", "-c", script, id, "42", tc.at, tc.limit)
			cmd.Stderr = &said
			out, err := cmd.Output()
			if tc.err != "" {
				require.Error(t, err)
				require.Equal(t, 4, cmd.ProcessState.ExitCode())
				require.Contains(t, said.String(), tc.err)
				left, err := os.ReadFile(filepath.Join(root, "tree", tc.tree))
				require.NoError(t, err)
				require.Equal(t, "as it was\n", string(left))
				return
			}
			require.NoError(t, err, said.String())
			require.Equal(t, tc.want, string(out))
			_, err = parseDiskLimit(string(out))
			require.NoError(t, err)
		})
	}
	cmd := exec.Command("/bin/sh", "-c", diskScript, id, "none", "/data", "20")
	require.Error(t, cmd.Run())
	require.Equal(t, diskGone, cmd.ProcessState.ExitCode())
}
