package docker

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

var someone = owner{machine: "m", boot: "b", space: "s", pid: 7, start: "70"}

func TestNodeBox(t *testing.T) {
	got := nodeBox("r1", "prod", someone, topology.NodeSpec{
		Name: "lb1", Role: topology.Balancer, Image: "haproxy", Addr: netip.MustParseAddr("198.18.7.31"),
		Env: map[string]string{"B": "2", "A": "1"}, Cmd: []string{"run"}, Caps: []string{"NET_ADMIN"},
		Files:  []topology.File{{Path: "/etc/x", Content: "x"}},
		Shares: 512, Memory: 64 << 20, Shm: 8 << 20, Tmpfs: map[string]int64{"/small": 1 << 20}, Disks: []string{"/data"},
	}, "hachaos/haproxy:1")
	require.Equal(t, box{
		name: "hachaos-r1-lb1",
		config: container.Config{
			Image: "hachaos/haproxy:1", Hostname: "lb1", Env: []string{"A=1", "B=2"}, Cmd: []string{"run"},
			Labels: map[string]string{
				"hachaos.run": "r1", "hachaos.standing": "prod", "hachaos.owner": "m/b/s/7/70",
				"hachaos.node": "lb1", "hachaos.role": "balancer",
			},
		},
		host: container.HostConfig{
			NetworkMode: "hachaos-r1", CapAdd: []string{"NET_ADMIN"}, ShmSize: 8 << 20,
			Tmpfs: map[string]string{"/small": "size=1048576,mode=1777"},
			Mounts: []mount.Mount{{Type: mount.TypeVolume, Target: "/data", VolumeOptions: &mount.VolumeOptions{
				Labels: map[string]string{"hachaos.run": "r1", "hachaos.standing": "prod", "hachaos.owner": "m/b/s/7/70"},
			}}},
			LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "1g", "max-file": "2"}},
			Resources: container.Resources{CPUShares: 512, Memory: 64 << 20, MemorySwap: 64 << 20},
		},
		ends: map[string]*network.EndpointSettings{"hachaos-r1": {
			IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: netip.MustParseAddr("198.18.7.31")},
			Aliases:    []string{"lb1"},
		}},
		files: []topology.File{{Path: "/etc/x", Content: "x"}},
	}, got)
	require.NotContains(t, nodeBox("r1", "", someone, topology.NodeSpec{}, "x").config.Labels, labelStanding)
}

func TestAConfinedNodesBox(t *testing.T) {
	spec := topology.NodeSpec{Name: "operator", Image: "net", Addr: netip.MustParseAddr("198.18.7.254"), Caps: []string{"NET_RAW"}}
	free := nodeBox("r1", "", someone, spec, "hachaos/net:1").host
	require.Empty(t, free.CapDrop)
	require.Empty(t, free.SecurityOpt)
	require.Nil(t, free.Resources.PidsLimit)
	spec.Confined = true
	got := nodeBox("r1", "", someone, spec, "hachaos/net:1").host
	require.Equal(t, []string{"ALL"}, got.CapDrop)
	require.Equal(t, []string{"NET_RAW"}, got.CapAdd)
	require.Equal(t, []string{"no-new-privileges"}, got.SecurityOpt)
	require.EqualValues(t, 256, *got.Resources.PidsLimit)
}

// TestRequestSaysTheSame carries the request through the steps that
// testcontainers takes with it.
func TestRequestSaysTheSame(t *testing.T) {
	want := relayBox(&cluster{driver: &Driver{}, engine: &engine{host: "unix:///x"}, id: "r1", owner: someone, spec: topology.Spec{
		Subnet: prefix("198.18.7.0/24"), VIP: netip.MustParseAddr("198.18.7.100"), Port: 80,
	}}, "hachaos/toxiproxy:1")
	r := request(want)
	config := container.Config{Image: r.Image, Labels: map[string]string{"added by": "testcontainers"}}
	host := container.HostConfig{}
	ends := map[string]*network.EndpointSettings{}
	r.ConfigModifier(&config)
	r.HostConfigModifier(&host)
	r.EndpointSettingsModifier(ends)
	nine := network.MustParsePort("9/tcp")
	config.ExposedPorts = network.PortSet{nine: {}}
	host.PortBindings = network.PortMap{nine: {{HostPort: "0"}}}
	require.NoError(t, r.LifecycleHooks[0].PreCreates[0](t.Context(), r))

	require.Equal(t, want.name, r.Name)
	require.Equal(t, want.config.Labels, r.Labels)
	require.Equal(t, map[string]string{"added by": "testcontainers"}, config.Labels)
	config.Labels = want.config.Labels
	require.Equal(t, want.config, config)
	require.Equal(t, want.host, host)
	require.Equal(t, want.ends, ends)
	require.Equal(t, []string{"-to", "198.18.7.100:80", "-allow", "198.18.7.0/24"}, []string(config.Cmd))
	require.Equal(t, "127.0.0.1", host.PortBindings[relayPort][0].HostIP.String(), "no door for the whole network")
}

