package docker

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestOwnerRoundTrip(t *testing.T) {
	me := self()
	require.Equal(t, os.Getpid(), me.pid)
	require.NotEmpty(t, me.start)
	parsed, err := parseOwner(me.String())
	require.NoError(t, err)
	require.Equal(t, me, parsed)
	require.Equal(t, ownerAlive, livenessOf(parsed, me, startTicks))
	for _, label := range []string{"", "a/b/c/d", "m/b/s/x/9", "m/b/s/0/9", "m/b/s/1/9/more"} {
		_, err := parseOwner(label)
		require.Error(t, err, label)
	}
}

func TestLiveness(t *testing.T) {
	me := owner{machine: "m", boot: "b1", space: "pid:[1]", pid: 10, start: "100"}
	ticks := func(pid int) string { return map[int]string{10: "100", 20: "200", 40: hidden}[pid] }
	tests := []struct {
		name  string
		owner owner
		want  liveness
	}{
		{"myself", me, ownerAlive},
		{"another that runs", owner{"m", "b1", "pid:[1]", 20, "200"}, ownerAlive},
		{"its id went to another process", owner{"m", "b1", "pid:[1]", 20, "150"}, ownerGone},
		{"it ended", owner{"m", "b1", "pid:[1]", 30, "300"}, ownerGone},
		{"it may not be looked at", owner{"m", "b1", "pid:[1]", 40, "400"}, ownerUnknown},
		{"before a reboot", owner{"m", "b0", "pid:[1]", 20, "200"}, ownerGone},
		{"in another container", owner{"m", "b1", "pid:[2]", 20, "200"}, ownerUnknown},
		{"on another machine", owner{"n", "b1", "pid:[1]", 20, "200"}, ownerUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, livenessOf(test.owner, me, ticks))
		})
	}
}

func TestStartTicksOfAProcessThatEnded(t *testing.T) {
	cmd := exec.Command("true")
	require.NoError(t, cmd.Run())
	require.Empty(t, startTicks(cmd.Process.Pid))
}

func TestSelectGarbage(t *testing.T) {
	const alive, gone, unknown = "m/b/s/1/1", "m/b/s/2/2", "m/b/s/3/3"
	judge := func(o owner) liveness {
		return map[int]liveness{1: ownerAlive, 2: ownerGone, 3: ownerUnknown}[o.pid]
	}
	all := []thing{
		{name: "running", run: "r1", owner: alive},
		{name: "left", run: "r2", owner: gone},
		{name: "elsewhere", run: "r3", owner: unknown},
		{name: "by hand", run: "r4"},
		{name: "standing", run: "r5", standing: "prod", owner: gone},
		{name: "network of a suite that is gone", run: "r6", standing: "suite-6", owner: gone, lent: true},
		{name: "node of a suite that is gone", run: "r6", standing: "suite-6", owner: gone},
		{name: "network of a suite", run: "r7", standing: "suite-7", owner: alive, lent: true},
		{name: "node of a suite", run: "r7", standing: "suite-7", owner: alive},
		{name: "helper of a dead guest", run: "r5", helper: "j1", owner: gone},
		{name: "helper of a living guest", run: "r5", helper: "j1", owner: alive},
	}
	tests := []struct {
		names []string
		want  []string
	}{
		{nil, []string{"left", "network of a suite that is gone", "node of a suite that is gone", "helper of a dead guest"}},
		{[]string{"r4"}, []string{"left", "by hand", "network of a suite that is gone", "node of a suite that is gone", "helper of a dead guest"}},
		{[]string{"prod"}, []string{"left", "standing", "network of a suite that is gone", "node of a suite that is gone", "helper of a dead guest"}},
		{[]string{""}, []string{"left", "network of a suite that is gone", "node of a suite that is gone", "helper of a dead guest"}},
	}
	for _, test := range tests {
		var got []string
		for _, thing := range selectGarbage(all, test.names, judge) {
			got = append(got, thing.name)
		}
		require.Equal(t, test.want, got, "%q", test.names)
	}
}

func TestLeftoverSaysHowToRemoveIt(t *testing.T) {
	require.Equal(t,
		topology.Leftover{Kind: "container", Name: "hachaos-1-j1", Detail: "Up", Remove: "docker rm -f -v hachaos-1-j1"},
		thing{kind: kindContainer, name: "hachaos-1-j1", detail: "Up"}.leftover())
	require.Equal(t, "docker network rm n", thing{kind: kindNetwork, name: "n"}.leftover().Remove)
	require.Equal(t, "docker volume rm -f v", thing{kind: kindVolume, name: "v"}.leftover().Remove)
}
