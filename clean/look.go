package clean

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// look looks at a node with probes that look from the same place.
func look(ctx context.Context, c topology.Cluster, n topology.Node, where Where, probes []Probe) Snapshot {
	out := Snapshot{}
	printed, err := printedBy(ctx, c, n, where, probes)
	for _, p := range probes {
		text, failed := printed[p.Name], err
		if e, ok := printed[p.Name+failure]; ok && failed == nil {
			failed = errors.New(strings.TrimSpace(e))
		}
		lines, bad := p.facts(text)
		if failed = errors.Join(failed, bad); failed != nil {
			lines = append(lines, fmt.Sprintf("%sit could not be looked at: %v", Unsettled, failed))
		}
		slices.Sort(lines)
		out[p.Name+" "+n.Name()] = lines
	}
	return out
}

func (p Probe) facts(printed string) ([]string, error) {
	if p.Facts != nil {
		return p.Facts(printed)
	}
	var lines []string
	for l := range strings.Lines(printed) {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	return lines, nil
}

// printedBy runs the probes' scripts and returns what each printed by its
// name, and under the name with failure how it failed.
func printedBy(ctx context.Context, c topology.Cluster, n topology.Node, where Where, probes []Probe) (map[string]string, error) {
	spec, _ := c.Spec().NodeByName(n.Name())
	vip := "none"
	if c.Spec().VIP.IsValid() {
		vip = c.Spec().VIP.String()
	}
	args := []string{vip, fmt.Sprint(spec.Port)}
	for _, f := range spec.Files {
		args = append(args, f.Path)
	}
	var (
		out topology.Output
		err error
	)
	switch where {
	case Here:
		return asked(ctx, n, probes), nil
	case InNode:
		out, err = n.Exec(ctx, append([]string{"sh", "-c", joined(probes), "hachaos-look"}, args...)...)
	case Beside:
		ns, ok := n.(topology.Namespace)
		if !ok {
			return nil, errors.New("nothing can be run beside it")
		}
		out, err = ns.InNamespace(ctx, append([]string{"bash", "-c", joined(probes), "hachaos-look"}, args...)...)
	}
	text, err := run(out, err)
	return parted(text), err
}

// Marks between what scripts print. No fact begins so.
const (
	begins  = "== "
	failure = " failed"
)

// joined is one script that runs those of the probes, each in a shell of its
// own and after a line with its name. It is pure.
func joined(probes []Probe) string {
	var b strings.Builder
	for _, p := range probes {
		fmt.Fprintf(&b, "echo '%s%s'\n(\n%s\n) 2>&1 || { code=$?; echo; echo '%s%s%s'; echo \"exit status $code\"; }\n", begins, p.Name, p.Script, begins, p.Name, failure)
	}
	return b.String()
}

// parted takes what a joined script printed apart. It is pure.
func parted(text string) map[string]string {
	out, name := map[string]string{}, ""
	for l := range strings.Lines(text) {
		if next, ok := strings.CutPrefix(l, begins); ok {
			name = strings.TrimSpace(next)
			out[name] = ""
			continue
		}
		out[name] += l
	}
	return out
}

// asked asks each probe from here.
func asked(ctx context.Context, n topology.Node, probes []Probe) map[string]string {
	out := map[string]string{}
	for _, p := range probes {
		text, err := p.Ask(ctx, n)
		if out[p.Name] = text; err != nil {
			out[p.Name+failure] = err.Error()
		}
	}
	return out
}

// container asks the engine: the same one runs, and is not frozen.
func container(ctx context.Context, n topology.Node) (string, error) {
	c, ok := n.(topology.Container)
	if !ok {
		return "", nil
	}
	s, err := c.Inspect(ctx)
	text := "container " + s.ID + "\n"
	if !s.Running {
		text += Unsettled + "it does not run\n"
	}
	if s.Paused {
		text += Unsettled + "it is frozen\n"
	}
	return text, err
}

// run turns a command's outcome into its output.
func run(out topology.Output, err error) (string, error) {
	if err == nil && out.Code != 0 {
		err = fmt.Errorf("exit status %d: %s", out.Code, strings.TrimSpace(string(out.Stderr)))
	}
	return string(out.Stdout), err
}
