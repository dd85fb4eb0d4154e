package docker

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/fixtures"
)

// Check is one thing that doctor looked at.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Optional says that hachaos works without it, in the way that Detail
	// describes.
	Optional bool   `json:"optional"`
	Detail   string `json:"detail"`         // what was found
	Mend     string `json:"mend,omitempty"` // what to do, if it is not OK
}

// What a run of the built-in topologies wants, at the least.
const (
	wantCores  = 2
	wantMemory = 1 << 30
	wantAPI    = "1.41"
	wantSkew   = 500 * time.Millisecond
)

// doctorPatience bounds each look at the engine.
const doctorPatience = 30 * time.Second

// Doctor looks at whether this machine and its engine can carry out runs. It
// starts one small container for the kernel's features, if the image for that
// is built, and removes it. Without an engine, the only check is the one that
// says so. It builds nothing.
func Doctor(ctx context.Context, opts Options) []Check {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	d, err := Open(ctx, opts)
	if err != nil {
		return []Check{{Name: "engine", Detail: err.Error(), Mend: "see there; all other checks need an engine"}}
	}
	defer d.Close()
	info, err := d.engine.Info(ctx, client.InfoOptions{})
	asked := time.Now()
	if err != nil {
		return []Check{{Name: "engine", Detail: err.Error(), Mend: "restart the engine"}}
	}
	checks := []Check{
		checkEngine(d.engine, info.Info),
		checkCores(info.Info.NCPU),
		d.checkFreeMemory(info.Info),
		d.checkFreeDisk(info.Info),
		checkLimits(info.Info),
		checkClock(info.Info.SystemTime, asked),
		d.checkSubnet(ctx),
		d.checkBase(ctx, exec.LookPath),
		d.checkRoute(),
	}
	return append(checks, d.checkKernel(ctx)...)
}

func checkEngine(e *engine, info system.Info) Check {
	version := e.ClientVersion()
	return Check{
		Name: "engine", OK: !apiBefore(version, wantAPI),
		Detail: fmt.Sprintf("%s, API %s, at %s, on %s %s",
			info.ServerVersion, version, e.host, info.OSType, info.KernelVersion),
		Mend: "update the engine to one with API " + wantAPI + " (Docker 20.10) or newer",
	}.settled()
}

// apiBefore compares versions of the engine's API, such as "1.41".
func apiBefore(version, than string) bool {
	var major, minor, thanMajor, thanMinor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return true
	}
	if _, err := fmt.Sscanf(than, "%d.%d", &thanMajor, &thanMinor); err != nil {
		return false
	}
	return major < thanMajor || (major == thanMajor && minor < thanMinor)
}

func checkCores(cores int) Check {
	return Check{
		Name: "cores", OK: cores >= wantCores,
		Detail: fmt.Sprintf("%d, of %d wanted", cores, wantCores),
		Mend:   "give the machine more: the load generator must not wait for the system under test",
	}.settled()
}

func (d *Driver) checkFreeMemory(info system.Info) Check {
	have := uint64(max(info.MemTotal, 0))
	if available, ok := availableMemory(); ok && d.engine.local() {
		have = min(have, available)
	}
	return Check{
		Name: "memory", OK: have >= wantMemory,
		Detail: fmt.Sprintf("%s available, of %s wanted", megabytes(have), megabytes(wantMemory)),
		Mend:   "stop what you can, or give the engine more",
	}.settled()
}

func (d *Driver) checkFreeDisk(info system.Info) Check {
	c := Check{Name: "disk", OK: true, Mend: "free some: `hachaos images prune`, `docker system prune`"}
	free, ok := freeDisk(info.DockerRootDir)
	if !ok || !d.engine.local() {
		c.Detail = "the engine's disk cannot be seen from here"
		return c.settled()
	}
	c.OK = free >= diskForBuild
	c.Detail = fmt.Sprintf("%s free in %s, of %s wanted for building images",
		megabytes(free), info.DockerRootDir, megabytes(diskForBuild))
	return c.settled()
}

func checkLimits(info system.Info) Check {
	c := Check{
		Name: "limits", OK: info.MemoryLimit && info.CPUShares, Optional: true,
		Detail: "the engine limits containers' memory and weighs their processor time",
		Mend:   "boot the kernel with its memory and cpu cgroups enabled",
	}
	if !c.OK {
		c.Detail = fmt.Sprintf("memory limits: %t, processor weights: %t: without them the load generator "+
			"competes with the system under test on equal terms", info.MemoryLimit, info.CPUShares)
	}
	return c.settled()
}

// checkClock compares the engine's clock with ours: what the engine and the
// components log is set against what the load generator measured.
func checkClock(engineTime string, asked time.Time) Check {
	c := Check{Name: "clock", Mend: "synchronise the clocks, with chrony or systemd-timesyncd"}
	theirs, err := time.Parse(time.RFC3339Nano, engineTime)
	if err != nil {
		c.Detail = fmt.Sprintf("the engine tells the time as %q: %v", engineTime, err)
		return c
	}
	skew := asked.Sub(theirs).Abs().Round(time.Millisecond)
	c.OK = skew <= wantSkew
	c.Detail = fmt.Sprintf("the engine's differs from ours by at most %s, of %s allowed", skew, wantSkew)
	return c.settled()
}

func (d *Driver) checkSubnet(ctx context.Context) Check {
	c := Check{Name: "subnet", Mend: "remove what is left of earlier runs with `hachaos gc`"}
	used, err := d.engine.usedSubnets(ctx)
	if err == nil {
		var free fmt.Stringer
		if free, err = pickSubnet("doctor", used); err == nil {
			c.OK, c.Detail = true, fmt.Sprintf("%s is free, for one", free)
			return c.settled()
		}
	}
	c.Detail = err.Error()
	return c
}

// checkBase asks how the base image would be made, and looks no further than
// the first way that works.
func (d *Driver) checkBase(ctx context.Context, look func(string) (string, error)) Check {
	c := Check{Name: "base image", OK: true}
	missing, err := d.builder.missing(ctx, []fixtures.Image{{Name: fixtures.Base}})
	if err == nil && len(missing) == 0 {
		c.Detail = d.builder.tags[fixtures.Base] + " is there"
		return c
	}
	if m, err := findMaker(look); err == nil && d.builder.base.ref == "" {
		c.Detail = m.name + " can make it"
		return c
	}
	ref := d.builder.base.source()
	asking, cancel := context.WithTimeout(ctx, registryPatience)
	defer cancel()
	if _, err := d.engine.DistributionInspect(asking, ref, client.DistributionInspectOptions{}); err == nil {
		c.Detail = "a registry has " + ref
		return c
	}
	c.OK, c.Detail = false, "no registry answers for "+ref+", and nothing is installed that can make it"
	c.Mend = "on Debian `sudo apt-get install mmdebstrap`; elsewhere give the engine access to a registry"
	return c
}

func (d *Driver) checkRoute() Check {
	c := Check{Name: "route", OK: true, Detail: "the engine is local: the load goes straight to the containers"}
	if d.relay || !d.engine.local() {
		c.Detail = "the load goes through a relay container, which adds some tenths of a millisecond"
	}
	return c
}

// settled drops the remedy of what needs none.
func (c Check) settled() Check {
	if c.OK {
		c.Mend = ""
	}
	c.Detail = strings.TrimSpace(c.Detail)
	return c
}