func TestHelperBoxBelongsToWhoMadeIt(t *testing.T) {
	n := &node{spec: topology.NodeSpec{Name: "j1"}, id: "abc"}
	own := helperBox(&cluster{id: "r1", owner: someone, netRef: "net:1"}, n)
	require.Equal(t, "hachaos-r1-j1-net", own.name)
	require.Equal(t, container.NetworkMode("container:abc"), own.host.NetworkMode)
	require.Equal(t, []string{"NET_ADMIN", "NET_RAW"}, own.host.CapAdd)
	require.NotContains(t, own.config.Labels, labelNode, "its events are none of the node's")

	guest := helperBox(&cluster{id: "r1", owner: someone, standing: "prod", attached: true}, n)
	require.Equal(t, "hachaos-r1-j1-net-7", guest.name)
	require.NotContains(t, guest.config.Labels, labelStanding, "it is removed when the guest goes")
	host := helperBox(&cluster{id: "r1", owner: someone, standing: "prod"}, n)
	require.Equal(t, "prod", host.config.Labels[labelStanding])
}

func TestArchiveOf(t *testing.T) {
	archive, err := archiveOf([]topology.File{
		{Path: "/etc/haproxy/haproxy.cfg", Content: "global\n"}, {Path: "/run.sh", Mode: 0o755, Content: "#!/bin/sh\n"},
	})
	require.NoError(t, err)
	type entry struct {
		name    string
		mode    int64
		content string
	}
	var got []entry
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		content, err := io.ReadAll(reader)
		require.NoError(t, err)
		got = append(got, entry{header.Name, header.Mode, string(content)})
	}
	require.Equal(t, []entry{{"etc/haproxy/haproxy.cfg", 0o644, "global\n"}, {"run.sh", 0o755, "#!/bin/sh\n"}}, got)
	for _, path := range []string{"etc/x", "/", "/a/../b", "/a//b", ""} {
		_, err := archiveOf([]topology.File{{Path: path}})
		require.ErrorContains(t, err, "absolute path", path)
	}
}

func TestNetworkOptionsCarryTheSpec(t *testing.T) {
	spec := topology.Spec{
		Name: "jetty-ha", Subnet: prefix("198.18.7.0/24"), VIP: netip.MustParseAddr("198.18.7.100"),
		Nodes: []topology.NodeSpec{{Name: "j1", Addr: netip.MustParseAddr("198.18.7.21")}},
	}
	marks := map[string]string{"hachaos.run": "r1"}
	opts, err := networkOptions(marks, spec)
	require.NoError(t, err)
	require.Equal(t, network.IPAMConfig{
		Subnet: spec.Subnet, Gateway: netip.MustParseAddr("198.18.7.1"),
		AuxAddress: map[string]netip.Addr{"vip": spec.VIP},
	}, opts.IPAM.Config[0])
	require.Equal(t, "r1", opts.Labels["hachaos.run"])
	require.Len(t, marks, 1, "the argument is left as it was")
	var read topology.Spec
	require.NoError(t, json.Unmarshal([]byte(opts.Labels[labelSpec]), &read))
	require.Equal(t, spec, read)

	opts, err = networkOptions(marks, topology.Spec{Subnet: spec.Subnet})
	require.NoError(t, err)
	require.Empty(t, opts.IPAM.Config[0].AuxAddress)
}

func TestImageNames(t *testing.T) {
	spec := topology.Spec{Name: "x", Nodes: []topology.NodeSpec{{Image: "jetty"}, {Image: "jetty"}, {Image: "haproxy"}}}
	names, err := imageNames(spec, map[string]string{"jetty": "app:1"})
	require.NoError(t, err)
	require.Equal(t, []string{"haproxy", "jetty", "net"}, names)
	_, err = imageNames(spec, map[string]string{"jety": "app:1"})
	require.ErrorContains(t, err, `"jety"`)
	require.ErrorContains(t, err, `"haproxy" "jetty" "net"`)
}

func TestEntryAddress(t *testing.T) {
	app := topology.NodeSpec{Role: topology.Application, Addr: netip.MustParseAddr("198.18.7.21"), Port: 8080}
	lb := topology.NodeSpec{Role: topology.Balancer, Addr: netip.MustParseAddr("198.18.7.31")}
	tests := []struct {
		name string
		spec topology.Spec
		want string
	}{
		{"the VIP", topology.Spec{VIP: netip.MustParseAddr("198.18.7.100"), Port: 80, Nodes: []topology.NodeSpec{app, lb}}, "198.18.7.100:80"},
		{"no VIP", topology.Spec{Port: 80, Nodes: []topology.NodeSpec{app, lb}}, "198.18.7.31:80"},
		{"no balancer", topology.Spec{Nodes: []topology.NodeSpec{app}}, "198.18.7.21:8080"},
		{"neither", topology.Spec{}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { require.Equal(t, test.want, entryAddress(test.spec)) })
	}
	require.Equal(t, "127.0.0.1", publishedHost("unix:///var/run/docker.sock"))
	require.Equal(t, "198.18.0.9", publishedHost("tcp://198.18.0.9:2376"))
}
