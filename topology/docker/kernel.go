package docker

import (
	"context"
	"fmt"
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

// checkKernel tries the features in a container of its own.
func (d *Driver) checkKernel(ctx context.Context) []Check {
	missing, err := d.builder.missing(ctx, []fixtures.Image{{Name: netImage}})
	if err == nil && len(missing) > 0 {
		return []Check{{
			Name: "kernel", OK: true, Optional: true,
			Detail: "not looked at: the image for that is not built yet (`hachaos images build " + netImage + "`)",
		}}
	}
	var found map[string]bool
	if err == nil {
		found, err = d.tryFeatures(ctx)
	}
	if err != nil {
		return []Check{{Name: "kernel", Detail: err.Error(), Mend: "see there"}}
	}
	var checks []Check
	for _, f := range features {
		checks = append(checks, f.check(found[f.name]))
	}
	return checks
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
	found, err := d.tryFeatures(ctx)
	if err != nil {
		return false, fmt.Errorf("look whether the kernel has %s: %w", f, err)
	}
	return found[string(f)], nil
}

func (d *Driver) tryFeatures(ctx context.Context) (map[string]bool, error) {
	id := fmt.Sprintf("doctor-%d-%d", d.owner.pid, time.Now().UnixNano())
	tag, err := d.builder.Tag(netImage)
	if err != nil {
		return nil, err
	}
	defer func() {
		clearing, cancel := context.WithTimeout(context.WithoutCancel(ctx), removal)
		defer cancel()
		_ = d.engine.removeRun(clearing, id) // `gc` finds what is left
	}()
	made, err := d.engine.create(ctx, box{
		name: "hachaos-" + id,
		config: container.Config{
			Image: tag, Labels: map[string]string{topology.RunLabel: id, labelOwner: d.owner.String()},
		},
		host: container.HostConfig{NetworkMode: "none", CapAdd: []string{"NET_ADMIN"}, LogConfig: logLimits},
	})
	if err != nil {
		return nil, err
	}
	if _, err := d.engine.ContainerStart(ctx, made, client.ContainerStartOptions{}); err != nil {
		return nil, err
	}
	out, err := d.engine.exec(ctx, made, []string{"sh", "-c", featureScript()})
	if err != nil {
		return nil, err
	}
	return parseFeatures(string(out.Stdout)), nil
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
