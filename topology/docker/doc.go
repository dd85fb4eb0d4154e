// Package docker brings topologies up on a Docker Engine (API 1.41 or newer).
// It is the only package of hachaos that speaks to one.
//
// Everything that it creates bears the label hachaos.run=<id>, and nothing
// without that label is ever changed or removed. Containers are created
// through testcontainers-go; what it cannot do, or does with waits of its
// own, goes straight to the engine through the same client.
//
//	Open ──▶ Driver ── Start ───▶ cluster ── Close     its containers, network, volumes
//	              │  ── Attach ──▶ cluster ── Close     only what this process added
//	              │  ── Builder                         images by the hash of their inputs
//	              └─ ── Garbage, Down, Standing         what other processes left
//
//	StartReaper   a process of its own that does what Close would have done,
//	              should this one be killed
package docker
