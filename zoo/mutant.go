package zoo

import (
	"fmt"
	"slices"
	"strings"
)

// Areas are the parts of a system that a mutant can be broken in.
var Areas = []string{
	"sessions", "writes", "balancer", "readiness", "vip", "database", "deployment", "jobs", "streams", "uploads", "cache", "alerts",
}

// Mutant is a system with one planted defect, and what must be said of it.
type Mutant struct {
	// Name is the file's, without its ending: "no-redispatch".
	Name string `yaml:"-"`
	// Title says in a few words what is broken.
	Title string `yaml:"title"`
	// Stands is the bug or the habit of real systems that it stands for.
	Stands string `yaml:"stands"`
	// Bug names a real one, by the thread that tells of it:
	// "haproxy/haproxy#2085"; empty if it is a habit.
	Bug string `yaml:"bug"`
	// Area is one of Areas.
	Area string `yaml:"area"`
	// Scenario is the one that must catch it.
	Scenario string `yaml:"scenario"`
	// Nodes counts the application nodes; 0 is the scenario's.
	Nodes int `yaml:"nodes"`
	// Fails is the assertion that must fire, and Says what its evidence, or its
	// summary, must hold.
	Fails string `yaml:"fails"`
	Says  string `yaml:"says"`
	// Also are assertions that may fire with it, with what their evidence must
	// hold if they do, which may be empty; all others must stay quiet. Because
	// says why they rightly fire on the same cause.
	Also    map[string]string `yaml:"also"`
	Because string            `yaml:"because"`
	// Planted is the defect.
	Planted `yaml:",inline"`
	// Fixed, if there is one, is the same system with the defect mended where a
	// real one was: on it the scenario must pass. Its zero value is the scenario
	// as it stands.
	Fixed *Planted `yaml:"fixed"`
}

// Planted is what differs from the scenario as it stands.
type Planted struct {
	// Set are switches, as of --set.
	Set map[string]string `yaml:"set"`
	// Overlay are changes of nodes, made in their order.
	Overlay []Change `yaml:"overlay"`
}

// validate reports what is wrong with the mutant by itself.
func (m Mutant) validate() error {
	for _, f := range []struct{ key, value string }{
		{"title", m.Title}, {"stands", m.Stands}, {"scenario", m.Scenario}, {"fails", m.Fails}, {"says", m.Says},
	} {
		if strings.TrimSpace(f.value) == "" {
			return fmt.Errorf("%s: say %q", f.key, f.key+": …")
		}
	}
	if !slices.Contains(Areas, m.Area) {
		return fmt.Errorf("area: %q: want one of %s", m.Area, strings.Join(Areas, ", "))
	}
	if len(m.Also) > 0 && m.Because == "" {
		return fmt.Errorf("because: also says that %s may fire, too: say why", strings.Join(sorted(m.Also), ", "))
	}
	if _, both := m.Also[m.Fails]; both {
		return fmt.Errorf("also: %s is the one that must fire", m.Fails)
	}
	if len(m.Set) == 0 && len(m.Overlay) == 0 {
		return fmt.Errorf("set, overlay: nothing is planted: one of the two has to differ from the scenario as it stands")
	}
	for i, c := range m.Overlay {
		if err := c.validate(); err != nil {
			return fmt.Errorf("overlay %d: %w", i+1, err)
		}
	}
	if m.Fixed != nil {
		for i, c := range m.Fixed.Overlay {
			if err := c.validate(); err != nil {
				return fmt.Errorf("fixed: overlay %d: %w", i+1, err)
			}
		}
	}
	return nil
}
