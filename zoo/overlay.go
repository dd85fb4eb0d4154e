package zoo

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// Change is a change of some nodes of a topology.
type Change struct {
	// Nodes are names of nodes, or roles: "lb1", "balancer".
	Nodes []string `yaml:"nodes"`
	// Env are variables. ${NAME} is what the node had before, of any variable.
	Env map[string]string `yaml:"env"`
	// Files are changes of files.
	Files []FileChange `yaml:"files"`
	// Cmd replaces the command.
	Cmd []string `yaml:"cmd"`
	// Run is a script of the shell, run in each node as root once all of them
	// have started and before they are waited for. It must end with status 0,
	// within RunLimit; what it leaves running is a process beside the node's own
	// and ends with its container.
	Run string `yaml:"run"`
}

// FileChange is a change of one file: all of it, or parts of one that the
// topology brings.
type FileChange struct {
	Path string `yaml:"path"`
	// Mode of a new file; 0 is 0644.
	Mode fs.FileMode `yaml:"mode"`
	// Content is all of it.
	Content string `yaml:"content"`
	// Edits replace text by text. Each old text must occur once.
	Edits map[string]string `yaml:"edits"`
	// Append is added at its end.
	Append string `yaml:"append"`
}

func (c Change) validate() error {
	if len(c.Nodes) == 0 {
		return errors.New("nodes: name nodes or roles, such as [balancer]")
	}
	if len(c.Env) == 0 && len(c.Files) == 0 && len(c.Cmd) == 0 && c.Run == "" {
		return errors.New("env, files, cmd, run: it changes nothing")
	}
	for _, f := range c.Files {
		switch {
		case !strings.HasPrefix(f.Path, "/"):
			return fmt.Errorf("path: %q: want an absolute one", f.Path)
		case f.Content == "" && len(f.Edits) == 0 && f.Append == "":
			return fmt.Errorf("%s: content, edits, append: it changes nothing", f.Path)
		case f.Content != "" && (len(f.Edits) > 0 || f.Append != ""):
			return fmt.Errorf("%s: content is all of the file: edit it there", f.Path)
		case f.Mode != 0 && f.Content == "":
			return fmt.Errorf("%s: mode: only of a file whose content is given", f.Path)
		case f.Mode&^fs.ModePerm != 0:
			return fmt.Errorf("%s: mode: %#o: want permissions, in octal, such as 0755", f.Path, uint32(f.Mode))
		}
	}
	for key := range c.Env {
		if key == "" || strings.ContainsAny(key, "=\x00") {
			return fmt.Errorf("env: %q: want the name of a variable, such as JAVA_OPTS", key)
		}
	}
	return nil
}

// Topology is the definition with the planted changes made in it. A change
// that finds no node, no file or not its text is an error of the plan: what is
// not planted must not be looked for.
func (p Planted) Topology(d topology.Definition) topology.Definition {
	inner := d.Plan
	d.Plan = func(opts topology.Options) (topology.Plan, error) {
		plan, err := inner(opts)
		if err != nil {
			return nil, err
		}
		return func(subnet netip.Prefix) (topology.Spec, error) {
			spec, err := plan(subnet)
			if err != nil {
				return spec, err
			}
			return p.apply(spec)
		}, nil
	}
	return d
}

// apply makes the changes in a copy of the spec. What they are is among its
// values, so that a record tells it.
func (p Planted) apply(spec topology.Spec) (topology.Spec, error) {
	spec.Nodes = slices.Clone(spec.Nodes)
	spec.Values = slices.Clone(spec.Values)
	for n, c := range p.Overlay {
		met := map[string]bool{}
		for i := range spec.Nodes {
			node := &spec.Nodes[i]
			if !c.aims(met, node.Name, node.Role) {
				continue
			}
			if err := c.change(node); err != nil {
				return spec, fmt.Errorf("overlay %d: node %s: %w", n+1, node.Name, err)
			}
		}
		for _, name := range c.Nodes {
			if !met[name] {
				return spec, fmt.Errorf("overlay %d: there is no node and no role %q in topology %s", n+1, name, spec.Name)
			}
		}
		if c.Run != "" {
			spec.Values = append(spec.Values, topology.Value{
				Name: "planted: " + strings.Join(c.Nodes, ", "), Value: c.Run, Reason: "a script that was run there after the start", File: "the mutant's",
			})
		}
	}
	return spec, nil
}

// aims says whether the change is one of that node, and notes what of Nodes
// it is named by.
func (c Change) aims(met map[string]bool, name string, role topology.Role) (aims bool) {
	for _, n := range c.Nodes {
		if n == name || n == string(role) {
			met[n], aims = true, true
		}
	}
	return aims
}

func (c Change) change(node *topology.NodeSpec) error {
	if len(c.Env) > 0 {
		before := node.Env
		node.Env = maps.Clone(before)
		if node.Env == nil {
			node.Env = map[string]string{}
		}
		for _, key := range sorted(c.Env) {
			value := os.Expand(c.Env[key], func(name string) string { return before[name] })
			if before[key] == value {
				return fmt.Errorf("env %s: it is %q already", key, value)
			}
			node.Env[key] = value
		}
	}
	node.Files = slices.Clone(node.Files)
	for _, f := range c.Files {
		if err := f.change(node); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	if len(c.Cmd) > 0 {
		node.Cmd = slices.Clone(c.Cmd)
	}
	return nil
}

func (f FileChange) change(node *topology.NodeSpec) error {
	i := slices.IndexFunc(node.Files, func(have topology.File) bool { return have.Path == f.Path })
	if f.Content != "" {
		file := topology.File{Path: f.Path, Mode: f.Mode, Content: f.Content}
		if f.Mode == 0 {
			file.Mode = 0o644
		}
		if i < 0 {
			node.Files = append(node.Files, file)
			return nil
		}
		node.Files[i] = file
		return nil
	}
	if i < 0 {
		var there []string
		for _, have := range node.Files {
			there = append(there, have.Path)
		}
		return fmt.Errorf("the topology brings no such file, only %s: give its content", cmp.Or(strings.Join(there, ", "), "none"))
	}
	text := node.Files[i].Content
	for _, old := range sorted(f.Edits) {
		if n := strings.Count(text, old); n != 1 {
			return fmt.Errorf("%q is there %d times: want once", old, n)
		}
		text = strings.Replace(text, old, f.Edits[old], 1)
	}
	node.Files[i].Content = text + f.Append
	return nil
}
