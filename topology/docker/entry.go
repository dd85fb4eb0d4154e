package docker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker/agent"
)

// relayImage is the fixture image whose executable can also be the relay.
const relayImage = "toxiproxy"

// relayPort is the relay's port inside its container.
var relayPort = network.MustParsePort(strconv.Itoa(agent.RelayPort) + "/tcp")

// Entry implements topology.Cluster.
func (c *cluster) Entry() topology.Entry {
	if c.relayed {
		return topology.Entry{URL: "http://" + c.relay, Via: "relay"}
	}
	return topology.Entry{URL: "http://" + entryAddress(c.spec), Via: "direct"}
}

// entryAddress is the VIP, or without one the first balancer, or without any
// the first application node.
func entryAddress(spec topology.Spec) string {
	if spec.VIP.IsValid() {
		return hostPort(spec.VIP, spec.Port)
	}
	for _, role := range []topology.Role{topology.Balancer, topology.Application} {
		for _, n := range spec.Nodes {
			if n.Role == role {
				port := spec.Port
				if port == 0 {
					port = n.Port
				}
				return hostPort(n.Addr, port)
			}
		}
	}
	return ""
}

func hostPort(addr netip.Addr, port int) string {
	return net.JoinHostPort(addr.String(), strconv.Itoa(port))
}

// needsRelay says whether the host has no route to the containers: an engine
// on another machine, or in a virtual one, or this process in a container. With
// a local engine the network's bridge is one of the host's own interfaces.
func (d *Driver) needsRelay(networkID string) bool {
	return d.relay || !d.engine.local() || !isInterface(bridgeName(networkID))
}

// bridgeName is what the engine calls the interface of a bridge network.
func bridgeName(networkID string) string { return "br-" + networkID[:min(12, len(networkID))] }

func isInterface(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}

// startRelay starts the container that carries connections in, and learns
// where it listens on the host.
func (c *cluster) startRelay(ctx context.Context, refs map[string]string) error {
	image := refs[relayImage]
	if image == "" { // no node of the topology runs it
		refs, err := c.driver.makeImages(ctx, []string{relayImage}, nil, nil)
		if err != nil {
			return fmt.Errorf("relay: %w", err)
		}
		image = refs[relayImage]
	}
	id, err := c.engine.create(ctx, relayBox(c, image))
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	if _, err := c.engine.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		return fmt.Errorf("relay: start: %w%s", c.engine.explain(err), c.engine.logEnd(ctx, id))
	}
	result, err := c.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return fmt.Errorf("relay: %w", c.engine.explain(err))
	}
	for _, binding := range result.Container.NetworkSettings.Ports[relayPort] {
		c.relay = net.JoinHostPort(publishedHost(c.engine.host), binding.HostPort)
	}
	if c.relay == "" {
		return fmt.Errorf("relay: the engine published no port of container %s", result.Container.Name)
	}
	return nil
}

func relayBox(c *cluster, image string) box {
	marks := labels(c.id, c.standing, c.owner)
	marks[labelHelper] = relayHelper
	net := networkName(c.id)
	published := netip.IPv4Unspecified()
	if c.engine.local() {
		published = netip.MustParseAddr("127.0.0.1")
	}
	return box{
		name: containerName(c.id, "relay"),
		config: container.Config{
			Image: image, Labels: marks, Env: []string{agent.Env + "=" + agent.Relay},
			Cmd:          []string{"-to", entryAddress(c.spec), "-allow", c.spec.Subnet.String()},
			ExposedPorts: network.PortSet{relayPort: {}},
		},
		host: container.HostConfig{
			NetworkMode: container.NetworkMode(net), LogConfig: logLimits,
			PortBindings: network.PortMap{relayPort: {{HostIP: published}}},
		},
		ends: map[string]*network.EndpointSettings{net: {
			IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: spareAddr(c.spec)},
		}},
	}
}

// publishedHost is where the engine's published ports are reached.
func publishedHost(engineHost string) string {
	if u, err := url.Parse(engineHost); err == nil && u.Scheme == "tcp" {
		return u.Hostname()
	}
	return "127.0.0.1"
}

func relayAddress(engineHost string, ports []container.PortSummary) string {
	for _, port := range ports {
		if port.PrivatePort == agent.RelayPort && port.PublicPort != 0 {
			return net.JoinHostPort(publishedHost(engineHost), strconv.Itoa(int(port.PublicPort)))
		}
	}
	return ""
}

// DialContext implements topology.Dialer: addresses of the cluster's network
// go through the relay, if there is one, and all others straight.
func (c *cluster) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	target, err := netip.ParseAddrPort(address)
	if c.relayed && err == nil && c.spec.Subnet.Contains(target.Addr()) {
		return agent.DialThrough(ctx, c.relay, address)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, address)
}
