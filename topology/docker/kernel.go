package docker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/fixtures"
	"github.com/hachaos/hachaos/topology"
)

// feature is something of the kernel that can be tried in a network namespace.
type feature struct {
	name     string
	try      string // a shell command that succeeds if it is there
	optional string // what hachaos does without it; empty if it cannot
}

var features = []feature{
	{name: "packet filters", try: "nft add table inet hachaos_doctor"},
	{name: "addresses", try: "ip address add 198.18.0.1/32 dev lo"},
	{
		name: "timed filters",
		try: "nft add table inet hachaos_time && nft 'add chain inet hachaos_time c { type filter hook input priority 0; }' && " +
			"nft 'add rule inet hachaos_time c meta time < \"2000-01-01\" drop'",
		optional: "filters are set and removed by hand, some milliseconds late",
	},
	{
		name: "bandwidth", try: "tc qdisc add dev lo root tbf rate 1mbit burst 32k latency 400ms && tc qdisc del dev lo root",
		optional: "bandwidth is limited by Toxiproxy, for the database alone",
	},
	{
		name: string(topology.Netem), try: "tc qdisc add dev lo root netem delay 1ms",
		optional: "latency comes from Toxiproxy, for the database alone; packets are lost by packet filters all the same",
	},
}

// diskLimits is the one that is tried on the engine's host: see diskScript.
var diskLimits = feature{
	name:     string(topology.BlockThrottle),
	optional: "no disk can be made slow",
}

// checkKernel tries the features in a container of its own.
func (d *Driver) checkKernel(ctx context.Context) []Check {
	missing, err := d.builder.missing(ctx, []fixtures.Image{{Name: netImage}})
	if err == nil && len(missing) > 0 {
		return []Check{{
			Name: "kernel", OK: true, Optional: true,
			Detail: "not looked at: the image for that is not built yet (`hachaos images build " + netImage + "`)",
		}}
	}
	var has map[string]bool
	if err == nil {
		has, err = d.tryFeatures(ctx)
	}
	if err != nil {
		return []Check{{Name: "kernel", Detail: err.Error(), Mend: "see there"}}
	}
	var checks []Check
	for _, f := range features {
		checks = append(checks, f.check(has[f.name]))
	}
	return append(checks, diskCheck(d.tryDisk(ctx)))
}

// diskCheck tells why no disk can be limited, if none can.
func diskCheck(err error) Check {
	c := diskLimits.check(err == nil)
	if err != nil {
		c.Detail += ": " + err.Error()
	}
	return c
}

func (f feature) check(found bool) Check {
	c := Check{Name: "kernel: " + f.name, OK: found, Optional: f.optional != ""}
	switch {
	case found:
		c.Detail = "there"
	case f.optional != "":
		c.Detail = "not in this kernel: " + f.optional
		c.Mend = "boot a kernel that has it, such as Debian's own"
	default:
		c.Detail = "not in this kernel, and faults need it"
		c.Mend = "boot a kernel that has it, such as Debian's own, or load the modules nf_tables and veth"
	}
	return c
}

// Has implements topology.Featured: it tries it in a container of its own.
func (d *Driver) Has(ctx context.Context, f topology.Feature) (bool, error) {
	if err := d.builder.Build(ctx, []string{netImage}, nil); err != nil {
		return false, err
	}
	if f == topology.BlockThrottle {
		err := d.tryDisk(ctx)
		if errors.Is(err, errUnlimited) {
			return false, nil
		}
		return err == nil, sought(f, err)
	}
	all, err := d.tryFeatures(ctx)
	return all[string(f)], sought(f, err)
}

func sought(f topology.Feature, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("look whether the kernel has %s: %w", f, err)
}

func (d *Driver) tryFeatures(ctx context.Context) (map[string]bool, error) {
	var all map[string]bool
	err := d.trial(ctx, container.HostConfig{NetworkMode: "none", CapAdd: []string{"NET_ADMIN"}, LogConfig: logLimits},
		func(id string) error {
			out, err := d.engine.exec(ctx, id, []string{"sh", "-c", featureScript()})
			all = parseFeatures(string(out.Stdout))
			return err
		})
	return all, err
}

// errUnlimited: what limits disks is not there, or may not be used.
var errUnlimited = errors.New("a volume's disk cannot be limited")

// tryDisk has a container limit the disk of a volume of its own, and take that
// back. An error that wraps errUnlimited says that it could not, and why.
func (d *Driver) tryDisk(ctx context.Context) error {
	const at, writes = "/hachaos-disk", 100_000
	host := hostRights()
	host.Mounts = append(host.Mounts, disks([]string{at}, nil)...)
	return d.trial(ctx, host, func(id string) error {
		result, err := d.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil {
			return err
		}
		state, err := stateOf(result.Container)
		if err != nil {
			return err
		}
		for _, limit := range []int{writes, 0} {
			out, err := d.engine.exec(ctx, id, limitDisk(id, state.Pid, at, strconv.Itoa(limit)))
			if err != nil {
				return err
			}
			l, err := diskLimitOf(out)
			if err == nil && l.Writes != limit {
				err = fmt.Errorf("the kernel says that its limit is %d writes a second, want %d", l.Writes, limit)
			}
			if err != nil {
				return fmt.Errorf("%w: %w", errUnlimited, err)
			}
		}
		return nil
	})
}

// trial has a container of its own, with these rights, run for as long as try
// takes. If it could not be removed, the error wraps topology.ErrLeftBehind; if
// this process is killed meanwhile, it is left to `hachaos gc`: no guard is there
// yet, and the container does nothing by itself.
func (d *Driver) trial(ctx context.Context, host container.HostConfig, try func(id string) error) (err error) {
	id := fmt.Sprintf("doctor-%d-%d", d.owner.pid, time.Now().UnixNano())
	tag, err := d.builder.Tag(netImage)
	if err != nil {
		return err
	}
	defer func() {
		clearing, cancel := context.WithTimeout(context.WithoutCancel(ctx), removal)
		defer cancel()
		if left := d.engine.removeRun(clearing, id); left != nil {
			err = errors.Join(err, fmt.Errorf("%w by a look at what the kernel can: remove it with `hachaos gc`: %w", topology.ErrLeftBehind, left))
		}
	}()
	marks := labels(id, "", d.owner)
	for i := range host.Mounts {
		if v := host.Mounts[i].VolumeOptions; v != nil {
			v.Labels = marks
		}
	}
	made, err := d.engine.create(ctx, box{name: "hachaos-" + id, config: container.Config{Image: tag, Labels: marks}, host: host})
	if err != nil {
		return err
	}
	if _, err := d.engine.ContainerStart(ctx, made, client.ContainerStartOptions{}); err != nil {
		return err
	}
	return try(made)
}

// featureScript prints the name of each feature that is there on a line.
func featureScript() string {
	var script strings.Builder
	for _, f := range features {
		fmt.Fprintf(&script, "{ %s; } >/dev/null 2>&1 && echo '%s'\n", f.try, f.name)
	}
	return script.String()
}

func parseFeatures(out string) map[string]bool {
	found := make(map[string]bool)
	for line := range strings.Lines(out) {
		found[strings.TrimSpace(line)] = true
	}
	return found
}
